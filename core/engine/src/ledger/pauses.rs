//! Pauses: until when a tenant asked us to wait, for the process after this one.
//!
//! A program that is started every few minutes would forget a `Retry-After` with
//! each start, and ask again inside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use crate::{Reader, State, error::Result, store::codec};

/// The pauses that are kept, by tenant.
///
/// # Errors
/// When the state can't be read.
pub fn pauses(reader: &Reader) -> Result<BTreeMap<String, Timestamp>> {
    let mut statement = reader.conn().prepare_cached("SELECT tenant, until FROM pause")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        all.insert(row.get(0)?, codec::timestamp(row.get(1)?)?);
    }
    Ok(all)
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
    state.write(move |conn| {
        conn.execute("DELETE FROM pause WHERE until <= ?1", [codec::micros(now)])?;
        for (tenant, until) in &pauses {
            let put = "INSERT INTO pause VALUES (?1, ?2)
                 ON CONFLICT (tenant) DO UPDATE SET until = excluded.until";
            conn.prepare_cached(put)?.execute(params![tenant, codec::micros(*until)])?;
        }
        Ok(())
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
