//! A run that must end by an instant ends then, says what is missing, near periods
//! first, and the next one goes on: nothing is lost and nothing twice.

use std::time::Duration;

use planthread::{failure::Exit, report::View as _};
use planthread_contracts::RevisionState;
use planthread_kit::Clock as _;
use planthread_mocks::{latency::Profile, sap_ibp::Options};

use crate::{
    faults::chunked,
    world::{Live, World},
};

/// A target that takes the time that its documents say.
fn slow() -> Options {
    Options { latency: Profile::AsDocumented, ..Options::default() }
}

/// The period of each cell, and whether it has landed.
fn landed(live: &Live) -> Vec<(String, bool)> {
    let there = |state| matches!(state, RevisionState::Seen | RevisionState::Unproven);
    let cells = live.cells().into_iter();
    cells.map(|cell| (cell.key.period.to_string(), there(cell.state))).collect()
}

#[test]
fn a_run_ends_at_its_time_and_the_next_one_goes_on() {
    let whole = {
        let world = World::new(&chunked(), slow());
        let began = world.clock.now();
        assert!(world.cycle(&world.open()).stopped.is_none());
        world.clock.now().duration_since(began).as_secs()
    };
    assert!(whole > 20, "jobs take a while there: {whole}");
    let (mut partly, mut open) = (0, 0);
    for seconds in (1..=whole + 1).step_by(usize::try_from(whole / 16).unwrap()) {
        let when = format!("{seconds} s of {whole}");
        let world = World::new(&chunked(), slow());
        let live = world.open();
        let by = world.clock.now() + Duration::from_secs(seconds.try_into().unwrap());
        let targets = std::slice::from_ref(&live.target);
        let cycle = live.bridge.cycle_by(targets, live.bridge.as_of(), Some(by));
        let mut cycle = world.clock.block_on(cycle).unwrap();
        let exit = cycle.exit();
        let done = cycle.targets.remove(0);
        assert!(world.clock.now() <= by, "{when}");
        live.assert_conserved(&when);
        if let Some(left) = &done.missed {
            let failure = done.stopped.as_ref().unwrap();
            assert_eq!(failure.message, left.failure().message);
            assert_eq!(exit, Exit::Transient, "{when}");
            let cells = live.cells();
            let proven = |state| matches!(state, RevisionState::Seen | RevisionState::Held);
            let missing = cells.iter().filter(|cell| !proven(cell.state)).count();
            assert_eq!((left.wanted, left.count()), (cells.len() as u64, missing as u64), "{when}");
            let landed = landed(&live);
            let far = landed.iter().filter(|(_, landed)| *landed).map(|(period, _)| period).max();
            let near = landed.iter().filter(|(_, landed)| !landed).map(|(period, _)| period).min();
            assert!(far <= near || near.is_none(), "{when}: {far:?} went before {near:?}");
            partly += usize::from(far.is_some() && near.is_some());
            open += live.status().open_attempts;
        } else {
            assert!(done.stopped.is_none(), "{when}: {:?}", done.stopped);
        }
        drop(live);
        let live = world.open();
        world.pass(20);
        let again = world.cycle(&live);
        assert!(again.stopped.is_none(), "{when}: {:?}", again.stopped);
        world.assert_landed(&live, &when);
        assert_eq!(live.status().open_attempts, 0, "{when}");
    }
    assert!(partly > 1 && open > 1, "cut in the middle: {partly}, inside a push: {open}");
}
