//! CSRF token and cookies: one session for one transaction.
//!
//! A token is valid only together with all cookies of the answer that brought
//! it. It is fetched once, used for every write of the transaction, and
//! fetched again when a write answers 403 with `x-csrf-token: Required`: such
//! a write did nothing, so it may be repeated.

use std::{
    collections::BTreeMap,
    sync::{Mutex as Short, PoisonError},
};

use bytes::Bytes;
use futures_util::lock::Mutex;
use http::{HeaderMap, HeaderValue, Request, header};
use planthread_kit::{
    Class, ConnectorError,
    http::answer::{instead, is_page},
};

/// Cookies by name. Path and domain need no rules: one host, one service.
#[derive(Debug, Default)]
pub(crate) struct Jar(BTreeMap<String, Cookie>);

#[derive(Debug)]
struct Cookie {
    value: String,
    secure: bool,
}

impl Jar {
    /// Takes over what an answer sets or deletes.
    pub(crate) fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
            let gone = value.is_empty() || attributes.iter().any(|part| part == "max-age=0");
            if gone {
                self.0.remove(name);
            } else {
                let secure = attributes.iter().any(|part| part == "secure");
                self.0.insert(name.to_owned(), Cookie { value: value.to_owned(), secure });
            }
        }
    }

    /// The `Cookie` header; a `Secure` cookie stays at home on plain http.
    pub(crate) fn header(&self, https: bool) -> Option<String> {
        let pairs: Vec<String> = self
            .0
            .iter()
            .filter(|(_, cookie)| https || !cookie.secure)
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// A fetched token with its place in the row of tokens of this session.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    value: HeaderValue,
    pub(crate) number: u32,
}

/// The state that the writes of one transaction share.
#[derive(Debug)]
pub struct Session {
    https: bool,
    jar: Short<Jar>,
    token: Mutex<Option<Token>>,
}

impl Session {
    pub(crate) fn new(https: bool) -> Self {
        Self { https, jar: Short::default(), token: Mutex::new(None) }
    }

    /// The current token; `fetch` is asked when there is none, or when the
    /// current one is `refused`. Writes that run beside wait for one fetch.
    pub(crate) async fn token<F, A>(
        &self,
        refused: Option<u32>,
        fetch: F,
    ) -> Result<Token, ConnectorError>
    where
        F: FnOnce() -> A,
        A: Future<Output = Result<http::Response<Bytes>, ConnectorError>>,
    {
        let mut current = self.token.lock().await;
        let number = match &*current {
            Some(token) if Some(token.number) != refused => return Ok(token.clone()),
            Some(token) => token.number + 1,
            None => 1,
        };
        let answer = fetch().await?;
        self.keep(answer.headers());
        let value = answer.headers().get("x-csrf-token").cloned();
        let value = value.ok_or_else(|| no_token(&answer))?;
        let token = Token { value, number };
        *current = Some(token.clone());
        Ok(token)
    }

    /// Adds token and cookies to a write.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, token: &Token) {
        let mut value = token.value.clone();
        value.set_sensitive(true);
        request.headers_mut().insert("x-csrf-token", value);
        self.add_cookies(request);
    }

    /// Adds the cookies alone, to fetch a new token inside the same session.
    pub(crate) fn add_cookies(&self, request: &mut Request<Bytes>) {
        let jar = self.jar.lock().unwrap_or_else(PoisonError::into_inner).header(self.https);
        if let Some(mut value) = jar.and_then(|text| HeaderValue::try_from(text).ok()) {
            value.set_sensitive(true);
            request.headers_mut().insert(header::COOKIE, value);
        }
    }

    /// Takes over cookies of any answer of the session.
    pub(crate) fn keep(&self, headers: &HeaderMap) {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner).keep(headers);
    }
}

fn no_token(answer: &http::Response<Bytes>) -> ConnectorError {
    const FETCH: &str = "fetch token";
    if is_page(answer) {
        return instead(FETCH, answer, "a token");
    }
    ConnectorError::new(Class::Drift, FETCH, "the answer carries no x-csrf-token")
        .cure("check the root of the service: it must answer the fetch itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::SET_COOKIE, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn all_cookies_are_kept_and_secure_ones_need_https() {
        let mut jar = Jar::default();
        jar.keep(&headers(&[
            "SESSION_PT1_100=abc%3d; path=/; secure; HttpOnly",
            "usercontext=client=100; path=/",
        ]));
        assert_eq!(jar.header(true).unwrap(), "SESSION_PT1_100=abc%3d; usercontext=client=100");
        assert_eq!(jar.header(false).unwrap(), "usercontext=client=100");
        jar.keep(&headers(&["usercontext=x; Max-Age=0", "SESSION_PT1_100=new; secure"]));
        assert_eq!(jar.header(true).unwrap(), "SESSION_PT1_100=new");
        assert_eq!(jar.header(false), None);
    }
}
