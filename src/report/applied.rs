//! What became of a plan: taken, refused, unproven, moved.

use std::collections::BTreeMap;

use planthread_engine::{
    continuity::Restored,
    fallback::Manifest,
    ledger::PolicyHolds,
    plan::HoldReason,
    push::{Applied, Recovered},
    undo::Undone,
    verify::SweepReport,
};
use planthread_kit::agreement::AgreementStatus;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View, agreement, endings,
    fallback::left_out,
    guard,
    lock_line::locked,
    text_table::{count, indented, instant},
    verified::{Verified, told, troubled},
};
use crate::{
    failure::{Exit, Failure},
    pipeline::TargetCycle,
};

/// Cells that are named one by one.
const NAMED: usize = 8;

/// A plan that was applied, and what was read back right after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Delivered {
    /// The configured target.
    pub target: String,
    /// That the state was put back from a copy: everything was read before the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// What an earlier, broken push had left open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
    /// What was sent, and what the target said; absent when it stopped before.
    #[serde(flatten)]
    pub applied: Option<Applied>,
    /// Why it ended before the plan did; the rest stays pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
    /// What was read back; absent when there was nothing to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// What waits, and for what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screened: Option<PolicyHolds>,
    /// The pack for the way by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<Manifest>,
    /// Under which agreement the target is written, where it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementStatus>,
    /// Why nothing is sent to the target at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}

impl From<TargetCycle> for Delivered {
    fn from(done: TargetCycle) -> Self {
        // A plan without cells was not sent, and is an answer all the same.
        let empty = || done.plan.map(|plan| Applied::new(plan.header, plan.sha256));
        let applied = done.applied.or_else(empty);
        let read = done.verified.filter(|report| report.read > 0 || report.error.is_some());
        let verified = read.map(|report| Verified::of(&done.target, report));
        let TargetCycle {
            target,
            restored,
            recovered,
            stopped,
            policy_holds: screened,
            pack,
            paused,
            agreement,
            ..
        } = done;
        Self {
            target,
            restored,
            recovered,
            applied,
            stopped,
            verified,
            screened,
            pack,
            paused,
            agreement,
        }
    }
}

impl Delivered {
    /// Cells that are held, some of them by a policy or a person, when the plan has no others.
    fn all_held(&self) -> u64 {
        let Some(applied) = &self.applied else { return 0 };
        let counts = &applied.plan.counts;
        if counts.cells > 0 || applied.sent > 0 {
            return 0;
        }
        match endings::of_holds(&counts.held) {
            Exit::Ok => 0,
            _ => counts.held.values().sum(),
        }
    }
}

/// The applied plans of all targets.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deliveries {
    /// Target by target.
    pub targets: Vec<Delivered>,
}

impl View for Deliveries {
    const OUTPUT: &'static str = "apply";

    fn write(&self, text_table: &mut TextTable) {
        for target in &self.targets {
            target.write(text_table);
        }
    }

    fn exit(&self) -> Exit {
        self.targets.iter().map(Delivered::exit).max().unwrap_or(Exit::Ok)
    }
}

fn cells(n: u64) -> String {
    count(n, "cell")
}

impl Delivered {
    fn write(&self, text_table: &mut TextTable) {
        guard::restored(text_table, &self.target, self.restored.as_ref());
        match &self.applied {
            Some(applied) if applied.refused => return self.refused(text_table, applied),
            Some(applied) if self.all_held() > 0 && self.stopped.is_none() => {
                self.held(text_table, applied);
            }
            Some(applied) if applied.sent > 0 || applied.moved > 0 => {
                self.sent(text_table, applied)
            }
            _ if self.stopped.is_some() => {
                text_table.line(format!("{}: nothing was sent", self.target));
            }
            Some(applied) => self.nothing(text_table, applied),
            None => {
                text_table.line(format!("{}: nothing to send", self.target));
            }
        }
        settled(text_table, self.recovered.as_ref(), 2);
        // What an earlier push left unproven was read first, and decided.
        if let Some(read) = self.read_before().filter(|read| told(read)) {
            Verified::of(&self.target, read.clone()).write(text_table);
        }
        agreed(text_table, &self.target, self.agreement.as_ref(), self.stopped.as_ref());
        if let Some(failure) = &self.stopped {
            let text = indented(&failure.to_string(), 2);
            text_table.line(format!("  {} {text}", text_table.tint(Tone::Bad, "stopped:")));
        }
        if let Some(verified) = &self.verified {
            verified.write(text_table);
        }
        if let Some(pack) = &self.pack {
            let line = format!("  pack of {} for the way by hand", cells_of(pack));
            text_table.line(text_table.tint(Tone::Dim, &line));
            left_out(text_table, pack, "  ");
        }
    }

