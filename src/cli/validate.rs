//! `planthread validate`

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    config::{Config, ConfigError, Loaded, zones},
    failure::{Exit, Failure},
    report::{TextTable, Tone, View, text_table::count},
};

/// What the verb takes: only the common options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Validated {
    /// The configuration.
    file: PathBuf,
    /// The profile that was laid over it.
    profile: Option<String>,
    /// Whether it has no fault.
    ok: bool,
    /// Each fault, with file, line, field and cure.
    faults: Vec<ConfigError>,
    /// What is no fault and may still not be meant.
    notes: Vec<ConfigError>,
    /// What the configuration holds, in a sentence; empty when it is faulty.
    holds: String,
}

pub(super) fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let (file, profile) = context.config_options();
    let (faults, mut notes, holds) = match context.read_config() {
        Ok(loaded) => match unbuilt(context, &loaded) {
            faults if faults.is_empty() => (faults, loaded.notes, holds(&loaded.config)),
            faults => (faults, Vec::new(), String::new()),
        },
        Err(faults) => (faults, Vec::new(), String::new()),
    };
    notes.extend(old_zones(&file, context.clock.now()));
    context.screen.show(&Validated { file, profile, ok: faults.is_empty(), faults, notes, holds })
}

/// What shows only when a target is put together.
fn unbuilt(context: &Context, loaded: &Loaded) -> Vec<ConfigError> {
    let built = |name: &String| context.open_offline(loaded, Some(name)).err();
    let failures = loaded.config.targets.keys().filter_map(built);
    let fault =
        |failure: Failure| ConfigError::about(&loaded.file, failure.message).cure(failure.cure);
    failures.map(fault).collect()
}

/// That the time-zone data of this machine misses a year of laws.
fn old_zones(file: &Path, now: Timestamp) -> Option<ConfigError> {
    let version = zones::version().filter(|version| zones::is_old(version, now))?;
    let reason = format!(
        "the time-zone data of this machine is of {version}: a clock change that was decided since \
         is not known, and local times and weeks after it may be an hour off"
    );
    let cure = "update the system's `tzdata`";
    Some(ConfigError::about(file, reason).cure(cure))
}

fn holds(config: &Config) -> String {
    let targets: Vec<String> = config
        .targets
        .iter()
        .map(|(name, target)| {
            format!(
                "{name} ({}, {}, {})",
                target.connector,
                count(target.measures.len(), "measure"),
                count(target.mapping.rows.len(), "resource")
            )
        })
        .collect();
    let targets = if targets.is_empty() { "no target".to_owned() } else { targets.join(", ") };
    format!(
        "plant {}: {}, {}; lands in {targets}",
        config.plant.id,
        count(config.plant.resources.len() + config.plant.lines.len(), "resource"),
        count(config.plant.sources.len(), "source"),
    )
}

impl View for Validated {
    const OUTPUT: &'static str = "validate";

    fn write(&self, text_table: &mut TextTable) {
        if self.ok {
            let ok = text_table.tint(Tone::Good, "ok");
            text_table
                .line(format!("{ok}  {}", self.file.display()))
                .line(format!("    {}", self.holds));
        }
        for note in &self.notes {
            let word = text_table.tint(Tone::Warn, "note");
            text_table.line(format!("{word}  {note}")).line(format!("      cure: {}", note.cure));
        }
        for fault in &self.faults {
            let bad = text_table.tint(Tone::Bad, "fault");
            text_table.line(format!("{bad}  {fault}")).line(format!("       cure: {}", fault.cure));
        }
        if !self.ok {
            text_table.line(format!(
                "\n{}; nothing was sent anywhere",
                count(self.faults.len(), "fault")
            ));
        }
    }

    fn exit(&self) -> Exit {
        if self.ok { Exit::Ok } else { Exit::Usage }
    }
}
