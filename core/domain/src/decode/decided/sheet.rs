//! The rows of a sheet of decisions: all of them, or every fault that stands in them.
//!
//! A sheet with one fault is taken as little as one with a hundred: half of what a
//! person decided is what nobody decided.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime};

use super::{DecidedHours, HoursKind, OtherEnd, transfer};
use crate::{
    calendar::{LocalTimeError, resolve, zone},
    model::{Disambiguation, Plant, Source},
};

/// The columns of a sheet; the last two may be missing.
pub const COLUMNS: [&str; 9] =
    ["resource", "from", "to", "kind", "status", "reason", "who", "cycle", "moves_to"];

/// The columns that may be missing.
const OPTIONAL: [&str; 2] = ["cycle", "moves_to"];

/// The longest time of one decision, in milliseconds: a year, and a day for its leap.
const LONGEST_MS: i64 = 366 * 86_400_000;

/// What stands in one cell of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetCell {
    /// Text; empty where nothing stands there.
    Text(String),
    /// A date and time of a workbook, which knows no zone.
    Time(DateTime),
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its cells, in the order of the file.
    pub cells: Vec<SheetCell>,
}

/// Why a sheet is not taken: one fault of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFault {
    /// The row, from 1.
    pub row: u64,
    /// The column; empty when the whole row is at fault.
    pub column: String,
    /// Why.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

impl SheetCell {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// As people read it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Time(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }
}

impl SheetRow {
    /// Its text, for people.
    #[must_use]
    pub fn text(&self) -> String {
        self.cells.iter().map(SheetCell::text).collect::<Vec<_>>().join(",")
    }
}

/// What the rows of a sheet of `source` say; the first one is the header.
///
/// # Errors
/// Every fault, when there is one: then nothing of the sheet counts.
pub fn sheet_rows(
    rows: &[SheetRow],
    source: &Source,
    plant: &Plant,
) -> Result<Vec<DecidedHours>, Vec<SheetFault>> {
    let Some((header, rows)) = rows.split_first() else {
        let cure = format!("write the columns {} in its first row", COLUMNS.join(", "));
        return Err(vec![fault(1, "", "the sheet is empty", cure)]);
    };
    let columns = columns(header)?;
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| !row.cells.iter().all(SheetCell::is_empty)) {
        let reader = RowReader { row, columns: &columns, source, plant };
        match reader.read() {
            Ok(decided) => found.extend(decided.into_iter().map(|one| (row.number, one))),
            Err(theirs) => faults.extend(theirs),
        }
    }
    faults.extend(contradictions(&found));
    faults.extend(transfer::doubled(&found));
    if faults.is_empty() {
        Ok(found.into_iter().map(|(_, decided)| decided).collect())
    } else {
        faults.sort_by_key(|fault| fault.row);
        Err(faults)
    }
}

pub(super) fn fault(
    row: u64,
    column: &str,
    reason: impl Into<String>,
    cure: impl Into<String>,
) -> SheetFault {
    SheetFault { row, column: column.to_owned(), reason: reason.into(), cure: cure.into() }
}

/// Where each column stands.
fn columns(header: &SheetRow) -> Result<BTreeMap<&'static str, usize>, Vec<SheetFault>> {
    let (mut at, mut faults) = (BTreeMap::new(), Vec::new());
    let mut add = |column: &str, reason: String, cure: String| {
        faults.push(fault(header.number, column, reason, cure));
    };
    for (position, cell) in header.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let name = cell.text().to_lowercase();
        match COLUMNS.iter().find(|known| **known == name) {
            None => add(
                &cell.text(),
                "is no column of a sheet of decisions".to_owned(),
                format!("the columns are {}; a remark belongs to `reason`", COLUMNS.join(", ")),
            ),
            Some(known) if at.insert(*known, position).is_some() => {
                add(known, "stands in the header twice".to_owned(), "remove one".to_owned());
            }
            Some(_) => {}
        }
    }
    for missing in
        COLUMNS.iter().filter(|name| !OPTIONAL.contains(name) && !at.contains_key(**name))
    {
        let cure = format!("add it: the columns are {}", COLUMNS.join(", "));
        add(missing, "is missing in the header".to_owned(), cure);
    }
    if faults.is_empty() { Ok(at) } else { Err(faults) }
}

struct RowReader<'a> {
    row: &'a SheetRow,
    columns: &'a BTreeMap<&'static str, usize>,
    source: &'a Source,
    plant: &'a Plant,
}

type Cell<T> = Result<T, SheetFault>;

