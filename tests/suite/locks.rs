//! What waits for a person's word: what people set in the plan and what is asked, in a
//! workbook that comes back.

use planthread::pipeline::locked::{Locked, TakenAs, locked};
use planthread_contracts::Status;
use planthread_engine::{
    ledger::{self, CaseKind, Lock, LockKind},
    plan::plausible::Fault,
    verify::Which,
};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    gap::{compared, config},
    proportion::{beside_the_load, in_minutes},
    standing::known,
    world::{Live, World, start},
};

/// What waits for a word now.
fn waits(world: &World, live: &Live) -> Locked {
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    locked(loaded, &reader, std::slice::from_ref(&live.target), world.clock.now()).unwrap()
}

/// A person types a number over what landed.
fn types(world: &World, line: &str, plant: &str, week: &str, value: &str) {
    let edit = json!({ "resource": line, "location": plant, "period": week,
        "measure": "TWINCAPALIVE", "value": value, "who": "Ines" });
    assert_eq!(world.planner("/planner/edit", &edit)["changed"], 1);
}

fn reads(world: &World, live: &Live) {
    world.pass(60);
    world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
}

/// A plant in whose plan a person set two numbers.
fn two_numbers() -> (World, Live) {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    types(&world, "LINE-1", "1010", "2026-W49", "95");
    types(&world, "LINE-2", "1020", "2026-W50", "0");
    reads(&world, &live);
    (world, live)
}

#[test]
fn what_a_person_set_is_told_with_both_figures_since_when_and_until_when() {
    let (world, live) = two_numbers();
    let found = waits(&world, &live);
    assert_eq!((found.locks.len(), found.questions.len()), (2, 0), "{found:#?}");
    for (row, (line, week, there)) in
        found.locks.iter().zip([("LINE-1", "2026-W49", 95), ("LINE-2", "2026-W50", 0)])
    {
        let cell = ledger::cell(&live.bridge.reader().unwrap(), &row.key, world.clock.now());
        let cell = cell.unwrap();
        assert_eq!((row.line.line.as_str(), row.period.to_string().as_str()), (line, week));
        assert_eq!((row.in_plan, row.would_land), (Some(Decimal::from(there)), Some(cell.value)));
        let (owner, reason, until) = cell.lock.unwrap();
        assert_eq!((&row.who, &row.why, row.until), (&owner, &reason, until));
        assert_eq!((row.taken, row.since), (TakenAs::Typed, world.clock.now()));
        assert_eq!(row.surface, "TWINCAPALIVE");
    }
    // The same question twice is the same sheet; another figure is another reference.
    let again = waits(&world, &live);
    assert_eq!(again.locks[0].reference, found.locks[0].reference);
    types(&world, "LINE-1", "1010", "2026-W49", "96");
    reads(&world, &live);
    let moved = waits(&world, &live);
    assert_eq!(moved.locks[0].reference.of, found.locks[0].reference.of);
    assert_ne!(moved.locks[0].reference, found.locks[0].reference);
    assert_eq!(moved.locks[1].reference, found.locks[1].reference);
    assert!(found.xlsx().unwrap().starts_with(b"PK"), "a workbook is a zip file");
}

#[test]
fn a_value_that_a_person_set_is_told_as_planner_never_as_live() {
    let world = World::new(&config(), Options::default());
    known(&world, 1, 9);
    let live = world.open();
    world.cycle(&live);
    let of = |week: &str| {
        let gap = compared(&world, &live);
        let rows = gap.targets[0].rows.iter();
        let mut rows = rows.filter(|row| row.row.line.line == *"LINE-1");
        let row = rows.find(|row| row.row.week.to_string() == week).unwrap();
        row.data.clone().unwrap()
    };
    assert_eq!(of("2026-W49").status, Status::Live);
    types(&world, "LINE-1", "1010", "2026-W49", "95");
    reads(&world, &live);
    let lock = waits(&world, &live).locks.remove(0);
    let data = of("2026-W49");
    assert_eq!((data.status, data.taken.unwrap().until), (Status::Planner, lock.until));
    assert_eq!(of("2026-W50").status, Status::Live, "nobody took it");
}

#[test]
fn an_undo_and_each_kind_of_question_are_told_in_the_words_of_a_plan() {
    let world = World::new(&in_minutes(&beside_the_load()), Options::default());
    let live = world.open();
    world.cycle(&live);
    let found = waits(&world, &live);
    assert_eq!((found.locks.len(), found.questions.len()), (0, 1), "{found:#?}");
    let asked = &found.questions[0];
    assert_eq!((asked.fault, asked.cells, asked.holds), (Some(Fault::Unit), Some(18), true));
    assert_eq!(asked.cause, "another unit than the target's");
    assert_eq!(asked.example.line.as_ref().unwrap().line, *"LINE-1");
    drop(live);
    drop(world);

    let (world, live) = two_numbers();
    // So many at once are no person's, before somebody has said so.
    for week in ["2026-W49", "2026-W50", "2026-W51", "2026-W52", "2026-W53"] {
        for (line, plant) in [("LINE-1", "1010"), ("LINE-2", "1020"), ("LINE-3", "1010")] {
            types(&world, line, plant, week, "17");
        }
    }
    reads(&world, &live);
    let key = waits(&world, &live).locks[0].key.clone();
    let (since, until) = (start(), world.clock.now() + jiff::SignedDuration::from_hours(9));
    let (owner, reason) = ("S. Plan".to_owned(), "undo of 7: a strike".to_owned());
    let pin = Lock { key, kind: LockKind::Pin, owner, reason, since, until };
    ledger::lock(&live.bridge.state, pin).unwrap();
    let found = waits(&world, &live);
    let row = &found.locks[0];
    assert_eq!((row.taken, row.would_land, row.until), (TakenAs::PutBack, None, until));
    let cases: Vec<CaseKind> = found.questions.iter().filter_map(|one| one.case).collect();
    assert_eq!(cases, [CaseKind::Mass], "{found:#?}");
    let shown = serde_json::to_value(&found).unwrap();
    let texts: Vec<&Value> = shown["questions"].as_array().unwrap().iter().collect();
    assert!(texts.iter().all(|one| !one["example"]["figures"].as_str().unwrap().is_empty()));
}
