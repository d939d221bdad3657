//! What stood there before us: nothing replaces it until somebody answers.

use planthread_contracts::RevisionState;
use planthread_engine::{
    ledger,
    plan::{PlanHeader, Policy},
    verify::Which,
};

use crate::world::{TARGET, World, d, key};

/// Reads what is to be sent, and plans it.
fn planned(world: &World, policy: &Policy) -> (PlanHeader, Vec<u8>) {
    world.verify(Which::Unread);
    world.plan_with(policy)
}

fn waiting(world: &World) -> Vec<(String, bool)> {
    let found = ledger::unadopted(&world.reader(), TARGET, "").unwrap();
    found.into_iter().map(|one| (one.measure, one.whole)).collect()
}

#[test]
fn values_that_we_never_landed_hold_their_measure_until_somebody_adopts_it() {
    let world = World::new();
    let (theirs, beside) = (key("R1", 48, "live"), key("R2", 48, "live"));
    world.foreign(theirs.clone(), "120");
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    let (header, plan) = planned(&world, &world.policy());
    // Both values of the measure, and both stamps beside each.
    assert_eq!(header.counts.held["not_adopted"], 6, "{header:?}");
    assert_eq!(header.counts.cells, 2, "what was lost lands: its measure was empty");
    assert_eq!(waiting(&world), [("live".to_owned(), true)]);
    let applied = world.apply(&plan, false).unwrap();
    assert_eq!(applied.sent, 2);
    world.verify(Which::All);
    assert_eq!((world.held(&theirs), world.held(&beside)), (Some(d("120")), None));
    ledger::hold_by_policy(world.state(), &world.policy()).unwrap();
    assert_eq!(world.status().held["not_adopted"], 6, "status says why they wait");

    let mut adopted = world.policy();
    adopted.adopted.insert("live".to_owned());
    let (header, plan) = planned(&world, &adopted);
    assert_eq!(header.counts.held.get("not_adopted"), None, "{header:?}");
    world.apply_with(&plan, false, &adopted).unwrap();
    world.verify(Which::Unproven);
    assert_eq!((world.held(&theirs), world.held(&beside)), (Some(d("100")), Some(d("90"))));
    assert_eq!(waiting(&world), [], "ours now, and nobody is asked again");
    let (header, _) = planned(&world, &world.policy());
    assert_eq!((header.counts.cells, header.counts.held.len()), (0, 0), "{header:?}");
    world.audit();
}

#[test]
fn values_that_are_cleared_at_the_target_ask_for_nothing() {
    let world = World::new();
    world.foreign(key("R1", 48, "live"), "120");
    world.want(&[("R1", 48, "100")]);
    assert_eq!(planned(&world, &world.policy()).0.counts.held["not_adopted"], 3);
    world.fake.inside().cells.remove(&key("R1", 48, "live"));
    world.advance(5);
    let (header, plan) = planned(&world, &world.policy());
    assert_eq!((header.counts.cells, header.counts.held.len()), (4, 0), "{header:?}");
    world.apply(&plan, false).unwrap();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("100")));
}

#[test]
fn zero_and_what_is_wanted_anyway_are_nobodys_values() {
    let world = World::new();
    world.foreign(key("R1", 48, "live"), "0");
    world.foreign(key("R2", 48, "live"), "90.00");
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    let (header, _) = planned(&world, &world.policy());
    assert_eq!(header.counts.held.len(), 0, "{header:?}");
    assert_eq!(waiting(&world), []);
}

#[test]
fn a_measure_that_is_ours_waits_only_where_such_a_value_stands() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.foreign(key("R9", 48, "live"), "77");
    world.want(&[("R1", 48, "101"), ("R2", 48, "90"), ("R9", 48, "80")]);
    let (_, plan) = planned(&world, &world.policy());
    assert_eq!(waiting(&world), [("live".to_owned(), false)]);
    world.apply(&plan, false).unwrap();
    let held = |resource: &str| world.held(&key(resource, 48, "live"));
    assert_eq!(held("R1"), Some(d("101")));
    assert_eq!(held("R2"), Some(d("90")));
    assert_eq!(held("R9"), Some(d("77")), "hers, as long as nobody adopts");
}

#[test]
fn own_values_after_a_lost_state_are_no_dead_end() {
    let mut world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    world.land();
    world.state = None;
    std::fs::remove_dir_all(&world.dir).unwrap();
    world.crash();
    world.advance(24 * 60);
    world.want(&[("R1", 48, "100"), ("R2", 48, "95")]);
    let (header, _) = planned(&world, &world.policy());
    assert!(header.counts.held["not_adopted"] > 0, "{header:?}");
    let equal = ledger::cell(&world.reader(), &key("R1", 48, "live"), world.policy().now).unwrap();
    assert_eq!(equal.state, RevisionState::Seen, "what is wanted stands there");
    let mut adopted = world.policy();
    adopted.adopted.extend(["live", "lost", "asof", "validto"].map(str::to_owned));
    let (_, plan) = planned(&world, &adopted);
    world.apply_with(&plan, false, &adopted).unwrap();
    world.verify(Which::Unproven);
    assert_eq!(world.held(&key("R2", 48, "live")), Some(d("95")));
    assert_eq!(waiting(&world), []);
}

#[test]
fn a_zero_that_was_never_sent_is_not_seen_and_goes_once() {
    let world = World::new();
    // A target that pads its rows shows zero where nothing is.
    world.foreign(key("R1", 48, "live"), "0");
    world.want(&[("R1", 48, "0"), ("R2", 48, "0")]);
    let (header, plan) = planned(&world, &world.policy());
    assert_eq!(header.counts.cells, 8, "{header:?}");
    assert_eq!(world.status().seen, 0);
    world.apply(&plan, false).unwrap();
    world.verify(Which::Unproven);
    assert_eq!(world.status().seen, 8);
    let (header, _) = planned(&world, &world.policy());
    assert_eq!(header.counts.cells, 0, "once");
}
