//! What somebody decided of records: told beside the figures that it moved.

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_contracts::{Period, RawRecord};
use planthread_domain::{
    calendar::{Bounds, Span},
    decode::{Decoder, Facts, Subject},
    model::Plant,
};
use planthread_engine::journal::Decision;

use crate::serve::repeats::text;

/// One decision, and what the records that it speaks of are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    subjects: BTreeSet<Subject>,
    /// From the first to the last instant that they speak of.
    span: Option<Span>,
    /// The decision in words.
    pub told: String,
}

impl Decided {
    /// What `decision`, taken at `at`, is about.
    pub(super) fn of(decoder: &Decoder<'_>, decision: &Decision, at: Timestamp) -> Self {
        let mut facts = Facts::default();
        for record in decision.was.iter().chain(&decision.now) {
            // What can't be decoded is about nobody.
            let _ = decoder.decode(record, &mut facts);
        }
        let (mut subjects, mut times) = (BTreeSet::new(), BTreeSet::new());
        for fact in &facts.states {
            subjects.insert(fact.subject);
            times.insert(fact.at);
        }
        let counts = facts.counts.iter().map(|fact| (fact.subject, fact.interval));
        let made = facts.made.iter().map(|fact| (fact.subject, fact.interval));
        let forecasts = facts.forecasts.iter().map(|fact| (fact.subject, fact.interval));
        for (subject, interval) in counts.chain(made).chain(forecasts) {
            subjects.insert(subject);
            times.extend([interval.start, interval.end]);
        }
        let span = times.first().zip(times.last());
        let span = span.map(|(start, end)| Span { start: *start, end: *end });
        Self { subjects, span, told: told(decision, at) }
    }

    /// Whether it is about `resource`, or a machine of that line, in `period`.
    fn concerns(&self, plant: &Plant, resource: &str, period: Period) -> bool {
        let names = plant.resources.iter().map(|one| one.id.as_str());
        let names = names.chain(plant.lines.iter().map(|one| one.id.as_str()));
        let inside = |name: &str| plant.line(resource).is_some_and(|line| line.has(name));
        let mut named = (0..).map(Subject).zip(names);
        let subject = named.any(|(subject, name)| {
            (name == resource || inside(name)) && self.subjects.contains(&subject)
        });
        let bounds = Bounds::new(&plant.zone, plant.day_start);
        let window = bounds.and_then(|bounds| bounds.span(period)).ok();
        let meet = window
            .zip(self.span)
            .is_some_and(|(window, span)| span.start < window.end && span.end >= window.start);
        subject && meet
    }
}

/// Of `decided` those that moved a figure of `resource` in `period`, in words.
#[must_use]
pub fn notes(decided: &[Decided], plant: &Plant, resource: &str, period: Period) -> Vec<String> {
    let ours = decided.iter().filter(|one| one.concerns(plant, resource, period));
    ours.map(|one| one.told.clone()).collect()
}

/// A decision in words.
pub(super) fn told(decision: &Decision, at: Timestamp) -> String {
    let row = |record: &RawRecord| {
        format!("`{}` ({} line {})", text(record), record.origin.place, record.origin.line)
    };
    let what = match (&decision.was, &decision.now) {
        (Some(was), Some(now)) => format!("{} counts instead of {}", row(now), row(was)),
        (Some(was), None) => format!("{} counts no more", row(was)),
        (None, Some(now)) => format!("{} counts again", row(now)),
        (None, None) => "nothing counts".to_owned(),
    };
    format!("{what}, by {} at {at}: {}", decision.who, decision.why)
}
