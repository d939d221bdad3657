//! A plan for eyes: what would change, why, at what cost, and what is held.

use planthread_engine::{
    plan::{PlanLine, PlanSummary},
    status::Withdrawn,
};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    Paper, Tone, View,
    paper::{count, instant},
};
use crate::run::WantReport;

/// Changes that are printed one by one; the plan file has all.
pub const LINES_SHOWN: usize = 12;

/// What `plan` says about one target.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// Header and digest of the plan.
    #[serde(flatten)]
    pub summary: PlanSummary,
    /// The plan file; absent when it was only looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What became of the figures before; absent when somebody else writes the
    /// state, and the plan is of what the ledger has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<WantReport>,
    /// The first changes.
    pub first: Vec<PlanLine>,
    /// Cells that left the plan and still stand at the target.
    pub withdrawn: Withdrawn,
}

/// The plans of all targets that were asked for.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Plans(pub Vec<Planned>);

impl View for Plans {
    fn write(&self, paper: &mut Paper) {
        for plan in &self.0 {
            plan.write(paper);
        }
    }
}

impl Planned {
    fn write(&self, paper: &mut Paper) {
        let header = &self.summary.header;
        let scope = if header.scope.is_empty() { "base" } else { &header.scope };
        let title = format!("{} / {scope}, as of {}", header.target, instant(header.as_of));
        paper.line(paper.tint(Tone::Bold, &title));
        let counts = &header.counts;
        if counts.cells == 0 {
            paper
                .line("  Nothing to send: the target holds what is wanted, as far as it was read.");
        } else {
            self.changes(paper);
        }
        for (reason, cells) in &counts.held {
            let held = paper.tint(Tone::Warn, "held");
            paper.line(format!(
                "  {held} {cells}: {}  (planthread explain {reason})",
                reason.replace('_', " ")
            ));
        }
        if let Some(withheld) = self.want.as_ref().map(|want| &want.withheld) {
            self::withheld(paper, withheld);
        }
        left_standing(paper, &self.withdrawn);
        if let Some(file) = &self.file {
            paper.line(format!("  Plan file: {file}")).line(format!(
                "  Apply it with `planthread apply {file}`; it is refused if a cell moves before."
            ));
        }
    }

    fn changes(&self, paper: &mut Paper) {
        let header = &self.summary.header;
        let counts = &header.counts;
        let reasons: Vec<String> = counts
            .reasons
            .iter()
            .map(|(why, n)| format!("{n} {}", why.replace('_', " ")))
            .collect();
        paper.line(format!(
            "  {} to send ({}), {} carried along, in {} of one resource and period",
            count(counts.cells, "cell"),
            reasons.join(", "),
            counts.carried,
            count(counts.groups, "group")
        ));
        let cost = &header.prediction;
        paper.line(format!(
            "  Expected at the target: {} in {}, {}; then {}, {}",
            count(cost.requests, "request"),
            count(cost.batches, "batch"),
            seconds(cost.write_ms),
            count(cost.reads, "read"),
            seconds(cost.read_ms)
        ));
        let rows: Vec<[String; 6]> = self.first.iter().map(row).collect();
        paper.table(["resource", "period", "measure", "seen", "wanted", "why"], &rows);
        let all = usize::try_from(counts.cells + counts.carried).unwrap_or(usize::MAX);
        if all > self.first.len() {
            paper.line(format!("  ... and {} more", all - self.first.len()));
        }
    }
}

fn row(line: &PlanLine) -> [String; 6] {
    let cell = &line.cell;
    let seen = match line.seen {
        None => "not read".to_owned(),
        Some(basis) => basis.value.map_or("nothing".to_owned(), |value: Decimal| value.to_string()),
    };
    let why = serde_json::to_value(line.reason).unwrap_or_default();
    let why = why.as_str().unwrap_or_default().replace('_', " ");
    [
        format!("{}@{}", cell.resource, cell.location),
        cell.period.to_string(),
        cell.measure.clone(),
        seen,
        line.value.to_string(),
        if line.carried { "carried along".to_owned() } else { why },
    ]
}

/// Figures that do not land, counted by reason.
fn withheld(paper: &mut Paper, withheld: &[planthread_domain::project::Withheld]) {
    let mut by_reason = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for one in withheld {
        *by_reason.entry((&one.source, &one.reason)).or_default() += 1;
    }
    for ((source, reason), n) in by_reason {
        let not = paper.tint(Tone::Warn, "does not land:");
        paper.line(format!("  {not} {} of {source}: {reason}", count(n, "figure")));
    }
}

/// Cells that left the plan and were left as they are.
pub(super) fn left_standing(paper: &mut Paper, withdrawn: &Withdrawn) {
    let Some(example) = &withdrawn.example else { return };
    let left = paper.tint(Tone::Warn, "left standing:");
    paper.line(format!(
        "  {left} {} left the plan and still stand at the target, for example {example}",
        count(withdrawn.cells, "cell")
    ));
    paper.line(
        "      cure: set `fallback.withdraw: zero` to land zero there, or delete them at the target  \
         (planthread explain withdrawn)",
    );
}

/// Milliseconds for people.
#[must_use]
pub fn seconds(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        10_000..120_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_standing_is_said_with_an_example_and_a_cure() {
        let mut paper = Paper::new(false);
        left_standing(&mut paper, &Withdrawn::default());
        assert_eq!(paper.into_text(), "");
        let example = serde_json::from_value(serde_json::json!({
            "target": "ibp", "scope": "", "resource": "LINE-1", "location": "1010",
            "period": "2026-W48", "measure": "live" }));
        let mut paper = Paper::new(false);
        left_standing(&mut paper, &Withdrawn { cells: 8, example: Some(example.unwrap()) });
        let text = paper.into_text();
        for part in ["8 cells", "LINE-1", "2026-W48", "fallback.withdraw: zero", "delete them"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
