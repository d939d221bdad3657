//! How each verb ends after the same walk.

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_contracts::CellKey;
use planthread_engine::{
    journal::JournalCounts,
    ledger::{Case, CaseKind, Lock, LockKind, LockedCell, TakenCells},
    plan::Waiting,
    push::Recovered,
    status::{ScopeStatus, Status},
};

use super::*;
use crate::{
    pipeline::{Proportion, TargetCycle, Waits},
    report::{
        TextTable, View as _,
        applied::{Delivered, Deliveries},
        cycled::Walked,
        lock_line::LockLine,
        status::StatusView,
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

fn key() -> CellKey {
    serde_json::from_value(serde_json::json!({
        "target": "t", "scope": "", "resource": "R1", "location": "L",
        "period": "2026-W48", "measure": "live",
    }))
    .unwrap()
}

fn person() -> (String, u64, Timestamp) {
    ("a person".to_owned(), 1, Timestamp::UNIX_EPOCH)
}

fn locked() -> LockLine {
    let (owner, _, at) = person();
    let (key, kind, reason) = (key(), LockKind::Send, "edited".to_owned());
    let lock = Lock { key, kind, owner, reason, since: at, until: at };
    LockLine::from(&LockedCell { lock, wanted: 9.into(), seen: None })
}

fn question() -> Case {
    let at = Timestamp::UNIX_EPOCH;
    Case {
        id: 1,
        target: "t".to_owned(),
        scope: String::new(),
        kind: CaseKind::Mass,
        owner: "planning lead".to_owned(),
        text: "may it stay?".to_owned(),
        example: String::new(),
        cells: 9,
        opened_at: at,
        last_at: at,
        closed: None,
    }
}

/// What is left of a walk, each as a number of cells or questions.
#[derive(Debug, Clone, Copy)]
struct Left {
    refused_now: u64,
    refused_before: u64,
    refused_read: u64,
    refused_unnamed: u64,
    refused_earlier: u64,
    taken: u64,
    asked: u64,
    stale: u64,
    late: u64,
}

impl Left {
    /// Every mix of them, one of each.
    fn each() -> impl Iterator<Item = Self> {
        (0..512_u64).map(|bits| {
            let on = |bit: u64| bits >> bit & 1;
            let [refused_now, refused_before, refused_read] = [on(0), on(1), on(2)];
            let [refused_unnamed, refused_earlier, late] = [on(3), on(4), on(5)];
            let [taken, asked, stale] = [on(6), on(7), on(8)];
            Self {
                refused_now,
                refused_before,
                refused_read,
                refused_unnamed,
                refused_earlier,
                taken,
                asked,
                stale,
                late,
            }
        })
    }

    fn refused(&self) -> u64 {
        let read = self.refused_read + self.refused_unnamed + self.refused_earlier;
        self.refused_now + self.refused_before + read
    }

    fn walk(&self) -> TargetCycle {
        let report = |refused, refused_before, not_yet, stale_own| SweepReport {
            read: 9,
            refused,
            refused_before,
            not_yet,
            stale_own,
            ..SweepReport::default()
        };
        let read_back = report(self.refused_earlier, 0, 0, 0);
        let holds = [(HoldReason::Lock, self.taken), (HoldReason::InQuestion, self.asked)];
        let held = holds.into_iter().filter(|(_, cells)| *cells > 0);
        let found = report(self.refused_unnamed, self.refused_read, self.late, self.stale);
        TargetCycle {
            recovered: Some(Recovered { read_back, ..Recovered::default() }),
            applied: Some(applied(self.refused_now)),
            policy_holds: Some(PolicyHolds {
                held: held.map(|(reason, cells)| (reason.word().to_owned(), cells)).collect(),
                refused: self.refused_before,
                taken: TakenCells::of((0..self.taken).map(|_| person())),
                questions: self.asked,
                ..PolicyHolds::default()
            }),
            verified: Some(found),
            ..TargetCycle::default()
        }
    }

    /// The same as a read-back alone tells it: for what it did not read, it has the
    /// ledger's word.
    fn read(&self) -> Verified {
        let sees = Self { refused_now: 0, refused_before: 0, refused_earlier: 0, ..*self };
        let mut read = Verified::from(sees.walk());
        read.not_cured = self.refused_now + self.refused_before + self.refused_earlier;
        read.locked = (0..self.taken).map(|_| locked()).collect();
        read.open = (0..self.asked).map(|_| question()).collect();
        read
    }
}

/// How a cycle of `run`, and an `apply`, end after the same walk.
fn endings(walk: impl Fn() -> TargetCycle) -> [Exit; 2] {
    let (as_of, done) = (Timestamp::UNIX_EPOCH, walk());
    let run = Walked { at: None, as_of, done: &done, late: false }.exit();
    [run, Deliveries { targets: vec![Delivered::from(walk())] }.exit()]
}

#[test]
fn whatever_waits_for_somebody_ends_apply_run_and_verify_alike() {
    for left in Left::each() {
        // What people took waits for nobody.
        let waits = left.refused() + left.asked + left.stale;
        let expected = match (waits, left.late) {
            (0, 0) => Exit::Ok,
            (0, _) => Exit::Transient,
            _ => Exit::Findings,
        };
        let [run, apply] = endings(|| left.walk());
        assert_eq!([apply, run, left.read().exit()], [expected; 3], "{left:?}");
    }
}

/// Each reason of a hold, and how `apply`, a cycle of `run` and `status` end where it is all
/// that is left. `verify` ends so, too, where it is people who are waited for.
const TABLE: [(HoldReason, Exit); 18] = [
    (HoldReason::Paused, Exit::Held),
    (HoldReason::Clock, Exit::Held),
    (HoldReason::SecondWriter, Exit::Held),
    (HoldReason::Blackout, Exit::Held),
    (HoldReason::NotPromoted, Exit::Held),
    (HoldReason::NotAdopted, Exit::Held),
    (HoldReason::OpenAttempt, Exit::Ok),
    (HoldReason::Settling, Exit::Ok),
    (HoldReason::Unproven, Exit::Ok),
    (HoldReason::RejectedNotCured, Exit::Findings),
    (HoldReason::Lock, Exit::Ok),
    (HoldReason::InQuestion, Exit::Findings),
    (HoldReason::Implausible, Exit::Held),
    (HoldReason::PastPeriodClosed, Exit::Ok),
    (HoldReason::FrozenHorizon, Exit::Ok),
    (HoldReason::UnknownStatus, Exit::Ok),
    (HoldReason::Conflicting, Exit::Ok),
    (HoldReason::NotSignificant, Exit::Ok),
];

/// A walk that leaves one cell behind, held for `reason`.
fn held_for(reason: HoldReason, late: u64) -> TargetCycle {
    let is = |other| u64::from(reason == other);
    let held = match reason {
        // It is held by its own state.
        HoldReason::RejectedNotCured => BTreeMap::new(),
        _ => [(reason.word().to_owned(), 1)].into(),
    };
    let policy_holds = Some(PolicyHolds {
        held,
        refused: is(HoldReason::RejectedNotCured),
        taken: TakenCells::of((0..is(HoldReason::Lock)).map(|_| person())),
        questions: is(HoldReason::InQuestion),
        ..PolicyHolds::default()
    });
    let read = SweepReport { read: 9, not_yet: late, ..SweepReport::default() };
    let (applied, verified) = (Some(applied(0)), Some(read));
    TargetCycle { applied, verified, policy_holds, ..TargetCycle::default() }
}

/// The ledger after that walk, as `status` and a read-back tell it.
fn ledger(reason: HoldReason) -> (StatusView, Verified) {
    let is = |other| u64::from(reason == other);
    let at = Timestamp::UNIX_EPOCH;
    let locks = || (0..is(HoldReason::Lock)).map(|_| locked()).collect();
    let cases = || -> Vec<Case> { (0..is(HoldReason::InQuestion)).map(|_| question()).collect() };
    let refused = is(HoldReason::RejectedNotCured);
    let scope = ScopeStatus {
        target: "t".to_owned(),
        states: [("rejected", refused)].into(),
        ..ScopeStatus::default()
    };
    let waiting =
        Waiting { reason: Some(reason), cells: 1, since: at, until: None, example: key() };
    let waits = Waits {
        target: "t".to_owned(),
        paused: None,
        quiet: None,
        open: Vec::new(),
        waiting: vec![waiting],
        upstream: None,
        not_promoted: Vec::new(),
        not_adopted: Vec::new(),
        proportion: Proportion::default(),
    };
    let status = StatusView {
        now: at,
        lease: None,
        status: Status { scopes: vec![scope], ..Status::default() },
        journal: JournalCounts::default(),
        unfinished: Vec::new(),
        pushes: Vec::new(),
        away: Vec::new(),
        second_places: BTreeMap::new(),
        cases: cases(),
        locks: locks(),
        pauses: BTreeMap::new(),
        breakers: Vec::new(),
        waits: vec![waits],
        firm: Vec::new(),
        clock_confirmed: Some(at),
        guards: Vec::new(),
        agreements: BTreeMap::new(),
        certificates: Vec::new(),
        not_driving: BTreeSet::new(),
    };
    let mut read = Verified::of("t", SweepReport { read: 9, ..SweepReport::default() });
    (read.locked, read.open, read.not_cured) = (locks(), cases(), refused);
    (status, read)
}

#[test]
fn each_reason_of_a_hold_ends_every_verb_alike() {
    assert_eq!(TABLE.map(|(reason, _)| reason), HoldReason::ALL);
    for (reason, expected) in TABLE {
        for late in [0, 1] {
            let with_late = match (expected, late) {
                (Exit::Ok, 1) => Exit::Transient,
                (exit, _) => exit,
            };
            assert_eq!(endings(|| held_for(reason, late)), [with_late; 2], "{reason:?} {late}");
        }
        let (status, read) = ledger(reason);
        // A read-back sends nothing, so no policy holds it up.
        let of_read = if expected == Exit::Held { Exit::Ok } else { expected };
        assert_eq!([status.exit(), read.exit()], [expected, of_read], "{reason:?}");
    }
}

#[test]
fn a_lock_is_told_in_one_line_by_every_verb_and_waits_for_nobody() {
    let line = "1 cell locked by a person until 1970-01-01 00:00:00Z";
    let (as_of, walk) = (Timestamp::UNIX_EPOCH, || held_for(HoldReason::Lock, 0));
    let (status, read) = ledger(HoldReason::Lock);
    let said = |view: &dyn Fn(&mut TextTable)| {
        let mut text_table = TextTable::new(false);
        view(&mut text_table);
        text_table.into_text()
    };
    let done = walk();
    let all = [
        said(&|to| Walked { at: None, as_of, done: &done, late: false }.write(to)),
        said(&|to| Deliveries { targets: vec![Delivered::from(walk())] }.write(to)),
        said(&|to| status.write(to)),
        said(&|to| read.write(to)),
    ];
    for text in all {
        assert_eq!(text.matches(line).count(), 1, "{text}");
    }
    // Found by the read-back of this walk, it ends no verb otherwise than found earlier.
    let found = SweepReport { read: 9, persons: 1, ..SweepReport::default() };
    let again = || TargetCycle { verified: Some(found.clone()), ..walk() };
    assert_eq!(endings(again), [Exit::Ok; 2]);
    assert_eq!(Verified::from(again()).exit(), Exit::Ok);
}

#[test]
fn a_suspended_agreement_is_told_and_a_finding_also_where_nothing_is_to_be_sent() {
    for state in [State::Enabled, State::Suspended, State::Unverified] {
        let walk = || {
            let agreement = AgreementStatus {
                state,
                agreement: Some("o9-plan".to_owned()),
                reference: None,
                expires: None,
                missing: if state == State::Enabled { "" } else { "it ended" }.to_owned(),
                cure: "sign a new one".to_owned(),
                probing: false,
                evidence: None,
            };
            TargetCycle { agreement: Some(agreement), ..TargetCycle::default() }
        };
        let [run, apply] = endings(walk);
        let expected = if state == State::Suspended { Exit::Findings } else { Exit::Ok };
        assert_eq!([run, apply], [expected; 2], "{state:?}");
        let (as_of, done) = (Timestamp::UNIX_EPOCH, walk());
        let says = |view: &dyn Fn(&mut TextTable)| {
            let mut text_table = TextTable::new(false);
            view(&mut text_table);
            text_table.into_text().contains("it ended")
        };
        let told = [
            says(&|to| Walked { at: None, as_of, done: &done, late: false }.write(to)),
            says(&|to| Deliveries { targets: vec![Delivered::from(walk())] }.write(to)),
        ];
        assert_eq!(told, [state != State::Enabled; 2], "{state:?}");
    }
}
