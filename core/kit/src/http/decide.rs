//! What an answer means for the request stack. No IO, no clock.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::{call::Safety, retry_after::retry_after};
use crate::{Class, ConnectorError, SendError, Sent};

/// What came of sending a request once.
#[derive(Debug)]
pub(super) enum Answer {
    /// The target answered.
    Response(Response<Bytes>),
    /// No answer came.
    Lost(SendError),
    /// No answer came within so long.
    TimedOut(Duration),
    /// There were no credentials to send; nothing went out.
    NoCredentials(ConnectorError),
    /// Somebody announced a pause while credentials were fetched; nothing
    /// went out.
    HeldBack,
}

impl Answer {
    /// Whether a request that takes effect may have taken it, though nobody
    /// said so.
    pub(super) fn may_have_effect(&self) -> bool {
        match self {
            Self::Response(response) => response.status().is_server_error(),
            Self::Lost(lost) => lost.sent == Sent::Maybe,
            Self::TimedOut(_) => true,
            Self::NoCredentials(_) | Self::HeldBack => false,
        }
    }

    /// Whether the target took it for one request too many in a time. A 429 that names
    /// no time may be about something else, as a job that still runs.
    pub(super) fn is_over_the_rate(&self, now: Timestamp) -> bool {
        let Self::Response(response) = self else { return false };
        response.status() == StatusCode::TOO_MANY_REQUESTS
            && retry_after(response.headers(), now).is_some()
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Hand the answer to the caller.
    Return,
    /// Give up with this class.
    Fail(Class),
    /// Wait, then send again.
    Resend(Duration),
    /// Nobody of the tenant sends for so long; then send again.
    PauseAndResend(Duration),
    /// Nobody of the tenant sends for so long; give up with this class.
    PauseAndFail(Duration, Class),
    /// Ask for other credentials, then send again.
    Refresh,
    /// Start over: nothing was tried.
    Again,
}

/// What was already tried for a call.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Times it was sent again.
    pub(super) resends: u32,
    /// Whether other credentials were asked for.
    pub(super) refreshed: bool,
    /// Whether one of its sendings may have had an effect.
    pub(super) unclear: bool,
    /// Time that it waited for quota and pauses.
    pub(super) waited: Duration,
}

/// The rules of re-sending. `backoff` is the wait drawn for the next try,
/// `left` whether the budget allows one.
pub(super) fn decide(
    answer: &Answer,
    safety: Safety,
    refreshed: bool,
    left: bool,
    backoff: Duration,
    now: Timestamp,
) -> Next {
    match answer {
        Answer::Response(response) => by_status(response, safety, refreshed, left, backoff, now),
        // The same certificate will be shown again, and the same address named.
        Answer::Lost(SendError { hopeless: Some(hopeless), .. }) => Next::Fail(hopeless.class()),
        Answer::Lost(SendError { sent: Sent::No, .. }) if left => Next::Resend(backoff),
        Answer::Lost(SendError { sent: Sent::No, .. }) => {
            Next::Fail(Class::Transient { sent: Sent::No })
        }
        Answer::Lost(SendError { sent: Sent::Maybe, .. }) | Answer::TimedOut(_) => {
            if left && safety != Safety::Once {
                Next::Resend(backoff)
            } else {
                Next::Fail(Class::Transient { sent: Sent::Maybe })
            }
        }
        Answer::NoCredentials(error) => match error.class {
            Class::Transient { .. } if left => Next::Resend(backoff),
            // The call itself never went out, whatever became of the token.
            Class::Transient { .. } => Next::Fail(Class::Transient { sent: Sent::No }),
            class => Next::Fail(class),
        },
        Answer::HeldBack => Next::Again,
    }
}

fn by_status(
    response: &Response<Bytes>,
    safety: Safety,
    refreshed: bool,
    left: bool,
    backoff: Duration,
    now: Timestamp,
) -> Next {
    let asked = retry_after(response.headers(), now);
    match (response.status(), asked) {
        // A 401 stages nothing, so even a write is sent again.
        (StatusCode::UNAUTHORIZED, _) if refreshed => Next::Fail(Class::Auth),
        (StatusCode::UNAUTHORIZED, _) => Next::Refresh,
        (StatusCode::TOO_MANY_REQUESTS, asked) => {
            asked_to_wait(asked.unwrap_or_default().max(backoff), safety, left)
        }
        (StatusCode::SERVICE_UNAVAILABLE, Some(asked)) => {
            asked_to_wait(asked.max(backoff), safety, left)
        }
        (StatusCode::BAD_GATEWAY, _)
        | (StatusCode::SERVICE_UNAVAILABLE, None)
        | (StatusCode::GATEWAY_TIMEOUT, _)
            if left && safety != Safety::Once =>
        {
            Next::Resend(backoff)
        }
        _ => Next::Return,
    }
}

