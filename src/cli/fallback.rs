//! `planthread fallback status [TARGET]`

use clap::Subcommand;
use planthread_engine::fallback::{self, Manifest, Outage};

use super::Context;
use crate::{
    config::Target,
    failure::{Exit, Failure},
    pipeline,
    report::fallback::{Fallback, PackAt, TargetFallback},
};

/// Outages that are listed.
const LISTED: u64 = 50;

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
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let What::Status { target } = &args.what;
    let (loaded, reader) = context.reader()?;
    let (now, past) = (fallback::outages(&reader)?, fallback::past_outages(&reader, LISTED)?);
    let mut targets = Vec::new();
    for (name, config) in &loaded.config.targets {
        if target.as_ref().is_none_or(|wanted| wanted == name) {
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
                past,
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
    let Some(pack) = &config.pack else { return Ok(None) };
    let folder = pack.folder.join(name).join("current");
    let file = folder.join("manifest.json");
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io("read", &file, &error)),
    };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(format!("{} is no manifest of a pack: {error}", file.display()))
            .cure("the next cycle writes the pack anew; do not load this one")
    })?;
    Ok(Some(PackAt { folder, manifest }))
}
