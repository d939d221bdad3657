//! Trace: from one landed number back to its arithmetic and its records.

use std::{borrow::Cow, collections::BTreeSet};

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, Period, Provenance};
use planthread_domain::{
    calendar::periods,
    derive::Derivation,
    model::MapRow,
    project::{self, CellExplanation},
    significance::{Change, Reason, Released, Releases, Split},
};
use planthread_engine::{
    EngineError, Reader,
    ledger::{self, RevisionTrace},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    explain::kind_name,
    moves::Moves,
    records_of::{RecordRef, records_of},
    released::{self, releases},
    truth::{
        derive_facts, derive_taken_cut, facts_at, facts_of_journal, facts_of_journal_at, levels,
        supposes,
    },
    undecided,
};
use crate::{
    config::{Loaded, Target, Wiring},
    failure::Failure,
};

/// Everything behind one cell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Traced {
    /// Four facts, revisions, attempts with their receipts.
    #[serde(flatten)]
    pub ledger: ledger::Trace,
    /// The instant that the wanted value speaks for: of the last release behind it.
    pub made_of: Timestamp,
    /// The releases behind it, by resource and period: what was released, and why.
    pub releases: Vec<Release>,
    /// How the wanted hours moved last, from the revision before to this one, split by what
    /// moved them: the releases, and the mapping. Absent where hours are not known before
    /// and after, or the measure holds none that are split.
    pub moved: Option<Split>,
    /// The arithmetic of the wanted value in words, from what the journal said when
    /// it was made: the figure of each resource behind it, then what makes them the
    /// number that the target holds.
    pub arithmetic: Vec<String>,
    /// What the arithmetic rests on: input window, versions of rules, mapping and
    /// time zones.
    pub provenance: Option<Provenance>,
    /// Whether the configuration says that what lands at this target drives its plan.
    pub drives: bool,
    /// Whether the arithmetic ends at the wanted value.
    pub reproduced: bool,
    /// Whether the journal still gives the recipe that the cell was made by;
    /// when not, rules, mapping or time zones have changed since.
    pub recipe_holds: bool,
    /// What would land if everything that is derived now were released.
    pub today: Option<Today>,
    /// Until when what was sent of it may still come, by `policy.settle_minutes` and the
    /// target's own word; a read-back after it decides. Absent where nothing is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles: Option<Timestamp>,
    /// Records of these resources in the journal.
    pub records: usize,
    /// The last of them.
    pub last_records: Vec<RecordRef>,
}

/// One release behind a cell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Release {
    /// The plant's resource or line.
    pub resource: String,
    /// The period.
    pub period: Period,
    /// The instant that it speaks for.
    pub as_of: Timestamp,
    /// Why it was released.
    pub reason: Reason,
    /// From the attainable hours of the release before to these, split by what moved
    /// them; absent where there was none before, or its layers were not kept.
    pub change: Option<Change>,
}

impl Release {
    fn of((resource, period, one): (String, Period, Released)) -> Self {
        Self { resource, period, as_of: one.as_of, reason: one.reason, change: one.change }
    }
}

/// What is derived of a cell now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Today {
    /// The instant that it speaks for.
    pub as_of: Timestamp,
    /// The value, as it would land.
    pub value: Decimal,
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

/// Why there is no cell `key`, with the periods of its measure that are there.
fn not_there(reader: &Reader, key: &CellKey, now: Timestamp) -> Result<Failure, Failure> {
    let mut periods = BTreeSet::new();
    ledger::cells(reader, now, |cell| {
        let period = cell.key.period;
        if (CellKey { period: key.period, ..cell.key }) == *key {
            periods.insert(period);
        }
        Ok(())
    })?;
    let Some((first, last)) = periods.first().zip(periods.last()) else {
        return Ok(EngineError::UnknownCell(Box::new(key.clone())).into());
    };
    let (stored, asked) = (kind_name(first.kind()), kind_name(key.period.kind()));
    let why = if stored == asked {
        "another one of its periods is".to_owned()
    } else {
        format!("`{}` is stored there by {stored}, and not by {asked}", key.measure)
    };
    let meets = |one: &&Period| one.start() < key.period.end() && key.period.start() < one.end();
    let inside: Vec<String> = periods.iter().filter(meets).map(ToString::to_string).collect();
    let ask = if inside.is_empty() { format!("{first} to {last}") } else { inside.join(", ") };
    Ok(Failure::usage(format!("{key} is not in the ledger: {why}"))
        .cure(format!("ask for one of these periods: {ask}")))
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
    let ledger = match ledger::trace(reader, key, now) {
        Err(EngineError::UnknownCell(_)) => return Err(not_there(reader, key, now)?),
        traced => traced?,
    };
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
    let beat = ledger.cell.value;
    let behind = behind(loaded, reader, key, &sources)?;
    let last = last_of(loaded, reader, (&behind, ledger.revisions.last()), target)?;
    let derived = |as_of, position| derivation_of(loaded, reader, (key, &sources), as_of, position);
    let today = derived(loaded.config.plant.as_of(now), None)?;
    let then = match last {
        Some((as_of, position)) => Some(derived(as_of, position)?),
        None => None,
    };
    let derivation = then.as_ref().unwrap_or(&today);
    let periods = derivation.origin.all_periods();
    let mut releases = releases(reader, sources.iter().copied(), &periods)?;
    if let Some(target) = target {
        let position = releases.latest().map_or(0, |(_, position)| position);
        let rules = &loaded.config.plant.rules.significance;
        releases = released::at(target, derivation, position, rules, releases);
    }
    let wanted = ledger.revisions.last().map(|revision| revision.recipe.as_str());
    let recipe_holds = mapping
        .is_some_and(|mapping| wanted == Some(&project::recipe(&derivation.origin, mapping)));
    let explained = |derivation, releases| {
        target.and_then(|target| explain_cell(loaded, target, derivation, key, beat, releases))
    };
    let released = then.is_some().then_some(&releases);
    let found = explained(derivation, released);
    let value = |found: &CellExplanation| found.landed.steps.last().map(|step| step.result);
    let reproduced = found.as_ref().and_then(value) == Some(ledger.cell.value);
    let today_value = explained(&today, None).as_ref().and_then(value);
    let arithmetic = found.map(|found| found.figures.into_iter().chain([found.landed]));
    let (records, last_records) = records_of(loaded, reader, &sources, key.period)?;
    let moved = match target {
        Some(target) => Moves::of(loaded, reader, &key.target, target)?.last(key)?,
        None => None,
    };
    Ok(Traced {
        made_of: derivation.origin.as_of,
        moved: moved.map(|moved| moved.split),
        releases: behind.into_iter().map(Release::of).collect(),
        arithmetic: arithmetic.into_iter().flatten().map(|one| one.to_string()).collect(),
        provenance: mapping.map(|mapping| derivation.provenance(&mapping.version)),
        drives: target.is_some_and(|target| target.in_use.wiring != Wiring::None),
        reproduced,
        recipe_holds,
        settles: undecided::until(&ledger.cell, target, now),
        today: today_value.map(|value| Today { as_of: today.origin.as_of, value }),
        ledger,
        records,
        last_records,
    })
}

