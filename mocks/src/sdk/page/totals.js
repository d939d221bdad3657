// What a total says beside its number: how much of it is there, who edited it, how
// old and how trustworthy it is, and which days it covers. Loaded before planner.js.
"use strict";

// Whether every resource and week behind a cell has a value of this measure. A sum
// over some of them must not be held against a sum over all of them.
const whole = (id, at) => {
  const cell = measure(id).cells[at];
  return !cell || cell.n === undefined || cell.n === cell.of;
};
// Whether the live figure behind a cell is whole and every status is known.
const full = (at) => {
  const cell = measure("status").cells[at];
  return whole("live", at) && (!cell || cell.known === cell.of);
};

// Whether the live figure behind a cell is whole, and every status behind it live: one
// line of which nothing is heard makes a total that is not measured.
const measured = (at) => {
  const cell = measure("status").cells[at];
  return full(at) && (!cell || cell.states?.live === cell.of);
};

// A landed value is stale when its own end lies before today.
const stale = (at) => {
  const end = number("valid_until", at);
  return end !== null && end < digits(data.today);
};

// A quantile holds for one resource and period: quantiles are never added, and the
// lowest of several is no hours of all of them.
const NO_TOTAL = "no total: quantiles are never added";
const unsummable = (row, at) => {
  const cell = row.quantile ? measure(row.slot).cells[at] : null;
  return Boolean(cell && cell.of > 1);
};

// Who edited a cell, or how many of the cells behind a total; null if nobody did.
function edited(cell) {
  if (!cell) return null;
  if (cell.by === "person") return `edited by ${cell.name}`;
  if (!cell.edited) return null;
  return cell.of > 1 ? `${cell.edited} of ${cell.of} edited by a person` : "edited by a person";
}

// The worst state of the cells behind, and how many are live: neither hides the other.
function statusContent(at) {
  const cell = measure("status").cells[at];
  const states = cell?.states ?? {};
  const word = WORST.find((one) => states[one] > 0) ?? "unknown";
  const live = states.live ?? 0;
  const node = el("span", { class: `word ${word}` }, shape(word), word);
  if (!cell || cell.of === 1 || live === cell.of) return node;
  return el("span", {}, node, hidden(", "), el("span", { class: "part below" }, `${live} of ${cell.of} live`));
}

// How many of the cells behind were measured, of all of them: it adds up, so a
// total says it as well as a cell.
function coveredContent(at) {
  const cell = measure("covered").cells[at];
  if (!cell) return null;
  if (cell.of === 1) return Number(cell.v) > 0 ? "yes" : "no";
  return `${Number(cell.v)} of ${cell.of}`;
}

const unit = (count) => (UNITS[data.storage] ?? UNITS.week)[count === 1 ? 0 : 1];

// What stands above a column: its name, and its days.
function heading(column) {
  const span = days(column.start, column.last);
  if (data.storage === "day") return [span, ""];
  if (data.storage === "month") return [MONTHS[Number(column.id.slice(5, 7)) - 1], span];
  return [column.id.slice(5), span];
}

// The periods behind a month's total: a week counts in the month of its Monday, so
// these are seldom the days of the calendar month.
function daysBehind(at) {
  let first = at;
  while (first > 0 && !data.columns[first - 1].total) first -= 1;
  if (first === at) return ["", ""];
  const [from, to] = [data.columns[first], data.columns[at - 1]];
  const names = [from, to].map((column) => heading(column)[0]);
  const weeks = data.storage === "day" || data.storage === "month" || names[0] === names[1] ? "" : names.join("–");
  return [weeks, days(from.start, to.last)];
}
const covers = (at) => daysBehind(at).filter(Boolean).join(", ");

// Whether a column is the last of its month: the total, or the month itself where
// months are stored.
const ends = (column) => column.total || data.storage === "month";

function renderHead() {
  const groups = el("tr", {}, el("th", { class: "corner", scope: "col", rowspan: 2 }, "Measure"));
  const line = el("tr");
  let open = 0;
  data.columns.forEach((column, at) => {
    open += 1;
    if (ends(column)) {
      groups.append(el("th", { class: "month", role: "columnheader", scope: "colgroup", colspan: open }, month(column.id)));
      open = 0;
    }
    if (column.total) {
      const name = MONTHS[Number(column.id.slice(5, 7)) - 1];
      const lines = daysBehind(at).filter(Boolean).map((text) => el("small", {}, text));
      const title = `The ${unit(2)} that start in ${month(column.id)}: ${covers(at)}`;
      line.append(el("th", { class: "total", scope: "col", title }, el("b", {}, `${name} total`), ...lines));
      return;
    }
    const [name, span] = heading(column);
    const head = el("th", { class: column.current ? "now" : null, scope: "col", "aria-current": column.current ? "date" : null },
      el("b", {}, name), el("small", {}, span));
    if (column.current) head.append(hidden(`, this ${unit(1)}`));
    line.append(head);
  });
  return el("thead", {}, groups, line);
}
