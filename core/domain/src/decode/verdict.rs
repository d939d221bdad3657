//! What a person said of sources that differ: which of them is right of a machine,
//! from when until when.
//!
//! It is a record of the journal like any other, so it travels, is undone by a
//! later one, and leaves the past alone.

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decoder, Facts, Feeds, Refusal, Subject, fact::VerdictFact};
use crate::calendar::{Span, span::instant};

/// Media type of a verdict.
const MEDIA_TYPE: &str = "application/vnd.planthread.verdict+json";

/// Which source is right.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The machine, as the plant calls it.
    pub resource: String,
    /// The source that is right.
    pub source: String,
    /// From here on.
    pub start: Timestamp,
    /// Until here.
    pub end: Timestamp,
    /// Who says so.
    pub who: String,
    /// Why.
    pub why: String,
}

impl Verdict {
    /// Whether `record` holds one.
    pub(super) fn is_in(record: &RawRecord) -> bool {
        record.media_type == MEDIA_TYPE
    }

    /// The verdict as a record of the journal, given at `at`.
    #[must_use]
    pub fn record(&self, at: Timestamp) -> RawRecord {
        let Self { resource, source, start, .. } = self;
        RawRecord {
            source: source.clone(),
            id: format!("verdict of {resource} from {start} at {at}"),
            media_type: MEDIA_TYPE.into(),
            body: serde_json::json!(self).to_string().into_bytes(),
            received_at: at,
            origin: Origin { place: format!("verdict of {}", self.who), line: 0 },
        }
    }

    /// Checks it against the plant.
    ///
    /// # Errors
    /// In words, when the plant has no such machine or source, or it spans no time.
    pub fn check(&self, decoder: &Decoder<'_>) -> Result<(), String> {
        let found = self.subject(decoder);
        found.map(|_| ()).map_err(|refusal| format!("{}; {}", refusal.reason, refusal.cure))
    }

    fn subject(&self, decoder: &Decoder<'_>) -> Result<(Subject, Span), Refusal> {
        let machines = &decoder.plant.resources;
        let position = machines.iter().position(|one| one.id == self.resource);
        let Some(position) = position.and_then(|at| u32::try_from(at).ok()) else {
            let reason = format!("`{}` is no machine of the plant", self.resource);
            return Err(Refusal::new("resource", reason, "`planthread rejects` names it"));
        };
        let (start, end) = (self.start.as_millisecond(), self.end.as_millisecond());
        if end <= start {
            let reason = format!("{} is not after {}", self.end, self.start);
            return Err(Refusal::new("end", reason, "say first from when, then until when"));
        }
        if !decoder.sources.contains_key(self.source.as_str()) {
            let reason = format!("`{}` is no source of the plant", self.source);
            return Err(Refusal::new(
                "source",
                reason,
                "`planthread rejects` names those that differ",
            ));
        }
        Ok((Subject(position), Span { start, end }))
    }
}

/// Decodes a record that holds a verdict.
pub(super) fn decode(
    decoder: &Decoder<'_>,
    record: &RawRecord,
    facts: &mut Facts,
) -> Result<Feeds, Refusal> {
    let verdict: Verdict = serde_json::from_slice(&record.body)
        .map_err(|error| Refusal::new("", error.to_string(), "report this"))?;
    let (subject, interval) = verdict.subject(decoder)?;
    let Verdict { source, who, why, .. } = &verdict;
    let given = record.received_at.as_millisecond();
    facts.verdicts.push(VerdictFact {
        subject,
        interval,
        given,
        source: decoder.sources[source.as_str()],
        words: format!("{who} said at {} that {source} is right: {why}", instant(given)),
    });
    Ok(Feeds::figures("verdict", &["attainable hours", "status"]))
}
