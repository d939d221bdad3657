//! The ledger of outages: when a target was away and why, how often it was tried,
//! how much waited, and until when.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Reader, State, error::Result, store::Db};

/// A time in which every try to reach a target failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outage {
    /// The configured target.
    pub target: String,
    /// The first try that failed.
    pub began: Timestamp,
    /// The class of its error, as `planthread explain` knows it.
    pub class: String,
    /// What it said.
    pub said: String,
    /// The newest try that failed.
    pub last: Timestamp,
    /// The class of the error of the newest try.
    pub last_class: String,
    /// What that error said.
    pub last_said: String,
    /// Whether the target could be read at the newest try: then it refuses what is
    /// written.
    pub reads: bool,
    /// Tries that failed, one a cycle.
    pub tries: u64,
    /// Cells that were not seen as wanted at the newest try.
    pub waiting: u64,
    /// Instant of the truth in the newest pack that was written meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_of: Option<Timestamp>,
    /// The first try that did not fail; none while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// Why a try failed.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// The word of the error's class.
    pub class: &'a str,
    /// What the error said.
    pub said: &'a str,
    /// Whether the target can be read.
    pub reads: bool,
    /// Instant of the truth in the pack that was written all the same.
    pub pack_of: Option<Timestamp>,
}

/// The class of an outage that a person has declared.
pub const BY_HAND: &str = "by_hand";

/// A time in which a person feeds a target by hand.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'a> {
    /// Who, and why.
    pub said: &'a str,
    /// Since when.
    pub since: Timestamp,
    /// Whether it lasts.
    pub lasts: bool,
    /// Instant of the truth in the pack that was written meanwhile.
    pub pack_of: Option<Timestamp>,
}

/// Notes that a person feeds `target` by hand, or has since it was read last: it is an
/// outage in which the target was not asked, and ends when everything was read.
///
/// # Errors
/// When the state can't be read or written.
pub fn by_hand(state: &State, target: &str, hand: Hand<'_>, now: Timestamp) -> Result<()> {
    let reader = state.reader()?;
    let known = outage(&reader, target)?;
    let is_noted = match &known {
        Some(known) => known.last >= hand.since,
        None => reader.at_once(|db| db.outage_ended_since(target, hand.since))?,
    };
    if is_noted && !hand.lasts {
        return Ok(());
    }
    let Hand { said, pack_of, since, .. } = hand;
    note(state, target, Cause { class: BY_HAND, said, reads: false, pack_of }, since, now)
}

/// Notes that a try to reach `target` failed at `now`. What it failed with first
/// stays the cause.
///
/// # Errors
/// When the state can't be read or written.
pub fn away(state: &State, target: &str, cause: Cause<'_>, now: Timestamp) -> Result<()> {
    note(state, target, cause, now, now)
}

/// The same, of an outage that would have begun at `began`.
fn note(
    state: &State,
    target: &str,
    cause: Cause<'_>,
    began: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let target = target.to_owned();
    let (class, said) = (cause.class.to_owned(), cause.said.to_owned());
    let Cause { reads, pack_of, .. } = cause;
    state.change(move |tx| {
        let mut waiting = 0;
        for (scope, of, _) in tx.scopes()? {
            if of == target {
                let counts = tx.scope_counts(scope, now)?;
                waiting += counts.wanted.saturating_sub(counts.seen);
            }
        }
        let known = tx.outage_now(&target)?;
        // Who is fed by hand is not asked.
        let tried = u64::from(class != BY_HAND);
        let tries = known.as_ref().map_or(0, |known| known.tries) + tried;
        let pack_of = pack_of.or(known.and_then(|known| known.pack_of));
        // What is known of its beginning stays.
        let (last_class, last_said) = (class.clone(), said.clone());
        let (last, ended) = (now, None);
        tx.put_outage(&Outage {
            target,
            began,
            class,
            said,
            last,
            last_class,
            last_said,
            reads,
            tries,
            waiting,
            pack_of,
            ended,
        })
    })
}

/// The outage of `target` that lasts.
///
/// # Errors
/// When the state can't be read.
pub fn outage(reader: &Reader, target: &str) -> Result<Option<Outage>> {
    reader.at_once(|db| db.outage_now(target))
}

