//! What a target refused goes out again when somebody says so, or once when the mapping
//! behind it is another one; and each refusal is told until it ends.

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::Scope;
use planthread_engine::{
    EngineError,
    ledger::{
        self, Complete, End, RejectState as S, Want,
        mapped::{ENCODING, MEASURES, Mapped, ROWS},
    },
    status::{Reject, rejections, rejects},
};
use planthread_kit::Clock as _;
use proptest::prelude::*;

use crate::world::{TARGET, World, d, desired, measures, start};

/// What the mapping behind the cells says, each as a number that only grows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said {
    of_r1: u32,
    of_r2: u32,
    of_live: u32,
    encoding: u32,
    zone: u32,
}

impl Said {
    fn mapped(self) -> Mapped {
        let mut mapped = Mapped::default();
        mapped.put(ROWS, "R1@1010", "source", self.of_r1);
        mapped.put(ROWS, "R2@1010", "source", self.of_r2);
        mapped.put(MEASURES, "live", "surface", self.of_live);
        mapped.put(ENCODING, "", "settings", self.encoding);
        mapped.put("plant", "p", "zone", self.zone);
        mapped
    }
}

/// Wants everything that is wanted: resources with their values, in week 48.
pub(crate) fn want(world: &World, said: Said, cells: &[(&str, &str)], closed_before: &str) {
    let cells = cells.iter().flat_map(|(r, v)| desired(r, 48, d(v), start())).collect();
    let complete = Complete {
        scope: Scope::base(),
        closed_before: closed_before.parse::<Date>().unwrap(),
        end: End::Leave,
        ends: Default::default(),
    };
    let want = Want {
        target: TARGET.into(),
        as_of: start(),
        measures: measures(),
        mapped: said.mapped(),
        refresh_within: SignedDuration::from_hours(2),
        complete: vec![complete],
    };
    ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now()).unwrap();
}

pub(crate) const BOTH: [(&str, &str); 2] = [("R1", "100"), ("R2", "90")];
pub(crate) const OPEN: &str = "2026-11-02";

/// A world in which everything of both resources was refused.
fn refused() -> World {
    let world = World::new();
    world.fake.inside().refuses = ["R1".to_owned(), "R2".to_owned()].into();
    want(&world, Said::default(), &BOTH, OPEN);
    assert_eq!(world.land().1.rejected, 8);
    world
}

fn all(world: &World) -> Vec<Reject> {
    rejections(&world.reader(), Timestamp::MIN).unwrap()
}

fn states(world: &World) -> Vec<S> {
    all(world).iter().map(|reject| reject.state).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn law_13_only_what_another_mapping_stands_behind_goes_out_again_and_once(
        steps in prop::collection::vec(0..6_usize, 1..8),
    ) {
        let world = refused();
        let mut said = Said::default();
        for step in steps {
            let touched = match step {
                0 => { said.of_r1 += 1; 4 }
                1 => { said.of_r2 += 1; 4 }
                2 => { said.of_live += 1; 2 }
                3 => { said.encoding += 1; 8 }
                4 => { said.zone += 1; 8 }
                _ => 0,
            };
            want(&world, said, &BOTH, OPEN);
            let retried = states(&world).iter().filter(|state| **state == S::Retried).count();
            prop_assert_eq!(retried, touched);
            world.audit();
            let (_, applied, _) = world.land();
            prop_assert_eq!((applied.sent, applied.rejected), (touched as u64, touched as u64));
            // Time passes, and nothing else changes.
            for _ in 0..2 {
                world.advance(60);
                want(&world, said, &BOTH, OPEN);
                prop_assert_eq!(world.land().1.sent, 0, "it was sent once");
            }
            prop_assert_eq!(rejects(&world.reader()).unwrap().len(), 8);
            world.audit();
        }
    }
}

#[test]
fn law_13_what_was_cured_with_the_mapping_lands_and_is_told_so() {
    let world = refused();
    world.fake.inside().refuses.clear();
    want(&world, Said::default(), &BOTH, OPEN);
    assert_eq!(world.land().1.sent, 0, "nobody knows that it was cured");
    want(&world, Said { encoding: 1, ..Said::default() }, &BOTH, OPEN);
    assert_eq!(world.land().1.accepted, 8);
    assert_eq!(states(&world), [S::Landed; 8]);
    want(&world, Said { encoding: 1, ..Said::default() }, &BOTH, OPEN);
    let ended = all(&world);
    assert!(ended.iter().all(|one| one.state == S::Landed && one.ended_at.is_some()), "{ended:?}");
    world.audit();
}

#[test]
fn law_13_a_refusal_that_nobody_can_cure_any_more_expires_and_is_told_with_its_reason() {
    let world = refused();
    world.fake.inside().refuses.clear();
    // R1 gets another value, R2 leaves the plan.
    want(&world, Said::default(), &[("R1", "101")], OPEN);
    let whys: Vec<(String, String)> = all(&world)
        .into_iter()
        .filter(|one| one.state == S::Expired)
        .map(|one| (one.key.resource.to_string(), one.why))
        .collect();
    let count = |resource: &str, why: &str| {
        whys.iter().filter(|(r, w)| r == resource && w.contains(why)).count()
    };
    assert_eq!((count("R1", "newer value"), count("R2", "left the plan")), (2, 4), "{whys:?}");
    // Its stamps are what they were, and were refused.
    assert_eq!(rejects(&world.reader()).unwrap().len(), 2);
    world.land();
    world.audit();
}

#[test]
fn law_13_a_refusal_in_a_closed_period_expires_also_where_something_arrived_before() {
    let world = World::new();
    want(&world, Said::default(), &BOTH, OPEN);
    assert_eq!(world.land().1.accepted, 8);
    world.fake.inside().refuses = ["R1".to_owned()].into();
    want(&world, Said::default(), &[("R1", "99"), ("R2", "90")], OPEN);
    let refused = world.land().1.rejected;
    assert!(refused > 0 && states(&world) == vec![S::Open; refused as usize]);
    // A year later nobody wants that week any more.
    want(&world, Said::default(), &[], "2027-11-01");
    let told = all(&world);
    assert!(told.iter().all(|one| one.state == S::Expired && one.why.contains("closed")));
    assert_eq!(told.len() as u64, refused);
    assert_eq!(world.status().states["rejected"], 0);
    world.audit();
}

#[test]
fn law_13_what_a_person_dismissed_is_not_sent_until_its_value_is_another_one() {
    let world = refused();
    let keys = rejects(&world.reader()).unwrap().into_iter().map(|one| one.key).collect();
    let (who, why) = ("mara".to_owned(), "a test".to_owned());
    let now = world.clock.now();
    let done = ledger::dismiss_rejections(world.state(), keys, who, why, now).unwrap();
    assert_eq!((done, states(&world)), (8, vec![S::Dismissed; 8]));
    assert!(all(&world).iter().all(|one| one.who == "mara" && one.ended_at == Some(now)));
    want(&world, Said { encoding: 1, ..Said::default() }, &BOTH, OPEN);
    assert_eq!(world.land().1.sent, 0);
    world.audit();
    want(&world, Said::default(), &[("R1", "101"), ("R2", "90")], OPEN);
    assert_eq!(world.land().1.rejected, 2, "its two numbers");
    assert_eq!(rejects(&world.reader()).unwrap().len(), 2);
    world.audit();
}
