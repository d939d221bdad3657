//! The consultant's sheet, and the read-only answer to each of its lines.

mod calendar;
mod catalogue;
mod conversion;
mod declared;
pub(crate) mod discover;
mod family;
mod level;
mod master;
mod probe;
pub(crate) mod sheet;
