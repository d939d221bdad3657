//! `planthread init [DIR]`

use std::path::PathBuf;

use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{Paper, View},
    starter::Starter,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to write it
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    config: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let now = context.clock.now();
    let starter = Starter::new(&args.folder, now);
    starter.write(now, None)?;
    context.screen.show(&Written { config: starter.config })
}

impl View for Written {
    fn write(&self, paper: &mut Paper) {
        let folder = self.config.parent().unwrap_or_else(|| std::path::Path::new("."));
        let enter = if folder == std::path::Path::new(".") || folder.as_os_str().is_empty() {
            String::new()
        } else {
            format!("cd {} && ", folder.display())
        };
        paper
            .line(format!(
                "Wrote {}, with eight weeks of a simulated plant.",
                self.config.display()
            ))
            .line("")
            .line("Next, in two terminals:")
            .line("  planthread mock sap-ibp --listen 127.0.0.1:9101")
            .line(format!(
                "  {enter}planthread check ibp && planthread ingest && planthread plan && \
                 planthread apply"
            ))
            .line("")
            .line("Then look at http://127.0.0.1:9101/planner");
    }
}
