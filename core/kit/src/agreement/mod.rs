//! Agreements: writing over an interface that no public material describes.
//!
//! Where a vendor publishes no contract for a write, nothing is guessed. The
//! customer's integration team describes the request in a *profile*, or states the
//! settings that no public material confirms; shows with recorded exchanges what goes
//! out and what the target answers; and signs all of it as an *agreement*.
//! Without one, a target is read, planned and packed, and not written.
//!
//! - [`document`]: what an agreement says.
//! - [`template`]: a request with typed slots: values are put in, never spliced raw.
//! - [`reply`]: what an answer says of each row.
//! - [`golden`]: recorded exchanges, replayed before the agreement counts.
//! - [`key`]: ed25519 signatures over the canonical text.
//! - [`evidence`]: who probed it, and who enabled it after that.
//! - [`gate`]: all of it as one answer: may this batch go out, now?

pub mod document;
pub mod evidence;
pub mod gate;
pub mod golden;
pub mod key;
pub mod reply;
pub mod status;
pub mod template;

pub use document::{Agreement, Environment, Level, Profile};
pub use evidence::Evidence;
pub use gate::{Gate, GateInput, Requests, Settings};
pub use golden::Golden;
pub use key::SigningKey;
pub use status::{AgreementStatus, Kept, State};
pub use template::{Filled, Slot, SlotKind, Written};

#[cfg(test)]
mod samples;
