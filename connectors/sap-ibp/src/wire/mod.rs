//! The wire: requests, sessions, answers, and what a refusal means.

pub(crate) mod client;
pub(crate) mod session;
pub(crate) mod vendor_error;
