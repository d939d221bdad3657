//! `planthread release cell|case`: what waits for a person is answered by one.

use clap::Subcommand;
use jiff::Timestamp;
use planthread_engine::{
    ledger,
    plan::plausible::{self, Fault},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Context,
    answer::{Answer, OneTarget, Until, Who},
};
use crate::{
    failure::{Exit, Failure},
    pipeline::{self, Proportion},
    report::{TextTable, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lift the lock of a cell that a person had taken
    Cell {
        /// The cell, as `status` prints it
        cell: String,
    },
    /// Answer a case: what it held may be sent again
    Case {
        /// Its number, as `status` prints it
        number: i64,
        #[command(flatten)]
        by: Who,
    },
    /// Answer for what is out of proportion: it may be sent as it is
    Question(Question),
}

#[derive(Debug, clap::Args)]
struct Question {
    /// The measure, as `plan` prints it; `all` for all that look like it
    measure: String,
    /// What it looks like, as `plan` prints it: unit, week, version, ...
    fault: String,
    #[command(flatten)]
    target: OneTarget,
    #[command(flatten)]
    answer: Answer,
    #[command(flatten)]
    until: Until,
}

/// What was let go.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Released {
    /// The cell, case or question.
    what: String,
    /// Whether it had waited.
    released: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let now = context.clock.now();
    let (what, released) = match &args.what {
        What::Cell { cell } => {
            let key = pipeline::parse_cell(cell)?;
            (format!("cell {cell}"), ledger::unlock(&context.bridge()?.state, key)?)
        }
        What::Case { number, by } => {
            let bridge = context.bridge()?;
            let who = by.name(&bridge.loaded.config)?;
            let released = ledger::close_case(&bridge.state, *number, &who, now)?;
            (format!("case {number}"), released)
        }
        What::Question(question) => return answer(context, question, now),
    };
    context.screen.show(&Released { what, released })
}

/// Keeps an answer; works beside a bridge that runs.
fn answer(context: &Context, args: &Question, now: Timestamp) -> Result<Exit, Failure> {
    let fault = Fault::named(&args.fault).ok_or_else(|| {
        let known: Vec<&str> = Fault::ALL.iter().map(|fault| fault.word()).collect();
        Failure::usage(format!("nothing looks like `{}`", args.fault))
            .cure(format!("known: {}", known.join(", ")))
    })?;
    let (loaded, reader) = context.reader()?;
    let target = context.open_offline(&loaded, args.target.name())?;
    let proportion = Proportion::of(&loaded, &reader, &target, loaded.config.plant.as_of(now))?;
    let (mut named, mut cells) = (Vec::new(), 0);
    for asked in proportion.questions(&args.measure, fault)? {
        let record = plausible::Answer {
            who: args.answer.who(&loaded.config)?,
            why: args.answer.why.clone(),
            until: args.until.or(now, pipeline::locked::HOLDS),
            scope: target.scope.name().to_owned(),
            measure: asked.measure.clone(),
            fault,
            mapping: proportion.mapping.clone(),
        };
        let file = pipeline::answer(&loaded.config.state, &target.name, &record, now)?;
        tracing::info!(record = %file.display(), "answered");
        named.push(asked.measure.as_str());
        cells += asked.cells;
    }
    let (measures, word) = (named.join(", "), fault.word());
    let what = format!("question about {measures} ({word}), {cells} cells");
    context.screen.show(&Released { what, released: true })
}

impl View for Released {
    const OUTPUT: &'static str = "release";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(if self.released {
            format!("The {} is released; the next plan carries what is due.", self.what)
        } else {
            format!("The {} was not held.", self.what)
        });
    }

    fn exit(&self) -> Exit {
        if self.released { Exit::Ok } else { Exit::Findings }
    }
}
