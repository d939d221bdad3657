//! `planthread schema [NAME]`

use planthread_contracts::catalogue;
use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::{
    config,
    failure::{Exit, Failure},
    registry,
    report::{TextTable, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `config`, a connector, or a contract; without it the names are listed
    name: Option<String>,
}

/// The schemas that there are.
#[derive(Debug, Serialize)]
struct Names {
    names: Vec<(String, String)>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let Some(name) = &args.name else { return context.screen.show(&all()) };
    let schema = find(name).ok_or_else(|| {
        let known: Vec<String> = all().names.into_iter().map(|(name, _)| name).collect();
        Failure::usage(format!("there is no schema `{name}`"))
            .cure(format!("known: {}", known.join(", ")))
    })?;
    context.screen.raw(format!("{schema:#}\n").as_bytes())?;
    Ok(Exit::Ok)
}

fn find(name: &str) -> Option<Value> {
    if name == "config" {
        return Some(config::schema());
    }
    let connector = registry::find(name).map(|entry| (entry.schema)());
    connector.or_else(|| catalogue::find(name).map(|entry| (entry.schema)()))
}

fn all() -> Names {
    let own = [("config".to_owned(), "the configuration file".to_owned())];
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
    fn write(&self, text_table: &mut TextTable) {
        let rows: Vec<[String; 2]> =
            self.names.iter().map(|(name, about)| [name.clone(), about.clone()]).collect();
        text_table.table(["name", "schema of"], &rows);
    }
}