    fn read_before(&self) -> Option<&SweepReport> {
        self.recovered.as_ref().map(|recovered| &recovered.read_back)
    }

    /// Whether refused cells wait for somebody.
    fn has_refused(&self) -> bool {
        let read = self.read_before().into_iter().chain(self.verified.iter().map(|v| &v.report));
        endings::refused(self.applied.as_ref(), self.screened.as_ref(), read)
    }

    fn exit(&self) -> Exit {
        let applied = self.applied.as_ref();
        match &self.stopped {
            Some(failure) => failure.exit,
            None if applied.is_some_and(|applied| applied.refused) => Exit::Held,
            None => self.ending(),
        }
    }

    fn ending(&self) -> Exit {
        let findings = self.applied.as_ref().is_some_and(|applied| applied.moved > 0)
            || self.has_refused()
            || self.verified.as_ref().is_some_and(|read| troubled(&read.report))
            || endings::suspended(self.agreement.as_ref());
        let not_yet = self.verified.as_ref().is_some_and(|read| read.report.not_yet > 0);
        let planned = || self.applied.as_ref().map(|applied| &applied.plan.counts.held);
        let held = match &self.screened {
            Some(screened) => endings::of_screen(screened),
            None => planned().map_or(Exit::Ok, endings::of_holds),
        };
        endings::ending(findings, not_yet, held)
    }
}

/// Pushes of an earlier process whose end is known now.
pub(super) fn settled(text_table: &mut TextTable, recovered: Option<&Recovered>, by: usize) {
    let Some(recovered) = recovered else { return };
    let settled = recovered.done + recovered.not_taken + recovered.unknown;
    if settled > 0 {
        let pushes = count(settled, "broken push");
        text_table.line(format!("{:by$}settled {pushes} from before", ""));
    }
    if recovered.given_up > 0 {
        let pushes = count(recovered.given_up, "push");
        text_table.line(format!("{:by$}ended {pushes} from before, as a person had decided", ""));
    }
}

/// The size of a pack, in words.
pub(super) fn cells_of(pack: &Manifest) -> String {
    count(pack.cells, "cell")
}

impl Delivered {
    fn refused(&self, text_table: &mut TextTable, applied: &Applied) {
        let refused = text_table.tint(Tone::Bad, "refused");
        text_table.line(format!(
            "{}: {refused}, nothing was sent: {} moved since the plan",
            self.target,
            cells(applied.moved)
        ));
        moved(text_table, applied);
        text_table.line("  cure: make a new plan, or send the rest with --only-unmoved");
    }

    fn sent(&self, text_table: &mut TextTable, applied: &Applied) {
        text_table.line(format!(
            "{}: {} sent in {}, {} accepted, {} refused, {} unproven",
            self.target,
            cells(applied.sent),
            count(applied.batches, "batch"),
            applied.accepted,
            applied.rejected,
            applied.unproven
        ));
        if !applied.receipts.is_empty() {
            let receipts = applied.receipts.join(", ");
            text_table.line(text_table.tint(Tone::Dim, &format!("  receipts: {receipts}")));
        }
        if applied.moved > 0 {
            text_table.line(format!("  {} moved and stayed behind", cells(applied.moved)));
            moved(text_table, applied);
        }
        if applied.refused_unnamed > 0 {
            let rows = count(applied.refused_unnamed, "row");
            text_table.line(format!(
                "  it refused {rows} without naming them: the read-back finds which  (planthread \
                 explain unproven)"
            ));
        }
        self.held_by_reason(text_table, applied);
    }

