//! The consultant's sheet, and the read-only answer to each of its lines.

mod conversion;
mod declared;
pub(crate) mod discover;
mod level;
mod master;
mod probe;
mod report;
pub(crate) mod sheet;