impl RowReader<'_> {
    /// The row: of a transfer both ends.
    fn read(&self) -> Result<Vec<DecidedHours>, Vec<SheetFault>> {
        let named = self.resource("resource");
        let zone = named.as_ref().ok().map(|(_, zone)| *zone);
        let (from, to) = (self.time("from", zone), self.time("to", zone));
        let order = match (&from, &to) {
            (Ok(from), Ok(to)) => self.order(*from, *to),
            _ => Ok(()),
        };
        let (kind, confirmed) = (self.kind(), self.confirmed());
        let (reason, who) = (self.needed("reason"), self.needed("who"));
        let cycle = Some(self.text("cycle")).filter(|cycle| !cycle.is_empty());
        let beyond = self.beyond();
        match (named, from, to, kind, confirmed, reason, who, (order, beyond)) {
            (
                Ok((resource, _)),
                Ok(from),
                Ok(to),
                Ok(kind),
                Ok(confirmed),
                Ok(reason),
                Ok(who),
                (Ok(()), Ok(())),
            ) => {
                let one = DecidedHours {
                    resource,
                    from,
                    to,
                    kind,
                    confirmed,
                    supposed: false,
                    reason,
                    who,
                    cycle,
                    other: None,
                };
                self.ends(one).map_err(|fault| vec![fault])
            }
            (named, from, to, kind, confirmed, reason, who, (order, beyond)) => {
                let texts = [reason.err(), who.err(), order.err(), beyond.err()];
                let all = [named.err(), from.err(), to.err(), kind.err(), confirmed.err()];
                Err(all.into_iter().chain(texts).flatten().collect())
            }
        }
    }

    fn cell(&self, column: &str) -> Option<&SheetCell> {
        self.row.cells.get(*self.columns.get(column)?)
    }

    fn text(&self, column: &str) -> String {
        self.cell(column).map(SheetCell::text).unwrap_or_default()
    }

    fn fault<T>(
        &self,
        column: &str,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) -> Cell<T> {
        Err(fault(self.row.number, column, reason, cure))
    }

    fn needed(&self, column: &str) -> Cell<String> {
        match self.text(column) {
            empty if empty.is_empty() => {
                self.fault(column, "is empty", "write it: a decision must be answered for")
            }
            text => Ok(text),
        }
    }

    /// The line or machine, and the zone in which it works.
    fn resource(&self, column: &str) -> Cell<(String, &str)> {
        let name = self.text(column);
        let id = self.source.reader.machines().get(&name).unwrap_or(&name);
        let line = self.plant.line(id).map(|line| &line.calendar);
        let calendar = line.or_else(|| self.plant.resource(id).map(|one| &one.calendar));
        match calendar.and_then(|calendar| self.plant.calendar(calendar)) {
            Some(calendar) => Ok((id.clone(), calendar.zone_in(self.plant))),
            None => self.fault(
                column,
                format!("`{name}` is no line or machine of the plant"),
                "write its id as under `lines` or `resources`, or map the name in the source's \
                 `machines`",
            ),
        }
    }

    /// The row by itself, or both ends of a transfer.
    fn ends(&self, one: DecidedHours) -> Cell<Vec<DecidedHours>> {
        let goes = self.text("moves_to");
        if one.kind != HoursKind::Transfer {
            return match goes.is_empty() {
                true => Ok(vec![one]),
                false => self.fault(
                    "moves_to",
                    format!("{} moves no hours to another line", one.kind.word()),
                    "leave it empty, or write transfer as the kind",
                ),
            };
        }
        if goes.is_empty() {
            return self.fault(
                "moves_to",
                "is empty: a transfer needs the line or machine that gets the hours",
                "write its id, or closed as the kind",
            );
        }
        let (to, _) = self.resource("moves_to")?;
        if let Err((column, reason, cure)) = transfer::movable(self.plant, &one, &to) {
            return self.fault(column, reason, cure);
        }
        let from = one.resource.clone();
        let gains =
            DecidedHours { resource: to.clone(), other: Some(OtherEnd::From(from)), ..one.clone() };
        Ok(vec![DecidedHours { other: Some(OtherEnd::To(to)), ..one }, gains])
    }

    fn time(&self, column: &str, of: Option<&str>) -> Cell<Timestamp> {
        const CURE: &str = "write the day and the time, as 2026-12-05 06:00, or with an offset \
                            2026-12-05 06:00+01:00";
        let local = match self.cell(column) {
            None => return self.fault(column, "is empty", CURE),
            Some(cell) if cell.is_empty() => return self.fault(column, "is empty", CURE),
            Some(SheetCell::Time(time)) if time.time() == jiff::civil::Time::midnight() => {
                return self.fault(
                    column,
                    format!(
                        "{} is a day without a time: whether it is meant as a whole can't be told",
                        time.date()
                    ),
                    format!("write the time too; midnight as text, {} 00:00", time.date()),
                );
            }
            Some(SheetCell::Time(time)) => *time,
            Some(SheetCell::Text(text)) => {
                let text = text.trim();
                let told = text.contains(':') && !text.contains('[');
                match (told.then(|| text.parse::<Timestamp>()), text.parse::<DateTime>()) {
                    (Some(Ok(instant)), _) => return Ok(instant),
                    (Some(Err(_)), Ok(local)) => local,
                    _ => {
                        return self.fault(column, format!("`{text}` is no day with a time"), CURE);
                    }
                }
            }
        };
        // Without its zone nothing can be said of it; the row is at fault anyway.
        let Some(name) = of else { return Ok(Timestamp::MIN) };
        let placed = zone(name).and_then(|zone| resolve(local, &zone, Disambiguation::Reject));
        match placed.map(Timestamp::from_millisecond) {
            Ok(Ok(instant)) => Ok(instant),
            Ok(Err(error)) => self.fault(column, error.to_string(), CURE),
            Err(LocalTimeError::Ambiguous { local, zone }) => {
                let local = local.strftime("%Y-%m-%d %H:%M");
                let reason = format!("the clocks of {zone} skip or repeat {local}");
                let cure = "write it with its offset, as 2026-10-25 02:30+01:00";
                self.fault(column, reason, cure)
            }
            Err(error) => self.fault(column, error.to_string(), CURE),
        }
    }

    fn order(&self, from: Timestamp, to: Timestamp) -> Cell<()> {
        if from == Timestamp::MIN || to == Timestamp::MIN {
            return Ok(());
        }
        let ms = to.as_millisecond() - from.as_millisecond();
        let (start, end) = (self.text("from"), self.text("to"));
        match ms {
            ms if ms <= 0 => self.fault(
                "to",
                format!("{end} is not after {start}"),
                "write the first instant that is not meant any more; past midnight it is on the \
                 next day",
            ),
            ms if ms > LONGEST_MS => self.fault(
                "to",
                format!("{end} is more than a year after {start}"),
                "correct the year, or change the calendar",
            ),
            _ => Ok(()),
        }
    }

    fn kind(&self) -> Cell<HoursKind> {
        let text = self.text("kind");
        let word = text.to_lowercase().replace(['_', '-'], " ");
        match HoursKind::ALL.iter().find(|kind| kind.word() == word) {
            Some(kind) => Ok(*kind),
            None => self.fault(
                "kind",
                format!("`{text}` is no kind of decision"),
                "write overtime, extra shift, closed or transfer",
            ),
        }
    }

    fn confirmed(&self) -> Cell<bool> {
        match self.text("status").to_lowercase().as_str() {
            "confirmed" => Ok(true),
            "proposed" => Ok(false),
            text => self.fault(
                "status",
                format!("`{text}` is neither proposed nor confirmed"),
                "write proposed or confirmed: only what is confirmed counts",
            ),
        }
    }

    /// A value that stands under no column would be lost.
    fn beyond(&self) -> Cell<()> {
        let known = |position: usize| self.columns.values().any(|at| *at == position);
        let mut cells = self.row.cells.iter().enumerate();
        match cells.find(|(position, cell)| !known(*position) && !cell.is_empty()) {
            Some((_, cell)) => self.fault(
                "",
                format!("`{}` stands under no column", cell.text()),
                "move it to its column; a text with a separator in it stands in quotes",
            ),
            None => Ok(()),
        }
    }
}

