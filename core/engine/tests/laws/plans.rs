//! Laws 1, 3, 4, 5, 11, 14 and 18: what a plan binds, and what it never does.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::Scope;
use planthread_engine::{
    EngineError,
    ledger::{self, Complete, End, Lock, LockKind, Want, Why},
    plan::PlanLine,
    status::rejects,
    undo::{UndoRequest, undo},
    verify::Which,
};
use planthread_kit::Clock as _;

use crate::{
    fake::Fault,
    world::{TARGET, World, d, desired, key, measures, today},
};

fn lines(bytes: &[u8]) -> Vec<PlanLine> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn law_1_a_plan_with_moved_cells_is_refused_and_only_unmoved_never_sends_another_value() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "110")]);
    let (_, old) = world.plan();
    world.advance(5);
    world.want(&[("R1", 48, "90")]);
    let refused = world.apply(&old, false).unwrap();
    // Both values and both stamps: the stamps carry the same numbers still.
    assert!(refused.refused && refused.moved >= 2, "{refused:?}");
    assert!(world.fake.inside().cells.is_empty(), "nothing may be sent");
    let rest = world.apply(&old, true).unwrap();
    assert_eq!((rest.sent, rest.moved, rest.left), (4, refused.moved, 4 - refused.moved));
    assert_eq!(world.held(&key("R1", 48, "live")), None);
    assert_eq!(world.held(&key("R2", 48, "live")), Some(d("110")));
    world.verify(Which::Unproven);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    world.audit();
}

#[test]
fn a_place_that_a_request_holds_whole_is_written_once() {
    let wanted = [
        ("R1", 50, "100"),
        ("R2", 48, "90"),
        ("R1", 46, "80"),
        ("R2", 50, "70"),
        ("R3", 48, "60"),
        ("R1", 48, "50"),
        ("R3", 49, "40"),
    ];
    for (by_place, most) in [(true, 1), (false, 2)] {
        // Two places of three weeks fit into no batch together.
        let mut world = World::with_batches(16);
        if by_place {
            world.fake.by_place();
        }
        world.want(&wanted);
        let (header, bytes) = world.plan();
        let applied = world.apply(&bytes, false).unwrap();
        assert_eq!((applied.sent, applied.batches), (28, header.prediction.batches));
        let mut batches: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, _, attempt) in &world.fake.inside().effects {
            batches.entry(key.resource.to_string()).or_default().insert(attempt.clone());
        }
        let each: Vec<usize> = batches.values().map(BTreeSet::len).collect();
        assert_eq!(each.iter().max(), Some(&most), "{by_place}: {each:?}");
        if by_place {
            let weeks =
                |line: &PlanLine| (line.cell.resource.to_string(), line.cell.period.to_string());
            let mut order: Vec<_> = lines(&bytes).iter().map(weeks).collect();
            order.dedup();
            let order: Vec<_> = order.iter().map(|(line, week)| (&**line, &week[6..])).collect();
            assert_eq!(
                order,
                [
                    ("R1", "48"),
                    ("R1", "50"),
                    ("R1", "46"),
                    ("R2", "48"),
                    ("R2", "50"),
                    ("R3", "48"),
                    ("R3", "49")
                ],
                "near weeks first, then past ones"
            );
        }
        world.verify(Which::Unproven);
        world.audit();
    }
}

#[test]
fn law_1_a_changed_or_cut_plan_is_not_applied() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let (_, plan) = world.plan();
    let tampered = String::from_utf8(plan.clone()).unwrap().replace("\"100\"", "\"999\"");
    for bad in [tampered.as_bytes(), &plan[..plan.len() - 90], b""] {
        let mut input = std::io::Cursor::new(bad.to_vec());
        let clock: std::sync::Arc<dyn planthread_kit::Clock> =
            std::sync::Arc::new(world.clock.clone());
        let delivery = planthread_engine::push::Delivery {
            state: world.state(),
            connector: &world.fake,
            clock: &clock,
            push: &planthread_kit::PushPolicy::default(),
            breakers: &planthread_kit::Breakers::new(planthread_kit::BreakerPolicy::default()),
        };
        let policy = world.policy();
        let done = world
            .clock
            .block_on(planthread_engine::push::apply(&delivery, &mut input, &policy, true));
        assert!(matches!(done, Err(EngineError::Plan { .. })), "{done:?}");
    }
    assert!(world.fake.inside().pushed.is_empty());
}

#[test]
fn law_3_without_a_grant_nothing_is_planned() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let mut policy = world.policy();
    policy.grants.retain(|grant| grant.measure() != "lost");
    let (header, plan) = world.plan_with(&policy);
    assert_eq!(header.counts.held.get("not_promoted"), Some(&1));
    assert!(lines(&plan).iter().all(|line| line.cell.measure != "lost"));
}

