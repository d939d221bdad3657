//! Pure: a text back to the rows that it speaks of.
//!
//! Many targets refuse rows by a sentence. What names a row is looked for in
//! it as a word of its own; where nothing is named, nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::Period;

use crate::rows::RowKey;

/// Names that were sent, to look for in texts.
#[derive(Debug, Clone, Default)]
pub struct Matcher<'a> {
    resources: BTreeSet<&'a str>,
    locations: BTreeSet<&'a str>,
    products: BTreeSet<&'a str>,
    /// Each period, with the forms in which a text may name it.
    periods: BTreeMap<Period, [String; 3]>,
}

/// What a text names. An empty set says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    resources: BTreeSet<&'a str>,
    locations: BTreeSet<&'a str>,
    products: BTreeSet<&'a str>,
    periods: BTreeSet<Period>,
}

impl<'a> Matcher<'a> {
    /// Looks for the names of `rows`.
    #[must_use]
    pub fn of(rows: impl Iterator<Item = &'a RowKey>) -> Self {
        let mut names = Self::default();
        for row in rows {
            names.resources.insert(&row.resource);
            names.locations.insert(&row.location);
            names.products.extend(row.product.as_deref());
            names.periods.entry(row.period).or_insert_with(|| {
                let day = row.period.start().to_string();
                [day.replace('-', ""), day, row.period.to_string()]
            });
        }
        names
    }

    /// What `text` names of them.
    #[must_use]
    pub fn find(&self, text: &str) -> Named<'a> {
        let found = |names: &BTreeSet<&'a str>| {
            let found: Vec<&str> =
                names.iter().copied().filter(|name| contains_word(text, name)).collect();
            standing(text, &found)
        };
        // A time may follow the day: 2026-11-30T00:00:00.
        let named = |forms: &[String; 3]| {
            forms.iter().any(|form| contains_word(text, form) || text.contains(&format!("{form}T")))
        };
        let periods = self.periods.iter().filter(|(_, forms)| named(forms));
        Named {
            resources: found(&self.resources),
            locations: found(&self.locations),
            products: found(&self.products),
            periods: periods.map(|(period, _)| *period).collect(),
        }
    }
}

impl Named<'_> {
    /// Whether it is about `row`.
    ///
    /// A location or a day alone names nobody: both may be numbers that any
    /// text holds. So may be a resource: then its location must stand there
    /// too, or `1 row rejected` would be about resource 1.
    #[must_use]
    pub fn is(&self, row: &RowKey) -> bool {
        let open = |set: &BTreeSet<&str>, value: &str| set.is_empty() || set.contains(value);
        let (resource, location) = (row.resource.as_str(), row.location.as_str());
        let number = resource.bytes().all(|byte| byte.is_ascii_digit());
        self.resources.contains(resource)
            && (!number || (resource != location && self.locations.contains(location)))
            && open(&self.locations, location)
            && row.product.as_deref().is_none_or(|product| open(&self.products, product))
            && (self.periods.is_empty() || self.periods.contains(&row.period))
    }
}

/// Names that stand somewhere on their own, not only as part of a longer one:
/// a text about `LINE-1/2` is not about `LINE-1`, one about both is about both.
fn standing<'a>(text: &str, found: &[&'a str]) -> BTreeSet<&'a str> {
    let inside = |name: &str, at: usize| {
        let longer = found.iter().filter(|other| other.len() > name.len());
        let mut spans =
            longer.flat_map(|other| words(text, other).map(move |from| (from, other.len())));
        spans.any(|(from, length)| from <= at && at + name.len() <= from + length)
    };
    let alone = |name: &&str| words(text, name).any(|at| !inside(name, at));
    found.iter().copied().filter(alone).collect()
}

/// Whether `text` contains `word` as a word of its own.
#[must_use]
pub fn contains_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// Where `word` stands in `text` as a word of its own: `LINE-1` is not in
/// `LINE-10`, nor in `XLINE-1`, nor in `LINE-1.2`, but in `LINE-1.`.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    let whole = move |at: usize| {
        let mut before = text[..at].chars().rev();
        let mut after = text[at + word.len()..].chars();
        let joined = |next: Option<char>, over: Option<char>| match next {
            Some('.') => over.is_some_and(char::is_alphanumeric),
            Some(sign) => part(sign),
            None => false,
        };
        !joined(before.next(), before.next()) && !joined(after.next(), after.next())
    };
    let found = text.match_indices(word).map(|(at, _)| at);
    found.filter(move |at| !word.is_empty() && whole(*at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(resource: &str, location: &str, period: &str) -> RowKey {
        RowKey {
            resource: resource.into(),
            location: location.into(),
            product: None,
            period: period.parse().unwrap(),
        }
    }

    /// The rows of a small batch that `text` names, by position.
    fn named(text: &str) -> Vec<usize> {
        let rows = [
            row("LINE-1", "1010", "2026-W49"),
            row("LINE-10", "1010", "2026-W49"),
            row("LINE-1", "1020", "2026-W50"),
            row("7", "1010", "2026-W49"),
            row("LINE-1/2", "1010", "2026-W49"),
        ];
        let found = Matcher::of(rows.iter()).find(text);
        rows.iter().enumerate().filter(|(_, row)| found.is(row)).map(|(at, _)| at).collect()
    }

    #[test]
    fn a_text_names_the_rows_whose_names_stand_in_it() {
        assert_eq!(named("LINE-1 is unknown"), [0, 2]);
        assert_eq!(named("LINE-1@1020 is unknown"), [2]);
        assert_eq!(named("LINE-1 2026-11-30T00:00:00 locked"), [0]);
        assert_eq!(named("LINE-1 20261207 locked"), [2]);
        assert_eq!(named("LINE-1, 2026-W50: locked"), [2]);
        assert_eq!(named("LINE-10."), [1]);
        assert_eq!(named("LINE-1/2 is unknown"), [4]);
    }

    #[test]
    fn numbers_alone_and_nothing_name_nobody() {
        for text in ["7 rows were rejected", "1010", "", "internal error 2026-11-30"] {
            assert_eq!(named(text), Vec::<usize>::new(), "{text}");
        }
        assert_eq!(named("resource 7 at 1010 is unknown"), [3]);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,60}") {
            let _ = named(&text);
        }

        #[test]
        fn a_sentence_about_one_row_is_about_that_row(at in 0_usize..3) {
            let (name, location, week) =
                [("LINE-1", "1010", "2026-W49"), ("LINE-10", "1010", "2026-W49"),
                 ("LINE-1", "1020", "2026-W50")][at];
            prop_assert_eq!(named(&format!("row {name}/{location}/{week} refused")), [at]);
        }

        #[test]
        fn words_are_found_only_whole(word in "[A-Z]{1,4}-?[0-9]{1,3}", more in "[A-Z0-9_-]") {
            let found = |text: String| contains_word(&text, &word);
            for whole in [format!("row {word}, bad"), format!("({word})"), format!("{word}.")] {
                prop_assert!(found(whole));
            }
            for part in [format!("row {word}{more} bad"), format!("é{word}")] {
                prop_assert!(!found(part));
            }
        }
    }
}
