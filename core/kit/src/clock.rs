//! Time and randomness as parameters.
//!
//! Nothing in the house reads the system clock or sleeps by itself. A test or
//! a drill hands in a [`VirtualClock`] and lives through a 72 h outage in
//! milliseconds, on one thread, from one seed.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use jiff::Timestamp;

/// A boxed future, as the object-safe traits of the kit return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Now, sleep, random: the only door to time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current instant.
    fn now(&self) -> Timestamp;
    /// Completes after `duration` of this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// 64 random bits.
    fn random(&self) -> u64;
}

/// A clock that stands still until everybody waits, then jumps to the next
/// deadline. Deterministic: same seed, same run.
///
/// Drive it with [`VirtualClock::block_on`]. It must not be mixed with real
/// sockets or threads that answer later: it would jump past them.
#[derive(Clone)]
pub struct VirtualClock(Arc<Mutex<Virtual>>);

struct Virtual {
    now: Timestamp,
    seed: u64,
    next_id: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl VirtualClock {
    /// A clock that starts at `start` and draws its randomness from `seed`.
    #[must_use]
    pub fn new(start: Timestamp, seed: u64) -> Self {
        let state = Virtual { now: start, seed, next_id: 0, sleepers: BTreeMap::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Moves the clock forward and wakes whoever waited for it.
    pub fn advance(&self, by: Duration) {
        let target = saturating_add(self.now(), by);
        while self.wake_next(Some(target)) {}
        self.lock().now = target;
    }

    /// Runs `future` to its end, jumping over every wait.
    ///
    /// # Panics
    /// When the future waits for something that is not this clock: in a
    /// virtual world that is a deadlock, and the test must say so.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            while !flag.0.swap(false, Ordering::SeqCst) {
                assert!(self.wake_next(None), "virtual world is stuck: nobody waits for the clock");
            }
        }
    }

    /// Jumps to the next deadline, at most `limit`; false when there is none.
    fn wake_next(&self, limit: Option<Timestamp>) -> bool {
        let mut state = self.lock();
        let Some((&key, _)) = state.sleepers.first_key_value() else { return false };
        if limit.is_some_and(|limit| key.0 > limit) {
            return false;
        }
        let waker = state.sleepers.remove(&key);
        state.now = state.now.max(key.0);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Virtual> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        let deadline = saturating_add(state.now, duration);
        drop(state);
        Box::pin(Sleep { clock: self.clone(), key: (deadline, id) })
    }

    /// SplitMix64: small, well spread, and the same on every machine.
    fn random(&self) -> u64 {
        let mut state = self.lock();
        state.seed = state.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn saturating_add(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Sleep {
    clock: VirtualClock,
    key: (Timestamp, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{Either, join, select};

    use super::*;

    #[test]
    fn waits_cost_nothing_and_keep_their_order() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let log = Mutex::new(Vec::new());
        let wait = |hours: u64| {
            let sleep = clock.sleep(Duration::from_secs(hours * 3_600));
            let log = &log;
            async move {
                sleep.await;
                log.lock().unwrap().push(hours);
            }
        };
        clock.block_on(join(wait(72), wait(1)));
        assert_eq!(*log.lock().unwrap(), [1, 72]);
        assert_eq!(clock.now().as_second(), 72 * 3_600);
    }

    #[test]
    fn a_timeout_is_a_race_with_the_clock() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let (slow, limit) =
            (clock.sleep(Duration::from_secs(90)), clock.sleep(Duration::from_secs(60)));
        assert!(matches!(clock.block_on(select(slow, limit)), Either::Right(_)));
        assert_eq!(clock.now().as_second(), 60);
    }

    #[test]
    #[should_panic(expected = "stuck")]
    fn waiting_for_nothing_is_reported() {
        VirtualClock::new(Timestamp::UNIX_EPOCH, 1).block_on(std::future::pending::<()>());
    }
}
