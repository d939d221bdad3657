//! How far landed values can be trusted, read one level coarser: as a spreadsheet
//! add-in reads, which knows no cell but the total that it asks for.

use std::fs;

use planthread_contracts::{Period, RevisionState, Status};
use planthread_engine::verify::Which;
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{World, measure, plan_of};

/// Weeks ahead, which the twin foretells; the current one, W48, is seen in part.
const WEEKS: [&str; 3] = ["2026-W49", "2026-W50", "2026-W51"];
/// Their Mondays, as the interface writes them.
const MONDAYS: [&str; 3] = ["2026-11-30", "2026-12-07", "2026-12-14"];
const READ: &str = "/sap/opu/odata/IBP/PLANNING_DATA_API_SRV/PTDEMO";

fn covered() -> Value {
    let mut covered = measure("covered", "TWINCOVERED", "covered", "value");
    (covered["over_time"], covered["over_resources"]) = (json!("sum"), json!("sum"));
    covered
}

/// Six lines: four that a twin foretells, and two of which nothing is known, not
/// even a standard.
fn six_lines_two_unknown() -> World {
    let mut config = plan_of(6, 3);
    for unknown in [4, 5] {
        let resource = config["plant"]["resources"][unknown].as_object_mut().unwrap();
        resource.remove("standard_availability").unwrap();
    }
    let measures = config["targets"]["ibp"]["measures"].as_array_mut().unwrap();
    measures.push(covered());
    let world = World::new(&config, Options::default());
    for machine in 1..=4 {
        known(&world, machine, 9);
    }
    world
}

/// The twin sees machine `m-N` run, and foretells tenths of each week ahead.
pub(crate) fn known(world: &World, machine: u32, tenths: i64) {
    let at = world.clock.now().to_string()[..13].to_owned() + ":00:00Z";
    let source = json!({ "twin_id": "urn:twin:suite", "twin_kind": "asset", "observed_until": at });
    let event = json!({ "specversion": "1.0", "id": format!("state-{machine}-{at}"),
        "source": "twin", "type": "planthread.production-state.v1",
        "data": { "resource": { "id": format!("m-{machine}"), "level": "work_cell" },
            "at": at, "state": "productive", "source": source,
            "quality": { "coverage": "1", "worst": "good" } } });
    let file = world.folder.join("twin.ndjson");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{before}{event}\n")).unwrap();
    let ahead: Vec<(Period, Decimal)> =
        WEEKS.iter().map(|week| (week.parse().unwrap(), Decimal::new(tenths, 1))).collect();
    world.foretell(machine, &ahead);
}

/// Rows of the target's own interface: the attributes that are not asked for are
/// aggregated over.
fn totals(world: &World, attributes: &[&str]) -> Vec<Value> {
    let select = [attributes, &["TWINCAPALIVE", "TWINSTATUS", "TWINCOVERED"]].concat().join(",");
    let answer = world.get(&format!("{READ}?$select={select}&$format=json"));
    answer["d"]["results"].as_array().unwrap().clone()
}

/// Those of the weeks ahead, by week.
fn ahead(world: &World, attributes: &[&str]) -> Vec<Value> {
    let by_week = [attributes, &["PERIODID4_TSTAMP"]].concat();
    totals(world, &by_week).into_iter().filter(|row| !monday(row).is_empty()).collect()
}

/// The Monday of a row, where it is one of the weeks ahead.
fn monday(row: &Value) -> &'static str {
    let text = row["PERIODID4_TSTAMP"].as_str().unwrap();
    let at = |day: &str| {
        let date: jiff::civil::Date = day.parse().unwrap();
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        text.contains(day) || text.contains(&midnight.as_millisecond().to_string())
    };
    MONDAYS.into_iter().find(|day| at(day)).unwrap_or_default()
}

fn number(row: &Value, name: &str) -> Decimal {
    row[name].as_str().unwrap().parse::<Decimal>().unwrap().normalize()
}

