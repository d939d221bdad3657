//! `planthread pause TARGET` and `planthread resume TARGET`

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, answer::Answer};
use crate::{
    failure::{Exit, Failure},
    pipeline::{self, PauseRecord},
    report::{TextTable, View, text_table::instant},
};

/// What `pause` takes.
#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// The configured target
    target: String,
    #[command(flatten)]
    answer: Answer,
    /// Until when, such as 2026-12-01T00:00:00Z; until `resume` by default
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

/// What `resume` takes.
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// The configured target
    target: String,
    #[command(flatten)]
    answer: Answer,
}

/// What holds for a target from now on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Decided {
    /// The file that keeps it.
    record: PathBuf,
    /// The configured target.
    target: String,
    /// Whether nothing is sent to it.
    paused: bool,
    /// Until when; until `resume`, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// What held before: who, why and until when; empty where nothing was paused.
    before: String,
    /// Why nothing is sent all the same, where the configuration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<String>,
}

pub(super) fn pause(context: &Context, args: &PauseArgs) -> Result<Exit, Failure> {
    decide(context, &args.target, &args.answer, true, args.until)
}

pub(super) fn resume(context: &Context, args: &ResumeArgs) -> Result<Exit, Failure> {
    decide(context, &args.target, &args.answer, false, None)
}

/// Works beside a bridge that runs: it obeys the record.
fn decide(
    context: &Context,
    target: &str,
    answer: &Answer,
    paused: bool,
    until: Option<Timestamp>,
) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open_offline(&loaded, Some(target))?;
    let (who, why) = (answer.who(&loaded.config)?, answer.why.clone());
    let before = pipeline::paused(&loaded, &target)?.unwrap_or_default();
    let record = PauseRecord { who, why, paused, until, by_hand: false, at: None };
    let now = context.clock.now();
    let record = pipeline::pause(&loaded.config.state, &target.name, &record, now)?;
    let configured = target.config.policy.paused.clone();
    let target = target.name;
    context.screen.show(&Decided { record, target, paused, until, before, configured })
}

impl View for Decided {
    const OUTPUT: &'static str = "pause";

    fn write(&self, text_table: &mut TextTable) {
        let target = &self.target;
        let until = self.until.map_or_else(
            || format!("`planthread resume {target} --who YOU --why WHY` lets it go"),
            |until| format!("it is let go at {}", instant(until)),
        );
        match (self.paused, &self.configured) {
            (true, _) => text_table.line(format!(
                "{target}: nothing is sent from now on, and what is wanted is kept; {until}."
            )),
            (false, None) if self.before.is_empty() => {
                text_table.line(format!("{target}: was not paused."))
            }
            (false, None) => text_table
                .line(format!("{target}: let go; the next cycle sends what differs by then.")),
            (false, Some(why)) => text_table.line(format!(
                "{target}: still paused by the configuration, `policy.paused`: {why}"
            )),
        };
        if self.paused && !self.before.is_empty() {
            text_table.line(format!("  in place of the pause of {}", self.before));
        }
    }

    fn exit(&self) -> Exit {
        if !self.paused && self.configured.is_some() { Exit::Held } else { Exit::Ok }
    }
}
