//! Killed at random moments, for as long as `cargo xtask torture` asks.
//! `PLANTHREAD_TORTURE=SEED,SECONDS` says from which seed on, and for how long; without
//! it nothing is tried, because `moments` climbs its ladder with each run.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use planthread::registry::TARGETS;
use planthread_kit::{Clock as _, VirtualClock};

use crate::moments::{killed_after, undisturbed};

#[test]
#[expect(clippy::print_stderr, reason = "what was tried is for whoever runs this test")]
#[expect(clippy::disallowed_methods, reason = "for how long processes are killed is real time")]
fn law_12_killed_at_random_moments_and_run_again() {
    let Ok(asked) = std::env::var("PLANTHREAD_TORTURE") else { return };
    let (seed, seconds) = asked.split_once(',').unwrap();
    let dice = VirtualClock::new(Timestamp::UNIX_EPOCH, seed.parse().unwrap());
    let limit = Duration::from_secs(seconds.parse().unwrap());
    let (began, mut killed) = (Instant::now(), 0);
    let whole = TARGETS.iter().map(undisturbed).collect::<Vec<_>>();
    while killed == 0 || began.elapsed() < limit {
        let number = usize::try_from(dice.random() % TARGETS.len() as u64).unwrap();
        // A moment may lie anywhere in a run, and a little beyond.
        let share = u32::try_from(dice.random() % 110).unwrap();
        let wait = whole[number] * share / 100;
        eprintln!("seed {seed}, death {killed}: {} after {wait:?}", TARGETS[number].target.name);
        killed_after(&TARGETS[number], wait, killed);
        killed += 1;
    }
    eprintln!("{killed} processes were killed, and each run after them landed everything once");
}
