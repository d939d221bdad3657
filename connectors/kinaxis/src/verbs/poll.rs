//! What became of an attempt.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{AttemptRecord, Poll};

use super::{SINCE, STEP};
use crate::context::Context;

/// A write has its effect when it is answered, or a little later when the answer
/// was lost. No endpoint tells; a read-back does, once that time has passed.
pub(crate) fn poll(context: &Context, attempt: &AttemptRecord) -> Poll {
    if !attempt.notes.contains_key(STEP) {
        return Poll::NotTaken { why: "nothing of it was completed".to_owned() };
    }
    let now = context.clock().now();
    let since = attempt.notes.get(SINCE).and_then(|text| text.parse::<Timestamp>().ok());
    let settle = Duration::from_secs(context.config.writing.settle_seconds);
    let settle = SignedDuration::try_from(settle).unwrap_or_default();
    let until = since.and_then(|since| since.checked_add(settle).ok()).unwrap_or(now);
    Poll::Unknown { until: until.max(now) }
}
