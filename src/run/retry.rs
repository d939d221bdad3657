//! Retry: a person has put right why records or cells were refused.

use std::{collections::BTreeSet, path::Path};

use planthread_contracts::CellKey;
use planthread_engine::{
    journal::{self, Cured, RejectedEntry},
    ledger, status,
};
use serde::Serialize;

use super::Bridge;
use crate::{
    failure::Failure,
    serve::{Door as _, Kept, Refusal, cloudevents, files},
};

/// What came in after all.
#[derive(Debug, Default, Serialize)]
pub struct Retried {
    /// Records that came in now.
    pub taken: usize,
    /// Rejections and quarantined records that are cured.
    pub cured: usize,
    /// Records that are still refused, or still wait.
    pub still: usize,
    /// Rejected cells that go out again with the next plan.
    pub cells: u64,
}

/// Where a refused record stands: place and line.
type Spot = (String, u64);

impl Bridge {
    /// Takes refused and waiting records again, the files of the sources from
    /// their beginning, and makes rejected cells pending.
    ///
    /// # Errors
    /// When a file can't be read, or the state can't be written.
    pub fn retry(&self) -> Result<Retried, Failure> {
        let rejected = journal::rejected(&self.reader()?)?;
        let (mut kept, places) = self.files_again()?;
        let events: Vec<&RejectedEntry> =
            rejected.iter().filter(|entry| !places.contains(&entry.record.origin.place)).collect();
        kept.add(self.events_again(&events)?);
        let refused: BTreeSet<Spot> = kept.rejected.iter().map(spot).collect();
        let now_fine = |entry: &&RejectedEntry| {
            let origin = &entry.record.origin;
            let retaken = places.contains(&origin.place) || is_event(&entry.record.body);
            retaken && !refused.contains(&(origin.place.clone(), origin.line))
        };
        let mut cured = Cured {
            rejected: rejected.iter().filter(now_fine).map(|entry| entry.id).collect(),
            ..Cured::default()
        };
        for waiting in journal::quarantined(&self.reader()?)? {
            let again = self.door().take(vec![Ok(waiting.record.clone())], None)?;
            if again.quarantined.is_empty() && again.rejected.is_empty() {
                cured.quarantined.push(waiting.record);
            }
            kept.taken += again.taken;
        }
        let cured = journal::cure(&self.state, cured)?;
        let counts = journal::counts(&self.reader()?)?;
        let still = usize::try_from(counts.rejected + counts.quarantined).unwrap_or(usize::MAX);
        Ok(Retried { taken: kept.taken, cured, still, cells: self.cells_again()? })
    }

    /// Reads the files of all sources from their beginning: known records are
    /// known by their ids.
    fn files_again(&self) -> Result<(Kept, BTreeSet<String>), Failure> {
        let (mut kept, mut places) = (Kept::default(), BTreeSet::new());
        let door = self.door();
        for source in &self.loaded.config.plant.sources {
            for file in &source.files {
                let report = files::source_file_again(source, Path::new(file), &door)?;
                places.insert(report.place);
                kept.add(report.kept);
            }
        }
        Ok((kept, places))
    }

    /// Takes refused events again, from the bytes that were kept.
    fn events_again(&self, events: &[&RejectedEntry]) -> Result<Kept, Failure> {
        let door = self.door();
        let arrivals = events
            .iter()
            .filter(|entry| is_event(&entry.record.body))
            .map(|entry| {
                cloudevents::event(&entry.record.body, entry.record.origin.clone(), door.now())
            })
            .collect();
        door.take(arrivals, None)
    }

    fn cells_again(&self) -> Result<u64, Failure> {
        let keys: Vec<CellKey> =
            status::rejects(&self.reader()?)?.into_iter().map(|reject| reject.key).collect();
        Ok(ledger::retry(&self.state, keys)?)
    }
}

fn spot(refusal: &Refusal) -> Spot {
    (refusal.place.clone(), refusal.line)
}

/// Refused rows of delimited text come back with their file, events by
/// themselves.
fn is_event(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}
