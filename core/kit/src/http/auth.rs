//! Who we are towards a target.
//!
//! An authenticator adds credentials to a request, and gets fresh ones when
//! the target refuses them. It never decides about retries: the stack asks for
//! fresh credentials once, and a second refusal is final.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header::AUTHORIZATION};

use crate::{BoxFuture, Class, Clock, ConnectorError, Secret, Transport};

/// Adds credentials to requests.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Adds what the target wants to `request`, fetching it first when there
    /// is none, or when it ends soon.
    ///
    /// # Errors
    /// `Auth` when the issuer refuses us, `Transient` or `Throttled` when it
    /// can't be asked now.
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>>;

    /// Gets other credentials than `refused`, the `Authorization` header that
    /// the target just answered with 401. `false` when there are no others.
    ///
    /// # Errors
    /// As [`Self::authorize`].
    fn refresh<'a>(
        &'a self,
        _refused: Option<&'a HeaderValue>,
        _transport: &'a dyn Transport,
        _clock: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<bool, ConnectorError>> {
        Box::pin(async { Ok(false) })
    }
}

/// Adds nothing: the client certificate of the transport says who we are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

impl Authenticator for Anonymous {
    fn authorize<'a>(
        &'a self,
        _: &'a mut Request<Bytes>,
        _: &'a dyn Transport,
        _: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>> {
        Box::pin(async { Ok(()) })
    }
}

/// User and password (RFC 7617).
///
/// A refused password is never sent again by itself: most targets lock a user
/// after a few wrong tries.
#[derive(Debug, Clone)]
pub struct Basic {
    user: String,
    password: Secret,
}

impl Basic {
    /// Credentials of `user`.
    #[must_use]
    pub fn new(user: impl Into<String>, password: Secret) -> Self {
        Self { user: user.into(), password }
    }
}

impl Authenticator for Basic {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
        _: &'a dyn Transport,
        _: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>> {
        Box::pin(async {
            let pair = STANDARD.encode(format!("{}:{}", self.user, self.password.expose()));
            let value = sensitive(&format!("Basic {pair}"))?;
            request.headers_mut().insert(AUTHORIZATION, value);
            Ok(())
        })
    }
}

/// The same header on every request: a bearer token that somebody made, or an
/// API key. Refused once, it is refused for good.
#[derive(Debug, Clone)]
pub struct FixedHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl FixedHeader {
    /// `name: value`.
    ///
    /// # Errors
    /// `Auth` when the value can't stand in a header.
    pub fn new(name: HeaderName, value: &str) -> Result<Self, ConnectorError> {
        Ok(Self { name, value: sensitive(value)? })
    }
}

impl Authenticator for FixedHeader {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
        _: &'a dyn Transport,
        _: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<(), ConnectorError>> {
        request.headers_mut().insert(self.name.clone(), self.value.clone());
        Box::pin(async { Ok(()) })
    }
}

/// A header value that debug output hides.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, ConnectorError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        ConnectorError::new(Class::Auth, "authorize", "the credential can't stand in a header")
            .cure("look for line breaks or control characters in the secret")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
