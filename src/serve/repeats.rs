//! Second rows of a name: what the rule of their source decides, and what waits
//! for a person.

use std::cmp::Ordering;

use jiff::Timestamp;
use planthread_contracts::{RawRecord, RejectedRecord};
use planthread_domain::{
    decode,
    model::{Plant, Repeats, Source},
};
use planthread_engine::{
    Reader, State,
    journal::{self, Repeat, Verdict},
};

use super::Refusal;
use crate::failure::Failure;

/// What became of the second rows that waited.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Told of those that count now.
    pub(crate) accepted: Vec<String>,
    /// Those that were refused by the rule of their source.
    pub(crate) refused: Vec<Refusal>,
    /// Those that wait for a person.
    pub(crate) waiting: Vec<Repeat>,
}

/// Lets the rule of each source decide of the second rows that wait.
///
/// # Errors
/// When the state can't be read or written.
pub(crate) fn settle(state: &State, plant: &Plant, now: Timestamp) -> Result<Settled, Failure> {
    let reader = state.reader()?;
    let (mut settled, mut verdicts) = (Settled::default(), Vec::new());
    for repeat in journal::repeats(&reader)? {
        let name = (&repeat.record.source, &repeat.record.id);
        let known = journal::counting(&reader, name.0, name.1)?;
        let source = plant.source(name.0);
        match source.and_then(|source| by_rule(source, &repeat.record, known.as_ref())) {
            Some(verdict) => verdicts.push((repeat.id, verdict)),
            None => settled.waiting.push(repeat),
        }
    }
    if verdicts.is_empty() {
        return Ok(settled);
    }
    for repeat in journal::decide(state, verdicts, now)? {
        let Some(verdict) = &repeat.verdict else { continue };
        let origin = &repeat.record.origin;
        if verdict.accepted {
            settled
                .accepted
                .push(format!("{} line {}: {}", origin.place, origin.line, verdict.why));
        } else {
            settled.refused.push(Refusal {
                place: origin.place.clone(),
                line: origin.line,
                field: String::new(),
                reason: verdict.why.clone(),
                cure: format!(
                    "if it is right, `planthread rejects accept {} --who NAME --why WHY`",
                    repeat.id
                ),
            });
        }
    }
    Ok(settled)
}

/// What the rule of `source` says of `record`, whose name `known` counts under;
/// `None` when a person must say it.
fn by_rule(source: &Source, record: &RawRecord, known: Option<&RawRecord>) -> Option<Verdict> {
    if source.reader.is_decisions() {
        let why = "the sheet was read anew, and takes the place of the one before it".to_owned();
        return Some(Verdict { accepted: true, who: format!("the sheet of {}", source.name), why });
    }
    let Some(known) = known else {
        let who = format!("`snapshot` of {}", source.name);
        let why = "it is in the export again".to_owned();
        return source.snapshot.as_ref().map(|_| Verdict { accepted: true, who, why });
    };
    let says = |accepted: bool, why: String| {
        let word = if source.repeats == Repeats::Latest { "latest" } else { "refuse" };
        Some(Verdict { accepted, who: format!("`repeats: {word}` of {}", source.name), why })
    };
    let other = || format!("`{}` ({} line {})", text(known), known.origin.place, known.origin.line);
    match source.repeats {
        Repeats::Ask => None,
        Repeats::Refuse => says(
            false,
            format!("it has the id of {}, and rows of this source are never corrected", other()),
        ),
        Repeats::Latest => match decode::newer(source, record, known)? {
            Ordering::Greater => says(true, format!("it is newer than {}", other())),
            Ordering::Less => says(false, format!("it is older than {}", other())),
            Ordering::Equal => None,
        },
    }
}

/// Whether `record` counts in place of `known`, which has its name, where no person
/// can be asked.
///
/// # Errors
/// When it does not, and why.
pub(crate) fn without_a_person(
    plant: &Plant,
    record: &RawRecord,
    known: &RawRecord,
) -> Result<(), Box<RejectedRecord>> {
    let source = plant.source(&record.source);
    let reason = match source.and_then(|source| by_rule(source, record, Some(known))) {
        Some(Verdict { accepted: true, .. }) => return Ok(()),
        Some(Verdict { why, .. }) => why,
        None => {
            let (other, origin) = (text(known), &known.origin);
            let place = format!("{} line {}", origin.place, origin.line);
            format!("it has the id of `{other}` ({place}), and no person has decided")
        }
    };
    Err(Box::new(RejectedRecord {
        origin: record.origin.clone(),
        field: String::new(),
        reason,
        cure: "take it in with `planthread ingest`, and decide with `planthread rejects`".into(),
        body: record.body.clone(),
    }))
}

/// A second row beside the one that counts, in words.
///
/// # Errors
/// When the state can't be read.
pub(crate) fn told(reader: &Reader, repeat: &Repeat) -> Result<String, Failure> {
    let Repeat { record, .. } = repeat;
    let origin = &record.origin;
    let counts = match journal::counting(reader, &record.source, &record.id)? {
        Some(known) if known.body == record.body => "counts under its id".to_owned(),
        Some(known) => format!(
            "has the id of `{}` ({} line {}), which counts",
            text(&known),
            known.origin.place,
            known.origin.line
        ),
        None => "has the id of a row that was retracted".to_owned(),
    };
    Ok(format!("{} line {}: `{}` {counts}", origin.place, origin.line, text(record)))
}

/// The text of a record, cut to what people read.
pub(crate) fn text(record: &RawRecord) -> String {
    crate::report::text_table::short(&String::from_utf8_lossy(&record.body), 80)
}
