//! The network as a parameter.

use std::fmt;

use bytes::Bytes;
use http::{Request, Response};

use crate::{BoxFuture, Class, Sent};

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
    /// Why trying again changes nothing, where only a person can help.
    pub hopeless: Option<Hopeless>,
    /// What happened, without URL, headers or bodies.
    pub message: String,
}

/// Why a request will not go out, however often it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hopeless {
    /// We did not trust the certificate that the peer showed.
    Untrusted,
    /// The configuration asks for no connection to this peer.
    Undeclared,
}

impl Hopeless {
    /// What a connector says of it.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Untrusted => Class::Auth,
            Self::Undeclared => Class::Fatal,
        }
    }

    /// What a person does about it.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Untrusted => {
                "if a private authority issued it (or a proxy that opens TLS), name its PEM file in \
                 `network.private_ca`; otherwise compare the host name, and the dates of the \
                 certificate with the clock"
            }
            Self::Undeclared => {
                "nothing was sent; `planthread flows` prints the connections that the \
                 configuration asks for. An answer of the target named another address: find out \
                 why before you let it"
            }
        }
    }
}

impl SendError {
    /// We did not trust the certificate that the peer showed: nothing was
    /// sent, and trying again changes nothing.
    #[must_use]
    pub fn untrusted(why: &str) -> Self {
        let message = format!("the certificate of the other side is not trusted: {why}");
        Self { sent: Sent::No, hopeless: Some(Hopeless::Untrusted), message }
    }

    /// The configuration asks for no connection to `peer`: nothing was sent.
    #[must_use]
    pub fn undeclared(peer: &str) -> Self {
        let message = format!("the configuration asks for no connection to {peer}");
        Self { sent: Sent::No, hopeless: Some(Hopeless::Undeclared), message }
    }

    /// The connection broke, or was never made.
    #[must_use]
    pub fn lost(sent: Sent, message: impl Into<String>) -> Self {
        Self { sent, hopeless: None, message: message.into() }
    }
}
