//! Judge: from the series of all places to questions and notes.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::Unit;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Fault, Series, confused,
    likeness::{self, Print},
    series::{Against, Found},
    shift::{Fit, Shift},
};

/// Fewest cells that differ before a shift by a week is told without a change of
/// the mapping: one stop that is moved by a week changes two.
const MOVED: usize = 4;

const BESIDE: &str = "hours move to the week beside, and no hour is new";
const FIRST: &str = "nothing of ours has landed here yet: figures can't tell a wrong version, a resource \
                     of like figures, or weeks that begin on another day; look at some rows before you \
                     apply";

/// A question: cells of one measure that wait, and what they look like.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Asked {
    /// Our name of the measure.
    pub measure: String,
    /// What the figures look like.
    pub fault: Fault,
    /// The places that wait, as they were given.
    pub places: BTreeSet<String>,
    /// Cells that wait.
    pub cells: usize,
    /// One of the places, with both figures and the likely cause.
    pub example: String,
}

/// What is worth a word, and holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// All figures of a place moved by one factor: a share, or down for up.
    Share,
    /// Another part of the target's own figures than elsewhere.
    Gap,
    /// Figures that fit another place as well.
    Alike,
    /// Hours of a day moved, or hours moved to the week beside.
    Moved,
    /// The target's own figures are the same in all periods.
    Flat,
    /// There is nothing to compare with.
    Alone,
    /// Nothing of ours has landed in the scope.
    First,
}

/// A note with how often it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Noted {
    /// Our name of the measure.
    pub measure: String,
    /// What it is.
    pub note: Note,
    /// The places.
    pub places: BTreeSet<String>,
    /// One of them, in words.
    pub example: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdicts {
    /// What a person is asked.
    pub asked: Vec<Asked>,
    /// What the plan says beside it.
    pub noted: Vec<Noted>,
}

/// What was met of one measure.
#[derive(Debug, Default)]
struct Pool {
    landed: Fit,
    own: Fit,
    /// Places in which a day's hours stand in the week beside.
    days: Vec<usize>,
    prints: Vec<Print>,
    /// Places by number, with the cells that wait.
    places: Vec<(String, usize)>,
    /// Figures to compare a first landing with.
    sample: Option<Sample>,
    asked: BTreeMap<Fault, Asked>,
    noted: BTreeMap<Note, Noted>,
}

/// Judges the measures of one scope, place by place.
#[derive(Debug, Default)]
pub struct Judge {
    pools: BTreeMap<String, Pool>,
    /// The scope that holds what we landed, where this one holds nothing.
    elsewhere: Option<(String, String)>,
    /// Where a first landing would go, where it is asked about.
    first: Option<String>,
    /// Whether anything of ours has landed here.
    landed: bool,
    waits: bool,
}

impl Judge {
    /// Nothing of ours has landed in the scope called `here`, and all of it in
    /// `there`.
    #[must_use]
    pub fn elsewhere(here: &str, there: &str) -> Self {
        Self { elsewhere: Some((here.to_owned(), there.to_owned())), ..Self::default() }
    }

    /// Nothing of ours has landed in the scope, and a first landing is asked about; `place`
    /// says where it would go.
    #[must_use]
    pub fn first(self, place: &str) -> Self {
        Self { first: Some(place.to_owned()), ..self }
    }

