// The planner's page: shows what has landed, knows today's date, nothing else.
"use strict";

const $ = (id) => document.getElementById(id);
const el = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};
const svg = (name, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const hidden = (text) => el("span", { class: "hidden" }, text);

let data = null;
let from = null;
let place = { row: 0, column: 0 };
let editing = false;

const say = (text, bad = false) => {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
};
const digits = (date) => Number(date.replaceAll("-", ""));
const day = (number) => {
  const text = String(number).padStart(8, "0");
  return `${Number(text.slice(6))} ${MONTHS[Number(text.slice(4, 6)) - 1] ?? "?"}`;
};
const days = (start, last) => {
  const [from, to] = [day(digits(start)), day(digits(last))];
  if (start === last) return from;
  return start.slice(5, 7) === last.slice(5, 7) ? `${Number(start.slice(8))}–${to}` : `${from} – ${to}`;
};
const month = (id) => `${MONTHS[Number(id.slice(5, 7)) - 1]} ${id.slice(0, 4)}`;
// A tenth of a minute is nothing that somebody plans with.
const decimal = (value) => {
  const places = data.unit === "minutes" ? 0 : 1;
  return value.toLocaleString("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
};
const find = (slot) => data.measures.find((one) => one.slot === slot);
// A target need not have a measure for every row: then no cell of it is filled.
const measure = (slot) => find(slot) ?? { cells: [] };
const number = (slot, at) => {
  const cell = measure(slot).cells[at];
  return cell ? Number(cell.v) : null;
};
// The figure of a row in a column; the page works two of them out.
function figure(row, at) {
  if (unsummable(row, at)) return null;
  if (row.slot === "gap") {
    const [live, assumed] = [number("live", at), number("assumed", at)];
    return live === null || assumed === null || !full(at) || !whole("assumed", at) ? null : live - assumed;
  }
  if (row.slot === "strain") {
    const [live, load] = [number("live", at), number("load", at)];
    if (live === null || load === null || !full(at)) return null;
    // A line that stands still has no capacity at all: any load is above it.
    return live > 0 ? load / live : load > 0 ? Infinity : null;
  }
  return number(row.slot, at);
}

function shape(word) {
  const path = {
    live: svg("circle", { cx: 8, cy: 8, r: 6, fill: "currentColor" }),
    planner: svg("path", { d: "M2 14v-3l8-8 3 3-8 8z", fill: "currentColor" }),
    held: svg("path", { d: "M8 2a6 6 0 0 1 0 12zM8 2a6 6 0 0 0 0 12", fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    assumed: svg("path", { d: "M8 2 15 14H1z", fill: "currentColor" }),
    conflicting: svg("path", { d: "M8 1 15 8 8 15 1 8z", fill: "currentColor" }),
    unknown: svg("circle", { cx: 8, cy: 8, r: 5.5, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-dasharray": "2.6 2" }),
    stale: svg("path", { d: "M3 3l10 10M13 3 3 13", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round" }),
  }[word];
  const node = svg("svg", { viewBox: "0 0 16 16", class: "shape", "aria-hidden": "true" }, path);
  if (word === "held") node.append(svg("path", { d: "M8 2a6 6 0 0 1 0 12z", fill: "currentColor" }));
  return node;
}

function content(row, at) {
  if (row.kind === "status") return statusContent(at);
  const value = figure(row, at);
  if (value === null) {
    const why = unsummable(row, at) ? NO_TOTAL : "no value";
    return el("span", {}, el("span", { "aria-hidden": "true" }, "·"), hidden(why));
  }
  switch (row.kind) {
    case "date": return day(value);
    case "covered": return coveredContent(at);
    case "ratio": return value.toFixed(2);
    case "count": return Math.round(value).toLocaleString("en-GB");
    case "percent": {
      const text = value === Infinity ? "no capacity" : `${Math.round(value * 100)} %`;
      const over = hidden(value === Infinity ? ", load without capacity" : ", above capacity");
      const mark = el("span", { "aria-hidden": "true" }, "▲ ");
      return value > 1.0005 ? el("span", { class: "over" }, mark, text, over) : text;
    }
    default:
      return row.signed && value > 0 ? `+${decimal(value)}` : decimal(value).replace("-", "−");
  }
}

// A row that the target has no measure for is left out, and a head without rows.
const has = (row) => Boolean(find(row.needs ?? row.slot));
function shown(row) {
  if (!row.head) return has(row);
  const below = ROWS.slice(ROWS.indexOf(row) + 1);
  const next = below.findIndex((one) => one.head);
  return below.slice(0, next < 0 ? below.length : next).some(has);
}
function rows() {
  return ROWS.filter((row) => !row.head && shown(row));
}

function editable(row, at) {
  const found = find(row.slot);
  return Boolean(found && found.editable && !data.columns[at].total);
}

// Whether a cell shows a number that is past its end, or one worked out from it.
function outdated(row, at) {
  if (!stale(at)) return false;
  if (row.derived) return figure(row, at) !== null;
  return Boolean((row.landed || row.kind === "status" || row.kind === "covered") && measure(row.slot).cells[at]);
}

function cellNode(row, at, y) {
  const column = data.columns[at];
  const cell = measure(row.slot).cells[at];
  const classes = [column.total ? "total" : column.current ? "now" : column.past ? "past" : ""];
  const empty = figure(row, at) === null && row.kind !== "status";
  if (empty) classes.push("none");
  const old = !empty && outdated(row, at);
  if (old) classes.push("stale");
  const node = el("td", {
    class: classes.join(" ").trim() || null, role: "gridcell", tabindex: "-1",
    "data-row": y, "data-column": at, "aria-readonly": editable(row, at) ? null : "true",
  }, content(row, at));
  const who = edited(cell);
  if (who) {
    node.classList.add("person");
    node.setAttribute("title", who);
    node.append(hidden(`, ${who}`));
  }
  if (old) node.append(hidden(", stale"));
  if (!["status", "covered"].includes(row.kind) && cell && !empty && !whole(row.slot, at)) {
    node.append(el("span", { class: "part", "aria-hidden": "true" }, `${cell.n}/${cell.of}`));
    node.append(hidden(`, ${cell.n} of ${cell.of} have a value`));
  }
  return node;
}

// What the grid has as columns, in words.
const columnWords = () => (data.storage === "month" ? "by month" : `by ${unit(1)}, with month totals`);

// Scrolls to the current period, where days put it out of sight.
function showNow() {
  const [cell, box] = [at(0, place.column), $("grid").parentElement];
  if (cell && box && cell.offsetLeft + cell.offsetWidth > box.clientWidth) {
    box.scrollLeft = cell.offsetLeft - box.clientWidth / 2;
  }
}

function renderGrid() {
  const body = el("tbody");
  let y = 0;
  for (const row of ROWS.filter(shown)) {
    if (row.head) {
      body.append(el("tr", { class: "head" }, el("th", { role: "rowheader", scope: "rowgroup", colspan: data.columns.length + 1 }, el("span", {}, row.measured ? `${row.head}, ${data.unit}` : row.head))));
      continue;
    }
    const kind = [row.strong ? "strong" : "", row.quiet ? "quiet" : ""].join(" ").trim();
    const line = el("tr", { class: kind || null }, el("th", { scope: "row" }, row.name, el("small", {}, remark(row))));
    for (let at = 0; at < data.columns.length; at += 1) line.append(cellNode(row, at, y));
    body.append(line);
    y += 1;
  }
  const caption = el("caption", { class: "hidden" }, `${$("title").textContent}: measures ${columnWords()}`);
  $("grid").replaceChildren(caption, renderHead(), body);
  focusCell(place.row, place.column, false);
}

function at(row, column) {
  return $("grid").querySelector(`td[data-row="${row}"][data-column="${column}"]`);
}

function focusCell(row, column, move = true) {
  place = {
    row: Math.max(0, Math.min(rows().length - 1, row)),
    column: Math.max(0, Math.min(data.columns.length - 1, column)),
  };
  for (const cell of $("grid").querySelectorAll('td[tabindex="0"]')) cell.tabIndex = -1;
  const cell = at(place.row, place.column);
  if (!cell) return;
  cell.tabIndex = 0;
  if (move) {
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    describe();
  }
}

function describe() {
  const row = rows()[place.row];
  const column = data.columns[place.column];
  const cell = measure(row.slot).cells[place.column];
  const where = column.total ? `${month(column.id)} total (${covers(place.column)})` : column.id;
  const parts = [el("b", {}, `${row.name}, ${where}`)];
  if (cell?.at) parts.push(` · written by ${cell.by} ${cell.name}, ${cell.at.slice(0, 16).replace("T", " ")} UTC`);
  const found = find(row.slot);
  const who = cell && cell.by !== "person" ? edited(cell) : null;
  if (who) parts.push(` · ${who}`);
  if (unsummable(row, place.column)) parts.push(` · ${NO_TOTAL}; look at one resource in one ${unit(1)}`);
  else if (column.total && found) parts.push(` · ${found.aggregation === "calculated" ? "calculated from totals" : `${found.aggregation} of its ${unit(2)}`}`);
  if (outdated(row, place.column)) parts.push(` · stale: its end was ${day(number("valid_until", place.column))}`);
  if (editable(row, place.column)) parts.push(" · Enter to edit");
  if (column.told) parts.push(el("span", { class: "told" }, `Why: ${column.told}`));
  $("detail").replaceChildren(...parts);
}

function options(select, list, chosen) {
  select.replaceChildren(...list.map(([value, text]) => {
    const option = el("option", { value }, text);
    option.selected = value === chosen;
    return option;
  }));
}

function renderSelectors() {
  const [resource, location] = [$("resource").value ?? "", $("location").value ?? ""];
  const places = [...new Set(data.resources.map((one) => one.location))];
  options($("location"), [["", "All plants"], ...places.map((one) => [one, `${one} · ${data.locations[one] ?? ""}`])], location);
  const here = data.resources.filter((one) => !location || one.location === location);
  options($("resource"), [["", "All resources (total)"], ...here.map((one) => [one.resource, `${one.resource}${one.description ? ` · ${one.description}` : ""}`])], resource);
  options($("version"), data.versions.map((one) => [one, one === "" ? "Base" : one]), data.version);
  const found = resource && data.selected === 1 ? selected() : null;
  $("title").textContent = found ? `${found.resource} at ${found.location}` : resource ? `${resource} at ${data.selected} locations` : location ? `Plant ${location}, ${data.selected} resources` : `All plants, ${data.selected} resources`;
  $("plan").textContent = data.title;
  $("scope-word").textContent = data.scope_word;
  $("today").textContent = `${day(digits(data.today))} ${data.today.slice(0, 4)} (${data.zone})`;
  $("grid-title").textContent = columnWords().replace("by", "By");
  $("wiring").textContent = WIRING[data.wiring] ?? data.wiring;
  // Where nothing is planned there is no plan to drive, and no job that loads one.
  for (const id of ["nightly", "drives"]) $(id).hidden = !find("assumed");
  for (const slot of ["assumed", "cut", "load"]) document.querySelector(`.k-${slot}`).hidden = !find(slot);
  $("chart-title").textContent = find("assumed") ? "Assumed against live" : "Live capacity";
  const shown = data.columns.filter(ends).map((column) => month(column.id));
  $("range").textContent = `${shown[0]} – ${shown.at(-1)}`;
}

function summary() {
  const weeks = data.columns.map((column, i) => ({ ...column, i })).filter((column) => !column.total);
  const landed = weeks.filter((week) => number("live", week.i) !== null);
  if (!landed.length) return find("assumed") ? "Nothing has landed here yet: the plan stands on assumed capacity alone." : "Nothing has landed here yet.";
  const old = landed.filter((week) => stale(week.i)).length;
  // A stale number is no ground for "within live".
  const fresh = landed.filter((week) => !stale(week.i));
  const strains = fresh.map((week) => figure({ slot: "strain" }, week.i)).filter((value) => value !== null);
  const short = strains.filter((value) => value > 1.0005).length;
  const endless = landed.filter((week) => number("valid_until", week.i) === null).length;
  const parts = [`Live capacity in ${landed.length} of ${weeks.length} ${unit(2)} shown`];
  const part = landed.filter((week) => !full(week.i)).length;
  if (part) parts.push(`${part} only partly known`);
  const guessed = landed.filter((week) => full(week.i) && !measured(week.i)).length;
  if (guessed) parts.push(`not all of it live in ${guessed}`);
  if (endless) parts.push(`${endless} without a valid until`);
  parts.push(old ? `${old} stale` : endless ? "no other stale" : "none stale");
  const those = old ? " that are not stale" : "";
  if (find("load")) parts.push(!strains.length ? "load not comparable" : short ? `load above live in ${short}${those}` : `load within live in ${strains.length}${those}`);
  return `${parts.join(", ")}.`;
}

async function load(done) {
  const query = new URLSearchParams(location.search);
  const wanted = new URLSearchParams({
    resource: $("resource").value || (data ? "" : query.get("resource") ?? ""),
    location: $("location").value || (data ? "" : query.get("location") ?? ""),
    version: $("version").value || (data ? "" : query.get("version") ?? ""),
    months: query.get("months") ?? "3",
  });
  if (from ?? query.get("from")) wanted.set("from", from ?? query.get("from"));
  try {
    const answer = await fetch(`/planner/data.json?${wanted}`);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    const first = data === null;
    data = body;
    from = data.columns.find(ends)?.id ?? from;
    if (first) {
      $("location").append(el("option", { value: wanted.get("location") }));
      $("resource").append(el("option", { value: wanted.get("resource") }));
      const now = data.columns.findIndex((column) => column.current);
      place.column = Math.max(0, now);
    }
    renderSelectors();
    renderGrid();
    if (first) showNow();
    renderChart();
    say(done ? `${done} ${summary()}` : summary());
  } catch (error) {
    say(`Can't read the plan: ${error.message}. Is the sandbox running?`, true);
  }
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error);
  return result;
}

// The one resource and location that the grid shows: both selectors count, since a
// resource may stand at several locations.
function selected() {
  const [resource, place] = [$("resource").value, $("location").value];
  return data.resources.find((one) => (!resource || one.resource === resource) && (!place || one.location === place));
}

async function write(text) {
  const row = rows()[place.row];
  const column = data.columns[place.column];
  if (/^-?[1-9]\d{0,2},\d{3}$/.test(text.trim())) {
    say(`“${text.trim()}” can be read in two ways: write ${text.trim().replace(",", "")} or ${text.trim().replace(",", ".")}. The cell is unchanged.`, true);
    return;
  }
  const value = text.trim() === "" ? null : text.trim().replace(",", ".");
  if (value !== null && !/^-?\d+(\.\d+)?$/.test(value)) {
    say(`“${text}” is no number; the cell is unchanged.`, true);
    return;
  }
  const one = selected();
  try {
    await post("/planner/edit", {
      resource: one.resource, location: one.location, period: column.id, measure: find(row.slot).id, value,
      who: $("who").value.trim() || "planner", version: data.version,
    });
    await load(`${row.name} ${column.id} ${value === null ? "cleared" : `set to ${value}`}.`);
    focusCell(place.row, place.column);
  } catch (error) {
    say(`Not changed: ${error.message}`, true);
  }
}

function edit(first) {
  const row = rows()[place.row];
  const cell = at(place.row, place.column);
  if (!editable(row, place.column)) {
    say(data.columns[place.column].total ? `Totals can't be edited; open a ${unit(1)}.` : "This can't be edited here: choose one resource, and a stored measure.", true);
    return;
  }
  const now = measure(row.slot).cells[place.column]?.v ?? "";
  const input = el("input", { inputmode: "decimal", "aria-label": `${row.name}, ${data.columns[place.column].id}` });
  input.value = first ?? now;
  editing = true;
  const leave = (save, silent = true) => {
    if (!editing) return;
    editing = false;
    if (!silent && input.value !== now) say(`“${input.value}” is not saved: Enter saves, leaving the cell does not.`, true);
    renderGrid();
    focusCell(place.row, place.column);
    if (save && input.value !== now) write(input.value);
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); leave(true); }
    if (event.key === "Escape") leave(false);
  });
  input.addEventListener("blur", () => leave(false, false));
  cell.replaceChildren(input);
  input.focus();
  if (first === undefined) input.select();
}

const MOVES = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-5, 0], PageDown: [5, 0], Home: [0, -999], End: [0, 999],
};

$("grid").addEventListener("keydown", (event) => {
  if (editing || event.altKey || event.metaKey) return;
  const move = MOVES[event.key];
  if (move) {
    event.preventDefault();
    const top = event.ctrlKey && event.key === "Home" ? -999 : event.ctrlKey && event.key === "End" ? 999 : 0;
    focusCell(place.row + move[0] + top, place.column + move[1]);
  } else if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    edit();
  } else if (event.key === "Delete" && editable(rows()[place.row], place.column)) {
    write("");
  } else if (/^[\d-]$/.test(event.key) && !event.ctrlKey) {
    event.preventDefault();
    edit(event.key);
  }
});
$("grid").addEventListener("click", (event) => {
  const cell = event.target.closest("td");
  if (cell && !editing) focusCell(Number(cell.dataset.row), Number(cell.dataset.column));
});
$("grid").addEventListener("dblclick", (event) => { if (event.target.closest("td") && !editing) edit(); });
$("grid").addEventListener("focusin", (event) => {
  const cell = event.target.closest("td");
  if (cell && !editing) { place = { row: Number(cell.dataset.row), column: Number(cell.dataset.column) }; describe(); }
});
$("location").addEventListener("change", () => { $("resource").value = ""; load(); });
for (const id of ["resource", "version"]) $(id).addEventListener("change", () => load());
$("selection").addEventListener("submit", (event) => event.preventDefault());
$("refresh").addEventListener("click", () => load("Refreshed."));
$("nightly").addEventListener("click", async () => {
  try {
    const { changed } = await post("/planner/nightly", {});
    await load(`The nightly job changed ${changed} cells.`);
  } catch (error) {
    say(`The nightly job failed: ${error.message}`, true);
  }
});
const turn = (months) => {
  const date = new Date(`${from}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  from = date.toISOString().slice(0, 7);
  load();
};
$("earlier").addEventListener("click", () => turn(-1));
$("later").addEventListener("click", () => turn(1));

$("legend").append(...["live", "planner", "held", "assumed", "conflicting", "unknown", "stale"].map((word) =>
  el("li", {}, el("span", { class: word === "stale" ? "unknown" : word }, shape(word)), `${word}: ${MEANING[word]}`)),
el("li", {}, el("span", { class: "corner-mark", "aria-hidden": "true" }), "edited by a person; in a total, some of its cells"));
load();
