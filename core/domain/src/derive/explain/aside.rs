//! What was doubtful or set aside behind a figure, in words.

use std::collections::BTreeMap;

use crate::{
    calendar::{Span, span::hours},
    derive::{About, Derivation, Figures, Phase, Remark},
    model::Plant,
};

/// One note for each kind of doubt that touches the period, or the weeks that it
/// rests on: of a line those of its machines.
pub(super) fn notes(plant: &Plant, derivation: &Derivation, one: &Figures) -> Vec<String> {
    let mut names = vec![one.resource.as_str()];
    if let Some(line) = plant.line(&one.resource) {
        names.extend(line.stages.iter().flat_map(|stage| &stage.machines).map(String::as_str));
    }
    let rests_on = Span { start: since(derivation, one), end: one.end.as_millisecond() };
    let mut said: BTreeMap<(&str, &str), (i64, Vec<&Remark>)> = BTreeMap::new();
    for remark in &derivation.remarks {
        let span = Span { start: remark.start.as_millisecond(), end: remark.end.as_millisecond() };
        let inside = span.and(rests_on);
        if names.contains(&remark.resource.as_str()) && !inside.is_empty() {
            let entry = said.entry((&remark.resource, &remark.words)).or_default();
            entry.0 += inside.ms();
            entry.1.push(remark);
        }
    }
    let mut notes: Vec<(&Remark, String)> = said
        .into_iter()
        .filter_map(|((resource, words), (ms, all))| {
            let (first, last) = (all.first()?, all.last()?);
            let own = if resource == one.resource.as_str() {
                String::new()
            } else {
                format!("{resource}: ")
            };
            if first.about == About::Unheard {
                return Some((*first, format!("{own}{words}.")));
            }
            let long = super::shown(hours(ms));
            Some((*first, format!("{own}{words} ({long} h, {} to {}).", first.start, last.end)))
        })
        .collect();
    notes.sort_by_key(|(first, _)| (first.start, first.about));
    notes.into_iter().map(|(_, words)| words).collect()
}

/// The first instant that a figure rests on: of a period that is not over, the
/// begin of its pool.
fn since(derivation: &Derivation, one: &Figures) -> i64 {
    let start = one.start.as_millisecond();
    if one.phase == Phase::Past {
        return start;
    }
    let pool = one.demonstrated.iter().flat_map(|pool| &pool.weeks).next();
    let first = pool.and_then(|week| derivation.get(&one.resource, week.period));
    let weeks = i64::try_from(POOLED_MS).unwrap_or(i64::MAX);
    first.map_or(start.saturating_sub(weeks), |week| week.start.as_millisecond())
}

/// Eight weeks: what a pool holds where it names none.
const POOLED_MS: u64 = 8 * 7 * 24 * 3_600_000;
