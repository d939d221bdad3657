//! What only tests need around a sandbox: a mount on wiremock, and certificates.
//!
//! Neither belongs into the program that people install, so both live here.

pub mod authority;
pub mod on_wiremock;

pub use authority::{Identity, TestAuthority};
pub use on_wiremock::OnWiremock;
