//! Tokens: a token endpoint for a client and its secret, and the endpoint at
//! which a machine asks for its own identity (section 2).

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::json;

use super::wire::{Refusal, header_text, json_answer, parameters};
use crate::sdk::tokens::Tokens;

/// Client, secret, and the token that is always good.
const PLANTHREAD: &str = "planthread";
/// How long an issued token lives.
const LIFE: Duration = Duration::from_secs(3_599);
const SCOPE: &str = "https://digitaltwins.azure.net/.default";
const RESOURCE: &str = "https://digitaltwins.azure.net";

/// Whether a request carries a good token.
pub(super) fn check(
    tokens: &Tokens,
    at: Timestamp,
    request: &Request<Bytes>,
) -> Result<(), Refusal> {
    let carried = header_text(request, "authorization");
    let token = carried.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let good = token == PLANTHREAD || tokens.is_good(at, token);
    if good { Ok(()) } else { Err(Refusal::unauthorized()) }
}

/// Client credentials: `POST /TENANT/oauth2/v2.0/token`.
pub(super) fn client(
    tokens: &mut Tokens,
    at: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let form: BTreeMap<String, String> =
        url::form_urlencoded::parse(request.body()).into_owned().collect();
    let is = |name: &str, value: &str| form.get(name).is_some_and(|own| own == value);
    let refuse = |status: u16, error: &str, text: &str| {
        json_answer(status, &json!({ "error": error, "error_description": text }))
    };
    if !is("grant_type", "client_credentials") {
        return refuse(400, "unsupported_grant_type", "only client_credentials");
    }
    if !is("scope", SCOPE) {
        return refuse(400, "invalid_scope", "the scope must be that of the service");
    }
    if !is("client_id", PLANTHREAD) || !is("client_secret", PLANTHREAD) {
        return refuse(401, "invalid_client", "client and secret don't fit");
    }
    let (token, _) = tokens.issue(at, LIFE);
    let body = json!({ "token_type": "Bearer", "expires_in": LIFE.as_secs(),
        "ext_expires_in": LIFE.as_secs(), "access_token": token });
    json_answer(200, &body)
}

/// A machine's own identity: `GET /metadata/identity/oauth2/token`. All values
/// are texts.
pub(super) fn machine(
    tokens: &mut Tokens,
    at: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let refuse = |text: &str| {
        let body = json!({ "error": "invalid_request", "error_description": text });
        json_answer(400, &body)
    };
    if header_text(request, "metadata") != Some("true") {
        return refuse("Required metadata header not specified");
    }
    let is = |name: &str, value: &str| parameters(request, name).iter().any(|own| own == value);
    if !is("api-version", "2018-02-01") || !is("resource", RESOURCE) {
        return refuse("api-version or resource is not as it must be");
    }
    let (token, until) = tokens.issue(at, LIFE);
    let body = json!({ "access_token": token, "refresh_token": "", "resource": RESOURCE,
        "expires_in": LIFE.as_secs().to_string(), "token_type": "Bearer",
        "expires_on": until.as_second().to_string(),
        "not_before": at.as_second().to_string() });
    json_answer(200, &body)
}
