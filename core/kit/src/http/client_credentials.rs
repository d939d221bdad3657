//! OAuth 2.0 client credentials (RFC 6749 section 4.4), over our transport.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::Response;
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse},
};
use serde_json::Value;
use url::Url;

use super::{
    answer::refusal,
    said::said,
    tokens::{FETCH, Token, TokenSource, asks_to_wait, throttled, unanswered},
};
use crate::{BoxFuture, Class, Clock, ConnectorError, Secret, Sent, Transport, mask};

/// How long an issuer is left alone when it answers 429 and does not say.
const WAIT: Duration = Duration::from_secs(60);

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

/// Fetches bearer tokens. [`Tokens`](super::Tokens) keeps them.
#[derive(Debug, Clone)]
pub struct ClientCredentials(TokenRequest);

impl ClientCredentials {
    /// A source that asks by `request`.
    #[must_use]
    pub const fn new(request: TokenRequest) -> Self {
        Self(request)
    }
}

impl TokenSource for ClientCredentials {
    fn fetch<'a>(
        &'a self,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<Token, ConnectorError>> {
        Box::pin(async move {
            let answer = fetch(&self.0, transport, clock).await?;
            Token::new("Bearer", answer.access_token().secret(), answer.expires_in())
        })
    }

    fn address(&self) -> &str {
        self.0.token_url.as_str()
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
                Either::Left((Err(lost), _)) => return Err(unanswered(FETCH, &lost, Sent::Maybe)),
                Either::Right(_) => {
                    return Err(ConnectorError::new(maybe, FETCH, "no answer from the issuer"));
                }
            };
            let status = response.status();
            if let Some(after) = asks_to_wait(&response, self.clock.now(), WAIT) {
                return Err(throttled(after));
            }
            if status.is_server_error() {
                let message = format!("the issuer answered {status}");
                return Err(ConnectorError::new(maybe, FETCH, message));
            }
            if !status.is_success() && !speaks_oauth(response.body()) {
                return Err(other_refusal(&response));
            }
            Ok(response.map(Vec::from))
        }
    }
}

/// Whether a refusal has the form of RFC 6749, section 5.2.
fn speaks_oauth(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body["error"].is_string())
}

/// A refusal in another form, as it is worded: it proves nothing of client, secret and
/// scope.
fn other_refusal(answer: &Response<Bytes>) -> ConnectorError {
    let error = refusal(FETCH, answer, Sent::No, said);
    let known = error.cure.clone();
    let cure = "look at what the issuer says; then at `auth.token_url`, which may be another one";
    let error = ConnectorError { class: Class::Auth, ..error };
    match known {
        Some(cure) => error.cure(cure),
        None => error.cure(cure),
    }
}

/// Never repeats the issuer's body: on a broken answer it may hold a token.
fn explain(error: RequestTokenError<Closed, BasicErrorResponse>) -> ConnectorError {
    let auth = |text: &str, cure: &str| ConnectorError::new(Class::Auth, FETCH, text).cure(cure);
    match error {
        RequestTokenError::Request(Closed(error)) => error,
        RequestTokenError::ServerResponse(refusal) => {
            let (text, cure) = refused(refusal.error());
            auth(text, cure).vendor_code(refusal.error().to_string())
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => auth(
            "the issuer's answer holds no token",
            "check `auth.token_url`: something else may answer there",
        ),
    }
}

/// What a refusal is about, by its code (RFC 6749, section 5.2), and where to look.
fn refused(code: &BasicErrorResponseType) -> (&'static str, &'static str) {
    use BasicErrorResponseType as Code;
    match code {
        Code::InvalidClient => (
            "the issuer does not know the client with this secret",
            "check `auth.client_id`, `auth.client_secret` and `auth.client_in`",
        ),
        Code::InvalidScope => (
            "the issuer knows no such scope, or does not give it to this client",
            "check `auth.scope`",
        ),
        Code::UnauthorizedClient | Code::InvalidGrant | Code::UnsupportedGrantType => (
            "the issuer gives this client no token by client credentials",
            "let whoever registered `auth.client_id` allow them, or check `auth.token_url`",
        ),
        Code::InvalidRequest => (
            "the issuer misses something in the request, or can't read it",
            "check `auth.parameters`, `auth.scope` and `auth.client_in`",
        ),
        Code::Extension(_) => (
            "the issuer refuses the request",
            "check `auth.client_id`, `auth.client_secret`, `auth.scope` and `auth.parameters` by \
             what its code says",
        ),
    }
}

#[cfg(test)]
mod tests;
