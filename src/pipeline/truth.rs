//! Truth: what the journal says of the plant, read and derived once for all
//! targets.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{PeriodKind, RawRecord, RejectedRecord};
use planthread_domain::{
    decode::{Decoder, Facts},
    derive::{Deriver, cut_off},
    model::Plant,
    project,
};
use planthread_engine::{
    Reader, State,
    journal::{self, Decision},
};

use super::{
    Bridge, Decided, Entry,
    released::{self, Counted},
};
use crate::{
    config::{DecisionsTaken, Loaded, Target},
    failure::Failure,
    serve::{files, repeats, replay_now},
};

/// What gives the figures of one instant: of now, and of the last plan cut. What is
/// released of the figures of now stands in the state.
#[derive(Debug)]
pub struct Truth {
    /// The instant that it speaks for.
    pub as_of: Timestamp,
    /// How far the journal was read.
    pub(super) position: u64,
    /// Figures of now.
    pub live: Deriver<'static>,
    /// Figures of now with all that is proposed, where some target asks for it and
    /// something is.
    pub proposed: Option<Deriver<'static>>,
    /// Figures of the last cut-off, which stay firm until the next.
    pub cut: Deriver<'static>,
    /// How much of the figures of now was released anew.
    pub(super) released: Counted,
}

impl Truth {
    /// What gives the figures of now that land at `target`.
    pub(super) fn live_at(&self, target: &Target) -> &Deriver<'static> {
        let proposed = || self.proposed.as_ref().filter(|_| supposes(target));
        proposed().unwrap_or(&self.live)
    }
}

/// Whether what is proposed counts at `target`.
pub(super) fn supposes(target: &Target) -> bool {
    target.decisions == DecisionsTaken::Proposed
}

/// The facts that count at `target`.
pub(super) fn facts_at<'a>(facts: &'a Facts, target: &Target) -> Cow<'a, Facts> {
    if supposes(target) && facts.proposes() {
        Cow::Owned(facts.clone().supposing())
    } else {
        Cow::Borrowed(facts)
    }
}

impl Bridge {
    /// Derives what the journal says at `as_of`, and at the last plan cut
    /// before it, and keeps what is released of it.
    ///
    /// # Errors
    /// When the state can't be read or written, or a calendar makes no sense.
    pub fn truth(&self, as_of: Timestamp) -> Result<Truth, Failure> {
        let doing = self.board.doing("", "deriving");
        let mut decoded = Decoded::new(cut_of(&self.loaded, as_of)?);
        let reader = self.reader()?;
        decoded.read_on(&self.loaded, &reader, Some(&doing))?;
        derive_both(&self.loaded, &self.state, decoded, as_of)
    }
}

fn derive_both(
    loaded: &Loaded,
    state: &State,
    decoded: Decoded,
    as_of: Timestamp,
) -> Result<Truth, Failure> {
    let position = decoded.position;
    let facts = decoded.seal();
    let plant = || Cow::Owned(loaded.config.plant.clone());
    let proposed = derive_proposed(loaded, plant(), &facts.all, as_of)?;
    let live = Deriver::new(plant(), Cow::Owned(facts.all), as_of, &levels(loaded));
    let live = live.map_err(|error| calendar(&error))?;
    let cut = Deriver::of_cut(plant(), Cow::Owned(facts.at_cut), as_of, &levels(loaded));
    let cut = cut.map_err(|error| calendar(&error))?;
    let rules = &loaded.config.plant.rules.significance;
    let released = released::decide(state, &live, position, rules)?;
    Ok(Truth { as_of, position, live, proposed, cut, released })
}

/// What a bridge that runs on remembers between two rounds: each record is read
/// and decoded once, and nothing is decided anew when neither the journal nor the
/// instant moved; each target derives what it wants of it. The same truth as
/// computed anew (law 18).
#[derive(Debug, Default)]
pub struct Memory {
    decoded: Option<Decoded>,
    truth: Option<Arc<Truth>>,
}

impl Memory {
    /// What the journal of `state` says at `as_of`, and keeps what is released of
    /// it; how far it is stands in `doing`.
    ///
    /// # Errors
    /// When the state can't be read or written, or a calendar makes no sense.
    pub fn truth(
        &mut self,
        loaded: &Loaded,
        state: &State,
        as_of: Timestamp,
        doing: &Entry,
    ) -> Result<Arc<Truth>, Failure> {
        let cut = cut_of(loaded, as_of)?;
        let known = self.decoded.take().filter(|decoded| decoded.cut == cut);
        let mut decoded = known.unwrap_or_else(|| Decoded::new(cut));
        let before = decoded.position;
        decoded.read_on(loaded, &state.reader()?, Some(doing))?;
        let same = decoded.position == before;
        let decoded = self.decoded.insert(decoded);
        let truth = self.truth.take().filter(|truth| same && truth.as_of == as_of);
        let truth = match truth {
            Some(truth) => truth,
            None => Arc::new(derive_both(loaded, state, decoded.clone(), as_of)?),
        };
        Ok(Arc::clone(self.truth.insert(truth)))
    }
}

