//! Rows in the hour that the clocks repeat: which of the two passes they are of,
//! as far as the order of their file tells.
//!
//! A clock rises: of all ways to place the rows of a file in time, only those
//! count in which none is earlier than the one before it, and none later than its
//! arrival. A row that has the same place in the earliest and in the latest of
//! them is told; every other one is left to be refused. Rows of all machines are
//! one order when the file mixes them and rises as a whole, else each machine has
//! its own. A file whose newest row stands first is read from its end.
//!
//! A file is read as a stream: of the rows between two hours that are repeated,
//! only those are kept that can decide something.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
};

use jiff::Timestamp;
use planthread_contracts::RawRecord;

use super::{
    TimeReader,
    rows::{Layout, second_pass_id, split, tells_time_in_its_id},
    time::{Meaning, Pass},
    version::parameter,
};
use crate::model::{Source, SourceFormat};

/// Parameter of a record's media type: of which pass its local time is.
const PASS: &str = "repeated-hour";

/// Most rows of one file that are kept to tell its passes: far more than a plant
/// tells in one hour.
pub const ROWS_MAX: usize = 1 << 20;

/// The passes of the rows that a file tells, by line.
#[derive(Debug, Default)]
pub struct Passes(BTreeMap<u64, Pass>);

/// One row that tells a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    line: u64,
    machine: usize,
    meaning: Meaning,
}

impl Row {
    const fn earliest(&self) -> i64 {
        match self.meaning {
            Meaning::One(at) | Meaning::Two(at, _) => at,
        }
    }

    const fn latest(&self) -> i64 {
        match self.meaning {
            Meaning::One(at) | Meaning::Two(_, at) => at,
        }
    }
}

impl Passes {
    /// Notes beside `record`, a row of `source`, of which pass it is, where that
    /// is told.
    pub fn note(&self, record: &mut RawRecord, source: &Source) {
        let word = match self.0.get(&record.origin.line) {
            None => return,
            Some(Pass::First) => "first",
            Some(Pass::Second) => "second",
        };
        record.media_type.push_str(&format!(";{PASS}={word}"));
        if word == "second" && tells_time_in_its_id(source) {
            record.id = second_pass_id(&record.body, source).unwrap_or_default();
        }
    }
}

/// Tells which rows of a source are of the hour that the clocks repeat.
#[derive(Debug)]
pub struct RepeatedHour<'a> {
    layout: Layout<'a>,
    time: TimeReader,
    time_at: usize,
    machine_at: usize,
    /// No machine has two rows of one instant.
    one_each: bool,
    /// How far a row may be ahead of its arrival, in milliseconds.
    ahead: i64,
}

impl<'a> RepeatedHour<'a> {
    /// Of `source`; `None` where each of its times is one instant by itself.
    #[must_use]
    pub fn of(source: &'a Source) -> Option<Self> {
        let (time, columns, one_each) = match &source.reader {
            SourceFormat::MachineEvents(r) => {
                (&r.time, (&r.columns.time, &r.columns.machine), false)
            }
            SourceFormat::Counts(r) => (&r.time, (&r.columns.time, &r.columns.machine), true),
            SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return None,
        };
        let layout = Layout::of(&source.reader)?;
        let time = TimeReader::new(time).ok().filter(TimeReader::asks_the_file)?;
        let (time_at, machine_at) = (layout.position(columns.0)?, layout.position(columns.1)?);
        let ahead = i64::from(source.plausible.ahead_minutes) * 60_000;
        Some(Self { layout, time, time_at, machine_at, one_each, ahead })
    }

    /// Whether the time of `row` is two instants: only the rows around it tell
    /// which.
    #[must_use]
    pub fn holds(&self, row: &[u8]) -> bool {
        let mut fields = csv::ByteRecord::new();
        matches!(self.meaning(row, &mut fields), Some(Meaning::Two(..)))
    }

    fn meaning(&self, row: &[u8], fields: &mut csv::ByteRecord) -> Option<Meaning> {
        split(row.trim_ascii_end(), self.layout.separator, fields)?;
        let text = std::str::from_utf8(fields.get(self.time_at)?).ok()?;
        self.time.meaning(text.trim())
    }

    /// Begins to read a file that arrived at `received_at`.
    #[must_use]
    pub fn file(&self, received_at: Timestamp) -> FileOrder<'_> {
        FileOrder {
            hour: self,
            until: received_at.as_millisecond() + self.ahead,
            fields: csv::ByteRecord::new(),
            machines: HashMap::new(),
            order: Order::default(),
            first: BTreeMap::new(),
        }
    }
}

/// The rows of a file, as far as they tell the passes of some of them.
#[derive(Debug)]
pub struct FileOrder<'a> {
    hour: &'a RepeatedHour<'a>,
    /// The last instant that a row can be of, in milliseconds.
    until: i64,
    fields: csv::ByteRecord,
    machines: HashMap<Vec<u8>, usize>,
    order: Order,
    /// Rows that are of the first pass, because the second is yet to come.
    first: BTreeMap<u64, Pass>,
}

impl FileOrder<'_> {
    /// Reads the next row of the file; false when there are too many that would
    /// have to be kept.
    #[must_use]
    pub fn read(&mut self, line: u64, row: &[u8]) -> bool {
        let Some(mut meaning) = self.hour.meaning(row, &mut self.fields) else { return true };
        let name = self.fields.get(self.hour.machine_at).unwrap_or_default();
        let next = self.machines.len();
        let machine = match self.machines.get(name) {
            Some(machine) => *machine,
            None => *self.machines.entry(name.to_vec()).or_insert(next),
        };
        if let Meaning::Two(first, second) = meaning
            && second > self.until
        {
            meaning = Meaning::One(first);
            self.first.insert(line, Pass::First);
        }
        self.order.push(Row { line, machine, meaning });
        self.order.rows.len() + self.first.len() <= ROWS_MAX
    }

    /// What the file told.
    #[must_use]
    pub fn passes(mut self) -> Passes {
        self.order.end_stretch();
        let rows: Vec<Row> = self.order.rows.into_values().collect();
        if rows.iter().any(|row| matches!(row.meaning, Meaning::Two(..))) {
            self.first.extend(told(rows, self.hour.one_each));
        }
        Passes(self.first)
    }
}