/// The truth that was released last behind a cell: its instant, and how far the journal
/// was read. What is proposed moves what was released and is kept nowhere: where there is
/// something, it is derived anew, of all that is known, for the instant of what is wanted.
fn last_of(
    loaded: &Loaded,
    reader: &Reader,
    (behind, wanted): (&[(String, Period, Released)], Option<&RevisionTrace>),
    target: Option<&Target>,
) -> Result<Option<(Timestamp, Option<u64>)>, Failure> {
    let last = behind.iter().map(|(.., one)| (one.as_of, Some(one.position))).max();
    let wanted = wanted.filter(|_| last.is_some() && target.is_some_and(supposes));
    let Some(wanted) = wanted else { return Ok(last) };
    let proposes = facts_of_journal(loaded, reader, wanted.as_of)?.all.proposes();
    Ok(if proposes { Some((wanted.as_of, None)) } else { last })
}

/// The releases behind a cell of `sources`. Stamps and plan cuts rest on none.
fn behind(
    loaded: &Loaded,
    reader: &Reader,
    key: &CellKey,
    sources: &[&str],
) -> Result<Vec<(String, Period, Released)>, Failure> {
    let target = loaded.config.targets.get(key.target.as_str());
    let measure = target.and_then(|t| t.measures.iter().find(|m| m.name == key.measure));
    let Some(measure) = measure.filter(|m| !m.is_stamp() && m.carries != Carries::PlanCut) else {
        return Ok(Vec::new());
    };
    let part = project::part(measure, &levels(loaded));
    let inside = |one: &Period| key.period.start() <= one.start() && one.end() <= key.period.end();
    let parts = periods(part, key.period.start(), key.period.end()).filter(inside);
    let parts: Vec<Period> = parts.collect();
    let releases = releases(reader, sources.iter().copied(), &parts)?;
    let of = |source: &str, part: Period| {
        Some((source.to_owned(), part, releases.get(source, part)?.clone()))
    };
    let all = sources.iter().flat_map(|source| parts.iter().map(|part| (*source, *part)));
    Ok(all.filter_map(|(source, part)| of(source, part)).collect())
}

/// Explains what `derivation` says of a cell. `beat` is the identity of the
/// writer, which a heartbeat carries.
pub(super) fn explain_cell(
    loaded: &Loaded,
    target: &Target,
    derivation: &Derivation,
    key: &CellKey,
    beat: Decimal,
    released: Option<&Releases>,
) -> Option<CellExplanation> {
    let request = project::Request {
        plant: &loaded.config.plant,
        live: derivation,
        cut: Some(derivation),
        released,
        target: &key.target,
        scope: &key.scope,
        mapping: &target.mapping,
        measures: &target.measures,
        heartbeat: Some(beat),
    };
    project::explain(&request, key)
}

/// What was derived for a cell at `as_of`, from what the journal held at `position`;
/// without one from all of it. A plan cut is of the last cut.
fn derivation_of(
    loaded: &Loaded,
    reader: &Reader,
    (key, sources): (&CellKey, &[&str]),
    as_of: Timestamp,
    position: Option<u64>,
) -> Result<Derivation, Failure> {
    let facts = match position {
        Some(position) => facts_of_journal_at(loaded, reader, as_of, position)?,
        None => facts_of_journal(loaded, reader, as_of)?,
    };
    let target = loaded.config.targets.get(key.target.as_str());
    let mut measures = target.into_iter().flat_map(|target| &target.measures);
    if measures.any(|m| m.name == key.measure && m.carries == Carries::PlanCut) {
        return Ok(derive_taken_cut(loaded, &facts.at_cut, as_of)?.of(sources.iter().copied()));
    }
    let all = target.map_or(Cow::Borrowed(&facts.all), |target| facts_at(&facts.all, target));
    Ok(derive_facts(loaded, &all, as_of)?.of(sources.iter().copied()))
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
