//! Law 2 and design section 6: what a read-back means.

use jiff::SignedDuration;
use planthread_engine::{
    EngineError,
    fallback::{PackRequest, write_pack},
    ledger::{self, CaseKind, LockedCell},
    verify::{InUse, Which, Wiring},
};
use planthread_kit::Clock as _;

use crate::{
    fake::Fault,
    world::{TARGET, World, d, key},
};

#[test]
fn law_2_a_2xx_is_not_a_landing_and_a_dropped_row_is_found_and_named() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    world.fake.inside().faults.push_back(Fault::Drop(4));
    let (_, plan) = world.plan();
    let applied = world.apply(&plan, false).unwrap();
    assert_eq!(applied.accepted, 8);
    assert_eq!(world.status().seen, 0, "accepted is not seen");
    let early = world.verify(Which::Unproven);
    assert_eq!((early.landed, early.not_yet, early.lost), (6, 2, 0));
    world.advance(16);
    let late = world.verify(Which::Unproven);
    assert_eq!((late.lost, late.dropped), (2, 2));
    let named: Vec<_> = late.lost_cells.iter().map(|lost| lost.key.resource.clone()).collect();
    assert_eq!(named, ["R1", "R2"]);
    assert!(late.lost_cells[0].receipt.starts_with("tx-"));
    let case = &ledger::cases(&world.reader()).unwrap()[0];
    assert_eq!((case.kind, case.cells), (CaseKind::Dropped, 2));
    world.land();
    let status = world.status();
    assert_eq!((status.wanted, status.accepted, status.seen), (8, 8, 8));
    world.audit();
}

#[test]
fn law_2_a_row_that_the_receipt_does_not_name_is_unproven_until_it_is_read() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.fake.inside().faults.push_back(Fault::Silent);
    let (_, applied, sweep) = world.land();
    assert_eq!((applied.accepted, applied.unproven, sweep.landed), (1, 3, 4));
    assert_eq!(world.status().accepted, 4, "what is there was taken");
    world.audit();
}

/// Whoever replaces a whole table asks which rows it must not lack.
#[test]
fn a_row_that_was_read_back_stands_though_it_is_missed_or_wanted_otherwise() {
    let world = World::new();
    let names = || -> Vec<String> {
        let measures = ["live".to_owned()];
        let rows = ledger::known_rows(&world.reader(), TARGET, "", &measures).unwrap();
        rows.into_iter().map(|row| row.resource.to_string()).collect()
    };
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    assert!(names().is_empty(), "accepted is not seen");
    world.verify(Which::Unproven);
    assert_eq!(names(), ["R1", "R2"]);
    world.fake.inside().cells.remove(&key("R2", 48, "live"));
    world.verify(Which::All);
    assert_eq!(world.held(&key("R2", 48, "live")), None);
    assert_eq!(names(), ["R1", "R2"], "what is missed is not forgotten");
    // Another value is wanted there by now, and nobody has sent it.
    world.want(&[("R1", 48, "100"), ("R2", 48, "95")]);
    assert_eq!(names(), ["R1", "R2"], "nor by what is wanted since");
    world.land();
    assert_eq!(names(), ["R1", "R2"]);
    let other = ledger::known_rows(&world.reader(), TARGET, "", &["another".to_owned()]).unwrap();
    assert!(other.is_empty(), "a measure of another table");
}

/// Whoever triggers what lies there asks whether a dead attempt left something.
#[test]
fn what_went_out_and_was_never_taken_is_left_behind_and_does_not_stand() {
    let world = World::new();
    let asked = |measure: &str| {
        let (reader, measures) = (world.reader(), [measure.to_owned()]);
        let left = ledger::left_behind(&reader, TARGET, "", &measures).unwrap();
        (left, ledger::known_rows(&reader, TARGET, "", &measures).unwrap().len())
    };
    world.want(&[("R1", 48, "100")]);
    assert_eq!(asked("live"), (false, 0), "nothing went out");
    world.fake.inside().faults.push_back(Fault::Silent);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    let held = std::mem::take(&mut world.fake.inside().cells);
    assert_eq!(asked("live"), (true, 0), "no receipt names it");
    world.advance(120);
    world.verify(Which::Unproven);
    assert_eq!(asked("live"), (true, 0), "and it was not found");
    assert_eq!(asked("another"), (false, 0));
    world.fake.inside().cells = held;
    world.land();
    assert_eq!(asked("live"), (false, 1), "now it was");
}

