//! What only tests need around a sandbox: a mount on wiremock, certificates, and a mail
//! server.
//!
//! None belongs into the program that people install, so all live here.

pub mod authority;
pub mod mail_sink;
pub mod on_wiremock;

pub use authority::{Identity, TestAuthority};
pub use mail_sink::MailSink;
pub use on_wiremock::OnWiremock;
