//! Around every HTTP request: authorization, quota, pauses, timeouts, re-sends.
//!
//! Read [`stack`] first: it is one function. What an answer means is decided
//! in `decide`, without IO.

pub mod auth;
pub mod call;
pub mod client_credentials;
mod decide;
pub mod retry_after;
pub mod stack;

pub use auth::{Anonymous, Authenticator, Basic};
pub use call::{Call, Lane, RequestPolicy, Safety};
pub use client_credentials::{ClientCredentials, TokenRequest};
pub use stack::HttpStack;