    /// Takes in the series of `measure` at `place`.
    pub fn add(&mut self, measure: &str, place: &str, series: &Series) {
        self.waits |= series.waits();
        self.landed |= series.points.iter().any(|point| point.landed.is_some());
        let pool = self.pools.entry(measure.to_owned()).or_default();
        let number = pool.places.len();
        pool.places.push((place.to_owned(), series.waiting()));
        pool.sample = pool.sample.take().or_else(|| Sample::of(number, series));
        let found = series.judge();
        if let Some(found) = found {
            pool.ask(measure, found.fault, number, || told(series.unit, found));
        }
        // A place of other figures says nothing of weeks, nor of whose they are.
        let Some(against) = series.against().filter(|_| found.is_none()) else {
            if found.is_none() && series.waits() {
                let word = || "nothing stands there to compare with".to_owned();
                pool.note(measure, Note::Alone, number, word);
            }
            return;
        };
        pool.prints.extend(Print::of(number, series));
        if series.waits() {
            pool.shift(measure, number, series, against);
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        let first = self.waits && !self.landed;
        if first && self.first.is_none() {
            verdicts.noted.push(Noted {
                measure: String::new(),
                note: Note::First,
                places: BTreeSet::new(),
                example: FIRST.to_owned(),
            });
        }
        for (measure, mut pool) in self.pools {
            if let Some((here, there)) = &self.elsewhere {
                let word =
                    || format!("nothing of ours has landed in {here}, and all of it in {there}");
                for number in 0..pool.places.len() {
                    pool.ask(&measure, Fault::Version, number, word);
                }
            }
            // Where another scope holds it all, that is the question.
            let asks = first && self.elsewhere.is_none();
            if let Some(place) = self.first.as_ref().filter(|_| asks) {
                pool.first(&measure, place);
            }
            pool.all_shifted(&measure);
            pool.others(&measure);
            verdicts.asked.extend(pool.asked.into_values());
            verdicts.noted.extend(pool.noted.into_values());
        }
        verdicts
    }
}

/// One figure that would land, for a person to compare.
#[derive(Debug)]
struct Sample {
    place: usize,
    wanted: f64,
    own: Option<f64>,
}

impl Sample {
    /// The first figure of a series that waits, best one that the target has a figure for.
    fn of(place: usize, series: &Series) -> Option<Self> {
        let waiting = || series.points.iter().filter(|point| point.waits);
        let point = waiting().find(|point| point.own.is_some()).or_else(|| waiting().next())?;
        Some(Self { place, wanted: point.wanted, own: point.own })
    }
}

impl Pool {
    /// Asks about all places of a first landing, with figures of one of them.
    fn first(&mut self, measure: &str, place: &str) {
        let Some(Sample { place: of, wanted, own }) = self.sample.take() else { return };
        let beside = own.map_or_else(
            || "the target has no figure of its own for it".to_owned(),
            |own| format!("the target's own figure is {own:.2}"),
        );
        let words = || {
            format!(
                "nothing of ours has landed in {place} yet; the first figure here is {wanted:.2}, \
                 {beside}"
            )
        };
        let others = (0..self.places.len()).filter(|number| *number != of);
        for number in std::iter::once(of).chain(others) {
            self.ask(measure, Fault::First, number, words);
        }
    }

    fn ask(&mut self, measure: &str, fault: Fault, number: usize, words: impl Fn() -> String) {
        let (place, cells) = &self.places[number];
        if *cells == 0 {
            return;
        }
        let asked = self.asked.entry(fault).or_insert_with(|| Asked {
            measure: measure.to_owned(),
            fault,
            places: BTreeSet::new(),
            cells: 0,
            example: format!("{place}: {}", words()),
        });
        if asked.places.insert(place.clone()) {
            asked.cells += cells;
        }
    }

    fn note(&mut self, measure: &str, note: Note, number: usize, words: impl Fn() -> String) {
        let (place, _) = &self.places[number];
        let noted = self.noted.entry(note).or_insert_with(|| Noted {
            measure: measure.to_owned(),
            note,
            places: BTreeSet::new(),
            example: format!("{place}: {}", words()),
        });
        noted.places.insert(place.clone());
    }

    /// Weeks and shares of one place.
    fn shift(&mut self, measure: &str, number: usize, series: &Series, against: Against) {
        let fit = series.shift(against);
        // Where a place has no work on the day that matters, it says nothing.
        if fit.tells() {
            match against {
                Against::Landed => self.landed.add(&fit),
                Against::Own => self.own.add(&fit),
            }
        }
        if fit.days() >= 2 {
            self.days.push(number);
        }
        let is_clear = |shift: &Shift| {
            let week = of_part(*shift) == Fault::Week;
            let least = match against {
                Against::Landed if series.is_mapped() => 1,
                Against::Landed if week => MOVED,
                _ => 2,
            };
            shift.changed >= least && is_shift(*shift, 0.85)
        };
        if let Some(shift) = fit.best().find(is_clear) {
            self.ask(measure, of_part(shift), number, || shifted(shift));
        } else if against == Against::Landed && series.is_mapped() && fit.is_displaced() {
            self.ask(measure, Fault::WeekStart, number, || BESIDE.to_owned());
        } else if against == Against::Landed && (fit.is_displaced() || fit.is_one_day()) {
            let words = "hours of a day, or moved to the week beside: news, or other weeks";
            self.note(measure, Note::Moved, number, || words.to_owned());
        }
        self.gap(measure, number, series, against);
    }

