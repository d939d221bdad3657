//! One request as a connector hands it over, and the policy around it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::settings::HttpSettings;
use crate::Backoff;

/// All but what RFC 3986 leaves alone.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in one part of a path, or as a value in a query.
#[must_use]
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Whether a request may be sent again when nobody knows if it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// Takes no effect.
    Read,
    /// Takes effect, but twice is the same as once.
    Repeatable,
    /// Sent again only when it provably was not sent.
    Once,
}

/// Whose turn it is when a tenant's quota is short, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A risk that the planner must see now.
    Risk,
    /// Reading back what was pushed; at least every fifth request.
    Verify,
    /// Everyday landings.
    Routine,
    /// Re-reading what expired.
    Sweep,
}

/// One request, and what the stack must know about it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request, without credentials.
    pub request: Request<Bytes>,
    /// The step, as a verb, for error texts and traces: `stage rows`.
    pub operation: &'static str,
    /// Whether it may be sent again.
    pub safety: Safety,
    /// How long one sending may take, body included; without it as the policy
    /// says for a read or a write.
    pub timeout: Option<Duration>,
    /// Its place in the quota.
    pub lane: Lane,
}

impl Call {
    /// A call in the routine lane with the usual timeout.
    #[must_use]
    pub const fn new(operation: &'static str, safety: Safety, request: Request<Bytes>) -> Self {
        Self { request, operation, safety, timeout: None, lane: Lane::Routine }
    }

    /// The same call in another lane.
    #[must_use]
    pub const fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// The same call with another timeout.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// How often and how long the request stack tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPolicy {
    /// Most times one call is sent again (besides once for a fresh token).
    pub resends: u32,
    /// Waits between them.
    pub backoff: Backoff,
    /// Longest wait of one call for its quota, a blackout window or the
    /// target's `Retry-After`, all together. Beyond it the call comes back as
    /// `Throttled`.
    pub patience: Duration,
    /// How long one sending of a read may take, body included.
    pub read_timeout: Duration,
    /// How long one sending of a write may take.
    pub write_timeout: Duration,
    /// The `User-Agent` of every request.
    pub user_agent: HeaderValue,
}

impl RequestPolicy {
    /// How long one sending of `call` may take.
    pub(super) fn timeout(&self, call: &Call) -> Duration {
        call.timeout.unwrap_or(match call.safety {
            Safety::Read => self.read_timeout,
            Safety::Repeatable | Safety::Once => self.write_timeout,
        })
    }
}

impl Default for RequestPolicy {
    fn default() -> Self {
        HttpSettings::default().policy()
    }
}
