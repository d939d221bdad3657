//! A network with delays of its own: each request travels for a while, and arrives also
//! when whoever sent it waits no longer. So a request that was given up can arrive
//! behind the ones that were sent after it.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use jiff::Timestamp;
use planthread::in_process::InProcess;
use planthread_kit::{BoxFuture, Clock, SendError, Transport, VirtualClock};

/// How long a way takes, at most.
const WAY: Duration = Duration::from_secs(4);
/// One request in so many is held up for up to this long: longer than anybody waits,
/// and within the grace that every target declares.
const HELD_UP: (u64, Duration) = (24, Duration::from_secs(100));

/// Requests whose senders have gone, and when they arrive.
type Lost = Arc<Mutex<Vec<(Timestamp, Request<Bytes>)>>>;

/// The way to a sandbox.
#[derive(Clone)]
pub(crate) struct Net {
    inner: InProcess,
    clock: VirtualClock,
    /// Only of the delays: what else draws does not move them.
    dice: VirtualClock,
    lost: Lost,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

/// A request on its way.
struct Flying {
    lost: Lost,
    arrives: Timestamp,
    request: Option<Request<Bytes>>,
}

impl Drop for Flying {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.lost.lock().unwrap().push((self.arrives, request));
        }
    }
}

impl Net {
    pub(crate) fn new(inner: InProcess, clock: VirtualClock, dice: VirtualClock) -> Self {
        Self { inner, clock, dice, lost: Lost::default() }
    }

    fn way(&self) -> Duration {
        let most = if self.dice.random().is_multiple_of(HELD_UP.0) { HELD_UP.1 } else { WAY };
        Duration::from_millis(self.dice.random() % u64::try_from(most.as_millis()).unwrap())
    }

    /// What nobody waits for any more arrives, when its time has come.
    fn arrive(&self) {
        let now = self.clock.now();
        let mut lost = self.lost.lock().unwrap();
        lost.sort_by_key(|(at, _)| *at);
        let due = lost.partition_point(|(at, _)| *at <= now);
        let due: Vec<_> = lost.drain(..due).collect();
        drop(lost);
        for (_, request) in due {
            // Taken in at once; the answer finds nobody.
            drop(self.inner.send(request).now_or_never());
        }
    }
}

impl Transport for Net {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            let there = self.way();
            let arrives = self.clock.now() + there;
            let lost = Arc::clone(&self.lost);
            let mut flying = Flying { lost, arrives, request: Some(request) };
            self.clock.sleep(there).await;
            self.arrive();
            let request = flying.request.take().unwrap_or_default();
            let answer = self.inner.send(request).await;
            self.clock.sleep(self.way()).await;
            answer
        })
    }
}
