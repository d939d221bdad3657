//! `planthread man FOLDER`

use std::{fs, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{TextTable, View, text_table::count},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where they are written, such as /usr/local/share/man/man1
    folder: PathBuf,
}

/// The pages that were written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Manual {
    /// Where.
    folder: PathBuf,
    /// How many.
    pages: usize,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let folder = &args.folder;
    let failed = |error| Failure::io("write the pages", folder, &error);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(super::command(), folder).map_err(failed)?;
    let pages = fs::read_dir(folder).map_err(failed)?.filter_map(Result::ok);
    let pages = pages.filter(|page| page.file_name().to_string_lossy().starts_with("planthread"));
    context.screen.show(&Manual { folder: folder.clone(), pages: pages.count() })
}

impl View for Manual {
    const OUTPUT: &'static str = "man";

    fn write(&self, text_table: &mut TextTable) {
        let pages = count(u64::try_from(self.pages).unwrap_or(u64::MAX), "page");
        text_table.line(format!("{pages} of the manual in {}", self.folder.display()));
    }
}