/// Confirmed rows of one line or machine of which one opens what the other closes.
fn contradictions(found: &[(u64, DecidedHours)]) -> Vec<SheetFault> {
    let mut of: BTreeMap<&str, Vec<&(u64, DecidedHours)>> = BTreeMap::new();
    for row in found.iter().filter(|(_, decided)| decided.confirmed) {
        of.entry(&row.1.resource).or_default().push(row);
    }
    let mut faults = Vec::new();
    for (resource, mut rows) in of {
        rows.sort_by_key(|(number, decided)| (decided.from, *number));
        // Where what opens and what closes reach so far, with the row of it.
        let mut reach: [Option<(Timestamp, u64)>; 2] = [None, None];
        for (number, decided) in rows {
            let (own, other) = (usize::from(decided.closes()), usize::from(!decided.closes()));
            if let Some((_, before)) = reach[other].filter(|(end, _)| *end > decided.from) {
                let (first, last) = (before.min(*number), before.max(*number));
                faults.push(fault(
                    last,
                    "kind",
                    format!("contradicts row {first}: {resource} is closed and works at one time"),
                    "correct the times, or leave one of them proposed",
                ));
            }
            if reach[own].is_none_or(|(end, _)| end < decided.to) {
                reach[own] = Some((decided.to, *number));
            }
        }
    }
    faults
}
