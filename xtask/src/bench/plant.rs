//! A plant of any size: the starting configuration with many machines.

use std::{fmt::Write as _, fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{Clock as _, SystemClock};
use serde_json::{Value, json};

/// The measures, readers and mapping of the demo.
const CONFIG: &str = include_str!("../../../examples/sap-ibp-sandbox/planthread.yaml");
/// Hours that the machines tell of: eight weeks are pooled, and one more.
const HOURS: i64 = 9 * 7 * 24;

/// Machines over so many weeks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plant {
    pub(super) resources: u32,
    pub(super) weeks: u32,
}

impl Plant {
    /// Writes configuration and records into `folder`.
    ///
    /// # Errors
    /// When a file can't be written.
    pub(super) fn write(self, folder: &Path, host: &str) -> Result<(), String> {
        let io = |error: std::io::Error| error.to_string();
        let hour = SystemClock::new().now().as_second().div_euclid(3_600);
        let begins = Timestamp::from_second((hour - HOURS) * 3_600).map_err(|e| e.to_string())?;
        fs::create_dir_all(folder.join("data")).map_err(io)?;
        fs::create_dir_all(folder.join("secrets")).map_err(io)?;
        fs::write(folder.join("secrets/sandbox-password"), "planthread\n").map_err(io)?;
        fs::write(folder.join("data/twin-events.ndjson"), "").map_err(io)?;
        fs::write(folder.join("data/machine-events.csv"), self.events(begins)).map_err(io)?;
        fs::write(folder.join("data/hourly-counts.csv"), self.counts(begins)).map_err(io)?;
        // JSON is YAML.
        let config = self.config(begins, host)?.to_string();
        fs::write(folder.join("planthread.yaml"), config).map_err(io)
    }

    fn config(self, begins: Timestamp, host: &str) -> Result<Value, String> {
        let mut config: Value = serde_saphyr::from_str(CONFIG).map_err(|e| e.to_string())?;
        let machine = |n: u32| {
            json!({ "id": format!("m-{n}"), "class": "machine", "calendar": "three-shift",
                "ideal_cycle_seconds": 60 })
        };
        // Where the sandbox has them: odd ones at 1010, even ones at 1020.
        let row = |n: u32| {
            json!({ "source": format!("m-{n}"), "resource": format!("LINE-{n}"),
                "location": if n % 2 == 1 { "1010" } else { "1020" } })
        };
        let plant = &mut config["plant"];
        plant["horizon"] = json!({ "past_weeks": 0, "future_weeks": self.weeks - 1 });
        plant["resources"] = (1..=self.resources).map(machine).collect();
        plant["sources"][0]["speaks_for"] =
            (1..=self.resources).map(|n| json!(format!("m-{n}"))).collect();
        plant["sources"][0]["reader"]["machine_events"]["begins"]["at"] = json!(begins);
        let target = &mut config["targets"]["ibp"];
        target["settings"]["host"] = json!(host);
        target["mapping"]["rows"] = (1..=self.resources).map(row).collect();
        Ok(config)
    }

    /// Every machine fails for two hours now and then, each at its own pace.
    fn events(self, begins: Timestamp) -> String {
        let mut csv = "time,machine,event\n".to_owned();
        for machine in 1..=self.resources {
            let pace = 37 + i64::from(machine % 23);
            for hour in (pace..HOURS - 2).step_by(usize::try_from(pace).unwrap_or(1)) {
                let (failed, restored) = (later(begins, hour), later(begins, hour + 2));
                // Writing to a string can't fail.
                let _ = writeln!(csv, "{failed},m-{machine},failure");
                let _ = writeln!(csv, "{restored},m-{machine},restored");
            }
        }
        csv
    }

    /// Parts made by the end of each hour.
    fn counts(self, begins: Timestamp) -> String {
        let mut csv = "hour_start,machine,parts_total\n".to_owned();
        for machine in 1..=self.resources {
            let pace = 37 + i64::from(machine % 23);
            let mut total = 0;
            for hour in 0..HOURS {
                let down = hour >= pace && hour % pace < 2 && hour - hour % pace < HOURS - 2;
                total += if down { 0 } else { 57 };
                let _ = writeln!(csv, "{},m-{machine},{total}", later(begins, hour));
            }
        }
        csv
    }
}

fn later(begins: Timestamp, hours: i64) -> Timestamp {
    begins.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(begins)
}
