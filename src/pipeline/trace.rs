//! Trace: from one landed number back to its arithmetic and its records.

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, Provenance, RawRecord};
use planthread_domain::{
    decode::{Decoder, Facts, Subject},
    derive::Derivation,
    model::MapRow,
    project::{self, CellExplanation},
};
use planthread_engine::{
    Reader,
    journal::{self, Decision},
    ledger,
};
use rust_decimal::Decimal;
use serde::Serialize;

use super::decided::told;
use super::truth::{derive_facts, derive_taken_cut, facts_of_journal};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// Records that are named one by one, the last ones before the number.
const RECORDS_NAMED: usize = 20;

/// Everything behind one cell.
#[derive(Debug, Serialize)]
pub struct Traced {
    /// Four facts, revisions, attempts with their receipts.
    #[serde(flatten)]
    pub ledger: ledger::Trace,
    /// The arithmetic of the cell in words: the figure of each resource behind
    /// it, then what makes them the number that the target holds.
    pub arithmetic: Vec<String>,
    /// What the arithmetic rests on: input window, versions of rules, mapping and
    /// time zones.
    pub provenance: Option<Provenance>,
    /// Whether the journal still gives the recipe that the cell was made by;
    /// when not, newer records have come since.
    pub recipe_holds: bool,
    /// Records of these resources in the journal.
    pub records: usize,
    /// The last of them.
    pub last_records: Vec<RecordRef>,
}

/// A raw record, as far as people need it to find it again.
#[derive(Debug, Serialize)]
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

/// Reads a cell's name as it is printed:
/// `target/scope/resource@location[/product]/period/measure`.
///
/// # Errors
/// When it is not of this form.
pub fn parse_cell(text: &str) -> Result<CellKey, Failure> {
    let wrong = || {
        Failure::usage(format!("`{text}` names no cell"))
            .cure("write target/scope/resource@location/period/measure, as `plan` prints it: ibp/base/LINE-1@1010/2026-W48/live")
    };
    let parts: Vec<&str> = text.split('/').collect();
    let (target, scope, place, product, period, measure) = match parts.as_slice() {
        [target, scope, place, period, measure] => (target, scope, place, None, period, measure),
        [target, scope, place, product, period, measure] => {
            (target, scope, place, Some((*product).into()), period, measure)
        }
        _ => return Err(wrong()),
    };
    let (resource, location) = place.split_once('@').ok_or_else(wrong)?;
    Ok(CellKey {
        target: (*target).into(),
        scope: if *scope == "base" { "".into() } else { (*scope).into() },
        resource: resource.into(),
        location: location.into(),
        product,
        period: period.parse().map_err(|_| wrong())?,
        measure: (*measure).into(),
    })
}

/// Traces one cell.
///
/// # Errors
/// When the ledger does not know it.
pub fn trace(
    loaded: &Loaded,
    reader: &Reader,
    key: &CellKey,
    now: Timestamp,
) -> Result<Traced, Failure> {
    let ledger = ledger::trace(reader, key, now)?;
    let target = loaded.config.targets.get(key.target.as_str());
    let mapping = target.map(|target| &target.mapping);
    let rows = mapping.iter().flat_map(|mapping| &mapping.rows);
    let stands = |row: &&MapRow| {
        row.resource == key.resource
            && row.location == key.location
            && row.product.as_deref() == key.product.as_deref()
    };
    let mut sources: Vec<&str> = rows.filter(stands).map(|row| row.source.as_str()).collect();
    sources.dedup();
    let derivation = derivation_of(loaded, reader, key, now)?;
    let wanted = ledger.revisions.last().map(|revision| revision.recipe.as_str());
    let recipe_holds =
        mapping.is_some_and(|mapping| wanted == Some(&project::recipe(&derivation, mapping)));
    let provenance = mapping.map(|mapping| derivation.provenance(&mapping.version));
    let arithmetic = target
        .and_then(|target| explain_cell(loaded, target, &derivation, key, ledger.cell.value))
        .map(|found| found.figures.into_iter().chain([found.landed]))
        .into_iter()
        .flatten()
        .map(|explanation| explanation.to_string())
        .collect();
    let (records, last_records) = records(loaded, reader, &sources)?;
    Ok(Traced { ledger, arithmetic, provenance, recipe_holds, records, last_records })
}