    /// What the plan leaves behind, by reason.
    fn held_by_reason(&self, text_table: &mut TextTable, applied: &Applied) {
        held(text_table, &applied.plan.counts.held, self.screened.as_ref(), "  ");
        if self.has_refused() {
            text_table.line("  why, and what cures it: `planthread rejects`");
        }
    }

    fn nothing(&self, text_table: &mut TextTable, applied: &Applied) {
        let held = applied.plan.counts.held.values().sum();
        let said = if held > 0 { format!(": {} held", cells(held)) } else { String::new() };
        text_table.line(format!("{}: nothing to send{said}", self.target));
        self.held_by_reason(text_table, applied);
    }

    fn held(&self, text_table: &mut TextTable, applied: &Applied) {
        let held = text_table.tint(Tone::Warn, "nothing was sent");
        let why = self.paused.as_ref().map_or(String::new(), |why| format!(", paused ({why})"));
        let all = cells(applied.plan.counts.held.values().sum());
        text_table.line(format!("{}: {held}{why}: {all} held", self.target));
        self.held_by_reason(text_table, applied);
    }
}

fn moved(text_table: &mut TextTable, applied: &Applied) {
    for key in applied.moved_cells.iter().take(NAMED) {
        text_table.line(format!("    {key}"));
    }
}

/// An undo: what is wanted again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UndoneView {
    /// The receipt.
    pub receipt: String,
    /// What changed.
    #[serde(flatten)]
    pub undone: Undone,
}

impl View for UndoneView {
    const OUTPUT: &'static str = "undo";

    fn write(&self, text_table: &mut TextTable) {
        let undone = &self.undone;
        text_table.line(format!(
            "{} want again what stood there before receipt {}.",
            cells(undone.cells),
            self.receipt
        ));
        if undone.unchanged > 0 {
            text_table.line(format!("  {} held the same value before", cells(undone.unchanged)));
        }
        if undone.moved > 0 {
            text_table
                .line(format!("  {} were changed later and are left alone", cells(undone.moved)));
        }
        for (reason, left) in &undone.left {
            let many = if left.cells > 1 { ", for example" } else { ":" };
            let cells = cells(left.cells);
            text_table.line(format!("  {cells} can't be undone{many} {}", left.example));
            text_table.line(format!("    because {reason}"));
        }
        if undone.cells > 0 {
            text_table
                .line("Nothing was sent yet: `planthread apply` carries it, with a new plan.");
        }
    }

    fn exit(&self) -> Exit {
        let whole = self.undone.left.is_empty() && self.undone.moved == 0;
        if whole { Exit::Ok } else { Exit::Findings }
    }
}

/// What is held, by the reason's word, and until when what was sent of it may still come;
/// what people took and asked, each in one line.
pub(super) fn held(
    text_table: &mut TextTable,
    all: &BTreeMap<String, u64>,
    screened: Option<&PolicyHolds>,
    indent: &str,
) {
    let settles = screened.and_then(|screened| screened.settles);
    let taken = screened.and_then(|screened| screened.taken.as_ref());
    let told = |word: &str| taken.is_some() && word == HoldReason::Lock.word();
    let lasts = |word: &str| HoldReason::ALL.iter().any(|r| r.settles() && r.word() == word);
    for (reason, n) in all.iter().filter(|(reason, _)| !told(reason)) {
        let words = reason.replace('_', " ");
        let until = settles.filter(|_| lasts(reason)).map_or(String::new(), |until| {
            let until = instant(until);
            format!(", decided by a read-back after {until} (policy.settle_minutes)")
        });
        text_table.line(format!("{indent}held {n}: {words}{until}  (planthread explain {reason})"));
    }
    if let Some(taken) = taken {
        text_table.line(format!("{indent}{}  (planthread locks)", locked(taken)));
    }
    let questions = screened.map_or(0, |screened| screened.questions);
    if questions > 0 && !all.contains_key(HoldReason::InQuestion.word()) {
        let questions = count(questions, "open question");
        text_table.line(format!("{indent}{questions}: `planthread locks`"));
    }
}

