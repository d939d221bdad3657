//! Tokens that are fetched, kept until they end soon, and replaced when the
//! target refuses them. How one is fetched is the source's: OAuth 2.0, or a
//! vendor's own exchange.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    lock::Mutex,
};
use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    answer::{Expect, receipt},
    auth::{Authenticator, sensitive},
    retry_after::retry_after,
    said::said,
};
use crate::{BoxFuture, Class, Clock, ConnectorError, SendError, Sent, Transport, mask, redact};

/// A token is replaced this long before it ends, or at nine tenths of its
/// life when it lives shorter: the request that carries it still has to travel.
const MARGIN: Duration = Duration::from_secs(60);

/// Where tokens come from.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// Fetches a new token.
    ///
    /// # Errors
    /// `Auth` when the issuer refuses us, `Throttled` when it asks to wait,
    /// `Transient` when it can't be asked now.
    fn fetch<'a>(
        &'a self,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<Token, ConnectorError>>;

    /// The address that it asks.
    fn address(&self) -> &str;
}

/// Sends a vendor's own request for a token, and waits for `patience`. Credentials
/// in its headers are masked from then on, wherever they come back.
///
/// # Errors
/// `Auth` where the other side can't be trusted, `Transient` where it gives no
/// answer: a token that nobody got has no effect.
pub async fn ask(
    transport: &dyn Transport,
    clock: &dyn Clock,
    request: Request<Bytes>,
    patience: Duration,
    step: &'static str,
) -> Result<Response<Bytes>, ConnectorError> {
    let lost = |text: &str| {
        ConnectorError::new(Class::Transient { sent: Sent::No }, step, redact::text(text))
    };
    mask::sent(&request);
    match select(transport.send(request), clock.sleep(patience)).await {
        Either::Left((Ok(answer), _)) => Ok(answer),
        Either::Left((Err(error), _)) => Err(unanswered(step, &error, Sent::No)),
        Either::Right(_) => Err(lost(&format!("no answer in {} s", patience.as_secs()))),
    }
}

/// The error of a request for a token that nobody answered: a token that nobody got has
/// no effect, and `sent` says what the caller makes of one that may have arrived.
pub(super) fn unanswered(step: &'static str, lost: &SendError, sent: Sent) -> ConnectorError {
    let lost = SendError { message: redact::text(&lost.message), ..*lost };
    let class = match (lost.hopeless, lost.sent) {
        (Some(hopeless), _) => hopeless.class(),
        (None, Sent::No) => Class::Transient { sent: Sent::No },
        (None, Sent::Maybe) => Class::Transient { sent },
    };
    let error = ConnectorError::new(class, step, lost.message.clone());
    match lost.hopeless {
        Some(hopeless) => error.cure(hopeless.cure()).caused_by(lost),
        None => error.caused_by(lost),
    }
}

/// One token.
#[derive(Debug, Clone)]
pub struct Token {
    authorization: HeaderValue,
    /// How long it lives; `None` when the issuer named no end.
    life: Option<Duration>,
}

impl Token {
    /// A token that goes out as `Authorization: scheme token`.
    ///
    /// # Errors
    /// `Auth` when it can't stand in a header.
    pub fn new(scheme: &str, token: &str, life: Option<Duration>) -> Result<Self, ConnectorError> {
        Ok(Self { authorization: sensitive(&format!("{scheme} {token}"))?, life })
    }
}

/// An authenticator that keeps the tokens of one source; one user fetches at a
/// time, the others wait for it. Cheap to clone; clones share the token.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Arc<dyn TokenSource>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The header, and until when it is fresh; without an end until refused.
    token: Option<(HeaderValue, Option<Timestamp>)>,
    /// The issuer asked not to be asked before.
    not_before: Option<Timestamp>,
}

impl Tokens {
    /// An authenticator that has no token yet.
    #[must_use]
    pub fn new(source: Arc<dyn TokenSource>) -> Self {
        Self(Arc::new(Inner { source, state: Mutex::default() }))
    }
}

