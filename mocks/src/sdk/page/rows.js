// The words of the planner's page, and the rows of its grid. Loaded before planner.js.
"use strict";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MEANING = {
  live: "fresh factory truth", planner: "set by a person", held: "last good value, still valid", assumed: "fallen back",
  conflicting: "sources disagree", unknown: "nothing known", stale: "valid until has passed",
};
// States of the cells behind a total, the worst first.
const WORST = ["unknown", "conflicting", "stale", "assumed", "held", "planner", "live"];
// What the grid is stored by: one, and several.
const UNITS = {
  day: ["day", "days"], week: ["week", "weeks"], month: ["month", "months"],
  technical_week: ["technical week", "technical weeks"],
};
// What capacity is measured in, where it has a short sign.
const SHORT = { hours: "h", minutes: "min", seconds: "s", days: "d" };
const WIRING = {
  none: "assumed only", job: "nightly copy of the plan cut", calculation: "plan cut, calculated",
  direct: "written directly",
};

// Rows of the grid: what each shows of the plan, by its slot, and two that the page
// works out. The name of the measure stands in the data.
const ROWS = [
  { head: "Capacity", measured: true },
  { slot: "assumed", name: "Assumed" },
  { slot: "live", name: "Live", strong: true, landed: true },
  { slot: "cut", name: "Plan cut", note: "firm since the last cut-off", landed: true },
  { slot: "decided", name: "Decided", note: "part of live", signed: true, landed: true },
  { slot: "gap", name: "Live less assumed", note: "worked out", needs: "assumed", quiet: true, derived: true, signed: true },
  { head: "Trust" },
  { slot: "status", name: "Status", note: "of live", kind: "status" },
  { slot: "covered", name: "Covered", note: "measured", kind: "covered" },
  { slot: "as_of", name: "As of", note: "of live", kind: "date", landed: true },
  { slot: "valid_until", name: "Valid until", note: "of live", kind: "date", landed: true },
  { head: "Load" },
  { slot: "in_use", name: "Capacity in use", note: "drives the plan" },
  { slot: "load", name: "Load" },
  { slot: "utilisation", name: "Utilisation", kind: "percent" },
  { slot: "strain", name: "Load ÷ live", note: "worked out", kind: "percent", needs: "load", quiet: true, derived: true },
  { head: "Why" },
  { slot: "low", name: "Cautious", landed: true, quantile: true },
  { slot: "lost", name: "Expected lost", landed: true },
  { slot: "risk", name: "At risk", landed: true },
  { slot: "severity", name: "Severity", kind: "ratio", landed: true },
  { slot: "output", name: "Good output", kind: "count", landed: true },
];
// What stands below a row's name: the measure as the target calls it, and a remark.
function remark(row) {
  const id = row.slot === "in_use" ? null : find(row.slot)?.id;
  return [id, row.note].filter(Boolean).join(" · ");
}
