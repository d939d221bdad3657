//! What a tenant must offer, and whether it does.

pub(crate) mod discover;
pub(crate) mod sheet;
