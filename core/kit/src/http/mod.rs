//! Around every HTTP request: authorization, quota, pauses, timeouts, re-sends.
//!
//! Read [`stack`] first: it is one function. What an answer means is decided
//! in `decide`, without IO.
//!
//! A connector gets its stack from outside and says only what a request is:
//!
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use planthread_kit::{
//!     Class, ConnectorError,
//!     http::{Call, HttpStack, Lane, Safety},
//! };
//!
//! async fn read_rows(http: &HttpStack) -> Result<Bytes, ConnectorError> {
//!     const READ: &str = "read rows";
//!     let request = Request::get("https://planning.example/rows")
//!         .body(Bytes::new())
//!         .map_err(|error| ConnectorError::new(Class::Fatal, READ, error.to_string()))?;
//!     let answer = http.send(Call::new(READ, Safety::Read, request).lane(Lane::Verify)).await?;
//!     match answer.status().as_u16() {
//!         200 => Ok(answer.into_body()),
//!         403 => Err(ConnectorError::new(Class::Auth, READ, "the right to read rows is missing")),
//!         other => Err(ConnectorError::new(Class::Drift, READ, format!("answered {other}"))),
//!     }
//! }
//! ```

pub mod answer;
pub mod auth;
pub mod call;
pub mod client_credentials;
mod decide;
pub(crate) mod headers;
pub mod json;
pub mod paging;
pub mod retry_after;
pub mod said;
pub mod settings;
pub mod stack;
pub mod token_book;
pub mod tokens;
pub mod witness;

pub use answer::{Body, Expect};
pub use auth::{Anonymous, Authenticator, Basic, FixedHeader};
pub use call::{Call, Lane, RequestPolicy, Safety, encoded};
pub use client_credentials::{ClientCredentials, TokenRequest};
pub use json::JsonClient;
pub use paging::{Bounds, Page};
pub use retry_after::LONGEST_WAIT;
pub use said::Said;
pub use settings::HttpSettings;
pub use stack::{HttpStack, is_after_unclear};
pub use token_book::TokenBook;
pub use tokens::{Exchange, Token, TokenSource, Tokens, ask};
pub use witness::Witness;
