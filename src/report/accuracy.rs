//! How good the figures were: a line for each resource and distance, and one for each
//! decision that is over.

mod decided;

use jiff::Timestamp;
use planthread_domain::accuracy::{
    Coverage, DecidedAgainst, ResourceWeeks, Score, Skill, Summary, WeekForetold,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use decided::DecidedAccuracy;

use super::{TextTable, Tone, View};

/// One resource or line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResourceAccuracy {
    /// The plant's id.
    pub resource: String,
    /// One entry for each distance; none where no past week was foretold.
    pub summaries: Vec<Summary>,
    /// The weeks behind it.
    pub weeks: Vec<WeekForetold>,
}

/// The answer of `accuracy`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Accuracy {
    /// The instant that it looks back from.
    pub as_of: String,
    /// Where the facts came from.
    pub from: String,
    /// Resources in the plant's order, then lines.
    pub resources: Vec<ResourceAccuracy>,
    /// Decided hours that are over, against what happened in them: machines in the
    /// plant's order, then lines; each by time.
    pub decided: Vec<DecidedAccuracy>,
    /// Whether the weeks are shown to people, too.
    #[serde(skip)]
    by_week: bool,
}

/// Decimals that people and programs read.
const SHOWN: u32 = 4;

fn short(value: Decimal) -> Decimal {
    value.round_dp(SHOWN).normalize()
}

impl Accuracy {
    /// The view of what was found.
    #[must_use]
    pub fn of(
        as_of: Timestamp,
        from: &str,
        (found, decided): (&[ResourceWeeks], &[DecidedAgainst]),
        by_week: bool,
    ) -> Self {
        let resources = found.iter().map(|one| ResourceAccuracy {
            resource: one.resource.to_string(),
            summaries: one.summaries().into_iter().map(shortened).collect(),
            weeks: one.weeks.iter().map(shortened_week).collect(),
        });
        Self {
            as_of: as_of.to_string(),
            from: from.to_owned(),
            resources: resources.collect(),
            decided: decided.iter().map(DecidedAccuracy::of).collect(),
            by_week,
        }
    }
}

fn shortened(mut one: Summary) -> Summary {
    let score = |score: Score| Score { bias: short(score.bias), error: short(score.error) };
    one.happened = short(one.happened);
    (one.rated, one.trailing, one.landed) =
        (score(one.rated), score(one.trailing), score(one.landed));
    for coverage in [&mut one.low, &mut one.high].into_iter().flatten() {
        coverage.share = short(coverage.share);
    }
    one
}

fn shortened_week(one: &WeekForetold) -> WeekForetold {
    WeekForetold {
        rated: short(one.rated),
        trailing: short(one.trailing),
        landed: short(one.landed),
        low: one.low.map(short),
        high: one.high.map(short),
        happened: short(one.happened),
        ..one.clone()
    }
}

impl View for Accuracy {
    const OUTPUT: &'static str = "accuracy";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "As of {}, from {}. Attainable hours of past weeks; bias is foretold − happened.",
            self.as_of, self.from
        ));
        text_table
            .line("Ahead 1: foretold as the week began. Ahead 4: three weeks earlier.")
            .line("");
        let rows: Vec<[String; 11]> = self
            .resources
            .iter()
            .flat_map(|one| one.summaries.iter().map(|summary| row(&one.resource, summary)))
            .collect();
        if !rows.is_empty() {
            text_table.table(
                [
                    "",
                    "ahead",
                    "weeks",
                    "happened",
                    "rated: bias",
                    "trailing: bias",
                    "error",
                    "landed: bias",
                    "error",
                    "below low",
                    "",
                ],
                &rows,
            );
            legend(text_table, &self.resources);
        }
        for one in &self.resources {
            if one.summaries.is_empty() {
                let words = "no past week was both foretold and measured";
                text_table.line(text_table.tint(Tone::Dim, &format!("{}: {words}", one.resource)));
            }
            if self.by_week && !one.weeks.is_empty() {
                by_week(text_table, &one.weeks);
            }
        }
        decided::write(text_table, &self.decided);
    }
}

/// What the columns and remarks mean, as far as they are there.
fn legend(text_table: &mut TextTable, resources: &[ResourceAccuracy]) {
    let of = |skill| resources.iter().flat_map(|one| &one.summaries).any(|one| one.skill == skill);
    let mut say = |words: &str| {
        let words = text_table.tint(Tone::Dim, words);
        text_table.line(words);
    };
    say(
        "  rated: hours of the calendar; trailing: mean of the last four weeks; landed: what was derived.",
    );
    say("  below low: weeks that stayed below the low figure; it says one of ten of itself.");
    if of(Skill::NoSkill) {
        say("  no skill: what landed was no better than the trailing mean.");
    }
    if of(Skill::TooFew) {
        say("  few weeks: less than eight, so that the errors differ by chance.");
    }
    text_table.line("");
}

fn shown(value: Decimal) -> String {
    format!("{:.2}", value.round_dp(2))
}

fn covered(coverage: Option<Coverage>) -> String {
    coverage.map_or("-".to_owned(), |one| format!("{} of {}", one.beyond, one.weeks))
}

fn row(resource: &str, one: &Summary) -> [String; 11] {
    let high = one.high.map(|high| format!("above high {}", covered(Some(high))));
    let skill = match one.skill {
        Skill::Shown => None,
        Skill::NoSkill => Some("no skill".to_owned()),
        Skill::TooFew => Some("few weeks".to_owned()),
    };
    let remarks: Vec<String> = skill.into_iter().chain(high).collect();
    [
        resource.to_owned(),
        one.ahead.to_string(),
        one.weeks.to_string(),
        shown(one.happened),
        shown(one.rated.bias),
        shown(one.trailing.bias),
        shown(one.trailing.error),
        shown(one.landed.bias),
        shown(one.landed.error),
        covered(one.low),
        remarks.join(", "),
    ]
}

fn by_week(text_table: &mut TextTable, weeks: &[WeekForetold]) {
    let rows: Vec<[String; 8]> = weeks
        .iter()
        .map(|week| {
            [
                week.period.to_string(),
                week.ahead.to_string(),
                shown(week.rated),
                shown(week.trailing),
                shown(week.landed),
                week.low.map_or("-".to_owned(), shown),
                week.high.map_or("-".to_owned(), shown),
                shown(week.happened),
            ]
        })
        .collect();
    text_table
        .table(["week", "ahead", "rated", "trailing", "landed", "low", "high", "happened"], &rows);
    text_table.line("");
}
