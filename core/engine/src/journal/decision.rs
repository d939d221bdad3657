//! Decisions: what counts under a record's name from here on.
//!
//! A second row of a name waits beside the journal until somebody accepts or
//! refuses it; a row that vanished from an export that is the whole truth is
//! retracted. What was decided is a record of the journal itself, at its own
//! position, with the bytes of both: whoever reads up to a position knows what
//! counted there, and the planning side decides nothing twice.

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord};
use serde::{Deserialize, Serialize};

use super::{append::digest, segment::Line};
use crate::{
    Reader, State,
    error::Result,
    store::{Db, Tx, records::Repeat},
};

/// Media type of a decision.
const MEDIA_TYPE: &str = "application/vnd.planthread.decision+json";

/// What somebody decided of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who answers for it: a person, or the rule of the configuration.
    pub who: String,
    /// Why.
    pub why: String,
    /// The record that counted before; `None` when none did.
    pub was: Option<RawRecord>,
    /// The record that counts from here on; `None` when none does.
    pub now: Option<RawRecord>,
}

/// A decision as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    who: String,
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<Line>,
}

impl Decision {
    /// The decision that `record` holds; `None` when it is no decision, or one
    /// that can't be read.
    #[must_use]
    pub fn of(record: &RawRecord) -> Option<Self> {
        if record.media_type != MEDIA_TYPE {
            return None;
        }
        let Written { who, why, was, now } = serde_json::from_slice(&record.body).ok()?;
        let record = |line: Option<Line>| match line {
            Some(line) => line.into_record().map(Some),
            None => Some(None),
        };
        Some(Self { who, why, was: record(was)?, now: record(now)? })
    }

    /// Source and id of the records that it speaks of.
    fn name(&self) -> Option<(&str, &str)> {
        let record = self.now.as_ref().or(self.was.as_ref())?;
        Some((&record.source, &record.id))
    }

    /// The decision as a record; `None` when it speaks of nothing.
    fn record(self, at: Timestamp) -> Option<RawRecord> {
        let (source, id) = self.name().map(|(source, id)| (source.to_owned(), id.to_owned()))?;
        let place = |record: &RawRecord| record.origin.clone();
        let origin: Origin = self.now.as_ref().or(self.was.as_ref()).map(place)?;
        let Self { who, why, was, now } = self;
        let (was, now) = (was.map(Line::from_record), now.map(Line::from_record));
        let body = serde_json::to_vec(&Written { who, why, was, now }).ok()?;
        let mark = &crate::store::codec::hex(&digest(&body))[..16];
        let id = format!("{id} decided {at} {mark}");
        Some(RawRecord { source, id, media_type: MEDIA_TYPE.into(), body, received_at: at, origin })
    }
}

/// What is decided of a second row of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it counts from here on.
    pub accepted: bool,
    /// Who answers for it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// Every second row of a name that waits for a person, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn repeats(reader: &Reader) -> Result<Vec<Repeat>> {
    reader.db().repeats_waiting()
}

/// Every second row of a name of which somebody has decided, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn decided(reader: &Reader) -> Result<Vec<Repeat>> {
    reader.db().repeats_decided()
}

/// The record that counts under a name; `None` when there is none, or it was
/// retracted.
///
/// # Errors
/// When the state can't be read.
pub fn counting(reader: &Reader, source: &str, id: &str) -> Result<Option<RawRecord>> {
    counting_in(reader.db(), source, id)
}

/// The record of a source's name that counted by what was taken in until `at`.
///
/// # Errors
/// When the state can't be read.
pub fn counted_at(
    reader: &Reader,
    (source, id): (&str, &str),
    at: Timestamp,
) -> Result<Option<RawRecord>> {
    let db = reader.db();
    let Some((first, _)) = db.record_named(source, id)? else { return Ok(None) };
    for position in db.decisions_of(first)? {
        let record = db.record_at_position(position)?;
        if let Some(record) = record.filter(|record| record.received_at <= at) {
            return Ok(Decision::of(&record).and_then(|decision| decision.now));
        }
    }
    Ok(db.record_at_position(first)?.filter(|record| record.received_at <= at))
}

fn counting_in(db: &Db, source: &str, id: &str) -> Result<Option<RawRecord>> {
    let Some((first, _)) = db.record_named(source, id)? else { return Ok(None) };
    match db.counts_by(first)? {
        None => db.record_at_position(first),
        Some((decision, _)) => {
            let record = db.record_at_position(decision)?;
            Ok(record.and_then(|record| Decision::of(&record)?.now))
        }
    }
}

