//! Retry: a person has put right why records or cells were refused.
//!
//! A rejection leaves the list only when its record is kept: taken from the
//! bytes that were refused, or from its file, where it was corrected. A file
//! that was turned over, cut or deleted meanwhile takes nothing off the list.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use planthread_domain::{
    decode::{self, HEADER},
    model::Source,
};
use planthread_engine::{
    Reader,
    journal::{self, Cured, RejectedEntry},
};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Bridge, Where};
use crate::{
    failure::Failure,
    serve::{
        Door as _, Kept,
        cloudevents::{self, Arrival},
        files, repeats,
    },
};

/// Refused records that are tried again at a time: they are in memory, and so are
/// their lines.
const AT_ONCE: u32 = 20_000;

/// The lines of the sources' files as they stand now, by place.
type LinesNow = BTreeMap<String, BTreeMap<u64, Vec<u8>>>;

/// What came in after all.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Retried {
    /// Records that came in now.
    pub taken: usize,
    /// Rejections and quarantined records that are cured.
    pub cured: usize,
    /// Records that are still refused, or still wait.
    pub still: usize,
    /// Rejected cells that go out again with the next plan.
    pub cells: u64,
    /// Rejected cells that stay so; told where cells were chosen, and records were left
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells_left: Option<u64>,
    /// Files that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Failure>,
}