fn many(world: &World, resources: u32, weeks: u32) {
    let names: Vec<String> = (0..resources).map(|n| format!("R{n:03}")).collect();
    let cells: Vec<(&str, u32, &str)> = names
        .iter()
        .flat_map(|name| (0..weeks).map(move |week| (name.as_str(), 10 + week, "100")))
        .collect();
    world.want(&cells);
    world.land();
}

#[test]
fn a_job_that_overwrites_500_cells_is_one_case_and_no_lock() {
    let world = World::with_batches(5_000);
    many(&world, 50, 20);
    assert_eq!(world.status().seen, 4_000);
    for resource in 0..25 {
        for week in 10..30 {
            world.foreign(key(&format!("R{resource:03}"), week, "live"), "120");
        }
    }
    let sweep = world.verify(Which::All);
    assert_eq!((sweep.cases.get("job"), sweep.persons), (Some(&500), 0), "{:?}", sweep.cases);
    assert_eq!(ledger::cases(&world.reader()).unwrap().len(), 1);
    assert!(ledger::locks(&world.reader(), world.clock.now()).unwrap().is_empty());
    let (header, ..) = world.land();
    assert_eq!(header.counts.reasons.get("overwritten"), Some(&500));
    assert_eq!(world.status().seen, 4_000);
    // The next night it does it again: still one case. The one cell of another
    // measure is an edit, and does not drown in it.
    world.foreign(key("R000", 10, "lost"), "1");
    for resource in 0..40 {
        world.foreign(key(&format!("R{resource:03}"), 12, "live"), "120");
    }
    assert_eq!(world.verify(Which::All).persons, 1);
    let cases = ledger::cases(&world.reader()).unwrap();
    assert_eq!((cases.len(), cases[0].cells), (1, 540));
    world.audit();
}

#[test]
fn a_large_part_of_a_scope_is_one_question_and_waits_for_its_answer() {
    let world = World::with_batches(5_000);
    many(&world, 10, 10);
    for resource in 0..10 {
        for week in 10..20 {
            world.foreign(key(&format!("R{resource:03}"), week, "live"), "7");
        }
    }
    let sweep = world.verify(Which::All);
    assert_eq!(sweep.cases.get("mass"), Some(&100));
    let (header, _) = world.plan();
    assert_eq!((header.counts.cells, header.counts.held["in_question"]), (0, 100));
    let case = ledger::cases(&world.reader()).unwrap()[0].id;
    assert!(ledger::close_case(world.state(), case, " ", world.clock.now()).is_err());
    assert!(ledger::close_case(world.state(), case, "A. Lead", world.clock.now()).unwrap());
    world.land();
    assert_eq!(world.status().seen, 400);
    world.audit();
}

#[test]
fn a_persons_edit_locks_its_cell_and_only_that() {
    let world = World::new();
    many(&world, 3, 3);
    world.foreign(key("R001", 11, "live"), "42");
    let sweep = world.verify(Which::All);
    assert_eq!(sweep.persons, 1);
    assert_eq!(sweep.person_edits[0].key, key("R001", 11, "live"));
    let locks = ledger::locks(&world.reader(), world.clock.now()).unwrap();
    assert_eq!(locks.len(), 1);
    assert!(locks[0].reason.contains("42") && !locks[0].owner.is_empty());
    world.advance(60);
    world.want(&[("R001", 11, "95")]);
    let (header, applied, _) = world.land();
    assert_eq!(header.counts.held.get("lock"), Some(&1));
    assert_eq!(applied.sent, 1, "the other value goes, no stamp vouches for hers: {applied:?}");
    assert_eq!(world.held(&key("R001", 11, "live")), Some(d("42")), "hers stays");
    assert_eq!(world.verify(Which::All).persons, 0, "and is not found again");
    assert!(ledger::unlock(world.state(), key("R001", 11, "live")).unwrap());
    world.land();
    assert_eq!(world.held(&key("R001", 11, "live")), Some(d("95")));
    world.audit();
}

#[test]
fn seen_expires_sooner_for_near_periods() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R1", 53, "90")]);
    world.land();
    assert_eq!(world.verify(Which::Expired).read, 0);
    world.advance(25 * 60);
    assert_eq!(world.verify(Which::Expired).read, 4, "only the near week");
    world.advance(7 * 24 * 60);
    assert_eq!(world.verify(Which::Expired).read, 8);
}

