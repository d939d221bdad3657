//! What was read back, and what it means.

use planthread_contracts::CellKey;
use planthread_engine::{
    ledger::{Case, LockKind, LockedCell},
    status::Reject,
    verify::SweepReport,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View, endings,
    lock_line::{LockLine, locked, together},
    text_table::{count, indented, instant},
};
use crate::{
    failure::{Exit, Failure},
    pipeline::TargetCycle,
};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Cells that are named one by one; `--json` names them all.
const NAMED: usize = 10;

/// The read-back of one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verified {
    /// The configured target.
    pub target: String,
    /// What was found.
    #[serde(flatten)]
    pub report: SweepReport,
    /// Why it ended early; what was read before counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
    /// Cells that people had taken before; they are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locked: Vec<LockLine>,
    /// Cells that the target had refused, that wait for somebody and were not read now.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_cured: u64,
    /// Questions that were open before; their cells wait for an answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Case>,
}

impl From<TargetCycle> for Verified {
    fn from(done: TargetCycle) -> Self {
        let report = done.verified.unwrap_or_default();
        Self { stopped: done.stopped, ..Self::of(&done.target, report) }
    }
}

impl Verified {
    /// The view of a sweep.
    #[must_use]
    pub fn of(target: &str, mut report: SweepReport) -> Self {
        let stopped = report.error.take().map(Failure::from);
        let target = target.to_owned();
        Self { target, report, stopped, locked: Vec::new(), not_cured: 0, open: Vec::new() }
    }

    /// Says again what still stands of earlier sweeps and pushes, from the ledger's locks,
    /// cases and open refusals: what was found now is not repeated.
    #[must_use]
    pub fn standing(mut self, locks: &[LockedCell], cases: &[Case], refused: &[Reject]) -> Self {
        let here = refused.iter().filter(|one| one.key.target == self.target).count();
        let here = u64::try_from(here).unwrap_or(u64::MAX);
        self.not_cured = here.saturating_sub(self.report.refused + self.report.refused_before);
        let new = |key: &CellKey| self.report.person_edits.iter().any(|edit| edit.key == *key);
        let stands = |cell: &&LockedCell| {
            let LockedCell { lock, .. } = cell;
            lock.kind == LockKind::Send && lock.key.target == self.target && !new(&lock.key)
        };
        self.locked = locks.iter().filter(stands).map(LockLine::from).collect();
        let met = |case: &&Case| self.report.cases.contains_key(case.kind.word());
        let open = cases.iter().filter(|case| case.closed.is_none() && case.target == self.target);
        self.open = open.filter(|case| !met(case)).cloned().collect();
        self
    }

    fn findings(&self) -> bool {
        let refused = self.not_cured > 0 || endings::refused(None, None, [&self.report]);
        troubled(&self.report) || refused || !self.open.is_empty()
    }
}

/// The read-backs of all targets that were asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verifications {
    /// Target by target.
    pub targets: Vec<Verified>,
}

impl View for Verifications {
    const OUTPUT: &'static str = "verify";

    fn write(&self, text_table: &mut TextTable) {
        for target in &self.targets {
            target.write(text_table);
        }
    }

    fn exit(&self) -> Exit {
        self.targets.iter().map(Verified::exit).max().unwrap_or(Exit::Ok)
    }
}

