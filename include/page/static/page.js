"use strict";
// Asks for the newest figures every two seconds, and again at once when something was done.

(() => {
  const { $, set, make, keyed, span } = Sections;
  const EVERY = 2000;
  const LATE = 10000;
  const state = { range: "1h", currency: null, answer: null, mayWrite: false, actions: [], timer: 0, asked: 0, good: 0 };

  // Airflow's own theme, where the page is inside Airflow; else the system's.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function airflowTheme() {
    if (window.parent === window) return null;
    const root = window.parent.document.documentElement;
    return root.classList.contains("dark") ? "dark" : root.classList.contains("light") ? "light" : null;
  }
  const revenue = new Charts.Line($("revenue"), (value) => Sections.shortMoney(value, state.currency ?? "EUR"));
  const events = new Charts.Line($("events"), (value) => Sections.short.format(value));
  function theme() {
    const wanted = airflowTheme() ?? (dark.matches ? "dark" : "light");
    if (document.documentElement.classList.toggle("dark", wanted === "dark") !== theme.last) {
      theme.last = wanted === "dark";
      revenue.redraw();
      events.redraw();
    }
  }
  theme();
  dark.addEventListener("change", theme);
  if (window.parent !== window) {
    new MutationObserver(theme).observe(window.parent.document.documentElement, { attributeFilter: ["class"] });
  }

  function toast(text) {
    set($("toast"), text);
    $("toast").hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { $("toast").hidden = true; }, 6000);
  }

  async function ask(path, options = {}) {
    const answer = await fetch(path, { credentials: "same-origin", signal: AbortSignal.timeout(LATE), ...options });
    if (answer.ok) return answer.json();
    const said = await answer.json().catch(() => ({}));
    const detail = typeof said.detail === "string" ? said.detail : JSON.stringify(said.detail ?? "");
    const reason = { 401: "You are logged out: reload the page.", 403: "Your role does not allow this." }[answer.status];
    const error = new Error(reason ?? `${answer.status} ${detail}`.trim());
    error.status = answer.status;
    throw error;
  }

  function status(kind, text) {
    $("status").className = `pill ${kind}`;
    set($("status"), text);
  }

  function chooseCurrency(answer) {
    const found = Object.keys(answer.kpis?.currencies ?? {});
    const known = [...new Set([...found, ...Object.keys(answer.series?.revenue ?? {})])];
    if (!known.length) return;
    if (!known.includes(state.currency)) state.currency = known[0];
    $("currency-choice").hidden = known.length < 2;
    keyed($("currency"), known, (name) => name, (name) => { const option = make("option", "", name); option.value = name; return option; }, () => {});
    if ($("currency").value !== state.currency) $("currency").value = state.currency;
  }

  // Points of yesterday at today's times; both series have the same width of points.
  function aligned(time, past, values) {
    if (!past || !values) return time.map(() => null);
    const at = new Map(past.time.map((second, place) => [second, values[place]]));
    return time.map((second) => at.get(second) ?? null);
  }

  function charts(answer) {
    const series = answer.series;
    const places = [[revenue, series?.revenue[state.currency]], [events, series?.events]];
    const unit = answer.bucket_seconds < 60 ? `${answer.bucket_seconds} s` : answer.bucket_seconds < 3600 ? `${answer.bucket_seconds / 60} min` : answer.bucket_seconds < 86400 ? `${answer.bucket_seconds / 3600} h` : "day";
    set($("revenue-unit"), state.currency ? `${state.currency} per ${unit.replace(/^1 /, "")}` : "");
    set($("orders-unit"), `per ${unit.replace(/^1 /, "")}`);
    for (const [chart, values] of places) {
      if (!series) { if (!chart.chart) chart.empty("Not known while Elasticsearch is away."); continue; }
      if (!values || !values.some(Boolean)) { chart.empty("Nothing in this range yet."); continue; }
      const past = answer.series_yesterday;
      const before = chart === revenue ? past?.revenue[state.currency] : past?.events;
      // The running point is not complete: shown, it would look like a fall.
      const until = values.length - 1;
      chart.show(series.time.slice(0, until), values.slice(0, until), aligned(series.time, past, before).slice(0, until), answer.bucket_seconds);
    }
    const hasPast = Boolean(answer.series_yesterday?.events.some(Boolean));
    for (const legend of document.querySelectorAll(".legend")) legend.hidden = !hasPast;
  }

  function show(answer) {
    state.answer = answer;
    $("problem").hidden = !answer.problem;
    if (answer.problem) set($("problem").querySelector("span"), answer.problem);
    document.body.classList.toggle("stale", Boolean(answer.problem) && state.good > 0);
    if (!answer.problem) state.good = Date.now();
    const age = answer.freshness?.age_seconds;
    if (answer.problem) status("failed", state.good ? `Figures of ${new Date(state.good).toLocaleTimeString("en-GB")}` : "No figures");
    else if (age == null) status("", "No data yet");
    else if (age > 60) status("degraded", `Last figures ${span(age)} old`);
    else status("ok", "Live");
    chooseCurrency(answer);
    if (!answer.problem || !state.good) {
      Sections.kpis(answer, state.currency ?? "EUR");
      charts(answer);
      Sections.shop(answer);
      Sections.layers(answer);
    }
    Sections.streams(answer);
    Sections.alerts(answer, state.mayWrite, acknowledge);
  }

  async function poll() {
    clearTimeout(state.timer);
    const number = ++state.asked;
    try {
      const answer = await ask(`api/live?range=${state.range}`);
      if (number === state.asked) show(answer);
    } catch (error) {
      if (number === state.asked) status("failed", error.status ? error.message : "Airflow does not answer");
      document.body.classList.add("stale");
    }
    // A page that nobody sees asks for nothing.
    if (number === state.asked && !document.hidden) state.timer = setTimeout(poll, EVERY);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });

  async function acknowledge(incident, button) {
    button.dataset.busy = "yes";
    button.disabled = true;
    try {
      await ask(`api/alerts/${encodeURIComponent(incident)}/acknowledge`, { method: "POST" });
      toast("Acknowledged. It is not repeated and does not escalate.");
    } catch (error) {
      toast(error.message);
    }
    button.dataset.busy = "no";
    poll();
  }

  function pressed() {
    for (const button of $("ranges").children) button.setAttribute("aria-pressed", String(button.dataset.range === state.range));
  }
  $("ranges").addEventListener("click", (event) => {
    const chosen = event.target.closest("button")?.dataset.range;
    if (!chosen || chosen === state.range) return;
    state.range = chosen;
    pressed();
    poll();
  });
  $("currency").addEventListener("change", () => { state.currency = $("currency").value; if (state.answer) show(state.answer); });

  function confirmed(text) {
    const dialog = $("confirm");
    set($("confirm-text"), text);
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
  }

  async function trigger(action) {
    if (!(await confirmed(`${action.label}? This triggers the DAG ${action.dag_id}${Object.keys(action.conf).length ? ` with ${Object.entries(action.conf).map((pair) => pair.join(" = ")).join(", ")}` : ""}.`))) return;
    try {
      const run = await ask(`../api/v2/dags/${action.dag_id}/dagRuns`, {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ logical_date: null, conf: action.conf }),
      });
      toast(`Triggered: ${run.dag_run_id}`);
    } catch (error) {
      toast(error.message);
    }
  }

  async function actions() {
    const known = await ask("api/actions");
    state.mayWrite = known.may_write;
    if (state.answer) Sections.alerts(state.answer, state.mayWrite, acknowledge);
    const reasons = new Map();
    for (const dag of new Set(known.actions.map((action) => action.dag_id))) {
      try {
        const found = await ask(`../api/v2/dags/${dag}`);
        if (found.is_paused) reasons.set(dag, "paused");
      } catch (error) {
        reasons.set(dag, error.status === 403 ? "not allowed" : "not there");
      }
    }
    keyed($("actions"), known.actions, (action) => action.label, (action) => {
      const button = make("button", "button", action.label);
      button.type = "button";
      button.addEventListener("click", () => trigger(action));
      return button;
    }, (button, action) => {
      const reason = reasons.get(action.dag_id);
      button.disabled = !action.allowed || Boolean(reason);
      button.title = !action.allowed ? "Your role may not trigger this DAG" : reason ? `The DAG ${action.dag_id} is ${reason}` : `Triggers the DAG ${action.dag_id}`;
    });
    keyed($("reports"), known.reports, (name) => name, (name) => {
      const link = make("a", "", name.replace(".html", "").replace("-", " report, "));
      link.href = `reports/${name}`;
      link.target = "_blank";
      return link;
    }, () => {});
    const off = [...reasons].map(([dag, reason]) => `${dag} is ${reason}`);
    set($("actions-note"), known.actions.some((action) => action.allowed) ? off.join(", ") : "Your role may look, not act.");
  }

  pressed();
  poll();
  actions().catch((error) => set($("actions-note"), `What you may do is not known: ${error.message}`));
})();
