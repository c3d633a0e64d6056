"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;

  // theme
  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tellTheme = () => {
    theme.setAttribute("aria-pressed", String(isDark()));
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tellTheme();
  });
  system.addEventListener("change", tellTheme);
  tellTheme();

  // sorting by the values of the data, not by their texts; what has no value comes last
  for (const table of document.querySelectorAll("table[data-rows]")) {
    const { columns, rows } = data[table.dataset.rows];
    const body = table.tBodies[0];
    const lines = Array.from(body.rows, (line, place) => ({ line, place, row: rows[place] }));
    const said = table.parentElement.parentElement.querySelector(".sorted");
    for (const button of table.tHead.querySelectorAll("button")) {
      const head = button.closest("th");
      const column = columns.indexOf(button.dataset.key);
      const value = (one) => (column < 0 ? one.place : Array.isArray(one.row[column]) ? one.row[column][0] : one.row[column]);
      button.addEventListener("click", () => {
        const first = button.dataset.first;
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        for (const one of table.tHead.querySelectorAll("th")) one.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        lines.sort((a, b) => {
          const x = value(a);
          const y = value(b);
          if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
          return sign * (x < y ? -1 : x > y ? 1 : 0) || a.place - b.place;
        });
        body.append(...lines.map((one) => one.line));
        if (said) said.textContent = `sorted by ${button.textContent}, ${order}`;
      });
    }
  }

  // searching
  for (const input of document.querySelectorAll("input[type=search]")) {
    const table = document.getElementById(input.dataset.table);
    const lines = Array.from(table.tBodies[0].rows, (line) => ({ line, text: line.dataset.find.toLowerCase() }));
    const shown = document.getElementById(input.dataset.count);
    input.closest(".search").hidden = false;
    const search = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const { line, text } of lines) {
        line.hidden = !words.every((word) => text.includes(word));
        found += !line.hidden;
      }
      shown.textContent = `${found} of ${lines.length} shown`;
    };
    input.addEventListener("input", search);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      input.value = "";
      search();
    });
    search();
  }

  // reading a chart's value at the pointer, or with the arrow keys
  const digits = (value) => String(Number(value.toPrecision(4)));
  for (const plot of document.querySelectorAll(".plot")) {
    const bars = plot.dataset.bars !== undefined;
    const row = bars ? data.errors.lines[plot.dataset.bars] : data.load[plot.dataset.line];
    const factor = row.quantity === "load" ? 100 : 1;
    const unit = bars ? "error frames" : row.quantity === "load" ? "%" : "frames/s";
    const out = document.querySelector(`output[for="${plot.id}"]`);
    const svg = plot.querySelector("svg");
    const cursor = document.createElement("i");
    cursor.className = "cursor";
    cursor.hidden = true;
    plot.append(cursor);
    let place = -1;
    const show = (wanted) => {
      place = Math.max(0, Math.min(row.mean.length - 1, wanted));
      const from = Math.max(0, row.start_s + place * row.step_s);
      const to = Math.min(data.end_s, row.start_s + (place + 1) * row.step_s);
      cursor.hidden = false;
      cursor.style.left = `${(50 * (from + to)) / data.end_s}%`;
      const value = bars ? Math.round(row.mean[place] * row.windows_in_one) : row.mean[place] * factor;
      const peak = !bars && row.windows_in_one > 1 ? `, peak ${digits(row.peak[place] * factor)} ${unit}` : "";
      out.textContent = `${from.toFixed(1)} to ${to.toFixed(1)} s: ${digits(value)} ${unit}${peak}`;
    };
    const hide = () => {
      cursor.hidden = true;
      out.textContent = "";
    };
    plot.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * data.end_s;
      show(Math.floor((at - row.start_s) / row.step_s));
    });
    plot.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: row.mean.length - 1 };
      if (!(event.key in moves)) return;
      event.preventDefault();
      show(moves[event.key]);
    });
  }
})();
