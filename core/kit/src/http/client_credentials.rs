//! OAuth 2.0 client credentials (RFC 6749 section 4.4), over our transport.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    lock::Mutex,
};
use http::{HeaderValue, Request, StatusCode, header::AUTHORIZATION};
use jiff::Timestamp;
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponse, BasicTokenResponse},
};
use url::Url;

use super::{
    auth::{Authenticator, sensitive},
    retry_after::retry_after,
};
use crate::{
    BoxFuture, Class, Clock, ConnectorError, Secret, SendError, Sent, Transport, mask, redact,
};

const OPERATION: &str = "fetch token";

/// A token is replaced this long before it ends, or at nine tenths of its
/// life when it lives shorter: the request that carries it still has to travel.
const MARGIN: Duration = Duration::from_secs(60);

/// How to get a token.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The issuer's token endpoint.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// With what.
    pub client_secret: Secret,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Further form fields that the issuer wants (`audience`, `resource`).
    pub extra: Vec<(String, String)>,
    /// Credentials in the form body instead of the `Authorization` header.
    pub credentials_in_body: bool,
    /// How long the issuer may take.
    pub timeout: Duration,
}

/// Bearer tokens, kept until they end soon, fetched by one user at a time.
#[derive(Debug, Clone)]
pub struct ClientCredentials(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request: TokenRequest,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// The issuer asked not to be asked before.
    not_before: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Token {
    header: HeaderValue,
    /// `None` when the issuer named no end: good until refused.
    fresh_until: Option<Timestamp>,
}

impl ClientCredentials {
    /// An authenticator that has no token yet.
    #[must_use]
    pub fn new(request: TokenRequest) -> Self {
        Self(Arc::new(Inner { request, state: Mutex::default() }))
    }
}

impl Authenticator for ClientCredentials {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock().await;
            let token = match &state.token {
                Some(token) if token.is_fresh(clock.now()) => token.clone(),
                _ => state.renew(&self.0.request, transport, clock).await?,
            };
            request.headers_mut().insert(AUTHORIZATION, token.header);
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
            let known = state.token.as_ref().map(|token| &token.header);
            if known.is_none() || known == refused {
                state.token = None;
                state.renew(&self.0.request, transport, clock).await?;
            }
            Ok(true)
        })
    }
}

impl Token {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.fresh_until.is_none_or(|until| now < until)
    }
}

impl State {
    async fn renew(
        &mut self,
        request: &TokenRequest,
        transport: &dyn Transport,
        clock: &dyn Clock,
    ) -> Result<Token, ConnectorError> {
        let now = clock.now();
        if let Some(until) = self.not_before.filter(|until| *until > now) {
            return Err(throttled(until.duration_since(now).unsigned_abs()));
        }
        let answer = fetch(request, transport, clock).await;
        if let Err(ConnectorError { class: Class::Throttled { after }, .. }) = &answer {
            self.not_before = Some(clock.now().saturating_add(*after).unwrap_or(Timestamp::MAX));
        }
        let token = Token::new(&answer?, clock.now())?;
        self.token = Some(token.clone());
        Ok(token)
    }
}

impl Token {
    fn new(answer: &BasicTokenResponse, now: Timestamp) -> Result<Self, ConnectorError> {
        let header = sensitive(&format!("Bearer {}", answer.access_token().secret()))?;
        let fresh_until = answer.expires_in().map(|life| {
            let kept = life.saturating_sub(MARGIN.min(life / 10));
            now.saturating_add(kept).unwrap_or(Timestamp::MAX)
        });
        Ok(Self { header, fresh_until })
    }
}

async fn fetch(
    request: &TokenRequest,
    transport: &dyn Transport,
    clock: &dyn Clock,
) -> Result<BasicTokenResponse, ConnectorError> {
    let style =
        if request.credentials_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
    let client = BasicClient::new(ClientId::new(request.client_id.clone()))
        .set_client_secret(ClientSecret::new(request.client_secret.expose().to_owned()))
        .set_token_uri(TokenUrl::from_url(request.token_url.clone()))
        .set_auth_type(style);
    let mut exchange = client
        .exchange_client_credentials()
        .add_scopes(request.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &request.extra {
        exchange = exchange.add_extra_param(name.clone(), value.clone());
    }
    let door = Door { transport, clock, timeout: request.timeout };
    exchange.request_async(&door).await.map_err(explain)
}

/// Our transport, as the OAuth client wants it.
struct Door<'a> {
    transport: &'a dyn Transport,
    clock: &'a dyn Clock,
    timeout: Duration,
}

/// The issuer gave no answer that the OAuth client should look at.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Closed(ConnectorError);

impl<'c> AsyncHttpClient<'c> for Door<'_> {
    type Error = Closed;
    type Future = BoxFuture<'c, Result<HttpResponse, Closed>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.exchange(request).await.map_err(Closed) })
    }
}

impl Door<'_> {
    fn exchange(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, ConnectorError>> {
        let request = request.map(Bytes::from);
        mask::sent(&request);
        let sending = self.transport.send(request);
        let limit = self.clock.sleep(self.timeout);
        async move {
            let maybe = Class::Transient { sent: Sent::Maybe };
            let response = match select(sending, limit).await {
                Either::Left((Ok(response), _)) => response,
                Either::Left((Err(lost), _)) if lost.is_untrusted() => {
                    let error = ConnectorError::new(Class::Auth, OPERATION, lost.message);
                    return Err(error.cure(SendError::TRUST));
                }
                Either::Left((Err(lost), _)) => {
                    let class = Class::Transient { sent: lost.sent };
                    return Err(ConnectorError::new(class, OPERATION, redact::text(&lost.message)));
                }
                Either::Right(_) => {
                    return Err(ConnectorError::new(maybe, OPERATION, "no answer from the issuer"));
                }
            };
            let status = response.status();
            match (status, retry_after(response.headers(), self.clock.now())) {
                (StatusCode::TOO_MANY_REQUESTS, after) => {
                    Err(throttled(after.unwrap_or(Duration::from_secs(60))))
                }
                (StatusCode::SERVICE_UNAVAILABLE, Some(after)) => Err(throttled(after)),
                _ if status.is_server_error() => {
                    let message = format!("the issuer answered {status}");
                    Err(ConnectorError::new(maybe, OPERATION, message))
                }
                _ => Ok(response.map(Vec::from)),
            }
        }
    }
}

fn throttled(after: Duration) -> ConnectorError {
    let message = format!("the issuer asks to wait {} s", after.as_secs());
    ConnectorError::new(Class::Throttled { after }, OPERATION, message)
}

/// Never repeats the issuer's body: on a broken answer it may hold a token.
fn explain(error: RequestTokenError<Closed, BasicErrorResponse>) -> ConnectorError {
    const CURE: &str = "check token endpoint, client id, client secret and scopes";
    match error {
        RequestTokenError::Request(Closed(error)) => error,
        RequestTokenError::ServerResponse(refusal) => {
            ConnectorError::new(Class::Auth, OPERATION, "the issuer refuses the client")
                .vendor_code(refusal.error().to_string())
                .cure(CURE)
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ConnectorError::new(Class::Auth, OPERATION, "the issuer's answer holds no token")
                .cure(CURE)
        }
    }
}

#[cfg(test)]
mod tests;