impl Verified {
    /// Writes the read-back for people.
    pub fn write(&self, text_table: &mut TextTable) {
        let report = &self.report;
        let read = count(report.read, "cell");
        text_table.line(text_table.tint(Tone::Bold, &format!("{}: {read} read back", self.target)));
        let not_yet = not_yet(report);
        let lines = [
            (report.landed, Tone::Good, "as wanted"),
            (report.not_yet, Tone::Warn, &*not_yet),
            (
                report.waiting.saturating_sub(report.refused_before),
                Tone::Dim,
                "nothing of ours expected there: not sent yet, taken or in question",
            ),
            (report.refused_before, Tone::Bad, "refused before; see `rejects`"),
            (report.lost, Tone::Bad, "sent and not there; to be sent again"),
            (report.refused, Tone::Bad, "refused without a name, and unchanged; see `rejects`"),
            (report.failed, Tone::Bad, "unchanged: their job failed; to be sent again"),
            (report.stale_own, Tone::Warn, "an older value of ours; to be sent again"),
            (report.doubled, Tone::Bad, "took effect more than once; to be sent again"),
            (report.persons, Tone::Warn, "edited by a person; locked"),
        ];
        for (cells, tone, words) in lines.into_iter().filter(|(cells, ..)| *cells > 0) {
            text_table.line(format!("  {} {words}", text_table.tint(tone, &cells.to_string())));
        }
        for verdict in report.failures.iter().take(NAMED) {
            text_table.line(format!("    the target said: {verdict}"));
        }
        let read = |value: Option<Decimal>| value.map_or("nothing".to_owned(), |v| v.to_string());
        for lost in report.lost_cells.iter().take(NAMED) {
            let took = if lost.accepted { ", though the target said that it took it" } else { "" };
            text_table.line(format!(
                "    {}: sent {}, there is {}{took}",
                lost.key,
                lost.wanted,
                read(lost.read)
            ));
        }
        for edit in report.person_edits.iter().take(NAMED) {
            text_table.line(format!(
                "    {}: ours {}, there is {}; locked until {}",
                edit.key,
                edit.wanted,
                read(edit.read),
                instant(edit.until)
            ));
        }
        for (kind, cells) in &report.cases {
            let case = text_table.tint(Tone::Warn, "case");
            text_table.line(format!("  {case} {kind}: {cells} cells  (planthread explain {kind})"));
        }
        self.write_standing(text_table);
        if report.compared_in_use > 0 {
            text_table
                .line(format!("  {} of {} drive the plan", report.in_use, report.compared_in_use));
        }
        if let Some(failure) = &self.stopped {
            let text = indented(&failure.to_string(), 2);
            text_table.line(format!("  {} {text}", text_table.tint(Tone::Bad, "stopped:")));
        }
    }

    /// How the program ends after it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match &self.stopped {
            Some(failure) => failure.exit,
            None => endings::ending(self.findings(), self.report.not_yet > 0, Exit::Ok),
        }
    }
}

impl Verified {
    fn write_standing(&self, text_table: &mut TextTable) {
        if self.not_cured > 0 {
            let cells = text_table.tint(Tone::Bad, &self.not_cured.to_string());
            text_table.line(format!("  {cells} refused before, not read now; see `rejects`"));
        }
        if let Some(taken) = together(&self.locked) {
            text_table.line(format!("  {}  (planthread locks)", locked(&taken)));
        }
        for lock in self.locked.iter().take(NAMED) {
            text_table.line(format!("    {lock}"));
        }
        for case in &self.open {
            let kind = case.kind.word();
            // A question may be about no cell, such as that of a second writer.
            let cells = match case.cells {
                0 => String::new(),
                n => format!("{} in ", text_table.tint(Tone::Warn, &n.to_string())),
            };
            text_table.line(format!(
                "  {cells}open case no. {}, {}: {}  (planthread explain {kind})",
                case.id,
                kind.replace('_', " "),
                case.text
            ));
        }
    }
}

/// Whether something was found that is neither as wanted nor to be waited for, and that no
/// person has decided.
pub(super) fn troubled(read: &SweepReport) -> bool {
    read.lost + read.refused + read.failed + read.stale_own > 0 || !read.cases.is_empty()
}

/// Whether something was found that is told: also what a person has decided.
pub(super) fn told(read: &SweepReport) -> bool {
    troubled(read) || read.persons > 0
}

/// What is not there yet, until when that decides nothing, and what is told then.
fn not_yet(report: &SweepReport) -> String {
    let mut said = "not there yet; the target may still be busy".to_owned();
    if let Some(until) = report.not_yet_until {
        said += &format!(", until {} (policy.settle_minutes)", instant(until));
    }
    match report.not_yet_unnamed {
        0 => {}
        n if n == report.not_yet => said += "; it refused rows of them without naming them",
        n => said += &format!("; of {n} it refused rows without naming them"),
    }
    if report.not_yet_unnamed > 0 {
        said += ": what a read-back after that finds unchanged is named in `rejects`";
    }
    said
}

#[cfg(test)]
mod tests {
    use planthread_engine::ledger::{CaseKind, Lock, Seen};

    use super::*;

