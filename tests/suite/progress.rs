//! Whoever watches sees what is under way, at any moment, and nothing when it is
//! over.

use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};

use planthread::{
    pipeline::{Board, Doing},
    report::progress,
};
use planthread_engine::verify::Which;
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, Rule, faults::When};

use crate::{wire::Effect, world::World};

#[test]
fn a_board_shows_every_step_with_how_far_it_is() {
    let world = World::small();
    // Whatever is answered at once is over before anybody could look.
    let slow = Rule {
        fault: Fault::Slow(Duration::from_secs(2)),
        matches: None,
        when: When::Range(1, u64::MAX),
    };
    world.wire().faulty.schedule(slow);
    let mut live = world.open();
    let board = Board::new(Arc::new(world.clock.clone()));
    live.bridge = live.bridge.watched(Arc::clone(&board));
    let mut seen: Vec<Doing> = Vec::new();
    let targets = std::slice::from_ref(&live.target);
    let mut cycle = pin!(live.bridge.cycle(targets, live.bridge.as_of()));
    let done = world.clock.block_on(poll_fn(|context| {
        let polled = cycle.as_mut().poll(context);
        seen.extend(board.now());
        polled
    }));
    assert!(done.unwrap().targets[0].stopped.is_none());
    assert!(board.now().is_empty(), "nothing is left on it");
    let now = world.clock.now();
    let said: Vec<String> = seen.iter().map(|doing| progress::part(doing, now)).collect();
    let expected =
        ["ibp: reading what stands there", "ibp: sending, batch 1 of 1, ", "ibp: reading back, "];
    for words in expected {
        assert!(said.iter().any(|line| line.starts_with(words)), "{words}: {said:#?}");
    }
    for words in [" of about ", "36 cells, going out", "36 cells, the target works on them"] {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:#?}");
    }
    // Dropped on its way, a walk leaves nothing on the board.
    world.pass(60);
    world.wire().kill_at(1, Effect::Before);
    let sweep = live.bridge.verify(&live.target, Which::All);
    assert!(world.until_killed(sweep).is_none());
    assert!(board.now().is_empty());
}

#[test]
fn a_push_of_which_nobody_knows_says_why() {
    let world = World::small();
    world.wire().faulty.schedule("login-page:/commit@1".parse().unwrap());
    let mut live = world.open();
    let board = Board::new(Arc::new(world.clock.clone()));
    live.bridge = live.bridge.watched(Arc::clone(&board));
    let targets = std::slice::from_ref(&live.target);
    let mut cycle = pin!(live.bridge.cycle(targets, live.bridge.as_of()));
    let mut said: Vec<String> = Vec::new();
    let done = world.clock.block_on(poll_fn(|context| {
        let polled = cycle.as_mut().poll(context);
        said.extend(board.now().iter().map(|doing| progress::part(doing, world.clock.now())));
        polled
    }));
    assert!(done.unwrap().targets[0].stopped.is_none());
    let named: Vec<&String> = said.iter().filter(|line| line.contains("login page")).collect();
    assert!(named.iter().any(|line| line.contains("the target says INITIAL")), "{said:#?}");
    let last = said.iter().rposition(|line| line.contains("login page")).unwrap();
    let after = &said[last + 1..];
    assert!(after.iter().any(|line| line.contains("the target works on them")), "{after:#?}");
}
