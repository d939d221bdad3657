//! What waits for a person's word: the values that people took into their own hands, and
//! the questions that are open. It is gathered from the ledger and from the records of
//! answers, and read again when the sheet of it comes back.
//!
//! Each row has a reference: what it is about, and a digest of what it says. So an answer
//! is never applied to something that has changed since somebody looked at it.

pub mod answers;
mod carry_out;

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_contracts::{CellKey, MeasureDecl, Period, Unit};
use planthread_domain::gap::Line;
use planthread_engine::{
    Reader,
    ledger::{self, Case, CaseKind, Lock, LockKind, LockedCell},
    plan::plausible::{Asked, Fault},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    config::Loaded,
    failure::Failure,
    pipeline::{NotAdopted, OpenTarget, Proportion, gap::zones, parse_cell},
};

pub use self::carry_out::{Answered, AnsweredRow, HOLDS};

/// Bytes of a digest that stand in a reference.
const DIGEST: usize = 6;

/// What waits for a person's word.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Locked {
    /// When it was gathered.
    pub at: Timestamp,
    /// Zone of the plant.
    pub zone: String,
    /// Values that people set, by line and week.
    pub locks: Vec<LockRow>,
    /// Questions that are open.
    pub questions: Vec<Question>,
}

/// How a person took a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenAs {
    /// Typed at the target: it stands there, and nothing is sent to the cell.
    Typed,
    /// Put back by an undo: it is sent, and new truth does not replace it.
    PutBack,
}

/// A value that a person set.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LockRow {
    /// How.
    pub taken: TakenAs,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// The product, where the cell has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The period.
    pub period: Period,
    /// Our name of the measure.
    pub measure: String,
    /// What the target calls it.
    pub surface: String,
    /// What it carries, where it is configured.
    #[serde(skip)]
    pub decl: Option<MeasureDecl>,
    /// Its unit, where it is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What stands in the plan, as it was read last; absent where nothing stands there, or
    /// nobody read it.
    pub in_plan: Option<Decimal>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// What Planthread would land; absent where a person's undo stands in place of it.
    pub would_land: Option<Decimal>,
    /// Who, as far as it is known.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
    /// It ends by itself.
    pub until: Timestamp,
    /// Zone of the line.
    pub zone: String,
    /// The cell.
    #[serde(skip)]
    pub key: CellKey,
    /// What it is about, and a digest of what it says.
    pub reference: Reference,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionAbout {
    /// Many cells that changed at once, or a doubt about the whole.
    Case,
    /// Figures that look like a fault of the mapping.
    Proportion,
    /// A measure that holds values which we never landed.
    Adoption,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Question {
    /// What it is about.
    pub about: QuestionAbout,
    /// The case's number, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// The case's kind, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseKind>,
    /// Our name of the measure, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// What the figures look like, where they are out of proportion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Digest of the mapping in force, which an answer names.
    #[serde(skip)]
    pub mapping: String,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// What the target calls the measure, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// One of the cells or places, with both figures.
    pub example: Example,
    /// Cells that it is about, where they are counted.
    pub cells: Option<u64>,
    /// Who is asked.
    pub ask: String,
    /// The question, in words.
    pub text: String,
    /// What it likely comes from, in words.
    pub cause: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// Whether its cells wait for the answer.
    pub holds: bool,
    /// What it is about, and a digest of what it says.
    pub reference: Reference,
}

/// One of the cells of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Example {
    /// The line, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// The period, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Both figures, in words.
    pub figures: String,
}

/// What a row is about, and a digest of what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Reference {
    /// What it is about.
    pub of: String,
    /// Digest of what it says.
    pub says: String,
}

impl LockRow {
    /// The line as the sheet has it, with the product where there is one.
    #[must_use]
    pub fn line_and_product(&self) -> String {
        match &self.product {
            Some(product) => format!("{}, {product}", self.line.line),
            None => self.line.line.to_string(),
        }
    }
}

impl Reference {
    fn new(of: String, says: &[String]) -> Self {
        let digest = Sha256::digest(says.join("\n"));
        let says = digest.iter().take(DIGEST).map(|byte| format!("{byte:02x}")).collect();
        Self { of, says }
    }

    /// Reads one as it stands in a sheet; `None` where it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (of, says) = text.trim().rsplit_once(' ')?;
        let hex = says.len() == 2 * DIGEST && says.bytes().all(|one| one.is_ascii_hexdigit());
        (hex && !of.is_empty()).then(|| Self { of: of.to_owned(), says: says.to_owned() })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.of, self.says)
    }
}

