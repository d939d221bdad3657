//! Rough-cut load from the files that the configuration names.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use planthread_contracts::Period;
use planthread_domain::gap::{Bill, Line, LineWeek, RoughFault};
use rust_decimal::Decimal;

use super::FigureSource;
use crate::{config::RoughCut, failure::Failure};

/// The load of each line and period that the files tell, in hours.
pub(super) struct Rough {
    pub(super) load: BTreeMap<(Line, Period), Decimal>,
    /// The files, and who answers for them.
    pub(super) source: FigureSource,
}

impl Rough {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them can't be read, or a row of it can't be meant.
    pub(super) fn read(files: &RoughCut, now: Timestamp) -> Result<Self, Failure> {
        let wrong = |file: &Path, fault: RoughFault| {
            let text = format!("{}, {fault}", file.display());
            Failure::usage(text).cure("put the file right: nothing of it is taken").explain("gap")
        };
        let bill = Bill::read(&text(&files.bill)?).map_err(|fault| wrong(&files.bill, fault))?;
        let load = bill.load(&text(&files.quantities)?);
        let load = load.map_err(|fault| wrong(&files.quantities, fault))?;
        let source = FigureSource {
            measure: "rough_cut".to_owned(),
            surface: format!("{} × {}", name(&files.quantities), name(&files.bill)),
            owner: files.owner.clone(),
            read_at: Some(now),
        };
        Ok(Self { load, source })
    }

    /// Puts the load into lines and weeks; where no file tells it, nobody knows it.
    pub(super) fn put(&self, weeks: &mut [LineWeek]) {
        for one in weeks {
            one.known.load = self.load.get(&(one.line.clone(), one.week)).copied();
        }
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn text(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::io("read", file, &error))
}
