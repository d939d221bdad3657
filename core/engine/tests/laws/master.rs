//! What a target refused goes out again once for each change of the master data behind
//! it, and never without one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::PeriodKind;
use planthread_engine::{
    ledger::{self, MasterAsked, MasterData, RejectState as S},
    status::{Reject, rejections, rejects},
};
use planthread_kit::{Clock as _, Discovery, Finding, SurfaceItem, SurfaceKind};
use proptest::prelude::*;

use crate::{
    refused::{BOTH, OPEN, Said, want},
    world::{TARGET, World},
};

/// What the mapping of `live` calls it there.
const SURFACE: &str = "0";

/// What a target lists: each place, and how it declares its measure.
#[derive(Debug, Clone)]
struct Listed {
    places: BTreeMap<&'static str, bool>,
    declared: u32,
    /// A part of the answer is missing.
    unread: bool,
}

impl Listed {
    fn new() -> Self {
        let places = [("R1", false), ("R2", false)].into();
        Self { places, declared: 0, unread: false }
    }

    fn discovery(&self) -> Discovery {
        let listed = self.places.iter().filter(|(_, there)| **there);
        let places = listed.map(|(name, _)| (*name).to_owned()).chain(["R9".to_owned()]);
        let surface = SurfaceItem {
            name: SURFACE.into(),
            kind: SurfaceKind::Measure,
            label: String::new(),
            declared: self.declared.to_string(),
        };
        let finding = Finding {
            line: "rights".into(),
            ok: !self.unread,
            proven: !self.unread,
            needs: None,
            text: "no answer".into(),
            cure: String::new(),
        };
        Discovery {
            surface: vec![surface],
            resources: places.map(|name| (name, "1010".to_owned())).collect(),
            descriptions: BTreeMap::new(),
            scopes: Vec::new(),
            periods: vec![PeriodKind::Week],
            fingerprint: String::new(),
            findings: vec![finding],
        }
    }
}

fn asked() -> MasterAsked {
    MasterAsked {
        places: ["R1", "R2"].map(|name| (name.to_owned(), "1010".to_owned())).into(),
        surfaces: [SURFACE.to_owned()].into(),
        scope: String::new(),
    }
}

fn due(world: &World) -> bool {
    ledger::master_due(&world.reader(), TARGET, &asked(), world.clock.now()).unwrap()
}

fn look(world: &World, listed: &Listed) -> u64 {
    let read = Ok(MasterData::of(&asked(), &listed.discovery()));
    ledger::master_looked(world.state(), TARGET, asked(), read, world.clock.now()).unwrap()
}

/// The target lists those of R1, R2 and R3 that `lists` says; how many refused cells go
/// out again for it.
pub(crate) fn look_at(world: &World, lists: &[bool]) -> u64 {
    let places = ["R1", "R2", "R3"].into_iter().zip(lists.iter().copied()).collect();
    let listed = Listed { places, ..Listed::new() };
    let mut asked = asked();
    asked.places.insert(("R3".to_owned(), "1010".to_owned()));
    let read = Ok(MasterData::of(&asked, &listed.discovery()));
    ledger::master_looked(world.state(), TARGET, asked, read, world.clock.now()).unwrap()
}

fn fails(world: &World) {
    let read = Err("no answer".to_owned());
    let again = ledger::master_looked(world.state(), TARGET, asked(), read, world.clock.now());
    assert_eq!(again.unwrap(), 0);
}

fn all(world: &World) -> Vec<Reject> {
    rejections(&world.reader(), Timestamp::MIN).unwrap()
}

/// Everything of both resources was refused, and what is listed was read.
fn refused(listed: &Listed) -> World {
    let world = World::new();
    world.fake.inside().refuses = ["R1".to_owned(), "R2".to_owned()].into();
    want(&world, Said::default(), &BOTH, OPEN);
    assert_eq!(world.land().1.rejected, 8);
    assert!(due(&world));
    assert_eq!(look(&world, listed), 0, "the first reading is compared with nothing");
    assert!(!due(&world));
    world
}

/// What a cell of `resource` waits for, item by item, as the last readings told it.
type Known = BTreeMap<(&'static str, &'static str), String>;

/// The cells that a change of what was `known` sends out again: 4 cells of each
/// resource, of which `live` alone looks at its measure.
fn follow(known: &mut Known, listed: &Listed) -> u64 {
    let mut again = 0;
    for resource in ["R1", "R2"] {
        let there = listed.places[resource];
        let place = if there { "there".to_owned() } else { String::new() };
        let mut moved = |item, now: String| {
            let told = !now.is_empty() || !listed.unread;
            let was = told.then(|| known.insert((resource, item), now.clone()));
            was.flatten().is_some_and(|was| was != now && !now.is_empty())
        };
        let (of_place, of_measure) =
            (moved("place", place), moved("live", listed.declared.to_string()));
        again += match (of_place, of_measure) {
            (true, _) => 4,
            (false, true) => 1,
            (false, false) => 0,
        };
    }
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn law_13_a_refused_cell_goes_out_again_once_for_each_change_and_never_without_one(
        steps in prop::collection::vec((0..8_usize, any::<bool>()), 1..10),
    ) {
        let mut listed = Listed::new();
        let mut world = refused(&listed);
        let mut value = 100;
        let mut known = Known::new();
        follow(&mut known, &listed);
        for (step, reads) in steps {
            match step {
                0 | 1 => { let place = listed.places.get_mut("R1").unwrap(); *place = !*place; }
                2 => { let place = listed.places.get_mut("R2").unwrap(); *place = !*place; }
                3 => listed.declared += 1,
                4 => listed.unread = !listed.unread,
                5 => drop(world.crash()),
                // Another value is refused in its place, and compared with the same reading.
                6 => value += 1,
                _ => {}
            }
            world.advance(24 * 60);
            let live = value.to_string();
            want(&world, Said::default(), &[("R1", &live), BOTH[1]], OPEN);
            let applied = world.land().1;
            prop_assert_eq!(applied.sent, applied.rejected);
            prop_assert_eq!(applied.sent, if step == 6 { 2 } else { 0 }, "nobody looked");
            prop_assert_eq!(rejects(&world.reader()).unwrap().len(), 8);
            prop_assert!(due(&world));
            if !reads {
                fails(&world);
                prop_assert!(!due(&world), "a reading that failed is not tried at once");
                continue;
            }
            let again = follow(&mut known, &listed);
            prop_assert_eq!(look(&world, &listed), again);
            let retried = all(&world).iter().filter(|one| one.state == S::Retried).count();
            prop_assert_eq!(retried as u64, again);
            world.audit();
            let (_, applied, _) = world.land();
            prop_assert_eq!((applied.sent, applied.rejected), (again, again));
            prop_assert_eq!(rejects(&world.reader()).unwrap().len(), 8, "none is lost");
            // The same reading again is no change.
            prop_assert!(!due(&world));
            prop_assert_eq!(look(&world, &listed), 0);
            world.audit();
        }
    }
}
