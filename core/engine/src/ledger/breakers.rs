//! Breakers: where targets are left alone, for the process after this one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use planthread_kit::{
    Operation,
    breaker::{BreakerMemory, Kept},
};

use crate::{Reader, State, error::Result};

/// How the breakers of all targets were kept, by target and operation. One that was
/// never anything but closed is not among them.
///
/// # Errors
/// When the state can't be read.
pub fn breakers(reader: &Reader) -> Result<BTreeMap<(String, Operation), Kept>> {
    reader.db().breakers()
}

/// Keeps breakers in a state as long as that is open.
#[derive(Debug)]
pub struct BreakersOnDisk(Weak<State>);

impl BreakersOnDisk {
    /// Keeps them in `state`.
    #[must_use]
    pub fn of(state: &Arc<State>) -> Self {
        Self(Arc::downgrade(state))
    }
}

impl BreakerMemory for BreakersOnDisk {
    fn keep(&self, target: &str, operation: Operation, kept: Kept) {
        let Some(state) = self.0.upgrade() else { return };
        let name = target.to_owned();
        if let Err(error) = state.change(move |tx| tx.put_breaker(&name, operation, kept)) {
            let operation = operation.word();
            tracing::warn!(target, operation, %error, "the breaker is not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use planthread_kit::{BreakerBook, BreakerPolicy, Breakers, Class, Sent};

    use super::*;
    use crate::testing::{TempDir, now};

    const DOWN: Class = Class::Transient { sent: Sent::No };
    const POLICY: BreakerPolicy = BreakerPolicy { failures: 2, open_for: Duration::from_mins(1) };

    fn opened(state: &Arc<State>) -> Arc<Breakers> {
        let book = BreakerBook::kept_in(Arc::new(BreakersOnDisk::of(state)));
        book.remember(breakers(&state.reader().unwrap()).unwrap());
        book.of_target("there", POLICY)
    }

    #[test]
    fn a_target_that_was_left_alone_is_left_alone_by_the_next_process() {
        let (dir, write) = (TempDir::new("breakers"), Operation::Write);
        let fails = |at| {
            let state = Arc::new(State::open(dir.path(), at).unwrap());
            opened(&state).admit(write, at).unwrap().failed(DOWN, at);
        };
        fails(now());
        let then = now() + SignedDuration::from_secs(10);
        fails(then);
        let state = Arc::new(State::open(dir.path(), then).unwrap());
        let breakers = opened(&state);
        assert_eq!(breakers.admit(write, then).unwrap_err(), POLICY.open_for);
        assert!(breakers.admit(Operation::Read, then).is_ok(), "it may well be read");
        let until = then + SignedDuration::from_mins(1);
        breakers.admit(write, until).unwrap().succeeded();
        let kept = super::breakers(&state.reader().unwrap()).unwrap();
        assert_eq!(kept, BTreeMap::from([(("there".to_owned(), write), Kept::default())]));
    }
}
