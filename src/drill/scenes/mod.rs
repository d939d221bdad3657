//! What goes wrong, one after the other. Each scene begins in a room of its own, in
//! which everything that is wanted has landed, and brings news.

mod deaths;
mod times;
mod wires;

use super::{Drill, judge::Verdict, tenant::Tenant};
use crate::{failure::Failure, in_process::gate::kind};

/// One scenario.
#[derive(Debug)]
pub(super) struct Scene {
    /// Its name.
    pub(super) name: &'static str,
    /// The law that is rehearsed.
    pub(super) law: u8,
    /// What is done.
    pub(super) done: &'static str,
    /// What is promised, in one sentence.
    pub(super) promised: &'static str,
    /// Does it, and judges.
    pub(super) rehearse: fn(&Tenant, &Drill<'_>) -> Result<Verdict, Failure>,
}

/// All of them.
pub(super) const ALL: &[Scene] = &[
    Scene {
        name: "no-fault",
        law: 2,
        done: "a first landing and one change of every figure, with nothing in the way",
        promised: "what is wanted stands at the target, each change took effect once, and the books balance",
        rehearse: wires::no_fault,
    },
    Scene {
        name: "auth-expiry",
        law: 12,
        done: "every session ends before the push, and again at each of the next twelve requests",
        promised: "a session that ends in the middle of a push costs no value, and no log-in is tried over and over",
        rehearse: wires::auth_expiry,
    },
    Scene {
        name: "429-storm",
        law: 12,
        done: "thirty requests are refused with 429 and the word to wait 45 s",
        promised: "nothing goes out while the target has asked to wait, and everything lands afterwards, once",
        rehearse: wires::throttled,
    },
    Scene {
        name: "slow-target",
        law: 12,
        done: "every answer takes ten minutes, for one cycle; what was asked takes effect all the same",
        promised: "an answer that comes too late loses nothing and doubles nothing",
        rehearse: wires::slow,
    },
    Scene {
        name: "lost-commit",
        law: 12,
        done: "the answer to the first and the last request of each kind that writes is lost, each in a push of its own",
        promised: "a write whose answer is lost takes effect once",
        rehearse: wires::lost_commit,
    },
    Scene {
        name: "dropped-rows",
        law: 2,
        done: "the rows of one resource are lost out of every write of a cycle, and the target says that it took them",
        promised: "a row that the target took and does not hold is not called landed; it lands later, or waits for whoever signed how this target is written",
        rehearse: wires::dropped_rows,
    },
    Scene {
        name: "clock-skew",
        law: 20,
        done: "the clock of the bridge's machine is set 40 days ahead, then 40 days back",
        promised: "nothing is written by a clock that the target contradicts",
        rehearse: times::clock_skew,
    },
    Scene {
        name: "surface-change",
        law: 2,
        done: "every measure is called otherwise at the target, for two cycles: who asks by the old name is refused",
        promised: "what can't be read by its name is not called landed; when the name is back, all of it is",
        rehearse: wires::surface_change,
    },
    Scene {
        name: "outage-72h",
        law: 5,
        done: "nobody answers for 72 hours, and every figure changes in each of them",
        promised: "the target is asked, not hammered, and each cell that changed is then written once, with its last value",
        rehearse: times::outage,
    },
    Scene {
        name: "source-silence",
        law: 8,
        done: "the only source says nothing more for 21 days",
        promised: "no figure moves to its hopeful side because nobody speaks",
        rehearse: times::silence,
    },
    Scene {
        name: "dead-bridge",
        law: 12,
        done: "the bridge dies at the first and the last request of each kind, once before it arrives and once after; another process goes on from its disk",
        promised: "whatever a dead bridge left behind, everything lands, and each change takes effect once",
        rehearse: deaths::dead_bridge,
    },
    Scene {
        name: "restored-backup",
        law: 20,
        done: "the state is put back from a copy that is two landings old",
        promised: "a state that was put back is noticed: no older value overwrites a newer one, and our own writes are nobody else's",
        rehearse: deaths::restored_backup,
    },
];

/// The numbers (from 1) of the first and the last of each kind among `lines`.
fn edges(lines: &[String], of: impl Fn(&str) -> bool) -> Vec<usize> {
    let same = |one: &String, other: &String| kind(one) == kind(other);
    let edge = |at: usize| {
        let line = &lines[at];
        !lines[..at].iter().any(|one| same(one, line))
            || !lines[at + 1..].iter().any(|one| same(one, line))
    };
    (0..lines.len()).filter(|at| of(&lines[*at]) && edge(*at)).map(|at| at + 1).collect()
}
