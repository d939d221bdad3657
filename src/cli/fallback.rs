//! `planthread fallback status|enter|leave [TARGET]` and `fallback verify FOLDER`

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use planthread_engine::fallback::{self, Outage};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Context,
    answer::{Answer, Who},
};
use crate::{
    config::Target,
    failure::{Exit, Failure},
    pipeline::{self, PauseRecord},
    report::{
        TextTable, View,
        fallback::{Fallback, PackAt, PackChecked, TargetFallback, left_out},
        text_table::{count, instant},
    },
};

/// Outages that are listed.
const LISTED: u64 = 50;
/// Decisions that are listed.
const DECISIONS: usize = 10;
/// Why somebody ends a time by hand, for its record.
const LEFT: &str = "the bridge feeds it again";

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which targets are away and since when, what waits, and which pack can be
    /// loaded by hand
    Status {
        /// The configured target; without it all of them
        target: Option<String>,
    },
    /// Check a pack before it is loaded: its signature, and every file; needs no
    /// configuration
    Verify {
        /// The folder of the pack, such as packs/ibp/current
        folder: PathBuf,
        /// Public half of the key that signs packs, 64 hex digits
        #[arg(long, value_name = "KEY")]
        key: String,
    },
    /// Say that a target is fed by hand from its pack: it is asked and sent nothing, and
    /// the pack is renewed every cycle
    Enter {
        /// The configured target
        target: String,
        #[command(flatten)]
        answer: Answer,
        /// Until when, such as 2026-12-01T00:00:00Z; until `leave` by default
        #[arg(long, value_name = "INSTANT")]
        until: Option<Timestamp>,
    },
    /// Say that the bridge feeds a target again: it reads everything first, then sends
    /// what differs
    Leave {
        /// The configured target
        target: String,
        #[command(flatten)]
        by: Who,
    },
}

/// Who feeds a target from now on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Feeding {
    /// The file that keeps the decision.
    record: PathBuf,
    /// The configured target.
    target: String,
    /// Whether a person feeds it by hand.
    by_hand: bool,
    /// Until when; until `leave`, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// What held before: who, why and until when; empty where nothing did.
    before: String,
    /// The pack to load now; none before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<PackAt>,
    /// Why nothing is sent all the same, where the configuration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<String>,
}

impl Args {
    /// Whether it decides something.
    pub(super) const fn changes(&self) -> bool {
        matches!(self.what, What::Enter { .. } | What::Leave { .. })
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        What::Status { target } => status(context, target.as_deref()),
        What::Verify { folder, key } => {
            let check = fallback::check_pack(folder, key).map_err(|error| {
                Failure::from(error).cure(
                    "name the folder of a pack, with its manifest.json: `planthread fallback status` \
                     says where the packs of each target are",
                )
            })?;
            context.screen.show(&PackChecked::of(folder.clone(), check, context.clock.now()))
        }
        What::Enter { target, answer, until } => {
            let who = answer.who(&context.config()?.config)?;
            let why = answer.why.clone();
            let (until, at) = (*until, None);
            let record = PauseRecord { who, why, paused: true, until, by_hand: true, at };
            decide(context, target, &record)
        }
        What::Leave { target, by } => {
            let (who, why) = (by.name(&context.config()?.config)?, LEFT.to_owned());
            let (until, at) = (None, None);
            let record = PauseRecord { who, why, paused: false, until, by_hand: false, at };
            decide(context, target, &record)
        }
    }
}