/// Notes that `target` answered at `now`. Nothing is written where it was not away.
///
/// # Errors
/// When the state can't be read or written.
pub fn back(state: &State, target: &str, now: Timestamp) -> Result<()> {
    if outage(&state.reader()?, target)?.is_none() {
        return Ok(());
    }
    let target = target.to_owned();
    state.change(move |tx| tx.end_outage(&target, now))
}

/// The outages that last, one a target at most.
///
/// # Errors
/// When the state can't be read.
pub fn outages(reader: &Reader) -> Result<Vec<Outage>> {
    reader.at_once(Db::outages_now)
}

/// The last `most` outages of all targets that are over, the newest first.
///
/// # Errors
/// When the state can't be read.
pub fn past_outages(reader: &Reader, most: u64) -> Result<Vec<Outage>> {
    reader.at_once(|db| db.past_outages(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn an_outage_begins_once_goes_on_and_ends() {
        let dir = TempDir::new("outage");
        let state = State::open(dir.path(), now()).unwrap();
        let at = |minutes: i64| now() + jiff::SignedDuration::from_mins(minutes);
        back(&state, "north", at(0)).unwrap();
        let cause = |class, pack_of| Cause { class, said: "no route", reads: false, pack_of };
        away(&state, "north", cause("transient", Some(at(1))), at(1)).unwrap();
        away(&state, "north", cause("auth", None), at(2)).unwrap();
        away(&state, "south", cause("drift", None), at(2)).unwrap();
        back(&state, "north", at(3)).unwrap();
        away(&state, "north", cause("throttled", None), at(4)).unwrap();
        let reader = state.reader().unwrap();
        let mut all = outages(&reader).unwrap();
        all.extend(past_outages(&reader, 10).unwrap());
        let told: Vec<_> = all
            .iter()
            .map(|one| (one.target.as_str(), one.class.as_str(), one.tries, one.began, one.ended))
            .collect();
        assert_eq!(
            told,
            [
                ("north", "throttled", 1, at(4), None),
                ("south", "drift", 1, at(2), None),
                ("north", "transient", 2, at(1), Some(at(3))),
            ]
        );
        assert_eq!((all[2].last, all[2].pack_of), (at(2), Some(at(1))));
        assert_eq!(all[2].last_class, "auth", "its present cause");
    }

    #[test]
    fn a_time_by_hand_is_noted_once_also_when_nobody_was_there() {
        let dir = TempDir::new("by-hand");
        let state = State::open(dir.path(), now()).unwrap();
        let at = |minutes: i64| now() + jiff::SignedDuration::from_mins(minutes);
        let hand =
            |since, lasts| Hand { said: "Ada: moved", since: at(since), lasts, pack_of: None };
        let lasting = || outage(&state.reader().unwrap(), "t").unwrap();
        // It was over before anybody looked.
        by_hand(&state, "t", hand(1, false), at(9)).unwrap();
        let noted = lasting().unwrap();
        assert_eq!((noted.began, noted.class.as_str(), noted.reads), (at(1), BY_HAND, false));
        back(&state, "t", at(10)).unwrap();
        by_hand(&state, "t", hand(1, false), at(11)).unwrap();
        assert_eq!(lasting(), None, "everything was read since");
        // One that lasts goes on until it is over and read.
        by_hand(&state, "t", hand(12, true), at(12)).unwrap();
        by_hand(&state, "t", hand(12, true), at(13)).unwrap();
        by_hand(&state, "t", hand(12, false), at(14)).unwrap();
        assert_eq!(lasting().map(|one| (one.began, one.last)), Some((at(12), at(13))));
        back(&state, "t", at(15)).unwrap();
        // One that refuses what is written is read all the same, after somebody fed it.
        let cause = Cause { class: "transient", said: "503", reads: true, pack_of: None };
        away(&state, "t", cause, at(16)).unwrap();
        by_hand(&state, "t", hand(17, false), at(18)).unwrap();
        assert!(lasting().is_some_and(|one| !one.reads && one.class == "transient"));
    }
}
