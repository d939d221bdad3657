//! Scheduled time: shift calendars in local time become UTC intervals.
//!
//! Hours are integrated over the shift calendar in local time, never computed
//! as days × 24: a local week has 167, 167.5, 168 or 169 hours.

pub mod bounds;
pub mod ical;
pub mod local;
pub mod rounding;
pub mod schedule;
pub mod span;

pub use bounds::{Bounds, periods};
pub use local::{Clocks, Day, LocalTimeError, resolve, zone};
pub use rounding::round_half_even;
pub use schedule::Schedule;
pub use span::{Span, Spans};
