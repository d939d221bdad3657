//! Rows in the hour that the clocks repeat: which of the two passes they are of,
//! as far as the order of their file tells.
//!
//! A clock rises: of all ways to place the rows of a file in time, only those
//! count in which none is earlier than the one before it, and none later than its
//! arrival. A row that has the same place in the earliest and in the latest of
//! them is told; every other one is left to be refused. Rows of all machines are
//! one order when the file mixes them and rises as a whole, else each machine has
//! its own. A file whose newest row stands first is read from its end.

use std::collections::{BTreeMap, HashMap, HashSet};

use planthread_contracts::RawRecord;

use super::{
    TimeReader,
    rows::{Layout, split},
    time::{Meaning, Pass},
    version::parameter,
};
use crate::model::{Source, SourceFormat};

/// Parameter of a record's media type: of which pass its local time is.
const PASS: &str = "repeated-hour";

/// The passes of the rows that the file tells, by line.
#[derive(Debug, Default)]
pub(super) struct Passes(BTreeMap<u64, Pass>);

/// One row that tells a time.
#[derive(Debug, Clone, Copy)]
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
    /// What the file `text` of `source` tells. `until` is the last instant that
    /// a row can be of, in milliseconds.
    pub(super) fn of(text: &[u8], source: &Source, layout: Layout<'_>, until: i64) -> Self {
        let (time, columns, one_each) = match &source.reader {
            SourceFormat::MachineEvents(r) => {
                (&r.time, (&r.columns.time, &r.columns.machine), false)
            }
            SourceFormat::Counts(r) => (&r.time, (&r.columns.time, &r.columns.machine), true),
            SourceFormat::Cloudevents(_) => return Self::default(),
        };
        let Ok(time) = TimeReader::new(time) else { return Self::default() };
        if !time.asks_the_file() {
            return Self::default();
        }
        let mut rows = read(text, layout, &time, columns);
        if !rows.iter().any(|row| matches!(row.meaning, Meaning::Two(..))) {
            return Self::default();
        }
        // What would be of the future is of the first pass.
        let mut passes = BTreeMap::new();
        for row in &mut rows {
            if let Meaning::Two(first, second) = row.meaning
                && second > until
            {
                row.meaning = Meaning::One(first);
                passes.insert(row.line, Pass::First);
            }
        }
        passes.extend(told(rows, one_each));
        Self(passes)
    }

    /// Notes beside `record` of which pass it is, where that is told.
    pub(super) fn note(&self, record: &mut RawRecord) {
        let word = match self.0.get(&record.origin.line) {
            None => return,
            Some(Pass::First) => "first",
            Some(Pass::Second) => "second",
        };
        record.media_type.push_str(&format!(";{PASS}={word}"));
    }

    /// Whether the row of `line` is of the second pass.
    pub(super) fn is_second(&self, line: u64) -> bool {
        self.0.get(&line) == Some(&Pass::Second)
    }
}

/// Tells which rows of a source are of the hour that the clocks repeat.
#[derive(Debug)]
pub struct RepeatedHour<'a> {
    layout: Layout<'a>,
    time: TimeReader,
    at: usize,
}

impl<'a> RepeatedHour<'a> {
    /// Of `source`; `None` where each of its times is one instant by itself.
    #[must_use]
    pub fn of(source: &'a Source) -> Option<Self> {
        let (time, column) = match &source.reader {
            SourceFormat::MachineEvents(r) => (&r.time, &r.columns.time),
            SourceFormat::Counts(r) => (&r.time, &r.columns.time),
            SourceFormat::Cloudevents(_) => return None,
        };
        let layout = Layout::of(&source.reader)?;
        let time = TimeReader::new(time).ok().filter(TimeReader::asks_the_file)?;
        Some(Self { layout, time, at: layout.position(column)? })
    }