/// Decides of second rows by their numbers; a refused one may be accepted later,
/// and an accepted one refused, which puts back what counted before. Returns
/// those of which it was decided now: none that is not there, or that is decided
/// so already.
///
/// # Errors
/// When the state can't be written: then nothing was decided.
pub fn decide(state: &State, verdicts: Vec<(u64, Verdict)>, now: Timestamp) -> Result<Vec<Repeat>> {
    state.change(move |tx| {
        let mut decided = Vec::new();
        for (id, verdict) in &verdicts {
            decided.extend(decide_one(tx, *id, verdict, now)?);
        }
        Ok(decided)
    })
}

fn decide_one(tx: &Tx<'_>, id: u64, verdict: &Verdict, now: Timestamp) -> Result<Option<Repeat>> {
    let Some(repeat) = tx.repeat(id)? else { return Ok(None) };
    let was_accepted = repeat.verdict.as_ref().map(|verdict| verdict.accepted);
    if was_accepted == Some(verdict.accepted) {
        return Ok(None);
    }
    if verdict.accepted {
        stand(tx, &repeat.record, Some(repeat.record.clone()), verdict, now)?;
    } else if was_accepted == Some(true) {
        let before = before(tx, &repeat)?;
        stand(tx, &repeat.record, before, verdict, now)?;
    }
    tx.put_verdict(id, verdict, now)?;
    tx.repeat(id)
}

/// What counted under the name before the repeated row was accepted.
fn before(tx: &Tx<'_>, repeat: &Repeat) -> Result<Option<RawRecord>> {
    let decision = tx.decision_for(repeat.first, &digest(&repeat.record.body))?;
    let record = decision.map(|position| tx.record_at_position(position)).transpose()?.flatten();
    Ok(record.and_then(|record| Decision::of(&record)?.was))
}

/// Retracts the records of these names, as far as they count; returns how many
/// did.
///
/// # Errors
/// When the state can't be written: then none was retracted.
pub fn retract(
    state: &State,
    names: Vec<(String, String)>,
    verdict: Verdict,
    now: Timestamp,
) -> Result<usize> {
    state.change(move |tx| {
        let mut gone = 0;
        for (source, id) in &names {
            if let Some(record) = counting_in(tx, source, id)? {
                stand(tx, &record, None, &verdict, now)?;
                gone += 1;
            }
        }
        Ok(gone)
    })
}

/// Lets `now` count under the name of `record` from here on.
fn stand(
    tx: &Tx<'_>,
    record: &RawRecord,
    now: Option<RawRecord>,
    verdict: &Verdict,
    at: Timestamp,
) -> Result<()> {
    let was = counting_in(tx, &record.source, &record.id)?;
    let (who, why) = (verdict.who.clone(), verdict.why.clone());
    let decision = Decision { who, why, was, now };
    let Some(written) = decision.record(at) else { return Ok(()) };
    if let Ok(position) = tx.insert_record(&written, &digest(&written.body))? {
        note(tx, &written, position)?;
    }
    Ok(())
}