#[test]
fn law_4_older_truth_never_overwrites_newer() {
    let world = World::new();
    let before = world.clock.now();
    world.advance(60);
    world.want(&[("R1", 48, "100")]);
    let late = world.want_at(&[("R1", 48, "50")], before);
    assert_eq!((late.made, late.older), (0, 2), "both values are older");
    world.land();
    // An old value of ours is found at the target: it is repaired, not kept.
    world.advance(60);
    world.want(&[("R1", 48, "80")]);
    world.land();
    world.foreign(key("R1", 48, "live"), "100");
    world.advance(60);
    let sweep = world.verify(Which::All);
    assert_eq!((sweep.stale_own, sweep.persons), (1, 0));
    let (_, plan) = world.plan();
    assert!(lines(&plan).iter().any(|line| line.reason == Why::StaleOwn && !line.carried));
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("80")));
    let revisions: Vec<u64> = {
        let inside = world.fake.inside();
        let live = inside.effects.iter().filter(|(k, ..)| *k == key("R1", 48, "live"));
        live.map(|(_, revision, _)| *revision).collect()
    };
    assert!(revisions.is_sorted(), "{revisions:?}");
    world.audit();
}

#[test]
fn law_5_after_an_outage_only_the_last_value_goes_and_the_superseded_are_counted() {
    let world = World::new();
    let mut superseded = 0;
    for hour in 0..72 {
        superseded += world.want(&[("R1", 48, &format!("{}", 100 + hour))]).superseded;
        world.advance(60);
    }
    assert_eq!(superseded, 71 * 2 + 3 * 2, "71 of each value, and stamps once a day");
    let (header, applied, _) = world.land();
    assert_eq!((header.counts.cells, applied.sent), (4, 4), "exactly one entry a cell");
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("171")));
    let status = world.status();
    assert_eq!(status.states["superseded"], superseded);
    assert_eq!((status.wanted, status.accepted, status.seen), (4, 4, 4));
    world.audit();
}

#[test]
fn law_11_a_value_that_the_target_can_not_hold_is_refused_before_wanted() {
    let world = World::new();
    let mut cells = desired("R1", 48, d("100"), world.clock.now());
    cells[0].value = d("100.125");
    let want = Want {
        target: TARGET.into(),
        as_of: world.clock.now(),
        measures: measures(),
        mapped: Default::default(),
        refresh_within: jiff::SignedDuration::ZERO,
        complete: Vec::new(),
    };
    let error = ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now())
        .unwrap_err()
        .to_string();
    assert!(error.contains("live") && error.contains("2 decimals"), "{error}");
}

#[test]
fn law_14_every_value_traces_to_recipe_attempts_and_receipts() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.advance(60);
    world.want(&[("R1", 48, "90")]);
    world.land();
    let mut all = Vec::new();
    ledger::cells(&world.reader(), world.clock.now(), |cell| {
        all.push(cell.key.measure);
        Ok(())
    })
    .unwrap();
    assert_eq!(all, ["asof", "live", "lost", "validto"]);
    assert_eq!(ledger::receipts(&world.reader(), 1).unwrap()[0].end.as_deref(), Some("done"));
    assert_eq!(ledger::taken_in(&world.reader(), 9).unwrap().len(), 2);
    let trace = ledger::trace(&world.reader(), &key("R1", 48, "live"), world.clock.now()).unwrap();
    let states: Vec<_> = trace.revisions.iter().map(|r| r.state.word()).collect();
    assert_eq!(states, ["overtaken", "seen"]);
    assert_eq!(trace.revisions[0].recipe, "recipe-2026-11-22T22:00:00Z");
    assert_eq!(trace.attempts.len(), 2);
    assert_eq!(trace.attempts[1].before, Some(Some(d("100"))));
    assert!(trace.attempts.iter().all(|a| {
        a.outcome.as_deref() == Some("accepted") && a.receipt.is_some() && !a.notes.is_empty()
    }));
}

