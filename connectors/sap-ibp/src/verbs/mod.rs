//! What the connector does over the wire: submit, poll, read.

pub(crate) mod notes;
pub(crate) mod poll;
pub(crate) mod read;
pub(crate) mod status;
pub(crate) mod submit;
