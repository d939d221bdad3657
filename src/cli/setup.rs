//! `planthread setup TARGET`

use planthread_kit::target::Provided;
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::Opener,
    report::{TextTable, View, target::Sheet},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; may be left out when there is only one
    target: Option<String>,
    /// Send what the connector ships for its target (models of twins) instead of
    /// showing the sheet; what is there already stays as it is
    #[arg(long)]
    push: bool,
}

impl Args {
    /// Whether it sends something.
    pub(super) const fn changes(&self) -> bool {
        self.push
    }
}

/// What was sent, and what was there.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pushed {
    /// Each thing that the connector ships.
    provided: Vec<Provided>,
}

impl View for Pushed {
    const OUTPUT: &'static str = "setup push";

    fn write(&self, text_table: &mut TextTable) {
        for one in &self.provided {
            let how = match (one.created, one.differs) {
                (true, _) => "sent",
                (false, false) => "there already",
                (false, true) => "there already, and not as it is shipped",
            };
            text_table.line(format!("{}  {how}", one.name));
        }
    }

    fn exit(&self) -> Exit {
        let differs = self.provided.iter().any(|one| one.differs);
        if differs { Exit::Findings } else { Exit::Ok }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let name = args.target.as_deref();
    if args.push {
        let opener = Opener::new(std::sync::Arc::clone(&context.clock));
        let provided = context.block_on(opener.provide(&loaded, name))?;
        return context.screen.show(&Pushed { provided });
    }
    let target = context.open_offline(&loaded, name)?;
    context.screen.show(&Sheet::of(target.connector.info(), &target.config, context.clock.now()))
}
