//! The bridge, put together once: configuration, state, targets, clock.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{PeriodKind, RejectedRecord};
use planthread_domain::{
    decode::Decoder,
    decode::Facts,
    derive::{Derivation, cut_off, derive, derive_cut},
    model::Plant,
};
use planthread_engine::{Reader, State, journal, ledger};
use planthread_kit::Clock;

use super::{OpenTarget, Opener};
use crate::{
    config::Loaded,
    failure::Failure,
    serve::{
        JournalDoor,
        files::{self, FileReport},
        replay_now,
    },
};

/// Everything that moves numbers from the plant to its targets.
#[derive(Debug)]
pub struct Bridge {
    /// The configuration.
    pub loaded: Loaded,
    /// The one writer of the state.
    pub state: Arc<State>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    plant: Arc<Plant>,
    opener: Opener,
}

impl Bridge {
    /// Opens the configured state for writing.
    ///
    /// # Errors
    /// When somebody else writes it, or the disk refuses.
    pub fn open(loaded: Loaded, clock: Arc<dyn Clock>, opener: Opener) -> Result<Self, Failure> {
        let state = State::open(&loaded.config.state, clock.now())?;
        opener.remember(ledger::pauses(&state.reader()?)?);
        let plant = Arc::new(loaded.config.plant.clone());
        Ok(Self { state: Arc::new(state), plant, clock, opener, loaded })
    }

    /// The door of the journal.
    #[must_use]
    pub fn door(&self) -> JournalDoor {
        JournalDoor::new(Arc::clone(&self.state), Arc::clone(&self.plant), Arc::clone(&self.clock))
    }

    /// A read-only connection.
    ///
    /// # Errors
    /// When the state can't be opened.
    pub fn reader(&self) -> Result<Reader, Failure> {
        Ok(self.state.reader()?)
    }

    /// The instant that a cycle speaks for, now.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.plant.as_of(self.clock.now())
    }

    /// Reads the files of all sources on. What stops one of them stands in its
    /// report.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn ingest(&self) -> Result<Vec<FileReport>, Failure> {
        files::sources(&self.plant, &self.door(), &self.reader()?)
    }

    /// Derives the figures of all resources from the journal.
    ///
    /// # Errors
    /// When the journal can't be read, or a calendar makes no sense.
    pub fn derive(&self, as_of: Timestamp) -> Result<Derivation, Failure> {
        derive_journal(&self.loaded, &self.reader()?, as_of)
    }

    /// Keeps what the targets' tenants asked for, for the next process.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub(super) fn keep_pauses(&self) -> Result<(), Failure> {
        Ok(ledger::keep_pauses(&self.state, self.opener.pauses(), self.clock.now())?)
    }

    /// The target called `name`; without a name the only one.
    ///
    /// # Errors
    /// When there is no such target, or it can't be put together.
    pub fn target(&self, name: Option<&str>) -> Result<OpenTarget, Failure> {
        self.opener.open(&self.loaded, name)
    }

    /// The target called `name`; without a name all of them.
    ///
    /// # Errors
    /// When there is no such target, or one can't be put together.
    pub fn targets(&self, name: Option<&str>) -> Result<Vec<OpenTarget>, Failure> {
        match name {
            Some(name) => Ok(vec![self.opener.open(&self.loaded, Some(name))?]),
            None => self.opener.open_all(&self.loaded),
        }
    }
}

/// Derives from the journal behind `reader`; no writer is needed.
///
/// # Errors
/// When the journal can't be read, or a calendar makes no sense.
pub fn derive_journal(
    loaded: &Loaded,
    reader: &Reader,
    as_of: Timestamp,
) -> Result<Derivation, Failure> {
    derive_facts(loaded, &facts_of_journal(loaded, reader, as_of)?.all, as_of)
}

/// What the journal says: everything, and what had arrived in time for the
/// plan cut.
#[derive(Debug)]
pub struct Journaled {
    /// Everything.
    pub all: Facts,
    /// What had arrived in time for the plan cut.
    pub at_cut: Facts,
}

