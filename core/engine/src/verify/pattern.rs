//! Who changed it? Told from the pattern of one sweep, as far as that is honest.
//!
//! Without a change history at the target nobody can know who wrote a value.
//! What can be told is how the changes lie:
//!
//! | pattern of the foreign values of one sweep | taken for | effect |
//! |---|---|---|
//! | our value with fewer decimals | rounding | one case a scope, held |
//! | the sum of our values over the month, or over all places of the period | level | one case, held |
//! | our heartbeat with another value | second writer | one case, scope held |
//! | more than a fifth of the scope, five cells at least | mass | one question, held |
//! | many cells (30 by default) in two places or more | job | one case, repaired |
//! | many cells in one place, or five that follow one another in one row | unknown | one case, held: a pasted row and a load of a pilot look alike |
//! | what continues a row that stands in a mass or unknown question | that question | the same case, held |
//! | few cells, also of one measure beside a load of another | person | each locked, with owner, reason and expiry |

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{Aggregation, CellKey, MeasureDecl, Name, Period};
use rust_decimal::Decimal;

use crate::{error::Result, ledger::CaseKind, store::names::CellId};

/// A cell that holds a value of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) id: CellId,
    pub(crate) scope: i64,
    pub(crate) key: CellKey,
    pub(crate) wanted: Decimal,
    pub(crate) read: Option<Decimal>,
    /// The newest attempt when the read began.
    pub(crate) read_after: i64,
    pub(crate) heartbeat: bool,
    /// Whether it is our own value, which took effect more than once again.
    pub(crate) redoubled: bool,
}

/// When many cells are too many for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternPolicy {
    /// Percent of a scope above which a change is one question.
    pub mass_percent: u64,
    /// Fewest cells that can be such a question.
    pub mass_least: usize,
    /// Fewest cells that are taken for another load.
    pub job_least: usize,
}

impl Default for PatternPolicy {
    fn default() -> Self {
        Self { mass_percent: 20, mass_least: 5, job_least: 30 }
    }
}

/// Resource, location, measure, year and month.
type Month = (Name, Name, Name, i16, i8);
/// A sum, and how many cells are in it.
type Sum = (Decimal, u32);

/// Sums of what we want, to recognise an aggregate that was read instead.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    by_month: BTreeMap<Month, Sum>,
    by_period: BTreeMap<(Period, Name), Sum>,
}

impl Levels {
    /// Adds a cell that was compared, where its measure adds up at all.
    pub(crate) fn add(&mut self, key: &CellKey, wanted: Decimal, decl: &MeasureDecl) {
        let count = |(sum, count): &mut Sum| {
            *sum += wanted;
            *count += 1;
        };
        if decl.over_time == Aggregation::Sum {
            count(self.by_month.entry(month(key)).or_default());
        }
        if decl.over_resources == Aggregation::Sum {
            count(self.by_period.entry(period(key)).or_default());
        }
    }

    /// Adds what was compared beside these.
    pub(crate) fn merge(&mut self, other: Self) {
        let plus = |to: &mut Sum, (sum, count): Sum| {
            to.0 += sum;
            to.1 += count;
        };
        for (month, sum) in other.by_month {
            plus(self.by_month.entry(month).or_default(), sum);
        }
        for (period, sum) in other.by_period {
            plus(self.by_period.entry(period).or_default(), sum);
        }
    }

    fn explains(&self, foreign: &Foreign) -> bool {
        let equal = |sum: Option<&Sum>| {
            sum.is_some_and(|(sum, count)| *count > 1 && foreign.read == Some(*sum))
        };
        equal(self.by_month.get(&month(&foreign.key)))
            || equal(self.by_period.get(&period(&foreign.key)))
    }
}

fn month(key: &CellKey) -> Month {
    let start = key.period.start();
    let (year, month) = (start.year(), start.month());
    (key.resource.clone(), key.location.clone(), key.measure.clone(), year, month)
}

fn period(key: &CellKey) -> (Period, Name) {
    (key.period, key.measure.clone())
}

/// The verdict on the foreign cells of one scope in one sweep.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// One case each.
    pub(crate) cases: Vec<(CaseKind, Vec<Foreign>)>,
    /// Each locked.
    pub(crate) persons: Vec<Foreign>,
}

