//! The token that a virtual machine is given for its own identity (section 2).
//!
//! One request to an address that only the machine itself reaches; all values of
//! the answer are texts. App Service and Arc ask in other ways, which are not
//! built.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_kit::{
    BoxFuture, Class, Clock, ConnectorError, Sent, Transport,
    http::{Exchange, Token, TokenSource, ask},
    target::auth::ExchangeClient,
};

/// The parameter that names another address than the machine's own.
pub(crate) const ENDPOINT: &str = "endpoint";

const FETCH: Exchange = Exchange {
    step: "fetch the machine's token",
    issuer: "the machine's endpoint",
    token: "/access_token",
    wait: PATIENCE,
    cure: "give the machine an identity, or correct `auth.client_id`",
};
const USUAL: &str = "http://169.254.169.254";
const PATH: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";
/// The service that the token is for.
const RESOURCE: &str = "https%3A%2F%2Fdigitaltwins.azure.net";
/// It answers at once or is not there, however long other requests may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks for the machine's token.
#[derive(Debug)]
pub(crate) struct MachineToken {
    client_id: String,
    parameters: BTreeMap<String, String>,
    patience: Duration,
}

impl MachineToken {
    pub(crate) fn new(client: ExchangeClient) -> Self {
        let patience = client.patience.min(PATIENCE);
        Self { client_id: client.client_id, parameters: client.parameters, patience }
    }

    fn request(&self) -> Result<Request<Bytes>, ConnectorError> {
        let mut address = format!("{}{PATH}&resource={RESOURCE}", self.address());
        if !self.client_id.is_empty() {
            address.push_str(&format!("&client_id={}", self.client_id));
        }
        Request::get(address)
            .header("Metadata", "true")
            .body(Bytes::new())
            .map_err(|error| ConnectorError::new(Class::Fatal, FETCH.step, error.to_string()))
    }
}

/// The token of an answer. Where the endpoint is still starting it says 404 or
/// 410, and is asked again.
fn token(answer: &Response<Bytes>, now: Timestamp) -> Result<Token, ConnectorError> {
    let status = answer.status().as_u16();
    if matches!(status, 404 | 410) {
        let text = format!("the machine's endpoint answered HTTP {status}");
        return Err(ConnectorError::new(Class::Transient { sent: Sent::No }, FETCH.step, text));
    }
    let (body, text) = FETCH.read(answer, now)?;
    let life = body["expires_in"].as_str().and_then(|seconds| seconds.parse().ok());
    Token::new("Bearer", &text, life.map(Duration::from_secs))
}

impl TokenSource for MachineToken {
    fn fetch<'a>(
        &'a self,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<Token, ConnectorError>> {
        Box::pin(async move {
            let answer = ask(transport, clock, self.request()?, self.patience, FETCH.step).await;
            let answer = answer.map_err(|error| {
                error.cure("it answers on a virtual machine only, and never through a proxy")
            })?;
            token(&answer, clock.now())
        })
    }

    fn address(&self) -> &str {
        self.parameters.get(ENDPOINT).map_or(USUAL, |host| host.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::Secret;

    use super::*;

    #[test]
    fn the_request_is_as_documented() {
        let client = |id: &str| ExchangeClient {
            client_id: id.to_owned(),
            client_secret: Secret::new(""),
            parameters: BTreeMap::new(),
            patience: PATIENCE,
        };
        let request = MachineToken::new(client("c-1")).request().unwrap();
        insta::assert_snapshot!(request.uri(), @"http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fdigitaltwins.azure.net&client_id=c-1");
        assert_eq!(request.headers()["metadata"], "true");
        let own = MachineToken::new(client("")).request().unwrap();
        assert!(!own.uri().to_string().contains("client_id"));
    }

    #[test]
    fn a_starting_endpoint_passes_and_a_machine_without_identity_does_not() {
        let answer = |status: u16, body: &'static str| {
            let answer = Response::builder().status(status).body(Bytes::from(body)).unwrap();
            token(&answer, Timestamp::UNIX_EPOCH).map(|_| ()).map_err(|error| error.class)
        };
        let texts = r#"{"access_token":"t","expires_in":"3599","token_type":"Bearer"}"#;
        assert_eq!(answer(200, texts), Ok(()));
        assert_eq!(answer(410, ""), Err(Class::Transient { sent: Sent::No }));
        let none = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        assert_eq!(answer(400, none), Err(Class::Auth));
        assert_eq!(answer(200, "{}"), Err(Class::Drift));
    }
}
