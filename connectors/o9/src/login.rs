//! The log-in: user and password for a token (§2).
//!
//! The token goes out as `Authorization: Basic <token>`: as it is, not encoded.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::Timestamp;
use planthread_kit::{
    BoxFuture, Class, Clock, ConnectorError, Secret, Transport,
    http::{Exchange, Token, TokenSource, ask},
    target::auth::ExchangeClient,
};
use serde_json::json;

/// Path below the host.
const PATH: &str = "/api/framework/auth/login";
/// Parameter that the connector adds: the host.
pub(crate) const HOST: &str = "host";
/// Life that a token is asked for, in seconds (§2: 36,000 were seen).
const LIFE: u64 = 36_000;
const LOGIN: Exchange = Exchange {
    step: "log in",
    issuer: "the log-in",
    token: "/AuthToken",
    wait: Duration::from_secs(60),
    cure: "check user and password",
};

/// Logs in when a token is needed.
#[derive(Debug)]
pub(crate) struct Login {
    host: String,
    user: String,
    password: Secret,
    patience: Duration,
}

impl Login {
    pub(crate) fn new(client: ExchangeClient) -> Self {
        let host = client.parameters.get(HOST).cloned().unwrap_or_default();
        let (password, patience) = (client.client_secret, client.patience);
        Self { host, user: client.client_id, password, patience }
    }

    fn request(&self) -> Result<Request<Bytes>, ConnectorError> {
        let body = json!({ "userEmail": self.user, "submittedPassword": self.password.expose(),
            "expirySeconds": LIFE });
        Request::post(format!("{}{PATH}", self.host))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|error| ConnectorError::new(Class::Fatal, LOGIN.step, error.to_string()))
    }
}

/// The token of an answer. A refusal is about who we are, whatever its status.
fn token(answer: &Response<Bytes>, now: Timestamp) -> Result<Token, ConnectorError> {
    let (_, text) = LOGIN.read(answer, now)?;
    Token::new("Basic", &text, Some(Duration::from_secs(LIFE)))
}

impl TokenSource for Login {
    fn fetch<'a>(
        &'a self,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<Token, ConnectorError>> {
        Box::pin(async move {
            let answer = ask(transport, clock, self.request()?, self.patience, LOGIN.step).await?;
            token(&answer, clock.now())
        })
    }

    fn address(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::Sent;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Result<Token, Class> {
        let answer = Response::builder().status(status).body(Bytes::from_static(body.as_bytes()));
        token(&answer.unwrap(), Timestamp::UNIX_EPOCH).map_err(|error| error.class)
    }

    #[test]
    fn a_token_counts_only_as_documented() {
        assert!(answer(200, r#"{"AuthToken":"abc","TenantId":1,"TenantName":"x"}"#).is_ok());
        assert_eq!(answer(401, "wrong").unwrap_err(), Class::Auth);
        assert_eq!(answer(400, "wrong").unwrap_err(), Class::Auth);
        assert_eq!(answer(200, r#"{"Token":"abc"}"#).unwrap_err(), Class::Drift);
        assert_eq!(answer(200, "<html>log in</html>").unwrap_err(), Class::Drift);
        assert_eq!(answer(503, "").unwrap_err(), Class::Transient { sent: Sent::No });
        assert_eq!(answer(429, "").unwrap_err(), Class::Throttled { after: LOGIN.wait });
    }
}
