//! What was doubtful, or set aside: said once, by the step that decided it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::Name;
use serde::Serialize;

use super::{explain::shown, machine::Machine};
use crate::{
    calendar::{
        Span,
        span::{hours, instant},
    },
    decode::{SourceIndex, VerdictFact},
    model::Plant,
    timeline::{Class, Interval, Known, Speakers, class},
};

/// Why a figure is not simply what was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Sources of one rank differ: the lower side counts.
    Conflict,
    /// A person said which of them is right.
    Verdict,
    /// A source fell silent: what it last said holds.
    Silence,
    /// Nobody speaks of the machine, or only its counter.
    Unheard,
    /// A declared stop during which the machine was seen running.
    DeclaredStop,
    /// A counter of which parts were not counted.
    Uncounted,
    /// A counter of which all were counted.
    Counter,
}

/// Something to know about a resource and an interval.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// The plant's id.
    pub resource: Name,
    /// What it is about.
    pub about: About,
    /// The sentence that people read.
    pub words: String,
    /// First instant.
    pub start: Timestamp,
    /// The first instant after it; the end of time for what never ends.
    pub end: Timestamp,
}

/// Everything to know about one machine, in order of time. `said` is what each source
/// says, as far as sources differ. Derivation begins at `from`.
pub(super) fn remarks(
    plant: &Plant,
    machine: &Machine<'_>,
    (verdicts, said): (&[VerdictFact], &[Vec<Interval>]),
    (from, now): (i64, i64),
) -> Vec<Remark> {
    let mut found = Vec::new();
    let mut add = |about, span: Span, words: String| {
        let resource = Name::from(&machine.resource.id);
        found.push(Remark {
            resource,
            about,
            words,
            start: instant(span.start),
            end: instant(span.end),
        });
    };
    let differ =
        || machine.timeline.intervals().iter().filter(|one| one.known == Known::Conflicting);
    let words = conflicts(plant, differ(), said);
    for one in differ() {
        add(About::Conflict, one.span, words.get(&one.by.bits()).cloned().unwrap_or_default());
    }
    for one in verdicts {
        add(About::Verdict, one.interval, one.words.clone());
    }
    for (source, since) in &machine.silent {
        let name = name(plant, *source);
        let words = format!(
            "{name} says nothing of {} since {}: what was up then counts at demonstrated availability, a stop goes on",
            machine.resource.id,
            instant(*since),
        );
        add(About::Silence, Span { start: *since, end: now }, words);
    }
    if let Some(words) = unheard(machine) {
        add(About::Unheard, Span { start: from, end: i64::MAX }, words);
    }
    for span in machine.set_aside.as_slice() {
        let words = "a stop was declared, and the machine was seen running: what was seen counts";
        add(About::DeclaredStop, *span, words.to_owned());
    }
    for one in machine.output.iter().flat_map(|output| &output.remarks) {
        let about = if one.doubt.loses() { About::Uncounted } else { About::Counter };
        add(about, one.span, one.doubt.words().to_owned());
    }
    found.sort_by_key(|one| (one.start, one.about));
    found
}

/// Of each set of sources that differ: who they are, and for how long each says what.
fn conflicts<'a>(
    plant: &Plant,
    differ: impl Iterator<Item = &'a Interval>,
    said: &[Vec<Interval>],
) -> BTreeMap<u128, String> {
    let mut sides: BTreeMap<u128, (Speakers, BTreeMap<String, i64>)> = BTreeMap::new();
    for one in differ {
        let at = one.span.start;
        let says = |own: &Vec<Interval>| own.partition_point(|one| one.span.end <= at);
        let told =
            said.iter().filter_map(|own| own.get(says(own))).filter(|one| one.span.start <= at);
        let mut told: Vec<String> = told
            .filter(|own| own.by.bits() & one.by.bits() != 0)
            .map(|own| format!("{} says {}", names(plant, own.by), stands(class(own.state))))
            .collect();
        told.sort_unstable();
        let of = &mut sides.entry(one.by.bits()).or_insert((one.by, BTreeMap::new())).1;
        *of.entry(told.join(" and ")).or_default() += one.span.ms();
    }
    let words = |(by, told): (Speakers, BTreeMap<String, i64>)| {
        let told: Vec<String> = told
            .iter()
            .map(|(told, ms)| format!("{told} for {} h in all", shown(hours(*ms))))
            .collect();
        format!(
            "{} differ, and have the same rank: {}; the lower side counts until a person says who is right with `planthread rejects believe`",
            names(plant, by),
            told.join(", "),
        )
    };
    sides.into_iter().map(|(bits, side)| (bits, words(side))).collect()
}

/// What a source says that the machine does.
const fn stands(class: Class) -> &'static str {
    match class {
        Class::Up => "up",
        Class::Planned => "planned stop",
        Class::Down => "unplanned stop",
        Class::Unknown => "unknown",
    }
}

/// Why nothing is known of its hours, where no source of states speaks of it.
fn unheard(machine: &Machine<'_>) -> Option<String> {
    if machine.observed_from.is_some() {
        return None;
    }
    let id = &machine.resource.id;
    Some(match machine.output {
        Some(_) => format!(
            "only a counter speaks of {id}: good parts land, and hours need a source of its stops (`machine_events` or production states)"
        ),
        None => format!(
            "no source speaks of {id}: send rows of it, or list it in the `speaks_for` of the source that watches it"
        ),
    })
}

fn name(plant: &Plant, source: SourceIndex) -> &str {
    plant.sources.get(usize::from(source.0)).map_or("", |source| source.name.as_str())
}

fn names(plant: &Plant, by: Speakers) -> String {
    let mut names: Vec<&str> =
        by.iter().filter_map(|at| Some(plant.sources.get(at)?.name.as_str())).collect();
    names.sort_unstable();
    names.join(" and ")
}
