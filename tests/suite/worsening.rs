//! `examples/worsening-line`: its data are simulated here, and its README says what
//! `accuracy` says of them.

use std::{fmt::Write as _, fs, path::PathBuf};

use jiff::Timestamp;
use planthread::{
    config,
    pipeline::{accuracy, facts_of_files},
};
use rust_decimal::Decimal;
use serde_json::Value;

/// Monday 2026-01-26 00:00 UTC, and 43 weeks from it.
const BEGIN: &str = "2026-01-26T00:00:00Z";
const WEEKS: i64 = 43;
const WEEK: i64 = 168 * 60;
const SHIFT: i64 = 8 * 60;
/// From this week on the second machine gets worse.
const WORSE_FROM: i64 = 17;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/worsening-line")
}

/// The same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Minutes until something happens that happens once in so many hours.
    fn wait(&mut self, hours: f64) -> i64 {
        (-self.share().ln() * hours * 60.0) as i64 + 1
    }
}

/// Stops of a machine in minutes from the beginning, each with its end.
fn stops(dice: &mut Dice, up: f64, down: impl Fn(i64) -> f64) -> Vec<(i64, i64)> {
    let (mut all, mut at) = (Vec::new(), 0);
    loop {
        let from = at + dice.wait(up);
        at = from + dice.wait(down(from / WEEK));
        if from >= WEEKS * WEEK {
            return all;
        }
        all.push((from, at));
    }
}

fn instant(minute: i64) -> String {
    let begin: Timestamp = BEGIN.parse().unwrap();
    (begin + jiff::SignedDuration::from_mins(minute)).strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// Both files: what the machines said, and what the last one counted. A part a minute is
/// made while all three run: no buffer stands between them.
fn simulated() -> [(&'static str, String); 2] {
    let mut dice = Dice(20_261_128);
    let worse = |week: i64| 0.25_f64.mul_add((week - WORSE_FROM).max(0) as f64, 1.0);
    let machines = [
        stops(&mut dice, 40.0, |_| 2.0),
        stops(&mut dice, 20.0, worse),
        stops(&mut dice, 60.0, |_| 3.0),
    ];
    let end = WEEKS * WEEK;
    let (mut rows, mut runs) = (Vec::new(), vec![true; usize::try_from(end).unwrap()]);
    for (number, stops) in machines.iter().enumerate() {
        for (from, to) in stops {
            rows.push((*from, number, "failure"));
            rows.push((*to, number, "restored"));
            runs[usize::try_from(*from).unwrap()..usize::try_from(end.min(*to)).unwrap()]
                .fill(false);
        }
    }
    rows.sort_unstable();
    let mut events = "time,machine,event\n".to_owned();
    for (at, number, event) in rows.into_iter().filter(|(at, ..)| *at < end) {
        let _ = writeln!(events, "{},M{},{event}", instant(at), number + 1);
    }
    let (mut counts, mut total) = ("shift_start,machine,parts_total\n".to_owned(), 0);
    for (shift, minutes) in runs.chunks(usize::try_from(SHIFT).unwrap()).enumerate() {
        total += minutes.iter().filter(|runs| **runs).count();
        let start = i64::try_from(shift).unwrap() * SHIFT;
        let _ = writeln!(counts, "{},M3,{total}", instant(start));
    }
    [("machine-events.csv", events), ("shift-counts.csv", counts)]
}

/// What `accuracy` says of weeks that were foretold as they began, as rows of a table.
fn told() -> Vec<[String; 7]> {
    let loaded = config::load(&folder().join("planthread.yaml"), None).unwrap();
    let as_of = loaded.config.plant.as_of.unwrap();
    let (facts, refused) = facts_of_files(&loaded, as_of).unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    let found = accuracy(&loaded, &facts, as_of, 26, (None, "files")).unwrap();
    let found = serde_json::to_value(found).unwrap();
    let resources = found["resources"].as_array().unwrap().iter();
    let rows = resources.flat_map(|resource| {
        let ahead = resource["summaries"].as_array().unwrap().iter();
        ahead.map(|one| {
            let hours = |value: &Value| {
                let value: Decimal = value.as_str().unwrap().parse().unwrap();
                format!("{:.2}", value.round_dp(2))
            };
            let (landed, trailing) = (&one["landed"], &one["trailing"]);
            [
                resource["resource"].as_str().unwrap().to_owned(),
                one["ahead"].to_string(),
                hours(&one["happened"]),
                hours(&landed["bias"]),
                hours(&landed["error"]),
                hours(&trailing["error"]),
                one["skill"].as_str().unwrap().replace('_', " "),
            ]
        })
    });
    rows.collect()
}

#[test]
fn its_data_are_what_is_simulated_and_its_readme_says_what_accuracy_says() {
    let update = std::env::var_os("UPDATE_EXAMPLES").is_some();
    for (name, text) in simulated() {
        let file = folder().join(name);
        if update {
            fs::write(&file, &text).unwrap();
        }
        assert!(fs::read_to_string(&file).unwrap() == text, "{name} is not what is simulated");
    }
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for row in told() {
        let line = format!("| {} |", row.join(" | "));
        assert!(readme.contains(&line), "the README has not: {line}");
        // What gets worse is not promised: the bias is at most a third of the error.
        let [bias, error] = [3, 4].map(|at| row[at].parse::<Decimal>().unwrap());
        assert!(row[1] != "1" || bias * Decimal::from(3) <= error, "{line}");
    }
}
