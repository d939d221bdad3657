//! `planthread apply [FILE]`

use std::path::PathBuf;

use planthread_engine::verify::Which;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::{Course, plan_header},
    report::applied::{Delivered, Deliveries},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan file; without it a plan is made now and applied
    file: Option<PathBuf>,
    /// Only this target, when the plan is made now
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    target: Option<String>,
    /// Where cells have moved since the plan, send the others, and end with 1
    #[arg(long)]
    only_unmoved: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let only_unmoved = args.only_unmoved;
    let done = context.block_on(async {
        if let Some(file) = &args.file {
            let header = plan_header(file)?;
            let targets = [bridge.target(Some(&header.target))?];
            let course = Course::Given { file, as_of: header.as_of, only_unmoved };
            return Ok(bridge.walk_all(&targets, course).await);
        }
        let targets = bridge.targets(args.target.as_deref())?;
        let truth = bridge.truth(bridge.as_of())?;
        let course = Course::Land { truth: &truth, only_unmoved, read_back: Which::Unproven };
        Ok(bridge.walk_all(&targets, course).await)
    })?;
    context.screen.show(&Deliveries { targets: done.into_iter().map(Delivered::from).collect() })
}
