//! A model: random days of want, plan, apply, crash, verify. Afterwards every
//! cell is seen, nothing took effect twice, and the books agree.

use std::collections::{BTreeMap, BTreeSet};

use planthread_engine::{ledger, verify::Which};
use proptest::prelude::*;

use planthread_kit::Clock as _;

use crate::{
    fake::Fault,
    world::{World, d, key},
};

#[derive(Debug, Clone)]
enum Step {
    Want { resource: usize, week: u32, hours: u32 },
    Apply { fault: Fault, stale: bool },
    Verify,
    Advance { minutes: u64 },
    Crash,
    Forget { on: bool },
}

pub(crate) const RESOURCES: [&str; 3] = ["R1", "R2", "R3"];

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Drop(2)),
        1 => Just(Fault::Drop(3)),
        1 => Just(Fault::Silent),
        1 => Just(Fault::NotSent),
        1 => Just(Fault::Before),
        1 => Just(Fault::After),
        1 => Just(Fault::HangBefore),
        1 => Just(Fault::HangAfter),
    ];
    prop_oneof![
        4 => (0..3usize, 48..51u32, 90..96u32)
            .prop_map(|(resource, week, hours)| Step::Want { resource, week, hours }),
        4 => (fault, any::<bool>()).prop_map(|(fault, stale)| Step::Apply { fault, stale }),
        2 => Just(Step::Verify),
        2 => (1..40u64).prop_map(|minutes| Step::Advance { minutes }),
        1 => Just(Step::Crash),
        1 => any::<bool>().prop_map(|on| Step::Forget { on }),
    ]
}

/// Runs one step; `old` is a plan that somebody forgot to apply.
fn run(
    world: &mut World,
    step: &Step,
    wanted: &mut BTreeMap<(usize, u32), u32>,
    old: &mut Vec<u8>,
) {
    match step {
        Step::Want { resource, week, hours } => {
            wanted.insert((*resource, *week), *hours);
            world.want(&[(RESOURCES[*resource], *week, &hours.to_string())]);
        }
        Step::Apply { fault, stale } => {
            let (_, fresh) = world.plan();
            let plan = if *stale && !old.is_empty() { old.clone() } else { fresh.clone() };
            *old = fresh;
            world.fake.inside().faults = [*fault].into();
            if world.apply(&plan, *stale).is_none() {
                world.crash();
            }
            world.fake.inside().faults.clear();
        }
        Step::Verify => drop(world.verify(Which::All)),
        Step::Advance { minutes } => world.advance(*minutes),
        Step::Crash => drop(world.crash()),
        Step::Forget { on } => world.fake.inside().forgets = *on,
    }
    world.audit();
}

/// Nothing goes wrong any more, and everything comes to rest.
pub(crate) fn heal(world: &mut World) {
    {
        let mut inside = world.fake.inside();
        inside.faults.clear();
        inside.forgets = false;
    }
    world.crash();
    for _ in 0..6 {
        // The breaker has cooled down, and every settle window has passed.
        world.advance(120);
        world.verify(Which::All);
        world.land();
        world.audit();
    }
}

fn check(world: &World, wanted: &BTreeMap<(usize, u32), u32>) {
    for ((resource, week), hours) in wanted {
        let (live, lost) = (d(&hours.to_string()), d("168") - d(&hours.to_string()));
        let resource = RESOURCES[*resource];
        assert_eq!(world.held(&key(resource, *week, "live")), Some(live));
        assert_eq!(world.held(&key(resource, *week, "lost")), Some(lost));
        for measure in ["live", "lost"] {
            effects_once(world, resource, *week, measure);
        }
    }
    if !wanted.is_empty() {
        let status = world.status();
        assert_eq!((status.seen, status.accepted), (status.wanted, status.wanted), "{status:?}");
        assert_eq!(status.wanted, wanted.len() as u64 * 4);
        assert_eq!(world.plan().0.counts.cells, 0, "a plan after a landing is empty");
    }
    let inside = world.fake.inside();
    let ids: BTreeSet<&String> = inside.pushed.iter().collect();
    assert_eq!(ids.len(), inside.pushed.len(), "an attempt was sent into twice");
}

/// Each revision took effect once, not counting rows that were carried along
/// with their group; and revisions only grew.
pub(crate) fn effects_once(world: &World, resource: &str, week: u32, measure: &str) {
    let cell = key(resource, week, measure);
    let trace = ledger::trace(&world.reader(), &cell, world.clock.now()).unwrap();
    let carried: BTreeSet<&str> =
        trace.attempts.iter().filter(|a| a.carried).map(|a| a.id.as_str()).collect();
    let inside = world.fake.inside();
    let effects: Vec<(u64, &str)> = inside
        .effects
        .iter()
        .filter(|(key, ..)| *key == cell)
        .map(|(_, revision, id)| (*revision, id.as_str()))
        .collect();
    assert!(effects.is_sorted_by_key(|(revision, _)| *revision), "{cell}: {effects:?}");
    let mut once = BTreeSet::new();
    for (revision, id) in effects {
        if !carried.contains(id) {
            assert!(once.insert(revision), "{cell}: revision {revision} took effect twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn law_12_whatever_happens_everything_is_seen_and_nothing_doubled(
        steps in proptest::collection::vec(step(), 1..24),
        side_by_side in 1..=3usize,
    ) {
        let mut world = World::new();
        world.side_by_side = side_by_side;
        let (mut wanted, mut old) = (BTreeMap::new(), Vec::new());
        for step in &steps {
            run(&mut world, step, &mut wanted, &mut old);
        }
        heal(&mut world);
        check(&world, &wanted);
    }
}
