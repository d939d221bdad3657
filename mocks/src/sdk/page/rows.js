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
const WIRING = {
  none: "assumed only", job: "nightly copy of the plan cut", calculation: "plan cut, calculated",
  direct: "written directly",
};

// Rows of the grid: key figures, and two that the page works out.
const ROWS = [
  { head: "Capacity, hours" },
  { id: "CAPASUPPLY", name: "Assumed", note: "CAPASUPPLY" },
  { id: "TWINCAPALIVE", name: "Live", note: "TWINCAPALIVE", strong: true, landed: true },
  { id: "TWINCAPA", name: "Plan cut", note: "TWINCAPA · firm since the last cut-off", landed: true },
  { id: "gap", name: "Live less assumed", note: "worked out", quiet: true, derived: true },
  { head: "Trust" },
  { id: "TWINSTATUS", name: "Status", note: "TWINSTATUS · of live", kind: "status" },
  { id: "TWINCOVERED", name: "Covered", note: "TWINCOVERED · measured", kind: "covered" },
  { id: "TWINASOF", name: "As of", note: "TWINASOF · of live", kind: "date", landed: true },
  { id: "TWINVALIDTO", name: "Valid until", note: "TWINVALIDTO · of live", kind: "date", landed: true },
  { head: "Load" },
  { id: "INUSE", name: "Capacity in use", note: "drives the plan" },
  { id: "CAPADEMAND", name: "Load", note: "CAPADEMAND" },
  { id: "UTILIZATIONPCT", name: "Utilisation", note: "UTILIZATIONPCT", kind: "percent" },
  { id: "strain", name: "Load ÷ live", note: "worked out", kind: "percent", quiet: true, derived: true },
  { head: "Why" },
  { id: "TWINCAPALOW", name: "Cautious", note: "TWINCAPALOW", landed: true, quantile: true },
  { id: "TWINLOST", name: "Expected lost", note: "TWINLOST", landed: true },
  { id: "TWINRISK", name: "At risk", note: "TWINRISK", landed: true },
  { id: "TWINSEVERITY", name: "Severity", note: "TWINSEVERITY", kind: "ratio", landed: true },
  { id: "TWINOUTPUT", name: "Good output", note: "TWINOUTPUT · EA", kind: "count", landed: true },
];
