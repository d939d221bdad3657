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
    /// What happened, without URL, headers or bodies.
    pub message: String,
}