    fn lock(target: &str, kind: LockKind) -> LockedCell {
        let lock = Lock {
            key: CellKey {
                target: target.into(),
                scope: "".into(),
                resource: "LINE-1".into(),
                location: "1010".into(),
                product: None,
                period: "2026-W48".parse().unwrap(),
                measure: "live".into(),
            },
            kind,
            owner: "planner".to_owned(),
            reason: "edited in the grid".to_owned(),
            since: "2026-11-22T10:00:00Z".parse().unwrap(),
            until: "2026-12-06T10:00:00Z".parse().unwrap(),
        };
        let at = "2026-11-23T06:00:00Z".parse().unwrap();
        let seen = Some(Seen { value: Some("96.50".parse().unwrap()), at, current: true });
        LockedCell { lock, wanted: 100.into(), seen }
    }

    #[test]
    fn what_was_refused_before_is_told_as_that() {
        let of = |waiting, refused_before| {
            let report = SweepReport { read: 9, waiting, refused_before, ..SweepReport::default() };
            let read = Verified::of("ibp", report);
            let mut text_table = TextTable::new(false);
            read.write(&mut text_table);
            (read.exit(), text_table.into_text())
        };
        let (exit, said) = of(9, 9);
        assert!(said.contains("9 refused before; see `rejects`"), "{said}");
        assert!(exit == Exit::Findings && !said.contains("not sent yet"), "{said}");
        let (exit, said) = of(9, 2);
        assert!(said.contains("7 nothing of ours expected there"), "{said}");
        assert_eq!((exit, of(9, 0).0), (Exit::Findings, Exit::Ok));
    }

    #[test]
    fn a_question_about_no_cell_counts_none() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let said = |cells| {
            let case = Case {
                id: 7,
                target: "ibp".to_owned(),
                scope: String::new(),
                kind: CaseKind::Mass,
                owner: "planner".to_owned(),
                text: "who writes here?".to_owned(),
                example: String::new(),
                cells,
                opened_at: at,
                last_at: at,
                closed: None,
            };
            let read = Verified::of("ibp", SweepReport::default()).standing(&[], &[case], &[]);
            let mut text_table = TextTable::new(false);
            read.write(&mut text_table);
            text_table.into_text()
        };
        assert!(said(9).contains("\n  9 in open case no. 7"), "{}", said(9));
        assert!(said(0).contains("\n  open case no. 7"), "{}", said(0));
    }

    #[test]
    fn what_is_not_there_yet_is_told_with_its_end() {
        let said = |not_yet_unnamed| {
            let not_yet_until = Some("2026-11-22T22:15:00Z".parse().unwrap());
            let report = SweepReport {
                not_yet: 9,
                not_yet_until,
                not_yet_unnamed,
                ..SweepReport::default()
            };
            let mut text_table = TextTable::new(false);
            Verified::of("ibp", report).write(&mut text_table);
            text_table.into_text()
        };
        let busy = said(0);
        assert!(busy.contains("until 2026-11-22 22:15:00Z (policy.settle_minutes)"), "{busy}");
        assert!(!busy.contains("rejects"), "{busy}");
        let refused = said(4);
        assert!(refused.contains("of 4 it refused rows without naming them"), "{refused}");
        assert!(refused.contains("named in `rejects`"), "{refused}");
    }

    #[test]
    fn a_cell_that_a_person_took_is_said_again_until_it_is_let_go() {
        let sweep = || Verified::of("ibp", SweepReport { waiting: 1, ..SweepReport::default() });
        assert_eq!(sweep().standing(&[], &[], &[]).exit(), Exit::Ok);
        let others = [lock("other", LockKind::Send), lock("ibp", LockKind::Pin)];
        assert_eq!(sweep().standing(&others, &[], &[]).exit(), Exit::Ok);
        let again = sweep().standing(&[lock("ibp", LockKind::Send)], &[], &[]);
        assert_eq!(again.exit(), Exit::Ok, "the person has decided");
        let mut text_table = TextTable::new(false);
        again.write(&mut text_table);
        let text = text_table.into_text();
        let line = "ibp/base/LINE-1@1010/2026-W48/live: 96.5 stands there (read 2026-11-23 \
                    06:00:00Z); edited in the grid, by planner, since 2026-11-22 10:00:00Z until \
                    2026-12-06 10:00:00Z";
        let all = "  1 cell locked by planner until 2026-12-06 10:00:00Z  (planthread locks)\n";
        assert!(text.contains(all) && text.contains(line), "{text}");
    }
}