/// Sorts the foreign cells of one scope, which has `scope_cells` cells. `beside` tells
/// the open question in which the cell before or after one of a row stands; it is asked
/// of the few cells only that may be a person's.
///
/// # Errors
/// Those of `beside`.
pub(crate) fn sort(
    foreign: Vec<Foreign>,
    scope_cells: u64,
    levels: &Levels,
    policy: &PatternPolicy,
    beside: impl Fn(&CellKey) -> Result<Option<CaseKind>>,
) -> Result<Pattern> {
    let mut cases: BTreeMap<CaseKind, Vec<Foreign>> = BTreeMap::new();
    let mut rest = Vec::new();
    for cell in foreign {
        let single = match () {
            () if cell.heartbeat => Some(CaseKind::SecondWriter),
            () if cell.redoubled => Some(CaseKind::Redoubled),
            () if rounded(&cell) => Some(CaseKind::Rounding),
            () if levels.explains(&cell) => Some(CaseKind::Level),
            () => None,
        };
        match single {
            Some(kind) => cases.entry(kind).or_default().push(cell),
            None => rest.push(cell),
        }
    }
    let share = u64::try_from(rest.len()).unwrap_or(u64::MAX).saturating_mul(100);
    let mass = share > scope_cells.saturating_mul(policy.mass_percent);
    let places: BTreeSet<_> = rest.iter().map(|c| (&c.key.resource, &c.key.location)).collect();
    let many = match () {
        () if mass && rest.len() >= policy.mass_least => Some(CaseKind::Mass),
        () if rest.len() < policy.job_least => None,
        () if places.len() > 1 => Some(CaseKind::Job),
        () => Some(CaseKind::Unknown),
    };
    let few = match many {
        Some(kind) => {
            let (load, few) = apart(rest, policy);
            cases.entry(kind).or_default().extend(load);
            few
        }
        None => rest,
    };
    let mut pattern = Pattern::default();
    for run in runs(few) {
        let many = run.len() >= policy.mass_least;
        let asked = run.iter().find_map(|cell| beside(&cell.key).transpose()).transpose()?;
        match asked.or(many.then_some(CaseKind::Unknown)) {
            Some(kind) => cases.entry(kind).or_default().extend(run),
            None => pattern.persons.extend(run),
        }
    }
    pattern.cases = cases.into_iter().collect();
    Ok(pattern)
}

/// A load writes measures as a whole: where it wrote many cells of one, a few of
/// another are an edit that must not drown in its case.
fn apart(rest: Vec<Foreign>, policy: &PatternPolicy) -> (Vec<Foreign>, Vec<Foreign>) {
    let mut of_measure: BTreeMap<i64, usize> = BTreeMap::new();
    for cell in &rest {
        *of_measure.entry(cell.id.measure).or_default() += 1;
    }
    let load = of_measure.values().any(|cells| *cells >= policy.job_least);
    let few = |cell: &Foreign| {
        load && of_measure.get(&cell.id.measure).is_some_and(|cells| *cells < policy.mass_least)
    };
    rest.into_iter().partition(|cell| !few(cell))
}

/// Cells of one row whose periods follow one another, run by run. A load of a pilot
/// writes as few cells as a person, but it writes its row from end to end, and on the
/// next night what the row has grown by.
fn runs(mut cells: Vec<Foreign>) -> Vec<Vec<Foreign>> {
    cells.sort_by_cached_key(|cell| {
        let key = &cell.key;
        let row = (key.resource.clone(), key.location.clone(), key.product.clone());
        (row, key.measure.clone(), key.period.start())
    });
    let follows = |one: &Foreign, next: &Foreign| {
        CellKey { period: one.key.period.next(), ..one.key.clone() } == next.key
    };
    cells.chunk_by(follows).map(<[Foreign]>::to_vec).collect()
}

