//! `planthread plan [TARGET] [-o FILE]`

use std::path::PathBuf;

use planthread_engine::{
    Reader, audit_trail, journal,
    status::{self, Withdrawn},
};

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::{
        Bridge, Course, NotAdopted, NotPromoted, OpenTarget, PlanOutput, Proportion, TargetCycle,
        paused, plan_moves, plan_of_ledger,
    },
    report::{planned::Planned, plans::Plans},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is planned
    target: Option<String>,
    /// Keep the plan in this file, to look at it and apply it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End with 1 when the plan would change something, and with 0 when it would not
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let several = args.target.is_none() && loaded.config.targets.len() > 1;
    if args.output.is_some() && several {
        return Err(Failure::usage("one file holds the plan of one target")
            .cure("name the target: `planthread plan TARGET -o FILE`"));
    }
    let plans = match context.bridge() {
        Ok(bridge) => fresh(context, &bridge, args)?,
        // Somebody else writes the state: the ledger is as fresh as it gets.
        Err(failure) if failure.explain == Some(Failure::WRITER) => {
            context
                .screen
                .note(&format!("{}; this is a plan of what the ledger has", failure.message));
            beside(context, &loaded, args)?
        }
        Err(failure) => return Err(failure),
    };
    let audit = audit_trail::head(&loaded.config.state)?;
    let nothing_ingested = journal::counts(&Reader::open(&loaded.config.state)?)?.records == 0;
    let plans = Plans { targets: plans, nothing_ingested, audit };
    let exit = context.screen.show(&plans)?;
    let changes = args.detailed_exitcode && plans.change_something();
    Ok(if exit == Exit::Ok && changes { Exit::Findings } else { exit })
}

/// Derives, wants, reads what was never read, plans.
fn fresh(context: &Context, bridge: &Bridge, args: &Args) -> Result<Vec<Planned>, Failure> {
    let targets = bridge.targets(args.target.as_deref())?;
    let truth = bridge.truth(bridge.as_of())?;
    let course = Course::Plan { truth: &truth, file: args.output.as_deref() };
    let walked = context.block_on(async { Ok(bridge.walk_all(&targets, course).await) })?;
    let view = |(target, done): (&OpenTarget, TargetCycle)| {
        let not_promoted = NotPromoted::counted(&bridge.loaded, target, &truth)?;
        let reader = bridge.reader()?;
        let not_adopted = NotAdopted::of(&bridge.loaded, &reader, &target.name, &target.config)?;
        let proportion = Proportion::of(&bridge.loaded, &reader, target, truth.as_of)?;
        let withdrawn = withdrawn(&reader, target, context)?;
        let moved = plan_moves(&bridge.loaded, &reader, target, &done.first)?;
        let plan = Planned::of(done, file(args), not_promoted, not_adopted, proportion, withdrawn)?;
        Ok(plan.moving(moved))
    };
    targets.iter().zip(walked).map(view).collect()
}

/// Plans what the ledger has, beside its writer.
fn beside(context: &Context, loaded: &Loaded, args: &Args) -> Result<Vec<Planned>, Failure> {
    let reader = Reader::open(&loaded.config.state)?;
    let as_of = loaded.config.plant.as_of(context.clock.now());
    let mut plans = Vec::new();
    for name in loaded.config.targets.keys() {
        if args.target.as_ref().is_none_or(|wanted| wanted == name) {
            let target = context.open_offline(loaded, Some(name))?;
            let mut out = PlanOutput::to(args.output.as_deref())?;
            let plan = plan_of_ledger(loaded, &reader, &target, as_of, None, &mut out)?;
            let done = TargetCycle {
                target: name.clone(),
                plan: Some(plan),
                first: out.first(),
                paused: paused(loaded, &target)?,
                ..TargetCycle::default()
            };
            let not_promoted = NotPromoted::of(loaded, name, &target.config, as_of)?;
            let not_adopted = NotAdopted::of(loaded, &reader, name, &target.config)?;
            let proportion = Proportion::of(loaded, &reader, &target, as_of)?;
            let withdrawn = withdrawn(&reader, &target, context)?;
            let moved = plan_moves(loaded, &reader, &target, &done.first)?;
            let plan =
                Planned::of(done, file(args), not_promoted, not_adopted, proportion, withdrawn)?;
            plans.push(plan.moving(moved));
        }
    }
    Ok(plans)
}

fn file(args: &Args) -> Option<String> {
    args.output.as_ref().map(|path| path.display().to_string())
}

fn withdrawn(
    reader: &Reader,
    target: &OpenTarget,
    context: &Context,
) -> Result<Withdrawn, Failure> {
    Ok(status::withdrawn(reader, &target.name, target.scope.name(), context.clock.now())?)
}
