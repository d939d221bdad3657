//! `planthread promote --measure NAME --who WHO --why WHY --until INSTANT`

use std::path::PathBuf;

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Owner};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Context,
    answer::{Answer, OneTarget},
};
use crate::{
    failure::{Exit, Failure},
    pipeline::policy,
    report::{TextTable, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: OneTarget,
    /// A measure that belongs to somebody else; may be given several times
    #[arg(long = "measure", value_name = "NAME", required = true)]
    measures: Vec<String>,
    #[command(flatten)]
    answer: Answer,
    /// Until when it holds, such as 2026-12-01T00:00:00Z
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
}

/// The record that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Promoted {
    /// The file that keeps it.
    record: PathBuf,
    /// The configured target.
    target: String,
    /// What may be written, by our names.
    measures: Vec<String>,
    /// To whom it belongs, measure by measure.
    owners: Vec<String>,
    /// Until when it holds.
    until: Timestamp,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open_offline(&loaded, args.target.name())?;
    let mut owners = Vec::new();
    for name in &args.measures {
        owners.push(owner(&target.config.measures, name)?);
    }
    let record = serde_json::json!({
        "who": args.answer.who(&loaded.config)?, "why": args.answer.why, "scope": target.scope.name(),
        "measures": args.measures, "until": args.until,
    });
    let now = context.clock.now();
    let file = policy::promote(&loaded.config.state, &target.name, &record.to_string(), now)?;
    context.screen.show(&Promoted {
        record: file,
        target: target.name,
        measures: args.measures.clone(),
        owners,
        until: args.until,
    })
}

/// Who owns the measure, when it is not ours already.
fn owner(measures: &[MeasureDecl], name: &str) -> Result<String, Failure> {
    let known = || measures.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ");
    match measures.iter().find(|measure| measure.name == name).map(|measure| &measure.owner) {
        Some(Owner::Other(owner)) => Ok(owner.clone()),
        Some(Owner::Bridge) => Err(Failure::usage(format!("`{name}` is ours already"))
            .cure("nothing to promote: Planthread may write it")),
        None => Err(Failure::usage(format!("there is no measure `{name}`"))
            .cure(format!("measures: {}", known()))),
    }
}

impl View for Promoted {
    const OUTPUT: &'static str = "promote";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "Planthread may write {} at {} until {}.",
            self.measures.join(", "),
            self.target,
            self.until
        ));
        text_table.line(format!("Tell the owner: {}.", self.owners.join(", ")));
        text_table
            .line(format!("The record: {}; remove it to end it sooner.", self.record.display()));
    }
}
