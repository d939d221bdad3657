//! Who asks: an API key, or the token of a log-in (section 2).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Answer, Refusal, TENANT, json_answer, refuse};

/// The key, as it stands in the header.
const KEY: &str = "ApiKey planthread.planthread";
/// User and password of the log-in.
const PERSON: &str = "planthread";
/// Longest life of a token that is asked for, in seconds.
const LIFE_MAX: i64 = 36_000;

/// Tokens that were handed out, with their ends.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    tokens: BTreeMap<String, Timestamp>,
    handed_out: u64,
}

impl Sessions {
    pub(super) fn clear(&mut self) {
        self.tokens.clear();
    }

    pub(super) fn login(&mut self, at: Timestamp, body: &[u8]) -> Answer {
        let asked: Value =
            serde_json::from_slice(body).map_err(|error| refuse(400, error.to_string()))?;
        if asked["userEmail"] != PERSON || asked["submittedPassword"] != PERSON {
            return Err(refuse(401, "user or password is wrong"));
        }
        let seconds = asked["expirySeconds"].as_i64().unwrap_or(LIFE_MAX).clamp(1, LIFE_MAX);
        self.handed_out += 1;
        let digest = Sha256::digest(format!("token {}", self.handed_out));
        let token: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let until = at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(at);
        self.tokens.insert(token.clone(), until);
        let said = json!({ "AuthToken": token, "TenantId": 1234, "TenantName": "Planthread demo" });
        debug_assert_eq!(said["TenantId"].to_string(), TENANT);
        Ok(json_answer(200, &said))
    }

    pub(super) fn authenticate(
        &self,
        at: Timestamp,
        request: &Request<Bytes>,
    ) -> Result<(), Refusal> {
        let said = request.headers().get(header::AUTHORIZATION).and_then(|said| said.to_str().ok());
        let token = said.and_then(|said| said.strip_prefix("Basic "));
        let fresh = token.and_then(|token| self.tokens.get(token)).is_some_and(|until| at < *until);
        match fresh || said == Some(KEY) {
            true => Ok(()),
            false => Err(refuse(401, "the key or token is not known")),
        }
    }
}