/// A bridge that begins between two cuts takes its first one from the history
/// that arrives within a day of its first record.
const FIRST_HISTORY: SignedDuration = SignedDuration::from_hours(24);

/// Decodes the journal. A record that arrived after the plan cut of `as_of` is
/// news for the next one, also when it speaks of a time before: the cut is firm.
///
/// # Errors
/// When the journal can't be read, or a source can't be read as declared.
pub fn facts_of_journal(
    loaded: &Loaded,
    reader: &Reader,
    as_of: Timestamp,
) -> Result<Journaled, Failure> {
    let plant = &loaded.config.plant;
    let decoder = Decoder::new(plant).map_err(|error| calendar(&error))?;
    let cut = cut_off(plant, as_of).map_err(|error| calendar(&error))?;
    let (mut at_cut, mut late) = (Facts::default(), Facts::default());
    let mut until = None;
    journal::read(reader, 0, |entry| {
        let arrived = entry.record.received_at;
        let first = arrived.saturating_add(FIRST_HISTORY).unwrap_or(Timestamp::MAX);
        let facts =
            if arrived <= *until.get_or_insert(cut.max(first)) { &mut at_cut } else { &mut late };
        // What can't be decoded stands in the rejects since its arrival.
        if let Err(rejected) = decoder.decode(&entry.record, facts) {
            tracing::debug!(position = entry.position, reason = rejected.reason, "not decoded");
        }
        Ok(())
    })?;
    let mut all = at_cut.clone();
    all.append(late);
    Ok(Journaled { all: all.seal(), at_cut: at_cut.seal() })
}

/// Derives from sealed facts, for every level that a target stores.
///
/// # Errors
/// When a calendar makes no sense.
pub fn derive_facts(
    loaded: &Loaded,
    facts: &Facts,
    as_of: Timestamp,
) -> Result<Derivation, Failure> {
    derive(&loaded.config.plant, facts, as_of, &levels(loaded)).map_err(|error| calendar(&error))
}

/// Derives the plan cut that holds at `as_of` from the facts that had arrived
/// in time for it, as far ahead as [`derive_facts`] reaches.
///
/// # Errors
/// When a calendar makes no sense.
pub fn derive_taken_cut(
    loaded: &Loaded,
    facts: &Facts,
    as_of: Timestamp,
) -> Result<Derivation, Failure> {
    let plant = &loaded.config.plant;
    derive_cut(plant, facts, as_of, &levels(loaded)).map_err(|error| calendar(&error))
}

/// The period kinds that the targets store; weeks when there is no target.
fn levels(loaded: &Loaded) -> Vec<PeriodKind> {
    let measures = loaded.config.targets.values().flat_map(|target| &target.measures);
    let mut levels: Vec<PeriodKind> = measures.map(|measure| measure.level).collect();
    levels.push(PeriodKind::Week);
    levels.sort_unstable();
    levels.dedup();
    levels
}

fn calendar(error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(error.to_string()).explain("config")
}

/// Decodes the files of all sources, without a state. Returns what was
/// refused, too.
///
/// # Errors
/// When a file can't be read.
pub fn facts_of_files(
    loaded: &Loaded,
    now: Timestamp,
) -> Result<(Facts, Vec<RejectedRecord>), Failure> {
    let plant = &loaded.config.plant;
    let now = replay_now(plant, now);
    let decoder = Decoder::new(plant).map_err(|error| calendar(&error))?;
    let (mut facts, mut refused) = (Facts::default(), Vec::new());
    files::each(plant, now, &mut |arrival| {
        let decoded = match arrival {
            Ok(record) => decoder.decode(&record, &mut facts),
            Err(rejected) => Err(rejected),
        };
        refused.extend(decoded.err().map(|rejected| *rejected));
    })?;
    Ok((facts.seal(), refused))
}
