//! Intake: how records come in. Every way ends at one door, which answers
//! after the records are on the disk.

mod arrivals;
pub mod cloudevents;
pub mod files;
mod hosts;
pub mod http;
pub mod lines;
mod listening;
pub mod operations;
pub mod page;
pub mod piped;
mod places;
pub mod read_timeout;
mod region;
pub(crate) mod repeats;
pub mod sheet;
pub mod snapshot;
pub mod survey;

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod sheet_tests;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use planthread_contracts::{RawRecord, RejectedRecord};
use planthread_domain::{
    decode::{Decoder, Facts, Feeds, Taken},
    model::Plant,
};
use planthread_engine::{State, journal};
use planthread_kit::Clock;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{failure::Failure, pipeline::Entry, report::text_table::short};
pub use arrivals::{Arrivals, Arrived};
use cloudevents::Arrival;
use lines::not_too_long;

/// Where every record comes in.
pub trait Door: Send + Sync + fmt::Debug {
    /// The present instant, for `received_at`.
    fn now(&self) -> Timestamp;

    /// Keeps what arrived, together with the checkpoint (source, value), in
    /// one commit. Everything is on the disk when it returns.
    ///
    /// # Errors
    /// When the state can't be written: then nothing was kept.
    fn take(
        &self,
        arrivals: Vec<Arrival>,
        checkpoint: Option<(String, String)>,
    ) -> Result<Kept, Failure>;
}

/// What became of what arrived.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Kept {
    /// New records.
    pub taken: usize,
    /// Records that were there already.
    pub duplicates: usize,
    /// Records whose source and id are taken by another body, and which wait for
    /// a person; the first one counts, and both are kept.
    pub conflicts: Vec<String>,
    /// Records that count now instead of another one of their id, by the rule of
    /// their source.
    pub corrected: Vec<String>,
    /// Records from the future, which wait for a person.
    pub quarantined: Vec<String>,
    /// Records that can't be understood.
    pub rejected: Vec<Refusal>,
    /// What was understood, by what it feeds.
    pub feeds: Vec<Fed>,
    /// Records that are on the lists of `planthread rejects`, and not on these:
    /// however many rows of a file are refused, the first ones tell why.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_listed: usize,
    /// How many stand on each list, listed or not.
    #[serde(skip)]
    pub all: Counts,
}

/// How many records were not simply taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In conflict with another one of their id.
    pub conflicts: usize,
    /// Corrections that count.
    pub corrected: usize,
    /// Of the future.
    pub quarantined: usize,
    /// Not understood.
    pub rejected: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Records of each kind that are listed of one file.
const LISTED: usize = 1_000;

/// Records that were understood, and the figures that they feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fed {
    /// How many records.
    pub records: usize,
    /// What they are and feed.
    #[serde(flatten)]
    pub feeds: Feeds,
}

/// A record that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// File, `stdin` or endpoint.
    pub place: String,
    /// Line, or index in the batch, from 1.
    pub line: u64,
    /// The field at fault; empty when the whole record is.
    pub field: String,
    /// Why.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

impl From<&RejectedRecord> for Refusal {
    fn from(record: &RejectedRecord) -> Self {
        Self {
            place: record.origin.place.clone(),
            line: record.origin.line,
            field: record.field.clone(),
            reason: record.reason.clone(),
            cure: record.cure.clone(),
        }
    }
}

impl Kept {
    /// Counts what is listed, where all of it is.
    fn counted(mut self) -> Self {
        self.all = Counts {
            conflicts: self.conflicts.len(),
            corrected: self.corrected.len(),
            quarantined: self.quarantined.len(),
            rejected: self.rejected.len(),
        };
        self
    }

    /// Lists no more than `most` of each kind.
    fn list(&mut self, most: usize) {
        let texts = [&mut self.conflicts, &mut self.corrected, &mut self.quarantined];
        texts.into_iter().for_each(|list| list.truncate(most));
        self.rejected.truncate(most);
        let Counts { conflicts, corrected, quarantined, rejected } = self.all;
        let lists = [&self.conflicts, &self.corrected, &self.quarantined];
        let listed = lists.map(Vec::len).iter().sum::<usize>() + self.rejected.len();
        self.not_listed = conflicts + corrected + quarantined + rejected - listed;
    }

