//! `planthread adopt --measure NAME --who WHO --why WHY`

use std::{collections::BTreeMap, path::PathBuf};

use planthread_contracts::{MeasureDecl, Owner};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Context,
    answer::{Answer, OneTarget},
};
use crate::{
    failure::{Exit, Failure},
    pipeline,
    report::{TextTable, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: OneTarget,
    /// A measure of ours that holds values which we never landed; may be given
    /// several times
    #[arg(long = "measure", value_name = "NAME", required = true)]
    measures: Vec<String>,
    #[command(flatten)]
    answer: Answer,
}

/// The record that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Adopted {
    /// The file that keeps it.
    record: PathBuf,
    /// The configured target.
    target: String,
    /// Surfaces by our names.
    measures: BTreeMap<String, String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open_offline(&loaded, args.target.name())?;
    let mut measures = BTreeMap::new();
    for name in &args.measures {
        let surface = surface(&target.config.measures, name)?;
        measures.insert(name.clone(), surface);
    }
    let record = serde_json::json!({
        "who": args.answer.who(&loaded.config)?, "why": args.answer.why, "scope": target.scope.name(), "measures": measures,
    });
    let now = context.clock.now();
    let state = &loaded.config.state;
    let file = pipeline::adopt(state, &target.name, &record.to_string(), now)?;
    context.screen.show(&Adopted { record: file, target: target.name, measures })
}

/// What the target calls a measure that is ours.
fn surface(measures: &[MeasureDecl], name: &str) -> Result<String, Failure> {
    let measure = measures.iter().find(|measure| measure.name == name).ok_or_else(|| {
        let known: Vec<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
        Failure::usage(format!("there is no measure `{name}`"))
            .cure(format!("measures: {}", known.join(", ")))
    })?;
    match &measure.owner {
        Owner::Bridge => Ok(measure.surface.clone()),
        Owner::Other(owner) => Err(Failure::usage(format!("`{name}` belongs to {owner}"))
            .cure("a measure of somebody else's is promoted for a time: `planthread promote`")),
    }
}

impl View for Adopted {
    const OUTPUT: &'static str = "adopt";

    fn write(&self, text_table: &mut TextTable) {
        let named: Vec<String> =
            self.measures.iter().map(|(name, surface)| format!("{name} ({surface})")).collect();
        text_table.line(format!(
            "Planthread may replace what {} holds at {}; the next plan shows it.",
            named.join(", "),
            self.target
        ));
        text_table.line(format!("The record: {}", self.record.display()));
    }
}
