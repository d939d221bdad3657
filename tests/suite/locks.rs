//! What waits for a person's word: what people set in the plan and what is asked, in a
//! workbook that comes back.

use planthread::{
    pipeline::locked::{
        Answered, Locked, TakenAs,
        answers::{ANSWER, REFERENCE, UNTIL, WHY},
        locked,
    },
    report::lock_line::LockLine,
    serve::sheet,
};
use planthread_contracts::Status;
use planthread_domain::decode::{SheetCell, SheetRow};
use planthread_engine::{
    audit_trail,
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
    // Every screen names what stands there now, and since when.
    let (now, reader) = (world.clock.now(), live.bridge.reader().unwrap());
    let (row, key) = (&moved.locks[0], &moved.locks[0].key);
    assert_eq!((row.in_plan, row.since), (Some(Decimal::from(96)), now));
    assert!(row.why.contains("to 96.00, ") && row.until > found.locks[0].until, "{row:?}");
    let cells = ledger::locked_cells(&reader, now).unwrap();
    let lines: Vec<LockLine> = cells.iter().map(LockLine::from).collect();
    let line = lines.iter().find(|line| line.cell == key.to_string()).unwrap();
    assert!(line.to_string().contains(": 96 stands there (read "), "{line}");
    assert!(line.reason == row.why && line.since == now, "{line}");
    let trace = ledger::trace(&reader, key, now).unwrap();
    assert_eq!((trace.locked_since, trace.lock.unwrap().1), (Some(now), row.why.clone()));
    let gap = compared(&world, &live);
    let rows = gap.targets[0].rows.iter().filter_map(|row| row.data.as_ref()?.taken.as_ref());
    assert!(rows.clone().any(|taken| taken.reason == row.why), "{:?}", rows.collect::<Vec<_>>());
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

/// The workbook of what waits, as it is read when it comes back.
fn back(world: &World, found: &Locked) -> Vec<(String, Vec<SheetRow>)> {
    let file = world.folder.join("locks.xlsx");
    std::fs::write(&file, found.xlsx().unwrap()).unwrap();
    sheet::tables(&file).unwrap()
}

/// Somebody writes `answer`, `until` and `why` into the row that is about `of`.
fn fill(sheets: &mut [(String, Vec<SheetRow>)], of: &str, said: [&str; 3]) {
    for (_, rows) in sheets {
        let heading = rows.iter().find(|row| row.text().contains(ANSWER)).unwrap();
        let at = |name: &str| heading.cells.iter().position(|cell| cell.text() == name).unwrap();
        let places = [ANSWER, UNTIL, WHY, REFERENCE].map(at);
        let about = |row: &&mut SheetRow| {
            let cell = row.cells.get(places[3]).map(SheetCell::text);
            cell.is_some_and(|text| text.starts_with(&format!("{of} ")))
        };
        for row in rows.iter_mut().filter(about) {
            for (place, text) in places.into_iter().zip(said) {
                row.cells[place] = SheetCell::Text(text.to_owned());
            }
        }
    }
}

/// The same rows, saved as CSV by a spreadsheet: each line has all of its separators.
fn as_csv(world: &World, rows: &[SheetRow]) -> Vec<(String, Vec<SheetRow>)> {
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap();
    let line = |row: &SheetRow| {
        let cell = |at| row.cells.get(at).map(SheetCell::text).unwrap_or_default();
        let quoted = |at| format!("\"{}\"", cell(at).replace('"', "\"\""));
        (0..width).map(quoted).collect::<Vec<_>>().join(";")
    };
    let text: Vec<String> = rows.iter().map(line).collect();
    let file = world.folder.join("questions.csv");
    std::fs::write(&file, text.join("\r\n") + "\r\n").unwrap();
    sheet::tables(&file).unwrap()
}

fn answers(live: &Live, sheets: &[(String, Vec<SheetRow>)], only_unmoved: bool) -> Answered {
    let targets = std::slice::from_ref(&live.target);
    live.bridge.answer_locks(targets, sheets, "A. Planner", only_unmoved).unwrap()
}

fn locks_of(world: &World, live: &Live) -> Vec<Lock> {
    ledger::locks(&live.bridge.reader().unwrap(), world.clock.now()).unwrap()
}

#[test]
fn answers_in_any_mix_apply_exactly_once_and_no_answer_changes_nothing() {
    for mix in 0..9_u32 {
        let (world, live) = two_numbers();
        let (found, before) = (waits(&world, &live), locks_of(&world, &live));
        let mut sheets = back(&world, &found);
        let untouched = answers(&live, &sheets, false);
        assert!(untouched.taken && untouched.answers.is_empty(), "{untouched:?}");
        assert_eq!(locks_of(&world, &live), before);
        // No answer, keep, accept: for each of the two.
        let said = [mix % 3, mix / 3];
        for (row, said) in found.locks.iter().zip(said) {
            let words = [["", "", ""], ["keep", "2026-12-05", "a strike"], ["Accept", "", ""]];
            fill(&mut sheets, &row.reference.of, words[said as usize]);
        }
        sheets.iter_mut().for_each(|(_, rows)| rows[3..].reverse());
        let until = "2026-12-06T00:00:00Z".parse().unwrap();
        let (owner, reason) = ("A. Planner".to_owned(), "a strike".to_owned());
        let kept = |lock: &Lock| Lock {
            owner: owner.clone(),
            reason: reason.clone(),
            until,
            ..lock.clone()
        };
        let mut after: Vec<Lock> = Vec::new();
        for (row, said) in found.locks.iter().zip(said) {
            let lock = before.iter().find(|lock| lock.key == row.key).unwrap();
            after.extend(match said {
                0 => Some(lock.clone()),
                1 => Some(kept(lock)),
                _ => None,
            });
        }
        let done = answers(&live, &sheets, false);
        assert!(done.taken && done.faults.is_empty() && done.moved.is_empty(), "{done:?}");
        assert_eq!(done.answers.len(), said.iter().filter(|one| **one > 0).count(), "{mix}");
        assert_eq!(locks_of(&world, &live), after, "{mix}");
        let again = answers(&live, &sheets, false);
        assert!(
            again.taken && again.answers.is_empty(),
            "what comes twice is done once: {again:?}"
        );
        assert_eq!((again.held, locks_of(&world, &live)), (done.answers.len(), after));
        let (mut acts, state) = (Vec::new(), world.folder.join("state"));
        audit_trail::check(&state, None, |entry| {
            acts.push((entry.act.act.clone(), entry.act.who.clone()));
            Ok(())
        })
        .unwrap();
        let of = |act: &str| acts.iter().filter(|(one, who)| one == act && *who == owner).count();
        let expected = [1, 2].map(|word| said.iter().filter(|one| **one == word).count());
        assert_eq!([of("keep cell"), of("release cell")], expected);
        if mix == 8 {
            // What was let go goes out, and is read back.
            world.cycle(&live);
            world.assert_landed(&live, "accepted");
        }
    }
}

#[test]
fn one_fault_or_a_row_that_moved_keeps_the_whole_sheet_out() {
    let (world, live) = two_numbers();
    let (found, before) = (waits(&world, &live), locks_of(&world, &live));
    let of = |row: usize| found.locks[row].reference.of.clone();
    for (said, column) in [
        (["maybe", "", ""], ANSWER),
        (["", "2026-12-05", ""], ANSWER),
        (["keep", "", ""], WHY),
        (["keep", "5.12.2026", "x"], UNTIL),
        (["keep", "2026-11-24", "x"], UNTIL),
        (["keep", "2028-01-01", "x"], UNTIL),
        (["accept", "2026-12-05", ""], UNTIL),
    ] {
        let mut sheets = back(&world, &found);
        fill(&mut sheets, &of(0), said);
        fill(&mut sheets, &of(1), ["accept", "", ""]);
        let done = answers(&live, &sheets, true);
        let told: Vec<_> = done.faults.iter().map(|one| (&*one.sheet, &*one.column)).collect();
        assert_eq!((done.taken, told), (false, vec![("Locks", column)]), "{done:?}");
        assert!(done.faults.iter().all(|one| one.row == 4 && !one.cure.is_empty()), "{done:?}");
        assert_eq!(locks_of(&world, &live), before);
    }
    // Only the references were sorted: no answer goes to another value.
    let mut sheets = back(&world, &found);
    fill(&mut sheets, &of(0), ["accept", "", ""]);
    let rows = &mut sheets[0].1;
    let (a, b) = (rows.len() - 2, rows.len() - 1);
    let (first, second) = (rows[a].cells.pop().unwrap(), rows[b].cells.pop().unwrap());
    rows[a].cells.push(second);
    rows[b].cells.push(first);
    assert_eq!(answers(&live, &sheets, false).faults[0].column, "Line");
    // The person has typed another number since: the row is told, the other one goes alone.
    let mut sheets = back(&world, &found);
    fill(&mut sheets, &of(0), ["accept", "", ""]);
    fill(&mut sheets, &of(1), ["accept", "", ""]);
    types(&world, "LINE-1", "1010", "2026-W49", "97");
    reads(&world, &live);
    let moved = answers(&live, &sheets, false);
    assert_eq!((moved.taken, moved.moved.len(), moved.answers.len()), (false, 1, 1), "{moved:?}");
    assert!(moved.moved[0].reason.contains("97 stands in the plan"), "{moved:?}");
    assert_eq!(locks_of(&world, &live).len(), 2);
    let done = answers(&live, &sheets, true);
    assert!(done.taken && done.moved.len() == 1, "{done:?}");
    assert_eq!(locks_of(&world, &live).len(), 1);
}

#[test]
fn a_question_is_answered_as_by_its_own_verb() {
    let world = World::new(&in_minutes(&beside_the_load()), Options::default());
    let live = world.open();
    world.cycle(&live);
    let found = waits(&world, &live);
    let of = &found.questions[0].reference.of;
    let mut sheets = back(&world, &found);
    fill(&mut sheets, of, ["keep", "", "not yet"]);
    assert!(answers(&live, &sheets, false).taken);
    assert_eq!(waits(&world, &live).questions.len(), 1, "it stays open");
    fill(&mut sheets, of, ["accept", "", "looked at it"]);
    let sheets = as_csv(&world, &sheets[1].1);
    let done = answers(&live, &sheets, false);
    assert!(done.taken && done.answers[0].until.is_some(), "{done:?}");
    assert_eq!(waits(&world, &live).questions.len(), 0);
    assert_eq!(world.cycle(&live).applied.unwrap().accepted, 36);
    assert_eq!(answers(&live, &sheets, false).held, 1);
}
