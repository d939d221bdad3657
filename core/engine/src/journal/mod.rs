//! The journal: raw records as they arrived, in their own order, durable.
//!
//! `append` commits records, rejections, quarantine and the source's
//! checkpoint in one transaction; decoding is a later, versioned step that
//! reads from a position.

mod admit;
mod append;
mod cure;
mod decision;
mod dismiss;
mod heard;
mod load;
mod read;
mod segment;
mod set_aside;

pub use self::{
    admit::{Admitted, admit},
    append::{Append, Appended, append, checkpoint},
    cure::{Cured, cure, holds},
    decision::{Decision, Verdict, counted_at, counting, decide, decided, repeats, retract},
    dismiss::{dismiss, dismissed},
    heard::heard,
    read::{Entry, counts, quarantined, read, rejected, rejected_after},
    segment::{SealLimits, Sealed, seal},
    set_aside::SetAside,
};

pub use crate::store::records::{
    Conflict, Dismissal, JournalCounts, Quarantined, RejectedEntry, Repeat,
};

pub(crate) use self::dismiss::FILE_REFUSED;
