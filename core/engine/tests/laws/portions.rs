//! A want comes in portions: as many resources as there are, and few in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use planthread_contracts::{DesiredCell, Scope};
use planthread_engine::{
    EngineError,
    ledger::{self, Complete, End, Want, Wanted},
};
use planthread_kit::Clock as _;

use crate::world::{TARGET, World, d, desired, key, measures, today};

/// Wants everything that is wanted.
fn want(
    world: &World,
    portions: impl IntoIterator<Item = Vec<DesiredCell>>,
) -> Result<Wanted, EngineError> {
    let portions = portions.into_iter().map(Ok);
    ledger::want(world.state(), wanted(world), portions, world.clock.now())
}

fn wanted(world: &World) -> Want {
    Want {
        target: TARGET.into(),
        as_of: world.clock.now(),
        measures: measures(),
        mapped: Default::default(),
        refresh_within: jiff::SignedDuration::ZERO,
        complete: vec![Complete {
            scope: Scope::base(),
            closed_before: today(),
            end: End::Zero,
            ends: Default::default(),
        }],
    }
}

fn portion(world: &World, resource: &str, value: &str) -> Vec<DesiredCell> {
    desired(resource, 48, d(value), world.clock.now())
}

#[test]
fn portions_are_asked_for_when_they_are_taken_in_and_not_before() {
    let world = World::new();
    let mut asked = 0;
    let portions = (0..1_000).map(|number| {
        asked += 1;
        // The first one is refused: nobody takes the others.
        portion(&world, &format!("R{number}"), "100.125")
    });
    assert!(want(&world, portions).is_err());
    assert!(asked <= 4, "{asked} portions were made, and one was taken in");
}

#[test]
fn what_is_not_told_to_its_end_counts_for_nothing() {
    let world = World::new();
    want(&world, ["R1", "R2"].map(|resource| portion(&world, resource, "100"))).unwrap();
    world.land();
    world.advance(60);
    let broken = (0..2).map(|number| match number {
        0 => portion(&world, "R1", "90"),
        _ => panic!("the projection broke off"),
    });
    assert!(catch_unwind(AssertUnwindSafe(|| want(&world, broken))).is_err());
    // Neither the first portion, nor the end of what was missing.
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("100")));
    assert_eq!(world.held(&key("R2", 48, "live")), Some(d("100")));
    world.audit();
}

#[test]
fn a_portion_that_can_not_be_made_ends_the_want_and_tells_why() {
    let world = World::new();
    want(&world, ["R1", "R2"].map(|resource| portion(&world, resource, "100"))).unwrap();
    world.land();
    world.advance(60);
    let broken = [Ok(portion(&world, "R1", "90")), Err(EngineError::DiskFull)];
    let told = ledger::want(world.state(), wanted(&world), broken, world.clock.now());
    assert!(matches!(told, Err(EngineError::DiskFull)), "{told:?}");
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("100")));
    assert_eq!(world.held(&key("R2", 48, "live")), Some(d("100")));
}

#[test]
fn a_group_that_comes_in_two_portions_is_wanted_twice() {
    let world = World::new();
    let mut cells = portion(&world, "R1", "100");
    let rest = cells.split_off(1);
    let error = want(&world, [cells, rest]).unwrap_err().to_string();
    assert!(error.contains("R1") && error.contains("twice"), "{error}");
}
