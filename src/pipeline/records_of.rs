//! The records of the journal that speak of a cell: of its machines and line, and the
//! sheets of decisions that move its hours.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use planthread_contracts::{Period, RawRecord};
use planthread_domain::{
    calendar::{Bounds, Span},
    decode::{DecidedHours, DecisionSheet, Decoder, Facts, Subject},
    model::Plant,
};
use planthread_engine::{
    Reader,
    journal::{self, Decision},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::decided::told;
use crate::{config::Loaded, failure::Failure};

/// Records that are named one by one, the last ones before the number.
const NAMED: usize = 20;

/// A raw record, as far as people need it to find it again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecordRef {
    /// Position in the journal.
    pub position: u64,
    /// Where it came from.
    pub place: String,
    /// Line, from 1.
    pub line: u64,
    /// When we received it.
    pub received_at: Timestamp,
    /// Its text.
    pub text: String,
}

/// The records that speak of one of `sources` or of a machine of it: how many there are,
/// and the last of them. Of a sheet of decisions its rows for `period` are told.
///
/// # Errors
/// When the state can't be read, or the plant can't be decoded by.
pub(super) fn records_of(
    loaded: &Loaded,
    reader: &Reader,
    sources: &[&str],
    period: Period,
) -> Result<(usize, Vec<RecordRef>), Failure> {
    let plant = &loaded.config.plant;
    let decoder =
        Decoder::new(plant).map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
    let behind = Behind::of(plant, sources, period);
    let (mut count, mut last) = (0, VecDeque::new());
    journal::read(reader, 0, |entry| {
        let Some(text) = behind.told(&decoder, &entry.record) else { return Ok(()) };
        count += 1;
        if last.len() == NAMED {
            last.pop_front();
        }
        last.push_back(RecordRef {
            position: entry.position,
            place: entry.record.origin.place.clone(),
            line: entry.record.origin.line,
            received_at: entry.record.received_at,
            text,
        });
        Ok(())
    })?;
    Ok((count, last.into()))
}

/// Who stands behind a cell.
struct Behind<'a> {
    plant: &'a Plant,
    /// The line or machine, and the machines of the line.
    names: BTreeSet<&'a str>,
    subjects: BTreeSet<Subject>,
    window: Option<Span>,
}

impl<'a> Behind<'a> {
    fn of(plant: &'a Plant, sources: &[&str], period: Period) -> Self {
        let all = plant.resources.iter().map(|one| one.id.as_str());
        let all = all.chain(plant.lines.iter().map(|one| one.id.as_str()));
        let works_in = |source: &str, name: &str| plant.line(source).is_some_and(|l| l.has(name));
        let ours = |name: &str| sources.iter().any(|one| *one == name || works_in(one, name));
        let ours: Vec<(Subject, &str)> =
            (0..).map(Subject).zip(all).filter(|(_, name)| ours(name)).collect();
        let bounds = Bounds::new(&plant.zone, plant.day_start);
        Self {
            plant,
            names: ours.iter().map(|(_, name)| *name).collect(),
            subjects: ours.iter().map(|(subject, _)| *subject).collect(),
            window: bounds.and_then(|bounds| bounds.span(period)).ok(),
        }
    }

    /// What `record` says, where it speaks of them.
    fn told(&self, decoder: &Decoder<'_>, record: &RawRecord) -> Option<String> {
        let facts = |one: &RawRecord| {
            let mut facts = Facts::default();
            // What can't be decoded speaks of nobody.
            decoder.decode(one, &mut facts).ok().map(|_| facts)
        };
        let Some(decision) = Decision::of(record) else {
            let facts = facts(record)?;
            let rows = self.rows(&facts);
            return match rows.is_empty() {
                true => self.are_subjects(&facts).then(|| body(record)),
                false => Some(self.sheet(record, "", &rows)),
            };
        };
        let (was, now) =
            (decision.was.as_ref().and_then(facts), decision.now.as_ref().and_then(facts));
        let all = || was.iter().chain(&now);
        if all().all(|facts| facts.decided.is_empty()) {
            let speaks = all().any(|facts| self.are_subjects(facts));
            return speaks.then(|| told(&decision, record.received_at));
        }
        // A sheet took the place of another one: what is new, and what is gone.
        let rows = |facts: Option<&Facts>| facts.map(|facts| self.rows(facts)).unwrap_or_default();
        let (before, after) = (rows(was.as_ref()), rows(now.as_ref()));
        let but = |these: &[DecidedHours], others: &[DecidedHours]| {
            let one = these.iter().filter(|row| !others.contains(row));
            one.cloned().collect::<Vec<_>>()
        };
        let (gone, new) = (but(&before, &after), but(&after, &before));
        let part = |one: &Option<RawRecord>, sign, rows: &[DecidedHours]| {
            one.as_ref().filter(|_| !rows.is_empty()).map(|one| self.sheet(one, sign, rows))
        };
        let new = part(&decision.now, "", &new);
        let gone = part(&decision.was, "no more: ", &gone);
        let both: Vec<String> = new.into_iter().chain(gone).collect();
        (!both.is_empty()).then(|| both.join(" · "))
    }

    /// The decided hours that move those of the cell.
    fn rows(&self, facts: &Facts) -> Vec<DecidedHours> {
        let moves = |row: &&DecidedHours| {
            let holds = |name: &&str| row.resource == **name || row.holds_for(self.plant, name);
            self.names.iter().any(holds)
        };
        facts.decided.iter().filter(moves).cloned().collect()
    }

    fn are_subjects(&self, facts: &Facts) -> bool {
        let states = facts.states.iter().map(|fact| fact.subject);
        let counts = facts.counts.iter().map(|fact| fact.subject);
        let made = facts.made.iter().map(|fact| fact.subject);
        let forecasts = facts.forecasts.iter().map(|fact| fact.subject);
        let mut all = states.chain(counts).chain(made).chain(forecasts);
        all.any(|subject| self.subjects.contains(&subject))
    }

    /// The rows of a sheet that speak of the period; how many there are of other ones.
    fn sheet(&self, record: &RawRecord, sign: &str, rows: &[DecidedHours]) -> String {
        let file = DecisionSheet::of(record).map_or_else(String::new, |sheet| sheet.file);
        let meets = |row: &&DecidedHours| {
            let span = row.span();
            self.window.is_none_or(|window| span.start < window.end && window.start < span.end)
        };
        let here: Vec<String> = rows.iter().filter(meets).map(words).collect();
        let others = match rows.len() - here.len() {
            0 => Vec::new(),
            others => vec![format!("{others} for other periods")],
        };
        format!("{file}: {sign}{}", [here, others].concat().join("; "))
    }
}

fn body(record: &RawRecord) -> String {
    String::from_utf8_lossy(&record.body).into_owned()
}

/// A row of a sheet in words.
fn words(row: &DecidedHours) -> String {
    let proposed = if row.confirmed { "" } else { "proposed: " };
    let DecidedHours { resource, from, to, reason, who, .. } = row;
    format!("{proposed}{resource} {} {from} to {to}: {reason} ({who})", row.words())
}
