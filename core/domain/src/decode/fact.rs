//! Facts: what records say, small enough to keep a million of them in memory.

use planthread_contracts::{EquipmentState, TwinSource};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::DecidedHours;
use crate::calendar::Span;

/// A resource or line of the plant, by position: resources first, then lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Subject(pub u32);

/// A source of the plant, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SourceIndex(pub u16);

/// A set of equipment states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct StateSet(u32);

impl StateSet {
    /// The set of `states`.
    #[must_use]
    pub fn of(states: &[EquipmentState]) -> Self {
        Self(states.iter().fold(0, |set, state| set | 1 << (*state as u32)))
    }

    /// Whether `state` is in it.
    #[must_use]
    pub const fn has(self, state: EquipmentState) -> bool {
        self.0 & (1 << (state as u32)) != 0
    }
}

/// A machine changed its state, or said something that changes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StateFact {
    /// The machine.
    pub subject: Subject,
    /// Who says so.
    pub source: SourceIndex,
    /// When, in milliseconds.
    pub at: i64,
    /// Order among facts of the same time.
    pub rank: u32,
    /// Its place in the file: the order among facts of the same time and rank.
    /// The line from 1, or counted down where the newest row stands first; 0 for
    /// what stands in no file.
    pub line: u64,
    /// The state that begins; `None` when none does.
    pub state: Option<EquipmentState>,
    /// Changes nothing while the machine is in one of these.
    pub unless: StateSet,
}

impl StateFact {
    /// Where it stands: by machine and source, then by time, rank and line.
    /// Where nothing tells which of two came last, the worse one holds.
    fn place(&self) -> impl Ord + use<> {
        let Self { subject, source, at, rank, line, state, unless } = *self;
        ((subject, source, at), (rank, line), (state.map(badness), unless))
    }

    /// What it says, wherever in its file it says so.
    const fn said(&self) -> Self {
        Self { line: 0, ..*self }
    }
}

/// How little a state lets hope for, the least last: a stop outlasts the word
/// that nothing is known (law 8).
const fn badness(state: EquipmentState) -> u8 {
    match state {
        EquipmentState::Productive => 0,
        EquipmentState::Setup => 1,
        EquipmentState::StandbyStarved => 2,
        EquipmentState::StandbyBlocked => 3,
        EquipmentState::StandbyNoOrder => 4,
        EquipmentState::StandbyNoOperator => 5,
        EquipmentState::Engineering => 6,
        EquipmentState::NonScheduled => 7,
        EquipmentState::Unknown => 8,
        EquipmentState::ScheduledDown => 9,
        EquipmentState::UnscheduledDown => 10,
    }
}

/// A cumulative part counter, read at the end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CountFact {
    /// The machine.
    pub subject: Subject,
    /// Who says so.
    pub source: SourceIndex,
    /// The counted interval.
    pub interval: Span,
    /// The counter at its end.
    pub total: u64,
    /// When we received it, in milliseconds: the newest of two readings wins.
    pub received: i64,
}

/// Good output of an interval, as a twin counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MadeFact {
    /// The machine.
    pub subject: Subject,
    /// Who says so.
    pub source: SourceIndex,
    /// The counted interval.
    pub interval: Span,
    /// How much.
    pub made: Made,
    /// Up to here the twin had observed when it said so, in milliseconds.
    pub issued: i64,
    /// When we received it, in milliseconds.
    pub received: i64,
}

/// Which source a person called right of a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VerdictFact {
    /// The machine.
    pub subject: Subject,
    /// The time of which it was said.
    pub interval: Span,
    /// When it was said, in milliseconds: of two the last one holds.
    pub given: i64,
    /// The source that is right.
    pub source: SourceIndex,
    /// Who said so, when and why.
    pub words: String,
}

/// How a twin tells good output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// Good parts of the interval.
    Parts(Decimal),
    /// Good parts per scheduled hour, less planned stops.
    PerScheduledHour(Decimal),
}

