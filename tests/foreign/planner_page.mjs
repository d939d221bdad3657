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
    Object.assign(this, { children: [], dataset: {}, value: "", own: null, classList: { add() {}, toggle() {} } });
  }
  setAttribute() {}
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

const MEASURES = ["CAPASUPPLY", "TWINCAPA", "TWINCAPALIVE", "TWINCAPALOW", "TWINLOST", "TWINSEVERITY", "TWINRISK",
  "TWINSTATUS", "TWINASOF", "TWINVALIDTO", "TWINBEAT", "TWINOUTPUT", "CAPADEMAND", "UTILIZATIONPCT", "INUSE"];
const cell = (v, n = 1, of = 1) => ({ v, n, of });
const week = (id) => ({ id, total: false, start: "2026-11-23", last: "2026-11-29", current: false, past: false });

// Two weeks and their month: the first without live capacity, the second with none landed.
const grid = (cells) => ({
  area: "PTDEMO", today: "2026-11-22", version: "", versions: ["", "TWIN"], wiring: "none", selected: 1, locations: {},
  resources: [{ resource: "X", location: "1010" }, { resource: "X", location: "1020" }],
  columns: [week("2026-W48"), week("2026-W49"), { ...week("2026-11"), total: true }],
  measures: MEASURES.map((id) => ({ id, aggregation: "sum", editable: true, cells: cells[id] ?? [null, null, null] })),
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
    document: { getElementById: element, createElement: () => new Stub(), createElementNS: () => new Stub() },
    location: { search: "" }, URLSearchParams, fetch: fetching,
  });
  for (const script of ["rows.js", "planner.js"]) {
    vm.runInContext(await (await fetch(`${BASE}/planner/${script}`)).text(), world);
  }
  await sleep(20);
  return { run: (text) => vm.runInContext(text, world), element, posts };
}

const CASES = {
  async a_line_that_stands_still_is_above_its_capacity() {
    const { run, element } = await page(STANDSTILL);
    assert.equal(run('figure({ id: "strain" }, 0)'), Infinity);
    assert.match(run('content({ id: "strain", kind: "percent" }, 0)').textContent, /no capacity/);
    assert.match(element("status").textContent, /load above live in 1/);
  },
  async a_part_is_never_held_against_a_whole() {
    const { run } = await page(STANDSTILL);
    assert.equal(run('figure({ id: "gap" }, 0)'), -120);
    assert.equal(run('figure({ id: "gap" }, 2)'), null, "one week of two has landed, without any status");
    assert.equal(run('figure({ id: "strain" }, 2)'), null);
  },
  async nothing_is_claimed_of_a_load_that_cant_be_compared() {
    const { element } = await page({ TWINCAPALIVE: [cell("50"), null, null] });
    assert.match(element("status").textContent, /1 without a valid until.*load not comparable/);
  },
  async a_partly_known_conflict_stays_a_conflict() {
    const { run } = await page({ TWINSTATUS: [{ ...cell("4", 1, 3), known: 1 }, null, null] });
    assert.match(run("statusContent(0)").textContent, /conflicting.*1 of 3/);
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
