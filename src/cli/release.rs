//! `planthread release cell|case`: what waits for a person is answered by one.

use clap::Subcommand;
use planthread_engine::ledger;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline,
    report::{Paper, View},
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
        /// Who answers for it
        #[arg(long)]
        who: String,
    },
}

/// What was let go.
#[derive(Debug, Serialize)]
struct Released {
    what: String,
    released: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let now = context.clock.now();
    let (what, released) = match &args.what {
        What::Cell { cell } => {
            let key = pipeline::parse_cell(cell)?;
            (format!("cell {cell}"), ledger::unlock(&bridge.state, key)?)
        }
        What::Case { number, who } => {
            let released = ledger::close_case(&bridge.state, *number, who, now)?;
            (format!("case {number}"), released)
        }
    };
    context.screen.show(&Released { what, released })
}

impl View for Released {
    fn write(&self, paper: &mut Paper) {
        paper.line(if self.released {
            format!("The {} is released; the next plan carries what is due.", self.what)
        } else {
            format!("The {} was not held.", self.what)
        });
    }

    fn exit(&self) -> Exit {
        if self.released { Exit::Ok } else { Exit::Findings }
    }
}
