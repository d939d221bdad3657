// The chart of the planner's page: assumed against live. Loaded before planner.js.
"use strict";

function steps(points, x, y) {
  let path = "";
  let before = false;
  points.forEach((value, i) => {
    if (value !== null) path += `${before ? "L" : "M"}${x(i)} ${y(value)}H${x(i + 1)}`;
    before = value !== null;
  });
  return path;
}

function renderChart() {
  const weeks = data.columns.map((column, i) => ({ ...column, i })).filter((column) => !column.total);
  const series = (id) => weeks.map((week) => number(id, week.i));
  const [assumed, live, cut, load] = ["assumed", "live", "cut", "load"].map(series);
  const decided = find("decided") ? series("decided") : [];
  const top = Math.max(1, ...[...assumed, ...live, ...cut, ...load].filter((value) => value !== null)) * 1.12;
  $("key-decided").hidden = !decided.length;
  const [width, height, left, bottom, head] = [1120, 210, 44, 24, 8];
  const x = (i) => left + (i * (width - left)) / weeks.length;
  const y = (value) => height - bottom - (value / top) * (height - bottom - head);
  const fresh = (i) => live[i] !== null && full(weeks[i].i) && !stale(weeks[i].i);
  const total = live.reduce((sum, value, i) => sum + (!fresh(i) || assumed[i] === null ? 0 : value - assumed[i]), 0);
  const seen = live.filter((value, i) => fresh(i)).length;
  const sure = live.filter((value, i) => fresh(i) && measured(weeks[i].i)).length;
  const known = `in ${weeks.length} ${unit(2)}. Live is fully known and not stale in ${seen}, all of it live in ${sure}`;
  const label = find("assumed")
    ? `Assumed and live capacity ${known}; over these it is ${decimal(Math.abs(total))} ${data.unit} ${total < 0 ? "below" : "above"} what the plan assumes.`
    : `Live capacity ${known}.`;
  const moved = weeks.filter((week, i) => live[i] !== null && decided[i]);
  const people = moved.length ? ` People decided hours of ${moved.length} ${unit(moved.length)}: they stand in the row Decided.` : "";
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label + people });
  weeks.forEach((week, i) => {
    if (week.current) root.append(svg("rect", { class: "now", x: x(i), y: 0, width: x(1) - x(0), height: height - bottom }));
  });
  const step = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find((one) => top / one <= 5) ?? top;
  for (let tick = 0; tick <= top; tick += step) {
    root.append(svg("line", { class: "axis", x1: left, x2: width, y1: y(tick), y2: y(tick) }));
    root.append(svg("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, `${tick}${tick === 0 ? ` ${SHORT[data.unit] ?? ""}` : ""}`));
  }
  const wide = x(1) - x(0);
  weeks.forEach((week, i) => {
    if (load[i] !== null) root.append(svg("rect", { class: "bars", x: x(i) + wide * 0.2, width: wide * 0.6, y: y(load[i]), height: Math.max(0, y(0) - y(load[i])), rx: 2 }));
    if (live[i] !== null && assumed[i] !== null && live[i] < assumed[i] && full(week.i)) {
      root.append(svg("rect", { class: stale(week.i) ? "gap old" : "gap", x: x(i), width: wide, y: y(assumed[i]), height: y(live[i]) - y(assumed[i]) }));
    }
    if (live[i] !== null && decided[i]) {
      // What people decided is part of live: added below its line, taken away above it.
      const [more, less] = [y(Math.max(live[i], live[i] - decided[i])), y(Math.max(0, Math.min(live[i], live[i] - decided[i])))];
      const words = `${decided[i] > 0 ? "+" : "−"}${decimal(Math.abs(decided[i]))} ${data.unit} decided`;
      root.append(svg("rect", { class: decided[i] > 0 ? "decided" : "decided less", x: x(i) + wide * 0.08, width: wide * 0.84, y: more, height: less - more }, svg("title", {}, words)));
      root.append(svg("text", { class: "decidedtext", x: x(i) + wide / 2, y: decided[i] > 0 ? Math.min(y(0) - 2, less + 12) : Math.max(11, more - 4), "text-anchor": "middle" }, decided[i] > 0 ? "+" : "−"));
    }
    if (i % Math.ceil(weeks.length / 20) === 0) {
      root.append(svg("text", { class: week.current ? "nowtext" : "", x: x(i) + wide / 2, y: height - 7, "text-anchor": "middle" }, week.current ? `${heading(week)[0]} · now` : heading(week)[0]));
    }
  });
  root.append(svg("path", { class: "assumed", d: steps(assumed, x, y) }));
  const kind = (i) => (stale(weeks[i].i) ? "old" : measured(weeks[i].i) ? "" : "part");
  for (const one of ["old", "part", ""]) {
    const points = live.map((value, i) => (kind(i) === one ? value : null));
    root.append(svg("path", { class: `live ${one}`, d: steps(points, x, y) }));
  }
  cut.forEach((value, i) => {
    if (value === null) return;
    const [cx, cy] = [x(i) + wide / 2, y(value)];
    root.append(svg("path", { class: "cut", d: `M${cx} ${cy - 5}l5 5-5 5-5-5z` }));
  });
  $("chart").replaceChildren(root);
}