/// Which figure of a period a twin foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Foretold {
    /// Mean share of scheduled time that is up, 0..1.
    UpFraction,
    /// Low quantile (0.1) of the same.
    LowUpFraction,
    /// Probability of a failure in the period, 0..1.
    FailureProbability,
    /// Hours that the repair of such a failure takes.
    RepairHours,
    /// Severity as a constraint, 0..1.
    Severity,
    /// Distribution of the share of scheduled time that is up, in JSON; its
    /// number is the mean.
    UpDistribution,
}

/// One number that a twin foretold for an interval.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Forecast {
    /// The resource or line.
    pub subject: Subject,
    /// Which number.
    pub what: Foretold,
    /// The interval that it speaks of.
    pub interval: Span,
    /// Who says so.
    pub source: SourceIndex,
    /// When it was made, in milliseconds.
    pub issued: i64,
    /// From here on it is stale, in milliseconds.
    pub valid_until: i64,
    /// The number.
    pub value: Decimal,
    /// What it is about: for a severity its method and mix, for a distribution
    /// itself, for other forecasts the asset.
    pub about: String,
}

/// All facts of a derivation.
///
/// The order of arrival carries no meaning: [`Facts::seal`] sorts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Changes of state.
    pub states: Vec<StateFact>,
    /// Counter readings.
    pub counts: Vec<CountFact>,
    /// Good output by interval.
    pub made: Vec<MadeFact>,
    /// Forecasts and severities.
    pub forecasts: Vec<Forecast>,
    /// What persons said of sources that differ.
    pub verdicts: Vec<VerdictFact>,
    /// What people decided of the hours of lines and machines.
    pub decided: Vec<DecidedHours>,
    /// Twins that spoke, for provenance.
    pub twins: Vec<TwinSource>,
}

