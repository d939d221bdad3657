//! Deliver: plans become attempts, attempts become receipts. Never landings.

mod apply;
mod check;
mod end;
mod log;
mod recover;
mod send;

pub use self::{
    apply::{Applied, Delivery, apply},
    end::{Ending, end_attempt},
    log::DurableLog,
    recover::{Recovered, recover},
};
