//! From raw records to wanted cells: calendars, derivation, projection.
//!
//! Pure arithmetic: no IO, no clock, no async. The same plant, facts and
//! `as_of` give the same cells, byte for byte. The way of the data:
//!
//! ```text
//! decode::rows -> RawRecord -> decode::Decoder -> Facts -> derive::Deriver
//!     -> Derivation of one resource -> significance::release
//!     -> project::portion of one place -> DesiredCell
//! ```
//!
//! [`model`] is the factory side of the configuration.

pub mod accuracy;
pub mod calendar;
pub mod decode;
pub mod derive;
#[cfg(test)]
mod fixture;
pub mod gap;
pub mod lanes;
pub mod model;
pub mod project;
pub mod quantile;
pub mod significance;
pub mod timeline;
mod truth;

pub use decode::{Decoder, Facts, decode, rows};
pub use derive::{Derivation, Deriver, derive, explain};
pub use model::{Mapping, Plant};
pub use project::{Projection, project};
