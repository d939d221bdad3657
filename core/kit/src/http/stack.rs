//! The request stack: one function around every HTTP request.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};

use super::{
    auth::Authenticator,
    call::{Call, RequestPolicy, Safety},
    decide::{Answer, Next, Tries, decide},
    headers::Complete,
    witness::Witness,
};
use crate::{Class, Clock, ConnectorError, Quota, SendError, Sent, Transport, mask, redact};

/// Sends requests for a connector. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct HttpStack(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    quota: Arc<Quota>,
    auth: Arc<dyn Authenticator>,
    policy: RequestPolicy,
}

/// Marks an answer to a request that was sent before, and whose earlier end nobody knows.
#[derive(Debug, Clone, Copy)]
struct AfterUnclear;

/// Whether an earlier sending of the same request may have had an effect, so that this
/// answer speaks of the last one only.
#[must_use]
pub fn is_after_unclear(answer: &Response<Bytes>) -> bool {
    answer.extensions().get::<AfterUnclear>().is_some()
}

impl HttpStack {
    /// A stack of these parts. Everything that talks to the same tenant must
    /// share `quota`; everything with the same identity should share `auth`.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        quota: Arc<Quota>,
        auth: Arc<dyn Authenticator>,
        policy: RequestPolicy,
    ) -> Self {
        let transport = Arc::new(Complete::new(transport, policy.user_agent.clone()));
        Self(Arc::new(Inner { transport, clock, quota, auth, policy }))
    }

    /// The clock, for `poll`.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The quota, for reports.
    #[must_use]
    pub fn quota(&self) -> &Arc<Quota> {
        &self.0.quota
    }

    /// Sends `call` and returns the target's answer, whatever its status.
    ///
    /// Not returned but handled here: 401 (other credentials once), 429 and
    /// 503 with `Retry-After` (pause for the whole tenant), and on calls that
    /// are safe to repeat those two again after the pause, 502, 503, 504,
    /// timeouts and lost connections, each within the policy.
    ///
    /// # Errors
    /// `Transient` without an answer, and for a call that may not come twice
    /// also after a 429 or 503 that asks to wait; its `sent` is about this call: a
    /// connector that already had something accepted before it must say
    /// [`ConnectorError::after_effect`]. `Throttled` when the wait is longer
    /// than the policy's patience. `Auth` after a second 401.
    pub async fn send(&self, call: Call) -> Result<Response<Bytes>, ConnectorError> {
        let mut tries = Tries::default();
        let mut result = self.send_until_known(&call, &mut tries).await;
        // An earlier sending may have arrived, whatever became of the last one.
        if let (true, Ok(answer)) = (tries.unclear, &mut result) {
            answer.extensions_mut().insert(AfterUnclear);
        }
        result.map_err(|error| if tries.unclear { error.after_effect() } else { error })
    }

    async fn send_until_known(
        &self,
        call: &Call,
        tries: &mut Tries,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let Inner { quota, clock, policy, .. } = &*self.0;
        let mut refused = None;
        loop {
            self.admit(call, tries).await?;
            let (answer, used) = self.exchange(call, refused.take()).await;
            tries.unclear |= call.safety == Safety::Repeatable && answer.may_have_effect();
            let left = tries.resends < policy.resends;
            let wait = policy.backoff.wait(tries.resends, &**clock);
            let next = decide(&answer, call.safety, tries.refreshed, left, wait, clock.now());
            trace(call, &answer, next);
            if let Next::PauseAndFail(after, _) | Next::PauseAndResend(after) = next {
                match answer.is_over_the_rate(clock.now()) {
                    true => quota.refused(after),
                    false => quota.pause(after),
                }
            }
            match next {
                Next::Return => return finish(call, answer, None),
                Next::Fail(class) | Next::PauseAndFail(_, class) => {
                    return finish(call, answer, Some(class));
                }
                Next::PauseAndResend(_) => {}
                Next::Resend(after) => clock.sleep(after).await,
                Next::Refresh => (refused, tries.refreshed) = (Some(used), true),
                Next::Again => {}
            }
            if matches!(next, Next::Resend(_) | Next::PauseAndResend(_)) {
                tries.resends += 1;
                quota.retried();
            }
        }
    }

    /// Waits for pause, blackout and quota, within the call's patience.
    async fn admit(&self, call: &Call, tries: &mut Tries) -> Result<(), ConnectorError> {
        let patience = self.0.policy.patience.saturating_sub(tries.waited);
        match self.0.quota.acquire(call.lane, patience).await {
            Ok(waited) => {
                tries.waited += waited;
                Ok(())
            }
            Err(after) => Err(ConnectorError::new(
                Class::Throttled { after },
                call.operation,
                format!("no request may go out for another {} s", ceil_secs(after)),
            )),
        }
    }

    /// Adds credentials and sends once. Says which credentials it used.
    async fn exchange(&self, call: &Call, refused: Option<Used>) -> (Answer, Used) {
        let Inner { transport, clock, quota, auth, policy } = &*self.0;
        if let Some(refused) = refused {
            match auth.refresh(refused.as_ref(), &**transport, &**clock).await {
                Ok(true) => {}
                Ok(false) => return (Answer::NoCredentials(not_authorized(call)), refused),
                Err(error) => return (Answer::NoCredentials(error), refused),
            }
        }
        let mut request: Request<Bytes> = call.request.clone();
        if let Err(error) = auth.authorize(&mut request, &**transport, &**clock).await {
            return (Answer::NoCredentials(error), None);
        }
        let used = request.headers().get(AUTHORIZATION).cloned();
        // Fetching a token takes time, in which others may have been told to
        // wait. From here to the wire nothing waits any more.
        if quota.closed_for().is_some() {
            return (Answer::HeldBack, used);
        }
        quota.started();
        mask::sent(&request);
        let sent = clock.now();
        let limit = policy.timeout(call);
        let answer = match select(transport.send(request), clock.sleep(limit)).await {
            Either::Left((Ok(response), _)) => {
                mask::received(response.headers());
                if let Some(witness) = Witness::of(response.headers(), sent, clock.now()) {
                    quota.testify(witness);
                }
                Answer::Response(response)
            }
            Either::Left((Err(error), _)) => Answer::Lost(error),
            Either::Right(_) => Answer::TimedOut(limit),
        };
        (answer, used)
    }
}