/// The agreement under which nothing may be sent, where that is not what stopped the walk.
pub(super) fn agreed(
    text_table: &mut TextTable,
    target: &str,
    agreement: Option<&AgreementStatus>,
    stopped: Option<&Failure>,
) {
    let told = stopped.is_some_and(|failure| failure.explain == Some("agreement"));
    if let Some(shut) = agreement.filter(|one| !told && !one.may_write() && !one.probing) {
        agreement::line(target, shut, text_table);
    }
}

#[cfg(test)]
mod tests {
    use planthread_engine::plan::{PlanSummary, Prediction};

    use super::*;

    #[test]
    fn an_apply_in_which_everything_is_held_says_so_and_ends_held() {
        let done = |held: &str, paused: Option<&str>| {
            let header = serde_json::from_value(serde_json::json!({
                "planthread_plan": 1, "target": "ibp", "scope": "", "counter": 1, "config": "",
                "as_of": "2026-11-22T22:00:00Z", "prediction": Prediction::default(),
                "counts": { "cells": 0, "carried": 0, "groups": 0, "reasons": {},
                    "held": { held: 404 } },
            }));
            let plan = PlanSummary { header: header.unwrap(), sha256: String::new() };
            let (target, paused) = ("ibp".to_owned(), paused.map(str::to_owned));
            let walked = TargetCycle { target, paused, plan: Some(plan), ..TargetCycle::default() };
            Delivered::from(walked)
        };
        let says = |done: &Delivered| {
            let mut text_table = TextTable::new(false);
            done.write(&mut text_table);
            text_table.into_text()
        };
        let small = done("not_significant", None);
        let locked = done("lock", None);
        assert!(says(&locked).contains("nothing to send: 404 cells held"), "{}", says(&locked));
        assert_eq!(locked.exit(), Exit::Ok, "whoever locked them has decided");
        let refused = says(&done("rejected_not_cured", None));
        assert!(refused.contains("nothing to send: 404 cells held"), "{refused}");
        assert!(refused.contains("held 404: rejected not cured"), "{refused}");
        let done = done("paused", Some("month end"));
        let said = says(&done);
        assert!(said.contains("nothing was sent, paused (month end): 404 cells held"), "{said}");
        assert_eq!(serde_json::to_value(&done).unwrap()["plan"]["counts"]["held"]["paused"], 404);
        assert_eq!(done.exit(), Exit::Held);
        // What is too small to send is no hold of a policy.
        assert_eq!(small.exit(), Exit::Ok);
    }

    #[test]
    fn an_apply_that_leaves_cells_behind_is_a_finding() {
        let exit = |moved, refused| {
            let header = serde_json::from_value(serde_json::json!({
                "planthread_plan": 1, "target": "ibp", "scope": "", "counter": 1, "config": "",
                "as_of": "2026-11-22T22:00:00Z", "prediction": Prediction::default(),
                "counts": { "cells": 9, "carried": 0, "groups": 0, "reasons": {}, "held": {} },
            }));
            let mut applied = Applied::new(header.unwrap(), String::new());
            (applied.moved, applied.refused) = (moved, refused);
            let applied = Some(applied);
            Delivered::from(TargetCycle { applied, ..TargetCycle::default() }).exit()
        };
        assert_eq!([exit(0, false), exit(2, false)], [Exit::Ok, Exit::Findings]);
        assert_eq!(exit(2, true), Exit::Held, "without --only-unmoved nothing was sent");
    }

    #[test]
    fn an_undo_that_leaves_cells_behind_is_a_finding() {
        let exit = |undone| UndoneView { receipt: "r".to_owned(), undone }.exit();
        assert_eq!(exit(Undone { moved: 3, ..Undone::default() }), Exit::Findings);
        assert_eq!(exit(Undone { cells: 3, unchanged: 1, ..Undone::default() }), Exit::Ok);
    }
}
