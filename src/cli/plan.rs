//! `planthread plan [TARGET] [-o FILE]`

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use planthread_engine::plan::PlanLine;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::planned::{LINES_SHOWN, Planned, Plans},
    run::{Bridge, OpenTarget, Truth},
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
    let bridge = context.bridge()?;
    let targets = bridge.targets(args.target.as_deref())?;
    if args.output.is_some() && targets.len() > 1 {
        return Err(Failure::usage("one file holds the plan of one target")
            .cure("name the target: `planthread plan TARGET -o FILE`"));
    }
    let truth = bridge.truth(bridge.as_of())?;
    let plans = targets
        .iter()
        .map(|target| plan(&bridge, target, &truth, args.output.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    context.screen.show(&Plans(plans))
}

fn plan(
    bridge: &Bridge,
    target: &OpenTarget,
    truth: &Truth,
    file: Option<&PathBuf>,
) -> Result<Planned, Failure> {
    let want = bridge.want(target, truth)?;
    let open = |path: &PathBuf| -> Result<Box<dyn Write>, Failure> {
        let file = File::create(path).map_err(|error| Failure::io("write", path, &error))?;
        Ok(Box::new(BufWriter::new(file)))
    };
    let out = file.map_or_else(|| Ok(Box::new(io::sink()) as Box<dyn Write>), open)?;
    let mut tee = Tee { out, first: Vec::new(), lines: 0 };
    let summary = bridge.plan(target, truth.as_of, None, &mut tee)?;
    let first = tee.first();
    let file = file.map(|path| path.display().to_string());
    Ok(Planned { summary, file, want: Some(want), first })
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
