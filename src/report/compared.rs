//! Two sides of the same cells, for people: what was known then and is known now, or what
//! another configuration would land.

use jiff::Timestamp;
use planthread_contracts::{Carries, Status, Unit};
use planthread_engine::ledger::mapped::Edit;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, View, gap::words, reject_sheet::unit, text_table::count};
use crate::pipeline::compared::{AsOf, Difference, MeasureTotal, Replayed};

/// Differences that people see of a measure whose hours are split.
const SHOWN: usize = 20;
/// And of any other.
const SHOWN_OF_OTHERS: usize = 5;
/// Changes of a configuration that people see.
const EDITS_SHOWN: usize = 10;

impl View for Difference {
    const OUTPUT: &'static str = "difference";

    fn write(&self, text_table: &mut TextTable) {
        table(text_table, std::slice::from_ref(self));
    }
}

/// The answer of `asof`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AsOfView {
    /// Now.
    pub at: Timestamp,
    /// The instant before: what was known as of it is compared.
    pub was: Timestamp,
    /// The instant after; absent where that is now.
    pub is: Option<Timestamp>,
    /// Target by target.
    pub targets: Vec<AsOf>,
}

impl AsOfView {
    /// Whether any value is another one.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.targets.iter().any(|one| one.differing() > 0)
    }
}

impl View for AsOfView {
    const OUTPUT: &'static str = "asof";

    fn write(&self, text_table: &mut TextTable) {
        for one in &self.targets {
            let (known, differing) = (all(&one.measures), one.differing());
            let headline = match (one.as_of.was, differing) {
                (None, _) => format!("{}: nothing was known then.", one.target),
                (_, 0) => format!("{}: every value is what it was, {known} in all.", one.target),
                (_, some) => {
                    let are = if some == 1 { "is another" } else { "are others" };
                    format!("{}: {some} of {} {are} than then.", one.target, count(known, "value"))
                }
            };
            text_table.line(text_table.tint(Tone::Bold, &headline));
            let told = |at: Option<Timestamp>| {
                at.map_or("nothing".to_owned(), |at| words::local(at, &one.zone))
            };
            let now = if self.is.is_none() { "now" } else { "after" };
            let sides =
                format!("  then as of {}; {now} as of {}", told(one.as_of.was), told(one.as_of.is));
            text_table.line(text_table.tint(Tone::Dim, &sides));
            if one.as_of.was.is_none() {
                continue;
            }
            if one.left > 0 {
                let cells = count(one.left, "value");
                text_table.line(format!(
                    "  {cells} left the plan, and when is not kept: compared with nothing"
                ));
            }
            totals(text_table, &one.measures, ["Gone", "New"]);
            largest(text_table, &one.measures);
        }
    }
}

/// A configuration that was replayed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplayedConfig {
    /// Its file.
    pub file: String,
    /// The profile that was laid over it.
    pub profile: Option<String>,
    /// Digest of what it says.
    pub digest: String,
    /// Records of the journal that its sources can't read.
    pub undecoded: u64,
    /// Targets that the other one does not have.
    pub targets_alone: Vec<String>,
}

/// The answer of `replay`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplayedView {
    /// Now.
    pub at: Timestamp,
    /// The instant for which both were derived.
    pub as_of: Timestamp,
    /// Records that had arrived by then count; absent where all of them do.
    pub arrived_by: Option<Timestamp>,
    /// The configuration in force.
    pub was: ReplayedConfig,
    /// The other one.
    pub is: ReplayedConfig,
    /// The targets that both have.
    pub targets: Vec<Replayed>,
    /// Whether people see the differences one by one.
    #[serde(skip)]
    pub one_by_one: bool,
}

impl ReplayedView {
    /// Whether any value would be another one.
    #[must_use]
    pub fn differs(&self) -> bool {
        let alone = [&self.was, &self.is].iter().any(|one| !one.targets_alone.is_empty());
        alone || self.targets.iter().any(|one| one.differing() > 0)
    }

    fn origin(&self, text_table: &mut TextTable, zone: &str) {
        let as_of = words::local(self.as_of, zone);
        let records = match self.arrived_by {
            None => "from all records".to_owned(),
            Some(by) => format!("from the records that had arrived by {}", words::local(by, zone)),
        };
        let origin =
            format!("  as of {as_of}, {records}; nothing is held back as not worth landing");
        text_table.line(text_table.tint(Tone::Dim, &origin));
        for one in [&self.was, &self.is] {
            if one.undecoded > 0 {
                let records = count(one.undecoded, "record");
                text_table
                    .line(format!("  {}: {records} can't be read as its sources say", one.file));
            }
            if !one.targets_alone.is_empty() {
                let names = one.targets_alone.join(", ");
                text_table.line(format!("  {} alone has: {names}", one.file));
            }
        }
    }
}

impl View for ReplayedView {
    const OUTPUT: &'static str = "replay";