/// Notes which body counts, when `record` is a decision, at its position.
pub(super) fn note(tx: &Tx<'_>, record: &RawRecord, position: u64) -> Result<()> {
    let Some(decision) = Decision::of(record) else { return Ok(()) };
    let Some((source, id)) = decision.name() else { return Ok(()) };
    let Some((first, _)) = tx.record_named(source, id)? else { return Ok(()) };
    let digest = decision.now.as_ref().map(|now| digest(&now.body));
    tx.put_decision(first, position, digest.as_ref().map(<[u8; 32]>::as_slice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{Append, SealLimits, admit, append, counts, seal},
        ledger,
        testing::{TempDir, now},
    };

    fn row(body: &str, place: &str) -> RawRecord {
        RawRecord {
            source: "mes".into(),
            id: "2".into(),
            media_type: "text/csv".into(),
            body: body.into(),
            received_at: now(),
            origin: Origin { place: place.into(), line: 3 },
        }
    }

    fn take(state: &State, records: Vec<RawRecord>) -> (usize, usize, usize) {
        let done = append(state, Append { records, ..Append::default() }, now()).unwrap();
        (done.appended, done.duplicates, done.conflicts.len())
    }

    fn says(accepted: bool) -> Verdict {
        Verdict { accepted, who: "Eva".into(), why: "shift book".into() }
    }

    fn body(state: &State) -> Option<String> {
        let record = counting(&state.reader().unwrap(), "mes", "2").unwrap()?;
        Some(String::from_utf8(record.body).unwrap())
    }

    fn waiting(state: &State) -> Vec<u64> {
        repeats(&state.reader().unwrap()).unwrap().iter().map(|repeat| repeat.id).collect()
    }

    #[test]
    fn a_second_row_counts_once_somebody_accepted_it_and_no_file_read_again_undoes_that() {
        let dir = TempDir::new("decide");
        let state = State::open(dir.path(), now()).unwrap();
        assert_eq!(take(&state, vec![row("12:30", "ev.csv")]), (1, 0, 0));
        assert_eq!(take(&state, vec![row("13:30", "new.csv")]), (0, 0, 1));
        assert_eq!(body(&state).as_deref(), Some("12:30"), "the first one counts");
        let [id] = waiting(&state)[..] else { panic!() };
        let repeat = decide(&state, vec![(id, says(true))], now()).unwrap().remove(0);
        assert_eq!(repeat.verdict.unwrap().who, "Eva");
        assert_eq!((body(&state).as_deref(), waiting(&state).len()), (Some("13:30"), 0));
        assert_eq!(decide(&state, vec![(id, says(true))], now()).unwrap(), [], "only once");
        // Both files lie there still, and are read again.
        let again = vec![row("12:30", "ev.csv"), row("13:30", "new.csv")];
        assert_eq!(take(&state, again), (0, 2, 0));
        // The place that told the correction takes it back: somebody is asked.
        assert_eq!(take(&state, vec![row("12:30", "new.csv")]), (0, 0, 1));
        let back = waiting(&state)[0];
        decide(&state, vec![(back, says(true))], now()).unwrap().remove(0);
        assert_eq!(body(&state).as_deref(), Some("12:30"));
        let audit = ledger::audit(&state.reader().unwrap()).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
    }

    #[test]
    fn what_was_refused_is_not_asked_again_and_has_a_way_back() {
        let dir = TempDir::new("refuse");
        let state = State::open(dir.path(), now()).unwrap();
        take(&state, vec![row("12:30", "ev.csv"), row("13:30", "new.csv")]);
        let id = waiting(&state)[0];
        decide(&state, vec![(id, says(false))], now()).unwrap().remove(0);
        assert_eq!(take(&state, vec![row("13:30", "new.csv")]), (0, 1, 0));
        assert_eq!(counts(&state.reader().unwrap()).unwrap().conflicts, 0);
        decide(&state, vec![(id, says(true))], now()).unwrap().remove(0);
        assert_eq!(body(&state).as_deref(), Some("13:30"));
        decide(&state, vec![(id, says(false))], now()).unwrap().remove(0);
        assert_eq!(body(&state).as_deref(), Some("12:30"));
        assert_eq!(decided(&state.reader().unwrap()).unwrap().len(), 1);
        assert_eq!(decide(&state, vec![(99, says(true))], now()).unwrap(), []);
    }

    #[test]
    fn a_retracted_row_counts_no_more_and_stays_in_the_journal() {
        let dir = TempDir::new("retract");
        let state = State::open(dir.path(), now()).unwrap();
        take(&state, vec![row("12:30", "ev.csv")]);
        let names = || vec![("mes".to_owned(), "2".to_owned()), ("mes".to_owned(), "9".to_owned())];
        assert_eq!(retract(&state, names(), says(true), now()).unwrap(), 1);
        assert_eq!(retract(&state, names(), says(true), now()).unwrap(), 0);
        assert_eq!(body(&state), None);
        let mut told = Vec::new();
        crate::journal::read(&state.reader().unwrap(), 0, |entry| {
            told.push(Decision::of(&entry.record));
            Ok(())
        })
        .unwrap();
        let [None, Some(decision)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((&decision.was, &decision.now), (&Some(row("12:30", "ev.csv")), &None));
        // It comes back: that is news, and somebody or a rule decides.
        assert_eq!(take(&state, vec![row("12:30", "ev.csv")]), (0, 0, 1));
    }

    #[test]
    fn a_decision_travels_with_the_segments() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        take(&collector, vec![row("12:30", "ev.csv"), row("13:30", "ev.csv")]);
        decide(&collector, vec![(waiting(&collector)[0], says(true))], now()).unwrap();
        seal(&collector, folder.path(), "plant", SealLimits::default(), None).unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!(body(&deliverer).as_deref(), Some("13:30"));
        assert_eq!(take(&deliverer, vec![row("12:30", "old.csv")]), (0, 1, 0));
    }
}
