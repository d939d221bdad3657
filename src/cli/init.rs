//! `planthread init [DIR]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    registry::{self, Registered},
    report::{TextTable, View},
    starter::{self, Starter},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to write it
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The connector of a target to begin with, several with commas
    #[arg(
        long = "target",
        value_name = "CONNECTOR",
        value_delimiter = ',',
        default_value = "sap-ibp"
    )]
    targets: Vec<String>,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Written {
    /// The configuration.
    config: PathBuf,
    /// Each target in it.
    targets: Vec<Begun>,
}

/// A target in it.
#[derive(Debug, Serialize, JsonSchema)]
struct Begun {
    /// Its name in the configuration.
    target: &'static str,
    /// The kind of target.
    connector: &'static str,
    /// Where its sandbox is looked for.
    sandbox: &'static str,
    /// How the sandbox is started.
    mock: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let now = context.clock.now();
    let starter = Starter::new(&args.folder, now);
    let targets = registry::chosen(&args.targets)?;
    let written: Vec<_> = targets.iter().map(|target| (*target, None)).collect();
    starter.write(now, &written)?;
    let begun = |target: &&Registered| Begun {
        target: target.target.starter.name(),
        connector: target.target.name,
        sandbox: target.sandbox.listen,
        mock: starter::mock(target.sandbox),
    };
    let targets = targets.iter().map(begun).collect();
    context.screen.show(&Written { config: starter.config, targets })
}

impl View for Written {
    const OUTPUT: &'static str = "init";

    fn write(&self, text_table: &mut TextTable) {
        let folder = self.config.parent().unwrap_or_else(|| std::path::Path::new("."));
        let enter = if folder == std::path::Path::new(".") || folder.as_os_str().is_empty() {
            String::new()
        } else {
            format!("cd {} && ", folder.display())
        };
        text_table
            .line(format!(
                "Wrote {}, with eight weeks of a simulated plant.",
                self.config.display()
            ))
            .line("")
            .line("Next, each sandbox in a terminal of its own:");
        for begun in &self.targets {
            text_table.line(format!("  {}", begun.mock));
        }
        let checks: Vec<String> =
            self.targets.iter().map(|begun| format!("planthread check {}", begun.target)).collect();
        text_table
            .line("Then:")
            .line(format!(
                "  {enter}{} && planthread ingest && planthread plan && planthread apply",
                checks.join(" && ")
            ))
            .line("");
        text_table.line("Then look at:");
        for begun in &self.targets {
            text_table.line(format!("  http://{}/planner", begun.sandbox));
        }
    }
}
