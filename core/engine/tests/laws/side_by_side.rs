//! Batches of one plan that are out side by side: as many as the policy and the
//! target say, over disjoint cells, and nothing of a cell inverts its order.

use std::collections::BTreeSet;

use planthread_contracts::CellKey;
use planthread_kit::{Class, Clock as _};
use proptest::prelude::*;

use crate::{
    fake::{Ending, Fault},
    jobs::{FOR_EVER, end},
    model::effects_once,
    world::{World, d, key},
};

/// What one resource wants for weeks 44 to 51, as four batches of two groups.
fn wanted(side_by_side: usize, faults: &[Fault]) -> World {
    let mut world = World::new();
    world.side_by_side = side_by_side;
    let cells: Vec<(&str, u32, &str)> = (44..52).map(|week| ("R1", week, "100")).collect();
    world.want(&cells);
    world.fake.inside().faults.extend(faults);
    world
}

/// The cells of every batch that went out, no cell in two of them.
fn disjoint(world: &World) -> BTreeSet<CellKey> {
    let inside = world.fake.inside();
    let sent = inside.submitted.values().flat_map(|batch| batch.cells());
    let mut seen = BTreeSet::new();
    for cell in sent {
        assert!(seen.insert(cell.key.clone()), "{} went out twice", cell.key);
    }
    seen
}

#[test]
fn as_many_are_out_at_once_as_both_sides_say_and_the_plan_foretells_it() {
    let mut took = Vec::new();
    // The target takes four, whatever a policy says.
    for (says, slots) in [(1, 1), (2, 2), (3, 3), (4, 4), (9, 4)] {
        let world = wanted(says, &[Fault::Works(20, Ending::Takes); 4]);
        let (header, plan) = world.plan();
        // By its sheet a batch takes 208 ms.
        let rounds = 4_u64.div_ceil(slots);
        assert_eq!((header.prediction.batches, header.prediction.write_ms), (4, 208 * rounds));
        let began = world.clock.now();
        let applied = world.apply(&plan, false).unwrap();
        assert_eq!((applied.batches, applied.sent, applied.accepted), (4, 32, 32));
        assert_eq!((applied.receipts.len(), applied.unproven, applied.left), (4, 0, 0));
        assert_eq!(u64::try_from(world.fake.inside().busiest).unwrap(), slots);
        took.push(world.clock.now().duration_since(began).as_millis() / i128::from(rounds));
        assert_eq!(disjoint(&world).len(), 32);
        assert_eq!(world.verify(planthread_engine::verify::Which::Unproven).landed, 32);
        world.audit();
    }
    assert!(took.windows(2).all(|pair| pair[0] == pair[1]), "a round takes its time: {took:?}");
}

#[test]
fn law_4_and_12_two_open_attempts_survive_a_kill_and_bind_their_cells_only() {
    let mut world = wanted(2, &[Fault::Works(FOR_EVER, Ending::Takes); 2]);
    let (_, plan) = world.plan();
    assert!(world.apply_for(&plan, 1).is_none(), "it waits, and is killed");
    assert_eq!((world.status().open_attempts, disjoint(&world).len()), (2, 16));
    // Truth moves on for a cell that is out, and for one that is not.
    world.want(&[("R1", 44, "90"), ("R1", 51, "80")]);
    let (header, _) = world.plan();
    assert_eq!(header.counts.groups, 4, "what is out waits, the rest does not");
    end(&world);
    let found = world.crash();
    assert_eq!((found.done, found.open, found.read_back.landed), (2, 0, 16));
    world.land();
    assert_eq!(world.held(&key("R1", 44, "live")), Some(d("90")));
    assert_eq!(world.held(&key("R1", 51, "live")), Some(d("80")));
    for week in 44..52 {
        effects_once(&world, "R1", week, "live");
    }
    assert_eq!(world.plan().0.counts.cells, 0);
    world.audit();
}

#[test]
fn where_one_is_stopped_the_others_come_to_their_end_and_nothing_new_begins() {
    let fails = Fault::Works(2, Ending::Fails);
    let world = wanted(2, &[fails, Fault::Works(9, Ending::Takes)]);
    let (_, applied, _) = world.land();
    let stopped = applied.stopped.unwrap();
    assert!(stopped.to_string().contains("the area is locked"), "{stopped}");
    assert_eq!((applied.batches, applied.failed, applied.accepted), (2, 8, 8));
    assert_eq!((world.status().open_attempts, world.fake.inside().pushed.len()), (0, 2));
    world.advance(16);
    let (_, again, _) = world.land();
    assert_eq!((again.accepted, world.status().seen), (24, 32));
    world.audit();
}

#[test]
fn a_job_that_is_left_open_keeps_its_slot() {
    let mut world = wanted(1, &[Fault::Works(FOR_EVER, Ending::Takes)]);
    let (_, plan) = world.plan();
    assert_eq!(world.apply_for(&plan, 60).unwrap().unproven, 8, "to the wait limit");
    let (header, plan) = world.plan();
    assert_eq!(header.counts.cells, 24, "the other cells are free");
    let stopped = world.apply(&plan, false).unwrap().stopped.unwrap().to_string();
    assert!(stopped.contains("no end yet") && stopped.contains("attempt list"), "{stopped}");
    assert_eq!(world.fake.inside().pushed.len(), 1, "one job at a time");
    world.side_by_side = 2;
    assert_eq!(world.apply(&plan, false).unwrap().accepted, 24, "beside it");
    end(&world);
    assert_eq!((world.crash().done, world.status().seen), (1, 32));
    world.audit();
}

/// What may become of a batch while another one is stopped.
fn fault() -> impl Strategy<Value = Fault> {
    let class = prop_oneof![Just(Class::Auth), Just(Class::Drift), Just(Class::Fatal)];
    prop_oneof![
        2 => Just(Fault::None),
        2 => Just(Fault::NotSent),
        2 => Just(Fault::Before),
        1 => (1_u32..30).prop_map(|polls| Fault::Works(polls, Ending::Takes)),
        1 => (0_u64..120, class).prop_map(|(seconds, class)| Fault::Stops(seconds, class)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Neither a batch nor the retry of one that is out begins after that.
    #[test]
    fn where_one_is_stopped_no_other_begins_an_attempt(
        slots in 1_usize..5,
        faults in proptest::collection::vec(fault(), 0..12),
    ) {
        let world = wanted(slots, &faults);
        let (_, applied, _) = world.land();
        let (stopped, pushed) = {
            let inside = world.fake.inside();
            (inside.stopped_after, inside.pushed.len())
        };
        if let Some(begun) = stopped {
            prop_assert_eq!(pushed, begun);
            prop_assert!(applied.stopped.is_some());
        }
        world.audit();
    }
}