#[test]
fn a_failing_read_ends_the_sweep_and_changes_nothing() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    world.fake.inside().reads_fail = true;
    let sweep = world.verify(Which::Unproven);
    assert!(sweep.error.is_some() && sweep.read == 0);
    assert_eq!(world.status().states["unproven"], 4);
}

#[test]
fn a_value_is_in_use_only_when_the_driving_measure_holds_it() {
    let world = World::new();
    let mut policy = world.sweep_policy(Which::All);
    policy.in_use =
        Some(InUse { drives: "assumed".into(), by: "live".into(), wiring: Wiring::Job });
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.foreign(key("R1", 48, "assumed"), "120");
    let sweep = world.verify_with(&policy);
    assert_eq!((sweep.compared_in_use, sweep.in_use, world.status().in_use), (1, 0, 0));
    world.foreign(key("R1", 48, "assumed"), "100");
    assert_eq!((world.verify_with(&policy).in_use, world.status().in_use), (1, 1));
    let since = ledger::cell(&world.reader(), &key("R1", 48, "live"), world.clock.now()).unwrap();
    assert!(since.in_use_since.is_some());
    world.advance(60);
    world.want(&[("R1", 48, "90")]);
    assert_eq!(world.status().in_use, 0, "another number is not in use yet");
}

#[test]
fn a_pack_holds_what_is_wanted_and_the_one_before_stays_beside_it() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let folder = world.dir.join("share");
    let policy = world.policy();
    let request = PackRequest {
        policy: &policy,
        as_of: world.clock.now(),
        now: world.clock.now(),
        who: "the planning lead",
        key: None,
        audit: None,
    };
    let first = write_pack(&world.reader(), &world.fake, &request, &folder).unwrap();
    assert_eq!((first.cells, first.files[0].rows), (4, 4));
    world.advance(60);
    world.want(&[("R1", 48, "90"), ("R2", 49, "80")]);
    let second = write_pack(&world.reader(), &world.fake, &request, &folder).unwrap();
    assert_eq!(second.cells, 8);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("current/cells.csv").contains("plan/base/R2@1010/2026-W49/live;80"));
    assert!(read("previous/cells.csv").contains(";100"));
    assert!(read("current/README.txt").contains("the planning lead"));
    assert!(read("current/manifest.json").contains(&second.files[0].sha256));
    assert!(!folder.join(".part").exists());
    // A planner loads it; the bridge finds its own values and sends nothing.
    for cell in [("R1", 48, "90"), ("R2", 49, "80")] {
        for wanted in crate::world::desired(cell.0, cell.1, d(cell.2), world.clock.now()) {
            world.fake.inside().cells.insert(wanted.key, wanted.value);
        }
    }
    world.verify(Which::All);
    assert_eq!((world.plan().0.counts.cells, world.status().seen), (0, 8));
    world.audit();
}

#[test]
fn a_second_writers_heartbeat_holds_the_scope_until_somebody_answers() {
    let world = World::new();
    let mut measures = crate::world::measures();
    measures.push(crate::world::decl("beat", "heartbeat", "stamp"));
    let mut cells = crate::world::desired("R1", 48, d("100"), world.clock.now());
    let mut beat = cells[2].clone();
    (beat.key.measure, beat.value) = ("beat".into(), d("4711"));
    cells.push(beat);
    let want = ledger::Want {
        target: TARGET.into(),
        as_of: world.clock.now(),
        measures: measures.clone(),
        mapped: Default::default(),
        refresh_within: SignedDuration::ZERO,
        complete: Vec::new(),
    };
    ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now()).unwrap();
    let mut policy = world.policy();
    policy.grants.push(
        planthread_contracts::WriteGrant::bridge_owned(
            &measures[4],
            &planthread_contracts::Scope::base(),
        )
        .unwrap(),
    );
    policy.measures.clone_from(&measures);
    let (_, plan) = world.plan_with(&policy);
    assert_eq!(world.apply_with(&plan, false, &policy).unwrap().accepted, 5);
    let mut sweep = world.sweep_policy(Which::All);
    sweep.measures = measures;
    assert_eq!(world.verify_with(&sweep).landed, 5);
    world.foreign(key("R1", 48, "beat"), "815");
    assert_eq!(world.verify_with(&sweep).cases.get("second_writer"), Some(&1));
    world.advance(60);
    world.want(&[("R1", 48, "90")]);
    let (header, plan) = world.plan_with(&policy.at(world.clock.now()));
    assert_eq!((header.counts.cells, header.counts.held["second_writer"]), (0, 3));
    assert_eq!(world.apply_with(&plan, false, &policy).unwrap().sent, 0);
    let case = ledger::cases(&world.reader()).unwrap()[0].id;
    assert!(ledger::close_case(world.state(), case, "operator", world.clock.now()).unwrap());
    assert!(world.plan_with(&policy.at(world.clock.now())).0.counts.cells > 0);
    world.audit();
}