/// What the journal says: everything, and what had arrived in time for the
/// plan cut.
#[derive(Debug)]
pub struct Journaled {
    /// Everything.
    pub all: Facts,
    /// What had arrived in time for the plan cut.
    pub at_cut: Facts,
    /// What somebody decided of records, in the order of the journal.
    pub decided: Vec<Decided>,
    /// Records that the sources of the configuration can't read.
    pub undecoded: u64,
}

/// Records after which progress is told.
const COUNTED: u64 = 1_000;

/// A bridge that begins between two cuts takes its first one from the history
/// that arrives within a day of its first record.
const FIRST_HISTORY: SignedDuration = SignedDuration::from_hours(24);

/// The journal, decoded up to a position.
#[derive(Debug, Clone)]
struct Decoded {
    cut: Timestamp,
    /// What arrived until here counts for the cut.
    until: Option<Timestamp>,
    at_cut: Change,
    late: Change,
    decided: Vec<Decided>,
    undecoded: u64,
    position: u64,
}

/// How far the journal is read.
#[derive(Debug, Clone, Copy)]
enum UpTo {
    /// To its end.
    End,
    /// As it stood at a position.
    Position(u64),
    /// As it stood at an instant.
    Arrival(Timestamp),
}

impl UpTo {
    fn holds(self, position: u64, arrived: Timestamp) -> bool {
        match self {
            Self::End => true,
            Self::Position(last) => position <= last,
            Self::Arrival(last) => arrived <= last,
        }
    }
}

/// Facts that records told, and those that a decision took back.
#[derive(Debug, Clone, Default)]
struct Change {
    told: Facts,
    gone: Facts,
}

impl Decoded {
    fn new(cut: Timestamp) -> Self {
        let (at_cut, late) = (Change::default(), Change::default());
        let decided = Vec::new();
        Self { cut, until: None, at_cut, late, decided, undecoded: 0, position: 0 }
    }

    fn read_on(
        &mut self,
        loaded: &Loaded,
        reader: &Reader,
        doing: Option<&Entry>,
    ) -> Result<(), Failure> {
        self.read_until(loaded, reader, doing, UpTo::End)
    }

    /// Reads on, as far as `last`.
    fn read_until(
        &mut self,
        loaded: &Loaded,
        reader: &Reader,
        doing: Option<&Entry>,
        last: UpTo,
    ) -> Result<(), Failure> {
        let decoder = Decoder::new(&loaded.config.plant).map_err(|error| calendar(&error))?;
        let Self { cut, until, at_cut, late, decided, undecoded, position } = self;
        *position = journal::read(reader, *position, |entry| {
            let arrived = entry.record.received_at;
            let first = arrived.saturating_add(FIRST_HISTORY).unwrap_or(Timestamp::MAX);
            let in_time = arrived <= *until.get_or_insert((*cut).max(first));
            let change = if in_time { &mut *at_cut } else { &mut *late };
            if !last.holds(entry.position, arrived) {
                return Ok(());
            }
            match Decision::of(&entry.record) {
                None => {
                    let read = decode(&decoder, &entry.record, &mut change.told);
                    *undecoded += u64::from(!read);
                }
                Some(decision) => {
                    for record in decision.was.iter() {
                        decode(&decoder, record, &mut change.gone);
                    }
                    for record in decision.now.iter() {
                        decode(&decoder, record, &mut change.told);
                    }
                    decided.push(Decided::of(&decoder, &decision, arrived));
                }
            }
            if let Some(doing) = doing.filter(|_| entry.position.is_multiple_of(COUNTED)) {
                doing.at(entry.position, None, "record");
            }
            Ok(())
        })?;
        Ok(())
    }

    fn seal(self) -> Journaled {
        let Self { at_cut, late, decided, undecoded, .. } = self;
        let mut all = at_cut.clone();
        all.told.append(late.told);
        all.gone.append(late.gone);
        Journaled { all: all.seal(), at_cut: at_cut.seal(), decided, undecoded }
    }
}

impl Change {
    fn seal(self) -> Facts {
        self.told.without(self.gone).seal()
    }
}

/// Whether the record could be decoded.
fn decode(decoder: &Decoder<'_>, record: &RawRecord, facts: &mut Facts) -> bool {
    // What can't be decoded stands in the rejects since its arrival.
    let read = decoder.decode(record, facts);
    if let Err(rejected) = &read {
        tracing::debug!(id = record.id, reason = rejected.reason, "not decoded");
    }
    read.is_ok()
}

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
    let mut decoded = Decoded::new(cut_of(loaded, as_of)?);
    decoded.read_on(loaded, reader, None)?;
    Ok(decoded.seal())
}