/// Gathers what waits for a person's word at `targets`.
///
/// # Errors
/// When the state or a record can't be read.
pub fn locked(
    loaded: &Loaded,
    reader: &Reader,
    targets: &[OpenTarget],
    now: Timestamp,
) -> Result<Locked, Failure> {
    let here = |name: &str| targets.iter().find(|target| target.name == name);
    let mut locks = Vec::new();
    for cell in ledger::locked_cells(reader, now)? {
        if let Some(target) = here(&cell.lock.key.target) {
            locks.push(lock_row(loaded, target, cell));
        }
    }
    locks.sort_by(|a, b| {
        (&a.target, &a.line, a.period, &a.surface).cmp(&(&b.target, &b.line, b.period, &b.surface))
    });
    let mut questions: Vec<Question> = ledger::open_cases(reader)?
        .into_iter()
        .filter(|case| here(&case.target).is_some())
        .map(of_case)
        .collect();
    let at = loaded.config.plant.as_of(now);
    for target in targets {
        let proportion = Proportion::of(loaded, reader, target, at)?;
        let mapping = proportion.mapping;
        questions.extend(
            proportion.asked.into_iter().map(|asked| of_proportion(target, asked, &mapping)),
        );
        let waits = NotAdopted::of(loaded, reader, &target.name, &target.config)?;
        questions.extend(waits.into_iter().map(|waits| of_adoption(target, waits)));
    }
    Ok(Locked { at: now, zone: loaded.config.plant.zone.clone(), locks, questions })
}

fn lock_row(loaded: &Loaded, target: &OpenTarget, cell: LockedCell) -> LockRow {
    let LockedCell { lock, wanted, seen } = cell;
    let Lock { key, kind, owner, reason, since, until } = lock;
    let line = Line { plant: key.location.clone(), line: key.resource.clone() };
    let zone = zones(loaded, &target.config, &BTreeSet::from([line.clone()])).remove(&line);
    let decl = target.config.measures.iter().find(|decl| decl.name == *key.measure).cloned();
    let (in_plan, read_at) = seen.map_or((None, None), |seen| (seen.value, Some(seen.at)));
    let (taken, would_land) = match kind {
        LockKind::Send => (TakenAs::Typed, Some(wanted)),
        LockKind::Pin => (TakenAs::PutBack, None),
    };
    let number =
        |value: Option<Decimal>| value.map_or("-".to_owned(), |v| v.normalize().to_string());
    let says = [
        number(in_plan),
        number(would_land),
        owner.clone(),
        reason.clone(),
        since.to_string(),
        until.to_string(),
    ];
    LockRow {
        taken,
        target: key.target.to_string(),
        scope: key.scope.to_string(),
        line,
        product: key.product.as_ref().map(ToString::to_string),
        period: key.period,
        measure: key.measure.to_string(),
        surface: decl.as_ref().map_or_else(|| key.measure.to_string(), |decl| decl.surface.clone()),
        unit: decl.as_ref().map(|decl| decl.unit),
        decl,
        in_plan,
        read_at,
        would_land,
        who: owner,
        why: reason,
        since,
        until,
        zone: zone.unwrap_or_else(|| loaded.config.plant.zone.clone()),
        reference: Reference::new(format!("lock {key}"), &says),
        key,
    }
}

fn of_case(case: Case) -> Question {
    let Case { id, target, scope, kind, owner, text, example, cells, opened_at, .. } = case;
    let says = [text.clone(), example.clone(), cells.to_string()];
    let reference = Reference::new(format!("case {id}"), &says);
    // It begins with how many cells it is about.
    let text = match text.split_once(" cells: ") {
        Some((number, question)) if number.parse::<u64>().is_ok() => question.to_owned(),
        _ => text,
    };
    Question {
        about: QuestionAbout::Case,
        number: Some(id),
        case: Some(kind),
        measure: None,
        fault: None,
        mapping: String::new(),
        target,
        scope,
        surface: None,
        example: example_of_cell(&example),
        cells: (cells > 0).then_some(cells),
        ask: owner,
        text,
        cause: cause(kind).to_owned(),
        since: Some(opened_at),
        holds: kind.holds(),
        reference,
    }
}

fn of_proportion(target: &OpenTarget, asked: Asked, mapping: &str) -> Question {
    let Asked { measure, fault, places, cells, example } = asked;
    let scope = target.scope.name().to_owned();
    let of = format!("question {}/{}/{measure}/{}", target.name, named(&scope), fault.word());
    let places: Vec<String> = places.into_iter().collect();
    let says = [cells.to_string(), places.join(","), example.clone(), mapping.to_owned()];
    let likely = fault.line().split(';').next().unwrap_or_default();
    Question {
        target: target.name.clone(),
        scope,
        surface: surface(target, &measure),
        example: example_of_place(&example),
        cells: u64::try_from(cells).ok(),
        ask: "keeper of the mapping".to_owned(),
        text: "out of proportion to what stands there; may they go out as they are?".to_owned(),
        cause: likely.to_owned(),
        since: None,
        holds: true,
        reference: Reference::new(of, &says),
        about: QuestionAbout::Proportion,
        number: None,
        case: None,
        measure: Some(measure),
        fault: Some(fault),
        mapping: mapping.to_owned(),
    }
}

