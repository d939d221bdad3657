//! The network as a parameter.

use std::fmt;

use bytes::Bytes;
use http::{Request, Response};

use crate::{BoxFuture, Sent};

/// Sends one HTTP request. reqwest in production, a simulator in process.
///
/// A transport does not retry, follow redirects, keep cookies, or read the
/// clock: it reports what happened, once.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request` and collects the answer.
    ///
    /// # Errors
    /// [`SendError`], which says whether the request may have reached the peer.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>>;
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// `No` only when the request provably did not reach the peer.
    pub sent: Sent,
    /// Whether we did not trust the certificate that the peer showed: only
    /// another configuration helps.
    pub untrusted: bool,
    /// What happened, without URL, headers or bodies.
    pub message: String,
}

impl SendError {
    /// What to do about a certificate that is not trusted.
    pub const TRUST: &str = "if a private authority issued it (or a proxy that opens TLS), name \
        its PEM file in `network.private_ca`; otherwise compare the host name, and the dates of \
        the certificate with the clock";

    /// We did not trust the certificate that the peer showed: nothing was
    /// sent, and trying again changes nothing.
    #[must_use]
    pub fn untrusted(why: &str) -> Self {
        let message = format!("the certificate of the other side is not trusted: {why}");
        Self { sent: Sent::No, untrusted: true, message }
    }

    /// The connection broke, or was never made.
    #[must_use]
    pub fn lost(sent: Sent, message: impl Into<String>) -> Self {
        Self { sent, untrusted: false, message: message.into() }
    }
}