/// The rows that decide where others are placed: those of two meanings; around
/// them, the nearest of one meaning, of all machines and of each; and of all
/// rows the first two that rise, and the first two that fall.
#[derive(Debug, Default)]
struct Order {
    rows: BTreeMap<u64, Row>,
    /// The last row of each machine since the last one of two meanings.
    last: HashMap<usize, Row>,
    all: Course,
    each: HashMap<usize, Course>,
}

/// How rows of one meaning follow one another.
#[derive(Debug, Default)]
struct Course {
    last: Option<Row>,
    rises: bool,
    falls: bool,
    stands: bool,
}

impl Course {
    /// The row before `row`, where they are the first two that follow one another
    /// in their way.
    fn follows(&mut self, row: Row) -> Option<Row> {
        let last = self.last.replace(row)?;
        let seen = match row.earliest().cmp(&last.earliest()) {
            Ordering::Greater => &mut self.rises,
            Ordering::Less => &mut self.falls,
            Ordering::Equal => &mut self.stands,
        };
        (!std::mem::replace(seen, true)).then_some(last)
    }
}

impl Order {
    fn push(&mut self, row: Row) {
        if matches!(row.meaning, Meaning::Two(..)) {
            self.end_stretch();
            self.rows.insert(row.line, row);
            return;
        }
        let courses = [&mut self.all, self.each.entry(row.machine).or_default()];
        for before in courses.into_iter().filter_map(|course| course.follows(row)) {
            self.rows.extend([(before.line, before), (row.line, row)]);
        }
        match self.last.entry(row.machine) {
            Entry::Vacant(first) => {
                first.insert(row);
                self.rows.insert(row.line, row);
            }
            Entry::Occupied(mut last) => *last.get_mut() = row,
        }
    }

    fn end_stretch(&mut self) {
        self.rows.extend(self.last.drain().map(|(_, row)| (row.line, row)));
    }
}

/// The pass that stands beside a record.
pub(super) fn pass_of(record: &RawRecord) -> Option<Pass> {
    match parameter(&record.media_type, PASS)? {
        "first" => Some(Pass::First),
        "second" => Some(Pass::Second),
        _ => None,
    }
}

/// The passes that the order of `rows` tells. `one_each`: no machine has two rows
/// of one instant.
fn told(mut rows: Vec<Row>, one_each: bool) -> BTreeMap<u64, Pass> {
    let known: Vec<i64> = rows
        .iter()
        .filter(|row| matches!(row.meaning, Meaning::One(_)))
        .map(Row::earliest)
        .collect();
    let (rises, falls) = (known.is_sorted(), known.is_sorted_by(|a, b| a >= b));
    if falls && !rises {
        rows.reverse();
    }
    if (rises || falls) && mixes(&rows) {
        let all: Vec<&Row> = rows.iter().collect();
        if let Some(told) = placed(&all, one_each) {
            return told;
        }
    }
    let mut machines: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        machines.entry(row.machine).or_default().push(row);
    }
    let each = machines.values().filter_map(|rows| placed(rows, one_each));
    each.flatten().collect()
}

/// Whether rows of several machines are told as they happened, and not machine
/// by machine: one comes again after another one. A single machine does, too.
fn mixes(rows: &[Row]) -> bool {
    let mut seen = HashSet::new();
    let mut last = None;
    let mut again = false;
    for row in rows {
        again |= last != Some(row.machine) && !seen.insert(row.machine);
        last = Some(row.machine);
    }
    again || seen.len() == 1
}

/// The passes of the rows that have one place only; `None` when no order of
/// rising times fits.
fn placed(rows: &[&Row], one_each: bool) -> Option<BTreeMap<u64, Pass>> {
    let apart = i64::from(one_each);
    let (mut earliest, mut latest) = (Vec::with_capacity(rows.len()), Vec::new());
    let (mut before, mut of) = (i64::MIN, HashMap::new());
    for row in rows {
        let own = of.get(&row.machine).map_or(i64::MIN, |at: &i64| at + apart);
        let least = before.max(own);
        let at = [row.earliest(), row.latest()].into_iter().find(|at| *at >= least)?;
        before = at;
        of.insert(row.machine, at);
        earliest.push(at);
    }
    let (mut after, mut of) = (i64::MAX, HashMap::new());
    for row in rows.iter().rev() {
        let own = of.get(&row.machine).map_or(i64::MAX, |at: &i64| at - apart);
        let most = after.min(own);
        let at = [row.latest(), row.earliest()].into_iter().find(|at| *at <= most)?;
        after = at;
        of.insert(row.machine, at);
        latest.push(at);
    }
    latest.reverse();
    let sure = rows.iter().zip(earliest.into_iter().zip(latest));
    let pass = sure.filter_map(|(row, (early, late))| match row.meaning {
        Meaning::Two(first, _) if early == late => {
            Some((row.line, if early == first { Pass::First } else { Pass::Second }))
        }
        Meaning::Two(..) | Meaning::One(_) => None,
    });
    Some(pass.collect())
}

#[cfg(test)]
mod tests;