#[test]
fn a_total_of_six_lines_of_which_two_are_unknown_says_unknown_and_four_of_six() {
    let world = six_lines_two_unknown();
    let live = world.open();
    world.cycle(&live);
    assert!(live.cells().iter().all(|cell| cell.state == RevisionState::Seen));
    let unknown = Decimal::from(Status::Unknown.code());
    // All lines by week: nothing but the total of six.
    let weeks = ahead(&world, &[]);
    assert_eq!(weeks.len(), WEEKS.len(), "{weeks:?}");
    for week in &weeks {
        assert_eq!((number(week, "TWINSTATUS"), number(week, "TWINCOVERED")), (unknown, 4.into()));
        assert!(number(week, "TWINCAPALIVE") > Decimal::ZERO, "four lines land hours");
    }
    // A plant by month: lines 1, 3, 5 and 2, 4, 6, each with one that is unknown.
    // Two of the weeks ahead begin in December: 2 of 3 lines in each.
    let months = totals(&world, &["LOCID", "PERIODID3_TSTAMP"]);
    assert_eq!(months.len(), 4, "two plants, two months: {months:?}");
    let mut counted: Vec<Decimal> = Vec::new();
    for month in &months {
        assert_eq!(number(month, "TWINSTATUS"), unknown, "{month}");
        counted.push(number(month, "TWINCOVERED"));
    }
    assert_eq!(counted.iter().filter(|n| **n == 4.into()).count(), 2, "{counted:?}");
    // Line by line it is told apart, and nothing stands in place of the unknown.
    for row in ahead(&world, &["RESID", "LOCID"]) {
        let known = !["LINE-5", "LINE-6"].contains(&row["RESID"].as_str().unwrap());
        let says = if known { Status::Live } else { Status::Unknown };
        assert_eq!(number(&row, "TWINSTATUS"), says.code().into(), "{row}");
        assert_eq!(number(&row, "TWINCOVERED"), u8::from(known).into(), "{row}");
    }
    let stored = world.stored();
    let unknown = |place: &&crate::world::Place| ["LINE-5", "LINE-6"].contains(&place.0.as_str());
    let mut measures: Vec<&str> =
        stored.keys().filter(unknown).map(|place| place.3.as_str()).collect();
    measures.sort_unstable();
    measures.dedup();
    assert_eq!(measures, ["TWINCOVERED", "TWINSTATUS"], "unknown never becomes a number");
}

#[test]
fn a_line_that_becomes_known_turns_its_total() {
    let world = six_lines_two_unknown();
    let live = world.open();
    world.cycle(&live);
    world.pass(60);
    for machine in 5..=6 {
        known(&world, machine, 8);
    }
    world.cycle(&live);
    for week in ahead(&world, &[]) {
        assert_eq!(number(&week, "TWINSTATUS"), Status::Live.code().into(), "{week}");
        assert_eq!(number(&week, "TWINCOVERED"), 6.into(), "{week}");
    }
}

#[test]
fn a_person_who_sets_a_value_is_told_in_the_total() {
    let world = six_lines_two_unknown();
    let live = world.open();
    world.cycle(&live);
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": WEEKS[0],
        "measure": "TWINCAPALIVE", "value": "95", "who": "Ines" });
    world.planner("/planner/edit", &edit);
    world.pass(60);
    let read = world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    assert_eq!(read.persons, 1, "{read:?}");
    world.cycle(&live);
    let planner = Decimal::from(Status::Planner.code());
    for row in ahead(&world, &["RESID"]) {
        let hers = row["RESID"] == "LINE-1" && monday(&row) == MONDAYS[0];
        assert_eq!(number(&row, "TWINSTATUS") == planner, hers, "{row}");
        if hers {
            let stands = (number(&row, "TWINCAPALIVE"), number(&row, "TWINCOVERED"));
            assert_eq!(stands, (95.into(), Decimal::ZERO), "her number, which nobody measured");
        }
    }
}
