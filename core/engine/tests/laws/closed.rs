//! A period closes: what was refused in it stays told while it is wanted, and nothing of
//! it goes out again by itself.

use std::{collections::BTreeSet, ops::Range};

use jiff::{SignedDuration, civil::Date};
use planthread_contracts::{CellKey, Scope};
use planthread_engine::{
    EngineError,
    ledger::{
        self, Complete, End, RejectState as S, Want, Wanted,
        mapped::{ENCODING, Mapped},
    },
    status::{rejections, rejects},
};
use planthread_kit::Clock as _;
use proptest::prelude::*;

use crate::{
    fake::Fault,
    world::{TARGET, World, d, desired, measures, start},
};

const RESOURCES: [&str; 3] = ["R1", "R2", "R3"];
const WEEKS: Range<u32> = 45..49;

/// One round: all that is wanted, as of so many hours after the start, under a mapping.
/// What ends by `closed` is past.
fn want(world: &World, closed: Date, hours: i64, mapping: u32) -> Wanted {
    want_of(world, (WEEKS, 60), closed, hours, mapping)
}

/// The same, of these weeks, with so many hours at least.
fn want_of(
    world: &World,
    (weeks, least): (Range<u32>, u32),
    closed: Date,
    hours: i64,
    mapping: u32,
) -> Wanted {
    let as_of = start() + SignedDuration::from_hours(hours);
    let cells = weeks.flat_map(|week| {
        let live = move |place: usize| d(&(least + 20 * place as u32 + week).to_string());
        let of = move |(place, resource): (usize, _)| desired(resource, week, live(place), as_of);
        RESOURCES.into_iter().enumerate().flat_map(of)
    });
    let cells: Vec<_> = cells.collect();
    world.fake.inside().known.extend(cells.iter().map(|cell| cell.key.clone()));
    let mut mapped = Mapped::default();
    mapped.put(ENCODING, "", "settings", mapping);
    let want = Want {
        target: TARGET.into(),
        as_of,
        measures: measures(),
        mapped,
        refresh_within: SignedDuration::from_hours(8),
        complete: vec![Complete {
            scope: Scope::base(),
            closed_before: closed,
            end: End::Leave,
            ends: Default::default(),
        }],
    };
    ledger::want(world.state(), want, [Ok::<_, EngineError>(cells)], world.clock.now()).unwrap()
}

fn refused(world: &World) -> BTreeSet<CellKey> {
    rejects(&world.reader()).unwrap().into_iter().map(|one| one.key).collect()
}

/// The days on which a week that is wanted, or none, closes.
fn a_day() -> impl Strategy<Value = Date> {
    (0..42_i64)
        .prop_map(|days| Date::constant(2026, 10, 26) + SignedDuration::from_hours(24 * days))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn law_13_rounds_without_news_change_nothing_wherever_a_period_closes(
        refuses in prop::sample::subsequence(RESOURCES.to_vec(), 0..=3),
        faults in prop::collection::vec(any::<bool>(), 0..6),
        (before, closed) in (a_day(), a_day()).prop_map(|(a, b)| (a.min(b), a.max(b))),
        (per_batch, hours) in (1..4_usize, 0..6_i64),
    ) {
        let world = World::with_batches(4 * per_batch);
        world.fake.inside().refuses = refuses.iter().map(|&name| name.to_owned()).collect();
        want(&world, before, 0, 0);
        let faults = faults.iter().map(|fails| if *fails { Fault::Reject } else { Fault::None });
        world.fake.inside().faults = faults.collect();
        world.land();
        world.fake.inside().faults.clear();
        let (wanted, told) = (world.status().wanted, refused(&world));
        let mut plans = BTreeSet::new();
        for round in 1..4 {
            world.advance(60);
            let done = want(&world, closed, round * hours, 0);
            let tried = world.fake.inside().tried.clone();
            let (plan, applied, _) = world.land();
            prop_assert_eq!(world.status().wanted, wanted, "round {}", round);
            let again: Vec<_> = world.fake.inside().tried.difference(&tried)
                .filter(|(key, _)| told.contains(key)).cloned().collect();
            prop_assert!(again.is_empty(), "round {}: {:?}", round, again);
            prop_assert_eq!(done.withdrawn, 0);
            if hours == 0 {
                prop_assert_eq!((done.made, applied.sent), (0, 0), "round {}", round);
                prop_assert_eq!(&refused(&world), &told, "each is told");
                plans.insert(format!("{:?}", plan.counts));
            }
            world.audit();
        }
        prop_assert!(plans.len() <= 1, "{:?}", plans);
        // Its cure reaches past periods too, and then all stands there.
        world.fake.inside().refuses.clear();
        world.advance(60);
        want(&world, closed, 3 * hours, 1);
        world.land();
        let cells = WEEKS.len() * RESOURCES.len() * measures().len();
        let status = world.status();
        prop_assert_eq!((status.wanted, status.seen), (cells as u64, cells as u64));
        world.audit();
    }

    #[test]
    fn law_13_what_was_refused_ends_when_nobody_wants_it_any_more(
        refuses in prop::sample::subsequence(RESOURCES.to_vec(), 1..=3),
        closed in a_day(),
        arrived in any::<bool>(),
    ) {
        let world = World::new();
        if arrived {
            want(&world, a_date("2026-10-26"), 0, 0);
            world.land();
        }
        world.fake.inside().refuses = refuses.iter().map(|&name| name.to_owned()).collect();
        want_of(&world, (WEEKS, 70), a_date("2026-10-26"), 24, 1);
        world.land();
        let told = refused(&world).len();
        prop_assert_eq!(told > 0, true);
        world.advance(60);
        for _ in 0..2 {
            want_of(&world, (0..0, 70), closed, 48, 1);
            world.land();
            prop_assert_eq!(refused(&world).len(), 0);
            prop_assert_eq!(world.status().states["rejected"], 0);
        }
        for one in rejections(&world.reader(), jiff::Timestamp::MIN).unwrap() {
            let over = one.key.period.end() <= closed;
            let said = if over { "its period is closed" } else { "its cell left the plan" };
            prop_assert_eq!((one.state, one.why.as_str()), (S::Expired, said), "{}", one.key);
        }
        world.audit();
    }
}

fn a_date(text: &str) -> Date {
    text.parse().unwrap()
}
