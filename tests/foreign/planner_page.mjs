// The numbers of the planner's page, with a stand-in for the document.
//
// Usage: node planner_page.mjs http://HOST:PORT
// Loads the scripts that the sandbox serves, feeds them a grid, and looks at what
// a planner would be told. Prints `ok NAME` or `not ok NAME: reason` a case.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import vm from "node:vm";

const BASE = process.argv[2];

class Stub {
  constructor() {
    const marks = new Set();
    const classList = { add: (one) => marks.add(one), toggle() {}, contains: (one) => marks.has(one) };
    Object.assign(this, { children: [], dataset: {}, attributes: {}, value: "", own: null, classList });
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "class") for (const one of String(value).split(" ")) this.classList.add(one);
  }
  addEventListener() {}
  focus() {}
  scrollIntoView() {}
  querySelector() { return null; }
  querySelectorAll() { return []; }
  append(...more) { this.children.push(...more); }
  replaceChildren(...all) { this.children = all; }
  set textContent(text) { this.own = String(text); }
  get textContent() { return this.own ?? this.children.map((one) => one.textContent ?? one).join(""); }
}

// Slots of the page, and what the sandbox calls the measures in them.
const MEASURES = {
  assumed: "CAPASUPPLY", cut: "TWINCAPA", live: "TWINCAPALIVE", low: "TWINCAPALOW", lost: "TWINLOST",
  severity: "TWINSEVERITY", risk: "TWINRISK", status: "TWINSTATUS", covered: "TWINCOVERED", as_of: "TWINASOF",
  valid_until: "TWINVALIDTO", beat: "TWINBEAT", output: "TWINOUTPUT", decided: "TWINDECIDED", load: "CAPADEMAND",
  utilisation: "UTILIZATIONPCT", in_use: "INUSE",
};
const cell = (v, n = 1, of = 1) => ({ v, n, of });
const week = (id, start = "2026-11-23", last = "2026-11-29") => ({ id, total: false, start, last, current: false, past: false });

// Two weeks and their month: the first without live capacity, the second with none landed.
const grid = (cells) => ({
  title: "Planning area PTDEMO", scope_word: "Version", today: "2026-11-22", zone: "UTC", storage: "week", unit: "hours", version: "", versions: ["", "TWIN"], wiring: "none", selected: 1, locations: {},
  resources: [{ resource: "X", location: "1010" }, { resource: "X", location: "1020" }],
  columns: [week("2026-W48"), week("2026-W49", "2026-11-30", "2026-12-06"), { ...week("2026-11"), total: true }],
  measures: Object.entries(MEASURES).map(([slot, id]) => ({ id, slot, aggregation: "sum", editable: true, cells: cells[id] ?? [null, null, null] })),
});
const STANDSTILL = {
  CAPASUPPLY: [cell("120"), cell("120"), cell("240", 2, 2)],
  CAPADEMAND: [cell("80"), cell("80"), cell("160", 2, 2)],
  TWINCAPALIVE: [cell("0"), null, cell("0", 1, 2)],
};

async function page(cells) {
  const nodes = new Map();
  const element = (id) => nodes.get(id) ?? nodes.set(id, new Stub()).get(id);
  const posts = [];
  const fetching = async (path, options) => {
    if (options?.method === "POST") posts.push(JSON.parse(options.body));
    return { ok: true, json: async () => (options ? { changed: 1 } : grid(cells)) };
  };
  const world = vm.createContext({
    document: { getElementById: element, querySelector: element, createElement: () => new Stub(), createElementNS: () => new Stub() },
    location: { search: "" }, URLSearchParams, fetch: fetching,
  });
  for (const script of ["rows.js", "totals.js", "chart.js", "planner.js"]) {
    vm.runInContext(await (await fetch(`${BASE}/planner/${script}`)).text(), world);
  }
  await sleep(20);
  return { run: (text) => vm.runInContext(text, world), element, posts };
}

