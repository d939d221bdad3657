//! A machine with two states, foretold by a twin, against the same machine played
//! many times: its expected share up, and the share that it stays below in one
//! play of ten.

#![expect(clippy::unwrap_used, reason = "a test that can't make its input must fail there")]

mod dice;

use std::io::Write as _;

use dice::Dice;
use planthread_contracts::{Origin, RawRecord};
use planthread_domain::{
    Decoder, Facts, Plant,
    decode::{Forecast, Foretold},
};
use rust_decimal::prelude::ToPrimitive as _;

/// Plays of each machine.
const PLAYS: usize = 4_000;

/// Deviations by which a mean or a share of plays may lie off by chance.
const CHANCE: f64 = 4.5;

/// Between `least` and `most`, each order of size as often as another.
fn size(dice: &mut Dice, least: f64, most: f64) -> f64 {
    least * (most / least).powf(dice.share())
}

struct Machine {
    to_failure: f64,
    to_repair: f64,
    up_at_start: f64,
    hours: f64,
}

impl Machine {
    fn random(dice: &mut Dice) -> Self {
        let up_at_start = [1.0, 0.0, dice.share()][(dice.share() * 3.0) as usize];
        let (to_failure, to_repair) = (size(dice, 2.0, 2_000.0), size(dice, 0.2, 200.0));
        Self { to_failure, to_repair, up_at_start, hours: 24.0 + 144.0 * dice.share() }
    }

    /// The share of its hours that it was up.
    fn play(&self, dice: &mut Dice) -> f64 {
        let (mut at, mut sum, mut runs) = (0.0, 0.0, dice.share() < self.up_at_start);
        while at < self.hours {
            let wait = dice.wait(if runs { self.to_failure } else { self.to_repair });
            sum += if runs { wait.min(self.hours - at) } else { 0.0 };
            at += wait;
            runs = !runs;
        }
        sum / self.hours
    }

    /// The numbers of its forecast: expected and low.
    fn foretold(&self) -> (f64, f64) {
        let data = serde_json::json!({
            "resource": { "id": "M", "level": "work_cell" },
            "issued_at": "2026-11-22T21:00:00Z", "zone": "UTC", "unit": "HUR",
            "periods": [{ "period": "2026-W48", "start": "2026-11-23T00:00:00Z",
                "end": "2026-11-30T00:00:00Z", "scheduled_hours": self.hours,
                "two_state": { "mean_time_to_failure_hours": self.to_failure,
                    "mean_time_to_repair_hours": self.to_repair,
                    "up_at_start": self.up_at_start } }],
            "source": { "twin_id": "T", "twin_kind": "asset",
                "observed_until": "2026-11-22T21:00:00Z" },
            "quality": { "coverage": "1", "worst": "good" },
        });
        let event = serde_json::json!({ "specversion": "1.0", "id": "1", "source": "twin",
            "type": "planthread.availability-forecast.v1", "data": data });
        let record = RawRecord {
            source: "twin".into(),
            id: "1".into(),
            media_type: "application/cloudevents+json".into(),
            body: event.to_string().into_bytes(),
            received_at: "2026-11-22T22:00:00Z".parse().unwrap(),
            origin: Origin { place: "stdin".into(), line: 1 },
        };
        let mut facts = Facts::default();
        Decoder::new(&plant()).unwrap().decode(&record, &mut facts).unwrap();
        let of = |what| {
            let found = facts.forecasts.iter().find(|one: &&Forecast| one.what == what);
            found.unwrap().value.to_f64().unwrap()
        };
        (of(Foretold::UpFraction), of(Foretold::LowUpFraction))
    }
}

fn plant() -> Plant {
    serde_json::from_value(serde_json::json!({
        "id": "SIM", "zone": "UTC",
        "calendars": [{ "id": "24x7", "version": "1", "round_the_clock": true }],
        "resources": [{ "id": "M", "class": "machine", "calendar": "24x7" }],
        "sources": [{ "name": "twin", "reader": { "cloudevents": {} } }],
    }))
    .unwrap()
}

#[test]
fn a_machine_with_two_states_is_up_as_when_it_is_played() {
    let mut dice = Dice(20_261_126);
    let (mut farthest, mut largest) = (0.0f64, 0.0f64);
    for _ in 0..60 {
        let machine = Machine::random(&mut dice);
        let (expected, low) = machine.foretold();
        let plays: Vec<f64> = (0..PLAYS).map(|_| machine.play(&mut dice)).collect();
        let n = PLAYS as f64;
        let mean = plays.iter().sum::<f64>() / n;
        let spread = plays.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / n;
        let off = (mean - expected).abs() / (spread / n).sqrt().max(1e-6);
        // Told to eight decimals; a machine may also be up for just that share.
        let below = plays.iter().filter(|one| **one < low - 1e-7).count() as f64 / n;
        let up_to = plays.iter().filter(|one| **one <= low + 1e-7).count() as f64 / n;
        let outside = (below - 0.1).max(0.1 - up_to).max(0.0) / (0.09 / n).sqrt();
        (farthest, largest) = (farthest.max(off), largest.max(outside));
        let told = format!(
            "MTTF {:.2} h, MTTR {:.2} h, up {:.2}, {:.1} h: expected {expected:.5} ({mean:.5}), \
             low {low:.5} ({below:.4} below, {up_to:.4} up to it)",
            machine.to_failure, machine.to_repair, machine.up_at_start, machine.hours
        );
        assert!(off < CHANCE && outside < CHANCE, "{told}");
    }
    // For people, also where the test passes.
    let told =
        format!("two states: mean off by {farthest:.2} deviations, low by {largest:.2} at most\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}
