//! Honest changes: nobody wants to be asked about them.

use std::io::Write as _;

use planthread_contracts::Unit;
use planthread_engine::plan::plausible::Judge;

use crate::{
    faults::{Met, judge},
    plant::{Dice, Plant, WEEKS},
    table::{End, Table},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Overtime,
    Shutdown,
    MovedShutdown,
    NewLine,
    RampUp,
    Broken,
}

const CHANGES: [(&str, Change); 6] = [
    ("overtime", Change::Overtime),
    ("shutdown", Change::Shutdown),
    ("a shutdown moves by a week", Change::MovedShutdown),
    ("new line", Change::NewLine),
    ("ramp-up", Change::RampUp),
    ("broken machine", Change::Broken),
];

/// What one place wants after the change, and whether all of it is new.
fn changed(change: Change, right: &[f64], most: f64, dice: &mut Dice) -> Vec<f64> {
    let from = dice.pick(WEEKS - 8);
    let weeks = 1 + dice.pick(4);
    let mut wanted = right.to_vec();
    match change {
        Change::Overtime => {
            let more = dice.real(1.05, 1.5);
            wanted[from..from + weeks]
                .iter_mut()
                .for_each(|hours| *hours = (*hours * more).min(most));
        }
        Change::Shutdown => wanted[from..from + weeks].fill(0.0),
        Change::MovedShutdown => {
            wanted[from..from + weeks].fill(0.0);
        }
        Change::NewLine => {}
        Change::RampUp => {
            let (ramp, begin) = (4 + dice.pick(24), dice.real(0.02, 0.5));
            for (week, hours) in wanted.iter_mut().enumerate().take(ramp) {
                *hours *= begin + (1.0 - begin) * week as f64 / ramp as f64;
            }
        }
        Change::Broken => {
            wanted[..weeks].fill(0.0);
            wanted[weeks] *= dice.real(0.0, 1.0);
            let after = dice.real(0.7, 1.0);
            wanted[weeks + 1..].iter_mut().for_each(|hours| *hours *= after);
        }
    }
    wanted
}

fn asked(change: Change, first: bool, dice: &mut Dice) -> bool {
    let plant = Plant::new(dice);
    let one = dice.pick(plant.places.len());
    let whole = change == Change::Shutdown && dice.chance(0.5);
    let drift = dice.real(0.98, 1.02);
    let new = matches!(change, Change::NewLine | Change::RampUp);
    let shared = dice.clone();
    let places = plant.places.iter().enumerate().map(|(number, place)| {
        let right: Vec<f64> = (0..WEEKS).map(|week| place.week(week, 0)).collect();
        let own: Vec<f64> = (0..WEEKS).map(|week| place.assumed(week, 0)).collect();
        let hit = number == one || whole;
        let mut landed: Vec<f64> =
            right.iter().map(|hours| hours * drift * dice.real(0.998, 1.002)).collect();
        let mut dice = shared.clone();
        let wanted =
            if hit { changed(change, &right, 168.0 * place.units, &mut dice) } else { right };
        if hit && change == Change::MovedShutdown {
            // It stood a week earlier before.
            let mut before = shared.clone();
            let (from, weeks) = (before.pick(WEEKS - 8), 1 + before.pick(4));
            landed[from.saturating_sub(1)..(from + weeks).saturating_sub(1)].fill(0.0);
        }
        let is_first = first || (hit && new);
        // A target may know nothing of a line that is new.
        let known = !(hit && new) || dice.chance(0.7);
        let landed = (!is_first).then_some(landed);
        let own = (is_first && known).then_some(own);
        (wanted, landed, own)
    });
    let places: Vec<_> = places.collect();
    let verdicts = judge(&plant, places.into_iter(), Met::Silently, Unit::Hour, Judge::default());
    !verdicts.asked.is_empty()
}

#[test]
fn of_a_thousand_honest_changes_hardly_any_is_asked_about() {
    // That a landing is the first is a question of its own, whatever it brings: it is asked
    // once, and not counted here.

    let mut table = Table::default();
    for number in 0..1_000 {
        let mut dice = Dice::new(1_000_000 + number);
        let number = usize::try_from(number).unwrap();
        let (name, change) = CHANGES[number % CHANGES.len()];
        let first = (number / CHANGES.len()).is_multiple_of(3);
        let end = if asked(change, first, &mut dice) { End::Stopped } else { End::Silent };
        let how = if first { "first" } else { "landed before" };
        table.count(&format!("{name} ({how})"), end);
    }
    std::io::stderr().write_all(table.text("honest changes: stopped is asked").as_bytes()).unwrap();
    let (all, asked, ..) = table.of(|_| true);
    assert!(asked * 100 <= all * 2, "{asked} of {all} honest changes are asked about");
}