/// Our value, with fewer decimals than we sent: half a unit of its last
/// decimal is all that they differ by.
fn rounded(cell: &Foreign) -> bool {
    let Some(read) = cell.read.filter(|read| !read.is_zero()) else { return false };
    let (fewer, ours) = (read.normalize().scale(), cell.wanted.normalize().scale());
    fewer < ours && (read - cell.wanted).abs() * Decimal::from(2) <= Decimal::new(1, fewer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(resource: u32, week: u32, wanted: &str, read: &str) -> Foreign {
        let key = serde_json::from_value(serde_json::json!({
            "target": "t", "scope": "", "resource": format!("R{resource}"), "location": "L",
            "period": format!("2026-W{week:02}"), "measure": "live" }));
        Foreign {
            id: CellId { grp: 1, measure: 1 },
            scope: 1,
            key: key.unwrap(),
            wanted: wanted.parse().unwrap(),
            read: Some(read.parse().unwrap()),
            read_after: 0,
            heartbeat: false,
            redoubled: false,
        }
    }

    fn kinds(foreign: Vec<Foreign>, scope_cells: u64) -> (Vec<(CaseKind, usize)>, usize) {
        kinds_beside(foreign, scope_cells, None)
    }

    fn kinds_beside(
        foreign: Vec<Foreign>,
        scope_cells: u64,
        beside: Option<CaseKind>,
    ) -> (Vec<(CaseKind, usize)>, usize) {
        let (levels, policy) = (Levels::default(), PatternPolicy::default());
        let sorted = sort(foreign, scope_cells, &levels, &policy, |_| Ok(beside)).unwrap();
        let cases = sorted.cases.iter().map(|(kind, cells)| (*kind, cells.len())).collect();
        (cases, sorted.persons.len())
    }

    fn many(count: u32, places: u32) -> Vec<Foreign> {
        (0..count).map(|n| foreign(n % places, 1 + n % 50, "10", "77")).collect()
    }

    #[test]
    fn a_job_is_one_case_and_a_person_is_a_lock() {
        assert_eq!(kinds(many(500, 20), 100_000), (vec![(CaseKind::Job, 500)], 0));
        assert_eq!(kinds(many(500, 20), 2_000), (vec![(CaseKind::Mass, 500)], 0));
        assert_eq!(kinds(many(40, 1), 100_000), (vec![(CaseKind::Unknown, 40)], 0));
        assert_eq!(kinds(many(3, 2), 100_000), (vec![], 3));
        assert_eq!(kinds(many(1, 1), 2), (vec![], 1), "one edit is a person in any scope");
    }

    #[test]
    fn a_load_of_a_pilot_is_a_question_and_single_edits_beside_it_are_a_persons() {
        let row = |weeks: std::ops::Range<u32>| weeks.map(|week| foreign(1, week, "10", "120"));
        assert_eq!(kinds(row(1..30).collect(), 300), (vec![(CaseKind::Unknown, 29)], 0));
        assert_eq!(kinds(row(1..5).collect(), 300), (vec![], 4), "a few weeks by hand");
        let apart = [1, 3, 5, 7, 9, 11].map(|week| foreign(1, week, "10", "120"));
        assert_eq!(kinds(apart.to_vec(), 300), (vec![], 6), "nobody loads every other week");
        let two: Vec<Foreign> = row(1..9).chain([foreign(2, 4, "10", "120")]).collect();
        assert_eq!(kinds(two, 300), (vec![(CaseKind::Unknown, 8)], 1), "of another place");
        // The horizon has moved on by a week, and the load went on with it.
        let grown = vec![foreign(1, 30, "10", "120")];
        assert_eq!(kinds_beside(grown, 300, Some(CaseKind::Mass)), (vec![(CaseKind::Mass, 1)], 0));
    }

    #[test]
    fn an_edit_beside_a_load_stays_an_edit() {
        let mut all = many(280, 20);
        let id = CellId { grp: 1, measure: 2 };
        all.push(Foreign { id, ..foreign(1, 50, "10", "120") });
        assert_eq!(kinds(all.clone(), 100_000), (vec![(CaseKind::Job, 280)], 1));
        assert_eq!(kinds(all, 1_000), (vec![(CaseKind::Mass, 280)], 1));
    }

    #[test]
    fn rounding_level_and_a_second_writer_are_told_apart() {
        let beat = Foreign { heartbeat: true, ..foreign(1, 1, "3", "8") };
        let twice = vec![Foreign { redoubled: true, ..foreign(1, 1, "3", "6") }];
        assert_eq!(kinds(twice, 100), (vec![(CaseKind::Redoubled, 1)], 0), "nobody is locked out");
        let cells = vec![foreign(1, 1, "10.26", "10.3"), foreign(1, 2, "10.26", "10.4"), beat];
        let expected = vec![(CaseKind::Rounding, 1), (CaseKind::SecondWriter, 1)];
        assert_eq!(kinds(cells, 1_000), (expected, 1));
        let mut levels = Levels::default();
        let aggregate = foreign(1, 10, "5", "12");
        let decl = crate::testing::decl("live", "attainable_clock_hours", "value");
        levels.add(&aggregate.key, 5.into(), &decl);
        levels.add(&foreign(1, 11, "7", "7").key, 7.into(), &decl);
        let policy = PatternPolicy::default();
        let sorted = sort(vec![aggregate], 1_000, &levels, &policy, |_| Ok(None)).unwrap();
        assert_eq!(sorted.cases[0].0, CaseKind::Level);
    }
}
