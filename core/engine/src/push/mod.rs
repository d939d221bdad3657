//! Push: plans become attempts, attempts become receipts. Never landings.

mod apply;
mod check;
mod end;
mod log;
mod recover;
mod send;
mod slots;
mod told;

pub use self::{
    apply::{Applied, Delivery, apply},
    end::{Ending, EndingError, may_be_ended},
    log::DurableLog,
    recover::{Recovered, end_attempt, recover},
};
