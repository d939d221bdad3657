//! `planthread replay --with CONFIG [TARGET] [--diff]`

use std::path::PathBuf;

use jiff::Timestamp;

use super::Context;
use crate::{
    config::{self, Loaded},
    failure::{Exit, Failure},
    pipeline::compared::{self, Difference, Side},
    report::compared::{ReplayedConfig, ReplayedView},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target that both have is compared
    target: Option<String>,
    /// The other configuration
    #[arg(long, value_name = "FILE")]
    with: PathBuf,
    /// The profile that is laid over the other configuration
    #[arg(long, value_name = "NAME")]
    with_profile: Option<String>,
    /// Name the values that differ, one by one
    #[arg(long)]
    diff: bool,
    /// The instant to derive both for, from the records that had arrived by then; the
    /// current cycle by default, from all of them
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
    /// Only this measure, by our name of it
    #[arg(long, value_name = "NAME")]
    measure: Option<String>,
    /// End with 1 when a value would be another one, and with 0 when none would
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let now = context.clock.now();
    if let Some(as_of) = args.as_of.filter(|as_of| *as_of > now) {
        let text = format!("nothing has arrived by {as_of}: it is {now}");
        return Err(Failure::usage(text).cure("name an instant that is over"));
    }
    if !args.with.is_file() {
        let text = format!("{}: there is no such file", args.with.display());
        return Err(Failure::usage(text).cure("name the other configuration after --with"));
    }
    let mut other = config::load(&args.with, args.with_profile.as_deref())?;
    // What people promoted stands in the state, which both are asked about.
    other.config.state.clone_from(&loaded.config.state);
    let (names, alone) = targets(context, args, &loaded, &other)?;
    let as_of = args.as_of.unwrap_or_else(|| loaded.config.plant.as_of(now));
    let _doing = context.board.doing("", "deriving both");
    let side = |loaded| Side::read(loaded, &reader, as_of, args.as_of);
    let (was, is) = (side(&loaded)?, side(&other)?);
    let mut each = |one: &Difference| match context.screen.json && args.diff {
        true => context.screen.show(one).map(drop),
        false => Ok(()),
    };
    let measure = args.measure.as_deref();
    let targets = compared::replay((&was, &is), &names, (as_of, measure), &mut each)?;
    let [was_alone, is_alone] = alone;
    let view = ReplayedView {
        at: now,
        as_of,
        arrived_by: args.as_of,
        was: told(&loaded, was.undecoded(), was_alone),
        is: told(&other, is.undecoded(), is_alone),
        targets,
        one_by_one: args.diff,
    };
    let exit = context.screen.show(&view)?;
    let differs = args.detailed_exitcode && view.differs();
    Ok(if exit == Exit::Ok && differs { Exit::Findings } else { exit })
}

/// The targets that both have, and those that each has alone.
fn targets(
    context: &Context,
    args: &Args,
    loaded: &Loaded,
    other: &Loaded,
) -> Result<(Vec<String>, [Vec<String>; 2]), Failure> {
    let all = [loaded, other].map(|one| one.config.targets.keys().cloned().collect::<Vec<_>>());
    let [here, there] = &all;
    if let Some(name) = &args.target {
        context.names(loaded, Some(name))?;
        if !there.contains(name) {
            let file = args.with.display();
            return Err(Failure::usage(format!("{file} has no target that is called `{name}`"))
                .cure(format!("it has: {}", there.join(", "))));
        }
        return Ok((vec![name.clone()], Default::default()));
    }
    let less = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    let both = here.iter().filter(|one| there.contains(one)).cloned().collect();
    Ok((both, [less(here, there), less(there, here)]))
}

fn told(loaded: &Loaded, undecoded: u64, targets_alone: Vec<String>) -> ReplayedConfig {
    let (file, profile) = (loaded.file.display().to_string(), loaded.profile.clone());
    ReplayedConfig { file, profile, digest: loaded.digest.clone(), undecoded, targets_alone }
}
