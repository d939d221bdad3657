//! Law 12 for every target, in each of its ways: the bridge dies at any request, and
//! starts again from its disk. What died with it never arrives, has had its effect,
//! or arrives late. In another way than the starting point it dies at the first
//! request of each kind.

use planthread::{
    in_process::gate::{Effect, kind},
    registry::{Registered, TARGETS},
};

use crate::{mortal::Mortal, way::Way};

/// Dies at request `nth`, and starts again.
fn survives(mortal: &mut Mortal, nth: usize, effect: Effect, when: &str) {
    mortal.begin();
    mortal.gate().kill = Some((nth, effect));
    assert!(!mortal.cycle(), "{when}: it went on");
    mortal.gate().killed = false;
    mortal.recovers(when);
}

#[test]
fn law_12_every_target_survives_a_death_at_any_request() {
    std::thread::scope(|scope| {
        for registered in TARGETS {
            for way in Way::all(registered) {
                scope.spawn(move || dies_at_each_request(registered, &way));
            }
        }
    });
}

fn dies_at_each_request(registered: &Registered, way: &Way) {
    let mut mortal = Mortal::new(registered, way);
    let lines = mortal.undisturbed();
    let new = |nth: usize| !lines[..nth - 1].iter().any(|one| kind(one) == kind(&lines[nth - 1]));
    for (nth, line) in (1..).zip(&lines).filter(|(nth, _)| way.name.is_empty() || new(*nth)) {
        for effect in effects(&lines, nth) {
            let when = format!("{}: died at request {nth}, {line}, effect {effect:?}", mortal.name);
            survives(&mut mortal, nth, *effect, &when);
        }
    }
}

/// What becomes of request `nth` when its sender dies: everything at the first and
/// the last request of a kind, in turn at those between. A request that only asks
/// has no effect.
fn effects(lines: &[String], nth: usize) -> &'static [Effect] {
    const ALL: &[Effect] = &[Effect::None, Effect::Before, Effect::Late];
    let line = &lines[nth - 1];
    if line.starts_with("GET ") {
        return &ALL[..1];
    }
    let same = |one: &String| kind(one) == kind(line);
    let edge = !lines[..nth - 1].iter().any(same) || !lines[nth..].iter().any(same);
    let turn = nth % ALL.len();
    if edge { ALL } else { &ALL[turn..=turn] }
}
