//! Law 12 with a really killed process: nothing is lost and nothing is doubled,
//! wherever `SIGKILL` hits.
//!
//! - `requests`: killed at every single request that a run makes.
//! - `moments`: killed after a ladder of times, in front of another process.
//! - `intake`: killed while records come in; a second writer is refused.
//! - `continuity`: nobody is killed: a second bridge, a restored state, a wrong
//!   clock.
//! - `ended`: killed while a job runs that never ends, and a person ends it.
//! - `kept`: killed while a backup is made or put back.
//! - `standby`: killed, or suspended, while another one waits for its lease.
//! - `torture`: killed at random moments, for as long as somebody asks.
//! - `door`: killed right after the HTTP door has answered.
//!
//! The ends are the same for all of them and stand in `proof`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests do")]

mod answers;
mod continuity;
mod door;
mod ended;
mod intake;
mod kept;
mod moments;
#[allow(dead_code, reason = "shared with `tests/wire`, which needs other parts of it")]
mod program;
mod proof;
mod requests;
mod sandbox;
mod standby;
mod torture;
mod way;
