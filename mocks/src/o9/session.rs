//! Who asks: an API key, or the token of a log-in (section 2).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Refusal, refuse};
use crate::sdk::{tokens::Tokens, web::json_answer};

/// The key, as it stands in the header.
const KEY: &str = "ApiKey planthread.planthread";
/// User and password of the log-in.
const PERSON: &str = "planthread";
/// Longest life of a token that is asked for, in seconds.
const LIFE_MAX: u64 = 36_000;

/// Answers a log-in.
pub(super) fn login(tokens: &mut Tokens, tenant: &str, at: Timestamp, body: &[u8]) -> Answer {
    let asked: Value =
        serde_json::from_slice(body).map_err(|error| refuse(400, error.to_string()))?;
    if asked["userEmail"] != PERSON || asked["submittedPassword"] != PERSON {
        return Err(refuse(401, "user or password is wrong"));
    }
    let seconds = asked["expirySeconds"].as_u64().unwrap_or(LIFE_MAX).clamp(1, LIFE_MAX);
    let (token, _) = tokens.issue(at, Duration::from_secs(seconds));
    let id = tenant.parse().map_or_else(|_| Value::from(tenant), |id: u64| Value::from(id));
    let said = json!({ "AuthToken": token, "TenantId": id, "TenantName": "Planthread demo" });
    Ok(json_answer(200, &said))
}

/// Checks who asks.
pub(super) fn authenticate(
    tokens: &Tokens,
    at: Timestamp,
    request: &Request<Bytes>,
) -> Result<(), Refusal> {
    let said = request.headers().get(header::AUTHORIZATION).and_then(|said| said.to_str().ok());
    let token = said.and_then(|said| said.strip_prefix("Basic "));
    let fresh = token.is_some_and(|token| tokens.is_good(at, token));
    match fresh || said == Some(KEY) {
        true => Ok(()),
        false => Err(refuse(401, "the key or token is not known")),
    }
}
