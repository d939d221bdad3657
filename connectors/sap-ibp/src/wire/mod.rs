//! The wire: requests, sessions, answers, receipts, and what a refusal means.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod paging;
pub(crate) mod receipt;
pub(crate) mod session;
pub(crate) mod vendor_error;