impl Bridge {
    /// Takes refused and waiting records again, from the files of the sources
    /// and from the bytes that were kept, and makes rejected cells pending.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub fn retry(&self) -> Result<Retried, Failure> {
        let reports = files::sources_again(&self.loaded.config.plant, &self.door());
        let mut taken: usize = reports.iter().map(|report| report.kept.taken).sum();
        let (mut cured, mut after) = (0, 0);
        // A record that is refused for another reason now is still one refusal: the
        // newer one tells what is wrong.
        let mut seen = HashMap::new();
        loop {
            let mut left = journal::rejected_after(&self.reader()?, after, AT_ONCE)?;
            let Some(last) = left.last() else { break };
            after = last.id;
            let mut done = Vec::new();
            // First what a person corrected in a file, then the bytes that were kept.
            let lines = self.lines_now(&left);
            self.part(&mut left, &mut done, |reader, entry| self.corrected(reader, entry, &lines))?;
            taken += self.bytes_again(&left)?.taken;
            self.part(&mut left, &mut done, |reader, entry| self.came_in(reader, entry))?;
            cured += journal::cure(&self.state, Cured { rejected: done, ..Cured::default() })?;
            let again = left.iter().filter_map(|entry| seen.insert(self.name_of(entry)?, entry.id));
            let rejected = again.collect();
            journal::cure(&self.state, Cured { rejected, ..Cured::default() })?;
        }
        cured += self.waiting_again(&mut taken)?;
        repeats::settle(&self.state, &self.loaded.config.plant, self.door().now())?;
        let counts = journal::counts(&self.reader()?)?;
        let still = usize::try_from(counts.rejected + counts.quarantined).unwrap_or(usize::MAX);
        let stopped = reports.into_iter().filter_map(|report| report.stopped).collect();
        let (cells, _) = self.cells_again(&[])?;
        Ok(Retried { taken, cured, still, cells, cells_left: None, stopped })
    }

    /// Makes the rejected cells that fulfil `conditions` pending, and nothing else.
    ///
    /// # Errors
    /// When the state can't be read or written, and when no cell is meant.
    pub fn retry_cells(&self, conditions: &[Where]) -> Result<Retried, Failure> {
        let (cells, left) = self.cells_again(conditions)?;
        Ok(Retried { cells, cells_left: Some(left), ..Retried::default() })
    }

    /// What tells a refused record from every other one, where only one source reads
    /// its place.
    fn name_of(&self, entry: &RejectedEntry) -> Option<[u8; 32]> {
        let RejectedRecord { origin, body, .. } = &entry.record;
        let alone = !body.is_empty() && self.sources_of(&origin.place).nth(1).is_none();
        let name = format!("{}\n{}\n", origin.place, origin.line);
        alone.then(|| Sha256::new_with_prefix(name).chain_update(body).finalize().into())
    }

    /// Takes records that wait again; returns how many wait no longer.
    fn waiting_again(&self, taken: &mut usize) -> Result<usize, Failure> {
        let mut cured = Cured::default();
        for waiting in journal::quarantined(&self.reader()?)? {
            let again = self.door().take(vec![Ok(waiting.record.clone())], None)?;
            if again.quarantined.is_empty() && again.rejected.is_empty() {
                cured.quarantined.push(waiting.record);
            }
            *taken += again.taken;
        }
        Ok(journal::cure(&self.state, cured)?)
    }

    /// Moves the numbers of those that `is` true of from `left` to `done`.
    fn part(
        &self,
        left: &mut Vec<RejectedEntry>,
        done: &mut Vec<u64>,
        mut is: impl FnMut(&Reader, &RejectedEntry) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let reader = self.reader()?;
        let mut still = Vec::new();
        for entry in left.drain(..) {
            if is(&reader, &entry)? {
                done.push(entry.id);
            } else {
                still.push(entry);
            }
        }
        *left = still;
        Ok(())
    }

    fn sources(&self) -> &[Source] {
        &self.loaded.config.plant.sources
    }

    /// The sources that read the file called `place`.
    fn sources_of<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Source> {
        let reads = move |source: &&Source| source.files.iter().any(|file| file == place);
        self.sources().iter().filter(reads)
    }

    fn lines_now(&self, entries: &[RejectedEntry]) -> LinesNow {
        let mut numbers: BTreeMap<&String, BTreeSet<u64>> = BTreeMap::new();
        for Origin { place, line } in entries.iter().map(|entry| &entry.record.origin) {
            numbers.entry(place).or_default().insert(*line);
        }
        let ours = numbers.into_iter().filter(|(place, _)| self.sources_of(place).next().is_some());
        ours.map(|(place, lines)| (place.clone(), files::lines_now(Path::new(place), &lines)))
            .collect()
    }

    /// Whether the line of the file holds the refused record, put right, and
    /// it is kept.
    fn corrected(
        &self,
        reader: &Reader,
        entry: &RejectedEntry,
        lines: &LinesNow,
    ) -> Result<bool, Failure> {
        let RejectedRecord { origin, field, body: was, .. } = &entry.record;
        let Some(now) = lines.get(&origin.place).and_then(|lines| lines.get(&origin.line)) else {
            return Ok(false);
        };
        for source in self.sources_of(&origin.place) {
            if field == HEADER && decode::wrong_header(now, source, origin.clone()).is_none() {
                return Ok(true);
            }
            let same = match decode::row(now, source, origin.clone(), entry.at) {
                Some(Ok(row)) if decode::corrected(was, now, field, source) => Some(row),
                Some(_) => None,
                None => event(now, origin, entry.at).filter(|event| names(was, &event.id)),
            };
            if let Some(record) = same
                && journal::holds(reader, &record)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes what was refused again, from the bytes that were kept.
    fn bytes_again(&self, entries: &[RejectedEntry]) -> Result<Kept, Failure> {
        let door = self.door();
        let mut arrivals: Vec<Arrival> = Vec::new();
        for RejectedEntry { record, .. } in entries.iter().filter(|e| e.record.field != HEADER) {
            let origin = &record.origin;
            let row = |source| decode::row(&record.body, source, origin.clone(), door.now());
            let rows: Vec<_> = self.sources_of(&origin.place).filter_map(row).collect();
            if rows.is_empty() {
                arrivals.extend(event(&record.body, origin, door.now()).map(Ok));
            }
            arrivals.extend(rows.into_iter().filter_map(Result::ok).map(Ok));
        }
        door.take(arrivals, None)
    }

    /// Whether the very bytes that were refused are kept as a record now.
    fn came_in(&self, reader: &Reader, entry: &RejectedEntry) -> Result<bool, Failure> {
        let RejectedRecord { origin, body, .. } = &entry.record;
        let row = |source| decode::row(body, source, origin.clone(), entry.at)?.ok();
        for record in self.sources().iter().filter_map(row).chain(event(body, origin, entry.at)) {
            if journal::holds(reader, &record)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The event that these bytes are, if they are one.
fn event(body: &[u8], origin: &Origin, at: Timestamp) -> Option<RawRecord> {
    cloudevents::event(body, origin.clone(), at).ok()
}

/// Whether the refused bytes carry the name of an event.
fn names(was: &[u8], id: &str) -> bool {
    String::from_utf8_lossy(was).contains(&format!("\"{id}\""))
}
