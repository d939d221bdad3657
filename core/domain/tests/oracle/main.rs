//! An independent check of the timeline and of all figures that are made of it: a
//! slow oracle on a grid of 15 minutes, written from ADR 16 and not from the code,
//! and the laws as properties over random plants.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail there")]

mod compare;
mod decline;
mod dice;
mod grid;
mod laws;
mod line;
mod losses;
mod machine;
mod output;
mod plant;
mod random;
mod voice;
mod world;

use std::io::{self, Write as _};

use compare::{Deviations, compare, derived_in};
use dice::Dice;
use planthread_contracts::PeriodKind;
use planthread_domain::lanes::in_order;

/// Tells people a number, also where the tests pass.
fn say(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// How many random plants, and how many of them of a long history.
const PLANTS: u64 = 1_000;
const OLD: u64 = 100;

#[test]
fn a_slow_oracle_agrees_over_random_plants() {
    let mut deviations = Deviations::default();
    for seed in 0..PLANTS {
        let mut world = random::world(seed);
        if seed % 4 == 0 {
            random::judge(&mut Dice::new(4_000_000 + seed), &mut world);
        }
        compare(seed, &world, &mut deviations);
        assert!(deviations.faults.is_empty(), "{:#?}", deviations.faults);
    }
    for seed in 3_000_000..3_000_000 + OLD {
        compare(seed, &random::old_world(seed), &mut deviations);
        assert!(deviations.faults.is_empty(), "{:#?}", deviations.faults);
    }
    say(&format!("{} random plants: {deviations}", PLANTS + OLD));
}

#[test]
fn the_order_of_sources_changes_nothing() {
    for seed in 0..PLANTS / 5 {
        let world = random::world(2_000_000 + seed);
        let differ = laws::order_changes_nothing(&world, &mut Dice::new(seed));
        assert!(differ.is_empty(), "seed {seed}: {differ:?}");
    }
}

/// How many random losses of information, in how many plants.
const LOSSES: u64 = 10_000;
const LOSSES_A_PLANT: u64 = 20;

/// Days add up to weeks and months, which another property holds: the smallest and the
/// one that has a low figure are compared.
const COMPARED: [PeriodKind; 2] = [PeriodKind::Day, PeriodKind::Week];

/// What a plant said: losses, figures that were compared, and what is wrong.
type Lost = (u64, usize, Vec<String>);

/// Loses something of one plant so many times.
fn lose(plant: u64) -> Lost {
    // Some have so many weeks behind them that a decline can show.
    let full = match plant % 5 {
        0 => random::old_world(1_000_000 + plant),
        _ => random::world(1_000_000 + plant),
    };
    let (mut compared, mut wrong) = (0, Vec::new());
    for nth in 0..LOSSES_A_PLANT {
        let loss = losses::loss(&full, &mut Dice::new((plant << 8) | nth));
        let derived: Vec<_> = loss.steps.iter().map(|world| derived_in(world, &COMPARED)).collect();
        let mut faults = Vec::new();
        for (worlds, derived) in loss.steps.windows(2).zip(derived.windows(2)) {
            let worlds = (&worlds[0], &worlds[1]);
            compared += laws::loses_nothing(worlds, (&derived[0], &derived[1]), &mut faults);
        }
        if !faults.is_empty() {
            wrong.push(format!("plant {plant}, loss {nth}: {}: {faults:#?}", loss.name));
        }
    }
    (LOSSES_A_PLANT, compared, wrong)
}

#[test]
fn law_8_no_loss_of_information_moves_a_figure_to_its_hopeful_side() {
    let plants: Vec<u64> = (0..LOSSES / LOSSES_A_PLANT).collect();
    let lanes = vec![(); std::thread::available_parallelism().map_or(1, usize::from)];
    let (losses, compared, wrong) = in_order(
        lanes,
        &plants,
        |(), plant| lose(*plant),
        |all| {
            all.fold(Lost::default(), |(losses, compared, mut wrong), (more, figures, faults)| {
                wrong.extend(faults);
                (losses + more, compared + figures, wrong)
            })
        },
    );
    assert_eq!(losses, LOSSES);
    let hopeful = wrong.len();
    say(&format!("{losses} losses of information, {compared} figures: {hopeful} more hopeful"));
    assert!(
        wrong.is_empty(),
        "{} of {losses}: {}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}