/// Works beside a bridge that runs: it obeys the record.
fn decide(context: &Context, target: &str, decision: &PauseRecord) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open_offline(&loaded, Some(target))?;
    if decision.by_hand && target.config.pack.is_none() {
        let name = &target.name;
        return Err(Failure::usage(format!("{name} has no pack that could be loaded by hand"))
            .cure(format!(
                "name a folder in `targets.{name}.pack`; or send it nothing: `planthread pause {name}`"
            ))
            .explain("pack"));
    }
    let last = pipeline::decisions(&loaded.config.state, &target.name)?.pop();
    if !decision.by_hand && !last.as_ref().is_some_and(|last| last.by_hand) {
        let name = &target.name;
        let paused = last.is_some_and(|last| last.paused);
        let text = format!("{name} is not fed by hand");
        return Err(if paused {
            let cure =
                format!("it is paused: `planthread resume {name} --who YOU --why WHY` lets it go");
            Failure::usage(format!("{text}, but paused")).cure(cure)
        } else {
            Failure::usage(text).cure("there is nothing to leave")
        });
    }
    let before = pipeline::paused(&loaded, &target)?.unwrap_or_default();
    let now = context.clock.now();
    let record = pipeline::pause(&loaded.config.state, &target.name, decision, now)?;
    let pack = pack(&target.name, &target.config)?;
    let configured = target.config.policy.paused.clone();
    let (by_hand, until, target) = (decision.by_hand, decision.until, target.name);
    context.screen.show(&Feeding { record, target, by_hand, until, before, pack, configured })
}

impl View for Feeding {
    const OUTPUT: &'static str = "fallback feeding";

    fn write(&self, text_table: &mut TextTable) {
        let target = &self.target;
        if self.by_hand {
            let until = self.until.map_or_else(
                || format!("`planthread fallback leave {target} --who YOU` ends it"),
                |until| format!("it ends at {}", instant(until)),
            );
            text_table.line(format!(
                "{target}: fed by hand; the bridge asks it nothing and sends it nothing from now on, and \
                 renews the pack every cycle; {until}."
            ));
            match &self.pack {
                Some(PackAt { folder, manifest }) => {
                    text_table.line(format!(
                        "  load {}: {} of {}; its README.txt says who may load it and how",
                        folder.display(),
                        count(manifest.cells, "cell"),
                        instant(manifest.as_of)
                    ));
                    left_out(text_table, manifest, "  ");
                }
                None => {
                    text_table.line("  no pack has been written yet; the next cycle writes it");
                }
            }
        } else {
            text_table.line(format!(
                "{target}: the bridge feeds it again; the next cycle reads everything that stands \
                 there, then sends what differs, near periods first."
            ));
        }
        if !self.before.is_empty() {
            text_table.line(format!("  before: {}", self.before));
        }
        if let Some(why) = &self.configured {
            text_table.line(format!("  still paused by the configuration, `policy.paused`: {why}"));
        }
    }

    fn exit(&self) -> Exit {
        if !self.by_hand && self.configured.is_some() { Exit::Held } else { Exit::Ok }
    }
}

fn status(context: &Context, target: Option<&str>) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let (now, past) = (fallback::outages(&reader)?, fallback::past_outages(&reader, LISTED)?);
    let mut targets = Vec::new();
    for (name, config) in &loaded.config.targets {
        if target.is_none_or(|wanted| wanted == name) {
            let of_it = |all: &[Outage]| -> Vec<Outage> {
                all.iter().filter(|outage| outage.target == *name).cloned().collect()
            };
            let (away, past) = (of_it(&now), of_it(&past));
            targets.push(TargetFallback {
                target: name.clone(),
                paused: pipeline::paused_by(&loaded, name, config, context.clock.now())?,
                configured: config.pack.is_some(),
                away,
                pack: pack(name, config)?,
                second: pipeline::second_pack(name, config)?,
                second_place: config
                    .pack
                    .as_ref()
                    .and_then(|pack| pack.sftp.as_ref())
                    .map(ToString::to_string),
                past,
                decisions: pipeline::decisions(&loaded.config.state, name)?
                    .into_iter()
                    .rev()
                    .take(DECISIONS)
                    .collect(),
            });
        }
    }
    if let (true, Some(target)) = (targets.is_empty(), target) {
        let known: Vec<&str> = loaded.config.targets.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!("there is no target `{target}`"))
            .cure(format!("targets: {}", known.join(", "))));
    }
    context.screen.show(&Fallback { now: context.clock.now(), targets })
}

/// The pack that a person would load now, where the target has one.
fn pack(name: &str, config: &Target) -> Result<Option<PackAt>, Failure> {
    let found = pipeline::current_pack(name, config)?;
    Ok(found.map(|(folder, manifest)| PackAt { folder, manifest }))
}