    fn write(&self, text_table: &mut TextTable) {
        if self.was.digest == self.is.digest {
            text_table.line("Both configurations say the same.");
        }
        for one in &self.targets {
            let (known, differing) = (all(&one.measures), one.differing());
            let headline = match differing {
                0 => format!("{}: the same would land, {known} in all.", one.target),
                some => {
                    let values = count(known, "value");
                    format!("{}: {some} of {values} would be others.", one.target)
                }
            };
            text_table.line(text_table.tint(Tone::Bold, &headline));
            self.origin(text_table, &one.zone);
            edits(text_table, &one.edits);
            if one.withheld_count > 0 {
                let figures = count(one.withheld_count, "figure");
                text_table.line(format!("  {figures} would be held back by the other alone:"));
                for held in one.withheld.iter().take(SHOWN_OF_OTHERS) {
                    let (source, period, why) = (&held.source, held.period, &held.reason);
                    text_table.line(format!("    {source} {period} {}: {why}", held.measure));
                }
            }
            totals(text_table, &one.measures, ["Only here", "Only there"]);
            if self.one_by_one {
                largest(text_table, &one.measures);
            }
        }
    }
}

/// Values on either side.
fn all(measures: &[MeasureTotal]) -> u64 {
    measures.iter().map(|one| one.compared + one.only_was + one.only_is).sum()
}

fn edits(text_table: &mut TextTable, edits: &[Edit]) {
    if edits.is_empty() {
        return;
    }
    text_table.line("  What differs in mapping, measures and resources:");
    for edit in edits.iter().take(EDITS_SHOWN) {
        text_table.line(format!("    {edit}"));
    }
    if edits.len() > EDITS_SHOWN {
        text_table.line(format!("    and {} more, with --json", edits.len() - EDITS_SHOWN));
    }
}

fn totals(text_table: &mut TextTable, measures: &[MeasureTotal], alone: [&str; 2]) {
    let row = |one: &MeasureTotal| {
        let sum = |value: Option<Decimal>| signed(one.unit, value);
        [
            named(&one.surface, &one.measure),
            unit(one.unit).to_owned(),
            one.compared.to_string(),
            one.differ.to_string(),
            one.only_was.to_string(),
            one.only_is.to_string(),
            sum(one.more),
            sum(one.less),
            sum(one.net()),
        ]
    };
    let rows: Vec<[String; 9]> = measures.iter().map(row).collect();
    let [was, is] = alone;
    let head = ["Measure", "Unit", "Compared", "Differ", was, is, "More", "Less", "In all"];
    text_table.table(head, &rows);
}

/// The differences of each measure, the largest first.
fn largest(text_table: &mut TextTable, measures: &[MeasureTotal]) {
    for one in measures {
        let split = one.largest.iter().any(|one| one.split.is_some());
        let shown = if split { SHOWN } else { SHOWN_OF_OTHERS };
        let rows = &one.largest[..one.largest.len().min(shown)];
        if rows.is_empty() {
            continue;
        }
        let (name, unit) = (named(&one.surface, &one.measure), unit(one.unit));
        text_table.line("");
        text_table.line(text_table.tint(Tone::Bold, &format!("  {name}, {unit}")));
        table(text_table, rows);
        let more = one.differing().saturating_sub(rows.len() as u64);
        if more > 0 {
            text_table.line(format!("  and {more} more, with --json"));
        }
    }
}

fn table(text_table: &mut TextTable, rows: &[Difference]) {
    let row = |one: &Difference| {
        let line = match &one.product {
            Some(product) => format!("{} ({product})", one.line),
            None => one.line.to_string(),
        };
        let change = one.change.filter(|_| one.carries != Carries::Status);
        [
            one.plant.to_string(),
            line,
            words::week(one.period),
            value(one, one.was),
            value(one, one.is),
            signed(one.unit, change),
            why(one),
        ]
    };
    let rows: Vec<[String; 7]> = rows.iter().map(row).collect();
    text_table.table(["Plant", "Line", "Week", "Was", "Is", "Difference", "Why"], &rows);
}

/// `TWINCAPALIVE (live)`: the target's name first.
fn named(surface: &str, measure: &str) -> String {
    if surface == measure { surface.to_owned() } else { format!("{surface} ({measure})") }
}

fn value(one: &Difference, value: Option<Decimal>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let code = value.to_i64().filter(|_| one.carries == Carries::Status);
    match code {
        Some(code) => words::status(Status::from_code(code)).to_owned(),
        None if one.unit.is_time() => format!("{value:.2}"),
        None => value.to_string(),
    }
}

/// By how much something moved.
fn signed(unit: Unit, value: Option<Decimal>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if unit.is_time() => format!("{value:+.2}"),
        Some(value) => format!("{value:+}"),
    }
}

fn why(one: &Difference) -> String {
    let split = one.split.as_ref().map(|split| split.words());
    let all: Vec<String> =
        split.into_iter().chain([one.remark.clone()]).filter(|one| !one.is_empty()).collect();
    if all.is_empty() { "-".to_owned() } else { all.join("; ") }
}
