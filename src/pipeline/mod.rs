//! The whole way, composed once for the verbs, the demo and the tests.
//!
//! ```text
//! ingest → truth, once for all targets        (rounds, truth)
//!   bind → recover → want → read the basis → plan → apply → verify → hold → pack
//!                                             (steps, for each target)
//! ```
//!
//! `plan` stops after the plan; `apply FILE` enters with one; `apply` begins with
//! want; `run` does everything, in rounds.

mod accuracy;
mod adopt;
mod again;
mod agreement;
mod attempts;
mod bind;
mod bridge;
mod certificates;
pub mod compared;
mod decided;
mod doubts;
mod explain;
mod finish;
mod firm;
mod foreign;
pub mod gap;
mod known;
mod lease;
pub mod locked;
mod mapped;
mod master;
mod moves;
mod packs;
mod pauses;
mod plan_output;
pub mod policy;
mod portions;
mod progress;
mod proportion;
mod push;
mod records;
mod records_of;
mod refused;
mod released;
mod reporting;
mod retry;
mod rounds;
mod second;
mod signals;
mod since;
mod steps;
mod target;
mod time;
mod trace;
mod trail;
mod truth;
mod undecided;
mod upstream;
mod verify;
mod waits;
mod want;

#[cfg(test)]
mod tests;

pub use accuracy::accuracy;
pub use adopt::{NotAdopted, adopt};
pub use agreement::{Draft, Probed, Rendered, enable, fits, looked, standing};
pub use attempts::{OpenPush, end_attempt};
pub use bridge::Bridge;
pub use certificates::{certificates, certificates_of_alerts};
pub use decided::{Decided, notes as decided_notes};
pub use doubts::doubts;
pub(crate) use explain::kind_name;
pub use explain::{capacity_of_cut, explain, explain_measure, measure};
pub use finish::{FinishBy, Missed};
pub(crate) use firm::WORTH;
pub use firm::{FirmStands, Infeasible, firm};
pub use foreign::NotPromoted;
pub use lease::lease;
pub use master::MasterRead;
pub use moves::{PlanMove, plan_moves};
pub use packs::{PackTimes, current_pack};
pub use pauses::{PauseRecord, decide as pause, decisions, paused, paused_by};
pub use plan_output::{LINES_SHOWN, PlanOutput};
pub use progress::{Board, Doing, Entry, Steps};
pub use proportion::{Proportion, answer};
pub use push::signing_key;
pub use refused::{Where, refused, rejections};
pub use released::cores;
pub use retry::Retried;
pub use rounds::{Cycle, GRACE, News, Round, Rounds, Stop, TargetLoop};
pub use second::{SecondPlace, second_pack};
pub use signals::signals;
pub use since::{DecisionSince, SinceBackup, locks};
pub use steps::{Course, TargetCycle, plan_header};
pub use target::{OpenTarget, Opener, Transports};
pub use time::second_place;
pub use trace::{Traced, parse_cell, trace};
pub use trail::Actor;
pub use truth::{
    Journaled, Memory, Truth, derive_facts, derive_taken_cut, facts_of_files, facts_of_journal,
    facts_of_journal_at,
};
pub use undecided::{Undecided, undecided};
pub use upstream::Upstream;
pub use waits::Waits;
pub use want::{WantReport, plan_of_ledger};
