//! Asking a target again and again until it is done.

use std::{future::Future, time::Duration};

use crate::{Clock, ConnectorError};

/// Asks at once, then every `every`, until `ask` answers `Some`. `None` when
/// `deadline` passed first: whatever was asked for is still running.
///
/// It is the only way in which a connector waits. Errors end it: the request
/// stack under `ask` has already re-sent what may be re-sent.
///
/// # Errors
/// The first error of `ask`.
pub async fn poll<T, F, A>(
    clock: &dyn Clock,
    every: Duration,
    deadline: Duration,
    mut ask: F,
) -> Result<Option<T>, ConnectorError>
where
    F: FnMut() -> A,
    A: Future<Output = Result<Option<T>, ConnectorError>>,
{
    let started = clock.now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        let elapsed = clock.now().duration_since(started).unsigned_abs();
        if elapsed.saturating_add(every) > deadline {
            return Ok(None);
        }
        clock.sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use jiff::Timestamp;

    use super::*;
    use crate::{Class, VirtualClock};

    const EVERY: Duration = Duration::from_secs(5);

    fn ask_until(ready: u32, deadline: u64) -> (Option<u32>, u32, i64) {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let asked = Cell::new(0);
        let answer = clock.block_on(poll(&clock, EVERY, Duration::from_secs(deadline), || {
            asked.set(asked.get() + 1);
            let now = asked.get();
            async move { Ok((now == ready).then_some(now)) }
        }));
        (answer.unwrap(), asked.get(), clock.now().as_second())
    }

    #[test]
    fn asks_at_once_and_then_at_the_interval() {
        assert_eq!(ask_until(1, 60), (Some(1), 1, 0));
        assert_eq!(ask_until(4, 60), (Some(4), 4, 15));
    }

    #[test]
    fn stops_at_the_deadline_and_never_waits_past_it() {
        assert_eq!(ask_until(100, 12), (None, 3, 10));
        assert_eq!(ask_until(100, 0), (None, 1, 0));
    }

    #[test]
    fn an_error_ends_it() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let fail = || async { Err::<Option<()>, _>(ConnectorError::new(Class::Drift, "ask", "x")) };
        let error = clock.block_on(poll(&clock, EVERY, EVERY, fail)).unwrap_err();
        assert_eq!(error.class, Class::Drift);
    }
}
