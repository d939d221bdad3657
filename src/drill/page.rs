//! The report of a drill as Markdown.

use std::fmt::Write as _;

use crate::report::drill::{Drilled, Outcome, Rehearsed};

/// How every report begins.
pub const FIRST_WORDS: &str = "# Drill of ";

/// The report.
#[must_use]
pub fn markdown(drilled: &Drilled) -> String {
    let mut page = format!("{FIRST_WORDS}{}\n\n", drilled.at.strftime("%Y-%m-%d"));
    let count = |outcome: Outcome| drilled.counts.get(outcome.word()).copied().unwrap_or_default();
    let _ = write!(
        page,
        "Held at {} with planthread {}, configuration {}.\n\n\
         {} passed, {} failed, {} not applicable.\n\n\
         Rehearsed in process, on a virtual clock, before the sandbox of each target in its \
         own shape, on at most six of its resources. No target was asked anything, and the \
         state of the bridge was not opened. What passed is proven of this program before \
         this sandbox. The bad days are the drill's own: how a vendor throttles, renames or \
         forgets is often not published, and log-in, agreement and policy are the sandbox's. Every \
         promise is judged by what the sandbox holds and what the ledger says, not by what the \
         bridge reports.\n",
        drilled.at,
        drilled.program,
        drilled.digest.get(..12).unwrap_or(&drilled.digest),
        count(Outcome::Pass),
        count(Outcome::Fail),
        count(Outcome::NotApplicable),
    );
    let mut target = "";
    for one in &drilled.rehearsed {
        if one.target != target {
            let _ = write!(page, "\n## {} ({})\n", one.target, one.connector);
            target = &one.target;
        }
        section(&mut page, one);
    }
    page
}

fn section(page: &mut String, one: &Rehearsed) {
    let _ = write!(page, "\n### {}: {}\n\n", one.scenario, one.outcome.words());
    let _ = writeln!(page, "- done: {}", one.done);
    let _ = writeln!(page, "- promised (law {}): {}", one.law, one.promised);
    if let Some(because) = &one.because {
        let _ = writeln!(page, "- not applicable: {because}");
    }
    if !one.seen.is_empty() {
        let _ = writeln!(page, "- seen: {}", one.in_numbers());
    }
    for finding in &one.findings {
        let _ = writeln!(page, "- **finding:** {}", finding.replace('\n', " "));
    }
}