type Used = Option<HeaderValue>;

impl fmt::Debug for HttpStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStack")
            .field("quota", &self.0.quota)
            .field("auth", &self.0.auth)
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

/// The caller's result: the answer itself, or an error of `class` about it.
fn finish(
    call: &Call,
    answer: Answer,
    class: Option<Class>,
) -> Result<Response<Bytes>, ConnectorError> {
    let error = |class, message: String| Err(ConnectorError::new(class, call.operation, message));
    match (answer, class) {
        (Answer::Response(response), None) => Ok(response),
        (Answer::Response(_), Some(Class::Auth)) => Err(not_authorized(call)),
        (Answer::Response(response), Some(class)) => {
            error(class, format!("the target answered {} and asks to wait", response.status()))
        }
        (Answer::Lost(lost), class) => {
            let (class, message) = (class.unwrap_or(UNCLEAR), redact::text(&lost.message));
            let error = ConnectorError::new(class, call.operation, message);
            let error = match lost.hopeless {
                Some(hopeless) => error.cure(hopeless.cure()),
                None => error,
            };
            let shown = SendError { message: error.message.clone(), ..lost };
            Err(error.caused_by(shown))
        }
        (Answer::TimedOut(limit), class) => {
            let message = format!("no answer within {} s", ceil_secs(limit));
            error(class.unwrap_or(UNCLEAR), message)
        }
        (Answer::NoCredentials(mut inner), class) => {
            inner.class = class.unwrap_or(inner.class);
            Err(inner)
        }
        (Answer::HeldBack, class) => error(class.unwrap_or(UNCLEAR), "held back".to_owned()),
    }
}

const UNCLEAR: Class = Class::Transient { sent: Sent::Maybe };

fn not_authorized(call: &Call) -> ConnectorError {
    ConnectorError::new(Class::Auth, call.operation, "the target answered 401: not authorised")
        .cure("check the identity and secret of this target, and whether its user is locked")
}

fn ceil_secs(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

fn trace(call: &Call, answer: &Answer, next: Next) {
    let status = match answer {
        Answer::Response(response) => response.status().as_u16(),
        Answer::Lost(_) | Answer::TimedOut(_) | Answer::NoCredentials(_) | Answer::HeldBack => 0,
    };
    tracing::debug!(
        operation = call.operation,
        method = %call.request.method(),
        path = call.request.uri().path(),
        status,
        next = ?next,
        "request"
    );
}

#[cfg(test)]
mod tests;
