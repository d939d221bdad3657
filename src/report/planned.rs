//! A plan for eyes: what would change, why, at what cost, and what is held.

use planthread_engine::{
    continuity::Restored,
    plan::{PlanLine, PlanSummary},
    status::Withdrawn,
};
use planthread_kit::agreement::AgreementStatus;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{
    TextTable, Tone, agreement, guard,
    proportion::proportion,
    text_table::{count, indented, instant},
    verified::{Verified, told},
};
use crate::{
    failure::Failure,
    pipeline::{NotAdopted, NotPromoted, PlanMove, Proportion, TargetCycle, WantReport},
};

/// What `plan` says about one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Planned {
    /// That the state was put back from a copy: everything was read before the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// What was found then that is not as it was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Verified>,
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
    /// How the hours of the first changes move, each split by what moves it: from what the
    /// target holds to what is wanted. What it holds and we never wanted is not split.
    pub moved: Vec<PlanMove>,
    /// Cells that left the plan and still stand at the target.
    pub withdrawn: Withdrawn,
    /// Why the target could not be read: the plan is of what is known of it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "message")]
    #[schemars(with = "Option<String>")]
    pub unread: Option<Failure>,
    /// Why nothing is sent to the target at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Under which agreement the target is written, where it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementStatus>,
    /// Measures of others that nobody lets us write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_promoted: Vec<NotPromoted>,
    /// Measures of ours that hold values which we never landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_adopted: Vec<NotAdopted>,
    /// What is out of proportion, and what was changed in the mapping.
    #[serde(skip_serializing_if = "Proportion::is_quiet")]
    pub proportion: Proportion,
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn message<S: Serializer>(failure: &Option<Failure>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(failure.as_ref().map_or("", |failure| failure.message.as_str()))
}

impl Planned {
    /// The view of a walk that ended with its plan.
    ///
    /// # Errors
    /// When it did not come to a plan: with what stopped it.
    pub fn of(
        done: TargetCycle,
        file: Option<String>,
        not_promoted: Vec<NotPromoted>,
        not_adopted: Vec<NotAdopted>,
        proportion: Proportion,
        withdrawn: Withdrawn,
    ) -> Result<Self, Failure> {
        let TargetCycle {
            plan,
            want,
            first,
            stopped: unread,
            restored,
            verified,
            paused,
            target,
            agreement,
            ..
        } = done;
        let Some(summary) = plan else {
            let unknown = || Failure::internal(format!("{target}: no plan, and no reason"));
            return Err(unread.unwrap_or_else(unknown));
        };
        let told = verified.filter(|report| restored.is_some() && told(report));
        let found = told.map(|report| Verified::of(&target, report));
        Ok(Self {
            found,
            restored,
            summary,
            file,
            want,
            first,
            moved: Vec::new(),
            withdrawn,
            unread,
            paused,
            agreement,
            not_promoted,
            not_adopted,
            proportion,
        })
    }
}

impl Planned {
    /// The same, with how its first changes move.
    #[must_use]
    pub fn moving(self, moved: Vec<PlanMove>) -> Self {
        Self { moved, ..self }
    }

    pub(super) fn write(&self, text_table: &mut TextTable) {
        let header = &self.summary.header;
        let scope = if header.scope.is_empty() { "base" } else { &header.scope };
        guard::restored(text_table, &header.target, self.restored.as_ref());
        if let Some(found) = &self.found {
            found.write(text_table);
        }
        let title = format!("{} / {scope}, as of {}", header.target, instant(header.as_of));
        text_table.line(text_table.tint(Tone::Bold, &title));
        let counts = &header.counts;
        if let Some(failure) = &self.unread {
            let unread = text_table.tint(Tone::Bad, "not read:");
            let why = indented(&failure.to_string(), 2);
            text_table.line(format!("  {unread} {why}"));
        }
        let held: u64 = counts.held.values().sum();
        match (&self.paused, counts.cells, held) {
            (Some(why), 0, _) => {
                text_table.line(format!("  Nothing is sent: paused ({why}), {} held", cells(held)));
            }
            (None, 0, 0) => {
                let holds =
                    "Nothing to send: the target holds what is wanted, as far as it was read.";
                text_table.line(format!(
                    "  {}",
                    match (&self.unread, self.not_promoted.is_empty()) {
                        (Some(_), _) => "Nothing to send, as far as is known.",
                        (None, false) => "Nothing to send of what Planthread may write.",
                        (None, true) => holds,
                    }
                ));
            }
            (None, 0, _) => {
                text_table.line(format!("  Nothing to send: {} held", cells(held)));
            }
            _ => self.changes(text_table),
        }
        if let Some(agreed) = self.agreement.as_ref().filter(|agreed| !agreed.may_write()) {
            agreement::line(&header.target, agreed, text_table);
        }
        for (reason, cells) in &counts.held {
            let held = text_table.tint(Tone::Warn, "held");
            text_table.line(format!(
                "  {held} {cells}: {}  (planthread explain {reason})",
                reason.replace('_', " ")
            ));
        }
        for one in &self.not_promoted {
            not_promoted(text_table, one);
        }
        for one in &self.not_adopted {
            not_adopted(text_table, one);
        }
        proportion(text_table, &self.proportion);
        if let Some(want) = &self.want {
            released(text_table, want);
            withheld(text_table, &want.withheld);
        }
        left_standing(text_table, &self.withdrawn);
        if let Some(file) = &self.file {
            text_table.line(format!("  Plan file: {file}")).line(format!(
                "  Apply it with `planthread apply {file}`; it is refused if a cell moves before."
            ));
        }
    }

