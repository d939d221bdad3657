//! Ten thousand mapping faults and a thousand honest changes, over simulated
//! plants with fixed seeds: what is stopped, what is named, what is silent.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests do")]

mod faults;
mod honest;
mod plant;
mod table;
