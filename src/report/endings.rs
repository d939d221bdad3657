//! How a walk ends where its target refused something: one rule for `apply`, `run` and
//! `verify`, as the page of exit codes lists it.

use planthread_engine::{ledger::PolicyHolds, push::Applied, verify::SweepReport};

/// Whether cells that the target refused wait for somebody: refused now, or before and
/// not cured. What a person dismissed waits for nobody.
pub(super) fn refused<'a>(
    applied: Option<&Applied>,
    holds: Option<&PolicyHolds>,
    read: impl IntoIterator<Item = &'a SweepReport>,
) -> bool {
    applied.is_some_and(|applied| applied.rejected > 0)
        || holds.is_some_and(|holds| holds.refused > 0)
        || read.into_iter().any(|read| read.refused + read.refused_before > 0)
}

#[cfg(test)]
mod tests {
    use planthread_engine::push::Recovered;

    use super::*;
    use crate::{
        failure::Exit,
        pipeline::TargetCycle,
        report::{
            View as _,
            applied::{Delivered, Deliveries},
            cycled::Walked,
            verified::Verified,
        },
    };

    fn applied(rejected: u64) -> Applied {
        let header = serde_json::from_value(serde_json::json!({
            "planthread_plan": 1, "target": "t", "scope": "", "counter": 1, "config": "",
            "as_of": "2026-11-22T22:00:00Z",
            "prediction": planthread_engine::plan::Prediction::default(),
            "counts": { "cells": 9, "carried": 0, "groups": 0, "reasons": {}, "held": {} },
        }));
        Applied { rejected, ..Applied::new(header.unwrap(), String::new()) }
    }

    /// A walk that refused, read and held so much.
    fn walk(
        (now, before, read, unnamed, earlier, late): (u64, u64, u64, u64, u64, u64),
    ) -> TargetCycle {
        let report = |refused, refused_before, not_yet| SweepReport {
            read: 9,
            refused,
            refused_before,
            not_yet,
            ..SweepReport::default()
        };
        let read_back = report(earlier, 0, 0);
        TargetCycle {
            recovered: Some(Recovered { read_back, ..Recovered::default() }),
            applied: Some(applied(now)),
            policy_holds: Some(PolicyHolds { refused: before, ..PolicyHolds::default() }),
            verified: Some(report(unnamed, read, late)),
            ..TargetCycle::default()
        }
    }

    #[test]
    fn whatever_was_refused_and_waits_ends_apply_run_and_verify_alike() {
        for bits in 0..64_u64 {
            let on = |bit: u64| bits >> bit & 1;
            let left = (on(0), on(1), on(2), on(3), on(4), on(5));
            let (now, before, read, unnamed, earlier, late) = left;
            let expected = match (now + before + read + unnamed + earlier, late) {
                (0, 0) => Exit::Ok,
                (0, _) => Exit::Transient,
                _ => Exit::Findings,
            };
            let done = walk(left);
            let as_of = jiff::Timestamp::UNIX_EPOCH;
            let run = Walked { at: None, as_of, done: &done, late: false }.exit();
            let apply = Deliveries { targets: vec![Delivered::from(walk(left))] }.exit();
            // Who only reads back has the ledger's word for what it did not read.
            let mut verify = Verified::from(walk((0, 0, read, unnamed, 0, late)));
            verify.not_cured = now + before + earlier;
            assert_eq!([apply, run, verify.exit()], [expected; 3], "{left:?}");
        }
    }
}