#[test]
fn law_18_the_same_ledger_and_as_of_give_the_same_bytes_and_a_landing_gives_an_empty_plan() {
    let world = World::new();
    world.want(&[("R2", 50, "7"), ("R10", 48, "100"), ("R2", 48, "110"), ("R1", 45, "9")]);
    let policy = world.policy();
    let (_, first) = world.plan_with(&policy);
    world.advance(3);
    let (_, second) = world.plan_with(&policy);
    assert_eq!(first, second);
    let order: Vec<String> = lines(&first)
        .iter()
        .filter(|line| line.cell.measure == "live")
        .map(|line| format!("{}/{}", line.cell.resource, line.cell.period))
        .collect();
    assert_eq!(order, ["R10/2026-W48", "R2/2026-W48", "R2/2026-W50", "R1/2026-W45"]);
    let (header, applied, sweep) = world.land();
    assert_eq!((applied.accepted, sweep.landed), (16, 16));
    assert_eq!(header.prediction.batches, applied.batches);
    let reads = world.fake.inside().reads;
    let (empty, _) = world.plan();
    assert_eq!((empty.counts.cells, empty.counts.groups), (0, 0));
    assert_eq!(world.fake.inside().reads, reads, "planning costs the target nothing");
}

#[test]
fn stamps_never_travel_alone_until_what_landed_runs_out() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.advance(3 * 60);
    let quiet = world.want(&[("R1", 48, "100")]);
    assert_eq!((quiet.made, quiet.unchanged), (0, 4), "only the age moved, that is no revision");
    assert_eq!(world.plan().0.counts.cells, 0);
    world.advance(20 * 60);
    world.want(&[("R1", 48, "100")]);
    let (header, plan) = world.plan();
    assert_eq!(header.counts.reasons.get("refresh"), Some(&2), "{:?}", header.counts);
    let carried: Vec<bool> = lines(&plan).iter().map(|line| line.carried).collect();
    assert_eq!(carried.iter().filter(|carried| **carried).count(), 2, "the group stays whole");
    world.land();
    assert_eq!(world.status().seen, 4);
    world.audit();
}

#[test]
fn law_13_a_rejected_row_keeps_its_reason_and_a_way_back() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.fake.inside().faults.push_back(Fault::Reject);
    let (_, applied, _) = world.land();
    assert_eq!((applied.accepted, applied.rejected), (3, 1));
    let rejected = rejects(&world.reader()).unwrap();
    assert_eq!(rejected.len(), 1);
    assert_eq!(
        (rejected[0].reason.as_str(), rejected[0].cure.as_str()),
        ("resource unknown", "load the master data")
    );
    let (header, _) = world.plan();
    assert_eq!(header.counts.held.get("rejected_not_cured"), Some(&1));
    assert_eq!(header.counts.cells, 0);
    assert_eq!(ledger::retry(world.state(), vec![rejected[0].key.clone()]).unwrap(), 1);
    world.land();
    assert_eq!(world.status().seen, 4);
    world.audit();
}

#[test]
fn a_lock_holds_the_number_and_its_stamps_until_it_ends() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    let now = world.clock.now();
    for measure in ["live", "lost"] {
        let lock = Lock {
            key: key("R1", 48, measure),
            kind: LockKind::Send,
            owner: "A. Planner".into(),
            reason: "strike".into(),
            since: now,
            until: now + jiff::SignedDuration::from_hours(48),
        };
        ledger::lock(world.state(), lock).unwrap();
    }
    world.advance(24 * 60);
    world.want(&[("R1", 48, "90")]);
    let (header, _) = world.plan();
    assert_eq!((header.counts.cells, header.counts.held["lock"]), (0, 4), "{:?}", header.counts);
    let screened = ledger::hold_by_policy(world.state(), &world.policy()).unwrap();
    assert_eq!(screened.held, header.counts.held, "what is noted is what a plan says");
    assert_eq!(world.status().held["lock"], 4);
    world.advance(25 * 60);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    world.audit();
}

#[test]
fn cells_that_leave_wanted_are_withdrawn_with_their_declared_end() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R1", 49, "90"), ("R1", 40, "70")]);
    world.land();
    for (end, expected) in [(End::Zero, Some(d("0"))), (End::Leave, Some(d("0")))] {
        world.advance(60);
        let want = Want {
            target: TARGET.into(),
            as_of: world.clock.now(),
            measures: measures(),
            mapped: Default::default(),
            refresh_within: jiff::SignedDuration::ZERO,
            complete: vec![Complete {
                scope: Scope::base(),
                closed_before: today(),
                end,
                ends: Default::default(),
            }],
        };
        let cells = desired("R1", 48, d("100"), world.clock.now());
        let done =
            ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now())
                .unwrap();
        let first = end == End::Zero;
        assert_eq!(done.withdrawn, if first { 4 } else { 0 }, "once, and past weeks stay");
        world.land();
        assert_eq!(world.held(&key("R1", 49, "live")), expected);
        assert_eq!(world.held(&key("R1", 40, "live")), Some(d("70")));
    }
    world.audit();
}

