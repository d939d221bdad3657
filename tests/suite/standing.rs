//! How far landed values can be trusted, read one level coarser: as a spreadsheet
//! add-in reads, which knows no cell but the total that it asks for.

use planthread_contracts::{Period, RevisionState, Status};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{World, measure, plan_of};

/// Weeks of the plan: the current one and three more.
const WEEKS: [&str; 4] = ["2026-W48", "2026-W49", "2026-W50", "2026-W51"];
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
    let ahead: Vec<(Period, Decimal)> =
        WEEKS.iter().map(|week| (week.parse().unwrap(), Decimal::new(9, 1))).collect();
    for machine in 1..=4 {
        world.foretell(machine, &ahead);
    }
    world
}

/// Rows of the target's own interface: the attributes that are not asked for are
/// aggregated over.
fn totals(world: &World, attributes: &[&str]) -> Vec<Value> {
    let select = [attributes, &["TWINCAPALIVE", "TWINSTATUS", "TWINCOVERED"]].concat().join(",");
    let answer = world.get(&format!("{READ}?$select={select}&$format=json"));
    answer["d"]["results"].as_array().unwrap().clone()
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
    let weeks = totals(&world, &["PERIODID4_TSTAMP"]);
    assert_eq!(weeks.len(), WEEKS.len());
    for week in &weeks {
        assert_eq!((number(week, "TWINSTATUS"), number(week, "TWINCOVERED")), (unknown, 4.into()));
        assert!(number(week, "TWINCAPALIVE") > Decimal::ZERO, "four lines land hours");
    }
    // A plant by month: lines 1, 3, 5 and 2, 4, 6, each with one that is unknown;
    // of its weeks one begins in November and three in December.
    let months = totals(&world, &["LOCID", "PERIODID3_TSTAMP"]);
    let mut counted = Vec::new();
    for month in &months {
        assert_eq!(number(month, "TWINSTATUS"), unknown, "{month}");
        counted.push(number(month, "TWINCOVERED"));
    }
    counted.sort();
    assert_eq!(counted, [2, 2, 6, 6].map(Decimal::from));
    // Line by line it is told apart, and nothing stands in place of the unknown.
    for row in totals(&world, &["RESID", "LOCID", "PERIODID4_TSTAMP"]) {
        let known = !["LINE-5", "LINE-6"].contains(&row["RESID"].as_str().unwrap());
        let says = if known { Status::Live } else { Status::Unknown };
        assert_eq!(number(&row, "TWINSTATUS"), says.code().into(), "{row}");
        assert_eq!(number(&row, "TWINCOVERED"), u8::from(known).into(), "{row}");
    }
    let stored = world.stored();
    let hours = stored.keys().filter(|place| place.3 == "TWINCAPALIVE");
    assert_eq!(hours.count(), 4 * WEEKS.len());
}

#[test]
fn a_line_that_becomes_known_turns_its_total() {
    let world = six_lines_two_unknown();
    let live = world.open();
    world.cycle(&live);
    world.pass(60);
    let ahead: Vec<(Period, Decimal)> =
        WEEKS.iter().map(|week| (week.parse().unwrap(), Decimal::new(8, 1))).collect();
    for machine in [5, 6] {
        world.foretell(machine, &ahead);
    }
    world.cycle(&live);
    for week in totals(&world, &["PERIODID4_TSTAMP"]) {
        assert_eq!(number(&week, "TWINSTATUS"), Status::Live.code().into());
        assert_eq!(number(&week, "TWINCOVERED"), 6.into());
    }
}

#[test]
fn a_person_who_sets_a_value_is_told_in_the_total() {
    let world = six_lines_two_unknown();
    let live = world.open();
    world.cycle(&live);
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": WEEKS[1],
        "measure": "TWINCAPALIVE", "value": "95", "who": "Ines" });
    world.planner("/planner/edit", &edit);
    world.pass(60 * 24);
    let report = world
        .clock
        .block_on(live.bridge.verify(&live.target, planthread_engine::verify::Which::All));
    assert_eq!(report.unwrap().persons, 1);
    world.cycle(&live);
    let rows = totals(&world, &["RESID", "PERIODID4_TSTAMP"]);
    let said: Vec<(&str, Decimal, Decimal)> = rows
        .iter()
        .filter(|row| row["RESID"] == "LINE-1")
        .map(|row| {
            let week = row["PERIODID4_TSTAMP"].as_str().unwrap();
            (week, number(row, "TWINSTATUS"), number(row, "TWINCOVERED"))
        })
        .collect();
    let planner: Vec<_> = said.iter().filter(|(_, status, _)| *status == 2.into()).collect();
    assert_eq!(planner.len(), 1, "{said:?}");
    assert_eq!(planner[0].2, Decimal::ZERO, "{said:?}");
    let edited = rows.iter().find(|row| number(row, "TWINSTATUS") == 2.into()).unwrap();
    assert_eq!(number(edited, "TWINCAPALIVE"), 95.into(), "her number stands");
    assert!(world.clock.now() > live.bridge.as_of());
}