#[test]
fn an_edit_made_minutes_ago_is_met_before_it_is_written_over() {
    let world = World::new();
    many(&world, 3, 3);
    world.advance(1);
    world.foreign(key("R001", 11, "live"), "42");
    world.want(&[("R001", 11, "95")]);
    let read = world.verify(Which::Unread);
    assert_eq!((read.persons, read.person_edits[0].read), (1, Some(d("42"))));
    world.land();
    assert_eq!(world.held(&key("R001", 11, "live")), Some(d("42")), "hers stays");
    world.audit();
}

#[test]
fn a_load_that_is_met_in_portions_is_one_case() {
    let world = World::new();
    many(&world, 40, 10);
    world.advance(25 * 60);
    for resource in 0..30 {
        world.foreign(key(&format!("R{resource:03}"), 11, "live"), "7");
        world.foreign(key(&format!("R{resource:03}"), 12, "live"), "7");
    }
    // One machine has news, and so its row is read.
    world.want(&[("R001", 11, "95")]);
    let read = world.verify(Which::Unread);
    assert_eq!((read.persons, read.cases.get("job")), (0, Some(&60)), "{:?}", read.cases);
    assert!(ledger::locks(&world.reader(), world.clock.now()).unwrap().is_empty());
    world.audit();
}

#[test]
fn a_target_that_lost_everything_is_found_out_by_one_row() {
    let world = World::new();
    many(&world, 5, 4);
    world.advance(60);
    world.want(&[("R001", 11, "95")]);
    world.fake.inside().cells.clear();
    let read = world.verify(Which::Unread);
    assert!(read.lost > 50, "{read:?}");
    world.land();
    assert_eq!(world.status().seen, world.status().wanted);
    world.audit();
}

#[test]
fn each_further_edit_of_a_locked_cell_is_a_new_reason_and_starts_its_time_anew() {
    let world = World::new();
    many(&world, 3, 3);
    let edited = key("R001", 11, "live");
    world.want(&[("R001", 11, "95")]);
    world.land();
    // Hers, hers again, nothing of it, an older one of ours, and hers once more.
    for (nth, figure) in ["42", "43", "0", "100", "42"].into_iter().enumerate() {
        world.advance(60);
        world.foreign(edited.clone(), figure);
        let sweep = world.verify(if nth % 2 == 0 { Which::All } else { Which::Unread });
        let told: Vec<_> = sweep.person_edits.iter().map(|edit| edit.read).collect();
        assert_eq!((sweep.persons, told), (1, vec![Some(d(figure))]), "{figure}");
        let now = world.clock.now();
        let cells = ledger::locked_cells(&world.reader(), now).unwrap();
        let [LockedCell { lock, wanted, seen }] = cells.as_slice() else { panic!("{cells:?}") };
        assert_eq!(seen.as_ref().unwrap().value, Some(d(figure)));
        assert!(lock.reason.contains(&format!("to {figure}, ")), "{lock:?}");
        assert!(lock.reason.ends_with(&wanted.to_string()), "{lock:?}");
        assert_eq!((lock.since, lock.until), (now, now + SignedDuration::from_hours(14 * 24)));
        let trace = ledger::trace(&world.reader(), &edited, now).unwrap();
        assert_eq!(trace.locked_since, Some(now));
        // What stands there is no edit again, and new truth is none of hers.
        world.advance(60);
        world.want(&[("R001", 11, &format!("9{nth}"))]);
        assert_eq!(world.verify(Which::All).persons, 0, "{figure}");
        let after = ledger::locked_cells(&world.reader(), world.clock.now()).unwrap();
        assert_eq!(after[0].lock, *lock);
    }
    // Where she cleared it, that is told, and it is no edit that another one could be read from.
    world.fake.inside().cells.remove(&edited);
    assert_eq!(world.verify(Which::All).persons, 0);
    let cells = ledger::locked_cells(&world.reader(), world.clock.now()).unwrap();
    assert_eq!(cells[0].seen.as_ref().unwrap().value, None);
    world.audit();
}
