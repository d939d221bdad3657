//! What was read back, and what it means.

use planthread_engine::verify::SweepReport;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    Paper, Tone, View,
    paper::{count, indented, instant},
};
use crate::failure::{Exit, Failure};

/// Cells that are named one by one; `--json` names them all.
const NAMED: usize = 10;

/// The read-back of one target.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The configured target.
    pub target: String,
    /// What was found.
    #[serde(flatten)]
    pub report: SweepReport,
    /// Why it ended early; what was read before counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

impl Verified {
    /// The view of a sweep.
    #[must_use]
    pub fn of(target: &str, mut report: SweepReport) -> Self {
        let stopped = report.error.take().map(Failure::from);
        Self { target: target.to_owned(), report, stopped }
    }

    fn findings(&self) -> bool {
        let report = &self.report;
        report.lost + report.stale_own + report.persons > 0 || !report.cases.is_empty()
    }
}

/// The read-backs of all targets that were asked for.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Verifications(pub Vec<Verified>);

impl View for Verifications {
    fn write(&self, paper: &mut Paper) {
        for target in &self.0 {
            target.write(paper);
        }
    }

    fn exit(&self) -> Exit {
        self.0.iter().map(View::exit).max().unwrap_or(Exit::Ok)
    }
}

impl View for Verified {
    fn write(&self, paper: &mut Paper) {
        let report = &self.report;
        let read = count(report.read, "cell");
        paper.line(paper.tint(Tone::Bold, &format!("{}: {read} read back", self.target)));
        let lines = [
            (report.landed, Tone::Good, "as wanted"),
            (report.not_yet, Tone::Warn, "not there yet; the target may still be busy"),
            (report.waiting, Tone::Dim, "nothing of ours expected there yet"),
            (report.lost, Tone::Bad, "sent and not there; to be sent again"),
            (report.stale_own, Tone::Warn, "an older value of ours; to be sent again"),
            (report.doubled, Tone::Bad, "took effect more than once; to be sent again"),
            (report.persons, Tone::Warn, "edited by a person; locked"),
        ];
        for (cells, tone, words) in lines.into_iter().filter(|(cells, ..)| *cells > 0) {
            paper.line(format!("  {} {words}", paper.tint(tone, &cells.to_string())));
        }
        let read = |value: Option<Decimal>| value.map_or("nothing".to_owned(), |v| v.to_string());
        for lost in report.lost_cells.iter().take(NAMED) {
            let took = if lost.accepted { ", though the target said that it took it" } else { "" };
            paper.line(format!(
                "    {}: sent {}, there is {}{took}",
                lost.key,
                lost.wanted,
                read(lost.read)
            ));
        }
        for edit in report.person_edits.iter().take(NAMED) {
            paper.line(format!(
                "    {}: ours {}, there is {}; locked until {}",
                edit.key,
                edit.wanted,
                read(edit.read),
                instant(edit.until)
            ));
        }
        for (kind, cells) in &report.cases {
            let case = paper.tint(Tone::Warn, "case");
            paper.line(format!("  {case} {kind}: {cells} cells  (planthread explain {kind})"));
        }
        if report.compared_in_use > 0 {
            paper.line(format!("  {} of {} drive the plan", report.in_use, report.compared_in_use));
        }
        if let Some(failure) = &self.stopped {
            let text = indented(&failure.to_string(), 2);
            paper.line(format!("  {} {text}", paper.tint(Tone::Bad, "stopped:")));
        }
    }

    fn exit(&self) -> Exit {
        match &self.stopped {
            Some(failure) => failure.exit,
            None if self.findings() => Exit::Findings,
            None if self.report.not_yet > 0 => Exit::Transient,
            None => Exit::Ok,
        }
    }
}
