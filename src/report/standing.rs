//! How every target stands, for whoever comes in the morning.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use planthread_engine::{
    journal::JournalCounts,
    ledger::{AttemptSummary, Case, Lock},
    status::{ScopeStatus, Status},
};
use serde::Serialize;

use super::{
    Paper, Tone, View,
    paper::{count, instant},
    planned::{left_standing, not_promoted},
};
use crate::{failure::Exit, pipeline::NotPromoted};

/// Locks and cases that are named one by one.
const NAMED: usize = 10;

/// How everything stands.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Now, which ages are counted from.
    pub now: Timestamp,
    /// The ledger.
    #[serde(flatten)]
    pub status: Status,
    /// The journal.
    pub journal: JournalCounts,
    /// The last pushes, the newest first; `undo` takes their receipts.
    pub pushes: Vec<AttemptSummary>,
    /// Open questions, each for one owner.
    pub cases: Vec<Case>,
    /// Cells that people have taken.
    pub locks: Vec<LockLine>,
    /// Until when tenants asked us to wait.
    pub pauses: BTreeMap<String, Timestamp>,
    /// Measures of others that nobody lets us write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_promoted: Vec<NotPromoted>,
}

/// A lock, as people read it.
#[derive(Debug, Serialize)]
pub struct LockLine {
    /// The cell.
    pub cell: String,
    /// Whose it is.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl From<&Lock> for LockLine {
    fn from(lock: &Lock) -> Self {
        Self {
            cell: lock.key.to_string(),
            owner: lock.owner.clone(),
            reason: lock.reason.clone(),
            until: lock.until,
        }
    }
}

impl View for Standing {
    fn write(&self, paper: &mut Paper) {
        let journal = &self.journal;
        paper.line(format!(
            "Journal: {} records, {} refused, {} waiting for a person",
            journal.records,
            journal.rejected,
            journal.quarantined + journal.conflicts
        ));
        match self.status.last_cycle {
            Some((at, as_of)) => paper
                .line(format!("Ledger: last truth of {as_of}, taken in {} ago", age(self.now, at))),
            None => paper.line("Ledger: nothing is wanted yet; `planthread plan` begins"),
        };
        let rows: Vec<[String; 7]> = self.status.scopes.iter().map(|s| row(s, self.now)).collect();
        if !rows.is_empty() {
            paper.line("").table(
                [
                    "target / scope",
                    "wanted",
                    "accepted",
                    "seen",
                    "in use",
                    "stale",
                    "longest unsent",
                ],
                &rows,
            );
        }
        for scope in &self.status.scopes {
            states(paper, scope);
        }
        for (tenant, until) in &self.pauses {
            let words = paper.tint(Tone::Warn, "asked us to wait");
            paper.line(format!("  {tenant} {words} until {}", instant(*until)));
        }
        for one in &self.not_promoted {
            not_promoted(paper, one);
        }
        self.pushes(paper);
        self.questions(paper);
    }

    fn exit(&self) -> Exit {
        let open = self.cases.iter().any(|case| case.closed.is_none());
        let refused = self.journal.rejected + self.journal.quarantined + self.journal.conflicts;
        let rejected =
            self.status.scopes.iter().any(|s| s.states.get("rejected").is_some_and(|n| *n > 0));
        if open || rejected || refused > 0 { Exit::Findings } else { Exit::Ok }
    }
}

fn row(scope: &ScopeStatus, now: Timestamp) -> [String; 7] {
    let name = if scope.scope.is_empty() { "base" } else { &scope.scope };
    [
        format!("{} / {name}", scope.target),
        scope.wanted.to_string(),
        scope.accepted.to_string(),
        scope.seen.to_string(),
        scope.in_use.to_string(),
        scope.stale.to_string(),
        scope.oldest_pending.map_or("-".to_owned(), |at| age(now, at)),
    ]
}

/// Revisions that are neither landed nor over, and why they wait.
fn states(paper: &mut Paper, scope: &ScopeStatus) {
    const QUIET: [&str; 4] = ["seen", "superseded", "overtaken", "withdrawn"];
    for (state, n) in scope.states.iter().filter(|(state, n)| !QUIET.contains(state) && **n > 0) {
        let words = paper.tint(Tone::Warn, &state.replace('_', " "));
        paper.line(format!("  {}: {n} {words}  (planthread explain {state})", scope.target));
    }
    for (reason, n) in &scope.held {
        let words = reason.replace('_', " ");
        paper.line(format!("    held {n}: {words}  (planthread explain {reason})"));
    }
    left_standing(paper, &scope.withdrawn);
}

impl Standing {
    fn pushes(&self, paper: &mut Paper) {
        if !self.pushes.is_empty() {
            paper.line("\nLast pushes");
        }
        for push in &self.pushes {
            let end = push.end.as_deref().unwrap_or("open").replace('_', " ");
            let receipt = push.receipt.as_ref().map_or("no receipt".to_owned(), |receipt| {
                format!("receipt {}: {}", receipt.handle, receipt.verdict)
            });
            let (at, cells) = (instant(push.opened_at), count(push.cells, "cell"));
            paper.line(format!("  {at}  {}: {cells}, {end}, {receipt}", push.target));
            if let Some(error) = &push.error {
                paper.line(format!("      {error}"));
            }
        }
    }

    fn questions(&self, paper: &mut Paper) {
        let open: Vec<&Case> = self.cases.iter().filter(|case| case.closed.is_none()).collect();
        if !open.is_empty() {
            paper.line(paper.tint(Tone::Bold, "\nQuestions"));
        }
        for case in open.iter().take(NAMED) {
            paper.line(format!(
                "  no. {}, {} for the {}: {}",
                case.id,
                case.kind.word().replace('_', " "),
                case.owner,
                case.text
            ));
            paper.line(paper.tint(Tone::Dim, &format!("      for example {}", case.example)));
        }
        if !self.locks.is_empty() {
            let locks = count(self.locks.len(), "cell");
            paper.line(paper.tint(Tone::Bold, &format!("\n{locks} taken by people")));
        }
        for lock in self.locks.iter().take(NAMED) {
            paper.line(format!(
                "  {}: {} ({}), until {}",
                lock.cell,
                lock.reason,
                lock.owner,
                instant(lock.until)
            ));
        }
    }
}

/// How long ago `at` was, in the largest unit that says it.
#[must_use]
pub fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