    fn changes(&self, text_table: &mut TextTable) {
        let header = &self.summary.header;
        let counts = &header.counts;
        let reasons: Vec<String> = counts
            .reasons
            .iter()
            .map(|(why, n)| format!("{n} {}", why.replace('_', " ")))
            .collect();
        text_table.line(format!(
            "  {} to send ({}), {} carried along, in {} of one resource and period",
            count(counts.cells, "cell"),
            reasons.join(", "),
            counts.carried,
            count(counts.groups, "group")
        ));
        let cost = &header.prediction;
        text_table.line(format!(
            "  Expected at the target: {} in {}, {}; then {}, {}",
            count(cost.requests, "request"),
            count(cost.batches, "batch"),
            seconds(cost.write_ms),
            count(cost.reads, "read"),
            seconds(cost.read_ms)
        ));
        let rows: Vec<[String; 6]> = self.first.iter().map(|line| self.row(line)).collect();
        text_table.table(["resource", "period", "measure", "seen", "wanted", "why"], &rows);
        let all = usize::try_from(counts.cells + counts.carried).unwrap_or(usize::MAX);
        if all > self.first.len() {
            text_table.line(format!("  ... and {} more", all - self.first.len()));
        }
    }

    fn row(&self, line: &PlanLine) -> [String; 6] {
        let cell = &line.cell;
        let seen = match line.seen {
            None => "not read".to_owned(),
            Some(basis) => {
                basis.value.map_or("nothing".to_owned(), |value: Decimal| value.to_string())
            }
        };
        let why = serde_json::to_value(line.reason).unwrap_or_default();
        let why = why.as_str().unwrap_or_default().replace('_', " ");
        let why = if line.carried { "carried along".to_owned() } else { why };
        let moved = self.moved.iter().find(|moved| moved.cell == *cell);
        [
            format!("{}@{}", cell.resource, cell.location),
            cell.period.to_string(),
            cell.measure.to_string(),
            seen,
            line.value.to_string(),
            match moved {
                None => why,
                Some(moved) => format!("{why}: {}", moved.split.words()),
            },
        ]
    }
}

/// Which figures were worth landing, and which stay as they were released.
fn released(text_table: &mut TextTable, want: &WantReport) {
    let reasons: Vec<String> =
        want.released.iter().map(|(why, n)| format!("{n} {}", why.word())).collect();
    if !reasons.is_empty() {
        let all: u64 = want.released.values().sum();
        text_table.line(format!(
            "  Released: figures of {} ({})",
            count(all, "resource-period"),
            reasons.join(", ")
        ));
    }
    if want.kept > 0 {
        text_table.line(format!(
            "  Kept: figures of {} moved, each within its band (`rules.significance`)",
            count(want.kept, "resource-period")
        ));
    }
}

fn cells(n: u64) -> String {
    count(n, "cell")
}

/// A measure that nobody lets us write, and what to do about it.
pub(super) fn not_promoted(text_table: &mut TextTable, one: &NotPromoted) {
    let cells = one.cells.map_or("nothing of it is wanted".to_owned(), |n| {
        format!("{} not wanted", count(n, "cell"))
    });
    let held = text_table.tint(Tone::Warn, "held");
    text_table.line(format!(
        "  {held} {}: owned by {}, not promoted: {cells}  (planthread promote)",
        one.measure, one.owner
    ));
}

/// A measure that holds values which we never landed, and what to do about it.
pub(super) fn not_adopted(text_table: &mut TextTable, one: &NotAdopted) {
    let held = text_table.tint(Tone::Warn, "held");
    let waits = if one.whole { "all of it waits" } else { "the cells with such a value wait" };
    text_table.line(format!(
        "  {held} {}: {} holds values that we never landed, so {waits}, for example {}",
        one.measure, one.surface, one.example
    ));
    text_table.line(format!(
        "      cure: find out whose they are; to replace them, `planthread adopt --target {} \
         --measure {} --who .. --why ..`  (planthread explain not_adopted)",
        one.target, one.measure
    ));
}

/// Figures that do not land, counted by reason.
fn withheld(text_table: &mut TextTable, withheld: &[planthread_domain::project::Withheld]) {
    let mut by_reason = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for one in withheld {
        *by_reason.entry((&one.source, &one.reason)).or_default() += 1;
    }
    for ((source, reason), n) in by_reason {
        let not = text_table.tint(Tone::Warn, "does not land:");
        text_table.line(format!("  {not} {} of {source}: {reason}", count(n, "figure")));
    }
}

/// Cells that left the plan and were left as they are.
pub(super) fn left_standing(text_table: &mut TextTable, withdrawn: &Withdrawn) {
    let Some(example) = &withdrawn.example else { return };
    let left = text_table.tint(Tone::Warn, "left standing:");
    text_table.line(format!(
        "  {left} {} left the plan and still stand at the target, for example {example}",
        count(withdrawn.cells, "cell")
    ));
    text_table.line(
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
mod tests;