fn of_adoption(target: &OpenTarget, waits: NotAdopted) -> Question {
    let NotAdopted { measure, surface, whole, example, .. } = waits;
    let scope = target.scope.name().to_owned();
    let of = format!("adoption {}/{}/{measure}", target.name, named(&scope));
    let says = [surface.clone(), whole.to_string(), example.clone()];
    Question {
        target: target.name.clone(),
        scope,
        surface: Some(surface),
        example: example_of_cell(&example),
        cells: None,
        ask: "planning lead".to_owned(),
        text: "values stand there that Planthread never landed; may it replace them?".to_owned(),
        cause: "somebody's own figures, of before Planthread".to_owned(),
        since: None,
        holds: true,
        reference: Reference::new(of, &says),
        about: QuestionAbout::Adoption,
        number: None,
        case: None,
        measure: Some(measure),
        fault: None,
        mapping: String::new(),
    }
}

/// What a case likely comes from.
const fn cause(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job => "another load or a copy operator writes these key figures",
        CaseKind::Mass => "a load, a copied version, or a change of many cells at once",
        CaseKind::Rounding => "the plan keeps fewer decimals than was agreed",
        CaseKind::Level => "a total is read in place of the value that is stored",
        CaseKind::Unknown => "many cells of one place were changed, and nobody knows by whom",
        CaseKind::Dropped => "the plan said that it took them, and does not have them",
        CaseKind::Doubled | CaseKind::Redoubled => {
            "something between Planthread and the plan sends again what was sent once"
        }
        CaseKind::SecondWriter => "another bridge writes to the same plan",
        CaseKind::Clock => "the clock of Planthread's machine, or that of the plan",
        CaseKind::Restored => "the state was put back from a copy",
        CaseKind::TakenBack => "somebody took back figures of a later instant",
    }
}

fn named(scope: &str) -> &str {
    if scope.is_empty() { "base" } else { scope }
}

fn surface(target: &OpenTarget, measure: &str) -> Option<String> {
    let decl = target.config.measures.iter().find(|decl| decl.name == measure)?;
    Some(decl.surface.clone())
}

/// `CELL: wanted 100, read 95`, as the ledger keeps it.
fn example_of_cell(text: &str) -> Example {
    let whole = || Example { figures: text.to_owned(), ..Example::default() };
    let Some((cell, figures)) = text.split_once(": ") else { return whole() };
    let Ok(key) = parse_cell(cell) else { return whole() };
    let figures = match figures.strip_prefix("wanted ").and_then(|rest| rest.split_once(", read "))
    {
        Some((wanted, read)) => format!("Planthread has {wanted}, the plan has {read}"),
        None => figures.to_owned(),
    };
    let line = Line { plant: key.location.clone(), line: key.resource.clone() };
    Example { line: Some(line), period: Some(key.period), figures }
}

/// `PLACE: both figures`, as a question has it.
fn example_of_place(text: &str) -> Example {
    let place = text.split_once(": ").and_then(|(place, figures)| {
        let (line, plant) = place.rsplit_once('@')?;
        let line = Line { plant: plant.into(), line: line.into() };
        Some(Example { line: Some(line), period: None, figures: figures.to_owned() })
    });
    place.unwrap_or_else(|| Example { figures: text.to_owned(), ..Example::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_told_in_the_words_of_a_plan() {
        let told = example_of_cell("ibp/base/LINE-1@1010/2026-W49/live: wanted 100.8, read 95");
        assert_eq!(told.figures, "Planthread has 100.8, the plan has 95");
        assert_eq!(told.line.unwrap().line, *"LINE-1");
        let receipt = example_of_cell("ibp/base/LINE-1@1010/2026-W49/live of receipt 7");
        assert_eq!((receipt.line, receipt.figures.contains("receipt 7")), (None, true));
        let place = example_of_place("LINE-1@1010: 7200.00 where 120.00 stands, factor 60.000");
        assert_eq!((place.line.unwrap().plant.as_str(), place.period), ("1010", None));
        assert!(place.figures.starts_with("7200.00 where"));
    }

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let one = Reference::new("lock a/base/L 1@P/2026-W49/live".to_owned(), &["95".to_owned()]);
        assert_eq!(Reference::read(&format!(" {one} ")), Some(one.clone()));
        let other = Reference::new(one.of.clone(), &["95.5".to_owned()]);
        assert_ne!(one, other);
        for no in ["", "lock", "lock a", "lock a 12345", "0123456789ab"] {
            assert_eq!(Reference::read(no), None, "{no}");
        }
    }
}