/// As [`facts_of_journal`], as the journal stood at `position`: what was decided
/// or came later is not known yet.
///
/// # Errors
/// As [`facts_of_journal`].
pub fn facts_of_journal_at(
    loaded: &Loaded,
    reader: &Reader,
    as_of: Timestamp,
    position: u64,
) -> Result<Journaled, Failure> {
    let mut decoded = Decoded::new(cut_of(loaded, as_of)?);
    decoded.read_until(loaded, reader, None, UpTo::Position(position))?;
    Ok(decoded.seal())
}

/// As [`facts_of_journal`], of what had arrived by `until`; of everything where that is
/// absent.
///
/// # Errors
/// As [`facts_of_journal`].
pub(super) fn facts_of_journal_until(
    loaded: &Loaded,
    reader: &Reader,
    as_of: Timestamp,
    until: Option<Timestamp>,
) -> Result<Journaled, Failure> {
    let mut decoded = Decoded::new(cut_of(loaded, as_of)?);
    decoded.read_until(loaded, reader, None, until.map_or(UpTo::End, UpTo::Arrival))?;
    Ok(decoded.seal())
}

fn cut_of(loaded: &Loaded, as_of: Timestamp) -> Result<Timestamp, Failure> {
    cut_off(&loaded.config.plant, as_of).map_err(|error| calendar(&error))
}

/// What derives from sealed facts, for every level that a target stores.
///
/// # Errors
/// When a calendar makes no sense.
pub fn derive_facts<'a>(
    loaded: &'a Loaded,
    facts: &'a Facts,
    as_of: Timestamp,
) -> Result<Deriver<'a>, Failure> {
    let (plant, facts) = (Cow::Borrowed(&loaded.config.plant), Cow::Borrowed(facts));
    Deriver::new(plant, facts, as_of, &levels(loaded)).map_err(|error| calendar(&error))
}

/// What derives from `facts` with all that is proposed in them, where a target asks for it
/// and something is.
///
/// # Errors
/// As [`derive_facts`].
pub(super) fn derive_proposed<'a>(
    loaded: &Loaded,
    plant: Cow<'a, Plant>,
    facts: &Facts,
    as_of: Timestamp,
) -> Result<Option<Deriver<'a>>, Failure> {
    if !facts.proposes() || !loaded.config.targets.values().any(supposes) {
        return Ok(None);
    }
    let facts = Cow::Owned(facts.clone().supposing());
    let deriver = Deriver::new(plant, facts, as_of, &levels(loaded));
    deriver.map(Some).map_err(|error| calendar(&error))
}

/// What derives the plan cut that holds at `as_of` from the facts that had arrived
/// in time for it, as far ahead as [`derive_facts`] reaches.
///
/// # Errors
/// When a calendar makes no sense.
pub fn derive_taken_cut<'a>(
    loaded: &'a Loaded,
    facts: &'a Facts,
    as_of: Timestamp,
) -> Result<Deriver<'a>, Failure> {
    let (plant, facts) = (Cow::Borrowed(&loaded.config.plant), Cow::Borrowed(facts));
    Deriver::of_cut(plant, facts, as_of, &levels(loaded)).map_err(|error| calendar(&error))
}

/// The period kinds that are derived for what the targets store.
pub(super) fn levels(loaded: &Loaded) -> Vec<PeriodKind> {
    let measures = loaded.config.targets.values().flat_map(|target| &target.measures);
    project::derived_kinds(measures.map(|measure| measure.level))
}

fn calendar(error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(error.to_string()).explain("config")
}

/// Decodes the files of all sources, without a state. Returns what was
/// refused, too. Of second rows of a name the rule of their source decides, as it
/// does in the journal; an export that is the whole truth has no rows before it.
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
    let (mut change, mut refused) = (Change::default(), Vec::new());
    let mut counting: HashMap<(String, String), RawRecord> = HashMap::new();
    let mut take = |record: RawRecord| -> Result<(), Box<RejectedRecord>> {
        let name = (record.source.clone(), record.id.clone());
        let known = counting.get(&name);
        if known.is_some_and(|known| known.body == record.body) {
            return Ok(());
        }
        if let Some(known) = known {
            repeats::without_a_person(plant, &record, known)?;
        }
        decoder.decode(&record, &mut change.told)?;
        if let Some(known) = counting.insert(name, record) {
            decode(&decoder, &known, &mut change.gone);
        }
        Ok(())
    };
    files::each(plant, now, &mut |arrival| {
        refused.extend(arrival.and_then(&mut take).err().map(|rejected| *rejected));
    })?;
    Ok((change.seal(), refused))
}