const CASES = {
  async a_line_that_stands_still_is_above_its_capacity() {
    const { run, element } = await page(STANDSTILL);
    assert.equal(run('figure({ slot: "strain" }, 0)'), Infinity);
    assert.match(run('content({ slot: "strain", kind: "percent" }, 0)').textContent, /no capacity/);
    assert.match(element("status").textContent, /load above live in 1/);
  },
  async a_part_is_never_held_against_a_whole() {
    const { run } = await page(STANDSTILL);
    assert.equal(run('figure({ slot: "gap" }, 0)'), -120);
    assert.equal(run('figure({ slot: "gap" }, 2)'), null, "one week of two has landed, without any status");
    assert.equal(run('figure({ slot: "strain" }, 2)'), null);
  },
  async nothing_is_claimed_of_a_load_that_cant_be_compared() {
    const { element } = await page({ TWINCAPALIVE: [cell("50"), null, null] });
    assert.match(element("status").textContent, /1 without a valid until.*load not comparable/);
  },
  async what_people_decided_is_drawn_and_said() {
    const { element } = await page({ TWINCAPALIVE: [cell("50"), cell("90"), null], TWINDECIDED: [cell("-8"), cell("0"), null] });
    const drawn = element("chart").children[0];
    assert.match(drawn.attributes["aria-label"], /People decided hours of 1 week:/);
    const layers = drawn.children.filter((one) => one.classList?.contains("decided"));
    assert.deepEqual(layers.map((one) => one.textContent), ["−8.0 hours decided"]);
    const { run } = await page({ TWINDECIDED: [cell("8"), null, null] });
    assert.equal(run('content(ROWS.find((one) => one.slot === "decided"), 0)').textContent ?? run('content(ROWS.find((one) => one.slot === "decided"), 0)'), "+8.0");
  },
  async a_status_total_shows_the_worst_and_how_many_are_live() {
    const total = async (states) => {
      const of = Object.values(states).reduce((sum, n) => sum + n, 0);
      const { run } = await page({ TWINSTATUS: [{ ...cell("1", of, of), known: of, states }, null, null] });
      return run("statusContent(0)").textContent;
    };
    assert.match(await total({ conflicting: 1, unknown: 2 }), /unknown.*0 of 3 live/);
    assert.match(await total({ live: 2, planner: 1 }), /planner.*2 of 3 live/);
    assert.match(await total({ planner: 1, held: 1 }), /held.*0 of 2 live/);
    assert.match(await total({ live: 4, unknown: 1 }), /unknown.*4 of 5 live/);
    assert.match(await total({ live: 4, stale: 1 }), /stale.*4 of 5 live/);
    assert.match(await total({ live: 1, assumed: 1, held: 1 }), /assumed.*1 of 3 live/);
    assert.equal(await total({ live: 5 }), "live");
    const { run } = await page({});
    assert.equal(run("statusContent(0)").textContent, "unknown");
  },
  async covered_says_how_many_of_how_many() {
    const { run } = await page({ TWINCOVERED: [cell("1"), cell("0"), cell("4", 6, 6)] });
    const row = 'ROWS.find((one) => one.slot === "covered")';
    const text = (at) => run(`cellNode(${row}, ${at}, 0)`).textContent;
    assert.deepEqual([0, 1, 2].map(text), ["yes", "no", "4 of 6"]);
  },
  async an_edit_by_a_person_shows_in_totals() {
    const { run } = await page({
      TWINCAPALIVE: [{ ...cell("95"), by: "person", name: "Ines", edited: 1 }, cell("90"), { ...cell("185", 2, 2), edited: 1 }],
    });
    const node = (at) => run(`cellNode(rows()[1], ${at}, 1)`);
    assert.match(node(0).textContent, /edited by Ines/);
    assert.match(node(2).textContent, /1 of 2 edited by a person/);
    assert.ok(node(2).classList.contains("person") && !node(1).classList.contains("person"));
    run("place = { row: 1, column: 2 }; describe()");
    assert.match(run('$("detail")').textContent, /1 of 2 edited by a person/);
  },
  async a_quantile_has_no_total() {
    const { run } = await page({ TWINCAPALOW: [cell("50"), cell("90", 4, 4), cell("50", 2, 2)] });
    const row = 'ROWS.find((one) => one.slot === "low")';
    assert.equal(run(`content(${row}, 0)`), "50.0", "one resource in one week");
    for (const at of [1, 2]) {
      const node = run(`cellNode(${row}, ${at}, 0)`);
      assert.match(node.textContent, /^·no total: quantiles are never added$/);
    }
    run('place = { row: rows().findIndex((one) => one.slot === "low"), column: 2 }; describe()');
    assert.match(run('$("detail")').textContent, /no total: quantiles are never added/);
  },
  async a_month_total_says_which_weeks_it_covers() {
    const { run, element } = await page(STANDSTILL);
    const head = run("renderHead()").textContent;
    assert.match(head, /Nov totalW48–W4923 Nov – 6 Dec/);
    run("place = { row: 0, column: 2 }; describe()");
    assert.match(element("detail").textContent, /Nov 2026 total \(W48–W49, 23 Nov – 6 Dec\)/);
  },
  async a_month_that_is_stored_is_its_own_total() {
    const { run, element } = await page(STANDSTILL);
    run(`data.storage = "month"; data.columns = [["2026-11", "2026-11-01", "2026-11-30"], ["2026-12", "2026-12-01", "2026-12-31"]]
      .map(([id, start, last]) => ({ id, start, last, total: false, current: false, past: false }))`);
    assert.match(run("renderHead()").textContent, /Nov 2026Dec 2026Nov1–30 NovDec1–31 Dec$/);
    run("renderSelectors()");
    assert.equal(element("grid-title").textContent, "By month");
    assert.equal(element("range").textContent, "Nov 2026 – Dec 2026");
  },
  async what_is_worked_out_from_a_stale_number_is_stale_and_never_within_live() {
    const known = { ...cell("1"), known: 1, states: { stale: 1 } };
    const { run, element } = await page({
      ...STANDSTILL, TWINCAPALIVE: [cell("100"), cell("100"), null], TWINSTATUS: [known, { ...known, states: { live: 1 } }, null],
      TWINVALIDTO: [cell("20261121"), cell("20261122"), null],
    });
    for (const id of ["gap", "strain"]) {
      const node = (at) => run(`cellNode(ROWS.find((one) => one.slot === "${id}"), ${at}, 0)`);
      assert.ok(node(0).classList.contains("stale"), id);
      assert.match(node(0).textContent, /, stale/);
      assert.ok(!node(1).classList.contains("stale"), id);
    }
    assert.match(element("status").textContent, /1 stale, load within live in 1 that are not stale/);
  },
  async the_page_says_whose_day_today_is() {
    const { element } = await page(STANDSTILL);
    assert.equal(element("today").textContent, "22 Nov 2026 (UTC)");
  },
  async a_cell_says_why_its_number_is_what_it_is() {
    const { run, element } = await page(STANDSTILL);
    run('data.columns[0].told = "held: the source is silent; source press-a"; place = { row: 0, column: 0 }; describe()');
    assert.match(element("detail").textContent, /Why: held: the source is silent; source press-a/);
    run("place = { row: 0, column: 1 }; describe()");
    assert.doesNotMatch(element("detail").textContent, /Why:/, "nothing is told of this one");
  },
  async an_edit_goes_to_the_location_that_is_shown() {
    const { run, element, posts } = await page(STANDSTILL);
    element("resource").value = "X";
    element("location").value = "1020";
    await run('place = { row: 1, column: 0 }; write("12,5")');
    assert.deepEqual([posts[0].resource, posts[0].location, posts[0].value], ["X", "1020", "12.5"]);
    await run('write("1,234")');
    assert.equal(posts.length, 1, "1,234 can be read in two ways");
  },
};

let failed = 0;
for (const [name, run] of Object.entries(CASES)) {
  try {
    await run();
    console.log(`ok planner-page ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok planner-page ${name}: ${error.message.split("\n")[0]}`);
    console.error(error);
  }
}
process.exit(failed ? 1 : 0);
