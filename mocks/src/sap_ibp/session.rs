//! Who asks: Basic, client certificate, and the CSRF token with its cookies.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use jiff::Timestamp;

use super::{behaviours::Switch, options::Options};
use crate::{sdk::web::basic, simulator::ClientCertificate};

/// The communication user, and its password.
pub const USER: &str = "planthread";

/// A user whose password is right and who lacks the communication scenario.
pub(crate) const USER_WITHOUT_SCENARIO: &str = "planthread-noscenario";

const SESSION_COOKIE: &str = "SAP_SESSIONID_PTD_100";
const TOKEN: &str = "x-csrf-token";

/// Sessions by cookie value: token and last use.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: BTreeMap<String, (String, Timestamp)>,
}

/// A fresh session whose token and cookies go out with the answer.
#[derive(Debug)]
pub(super) struct Issued {
    token: String,
    cookie: Option<String>,
}

/// Checks who asks.
pub(super) fn authenticate(
    request: &Request<Bytes>,
    options: &Options,
) -> Result<(), Box<Response<Bytes>>> {
    let certificate = request.extensions().get::<ClientCertificate>();
    let by_certificate = options.switches.on(Switch::ClientCertificate)
        && certificate.is_some_and(|certificate| certificate.common_name == USER);
    if by_certificate || !options.switches.on(Switch::BasicAuth) {
        return Ok(());
    }
    match basic(request.headers()) {
        Some((user, password)) if user == USER && password == USER => Ok(()),
        Some((user, password)) if user == USER_WITHOUT_SCENARIO && password == USER => {
            Err(Box::new(plain(403, "No authorization to access service")))
        }
        _ => {
            let mut response = plain(401, "Logon failed");
            let realm = HeaderValue::from_static("Basic realm=\"SAP IBP sandbox\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
            Err(Box::new(response))
        }
    }
}

impl Sessions {
    /// Ends all sessions.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Hands out a token when a read asks for one; checks it when a write comes.
    pub(super) fn check(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        options: &Options,
        mut fresh: impl FnMut() -> String,
    ) -> Result<Option<Issued>, Box<Response<Bytes>>> {
        if options.switches.on(Switch::CsrfExpires) {
            self.open.retain(|_, (_, used)| {
                let idle = at.duration_since(*used);
                std::time::Duration::try_from(idle).is_ok_and(|idle| idle <= options.session_ttl)
            });
        }
        let headers = request.headers();
        let sent = headers.get(TOKEN).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let cookie = cookies(headers).find(|(name, _)| *name == SESSION_COOKIE);
        let session = cookie.and_then(|(_, id)| self.open.get_mut(id));
        let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if !writes {
            if !sent.eq_ignore_ascii_case("fetch") {
                return Ok(None);
            }
            if let Some((token, used)) = session {
                *used = at;
                return Ok(Some(Issued { token: token.clone(), cookie: None }));
            }
            let (id, token) = (fresh(), fresh());
            self.open.insert(id.clone(), (token.clone(), at));
            return Ok(Some(Issued { token, cookie: Some(id) }));
        }
        if !options.switches.on(Switch::CsrfBound) {
            return Ok(None);
        }
        match session {
            Some((token, used)) if token == sent => {
                *used = at;
                Ok(None)
            }
            _ => {
                let mut response = plain(403, "CSRF token validation failed");
                response.headers_mut().insert(TOKEN, HeaderValue::from_static("Required"));
                Err(Box::new(response))
            }
        }
    }
}

impl Issued {
    /// Puts token and cookies on the answer.
    pub(super) fn attach(&self, response: &mut Response<Bytes>, secure: bool) {
        let headers = response.headers_mut();
        if let Ok(token) = HeaderValue::from_str(&self.token) {
            headers.insert(TOKEN, token);
        }
        let Some(id) = &self.cookie else { return };
        let secure = if secure { "; Secure" } else { "" };
        for cookie in [
            format!("sap-usercontext=sap-client=100; path=/{secure}"),
            format!("{SESSION_COOKIE}={id}; path=/; HttpOnly{secure}"),
        ] {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                headers.append(header::SET_COOKIE, value);
            }
        }
    }
}

/// Whether a POST has neither a body nor a word on its length.
pub(super) fn lacks_length(request: &Request<Bytes>) -> bool {
    let silent = !request.headers().contains_key(header::CONTENT_LENGTH);
    *request.method() == Method::POST && request.body().is_empty() && silent
}

/// Whether a POST says nothing about the type of its body.
pub(super) fn lacks_type(request: &Request<Bytes>) -> bool {
    *request.method() == Method::POST && !request.headers().contains_key(header::CONTENT_TYPE)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

fn plain(status: u16, text: &'static str) -> Response<Bytes> {
    super::wire::response(status, "text/plain;charset=utf-8", text)
}