    /// What lies by another factor to what stands there than it should.
    fn gap(&mut self, measure: &str, number: usize, series: &Series, against: Against) {
        let factor = series.factor(against);
        if let Some(factor) = share(series, against) {
            let words =
                || format!("all periods by the factor {factor:.2}: a share, or down for up time");
            self.note(measure, Note::Share, number, words);
        } else if let Some(factor) = factor.filter(|factor| !(0.75..1.33).contains(factor)) {
            let words = || {
                let whose = match against {
                    Against::Landed => "what we landed",
                    Against::Own => "the target's own figures",
                };
                format!(
                    "{factor:.2} of {whose}: a real gap, a share, `parallel_units`, or down for up time"
                )
            };
            self.note(measure, Note::Gap, number, words);
        }
        if against == Against::Own && is_flat(series) {
            let words = "the target's own figure is the same in all periods: it can't show whether \
                         the weeks agree";
            self.note(measure, Note::Flat, number, || words.to_owned());
        }
    }

    /// A shift that shows in all places together.
    fn all_shifted(&mut self, measure: &str) {
        for fit in [self.landed, self.own] {
            let clear = |shift: &Shift| {
                is_shift(*shift, 0.5) && shift.errors > 8.0 && shift.changed >= MOVED
            };
            let Some(shift) = fit.best().find(clear) else { continue };
            for number in 0..self.places.len() {
                self.ask(measure, of_part(shift), number, || shifted(shift));
            }
        }
        if self.landed.days().max(self.own.days()) >= MOVED {
            for number in std::mem::take(&mut self.days) {
                self.ask(measure, Fault::WeekStart, number, || {
                    "a day's hours stand in the week beside: weeks begin on another day".to_owned()
                });
            }
        }
    }

    /// Whose figures are these?
    fn others(&mut self, measure: &str) {
        for alike in likeness::compare(&self.prints) {
            let other = self.places[alike.other].0.clone();
            if alike.told {
                let words = || format!("these are the figures of {other}");
                self.ask(measure, Fault::Resource, alike.place, words);
            } else {
                let words = || {
                    format!(
                        "its figures fit {other} as well: nothing but the mapping says which it is"
                    )
                };
                self.note(measure, Note::Alike, alike.place, words);
            }
        }
    }
}

fn is_shift(shift: Shift, least: f64) -> bool {
    (0.07..=1.15).contains(&shift.part)
        && shift.explained >= least
        && shift.explained - shift.otherwise >= 0.25
}

fn of_part(shift: Shift) -> Fault {
    if shift.part > 0.75 { Fault::Week } else { Fault::WeekStart }
}

fn shifted(shift: Shift) -> String {
    let (which, when) = if shift.of_later { ("next", "early") } else { ("last", "late") };
    match (shift.part * 7.0).round() {
        days if days < 6.0 => {
            format!(
                "a part of the {which} week's figure stands here: weeks begin {days} days {when}"
            )
        }
        _ => format!("the {which} week's figures stand here: a week {when}"),
    }
}

fn told(unit: Unit, found: Found) -> String {
    let Found { wanted, stands, .. } = found;
    let factor = if stands > 0.0 { wanted / stands } else { f64::INFINITY };
    let cause = confused(unit, factor).map_or(String::new(), |what| format!(": {what}?"));
    format!("{wanted:.2} where {stands:.2} stands, factor {factor:.3}{cause}")
}

/// A factor that all periods of a place share, well away from one.
fn share(series: &Series, against: Against) -> Option<f64> {
    if against != Against::Landed {
        return None;
    }
    let both = series.pairs(against).filter(|(_, wanted, stands)| *wanted > 0.0 && *stands > 0.0);
    let mut factors: Vec<f64> = both.map(|(_, wanted, stands)| wanted / stands).collect();
    if factors.len() < 3 {
        return None;
    }
    let middle = super::series::median(&mut factors);
    let even = factors.iter().filter(|one| (**one / middle - 1.0).abs() < 0.02).count();
    ((middle - 1.0).abs() > 0.1 && even * 10 >= factors.len() * 9).then_some(middle)
}

fn is_flat(series: &Series) -> bool {
    let own: Vec<f64> = series.pairs(Against::Own).map(|(_, _, own)| own).collect();
    own.len() > 2 && own.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1e-9)
}
