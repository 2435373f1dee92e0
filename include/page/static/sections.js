"use strict";
// The sections of the page. Each takes the newest answer; elements are kept and only what changed is written,
// so that nothing flickers, no focus is lost and a button stays under the finger.

const Sections = (() => {
  const $ = (id) => document.getElementById(id);
  const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });

  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // Children of `parent`, one for each item in order; `build` makes one, `fill` writes it.
  function keyed(parent, items, keyOf, build, fill) {
    const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    items.forEach((item, place) => {
      const key = keyOf(item);
      let child = known.get(key);
      if (!child) {
        child = build(item);
        child.dataset.key = key;
      }
      known.delete(key);
      fill(child, item);
      if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] || null);
    });
    for (const gone of known.values()) gone.remove();
  }

  function emptyOr(list, items, why, keyOf, build, fill) {
    const shown = items.length ? items : [{ nothing: why }];
    keyed(list, shown, (item) => (item.nothing ? `nothing ${item.nothing}` : keyOf(item)),
      (item) => (item.nothing ? make("li", "empty", item.nothing) : build(item)),
      (element, item) => { if (!item.nothing) fill(element, item); });
  }

  const money = (cents, currency, digits) => cents == null ? "–" : new Intl.NumberFormat("en-GB", {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(cents / 100);
  const shortMoney = (cents, currency) => new Intl.NumberFormat("en-GB", {
    style: "currency", currency, notation: "compact", maximumFractionDigits: 1,
  }).format(cents / 100);
  const percent = (share) => share == null ? "–" : `${(share * 100).toFixed(1)} %`;
  const amount = (cents, currency) => money(cents, currency, Math.abs(cents) >= 1000000 ? 0 : 2);

  function span(seconds) {
    if (seconds == null) return "–";
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
  }
  const ago = (text) => `${span(Math.max(0, (Date.now() - Date.parse(text)) / 1000))} ago`;
  const words = (text) => String(text).replaceAll("_", " ");

  // Key figures: name, value of a set of figures, its text, whether more is better.
  const shares = (part, whole) => part.map((value, at) => (value != null && whole[at] ? value / whole[at] : null));
  const FIGURES = [
    { name: "Sales per minute", of: (f, c) => f.currencies[c]?.per_minute ?? 0, text: (v, c) => amount(v, c), better: 1, spark: (s, c) => s.revenue[c] },
    { name: "Active users", note: "last 5 min", of: (f) => f.users, text: (v) => whole.format(v), better: 1, spark: (s) => s.users },
    { name: "Conversion", of: (f) => f.conversion, text: percent, better: 1, spark: (s) => shares(s.buying_sessions, s.active_sessions) },
    { name: "Average order", of: (f, c) => f.currencies[c]?.average, text: (v, c) => money(v, c, 2), better: 1, spark: (s, c) => shares(s.revenue[c] ?? [], s.orders[c] ?? []) },
    { name: "Cart abandonment", of: (f) => f.abandonment, text: percent, better: -1, spark: (s) => shares(s.buying_sessions, s.cart_sessions).map((v) => (v == null ? v : Math.max(0, 1 - v))) },
  ];

  function delta(element, label, now, past, better) {
    if (now == null || past == null || past === 0) { set(element, ""); element.hidden = true; return; }
    const change = (now - past) / past;
    element.hidden = false;
    const sign = Math.abs(change) < 0.005 ? "=" : change > 0 ? "▲" : "▼";
    element.firstChild.className = sign === "=" ? "" : change * better > 0 ? "good" : "bad";
    const size = Math.abs(change) >= 10 ? "> 1000 %" : `${(Math.abs(change) * 100).toFixed(Math.abs(change) < 0.1 ? 1 : 0)} %`;
    set(element.firstChild, sign === "=" ? "= same" : `${sign} ${size}`);
    set(element.lastChild, ` ${label}`);
  }

  function kpis(answer, currency) {
    keyed($("kpis"), FIGURES, (figure) => figure.name, (figure) => {
      const card = make("article", "kpi");
      card.append(make("h3", "", figure.name), make("div", "value"), make("div", "deltas"));
      for (let n = 0; n < 2; n++) {
        const part = make("span");
        part.append(make("b"), make("span"));
        card.children[2].append(part);
      }
      if (figure.spark) {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        svg.setAttribute("viewBox", "0 0 100 30");
        svg.setAttribute("preserveAspectRatio", "none");
        svg.setAttribute("aria-hidden", "true");
        card.append(svg);
      }
      return card;
    }, (card, figure) => {
      const value = answer.kpis ? figure.of(answer.kpis, currency) : null;
      const known = value != null;
      set(card.children[1], known ? figure.text(value, currency) : "–");
      card.title = figure.note ?? "";
      const [day, week] = card.children[2].children;
      const past = (figures) => (figures ? figure.of(figures, currency) : null);
      delta(day, "on yesterday", value, past(answer.yesterday), figure.better);
      delta(week, "on last week", value, past(answer.last_week), figure.better);
      if (figure.spark && answer.series) Charts.spark(card.children[3], (figure.spark(answer.series, currency) ?? []).slice(0, -1));
    });
    set($("kpi-span"), answer.kpi_minutes ? `last ${answer.kpi_minutes} minutes, users of the last 5` : "");
  }

  function alerts(answer, mayWrite, acknowledge) {
    const open = answer.alerts ?? [];
    set($("alerts-count"), open.length ? `${open.length}` : "");
    emptyOr($("alerts"), open, "Nothing needs you.", (alert) => alert.incident, () => {
      const row = make("li");
      const what = make("div", "what");
      what.append(make("b"), make("span"));
      row.append(make("span", "pill"), what, make("div", "do"));
      return row;
    }, (row, alert) => {
      row.children[0].className = `pill ${alert.severity}`;
      set(row.children[0], alert.severity);
      set(row.children[1].children[0], alert.subject);
      const evidence = Object.entries(alert.evidence).slice(0, 4).map(([name, text]) => `${name}: ${text}`).join(" · ");
      const times = alert.occurrences > 1 ? `, seen ${alert.occurrences} times` : "";
      set(row.children[1].children[1], `${alert.source}, ${ago(alert.last_at)}${times}${evidence ? ` · ${evidence}` : ""}`);
      const links = [...alert.links, ...(alert.runbook ? [{ label: "Run-book", url: alert.runbook }] : [])];
      const parts = [...links.map((link) => ({ key: `link ${link.label}`, link })),
        alert.acknowledged_by ? { key: "taken", by: alert.acknowledged_by } : { key: "ack" }];
      keyed(row.children[2], parts, (part) => part.key, (part) => {
        if (part.link) {
          const link = make("a", "button small", part.link.label);
          link.target = "_blank";
          link.rel = "noopener";
          return link;
        }
        if (part.by) return make("span", "taken");
        const button = make("button", "button small", "Acknowledge");
        button.type = "button";
        button.addEventListener("click", () => acknowledge(alert.incident, button));
        return button;
      }, (element, part) => {
        if (part.link && element.href !== part.link.url) element.href = part.link.url;
        if (part.by) set(element, `Taken by ${part.by}`);
        if (part.key === "ack") {
          element.disabled = !mayWrite || element.dataset.busy === "yes";
          element.title = mayWrite ? "" : "Your role may not acknowledge alerts";
          element.setAttribute("aria-label", `Acknowledge: ${alert.subject}`);
        }
      });
    });
  }

  function streams(answer) {
    const columns = ["Lag", "Rows/s", "Batch", "Watermark", "Heartbeat"];
    keyed($("streams").tBodies[0], answer.streams ?? [], (stream) => stream.query, () => {
      const row = make("tr");
      const state = make("td");
      state.append(make("span", "pill"), make("span", "why"));
      row.append(make("td"), state, ...columns.map((name) => {
        const cell = make("td", "n");
        cell.dataset.label = name;
        return cell;
      }));
      return row;
    }, (row, stream) => {
      const cells = row.children;
      set(cells[0], words(stream.query));
      cells[1].children[0].className = `pill ${stream.state}`;
      set(cells[1].children[0], stream.state);
      set(cells[1].children[1], stream.reason);
      cells[1].children[1].hidden = !stream.reason;
      set(cells[2], stream.lag == null ? "–" : whole.format(stream.lag));
      set(cells[3], stream.rows_per_second == null ? "–" : short.format(stream.rows_per_second));
      set(cells[4], stream.batch_ms == null ? "–" : `${whole.format(stream.batch_ms)} ms`);
      set(cells[5], span(stream.watermark_seconds));
      set(cells[6], span(stream.heartbeat_seconds));
    });
    const latency = answer.latency;
    set($("latency"), latency
      ? `arrival to searchable: newest event ${span(latency.newest_p50)}, oldest ${span(latency.oldest_p50)}, p99 ${span(latency.oldest_p99)}`
      : "");
  }

  function layers(answer) {
    const place = $("layers");
    const found = answer.layers ?? [];
    const known = found.filter((layer) => layer.first != null);
    if (!known.length) {
      keyed(place, [answer.problem ? "Not known while Elasticsearch is away." : "No layer has written yet."], (text) => text, (text) => make("p", "empty", text), () => {});
    } else {
      const first = Math.min(...known.map((layer) => layer.first));
      const last = Math.max(Date.now(), ...known.map((layer) => layer.last));
      const long = last - first > 86400000;
      const rows = [...["batch", "speed"].map((name) => ({ name, layer: known.find((layer) => layer.layer === name) })), { name: "axis" }, { name: "segments" }];
      keyed(place, rows, (row) => row.name, (row) => {
        if (row.name === "axis") { const axis = make("div", "axis"); axis.append(make("span"), make("span")); return axis; }
        if (row.name === "segments") return make("div", "segments");
        const lane = make("div", "lane");
        const track = make("div", "track");
        track.append(make("i", row.name));
        lane.append(make("span", "", row.name), track);
        return lane;
      }, (element, row) => {
        if (row.name === "axis") {
          set(element.children[0], Charts.clock(first / 1000, long ? 7200 : 60));
          set(element.children[1], "now");
        } else if (row.name === "segments") {
          keyed(element, (answer.segments ?? []).slice(-8), (segment) => String(segment.number), () => make("span"), (item, segment) => {
            item.className = segment.handed_over_by ? "over" : segment.sealed_at ? "" : "open";
            set(item, `segment ${segment.number}${segment.handed_over_by ? "" : segment.sealed_at ? " sealed" : " open"}`);
            item.title = segment.handed_over_by ? `handed over by ${segment.handed_over_by}` : segment.sealed_at ?? "";
          });
        } else {
          const bar = element.querySelector("i");
          bar.hidden = !row.layer;
          if (!row.layer) return;
          bar.style.left = `${((row.layer.first - first) / (last - first || 1)) * 100}%`;
          bar.style.width = `${((row.layer.last - row.layer.first) / (last - first || 1)) * 100}%`;
          bar.title = `${whole.format(row.layer.documents)} documents`;
        }
      });
    }
    const fresh = answer.freshness;
    set($("complete"), fresh?.complete_up_to
      ? `complete up to ${new Date(fresh.complete_up_to).toLocaleTimeString("en-GB")}, computed ${span(fresh.age_seconds)} ago` : "");
    keyed($("handovers"), (answer.handovers ?? []).slice(0, 4), (run) => run.subject, () => {
      const row = make("li");
      row.append(make("span", "pill"), make("b"), make("span"));
      return row;
    }, (row, run) => {
      row.children[0].className = `pill ${run.status}`;
      set(row.children[0], run.status === "ok" ? "handed over" : "refused");
      set(row.children[1], ago(run.time));
      const drift = run.metrics?.lambda_drift_ratio;
      set(row.children[2], run.reason || `${run.subject}${drift == null ? "" : `, drift ${(drift * 100).toFixed(3)} %`}`);
    });
  }

  function list(id, countId, found, why, keyOf, write, count) {
    set($(countId), found?.total ? count(found.total) : "");
    emptyOr($(id), found?.rows ?? [], why, keyOf, () => {
      const row = make("li");
      row.append(make("b"), make("span", "n"), make("span"), make("span", "n"));
      return row;
    }, (row, item) => write(item).forEach((text, n) => set(row.children[n], text)));
  }

  function shop(answer) {
    const away = answer.problem ? "Not known while Elasticsearch is away." : null;
    list("fraud", "fraud-count", answer.fraud, away ?? "No suspicion so far.", (row) => row.alert_id, (row) => [
      words(row.rule ?? "unknown rule"),
      row.amount_minor != null && row.currency ? money(row.amount_minor, row.currency, 2) : row.severity ?? "",
      [row.user_id ?? row.card_id ?? row.device_id, row.evidence ?? row.message].filter(Boolean).join(" · "),
      row.event_time ? ago(row.event_time) : "",
    ], (total) => `${whole.format(total)} so far`);
    list("stock", "stock-count", answer.stock, away ?? "No shelf is low.", (row) => `${row.product_id} ${row.warehouse_id}`, (row) => [
      `${row.product_id}${row.warehouse_id ? ` in ${row.warehouse_id}` : ""}`,
      row.level == null ? "–" : `${whole.format(row.level)} left`,
      [row.category, row.sold_per_hour != null ? `${row.sold_per_hour.toFixed(1)} sold per hour` : null].filter(Boolean).join(" · "),
      row.hours_left != null ? `sells out in ${span(row.hours_left * 3600)}` : row.status ?? "",
    ], (total) => `${whole.format(total)} shelves are low, what sells out first on top`);
  }

  return { $, set, make, keyed, kpis, alerts, streams, layers, shop, span, shortMoney, money, short, whole };
})();
