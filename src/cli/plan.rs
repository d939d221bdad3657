//! `planthread plan [TARGET] [-o FILE]`

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use planthread_engine::{
    Reader,
    plan::{PlanLine, PlanSummary},
    status::{self, Withdrawn},
    verify::Which,
};

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::{self, Bridge, NotPromoted, OpenTarget},
    report::planned::{LINES_SHOWN, Planned, Plans},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is planned
    target: Option<String>,
    /// Keep the plan in this file, to look at it and apply it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    context.screen.show(&Plans(plans))
}

/// Derives, wants, reads what was never read, plans.
fn fresh(context: &Context, bridge: &Bridge, args: &Args) -> Result<Vec<Planned>, Failure> {
    let truth = bridge.truth(bridge.as_of())?;
    let mut plans = Vec::new();
    for target in bridge.targets(args.target.as_deref())? {
        let want = bridge.want(&target, &truth)?;
        let unread = match pipeline::policy::quiet(&target, bridge.clock.now())? {
            Some(quiet) => Some(quiet),
            None => {
                context.block_on(bridge.verify(&target, Which::Unread))?.error.map(Failure::from)
            }
        };
        let plan = |out: &mut dyn Write| bridge.plan(&target, truth.as_of, None, out);
        plans.push(Planned {
            want: Some(want),
            unread,
            not_promoted: NotPromoted::counted(&bridge.loaded, &target, &truth)?,
            withdrawn: withdrawn(&bridge.reader()?, &target, context)?,
            ..planned(plan, &target, args.output.as_ref())?
        });
    }
    Ok(plans)
}

/// Plans what the ledger has, beside its writer.
fn beside(context: &Context, loaded: &Loaded, args: &Args) -> Result<Vec<Planned>, Failure> {
    let reader = Reader::open(&loaded.config.state)?;
    let as_of = loaded.config.plant.as_of(context.clock.now());
    let mut plans = Vec::new();
    for name in loaded.config.targets.keys() {
        if args.target.as_ref().is_none_or(|wanted| wanted == name) {
            let target = context.open_offline(loaded, Some(name))?;
            let plan = |out: &mut dyn Write| {
                pipeline::plan_of_ledger(loaded, &reader, &target, as_of, None, out)
            };
            let not_promoted = NotPromoted::of(loaded, name, &target.config, as_of)?;
            let withdrawn = withdrawn(&reader, &target, context)?;
            let plan = planned(plan, &target, args.output.as_ref())?;
            plans.push(Planned { not_promoted, withdrawn, ..plan });
        }
    }
    Ok(plans)
}

fn withdrawn(
    reader: &Reader,
    target: &OpenTarget,
    context: &Context,
) -> Result<Withdrawn, Failure> {
    Ok(status::withdrawn(reader, &target.name, target.scope.name(), context.clock.now())?)
}

fn planned(
    plan: impl FnOnce(&mut dyn Write) -> Result<PlanSummary, Failure>,
    target: &OpenTarget,
    file: Option<&PathBuf>,
) -> Result<Planned, Failure> {
    let open = |path: &PathBuf| -> Result<Box<dyn Write>, Failure> {
        let file = File::create(path).map_err(|error| Failure::io("write", path, &error))?;
        Ok(Box::new(BufWriter::new(file)))
    };
    let out = file.map_or_else(|| Ok(Box::new(io::sink()) as Box<dyn Write>), open)?;
    let mut tee = Tee { out, first: Vec::new(), lines: 0 };
    let summary = plan(&mut tee)?;
    let first = tee.first();
    let file = file.map(|path| path.display().to_string());
    let paused = target.config.policy.paused.clone();
    let (withdrawn, not_promoted) = (Withdrawn::default(), Vec::new());
    Ok(Planned { summary, file, want: None, first, unread: None, paused, not_promoted, withdrawn })
}

/// Passes a plan on and keeps its first lines for the eye.
struct Tee {
    out: Box<dyn Write>,
    first: Vec<u8>,
    lines: usize,
}

impl Tee {
    /// The first cells, behind the header.
    fn first(&self) -> Vec<PlanLine> {
        self.first
            .split(|byte| *byte == b'\n')
            .skip(1)
            .filter_map(|line| serde_json::from_slice(line).ok())
            .take(LINES_SHOWN)
            .collect()
    }
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines <= LINES_SHOWN {
            self.lines += bytes.iter().filter(|byte| **byte == b'\n').count();
            self.first.extend_from_slice(bytes);
        }
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
