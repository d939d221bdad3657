//! Rough-cut load from the files that the configuration names.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use planthread_contracts::Period;
use planthread_domain::gap::{Bill, Line, LineWeek, RoughFault};
use rust_decimal::Decimal;

use super::FigureSource;
use crate::{config::RoughCut, failure::Failure, serve::survey};

/// Most bytes of a file.
const BYTES_MAX: u64 = 64 << 20;

/// The load of each line and period that the files tell, in hours.
pub(super) struct Rough {
    pub(super) load: BTreeMap<(Line, Period), Decimal>,
    /// The files, and who answers for them.
    pub(super) source: FigureSource,
}

impl Rough {
    /// Reads the files; when each was changed last is told by the clock of `zone`.
    ///
    /// # Errors
    /// When one of them can't be read, or a row of it can't be meant.
    pub(super) fn read(files: &RoughCut, zone: &str, now: Timestamp) -> Result<Self, Failure> {
        let wrong = |file: &Path, fault: RoughFault| {
            let text = format!("{}, {fault}", file.display());
            Failure::usage(text).cure("put the file right: nothing of it is taken").explain("gap")
        };
        let (bill, bill_of) = text(&files.bill, zone)?;
        let (quantities, quantities_of) = text(&files.quantities, zone)?;
        let bill = Bill::read(&bill).map_err(|fault| wrong(&files.bill, fault))?;
        let load = bill.load(&quantities);
        let load = load.map_err(|fault| wrong(&files.quantities, fault))?;
        let source = FigureSource {
            measure: "rough_cut".to_owned(),
            surface: format!("{quantities_of} × {bill_of}"),
            owner: files.owner.clone(),
            read_at: Some(now),
            not_compared: None,
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

/// What a file says, and its name with when it was changed last: an old plan is not new
/// because it was just read.
fn text(file: &Path, zone: &str) -> Result<(String, String), Failure> {
    let io = |error| Failure::io("read", file, &error);
    let open = survey::open(file)?;
    let changed = open.metadata().and_then(|about| about.modified()).map_err(io)?;
    let mut text = String::new();
    open.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!("{} has more than {BYTES_MAX} bytes", file.display()))
            .cure("leave out weeks and plants that are not compared"));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let told = match Timestamp::try_from(changed) {
        Ok(changed) => format!("{name} of {}", changed.to_zoned(zone).strftime("%Y-%m-%d %H:%M")),
        Err(_) => name.into_owned(),
    };
    Ok((text, told))
}
