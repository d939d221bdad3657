//! What the connector does over the wire: push, settle, read.

pub(crate) mod notes;
pub(crate) mod push;
pub(crate) mod read;
pub(crate) mod settle;
pub(crate) mod status;