impl Facts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
            + self.counts.len()
            + self.made.len()
            + self.forecasts.len()
            + self.verdicts.len()
            + self.decided.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether somebody proposes hours.
    #[must_use]
    pub fn proposes(&self) -> bool {
        self.decided.iter().any(|one| !one.confirmed)
    }

    /// The same with all that is proposed, as if it were confirmed.
    #[must_use]
    pub fn supposing(mut self) -> Self {
        self.decided.iter_mut().for_each(DecidedHours::suppose);
        self
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.states.append(&mut other.states);
        self.counts.append(&mut other.counts);
        self.made.append(&mut other.made);
        self.forecasts.append(&mut other.forecasts);
        self.verdicts.append(&mut other.verdicts);
        self.decided.append(&mut other.decided);
        self.twins.append(&mut other.twins);
    }

    /// Takes out what `gone` says, as often as it says it.
    #[must_use]
    pub fn without(mut self, mut gone: Self) -> Self {
        subtract(&mut self.states, &mut gone.states);
        subtract(&mut self.counts, &mut gone.counts);
        subtract(&mut self.made, &mut gone.made);
        subtract(&mut self.forecasts, &mut gone.forecasts);
        subtract(&mut self.verdicts, &mut gone.verdicts);
        subtract(&mut self.decided, &mut gone.decided);
        for twin in &gone.twins {
            let at = self.twins.iter().position(|known| known == twin);
            at.map(|at| self.twins.swap_remove(at));
        }
        self
    }

    /// Sorts, and drops what was said twice: from here on nothing depends on
    /// the order of arrival.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.states.sort_unstable_by_key(StateFact::place);
        // The line has done its work: said twice in a row is said once.
        self.states.dedup_by_key(|fact| fact.said());
        self.counts.sort_unstable();
        self.counts.dedup();
        self.made.sort_unstable();
        self.made.dedup();
        self.forecasts.sort();
        self.forecasts.dedup();
        self.verdicts.sort();
        self.verdicts.dedup();
        self.decided.sort();
        self.decided.dedup();
        // Of each twin the last word on how far it had observed.
        self.twins
            .sort_by(|a, b| (&a.twin_id, b.observed_until).cmp(&(&b.twin_id, a.observed_until)));
        self.twins.dedup_by(|next, kept| next.twin_id == kept.twin_id);
        self
    }

    /// Facts known to speak of a time up to `as_of`, in milliseconds; forecasts
    /// that were made by then, and all that is decided. `None` where all of them do.
    #[must_use]
    pub fn until(&self, as_of: i64) -> Option<Self> {
        let spoken = self.states.iter().all(|fact| fact.at <= as_of)
            && self.counts.iter().all(|count| count.interval.end <= as_of)
            && self.made.iter().all(|made| made.interval.end <= as_of)
            && self.forecasts.iter().all(|forecast| forecast.issued <= as_of)
            && self.verdicts.iter().all(|verdict| verdict.interval.start <= as_of);
        if spoken {
            return None;
        }
        Some(Self {
            states: self.states.iter().filter(|fact| fact.at <= as_of).copied().collect(),
            counts: self.counts.iter().filter(|c| c.interval.end <= as_of).copied().collect(),
            made: self.made.iter().filter(|made| made.interval.end <= as_of).copied().collect(),
            forecasts: self.forecasts.iter().filter(|f| f.issued <= as_of).cloned().collect(),
            verdicts: self
                .verdicts
                .iter()
                .filter(|verdict| verdict.interval.start <= as_of)
                .cloned()
                .collect(),
            decided: self.decided.clone(),
            twins: self.twins.clone(),
        })
    }

    /// Digest of sealed facts, for provenance; 64 hex digits. A line counts by
    /// the order that it gives, not by its number.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        // There are many of these two, and a hash takes 64 rows faster than their parts.
        let mut rows = Vec::new();
        for facts in self.states.chunks(64) {
            rows.clear();
            for fact in facts {
                rows.extend_from_slice(&fact.subject.0.to_le_bytes());
                rows.extend_from_slice(&fact.source.0.to_le_bytes());
                rows.extend_from_slice(&fact.at.to_le_bytes());
                rows.extend_from_slice(&fact.rank.to_le_bytes());
                rows.push(fact.state.map_or(u8::MAX, |state| state as u8));
                rows.extend_from_slice(&fact.unless.0.to_le_bytes());
            }
            hash.update(&rows);
        }
        for facts in self.counts.chunks(64) {
            rows.clear();
            for fact in facts {
                rows.extend_from_slice(&fact.subject.0.to_le_bytes());
                rows.extend_from_slice(&fact.source.0.to_le_bytes());
                rows.extend_from_slice(&fact.interval.start.to_le_bytes());
                rows.extend_from_slice(&fact.interval.end.to_le_bytes());
                rows.extend_from_slice(&fact.total.to_le_bytes());
            }
            hash.update(&rows);
        }
        for fact in &self.made {
            let (kind, value) = match fact.made {
                Made::Parts(parts) => (0, parts),
                Made::PerScheduledHour(rate) => (1, rate),
            };
            hash.update(fact.subject.0.to_le_bytes());
            hash.update(fact.source.0.to_le_bytes());
            hash.update(fact.interval.start.to_le_bytes());
            hash.update(fact.interval.end.to_le_bytes());
            hash.update(fact.issued.to_le_bytes());
            hash.update([kind]);
            hash.update(value.normalize().serialize());
        }
        for fact in &self.forecasts {
            hash.update(fact.subject.0.to_le_bytes());
            hash.update(fact.source.0.to_le_bytes());
            hash.update([fact.what as u8]);
            hash.update(fact.interval.start.to_le_bytes());
            hash.update(fact.interval.end.to_le_bytes());
            hash.update(fact.issued.to_le_bytes());
            hash.update(fact.valid_until.to_le_bytes());
            hash.update(fact.value.normalize().serialize());
            hash.update(fact.about.as_bytes());
        }
        for fact in &self.verdicts {
            hash.update(fact.subject.0.to_le_bytes());
            hash.update(fact.interval.start.to_le_bytes());
            hash.update(fact.interval.end.to_le_bytes());
            hash.update(fact.given.to_le_bytes());
            hash.update(fact.source.0.to_le_bytes());
            hash.update(fact.words.as_bytes());
        }
        for fact in &self.decided {
            hash.update(serde_json::json!(fact).to_string().as_bytes());
        }
        hex(&hash.finalize())
    }
}