    /// Adds what another take kept.
    pub fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.duplicates += other.duplicates;
        self.all.conflicts += other.all.conflicts;
        self.all.corrected += other.all.corrected;
        self.all.quarantined += other.all.quarantined;
        self.all.rejected += other.all.rejected;
        self.conflicts.extend(other.conflicts);
        self.corrected.extend(other.corrected);
        self.quarantined.extend(other.quarantined);
        self.rejected.extend(other.rejected);
        for fed in other.feeds {
            match self.feeds.iter_mut().find(|known| known.feeds == fed.feeds) {
                Some(known) => known.records += fed.records,
                None => self.feeds.push(fed),
            }
        }
        self.list(LISTED);
    }
}

/// The door of the journal.
#[derive(Debug, Clone)]
pub struct JournalDoor {
    state: Arc<State>,
    plant: Arc<Plant>,
    clock: Arc<dyn Clock>,
    watch: Option<Arc<Watch>>,
    arrivals: Arc<Arrivals>,
}

/// Records that went through a door, for whoever watches.
#[derive(Debug)]
struct Watch {
    doing: Entry,
    records: AtomicU64,
}

impl JournalDoor {
    /// The door of `state`, which understands the sources of `plant`.
    #[must_use]
    pub fn new(state: Arc<State>, plant: Arc<Plant>, clock: Arc<dyn Clock>) -> Self {
        Self { state, plant, clock, watch: None, arrivals: Arc::default() }
    }

    /// The same door; what is kept is told to `arrivals`, source by source.
    #[must_use]
    pub fn told_to(self, arrivals: Arc<Arrivals>) -> Self {
        Self { arrivals, ..self }
    }

    /// The same door; what goes through is counted on `doing`.
    #[must_use]
    pub fn counted_by(self, doing: Entry) -> Self {
        Self { watch: Some(Arc::new(Watch { doing, records: AtomicU64::new(0) })), ..self }
    }

    fn count(&self, records: usize) {
        if let Some(watch) = &self.watch {
            let records = records as u64;
            let all = watch.records.fetch_add(records, Ordering::Relaxed) + records;
            watch.doing.at(all, None, "record");
        }
    }

    /// Lets the rules of the sources decide of second rows, and tells what
    /// became of those that arrived now.
    fn settle(&self, conflicts: &[journal::Conflict], kept: &mut Kept) -> Result<(), Failure> {
        let settled = repeats::settle(&self.state, &self.plant, self.now())?;
        let reader = self.state.reader()?;
        let now = |repeat: &&journal::Repeat| {
            conflicts.iter().any(|c| c.position == repeat.first && c.id == repeat.record.id)
        };
        for repeat in settled.waiting.iter().filter(now) {
            kept.conflicts.push(format!(
                "{}: `planthread rejects accept {}`, or `refuse`",
                repeats::told(&reader, repeat)?,
                repeat.id
            ));
        }
        kept.corrected = settled.accepted;
        kept.rejected.extend(settled.refused);
        Ok(())
    }

    /// Sorts what arrived: understood, not understood, from the future; and how
    /// many are kept already.
    fn sort(&self, arrivals: Vec<Arrival>) -> Result<(journal::Append, Vec<Fed>, usize), Failure> {
        let decoder = Decoder::new(&self.plant)
            .map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
        let mut append = journal::Append::default();
        let mut fed: BTreeMap<Feeds, usize> = BTreeMap::new();
        let mut known = 0;
        for arrival in arrivals {
            let what = match bounded(arrival) {
                Ok(record) => understood(&decoder, record, &self.state)?,
                Err(rejected) => Understood::Never(rejected),
            };
            match what {
                Understood::Now(record, feeds) => {
                    append.records.push(record);
                    *fed.entry(feeds).or_default() += 1;
                }
                Understood::Later(waiting) => append.quarantined.push(waiting),
                Understood::Before => known += 1,
                Understood::Never(rejected) => append.rejected.push(*rejected),
            }
        }
        let fed = fed.into_iter().map(|(feeds, records)| Fed { records, feeds });
        Ok((append, fed.collect(), known))
    }
}

