"use strict";
// Charts: uPlot for the two large ones, plain SVG for the small ones in the key figures.

const Charts = (() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const two = (number) => String(number).padStart(2, "0");

  function clock(seconds, width) {
    const time = new Date(seconds * 1000);
    const day = time.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    const hour = `${two(time.getHours())}:${two(time.getMinutes())}`;
    if (width >= 86400) return day;
    if (width >= 7200) return `${day} ${hour}`;
    return width < 60 ? `${hour}:${two(time.getSeconds())}` : hour;
  }

  class Line {
    // `text` turns a value into what the axis and the pointer show.
    constructor(place, text) {
      this.place = place;
      this.text = text;
      this.chart = null;
      this.width = 60;
      new ResizeObserver(() => this.fit()).observe(place);
    }

    size() {
      return { width: Math.max(120, this.place.clientWidth), height: Math.max(120, this.place.clientHeight) };
    }

    fit() {
      if (this.chart) this.chart.setSize(this.size());
    }

    show(time, now, past, bucketSeconds) {
      this.width = bucketSeconds;
      const data = [time, now, past];
      if (this.chart) this.chart.setData(data);
      else this.draw(data);
    }

    // Colours belong to a chart, so another theme needs another chart.
    redraw() {
      if (!this.chart) return;
      const data = this.chart.data;
      this.clear();
      this.draw(data);
    }

    clear() {
      if (this.chart) this.chart.destroy();
      this.chart = null;
      this.place.replaceChildren();
    }

    empty(why) {
      this.clear();
      const note = document.createElement("p");
      note.className = "empty";
      note.textContent = why;
      this.place.append(note);
    }

    draw(data) {
      this.place.replaceChildren();
      const grid = { stroke: colour("--line"), width: 1 };
      const axis = { stroke: colour("--faint"), font: "11px system-ui, sans-serif", grid, ticks: { show: false } };
      const tip = document.createElement("div");
      tip.className = "u-tip";
      tip.hidden = true;
      const pointer = (chart) => {
        const at = chart.cursor.idx;
        tip.hidden = at == null || chart.data[1][at] == null;
        if (tip.hidden) return;
        tip.replaceChildren();
        const when = document.createElement("span");
        when.textContent = `${clock(chart.data[0][at], this.width)}  `;
        const what = document.createElement("b");
        what.textContent = this.text(chart.data[1][at]);
        tip.append(when, what);
        const past = chart.data[2][at];
        if (past != null) {
          const before = document.createElement("span");
          before.textContent = `  before ${this.text(past)}`;
          tip.append(before);
        }
        const left = chart.cursor.left;
        const space = chart.over.clientWidth - tip.offsetWidth;
        tip.style.left = `${Math.max(0, Math.min(space, left + 12))}px`;
        tip.style.top = "4px";
      };
      this.chart = new uPlot(
        {
          ...this.size(),
          legend: { show: false },
          cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
          scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
          axes: [
            { ...axis, size: 28, space: 70, grid: { show: false }, values: (_, marks) => marks.map((mark) => clock(mark, this.width < 60 ? 60 : this.width)) },
            { ...axis, size: 58, space: 42, values: (_, marks) => marks.map((mark) => this.text(mark)) },
          ],
          series: [
            {},
            { stroke: colour("--accent"), width: 1.75, fill: colour("--accent-soft"), points: { show: false } },
            { stroke: colour("--past"), width: 1.25, dash: [4, 4], points: { show: false } },
          ],
          hooks: { setCursor: [pointer] },
        },
        data,
        this.place,
      );
      this.chart.over.append(tip);
    }
  }

  // A small line under a key figure; decoration, so it is hidden from screen readers.
  function spark(svg, values) {
    const known = values.filter((value) => value != null);
    const most = Math.max(...known, 0);
    if (known.length < 2 || most === 0) {
      svg.replaceChildren();
      return;
    }
    // Points without a value are left out; the line goes on to the next.
    const points = values.flatMap((value, at) => (value == null ? [] : [[(at / (values.length - 1)) * 100, 28 - (value / most) * 25]]));
    const line = points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
    if (!svg.firstChild) {
      for (const name of ["area", "line"]) {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", name);
        svg.append(path);
      }
    }
    svg.children[0].setAttribute("d", `${line}L${points.at(-1)[0].toFixed(2)} 30L${points[0][0].toFixed(2)} 30Z`);
    svg.children[1].setAttribute("d", line);
  }

  return { Line, spark, clock };
})();