impl Authenticator for Tokens {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock().await;
            let now = clock.now();
            let header = match &state.token {
                Some((header, until)) if until.is_none_or(|until| now < until) => header.clone(),
                _ => state.renew(&*self.0.source, transport, clock).await?,
            };
            request.headers_mut().insert(AUTHORIZATION, header);
            Ok(())
        })
    }

    fn refresh<'a>(
        &'a self,
        refused: Option<&'a HeaderValue>,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<bool, ConnectorError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock().await;
            // Somebody else may have been refused with the same token and
            // have fetched another one while we waited for the lock.
            let known = state.token.as_ref().map(|(header, _)| header);
            if known.is_none() || known == refused {
                state.token = None;
                state.renew(&*self.0.source, transport, clock).await?;
            }
            Ok(true)
        })
    }
}

impl State {
    async fn renew(
        &mut self,
        source: &dyn TokenSource,
        transport: &dyn Transport,
        clock: &dyn Clock,
    ) -> Result<HeaderValue, ConnectorError> {
        let now = clock.now();
        if let Some(until) = self.not_before.filter(|until| *until > now) {
            return Err(throttled(until.duration_since(now).unsigned_abs()));
        }
        let answer = source.fetch(transport, clock).await;
        if let Err(ConnectorError { class: Class::Throttled { after }, .. }) = &answer {
            self.not_before = Some(clock.now().saturating_add(*after).unwrap_or(Timestamp::MAX));
        }
        let token = answer?;
        let fresh_until = token.life.map(|life| {
            let kept = life.saturating_sub(MARGIN.min(life / 10));
            clock.now().saturating_add(kept).unwrap_or(Timestamp::MAX)
        });
        self.token = Some((token.authorization.clone(), fresh_until));
        Ok(token.authorization)
    }
}

/// How a vendor's own exchange for a token is answered.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// The step, in errors and traces.
    pub step: &'static str,
    /// Who answers, in words.
    pub issuer: &'static str,
    /// Where the token stands in the JSON of the answer.
    pub token: &'static str,
    /// How long it is left alone when it answers 429 and does not say.
    pub wait: Duration,
    /// What helps where it does not know us.
    pub cure: &'static str,
}

impl Exchange {
    /// The JSON of an answer, and the token in it. A 400 is about who we are; who asks
    /// to wait is not asked before.
    ///
    /// # Errors
    /// `Throttled`, `Auth`, `Drift` where there is no token, and those of [`receipt`].
    pub fn read(
        &self,
        answer: &Response<Bytes>,
        now: Timestamp,
    ) -> Result<(Value, String), ConnectorError> {
        let fails = |class, text: String| ConnectorError::new(class, self.step, text);
        if let Some(after) = asks_to_wait(answer, now, self.wait) {
            let text = format!("{} asks to wait {} s", self.issuer, after.as_secs());
            return Err(fails(Class::Throttled { after }, text));
        }
        if answer.status() == StatusCode::BAD_REQUEST {
            return Err(fails(Class::Auth, said(answer.body()).text).cure(self.cure));
        }
        let body = receipt(self.step, answer, Expect::json(self.token), Sent::No, said)?;
        match body.pointer(self.token).and_then(Value::as_str) {
            Some(token) if !token.is_empty() => Ok((body.clone(), token.to_owned())),
            _ => Err(fails(Class::Drift, "the token is no text".to_owned())),
        }
    }
}

/// How long an issuer asks to wait; `usual` where a 429 does not say.
pub(super) fn asks_to_wait<B>(
    answer: &Response<B>,
    now: Timestamp,
    usual: Duration,
) -> Option<Duration> {
    let asked = retry_after(answer.headers(), now);
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => Some(asked.unwrap_or(usual)),
        StatusCode::SERVICE_UNAVAILABLE => asked,
        _ => None,
    }
}

/// The issuer asks to wait.
pub(super) fn throttled(after: Duration) -> ConnectorError {
    let message = format!("the issuer asks to wait {} s", after.as_secs());
    ConnectorError::new(Class::Throttled { after }, FETCH, message)
}

/// The step, in errors and traces.
pub(super) const FETCH: &str = "fetch token";