/// Explains what `derivation` says of a cell. `beat` is the identity of the
/// writer, which a heartbeat carries.
pub(super) fn explain_cell(
    loaded: &Loaded,
    target: &Target,
    derivation: &Derivation,
    key: &CellKey,
    beat: Decimal,
) -> Option<CellExplanation> {
    let request = project::Request {
        plant: &loaded.config.plant,
        live: derivation,
        cut: Some(derivation),
        released: None,
        target: &key.target,
        scope: &key.scope,
        mapping: &target.mapping,
        measures: &target.measures,
        heartbeat: Some(beat),
    };
    project::explain(&request, key)
}

/// What was derived for a cell: now, or at the last cut for a plan cut.
fn derivation_of(
    loaded: &Loaded,
    reader: &Reader,
    key: &CellKey,
    now: Timestamp,
) -> Result<Derivation, Failure> {
    let as_of = loaded.config.plant.as_of(now);
    let facts = facts_of_journal(loaded, reader, as_of)?;
    let measures = loaded.config.targets.get(key.target.as_str()).map(|target| &target.measures);
    let mut measures = measures.into_iter().flatten();
    if measures.any(|m| m.name == key.measure && m.carries == Carries::PlanCut) {
        return derive_taken_cut(loaded, &facts.at_cut, as_of);
    }
    derive_facts(loaded, &facts.all, as_of)
}

/// The records that speak of one of `sources`.
fn records(
    loaded: &Loaded,
    reader: &Reader,
    sources: &[&str],
) -> Result<(usize, Vec<RecordRef>), Failure> {
    let plant = &loaded.config.plant;
    let names = plant.resources.iter().map(|one| one.id.as_str());
    let names = names.chain(plant.lines.iter().map(|one| one.id.as_str()));
    let subjects: Vec<Subject> = (0..)
        .map(Subject)
        .zip(names)
        .filter(|(_, name)| sources.contains(name))
        .map(|(subject, _)| subject)
        .collect();
    let decoder =
        Decoder::new(plant).map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
    let (mut count, mut last) = (0, std::collections::VecDeque::new());
    journal::read(reader, 0, |entry| {
        if speaks_of(&decoder, &entry.record, &subjects) {
            count += 1;
            if last.len() == RECORDS_NAMED {
                last.pop_front();
            }
            last.push_back(RecordRef {
                position: entry.position,
                place: entry.record.origin.place.clone(),
                line: entry.record.origin.line,
                received_at: entry.record.received_at,
                text: match Decision::of(&entry.record) {
                    Some(decision) => told(&decision, entry.record.received_at),
                    None => String::from_utf8_lossy(&entry.record.body).into_owned(),
                },
            });
        }
        Ok(())
    })?;
    Ok((count, last.into()))
}

fn speaks_of(decoder: &Decoder<'_>, record: &RawRecord, subjects: &[Subject]) -> bool {
    let mut facts = Facts::default();
    let understood = match Decision::of(record) {
        Some(decision) => {
            let both = decision.was.iter().chain(&decision.now);
            both.filter(|one| decoder.decode(one, &mut facts).is_ok()).count() > 0
        }
        None => decoder.decode(record, &mut facts).is_ok(),
    };
    if !understood {
        return false;
    }
    let states = facts.states.iter().map(|fact| fact.subject);
    let counts = facts.counts.iter().map(|fact| fact.subject);
    let made = facts.made.iter().map(|fact| fact.subject);
    let forecasts = facts.forecasts.iter().map(|fact| fact.subject);
    states.chain(counts).chain(made).chain(forecasts).any(|subject| subjects.contains(&subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_as_it_is_printed() {
        for text in ["ibp/base/LINE-1@1010/2026-W48/live", "ibp/TWIN/L@X/P1/2026-11/good_units"] {
            assert_eq!(parse_cell(text).unwrap().to_string(), text);
        }
        assert!(parse_cell("ibp/LINE-1").unwrap_err().cure.contains("ibp/base/"));
    }
}
