//! `planthread schema [NAME | output VERB]`

use std::collections::BTreeSet;

use planthread_contracts::catalogue;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    Context,
    outputs::{self, OUTPUTS},
};
use crate::{
    config,
    failure::{Exit, Failure},
    registry,
    report::{TextTable, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `config`, a connector, a contract, or `output`; without it the names are listed
    name: Option<String>,
    /// With `output`: the verb whose `--json` is meant; `error` is what any verb
    /// prints when it stops
    #[arg(num_args = 0..)]
    verb: Vec<String>,
}

/// The schemas that there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Names {
    /// Each name, with what it is the schema of.
    names: Vec<(String, String)>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let Some(name) = &args.name else { return context.screen.show(&all()) };
    if name == "output" {
        return output(context, &args.verb.join(" "));
    }
    if !args.verb.is_empty() {
        let verb = args.verb.join(" ");
        return Err(Failure::usage(format!("`{verb}` is too much: a schema has one name"))
            .cure(format!("say `schema {name}`, or `schema output {verb}`")));
    }
    let schema = find(name).ok_or_else(|| {
        let known: Vec<String> = all().names.into_iter().map(|(name, _)| name).collect();
        Failure::usage(format!("there is no schema `{name}`"))
            .cure(format!("known: {}", known.join(", ")))
    })?;
    context.screen.raw(format!("{schema:#}\n").as_bytes())?;
    Ok(Exit::Ok)
}

/// The schema of what a verb prints under `--json`, or the verbs that have one.
fn output(context: &Context, verb: &str) -> Result<Exit, Failure> {
    if verb.is_empty() {
        return context.screen.show(&Names { names: answers() });
    }
    let schema = outputs::schema_of(verb).ok_or_else(|| {
        let verbs: BTreeSet<String> = answers().into_iter().map(|(verb, _)| verb).collect();
        let verbs: Vec<String> = verbs.into_iter().collect();
        Failure::usage(format!("no verb `{verb}` has an answer of its own"))
            .cure(format!("known: {}", verbs.join(", ")))
    })?;
    context.screen.raw(format!("{schema:#}\n").as_bytes())?;
    Ok(Exit::Ok)
}

/// Each verb, with what stands in `output` and `version` of its answers.
fn answers() -> Vec<(String, String)> {
    let mut answers: Vec<(String, String)> = Vec::new();
    for one in OUTPUTS {
        let verb = if one.verb.is_empty() { one.name } else { one.verb };
        let about = format!("`{}` version {}", one.name, one.version);
        match answers.last_mut().filter(|(last, _)| last == verb) {
            Some((_, all)) => *all = format!("{all}, {about}"),
            None => answers.push((verb.to_owned(), about)),
        }
    }
    answers
}

fn find(name: &str) -> Option<Value> {
    if name == "config" {
        return Some(config::schema());
    }
    let connector = registry::find(name).map(|entry| (entry.schema)());
    connector.or_else(|| catalogue::find(name).map(|entry| (entry.schema)()))
}

fn all() -> Names {
    let own = [
        ("config".to_owned(), "the configuration file".to_owned()),
        ("output".to_owned(), "what `--json` prints; `schema output VERB`".to_owned()),
    ];
    let connectors = registry::TARGETS
        .iter()
        .map(|one| (one.target.name.to_owned(), format!("settings of {}", one.target.about)));
    let contracts = catalogue::CONTRACTS.iter().map(|entry| {
        let about = match (entry.event_type, entry.direction) {
            ("", _) => "the CloudEvents envelope".to_owned(),
            (kind, catalogue::Direction::Inbound) => format!("taken in as {kind}"),
            (kind, catalogue::Direction::Outbound) => format!("given out as {kind}"),
        };
        (entry.name.to_owned(), about)
    });
    Names { names: own.into_iter().chain(connectors).chain(contracts).collect() }
}

impl View for Names {
    const OUTPUT: &'static str = "schema";

    fn write(&self, text_table: &mut TextTable) {
        let rows: Vec<[String; 2]> =
            self.names.iter().map(|(name, about)| [name.clone(), about.clone()]).collect();
        text_table.table(["name", "schema of"], &rows);
    }
}
