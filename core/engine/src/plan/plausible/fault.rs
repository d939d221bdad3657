//! The kinds of mapping fault that a landing can look like, in words for people.

use planthread_contracts::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a landing out of proportion looks like. Closed on purpose: a question is
/// kept and answered by its word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Other figures than the target's own, in all periods by one factor.
    Unit,
    /// Percent where a fraction belongs, or the reverse.
    Percent,
    /// More hours than the period has.
    Beyond,
    /// The figures of the period before or after.
    Week,
    /// A part of the figures of the period before or after: the weeks begin on
    /// another day.
    WeekStart,
    /// A scope in which nothing of ours has landed, while another one has it all.
    Version,
    /// The figures of another resource.
    Resource,
    /// High where what stands is low, and the reverse: down time for up time.
    Opposite,
    /// The very first landing in a scope: figures can't tell a wrong version, a week or a
    /// resource where nothing of ours stands.
    First,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Unit,
        Self::Percent,
        Self::Beyond,
        Self::Week,
        Self::WeekStart,
        Self::Version,
        Self::Resource,
        Self::Opposite,
        Self::First,
    ];

    /// The word in records and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Percent => "percent",
            Self::Beyond => "beyond",
            Self::Week => "week",
            Self::WeekStart => "week_start",
            Self::Version => "version",
            Self::Resource => "resource",
            Self::Opposite => "opposite",
            Self::First => "first",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.word() == word)
    }

    /// What the figures look like, and where to look first.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::Unit => {
                "another unit than the target's; see `unit` of the measure and of the source"
            }
            Self::Percent => "percent for a fraction, or the reverse; see what the source sends",
            Self::Beyond => {
                "more hours than the period has; see the unit of the source's cycle and `parallel_units`"
            }
            Self::Week => {
                "the figures of another week; see how the source stamps its rows, and `zone`"
            }
            Self::WeekStart => {
                "weeks that begin on another day; see the target's time profile, `zone` and `day_start`"
            }
            Self::Version => "another version than the one that holds what we landed; see `scope`",
            Self::Resource => "the figures of another resource; see `mapping.rows`",
            Self::Opposite => "down time for up time; see `carries` and the states of the source",
            Self::First => {
                "a first landing: compare some rows with the target's own, and see `scope`, `zone` and \
                 `mapping.rows`"
            }
        }
    }
}

/// The factors by which people mistake a unit, with what they then confuse.
const OF_TIME: [(f64, &str); 5] = [
    (24.0, "hours and days"),
    (60.0, "minutes and hours"),
    (1_000.0, "milliseconds and seconds"),
    (1_440.0, "minutes and days"),
    (3_600.0, "seconds and hours"),
];
const OF_RATIOS: [(f64, &str); 1] = [(100.0, "percent and fractions")];
const OF_OUTPUT: [(f64, &str); 4] = [
    (12.0, "dozens and pieces"),
    (60.0, "a minute and an hour"),
    (1_000.0, "thousands and single ones"),
    (3_600.0, "a second and an hour"),
];

/// What people confuse when figures in `unit` are wrong by `factor`, if any known
/// confusion is near.
#[must_use]
pub fn confused(unit: Unit, factor: f64) -> Option<&'static str> {
    let known: &[(f64, &str)] = match unit {
        Unit::One => &OF_RATIOS,
        unit if unit.is_time() => &OF_TIME,
        _ => &OF_OUTPUT,
    };
    let far = |one: f64| (factor.ln().abs() - one.ln()).abs();
    let near = known.iter().min_by(|a, b| far(a.0).total_cmp(&far(b.0)))?;
    (far(near.0) < 0.8).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_to_one_and_factors_are_recognised_from_both_sides() {
        for fault in Fault::ALL {
            assert_eq!(Fault::named(fault.word()), Some(fault));
            assert!(fault.line().len() > 30);
        }
        assert_eq!(Fault::named("else"), None);
        assert_eq!(confused(Unit::Hour, 60.0), Some("minutes and hours"));
        assert_eq!(confused(Unit::Hour, 0.85 / 24.0), Some("hours and days"));
        assert_eq!(confused(Unit::One, 0.01), Some("percent and fractions"));
        assert_eq!(confused(Unit::One, 7.0), None);
        assert_eq!(confused(Unit::Piece, 1_000.0), Some("thousands and single ones"));
    }
}