/// A 429, or a 503 that says how long. Somebody in between may have said it
/// after the target took the request, and no standard says that a 429 was not
/// processed: a write that may not come twice is settled first.
fn asked_to_wait(pause: Duration, safety: Safety, left: bool) -> Next {
    match safety {
        Safety::Once => Next::PauseAndFail(pause, Class::Transient { sent: Sent::Maybe }),
        Safety::Read | Safety::Repeatable if left => Next::PauseAndResend(pause),
        Safety::Read | Safety::Repeatable => {
            Next::PauseAndFail(pause, Class::Throttled { after: pause })
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;

    use super::*;

    const BACKOFF: Duration = Duration::from_secs(2);
    const MAYBE: Class = Class::Transient { sent: Sent::Maybe };
    const NO: Class = Class::Transient { sent: Sent::No };

    fn status(code: u16, asked: Option<u64>) -> Answer {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        asked.map(|asked| response.headers_mut().insert(RETRY_AFTER, asked.into()));
        Answer::Response(response)
    }

    fn no_answer(sent: Sent) -> Answer {
        Answer::Lost(SendError::lost(sent, "x"))
    }

    fn next(answer: &Answer, safety: Safety, left: bool) -> Next {
        decide(answer, safety, false, left, BACKOFF, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_was_not_sent_is_sent_again_within_the_budget() {
        for safety in [Safety::Read, Safety::Repeatable, Safety::Once] {
            assert_eq!(next(&no_answer(Sent::No), safety, true), Next::Resend(BACKOFF));
            assert_eq!(next(&no_answer(Sent::No), safety, false), Next::Fail(NO));
        }
    }

    #[test]
    fn what_may_have_arrived_is_sent_again_only_when_that_is_safe() {
        for answer in [no_answer(Sent::Maybe), Answer::TimedOut(BACKOFF)] {
            assert_eq!(next(&answer, Safety::Read, true), Next::Resend(BACKOFF));
            assert_eq!(next(&answer, Safety::Repeatable, true), Next::Resend(BACKOFF));
            assert_eq!(next(&answer, Safety::Once, true), Next::Fail(MAYBE));
            assert_eq!(next(&answer, Safety::Read, false), Next::Fail(MAYBE));
        }
    }

    #[test]
    fn a_refusal_gets_other_credentials_once() {
        assert_eq!(next(&status(401, None), Safety::Once, false), Next::Refresh);
        let again =
            decide(&status(401, None), Safety::Read, true, true, BACKOFF, Timestamp::UNIX_EPOCH);
        assert_eq!(again, Next::Fail(Class::Auth));
        assert_eq!(next(&status(403, None), Safety::Read, true), Next::Return, "the connector's");
    }

    #[test]
    fn too_many_requests_pause_the_tenant() {
        let (long, short) = (Duration::from_secs(30), BACKOFF);
        for safety in [Safety::Read, Safety::Repeatable] {
            assert_eq!(next(&status(429, Some(30)), safety, true), Next::PauseAndResend(long));
            assert_eq!(next(&status(429, Some(0)), safety, true), Next::PauseAndResend(short));
            assert_eq!(next(&status(429, None), safety, true), Next::PauseAndResend(short));
        }
        let throttled = Class::Throttled { after: long };
        assert_eq!(
            next(&status(429, Some(30)), Safety::Read, false),
            Next::PauseAndFail(long, throttled)
        );
    }

    #[test]
    fn who_is_asked_to_wait_pauses_but_a_write_is_settled_first() {
        let long = Duration::from_secs(30);
        assert_eq!(next(&status(503, Some(30)), Safety::Read, true), Next::PauseAndResend(long));
        for code in [429, 503] {
            let settle = Next::PauseAndFail(long, MAYBE);
            assert_eq!(next(&status(code, Some(30)), Safety::Once, true), settle, "{code}");
        }
        let short = Next::PauseAndFail(BACKOFF, MAYBE);
        assert_eq!(next(&status(429, None), Safety::Once, true), short);
    }

    #[test]
    fn gateways_are_retried_on_reads_and_shown_on_writes() {
        for code in [502, 503, 504] {
            assert_eq!(next(&status(code, None), Safety::Read, true), Next::Resend(BACKOFF));
            assert_eq!(next(&status(code, None), Safety::Once, true), Next::Return);
            assert_eq!(next(&status(code, None), Safety::Read, false), Next::Return);
        }
    }

    #[test]
    fn everything_else_is_the_connectors_to_read() {
        for code in [200, 201, 302, 400, 404, 409, 500, 501] {
            assert_eq!(next(&status(code, Some(9)), Safety::Read, true), Next::Return);
        }
    }

    #[test]
    fn a_call_without_credentials_never_went_out() {
        let error = |class| Answer::NoCredentials(ConnectorError::new(class, "fetch token", "x"));
        assert_eq!(next(&error(MAYBE), Safety::Once, true), Next::Resend(BACKOFF));
        assert_eq!(next(&error(MAYBE), Safety::Once, false), Next::Fail(NO));
        assert_eq!(next(&error(Class::Auth), Safety::Once, true), Next::Fail(Class::Auth));
    }
}
