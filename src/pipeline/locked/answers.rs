//! What a person wrote into the sheet of what waits for a word: every answer, or every
//! fault that stands in it. Pure.
//!
//! A row is found by its reference, wherever somebody sorted it to. What it says of line,
//! week and key figure must still be what the reference is about: a sheet of which only
//! some columns were sorted would put an answer to another value.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use planthread_domain::decode::{SheetCell, SheetRow};
use schemars::JsonSchema;
use serde::Serialize;

use super::{LockRow, Locked, Question, QuestionAbout, Reference};

/// The sheet of values that people set.
pub const LOCKS: &str = "Locks";
/// The sheet of questions.
pub const QUESTIONS: &str = "Questions";
/// The column in which a person answers.
pub const ANSWER: &str = "Keep or accept?";
/// The column for the last day on which a value is kept.
pub const UNTIL: &str = "Until (last day)";
/// The column for a person's reason.
pub const WHY: &str = "Why";
/// The column that says what a row is about.
pub const REFERENCE: &str = "Reference";
/// What may be answered.
pub const ANSWERS: [&str; 2] = ["keep", "accept"];

/// The longest time for which a value is kept, or an answer holds.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// What stands there stays; a question stays open.
    Keep,
    /// Planthread's value goes in; a question is answered for.
    Accept,
}

