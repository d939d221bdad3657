//! Pauses: until when a tenant asked us to wait, for the process after this one.
//!
//! A program that is started every few minutes would forget a `Retry-After` with
//! each start, and ask again inside it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Reader, State, error::Result};

/// The pauses that are kept, by tenant.
///
/// # Errors
/// When the state can't be read.
pub fn pauses(reader: &Reader) -> Result<BTreeMap<String, Timestamp>> {
    reader.db().pauses()
}

/// Keeps pauses; those that have passed at `now` go. Writes only what is new.
///
/// # Errors
/// When the state can't be read or written.
pub fn keep_pauses(
    state: &State,
    pauses: BTreeMap<String, Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let kept = self::pauses(&state.reader()?)?;
    let known = |(tenant, until): (&String, &Timestamp)| {
        // Counted from two clocks, one pause ends a moment earlier or later.
        kept.get(tenant).is_some_and(|kept| kept.duration_since(*until).abs().as_secs() < 2)
    };
    if pauses.iter().all(known) && kept.values().all(|until| *until > now) {
        return Ok(());
    }
    state.change(move |tx| {
        tx.delete_pauses(now)?;
        pauses.iter().try_for_each(|(tenant, until)| tx.put_pause(tenant, *until))
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn a_pause_outlives_its_process_and_not_itself() {
        let dir = TempDir::new("pauses");
        let state = State::open(dir.path(), now()).unwrap();
        let until = now() + SignedDuration::from_mins(10);
        let asked = BTreeMap::from([("host/user".to_owned(), until)]);
        keep_pauses(&state, asked.clone(), now()).unwrap();
        drop(state);
        let state = State::open(dir.path(), now()).unwrap();
        assert_eq!(pauses(&state.reader().unwrap()).unwrap(), asked);
        keep_pauses(&state, BTreeMap::new(), until).unwrap();
        assert!(pauses(&state.reader().unwrap()).unwrap().is_empty());
    }
}
