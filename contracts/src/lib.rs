//! The nouns of Planthread: canonical capacity-signal contracts.
//!
//! No IO, no async, no vendor words. Everything that crosses a room of the
//! house (intake, derive, project, plan, deliver, verify) is spelt here once.

pub mod cell;
pub mod measure;
pub mod ownership;
pub mod period;
pub mod quantity;
pub mod receipt;
pub mod record;
pub mod state;
pub mod status;

pub use cell::{CellKey, DesiredCell, GroupKey, SeenCell};
pub use measure::{Aggregation, Carries, MeasureDecl, Owner, Role};
pub use ownership::{NotOurs, Promotion, PromotionError, Scope, WriteGrant};
pub use period::{Period, PeriodError, PeriodKind};
pub use quantity::{Unit, UnknownUnit};
pub use receipt::{Receipt, Rejection, RowOutcome};
pub use record::{Origin, RawRecord, RejectedRecord};
pub use state::RevisionState;
pub use status::Status;
