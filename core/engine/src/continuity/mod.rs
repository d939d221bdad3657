//! Continuity: whether this state and this clock are still what they were.
//!
//! *Seen* is believed while continuity is proven (law 20). Two things break it
//! without a trace in the ledger: a state that is put back from a copy knows
//! nothing of what was sent since, and a clock that jumped makes truth of
//! instants that nobody has lived through.
//!
//! - [`clock`]: our clock against the `Date` of the targets and against our own
//!   last instant; a doubt holds, and is a case for whoever runs the machine.
//! - [`takeback`]: the way back from truth of a later instant than now.
//! - [`witness`]: a run counter inside the state, and the same one outside.
//! - [`written`]: what we may have written, noted outside; the rest is somebody else's.

pub mod clock;
pub mod takeback;
pub mod witness;
pub mod written;

pub use self::{
    clock::{ClockPolicy, Time, judge, last_instant, later_truth, note, wants_witness},
    takeback::{TakeBack, TakenBack, take_back},
    witness::{
        Begun, Continuity, Mark, Restored, advance, anew, continuity, resume, told_restored,
    },
    written::{Written, note_written},
};
