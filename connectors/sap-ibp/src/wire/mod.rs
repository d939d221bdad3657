//! What the two services say beyond the protocol: receipts, refusals, and the
//! function imports that change something.

pub(crate) mod call;
pub(crate) mod receipt;
pub(crate) mod refusal;
