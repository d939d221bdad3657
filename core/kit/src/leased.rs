//! A transport that lets nothing out but while we hold a lease.
//!
//! The sender's side of fencing: a target knows no terms, so whoever sends asks its own
//! clock right before, and again whenever its request is taken up. A process that was
//! suspended beyond the end of its lease finds that out before it sends on.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::{BoxFuture, Clock, SendError, Sent, Transport, VirtualClock};

/// A clock that never goes back and that nobody sets: for how long something lasts.
pub trait Steady: Send + Sync + fmt::Debug {
    /// How long ago it was started.
    fn elapsed(&self) -> Duration;
}

impl Steady for VirtualClock {
    fn elapsed(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }
}

/// The span in which we may send, by both our clocks.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Duration,
    until: Duration,
    wall_until: Timestamp,
}

/// Whether we may send now. The keeper of the lease sets it; everybody who sends asks.
///
/// It ends by whichever of our clocks says so first: one may stand still while the
/// machine sleeps, the other may be set.
#[derive(Debug)]
pub struct Permit {
    steady: Arc<dyn Steady>,
    wall: Arc<dyn Clock>,
    span: Mutex<Option<Span>>,
}

impl Permit {
    /// A permit that was not given yet.
    #[must_use]
    pub fn new(steady: Arc<dyn Steady>, wall: Arc<dyn Clock>) -> Self {
        Self { steady, wall, span: Mutex::default() }
    }

    /// How long ago its clock was started: what spans are counted by.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.steady.elapsed()
    }

    /// The wall clock, for what is told to people and for the end of a span.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall.now()
    }

    /// Gives it from `from` until `until`. `renewed` is the wall clock's instant `lasts`
    /// before that end.
    pub fn give(&self, from: Duration, until: Duration, renewed: Timestamp, lasts: Duration) {
        let wall_until = renewed.checked_add(lasts).unwrap_or(Timestamp::MAX);
        *self.span.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Span { from, until, wall_until });
    }

    /// Takes it back.
    pub fn take(&self) {
        *self.span.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// For how long it still holds; nothing where it does not.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let span = (*self.span.lock().unwrap_or_else(PoisonError::into_inner))?;
        let now = self.steady.elapsed();
        let by_wall = Duration::try_from(span.wall_until.duration_since(self.wall.now())).ok()?;
        let left = span.until.checked_sub(now)?.min(by_wall);
        (span.from <= now && !left.is_zero()).then_some(left)
    }
}

/// A transport that sends while a permit holds, and else nothing.
#[derive(Debug)]
pub struct Leased {
    transport: Arc<dyn Transport>,
    permit: Arc<Permit>,
}

impl Leased {
    /// `transport`, while `permit` holds.
    #[must_use]
    pub const fn new(transport: Arc<dyn Transport>, permit: Arc<Permit>) -> Self {
        Self { transport, permit }
    }
}

impl Transport for Leased {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        let over = |sent| {
            let text = "this bridge does not hold the lease: another one may send now";
            Err(SendError::lost(sent, text))
        };
        if self.permit.left().is_none() {
            return Box::pin(async move { over(Sent::No) });
        }
        // It is dropped, and its connection with it, at the end of the permit: whatever of
        // it is not out by then stays here.
        let mut under_way = Some(self.transport.send(request));
        let (mut sent, mut end) = (Sent::No, None);
        Box::pin(poll_fn(move |context| {
            loop {
                let left = self.permit.left();
                let (Some(future), Some(left)) = (under_way.as_mut(), left) else {
                    under_way = None;
                    return Poll::Ready(over(sent));
                };
                sent = Sent::Maybe;
                if let Poll::Ready(answer) = future.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                let timer = end.get_or_insert_with(|| self.permit.wall.sleep(left));
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                // It was given for longer meanwhile, or is over.
                end = None;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Reply, Script};

    fn start() -> Timestamp {
        "2026-11-27T15:00:00Z".parse().unwrap()
    }

    proptest! {
        #[test]
        fn nothing_goes_out_before_or_after_the_permit(
            from in 0_u64..20, lasts in 0_u64..20, wall_ahead in 0_u64..20,
            tries in prop::collection::vec(0_u64..50, 1..6),
        ) {
            let clock = VirtualClock::new(start(), 1);
            let wall = VirtualClock::new(start(), 1);
            let permit =
                Arc::new(Permit::new(Arc::new(clock.clone()), Arc::new(wall.clone())));
            let script = Arc::new(Script::new(&clock, |_, _| Reply::status(200)));
            let leased = Leased::new(Arc::clone(&script) as Arc<dyn Transport>, Arc::clone(&permit));
            let zero = clock.elapsed();
            let seconds = Duration::from_secs;
            permit.give(zero + seconds(from), zero + seconds(from + lasts), start(),
                seconds(from + lasts));
            wall.advance(seconds(wall_ahead));
            let (mut at, mut went) = (0, 0);
            for step in tries {
                clock.advance(seconds(step));
                wall.advance(seconds(step));
                at += step;
                let request = Request::get("https://a.example/").body(Bytes::new()).unwrap();
                let sent = clock.block_on(leased.send(request));
                let may = at >= from && at + wall_ahead < from + lasts;
                went += usize::from(may);
                prop_assert_eq!(sent.is_ok(), may);
                prop_assert_eq!(script.arrived().len(), went);
                if let Err(error) = sent {
                    prop_assert_eq!(error.sent, Sent::No);
                }
            }
            permit.take();
            prop_assert_eq!(permit.left(), None);
        }
    }

    /// A peer that takes its time.
    #[derive(Debug)]
    struct Slow(VirtualClock, Mutex<u32>);

    impl Transport for Slow {
        fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
            Box::pin(async {
                self.0.sleep(Duration::from_secs(30)).await;
                *self.1.lock().unwrap() += 1;
                Ok(Response::new(Bytes::new()))
            })
        }
    }

    #[test]
    fn what_is_under_way_at_the_end_goes_no_further_and_may_have_been_sent() {
        let clock = VirtualClock::new(start(), 1);
        let shared: Arc<dyn Steady> = Arc::new(clock.clone());
        let permit = Arc::new(Permit::new(shared, Arc::new(clock.clone())));
        let slow = Arc::new(Slow(clock.clone(), Mutex::new(0)));
        let leased = Leased::new(Arc::clone(&slow) as Arc<dyn Transport>, Arc::clone(&permit));
        let now = clock.elapsed();
        permit.give(now, now + Duration::from_secs(10), start(), Duration::from_secs(10));
        let request = Request::get("https://a.example/").body(Bytes::new()).unwrap();
        let error = clock.block_on(leased.send(request)).unwrap_err();
        assert_eq!((error.sent, *slow.1.lock().unwrap()), (Sent::Maybe, 0));
    }
}
