//! A sandbox as a transport: the connector talks to a simulator without a
//! socket, on whatever clock the caller lives by.

pub mod gate;
pub mod machine;
mod spoil;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::DATE};
use jiff::Timestamp;
use planthread_kit::{BoxFuture, Clock, SendError, Sent, Transport};
use planthread_mocks::{Cut, Simulator};

/// A simulator that several owners share: the transport asks it, a test or a
/// drill looks into it. The sandboxes' own `SharedSimulator` fits as it is.
pub type SharedSimulator = Arc<Mutex<dyn Simulator>>;

/// Mounts a simulator as a [`Transport`].
#[derive(Clone)]
pub struct InProcess {
    simulator: SharedSimulator,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    /// `simulator`, living by `clock`.
    #[must_use]
    pub const fn new(simulator: SharedSimulator, clock: Arc<dyn Clock>) -> Self {
        Self { simulator, clock }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            let mut reply = {
                let mut simulator = self.simulator.lock().unwrap_or_else(PoisonError::into_inner);
                simulator.handle(self.clock.now(), &request)
            };
            let bytes = u32::try_from(reply.response.body().len()).unwrap_or(u32::MAX);
            let dripping = reply.drip.map_or(Duration::ZERO, |every| every.saturating_mul(bytes));
            let wait = reply.delay.saturating_add(dripping);
            if !wait.is_zero() {
                self.clock.sleep(wait).await;
            }
            dated(reply.response.headers_mut(), self.clock.now());
            match reply.cut {
                Cut::None => Ok(reply.response),
                // The client only knows that no answer came: whether the
                // request had an effect is for the connector to find out.
                Cut::BeforeHandling | Cut::AfterHandling => {
                    Err(broken("connection closed before an answer came"))
                }
                Cut::TruncatedBody(kept) if kept >= reply.response.body().len() => {
                    Ok(reply.response)
                }
                Cut::TruncatedBody(_) => Err(broken("connection closed inside the answer")),
            }
        })
    }
}

/// Says when the answer was made, as every server with a clock does.
fn dated(headers: &mut HeaderMap, at: Timestamp) {
    let text = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = text.parse() {
        headers.entry(DATE).or_insert(date);
    }
}

fn broken(message: &str) -> SendError {
    SendError::lost(Sent::Maybe, message)
}

#[cfg(test)]
mod tests {
    use planthread_kit::VirtualClock;
    use planthread_mocks::{Change, Reply, StoredCell, shared};

    use super::*;

    /// Answers slowly, and breaks off every second time.
    #[derive(Default)]
    struct Moody(usize);

    impl Simulator for Moody {
        fn handle(&mut self, _: Timestamp, _: &Request<Bytes>) -> Reply {
            self.0 += 1;
            let cut = if self.0.is_multiple_of(2) { Cut::AfterHandling } else { Cut::None };
            let reply = Reply::new(Response::new(Bytes::from_static(b"ok")));
            Reply { cut, ..reply.after(Duration::from_secs(90)) }
        }

        fn stored(&self) -> Vec<StoredCell> {
            Vec::new()
        }

        fn history(&self) -> Vec<Change> {
            Vec::new()
        }

        fn expire_sessions(&mut self) {}
    }

    #[test]
    fn delay_is_the_clocks_and_a_cut_is_maybe_sent() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let wire = InProcess::new(shared(Moody(0)), Arc::new(clock.clone()));
        let first = clock.block_on(wire.send(Request::new(Bytes::new())));
        assert_eq!(first.unwrap().body().as_ref(), b"ok");
        assert_eq!(clock.now().as_second(), 90);
        let second = clock.block_on(wire.send(Request::new(Bytes::new())));
        assert_eq!(second.unwrap_err().sent, Sent::Maybe);
    }
}