#[test]
fn what_is_left_standing_is_counted_until_zero_is_declared_and_stamps_are_never_zero() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R1", 49, "90"), ("R1", 50, "80")]);
    world.land();
    world.want(&[("R1", 51, "70")]);
    let stamps = ["asof", "validto"].map(|name| (name, world.held(&key("R1", 49, name))));
    let end = |end| {
        world.advance(60);
        let want = Want {
            target: TARGET.into(),
            as_of: world.clock.now(),
            measures: measures(),
            mapped: Default::default(),
            refresh_within: jiff::SignedDuration::ZERO,
            complete: vec![Complete {
                scope: Scope::base(),
                closed_before: today(),
                end,
                ends: Default::default(),
            }],
        };
        let cells = desired("R1", 48, d("100"), world.clock.now());
        ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now())
            .unwrap();
        world.land();
        world.status().withdrawn
    };
    let left = end(End::Leave);
    // The four cells of each of the two weeks that had landed; the one that never
    // did stands nowhere.
    assert_eq!((left.cells, left.example.unwrap().period.to_string()), (8, "2026-W49".into()));
    assert_eq!(world.held(&key("R1", 49, "live")), Some(d("90")));
    let ended = end(End::Zero);
    assert_eq!(ended.cells, 0);
    for (week, measure) in [(49, "live"), (49, "lost"), (50, "live")] {
        assert_eq!(world.held(&key("R1", week, measure)), Some(d("0")), "{week} {measure}");
    }
    for (name, before) in stamps {
        assert!(before.is_some_and(|value| !value.is_zero()));
        assert_eq!(world.held(&key("R1", 49, name)), before, "{name}");
    }
    world.audit();
}

#[test]
fn a_measure_has_an_end_of_its_own_and_a_status_is_never_zero() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R1", 49, "90")]);
    let mut measures = measures();
    measures.push(crate::world::decl("status", "status", "value"));
    let want = |complete| Want {
        target: TARGET.into(),
        as_of: world.clock.now(),
        measures: measures.clone(),
        mapped: Default::default(),
        refresh_within: jiff::SignedDuration::ZERO,
        complete,
    };
    let mut cells = desired("R1", 49, d("90"), world.clock.now());
    let mut status = cells[0].clone();
    (status.key.measure, status.value) = ("status".into(), d("1"));
    cells.push(status);
    let take = |want, cells| {
        ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now()).unwrap()
    };
    take(want(Vec::new()), cells);
    world.land();
    world.advance(60);
    let ends = [("lost".to_owned(), End::Leave)].into();
    let complete = Complete { scope: Scope::base(), closed_before: today(), end: End::Zero, ends };
    take(want(vec![complete]), desired("R1", 48, d("100"), world.clock.now()));
    let wanted = |measure| {
        ledger::cell(&world.reader(), &key("R1", 49, measure), world.clock.now()).unwrap().value
    };
    assert_eq!((wanted("live"), wanted("status")), (d("0"), d("6")), "unknown, not zero");
    assert_ne!(wanted("lost"), d("0"), "it stays as it is");
    world.audit();
}

#[test]
fn undo_restores_what_was_seen_before_a_receipt_and_pins_it() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.advance(60);
    world.want(&[("R1", 48, "90")]);
    let (_, applied, _) = world.land();
    let request = UndoRequest {
        target: TARGET.into(),
        receipt: applied.receipts[0].clone(),
        who: "A. Planner".into(),
        why: "wrong shift calendar".into(),
        until: world.clock.now() + jiff::SignedDuration::from_hours(24),
        measures: measures(),
    };
    let undone = undo(world.state(), request, world.clock.now()).unwrap();
    assert_eq!((undone.cells, undone.unchanged), (2, 2), "{undone:?}");
    let (_, plan) = world.plan();
    assert!(lines(&plan).iter().filter(|line| !line.carried).all(|l| l.reason == Why::Undo));
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("100")));
    world.advance(60);
    let pinned = world.want(&[("R1", 48, "90")]);
    assert_eq!(pinned.pinned, 2);
    world.advance(24 * 60);
    world.want(&[("R1", 48, "90")]);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    world.audit();
}

#[test]
fn a_value_that_comes_back_before_it_was_read_needs_no_second_sending() {
    let world = World::new();
    world.want(&[("R1", 48, "93")]);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    world.want(&[("R1", 48, "90")]);
    world.want(&[("R1", 48, "93")]);
    assert_eq!(world.verify(Which::All).landed, 4);
    let status = world.status();
    assert_eq!((status.wanted, status.accepted, status.seen), (4, 4, 4));
    assert_eq!(world.plan().0.counts.cells, 0);
    world.want(&[("R1", 48, "90")]);
    world.want(&[("R1", 48, "93")]);
    assert_eq!(world.status().accepted, 4);
    assert_eq!(world.fake.inside().effects.len(), 4);
    world.audit();
}