    /// Whether the time of `row` is two instants: only the rows around it tell
    /// which.
    #[must_use]
    pub fn holds(&self, row: &[u8]) -> bool {
        let mut fields = csv::ByteRecord::new();
        let read = split(row, self.layout.separator, &mut fields);
        let time = read.and_then(|()| std::str::from_utf8(fields.get(self.at)?).ok());
        let meaning = time.and_then(|text| self.time.meaning(text.trim()));
        matches!(meaning, Some(Meaning::Two(..)))
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

/// The rows of a file that tell a time, in its order.
fn read(
    text: &[u8],
    layout: Layout<'_>,
    time: &TimeReader,
    (time_column, machine_column): (&String, &String),
) -> Vec<Row> {
    let (Some(time_at), Some(machine_at)) =
        (layout.position(time_column), layout.position(machine_column))
    else {
        return Vec::new();
    };
    let mut fields = csv::ByteRecord::new();
    let mut machines: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut rows = Vec::new();
    for (line, body) in (1_u64..).zip(text.split(|byte| *byte == b'\n')) {
        if split(body.trim_ascii_end(), layout.separator, &mut fields).is_none() {
            continue;
        }
        let cell = |at: usize| fields.get(at).and_then(|cell| std::str::from_utf8(cell).ok());
        let Some(meaning) = cell(time_at).and_then(|text| time.meaning(text.trim())) else {
            continue;
        };
        let name = fields.get(machine_at).unwrap_or_default();
        let next = machines.len();
        let machine = match machines.get(name) {
            Some(machine) => *machine,
            None => *machines.entry(name.to_vec()).or_insert(next),
        };
        rows.push(Row { line, machine, meaning });
    }
    rows
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
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        decode::{decode, rows::rows},
        fixture,
        model::Plant,
    };

    fn plant() -> Plant {
        let mut plant = fixture::plant();
        for source in &mut plant.sources {
            let time = match &mut source.reader {
                SourceFormat::MachineEvents(reader) => &mut reader.time,
                SourceFormat::Counts(reader) => &mut reader.time,
                SourceFormat::Cloudevents(_) => continue,
            };
            time.zone = Some("Europe/Berlin".into());
        }
        plant
    }

    const EVENTS: (usize, &str) = (0, "time,machine,event");
    const COUNTS: (usize, &str) = (1, "hour_start,machine,parts_total");

    /// What becomes of each row, given as `HH:MM machine what` of the night to 25
    /// October: its time in UTC, or that it is refused.
    fn read_at(now: &str, (source, header): (usize, &str), night: &[&str]) -> Vec<String> {
        let plant = plant();
        let row = |text: &&str| {
            let mut parts = text.split(' ');
            let mut part = || parts.next().unwrap_or("restored");
            format!("2026-10-25T{}:00,{},{}\n", part(), part(), part())
        };
        let text = format!("{header}\n{}", night.iter().map(row).collect::<String>());
        let now: Timestamp = now.parse().unwrap();
        let records = rows(text.as_bytes(), &plant.sources[source], "f.csv", now);
        let of = |record: RawRecord| match decode(&record, &plant) {
            Ok(facts) => {
                let counts = facts.counts.iter().map(|fact| fact.interval.start);
                let at = facts.states.iter().map(|fact| fact.at).chain(counts).next().unwrap();
                let at = Timestamp::from_millisecond(at).unwrap();
                at.strftime("%H:%M").to_string()
            }
            Err(refused) => {
                assert!(refused.reason.contains("the order of the file"), "{refused:?}");
                "?".to_owned()
            }
        };
        records.map(|record| of(record.unwrap())).collect()
    }

    fn read(of: (usize, &str), night: &[&str]) -> Vec<String> {
        read_at("2026-10-26T00:00:00Z", of, night)
    }

    #[test]
    fn where_the_clock_falls_back_the_second_pass_begins() {
        let night = ["01:50 M1", "02:10 M1", "02:40 M1", "02:05 M1", "02:50 M1", "03:10 M1"];
        let right = ["23:50", "00:10", "00:40", "01:05", "01:50", "02:10"];
        assert_eq!(read(EVENTS, &night), right);
        // Without its neighbours, too, and with the newest row first.
        assert_eq!(read(EVENTS, &night[1..5]), right[1..5]);
        let (mut turned, mut told) = (night, right);
        turned.reverse();
        told.reverse();
        assert_eq!(read(EVENTS, &turned), told);
    }

    #[test]
    fn what_no_row_decides_is_refused() {
        assert_eq!(read(EVENTS, &["02:30 M1"]), ["?"]);
        assert_eq!(read(EVENTS, &["01:50 M1", "02:30 M1", "03:10 M1"]), ["23:50", "?", "02:10"]);
        // A stop of no time, or of an hour.
        assert_eq!(read(EVENTS, &["02:30 M1 failure", "02:30 M1 restored"]), ["?", "?"]);
        // A clock that falls back twice is no clock.
        assert_eq!(read(EVENTS, &["02:40 M1", "02:20 M1", "02:10 M1"]), ["?", "?", "?"]);
        // After three o'clock it is too late.
        assert_eq!(read(EVENTS, &["03:10 M1", "02:30 M1", "03:20 M1"]), ["02:10", "?", "02:20"]);
    }

    #[test]
    fn a_counter_has_one_reading_an_hour() {
        let night = ["01:00 M1 1", "02:00 M1 2", "02:00 M1 2", "03:00 M1 4"];
        assert_eq!(read(COUNTS, &night), ["23:00", "00:00", "01:00", "02:00"]);
        // The second reading says the same, and is no copy of the first.
        let (plant, now) = (plant(), "2026-10-26T00:00:00Z".parse().unwrap());
        let text =
            "hour_start,machine,parts_total\n2026-10-25T02:00:00,M1,2\n2026-10-25T02:00:00,M1,2\n";
        let ids: HashSet<String> = rows(text.as_bytes(), &plant.sources[1], "c.csv", now)
            .map(|row| row.unwrap().id)
            .collect();
        assert_eq!(ids.len(), 2);
    }

    #[test]
    fn machines_share_a_clock_only_where_the_file_mixes_them() {
        // M2's only row comes after the clock has fallen back.
        let mixed = ["01:30 M1", "01:40 M2", "01:45 M1", "02:40 M1", "02:05 M2", "03:10 M1"];
        let told = ["23:30", "23:40", "23:45", "00:40", "01:05", "02:10"];
        assert_eq!(read(EVENTS, &mixed), told);
        // Machine by machine, nothing fell back between the two.
        let grouped = ["02:10 M1", "02:40 M1", "02:05 M2", "02:50 M2"];
        assert_eq!(read(EVENTS, &grouped), ["?"; 4]);
        let own = ["02:40 M1", "02:10 M1", "02:45 M2", "02:05 M2"];
        assert_eq!(read(EVENTS, &own), ["00:40", "01:10", "00:45", "01:05"]);
    }

    #[test]
    fn what_would_be_of_the_future_is_of_the_first_pass() {
        let at = |now| read_at(now, EVENTS, &["02:30 M1 failure", "02:50 M1 restored"]);
        assert_eq!(at("2026-10-25T00:55:00Z"), ["00:30", "00:50"]);
        // The second one is of the first pass, so the first one is, too.
        assert_eq!(at("2026-10-25T01:30:00Z"), ["00:30", "00:50"]);
        assert_eq!(at("2026-10-25T02:00:00Z"), ["?", "?"]);
    }

    /// Rows of the night, each of a true instant, in the order in which they
    /// happened: what is told is true, and what is refused could be either.
    #[test]
    fn what_the_file_tells_of_any_night_is_true() {
        let mut seed = 11_u64;
        let mut random = move |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut told, mut refused) = (0, 0);
        for _ in 0..2_000 {
            let mut truth: Vec<u64> = (0..=random(7)).map(|_| random(240)).collect();
            truth.sort_unstable();
            let machines: Vec<u64> = truth.iter().map(|_| random(2) + 1).collect();
            // Minutes since 23:00Z: local 01:00, and 02:00 again after two hours.
            let local = |minute: u64| minute + if minute < 120 { 60 } else { 0 };
            let night: Vec<String> = truth
                .iter()
                .zip(&machines)
                .map(|(minute, machine)| {
                    let (hour, minute) = (local(*minute) / 60, local(*minute) % 60);
                    format!("{hour:02}:{minute:02} M{machine}")
                })
                .collect();
            let night: Vec<&str> = night.iter().map(String::as_str).collect();
            for (found, minute) in read(EVENTS, &night).iter().zip(&truth) {
                let right = format!("{:02}:{:02}", (23 + minute / 60) % 24, minute % 60);
                if found == "?" {
                    assert!((60..180).contains(minute), "{night:?}");
                    refused += 1;
                } else {
                    assert_eq!(*found, right, "{night:?}");
                    told += 1;
                }
            }
        }
        assert!(told > 5_000 && refused > 500, "{told} {refused}");
    }
}
