//! Every figure that a measure can carry lands, is read back equal, and can be
//! recomputed; the three planning signals keep their published schemas.
//!
//! The plant's story is small enough to count by hand: in week 47 m-1 was
//! scheduled for 168 h, down for 10, starved for 8, and made 7,200 good parts of
//! a minute each: 120 standard hours in 150 hours up and loaded, 0.8 an hour.

use std::{collections::BTreeSet, fs};

use planthread::pipeline::{
    self, Bridge, derive_facts, explain_measure, facts_of_journal, parse_cell, signals, trace,
};
use planthread_contracts::{CapacityBasis, CloudEvent, Distribution, Period, catalogue};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{Live, World, measure, plan_of};

/// A week that the twin foretells.
const WEEK: &str = "2026-W49";

fn week() -> Period {
    WEEK.parse().unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A measure in hours, or in what `carries` needs.
fn carrying(name: &str, surface: &str, carries: &str) -> Value {
    let role = match carries {
        "as_of" | "valid_until" | "heartbeat" => "stamp",
        _ => "value",
    };
    let mut made = measure(name, surface, carries, role);
    let (unit, scale, by) = match carries {
        "good_units" => ("H87", 0, "sum"),
        "severity" => ("C62", 2, "max"),
        "low_hours" => ("HUR", 2, "min"),
        "expected_lost_hours" | "hours_at_risk" | "demonstrated_standard_hours" => {
            ("HUR", 2, "sum")
        }
        "as_of" | "valid_until" => ("C62", 0, "min"),
        _ => return made,
    };
    (made["unit"], made["scale"]) = (json!(unit), json!(scale));
    (made["over_time"], made["over_resources"]) = (json!(by), json!(by));
    made
}

/// One event of the twin. `until` is how far it had observed.
fn event(kind: &str, id: usize, until: &str, mut data: Value) -> Value {
    data["source"] =
        json!({ "twin_id": "urn:twin:suite", "twin_kind": "asset", "observed_until": until });
    data["quality"] = json!({ "coverage": "1", "worst": "good" });
    json!({ "specversion": "1.0", "id": format!("{kind}-{id}"), "source": "twin",
        "type": format!("planthread.{kind}.v1"), "data": data })
}

/// What the twin says of m-1: its states, its output, its future.
fn story() -> Vec<Value> {
    let m1 = || json!({ "id": "m-1", "level": "work_cell", "physical_asset": "SN-1" });
    let window = |from: &str, to: &str| json!({ "start": from, "end": to });
    let (begin, end) = ("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
    let now = "2026-11-25T06:00:00Z";
    let states = [
        (begin, "productive"),
        ("2026-11-17T00:00:00Z", "unscheduled_down"),
        ("2026-11-17T10:00:00Z", "productive"),
        ("2026-11-18T00:00:00Z", "standby_starved"),
        ("2026-11-18T08:00:00Z", "productive"),
        (now, "productive"),
    ];
    let mut events: Vec<Value> = (0..)
        .zip(states)
        .map(|(id, (at, state))| {
            let data = json!({ "resource": m1(), "at": at, "state": state });
            event("production-state", id, at, data)
        })
        .collect();
    let made = |parts: u32| json!([{ "unit": "H87", "pri_s": 60, "pq": parts, "gq": parts }]);
    let oee = |from, to, parts| {
        json!({ "resource": m1(), "window": window(from, to), "pbt_s": 1, "apt_s": 1,
            "adet_s": 36_000, "output": made(parts) })
    };
    events.push(event("oee", 0, end, oee(begin, end, 7_200)));
    // A day of the same week, told once more by itself: counted once.
    events.push(event("oee", 1, end, oee(begin, "2026-11-17T00:00:00Z", 1_100)));
    let rate = json!({ "resource": m1(), "window": window(end, "2026-11-24T00:00:00Z"),
        "basis": "actual", "rate_per_hour": 45, "unit": "H87", "rate_basis": "per_scheduled_hour",
        "counted": "good", "made": { "mix": "observed" } });
    events.push(event("throughput", 0, now, rate));
    let (from, to) = ("2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z");
    let up = json!({ "quantiles": { "mean": "0.9", "table": [
        { "probability_not_exceeded": "0.1", "value": "0.75" },
        { "probability_not_exceeded": "0.5", "value": "0.92" } ] } });
    let ahead = json!({ "resource": m1(), "issued_at": now, "zone": "Etc/UTC", "unit": "C62",
        "periods": [{ "period": WEEK, "start": from, "end": to, "scheduled_hours": "168",
            "up": up, "failure_probability": "0.4", "repair_hours": { "point": { "value": "6" } } }] });
    events.push(event("availability-forecast", 0, now, ahead));
    let m2 = json!({ "id": "m-2", "level": "work_cell" });
    let map = json!({ "window": window(from, to), "basis": "forecast", "method": "queue",
        "mix": "observed", "constraints": [
            { "resource": m1(), "severity": "0.35", "rank": 2 },
            { "resource": m2, "severity": "0.7", "rank": 1 } ] });
    events.push(event("constraint-map", 0, now, map));
    let run = json!({ "scenario": "s", "changed_inputs": [], "replications": 1,
        "warm_up_hours": 0, "horizon": window(from, to), "outputs": [] });
    let mut run = event("simulation-result", 0, now, run);
    run["data"]["source"]["model"] = json!({ "id": "m", "version": "1" });
    events.push(run);
    events
}

fn world(expects: &str, measures: Value) -> World {
    let mut config = plan_of(2, 3);
    config["plant"]["resources"][0]["ideal_cycle_seconds"] = json!("60");
    config["targets"]["ibp"]["mapping"]["expects"] = json!(expects);
    if measures.as_array().unwrap().iter().any(|measure| measure["name"] == "output") {
        config["targets"]["ibp"]["settings"]["measures"] =
            json!({ "output": { "conversions": { "UOMTOID": "EA" } } });
    }
    config["targets"]["ibp"]["measures"] = measures;
    let world = World::new(&config, Options::default());
    let text: String = story().iter().map(|event| format!("{event}\n")).collect();
    fs::write(world.folder.join("twin.ndjson"), text).unwrap();
    world
}

/// What landed for m-1 in the foretold week, by measure; each cell's trace ends
/// with the number that landed.
fn landed(world: &World, live: &Live, expected: &[(&str, Decimal)]) {
    world.assert_landed(live, "every figure");
    let (reader, now) = (live.bridge.reader().unwrap(), world.clock.now());
    let stored = world.stored();
    for (name, value) in expected {
        let key = parse_cell(&format!("ibp/base/LINE-1@1010/{WEEK}/{name}")).unwrap();
        let there = stored.get(&live.place(&key));
        assert_eq!(there, Some(value), "{name}: {stored:?}");
        let traced = trace(&live.bridge.loaded, &reader, &key, now).unwrap();
        assert!(traced.recipe_holds, "{name}");
        let last = traced.arithmetic.last().unwrap_or_else(|| panic!("{name} is not explained"));
        let line = last.lines().find(|line| line.contains("Rounded once")).unwrap();
        let end = line.rsplit([' ', '=']).next().unwrap().parse::<Decimal>().unwrap();
        assert_eq!(end, *value, "{name}: {last}");
    }
}

#[test]
fn every_figure_lands_and_is_read_back_equal() {
    let world = world(
        "attainable_clock_hours",
        json!([
            carrying("live", "TWINCAPALIVE", "attainable_clock_hours"),
            carrying("plan_cut", "TWINCAPA", "plan_cut"),
            carrying("low", "TWINCAPALOW", "low_hours"),
            carrying("lost", "TWINLOST", "expected_lost_hours"),
            carrying("severity", "TWINSEVERITY", "severity"),
            carrying("risk", "TWINRISK", "hours_at_risk"),
            carrying("output", "TWINOUTPUT", "good_units"),
            carrying("decided", "TWINDECIDED", "decided_hours"),
            carrying("status", "TWINSTATUS", "status"),
            carrying("as_of", "TWINASOF", "as_of"),
            carrying("valid_until", "TWINVALIDTO", "valid_until"),
            carrying("beat", "TWINBEAT", "heartbeat"),
        ]),
    );
    let live = world.open();
    world.cycle(&live);
    let identity = live.bridge.state.identity(0).unwrap();
    landed(
        &world,
        &live,
        &[
            // 168 h at the foretold 0.9 and 0.75.
            ("live", d("151.20")),
            ("low", d("126.00")),
            ("lost", d("16.80")),
            // Nothing was known on November 1 but the standard of 0.899.
            ("plan_cut", d("151.03")),
            ("severity", d("0.35")),
            // 0.4 × 6 h.
            ("risk", d("2.40")),
            // 151.2 h × 0.8 × 60 parts.
            ("output", d("7258")),
            // Round the clock, and nobody decided anything.
            ("decided", d("0")),
            ("status", Decimal::ONE),
            ("as_of", d("20261125")),
            // An hour of the cycle and 72 h after 06:00.
            ("valid_until", d("20261127")),
            ("beat", identity.into()),
        ],
    );
}

#[test]
fn demonstrated_standard_hours_land_where_the_target_expects_them() {
    let world = world(
        "demonstrated_standard_hours",
        json!([
            carrying("standard", "TWINCAPALIVE", "demonstrated_standard_hours"),
            carrying("status", "TWINSTATUS", "status"),
        ]),
    );
    let live = world.open();
    world.cycle(&live);
    landed(&world, &live, &[("standard", d("120.96")), ("status", Decimal::ONE)]);
}

/// The figures of m-1, with the last full week among them.
fn derived(live: &Live) -> (planthread_domain::Derivation, pipeline::Truth) {
    let mut loaded = live.bridge.loaded.clone();
    loaded.config.plant.horizon.past_weeks = 1;
    let as_of = live.bridge.as_of();
    let facts = facts_of_journal(&loaded, &live.bridge.reader().unwrap(), as_of).unwrap().all;
    let past = derive_facts(&loaded, &facts, as_of).unwrap().all();
    (past, live.bridge.truth(live.bridge.as_of()).unwrap())
}

#[test]
fn parts_of_oee_and_throughput_are_good_output_of_their_window_once() {
    let measures = json!([carrying("live", "TWINCAPALIVE", "attainable_clock_hours")]);
    let world = world("attainable_clock_hours", measures);
    let live = world.open();
    world.cycle(&live);
    let (past, _) = derived(&live);
    let of = |week: &str| past.get("m-1", week.parse().unwrap()).unwrap();
    assert_eq!(of("2026-W47").good_units, Some(7_200.into()));
    assert_eq!(of("2026-W47").down_hours(), 10.into(), "adet_s invents no stop");
    // 24 scheduled hours at 45 an hour, of a minute each.
    assert_eq!(of("2026-W48").output_standard_hours, Some(18.into()));
    let files = live.bridge.ingest().unwrap();
    assert!(files.iter().all(|file| file.unchanged));
}

#[test]
fn the_intake_says_which_events_feed_no_figure() {
    let measures = json!([carrying("live", "TWINCAPALIVE", "attainable_clock_hours")]);
    let world = world("attainable_clock_hours", measures);
    let live = world.open();
    let files = live.bridge.ingest().unwrap();
    let told: Vec<(&str, usize, bool)> = files[0]
        .kept
        .feeds
        .iter()
        .map(|fed| (fed.feeds.kind, fed.records, fed.feeds.figures.is_empty()))
        .collect();
    assert_eq!(
        told,
        [
            ("availability-forecast", 1, false),
            ("constraint-map", 1, false),
            ("oee", 2, false),
            ("production-state", 6, false),
            ("simulation-result", 1, true),
            ("throughput", 1, false),
        ]
    );
}

fn events(bridge: &Bridge) -> Vec<CloudEvent> {
    let truth = bridge.truth(bridge.as_of()).unwrap();
    signals(&bridge.loaded, &truth.live).collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_three_signals_keep_their_published_schemas() {
    let measures = json!([carrying("live", "TWINCAPALIVE", "attainable_clock_hours")]);
    let world = world("attainable_clock_hours", measures);
    let live = world.open();
    world.cycle(&live);
    let events = events(&live.bridge);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/schema");
    let mut types = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for event in &events {
        let name = catalogue::find(&event.event_type).unwrap().name;
        let file = root.join(format!("{name}.v1.schema.json"));
        let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&event.data).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{}", event.data);
        let again = serde_json::to_vec(event).unwrap();
        assert_eq!(CloudEvent::parse(&again).unwrap(), *event);
        assert_eq!((event.source.as_str(), event.time), ("suite", Some(live.bridge.as_of())));
        assert!(ids.insert(event.id.clone()), "{} twice", event.id);
        types.insert(name);
    }
    let all = ["available-capacity", "constraint-severity", "maintenance-risk-horizon"];
    assert_eq!(types, BTreeSet::from(all));
    let of = |name: &str, resource: &str| -> Value {
        let mut found = events.iter().filter(|event| {
            event.event_type == format!("planthread.{name}.v1")
                && event.subject.as_deref() == Some(resource)
                && event.data["period"] == WEEK
        });
        found.next().unwrap().data.clone()
    };
    let capacity: planthread_contracts::AvailableCapacity =
        serde_json::from_value(of(all[0], "m-1")).unwrap();
    assert_eq!(capacity.basis, CapacityBasis::Forecast);
    let Some(Distribution::Quantiles { table, mean, .. }) = capacity.distribution else {
        panic!("the twin gave a distribution")
    };
    // Of 168 h: 0.75, 0.92, and the mean.
    assert_eq!((table[0].value, table[1].value, mean), (d("126"), d("154.56"), Some(d("151.2"))));
    assert_eq!(of(all[1], "m-1")["rank"], 2, "m-2 limits the flow more");
    assert_eq!(of(all[2], "m-1")["physical_asset"], "SN-1");
    assert_eq!(events.len(), self::events(&live.bridge).len());
    assert_eq!(events, self::events(&live.bridge), "the same facts are the same events");
}

#[test]
fn a_measure_is_explained_place_by_place() {
    let measures = json!([carrying("live", "TWINCAPALIVE", "attainable_clock_hours")]);
    let world = world("attainable_clock_hours", measures);
    let live = world.open();
    world.cycle(&live);
    let loaded = &live.bridge.loaded;
    let (_, truth) = derived(&live);
    let measure = pipeline::measure(loaded, "ibp/live").unwrap();
    let cells = explain_measure(loaded, &truth.live, ("m-1", week()), measure).unwrap();
    assert_eq!(cells[0].landed.resource, "LINE-1@1010");
    assert_eq!(cells[0].landed.steps.last().unwrap().result, d("151.2"));
    let day = "2026-12-01".parse().unwrap();
    let failure = explain_measure(loaded, &truth.live, ("m-1", day), measure).unwrap_err();
    assert!(failure.to_string().contains("stored by week"), "{failure}");
    assert!(pipeline::measure(loaded, "risk").unwrap_err().cure.contains("live"));
}
