//! An independent check of the timeline and of all figures that are made of it: a
//! slow oracle on a grid of 15 minutes, written from ADR 16 and not from the code,
//! and the laws as properties over random plants.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail there")]

mod compare;
mod dice;
mod grid;
mod laws;
mod line;
mod machine;
mod output;
mod plant;
mod random;
mod voice;
mod world;

use compare::{Deviations, compare};
use dice::Dice;

/// How many random plants.
const PLANTS: u64 = 1_000;

#[test]
#[expect(clippy::print_stdout, reason = "the largest deviation is for people")]
fn a_slow_oracle_agrees_over_random_plants() {
    let mut deviations = Deviations::default();
    for seed in 0..PLANTS {
        compare(seed, &random::world(seed), &mut deviations);
        assert!(deviations.faults.is_empty(), "{:#?}", deviations.faults);
    }
    println!("{PLANTS} random plants: {deviations}");
}

#[test]
fn the_order_of_sources_changes_nothing() {
    for seed in 0..PLANTS / 5 {
        let world = random::world(2_000_000 + seed);
        let differ = laws::order_changes_nothing(&world, &mut Dice::new(seed));
        assert!(differ.is_empty(), "seed {seed}: {differ:?}");
    }
}