/// Characters of a field, a reason or a cure that are kept: a row of a megabyte
/// is in none of them.
const TEXT_MAX: usize = 500;

/// The arrival, unless its record is too long; what is told of a refused one is
/// short, and so is what is kept of it.
pub(crate) fn bounded(arrival: Arrival) -> Arrival {
    let (body, origin) = match &arrival {
        Ok(record) => (&record.body, &record.origin),
        Err(refused) => (&refused.body, &refused.origin),
    };
    not_too_long(body).map_err(|long| long.refused(origin.clone()))?;
    match arrival {
        Err(mut refused) => {
            for text in [&mut refused.field, &mut refused.reason, &mut refused.cure] {
                *text = short(text, TEXT_MAX);
            }
            Err(refused)
        }
        known => known,
    }
}

enum Understood {
    Now(RawRecord, Feeds),
    Later(journal::Quarantined),
    /// It is kept already.
    Before,
    Never(Box<RejectedRecord>),
}

/// Decodes a record to see whether it can be; the facts are derived later.
fn understood(
    decoder: &Decoder<'_>,
    record: RawRecord,
    state: &State,
) -> Result<Understood, Failure> {
    let told =
        |rejected| bounded(Err(rejected)).err().map_or(Understood::Before, Understood::Never);
    Ok(match decoder.take(&record, &mut Facts::default()) {
        Taken::Now(feeds) => Understood::Now(record, feeds),
        Taken::Early(rejected) => {
            let reason = format!("{}; {}", rejected.reason, rejected.cure);
            Understood::Later(journal::Quarantined { record, reason })
        }
        // Its file told once: a row of the first pass can't be of the future.
        Taken::Undecided(_) if journal::holds(&state.reader()?, &record)? => Understood::Before,
        Taken::Undecided(rejected) | Taken::Never(rejected) => told(rejected),
    })
}

/// The present instant of `plant`: not before the instant that a replay speaks
/// for.
#[must_use]
pub fn replay_now(plant: &Plant, now: Timestamp) -> Timestamp {
    plant.as_of.map_or(now, |as_of| as_of.max(now))
}

impl Door for JournalDoor {
    /// A plant with a fixed instant is a replay: it lives at that instant.
    fn now(&self) -> Timestamp {
        replay_now(&self.plant, self.clock.now())
    }

    fn take(
        &self,
        arrivals: Vec<Arrival>,
        checkpoint: Option<(String, String)>,
    ) -> Result<Kept, Failure> {
        let now = self.now();
        self.count(arrivals.len());
        let (append, feeds, known) = self.sort(arrivals)?;
        let append = journal::Append { checkpoint, ..append };
        let mut kept = Kept {
            feeds,
            rejected: append.rejected.iter().map(Refusal::from).collect(),
            quarantined: append
                .quarantined
                .iter()
                .map(|waiting| {
                    let origin = &waiting.record.origin;
                    format!("{} line {}: {}", origin.place, origin.line, waiting.reason)
                })
                .collect(),
            ..Kept::default()
        };
        let taken: Vec<_> = append.records.iter().map(arrivals::Taken::from).collect();
        let source_of = |refused| arrivals::source_of(&self.plant, refused);
        let refused: Vec<_> = append.rejected.iter().map(source_of).collect();
        let done = journal::append(&self.state, append, now)?;
        self.arrivals.count(&taken, &refused);
        kept.taken = done.appended;
        kept.duplicates = done.duplicates + known;
        if !done.conflicts.is_empty() {
            self.settle(&done.conflicts, &mut kept)?;
        }
        Ok(kept.counted())
    }
}
