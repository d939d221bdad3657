//! Deliver: plans become attempts, attempts become receipts. Never landings.

mod apply;
mod check;
mod log;
mod recover;

pub use self::{
    apply::{Applied, Delivery, apply},
    log::DurableLog,
    recover::{Recovered, recover},
};
