//! Periods as members of the time dimension, by the tenant's own form.
//!
//! Calendar names are the tenant's (§6); none is guessed. A week that is cut at
//! the month's end has two members, and a period that has no member of its own
//! is never written into a neighbour's.

use jiff::civil::Weekday;
use planthread_contracts::{Period, PeriodKind};

/// How members are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String),
}

const FIELDS: [&str; 6] = ["yyyy", "ww", "mm", "dd", "part", "split"];

impl Form {
    /// Reads a form for periods of `kind`.
    ///
    /// # Errors
    /// When a field is unknown, or two periods would have one name.
    pub(crate) fn read(text: &str, kind: PeriodKind) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find('{') {
            let (name, after) =
                rest[at + 1..].split_once('}').ok_or("has a brace without its pair")?;
            if !FIELDS.contains(&name) {
                return Err(format!("`{{{name}}}` is no field: {}", FIELDS.join(", ")));
            }
            pieces.push(Piece::Text(rest[..at].to_owned()));
            pieces.push(Piece::Field(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let has = |name: &str| pieces.iter().any(|piece| *piece == Piece::Field(name.to_owned()));
        let needed: &[&str] = match kind {
            PeriodKind::Day => &["yyyy", "mm", "dd"],
            PeriodKind::Week | PeriodKind::TechnicalWeek => &["yyyy", "ww"],
            PeriodKind::Month => &["yyyy", "mm"],
        };
        if let Some(missing) = needed.iter().find(|name| !has(name)) {
            return Err(format!("needs `{{{missing}}}`, or two periods have one name"));
        }
        if kind == PeriodKind::TechnicalWeek && !has("part") && !has("split") {
            return Err("needs `{part}` or `{split}`: a week may be cut in two".to_owned());
        }
        Ok(Self(pieces))
    }

    /// The member of a period.
    pub(crate) fn member(&self, period: Period) -> String {
        let (start, iso) = (period.start(), period.start().iso_week_date());
        let weekly = matches!(period.kind(), PeriodKind::Week | PeriodKind::TechnicalWeek);
        let second = iso.weekday() != Weekday::Monday;
        let field = |name: &str| match name {
            "yyyy" if weekly => format!("{:04}", iso.year()),
            "yyyy" => format!("{:04}", start.year()),
            "ww" => format!("{:02}", iso.week()),
            "mm" => format!("{:02}", start.month()),
            "dd" => format!("{:02}", start.day()),
            // A week that is not split has seven days.
            "split" if period.days().count() == 7 => String::new(),
            _ if second => "B".to_owned(),
            _ => "A".to_owned(),
        };
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(name) => field(name),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{ToSpan as _, civil::date};
    use proptest::prelude::*;

    use super::*;

    fn member(form: &str, period: &str) -> String {
        let period: Period = period.parse().unwrap();
        Form::read(form, period.kind()).unwrap().member(period)
    }

    #[test]
    fn the_forms_of_the_fact_sheet() {
        assert_eq!(member("W{ww}-{yyyy}", "2026-W03"), "W03-2026");
        assert_eq!(member("{yyyy}{ww}{part}", "2026-W05a"), "202605A");
        assert_eq!(member("{yyyy}{ww}{part}", "2026-W05b"), "202605B");
        assert_eq!(member("{yyyy}{ww}{split}", "2026-W06a"), "202606");
        assert_eq!(member("{yyyy}{ww}{split}", "2026-W05a"), "202605A");
        assert_eq!(member("M{mm}-{yyyy}", "2026-11"), "M11-2026");
        assert_eq!(member("{yyyy}-{mm}-{dd}", "2026-11-26"), "2026-11-26");
    }

    #[test]
    fn a_form_that_would_name_two_periods_alike_is_refused() {
        let refused = |form, kind| Form::read(form, kind).unwrap_err();
        assert!(refused("W{ww}", PeriodKind::Week).contains("{yyyy}"));
        assert!(refused("{yyyy}{ww}", PeriodKind::TechnicalWeek).contains("{part}"));
        assert!(refused("{yyyy}{month}", PeriodKind::Month).contains("{month}"));
    }

    proptest! {
        #[test]
        fn each_period_has_a_name_of_its_own(from in 0_i64..9_000, kind in 0_usize..4) {
            let (kind, form) = [
                (PeriodKind::Day, "{yyyy}-{mm}-{dd}"), (PeriodKind::Week, "W{ww}-{yyyy}"),
                (PeriodKind::TechnicalWeek, "{yyyy}{ww}{split}"), (PeriodKind::Month, "M{mm}-{yyyy}"),
            ][kind];
            let form = Form::read(form, kind).unwrap();
            let first = Period::containing(kind, date(2010, 1, 1).saturating_add(from.days()));
            let periods = std::iter::successors(Some(first), |period| Some(period.next()));
            let names: BTreeSet<String> = periods.take(120).map(|p| form.member(p)).collect();
            prop_assert_eq!(names.len(), 120);
        }
    }
}
