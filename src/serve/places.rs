//! Places of the HTTP door. Only so many connections are open at once, and who
//! comes when all are taken gets the place of somebody we wait for: of those, the
//! one whose last whole request or answer is the longest ago. So nobody keeps
//! others out by opening connections and saying or taking nothing, however
//! slowly.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

use tokio::sync::Notify;

/// Most connections at once: far below the descriptors that any system gives to
/// a process (256 is the least in use), of which the cycles need their own.
pub(super) const CONNECTIONS_MAX: usize = 64;

/// The places of one door.
#[derive(Debug, Default)]
pub(super) struct Places {
    open: Mutex<Open>,
    /// A place is free, or a turn has begun or ended.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// Counts what happens: of two numbers the smaller one was earlier.
    count: u64,
    taken: BTreeMap<u64, Connection>,
}

/// How a connection stands.
#[derive(Debug, Default)]
struct Connection {
    /// When it came, or when the last whole thing came or went.
    since: u64,
    /// We are at work on its request.
    ours: bool,
    /// It is to go.
    shut: bool,
    waker: Option<Waker>,
}

impl Open {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

impl Places {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, when one is free.
    pub(super) fn try_enter(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.taken.len() >= CONNECTIONS_MAX {
            return None;
        }
        let id = open.next();
        open.taken.insert(id, Connection { since: id, ..Connection::default() });
        Some(Place { places: Arc::clone(self), id })
    }

    /// A place: where none is free, the one of who has kept us waiting longest.
    /// While we are at work on the request of each connection, it waits.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        loop {
            if let Some(place) = self.try_enter() {
                return place;
            }
            self.shut_one();
            self.changed.notified().await;
        }
    }

    fn shut_one(&self) {
        let mut open = self.open();
        if open.taken.values().any(|connection| connection.shut) {
            return;
        }
        let theirs = open.taken.values_mut().filter(|connection| !connection.ours);
        if let Some(oldest) = theirs.min_by_key(|connection| connection.since) {
            oldest.shut = true;
            oldest.waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
}

impl Place {
    /// Whether it was given to somebody else; its task is woken when it is.
    pub(super) fn is_lost(&self, context: &Context<'_>) -> bool {
        let mut open = self.places.open();
        open.taken.get_mut(&self.id).is_none_or(|connection| {
            connection.waker = Some(context.waker().clone());
            connection.shut
        })
    }

    /// Whether we are at work on its request.
    pub(super) fn is_our_turn(&self) -> bool {
        self.places.open().taken.get(&self.id).is_some_and(|connection| connection.ours)
    }

    /// Notes that an answer was taken as a whole.
    pub(super) fn answered(&self) {
        let mut open = self.places.open();
        let now = open.next();
        open.taken.entry(self.id).and_modify(|connection| connection.since = now);
    }

    /// What says that it is our turn.
    pub(super) fn turn(&self) -> OurTurn {
        OurTurn { places: Arc::clone(&self.places), id: self.id }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.open().taken.remove(&self.id);
        self.places.changed.notify_one();
    }
}

/// Says that it is our turn: the other side may be silent meanwhile, and keeps
/// its place.
#[derive(Debug, Clone)]
pub(super) struct OurTurn {
    places: Arc<Places>,
    id: u64,
}

impl OurTurn {
    /// It is our turn until the answer is dropped.
    #[must_use]
    pub(super) fn take(&self) -> Turn {
        self.set(true);
        Turn(self.clone())
    }

    /// A whole request came, or we are done with it.
    fn set(&self, ours: bool) {
        let mut open = self.places.open();
        let since = open.next();
        if let Some(connection) = open.taken.get_mut(&self.id) {
            // Who is told now that its place is lost would not hear our answer.
            *connection = Connection { since, ours, shut: false, waker: connection.waker.take() };
        }
        drop(open);
        self.places.changed.notify_one();
    }
}

/// Our turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(OurTurn);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of those that must go, after somebody new has come.
    fn lost(places: &Arc<Places>, all: &[Place]) -> Vec<usize> {
        places.shut_one();
        let context = Context::from_waker(Waker::noop());
        (0..all.len()).filter(|at| all[*at].is_lost(&context)).collect()
    }

    #[test]
    fn who_keeps_us_waiting_longest_goes_and_nobody_in_whose_turn_we_are() {
        let places = Arc::new(Places::default());
        let mut all: Vec<Place> = (0..CONNECTIONS_MAX).filter_map(|_| places.try_enter()).collect();
        assert!(all.len() == CONNECTIONS_MAX && places.try_enter().is_none());
        let turns: Vec<Turn> = all[..2].iter().map(|place| place.turn().take()).collect();
        all[2].answered();
        assert_eq!(lost(&places, &all), [3]);
        assert_eq!(lost(&places, &all), [3], "one at a time: its place is not free yet");
        // Its request has come after all.
        let kept = all[3].turn().take();
        assert_eq!(lost(&places, &all), [4]);
        drop(all.remove(4));
        assert!(places.try_enter().is_some());
        drop((turns, kept));
        assert_eq!(lost(&places, &all), [4], "the next one that has said nothing");
    }

    #[test]
    fn who_comes_waits_while_all_are_served_and_enters_when_one_is_done() {
        let clock = planthread_kit::VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let places = Arc::new(Places::default());
        let all: Vec<Place> = (0..CONNECTIONS_MAX).filter_map(|_| places.try_enter()).collect();
        let mut turns: Vec<Turn> = all.iter().map(|place| place.turn().take()).collect();
        clock.block_on(async {
            let enter = places.enter();
            tokio::pin!(enter);
            let early = futures_util::future::poll_immediate(&mut enter).await;
            assert!(early.is_none(), "nobody keeps us waiting");
            turns.pop();
            assert!(futures_util::future::poll_immediate(&mut enter).await.is_none());
            let mut all = all;
            let last = all.pop().unwrap();
            assert!(last.is_lost(&Context::from_waker(Waker::noop())));
            drop(last);
            enter.await;
        });
    }
}
