//! `planthread take-back TARGET --who NAME --why REASON`

use jiff::Timestamp;
use planthread_engine::continuity::{TakeBack, TakenBack};

use super::{Context, answer::Answer};
use crate::{
    failure::{Exit, Failure},
    report::{
        TextTable, View,
        text_table::{count, instant},
    },
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target
    target: String,
    #[command(flatten)]
    answer: Answer,
    /// Truth of this instant and later counts again; without it, the present cycle's
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let target = bridge.target(Some(&args.target))?;
    let (who, why) = (args.answer.who(&bridge.loaded.config)?, args.answer.why.clone());
    let to = args.to.unwrap_or_else(|| bridge.as_of());
    // Whether the clock is right now is asked first.
    context.block_on(bridge.on_time(&target))?;
    let done = bridge.take_back(TakeBack { target: target.name, to, who, why })?;
    context.screen.show(&done)
}

impl View for TakenBack {
    const OUTPUT: &'static str = "take-back";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "{}: truth of {} is taken back to {}; {} had it. The next plan carries what is right.",
            self.target,
            instant(self.from),
            instant(self.to),
            count(self.cells, "cell")
        ));
    }

    fn exit(&self) -> Exit {
        Exit::Ok
    }
}