/// What an answer is about, as it stands now.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// A value that a person set.
    Lock(&'a LockRow),
    /// A question.
    Question(&'a Question),
}

/// One answer, which can be carried out.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Where it stands.
    pub place: (&'a str, u64),
    /// What it is about.
    pub about: About<'a>,
    /// The answer.
    pub word: Word,
    /// Until when, where somebody wrote it.
    pub until: Option<Timestamp>,
    /// Why; empty where nobody wrote it.
    pub why: &'a str,
}

/// A row that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AnswerFault")]
pub struct RowFault {
    /// The sheet; empty for a CSV file.
    pub sheet: String,
    /// The row, from 1.
    pub row: u64,
    /// The column; empty when the whole row is at fault.
    pub column: String,
    /// Why.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

/// An answered row as it was written.
#[derive(Debug, Clone)]
pub struct Written {
    sheet: String,
    row: u64,
    reference: Option<Reference>,
    word: Option<Word>,
    until: SheetCell,
    why: String,
    /// What it says that it is about, by column.
    says: BTreeMap<&'static str, String>,
}

/// What the rows of a sheet mean.
#[derive(Debug, Default)]
pub struct Meant<'a> {
    /// Answers that can be carried out.
    pub given: Vec<Given<'a>>,
    /// Faults of the sheet.
    pub faults: Vec<RowFault>,
    /// Rows of which something has changed since the sheet was made.
    pub moved: Vec<RowFault>,
    /// Rows whose answer holds already.
    pub held: usize,
}

/// Columns that say what a row is about.
const ABOUT: [&str; 5] = ["Plant", "Line", "Week", "Key figure", "Question"];

/// The answered rows of the sheets, and the faults of their form.
#[must_use]
pub fn rows(sheets: &[(String, Vec<SheetRow>)]) -> (Vec<Written>, Vec<RowFault>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut any = false;
    for (name, rows) in sheets {
        let is_header = |row: &&SheetRow| row.cells.iter().any(|cell| same(cell, ANSWER));
        let Some(header) = rows.iter().find(is_header) else {
            if [LOCKS, QUESTIONS].contains(&name.as_str()) {
                let reason = format!("has no column `{ANSWER}`");
                faults.push(fault(name, 1, ANSWER, reason, "write the workbook anew"));
            }
            continue;
        };
        any = true;
        let at = |column: &str| header.cells.iter().position(|cell| same(cell, column));
        for missing in [UNTIL, WHY, REFERENCE].into_iter().filter(|one| at(one).is_none()) {
            let cure = "write the workbook anew, and leave its heading as it is";
            faults.push(fault(name, header.number, missing, "is missing in the heading", cure));
        }
        let rows = rows.iter().filter(|row| row.number > header.number);
        for row in rows {
            let cell = |column: &str| at(column).and_then(|at| row.cells.get(at));
            let text = |column: &str| cell(column).map(SheetCell::text).unwrap_or_default();
            let (answer, why) = (text(ANSWER), text(WHY));
            if answer.is_empty() && text(UNTIL).is_empty() && why.is_empty() {
                continue;
            }
            let word = match answer.to_lowercase().as_str() {
                "keep" => Some(Word::Keep),
                "accept" => Some(Word::Accept),
                _ => None,
            };
            let says = ABOUT.into_iter().filter(|one| at(one).is_some());
            found.push(Written {
                sheet: name.clone(),
                row: row.number,
                reference: Reference::read(&text(REFERENCE)),
                word,
                until: cell(UNTIL).cloned().unwrap_or_else(|| SheetCell::Text(String::new())),
                why,
                says: says.map(|one| (one, text(one))).collect(),
            });
        }
    }
    if !any && faults.is_empty() {
        let reason = format!("no sheet of it has a column `{ANSWER}`");
        faults.push(fault("", 1, "", reason, "take the workbook of `planthread locks --xlsx`"));
    }
    (found, faults)
}

fn same(cell: &SheetCell, column: &str) -> bool {
    cell.text().eq_ignore_ascii_case(column)
}

fn fault(
    sheet: &str,
    row: u64,
    column: &str,
    reason: impl Into<String>,
    cure: impl Into<String>,
) -> RowFault {
    let (reason, cure) = (reason.into(), cure.into());
    RowFault { sheet: sheet.to_owned(), row, column: column.to_owned(), reason, cure }
}

/// What `written` means beside what waits for a word `now`, answered by `who`.
#[must_use]
pub fn meant<'a>(written: &'a [Written], now: &'a Locked, who: &str) -> Meant<'a> {
    let mut meant = Meant::default();
    let locks = now.locks.iter().map(|row| (row.reference.of.as_str(), About::Lock(row)));
    let questions = now.questions.iter();
    let questions = questions.map(|row| (row.reference.of.as_str(), About::Question(row)));
    let known: BTreeMap<&str, About<'_>> = locks.chain(questions).collect();
    let mut twice = BTreeSet::new();
    for row in written {
        let Some(reference) = &row.reference else {
            let cure = "write the answer into a row of the sheet; a new row is about nothing";
            meant.faults.push(row.fault(REFERENCE, "says not what the row is about", cure));
            continue;
        };
        if !twice.insert(&reference.of) {
            let cure = "leave one of the rows";
            meant.faults.push(row.fault("", "is about what another row is about", cure));
            continue;
        }
        let about = known.get(reference.of.as_str()).copied();
        match row.read(about, now) {
            Err(fault) => meant.faults.push(fault),
            Ok((word, until)) => row.sort(about, (word, until), who, &mut meant),
        }
    }
    meant
}

impl Written {
    fn fault(&self, column: &str, reason: impl Into<String>, cure: &str) -> RowFault {
        fault(&self.sheet, self.row, column, reason, cure)
    }

    /// The answer, and until when.
    fn read(
        &self,
        about: Option<About<'_>>,
        now: &Locked,
    ) -> Result<(Word, Option<Timestamp>), RowFault> {
        let Some(word) = self.word else {
            let reason = "is neither keep nor accept";
            return Err(self.fault(ANSWER, reason, "write keep or accept, or empty the row"));
        };
        if self.why.contains(char::is_control) {
            let cure = "write it in one line";
            return Err(self.fault(WHY, "holds a line break or a control sign", cure));
        }
        self.is_about(about)?;
        let zone = match about {
            Some(About::Lock(row)) => &row.zone,
            Some(About::Question(_)) | None => &now.zone,
        };
        let until = self.until(zone, now.at)?;
        self.needs(about, word, until)?;
        Ok((word, until))
    }

    /// What each answer needs, and what it can't have.
    fn needs(
        &self,
        about: Option<About<'_>>,
        word: Word,
        until: Option<Timestamp>,
    ) -> Result<(), RowFault> {
        let record = match (about, word) {
            (Some(About::Lock(_)), Word::Keep) => true,
            (Some(About::Question(one)), Word::Accept) => one.about != QuestionAbout::Case,
            _ => false,
        };
        if record && self.why.is_empty() {
            let cure = "write it: who decides must be able to answer for it";
            return Err(self.fault(WHY, "is empty", cure));
        }
        let takes_until = match (about, word) {
            (Some(About::Lock(_)), word) => word == Word::Keep,
            (Some(About::Question(one)), word) => {
                one.about == QuestionAbout::Proportion && word == Word::Accept
            }
            (None, _) => true,
        };
        if until.is_some() && !takes_until {
            let cure = "empty it; a value that is to stay until a day is kept";
            return Err(self.fault(UNTIL, "means nothing with this answer", cure));
        }
        Ok(())
    }

    /// Whether the row says what its reference is about.
    fn is_about(&self, about: Option<About<'_>>) -> Result<(), RowFault> {
        let expected = |column: &str| match (about?, column) {
            (About::Lock(row), "Plant") => Some(row.line.plant.to_string()),
            (About::Lock(row), "Line") => Some(row.line_and_product()),
            (About::Lock(row), "Week") => Some(row.period.to_string()),
            (About::Lock(row), "Key figure") => Some(row.surface.clone()),
            (About::Question(row), "Question") => Some(row.text.clone()),
            (About::Question(row), "Key figure") => row.surface.clone(),
            _ => None,
        };
        for (column, said) in &self.says {
            let Some(expected) = expected(column) else { continue };
            // A spreadsheet takes the zeros from the front of a number.
            let bare = |text: &str| text.trim_start_matches('0').to_owned();
            // The first day of a week stands behind it.
            let week = *column == "Week" && said.split(' ').next() == Some(&expected);
            if bare(said) != bare(&expected) && !week {
                let reason = format!("says `{said}`, and the row is about `{expected}`");
                let cure = "take the sheet as it was written, and sort whole rows only; where a \
                            spreadsheet changed it, save as .xlsx";
                return Err(self.fault(column, reason, cure));
            }
        }
        Ok(())
    }

    /// The first instant that is not meant any more.
    fn until(&self, zone: &str, now: Timestamp) -> Result<Option<Timestamp>, RowFault> {
        const CURE: &str = "write the last day, as 2026-12-05, or a day with a time";
        let text = self.until.text();
        if text.is_empty() {
            return Ok(None);
        }
        let day = !text.contains(':')
            || matches!(&self.until, SheetCell::Time(time) if time.time() == Time::midnight());
        let local = match &self.until {
            SheetCell::Time(time) if time.time() == Time::midnight() => last_day(time.date()),
            SheetCell::Time(time) => Some(*time),
            SheetCell::Text(_) if text.contains(':') => text.parse::<DateTime>().ok(),
            SheetCell::Text(_) => text.parse::<Date>().ok().and_then(last_day),
        };
        let instant = || {
            let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            let placed = zone.to_ambiguous_timestamp(local?);
            // A day ends where the next one begins, also where clocks skip midnight.
            if day { placed.compatible().ok() } else { placed.unambiguous().ok() }
        };
        let told = matches!(self.until, SheetCell::Text(_))
            .then(|| text.parse::<Timestamp>().ok())
            .flatten();
        let Some(until) = told.or_else(instant) else {
            let reason = format!("`{text}` is no day that can be read without doubt");
            return Err(self.fault(UNTIL, reason, CURE));
        };
        if until <= now {
            return Err(self.fault(UNTIL, format!("`{text}` is over"), "write a day to come"));
        }
        if until.duration_since(now) > LONGEST {
            let reason = format!("`{text}` is more than a year away");
            return Err(self.fault(UNTIL, reason, "write a day within a year"));
        }
        Ok(Some(until))
    }

    /// Whether it can be carried out, holds already, or is about something else by now.
    fn sort<'a>(
        &'a self,
        about: Option<About<'a>>,
        (word, until): (Word, Option<Timestamp>),
        who: &str,
        meant: &mut Meant<'a>,
    ) {
        let given =
            |about| Given { place: (&self.sheet, self.row), about, word, until, why: &self.why };
        let now = match about {
            Some(About::Lock(row)) => Some(&row.reference),
            Some(About::Question(row)) => Some(&row.reference),
            None => None,
        };
        let kept = matches!(about, Some(About::Lock(row)) if word == Word::Keep && row.who == who
            && row.why == self.why && until.is_none_or(|until| until == row.until));
        let was_lock = self.reference.as_ref().is_some_and(|one| one.of.starts_with("lock "));
        match about {
            Some(_) if kept => meant.held += 1,
            Some(about) if now == self.reference.as_ref() => meant.given.push(given(about)),
            Some(about) => meant.moved.push(self.fault("", told(about), ANEW)),
            None if was_lock && word == Word::Keep => {
                let reason = "nobody holds the value any more";
                meant.moved.push(self.fault("", reason, "set it in the plan again"));
            }
            None => meant.held += 1,
        }
    }
}

const ANEW: &str = "write the workbook anew, and look at the row again";

fn last_day(date: Date) -> Option<DateTime> {
    Some(date.tomorrow().ok()?.to_datetime(Time::midnight()))
}

/// What has changed, as it stands now.
fn told(about: About<'_>) -> String {
    let number = |value: Option<rust_decimal::Decimal>| {
        value.map_or_else(|| "nothing".to_owned(), |value| value.normalize().to_string())
    };
    match about {
        About::Lock(row) => format!(
            "it has changed since the sheet was made: {} stands in the plan, Planthread would land \
             {}, and {} has it until {} ({})",
            number(row.in_plan),
            number(row.would_land),
            row.who,
            row.until,
            row.why
        ),
        About::Question(row) => format!(
            "it has changed since the sheet was made: {}, {} cells",
            row.example.figures,
            row.cells.map_or_else(|| "-".to_owned(), |cells| cells.to_string())
        ),
    }
}