/// Takes each of `gone` out of `all` once, where it is there.
fn subtract<T: Ord>(all: &mut Vec<T>, gone: &mut [T]) {
    if gone.is_empty() {
        return;
    }
    all.sort_unstable();
    gone.sort_unstable();
    let mut gone = gone.iter().peekable();
    all.retain(|one| {
        while gone.next_if(|next| *next < one).is_some() {}
        gone.next_if(|next| *next == one).is_none()
    });
}

/// Lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(at: i64, state: EquipmentState) -> StateFact {
        StateFact {
            subject: Subject(0),
            source: SourceIndex(0),
            at,
            rank: 0,
            line: 0,
            state: Some(state),
            unless: StateSet::default(),
        }
    }

    fn sealed(states: Vec<StateFact>) -> Facts {
        Facts { states, ..Facts::default() }.seal()
    }

    #[test]
    fn arrival_order_and_repetition_leave_no_trace() {
        let (a, b) =
            (fact(1, EquipmentState::UnscheduledDown), fact(2, EquipmentState::Productive));
        assert_eq!(sealed(vec![a, b]).digest(), sealed(vec![b, a, b]).digest());
        assert_ne!(sealed(vec![a, b]).digest(), sealed(vec![a]).digest());
    }

    #[test]
    fn of_one_instant_the_rank_decides_then_the_line_then_the_worse_state() {
        use EquipmentState::{Productive, ScheduledDown, Unknown, UnscheduledDown};
        let of = |rank: u32, line: u64, state| StateFact { rank, line, ..fact(5, state) };
        let last = |states: Vec<StateFact>| sealed(states).states.last().unwrap().state.unwrap();
        assert_eq!(last(vec![of(0, 3, UnscheduledDown), of(0, 4, Productive)]), Productive);
        assert_eq!(last(vec![of(0, 10, UnscheduledDown), of(0, 9, Productive)]), UnscheduledDown);
        assert_eq!(last(vec![of(1, 3, ScheduledDown), of(0, 4, Productive)]), ScheduledDown);
        assert_eq!(last(vec![of(0, 0, Unknown), of(0, 0, Productive)]), Unknown);
        assert_eq!(last(vec![of(0, 0, ScheduledDown), of(0, 0, Unknown)]), ScheduledDown);
    }

    #[test]
    fn what_is_taken_out_is_gone_as_often_as_it_is_said() {
        let of = |at| fact(at, EquipmentState::Productive);
        let facts = |all: &[i64]| Facts {
            states: all.iter().map(|at| of(*at)).collect(),
            ..Facts::default()
        };
        let left = facts(&[5, 3, 1, 3, 9]).without(facts(&[3, 4, 9, 9]));
        assert_eq!(left.states.iter().map(|fact| fact.at).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(facts(&[2, 1]).without(Facts::default()), facts(&[2, 1]));
    }

    #[test]
    fn lines_count_by_their_order_alone() {
        let (down, up) = (EquipmentState::UnscheduledDown, EquipmentState::Productive);
        let of = |line: u64, state| StateFact { line, ..fact(5, state) };
        let one = sealed(vec![of(2, down), of(3, up)]);
        assert_eq!(one.digest(), sealed(vec![of(12, down), of(13, down), of(14, up)]).digest());
        assert_ne!(one.digest(), sealed(vec![of(2, up), of(3, down)]).digest());
    }

    /// Of one machine and instant, every order of arrival ends in the same state.
    #[test]
    fn no_order_of_arrival_moves_the_last_word() {
        let states = EquipmentState::ALL;
        for (a, b) in states.into_iter().flat_map(|a| states.map(|b| (a, b))) {
            let (a, b) = (fact(5, a), fact(5, b));
            assert_eq!(sealed(vec![a, b]).states, sealed(vec![b, a]).states, "{a:?} {b:?}");
        }
    }

    #[test]
    fn state_sets_hold_what_they_were_given() {
        let set = StateSet::of(&[EquipmentState::UnscheduledDown]);
        assert!(set.has(EquipmentState::UnscheduledDown));
        assert!(
            !set.has(EquipmentState::Productive)
                && !StateSet::default().has(EquipmentState::Unknown)
        );
    }
}
