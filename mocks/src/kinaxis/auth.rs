//! Who asks: tokens for a client, Basic for the web service user (section 2).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Kinaxis,
    behaviours::Switch,
    wire::{Answer, Refusal, refused, reply},
};
use crate::sdk::web::basic;

/// The web service user and the OAuth client, and their passwords.
pub const USER: &str = "planthread";
/// A user whose password is right, and who may not use web services.
pub(crate) const USER_WITHOUT_SERVICE: &str = "planthread-noservice";

impl Kinaxis {
    /// Answers the token endpoint.
    pub(super) fn token(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        if *request.method() != Method::POST {
            return Err(refused(405, "Method not allowed"));
        }
        let refuse = |status, code: &str| Err(Box::new(reply(status, &json!({ "error": code }))));
        if !self.on(Switch::OAuth) || basic(request.headers()).is_none_or(|one| !known(&one, USER))
        {
            return refuse(401, "invalid_client");
        }
        let form = url::form_urlencoded::parse(request.body());
        let grant = form.into_iter().find(|(name, _)| name == "grant_type");
        if grant.is_none_or(|(_, value)| value != "client_credentials") {
            return refuse(400, "unsupported_grant_type");
        }
        if self.on(Switch::OneSession) && self.tokens.any_good(at) {
            return Err(second_session());
        }
        let (token, _) = self.tokens.issue(at, self.options.token_life);
        let seconds = self.options.token_life.as_secs();
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds });
        let mut answer = reply(200, &body);
        if self.on(Switch::TokenCloses) {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    }

    /// Checks who asks; `Err` is the refusal.
    pub(super) fn authenticate(&self, at: Timestamp, headers: &HeaderMap) -> Result<(), Refusal> {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = sent.and_then(|sent| sent.strip_prefix("Bearer "));
        if let Some(token) = bearer {
            let good = self.on(Switch::OAuth) && self.tokens.is_good(at, token);
            return if good { Ok(()) } else { Err(unknown()) };
        }
        match basic(headers) {
            Some(one) if known(&one, USER) && self.on(Switch::BasicAuth) => {
                if self.on(Switch::OneSession) && self.tokens.any_good(at) {
                    return Err(second_session());
                }
                Ok(())
            }
            Some(one) if known(&one, USER_WITHOUT_SERVICE) && self.on(Switch::ServiceRight) => {
                Err(refused(403, "The user may not perform web service operations"))
            }
            _ => Err(unknown()),
        }
    }
}

fn unknown() -> Box<Response<Bytes>> {
    let mut answer = refused(401, "Bad credentials");
    let realm = HeaderValue::from_static("Basic realm=\"RapidResponse sandbox\"");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    answer
}

fn second_session() -> Box<Response<Bytes>> {
    refused(403, "The web service user already has a session")
}

/// The sandbox has one password.
fn known((user, password): &(String, String), wanted: &str) -> bool {
    user == wanted && password == USER
}
