//! `planthread apply [FILE]`

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Cursor, Seek as _},
    path::{Path, PathBuf},
};

use planthread_engine::{plan::PlanHeader, verify::Which};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::{Bridge, OpenTarget, Truth, policy},
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
    /// Where cells have moved since the plan, send the others
    #[arg(long)]
    only_unmoved: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let done = context.block_on(async {
        match &args.file {
            Some(file) => Ok(vec![from_file(&bridge, file, args.only_unmoved).await?]),
            None => all(&bridge, args).await,
        }
    })?;
    context.screen.show(&Deliveries(done))
}

async fn from_file(bridge: &Bridge, file: &Path, only: bool) -> Result<Delivered, Failure> {
    let io = |error: std::io::Error| Failure::io("read the plan", file, &error);
    let mut plan = BufReader::new(File::open(file).map_err(io)?);
    let mut first = String::new();
    plan.read_line(&mut first).map_err(io)?;
    let header: PlanHeader = serde_json::from_str(&first).map_err(|error| {
        Failure::usage(format!("{} is no plan: {error}", file.display()))
            .cure("make one with `planthread plan TARGET -o FILE`")
    })?;
    plan.rewind().map_err(io)?;
    let target = bridge.target(Some(&header.target))?;
    settle(bridge, &target).await?;
    // A plan may be hours old: what a person did there since has moved its cells.
    if let Some(error) = bridge.verify(&target, Which::Unread).await?.error {
        return Err(Failure::from(error).about(&target.name));
    }
    let applied = bridge.apply(&target, &mut plan, only).await?;
    read_back(bridge, &target, applied).await
}

async fn all(bridge: &Bridge, args: &Args) -> Result<Vec<Delivered>, Failure> {
    let truth = bridge.truth(bridge.as_of())?;
    let mut done = Vec::new();
    for target in bridge.targets(args.target.as_deref())? {
        done.push(now(bridge, &target, &truth, args.only_unmoved).await?);
    }
    Ok(done)
}

async fn now(
    bridge: &Bridge,
    target: &OpenTarget,
    truth: &Truth,
    only: bool,
) -> Result<Delivered, Failure> {
    settle(bridge, target).await?;
    bridge.want(target, truth)?;
    if let Some(error) = bridge.verify(target, Which::Unread).await?.error {
        return Err(Failure::from(error).about(&target.name));
    }
    let mut plan = Cursor::new(Vec::new());
    bridge.plan(target, truth.as_of, None, plan.get_mut())?;
    let applied = bridge.apply(target, &mut plan, only).await?;
    read_back(bridge, target, applied).await
}

/// What an earlier, broken push left open is settled first.
async fn settle(bridge: &Bridge, target: &OpenTarget) -> Result<(), Failure> {
    if let Some(quiet) = policy::quiet(target, bridge.clock.now())? {
        return Err(quiet.about(&target.name));
    }
    let recovered = bridge.recover(target).await?;
    match recovered.error {
        Some(error) => Err(Failure::from(error).about(&target.name)),
        None => Ok(()),
    }
}

async fn read_back(
    bridge: &Bridge,
    target: &OpenTarget,
    applied: planthread_engine::deliver::Applied,
) -> Result<Delivered, Failure> {
    let read =
        if applied.sent > 0 { Some(bridge.verify(target, Which::Unproven).await?) } else { None };
    let paused = target.config.policy.paused.clone();
    Ok(Delivered { paused, ..Delivered::of(&target.name, applied, read) })
}
