//! One delimited row to one fact.

use std::collections::HashMap;

use planthread_contracts::RawRecord;

use super::{
    Cause, Decoder, Facts, Refusal, SourceIndex, StateSet, TimeReader,
    fact::{CountFact, StateFact},
    repeated,
    rows::{self, Layout},
    time::Meaning,
};
use crate::{
    calendar::{LocalTimeError, Span},
    model::{EquipmentState, Source, SourceFormat, Stamp},
};

/// A prepared reader of one delimited source.
#[derive(Debug)]
pub(super) struct RowReader<'a> {
    layout: Layout<'a>,
    time: TimeReader,
    time_at: Option<usize>,
    machine_at: Option<usize>,
    what_at: Option<usize>,
    names: [&'a str; 3],
    kind: Kind<'a>,
}

#[derive(Debug)]
enum Kind<'a> {
    Events { effects: HashMap<&'a str, Effect>, newest_first: bool },
    Counts { stamp: Stamp, interval_ms: i64 },
}

#[derive(Debug, Clone, Copy)]
struct Effect {
    rank: u32,
    state: Option<EquipmentState>,
    unless: StateSet,
}

impl<'a> RowReader<'a> {
    /// Prepares a source; `None` when it is not delimited text.
    pub(super) fn of(source: &'a Source) -> Result<Option<Self>, LocalTimeError> {
        let Some(layout) = Layout::of(&source.reader) else { return Ok(None) };
        let (time, names, kind) = match &source.reader {
            SourceFormat::MachineEvents(r) => {
                let effects = r.events.iter().map(|(event, rule)| {
                    let unless = StateSet::of(&rule.unless);
                    (event.as_str(), Effect { rank: rule.rank, state: rule.state, unless })
                });
                let names = [&r.columns.time, &r.columns.machine, &r.columns.event];
                let (effects, newest_first) = (effects.collect(), r.newest_first);
                (&r.time, names, Kind::Events { effects, newest_first })
            }
            SourceFormat::Counts(r) => {
                let names = [&r.columns.time, &r.columns.machine, &r.columns.total];
                let interval_ms = i64::from(r.interval_minutes) * 60_000;
                (&r.time, names, Kind::Counts { stamp: r.stamp, interval_ms })
            }
            SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return Ok(None),
        };
        let names = names.map(String::as_str);
        Ok(Some(Self {
            time: TimeReader::new(time)?,
            time_at: layout.position(names[0]),
            machine_at: layout.position(names[1]),
            what_at: layout.position(names[2]),
            layout,
            names,
            kind,
        }))
    }

    /// Decodes one row.
    pub(super) fn decode(
        &self,
        decoder: &Decoder<'_>,
        source: SourceIndex,
        record: &RawRecord,
        facts: &mut Facts,
    ) -> Result<(), Refusal> {
        let text = std::str::from_utf8(&record.body).map_err(|error| {
            Refusal::new("", format!("can't be read as text: {error}"), "send UTF-8")
        })?;
        // A row without quotes needs no parser: most of a million rows are such.
        let quoted;
        let row: Vec<&str> = if text.contains('"') {
            quoted = self.unquote(text)?;
            quoted.iter().collect()
        } else {
            text.split(char::from(self.layout.separator)).collect()
        };
        if row.len() != self.layout.header.len() {
            return Err(Refusal::new(
                "",
                format!("has {} fields; the header has {}", row.len(), self.layout.header.len()),
                "correct the row, or quote fields that hold the separator",
            ));
        }
        let time = self.field(&row, self.time_at, 0)?;
        let machine = self.field(&row, self.machine_at, 1)?;
        let pass = repeated::pass_of(record);
        let at = self.time.read_in(time, pass).map_err(|(reason, cure)| {
            let two = pass.is_none() && matches!(self.time.meaning(time), Some(Meaning::Two(..)));
            let cause = if two { Cause::Undecided } else { Cause::Wrong };
            Refusal { cause, ..Refusal::new(self.names[0], reason, cure) }
        })?;
        let subject = decoder.subject(source, machine, self.names[1])?;
        match &self.kind {
            Kind::Events { effects, newest_first } => {
                let what = self.cell(&row, self.what_at);
                let effect = *effects.get(what).ok_or_else(|| self.unknown_event(what))?;
                let Effect { rank, state, unless } = effect;
                decoder.timely(source, record, at, self.names[0])?;
                let line = record.origin.line;
                let line = if *newest_first { u64::MAX - line } else { line };
                facts.states.push(StateFact { subject, source, at, rank, line, state, unless });
            }
            Kind::Counts { stamp, interval_ms } => {
                let what = self.field(&row, self.what_at, 2)?;
                let total = what.parse().map_err(|_| {
                    Refusal::new(
                        self.names[2],
                        format!("`{}` is no count of parts", what),
                        "send a whole number, zero or more",
                    )
                })?;
                let interval = match stamp {
                    Stamp::Start => Span { start: at, end: at + interval_ms },
                    Stamp::End => Span { start: at - interval_ms, end: at },
                };
                decoder.timely(source, record, interval.start, self.names[0])?;
                decoder.timely(source, record, interval.end, self.names[0])?;
                let received = record.received_at.as_millisecond();
                facts.counts.push(CountFact { subject, source, interval, total, received });
            }
        }
        Ok(())
    }

    fn field<'r>(
        &self,
        row: &[&'r str],
        at: Option<usize>,
        name: usize,
    ) -> Result<&'r str, Refusal> {
        Some(self.cell(row, at)).filter(|text| !text.is_empty()).ok_or_else(|| {
            Refusal::new(self.names[name], "is empty", "fill the column, or drop the row")
        })
    }

    /// The text of a cell, which may be empty.
    fn cell<'r>(&self, row: &[&'r str], at: Option<usize>) -> &'r str {
        at.and_then(|at| row.get(at)).map_or("", |text| text.trim())
    }

    fn unquote(&self, text: &str) -> Result<csv::StringRecord, Refusal> {
        let mut row = csv::ByteRecord::new();
        rows::split(text.as_bytes(), self.layout.separator, &mut row)
            .ok_or_else(|| Refusal::new("", rows::OPEN_QUOTE.0, rows::OPEN_QUOTE.1))?;
        csv::StringRecord::from_byte_record(row)
            .map_err(|error| Refusal::new("", error.to_string(), "correct the quotes of the row"))
    }

    fn unknown_event(&self, event: &str) -> Refusal {
        if event.is_empty() {
            return Refusal::new(
                self.names[2],
                "is empty, and the source does not say what an empty cell means",
                "fill the column, or map the event `\"\"` in the source's `events`",
            );
        }
        Refusal::new(
            self.names[2],
            format!("the source maps no event `{event}`"),
            "add it to the source's `events`; with no `state` if it changes none",
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use planthread_contracts::{Origin, RejectedRecord};

    use super::*;
    use crate::{decode::decode, fixture};

    fn record(source: &str, body: &str) -> RawRecord {
        RawRecord {
            source: source.into(),
            id: "1".into(),
            media_type: "text/csv".into(),
            body: body.into(),
            received_at: "2026-11-22T22:00:00Z".parse::<Timestamp>().unwrap(),
            origin: Origin { place: "f.csv".into(), line: 7 },
        }
    }

    fn refused(source: &str, body: &str) -> RejectedRecord {
        *decode(&record(source, body), &fixture::plant()).unwrap_err()
    }

    #[test]
    fn an_event_becomes_a_change_of_state() {
        let facts = decode(&record("events", "2026-11-01T10:00:00Z,M1,failure"), &fixture::plant())
            .unwrap();
        assert_eq!(facts.states[0].state, Some(EquipmentState::UnscheduledDown));
        let waiting = record("events", "2026-11-01T10:00:00Z,M1,waiting_for_maintenance");
        assert_eq!(decode(&waiting, &fixture::plant()).unwrap().states[0].state, None);
        let quoted = record("events", "\"2026-11-01T10:00:00Z\",\"M1\",\"failure\"");
        assert_eq!(decode(&quoted, &fixture::plant()).unwrap(), facts);
    }

    #[test]
    fn an_empty_cell_is_an_event_where_it_is_mapped_and_refused_where_not() {
        let mut plant = fixture::plant();
        let empty = record("events", "2026-11-01T10:00:00Z,M1, ");
        let error = *decode(&empty, &plant).unwrap_err();
        assert!(error.field == "event" && error.reason.contains("empty"), "{error:?}");
        assert!(error.cure.contains("`\"\"`"), "{}", error.cure);
        let SourceFormat::MachineEvents(events) = &mut plant.sources[0].reader else { panic!() };
        events.events.insert(String::new(), events.events["restored"].clone());
        let facts = decode(&empty, &plant).unwrap();
        assert_eq!(facts.states[0].state, Some(EquipmentState::Productive));
    }

    #[test]
    fn a_count_carries_its_whole_interval() {
        let facts =
            decode(&record("counts", "2026-11-01T10:00:00Z,M1,60"), &fixture::plant()).unwrap();
        assert_eq!(facts.counts[0].interval.ms(), 3_600_000);
        assert_eq!(facts.counts[0].total, 60);
    }

    #[test]
    fn each_fault_names_line_field_reason_and_cure() {
        for (source, body, field, reason) in [
            ("events", "2026-11-01T10:00:00Z,M1", "", "2 fields"),
            ("events", "2026-11-01T10:00:00Z,M9,failure", "machine", "`M9`"),
            ("events", "2026-11-01T10:00:00Z,M1,lunch", "event", "`lunch`"),
            ("events", "yesterday,M1,failure", "time", "`yesterday`"),
            ("events", "2026-11-01T10:00:00,M1,failure", "time", "no offset"),
            ("events", "2026-11-01T10:00:00Z,,failure", "machine", "empty"),
            ("counts", "2026-11-01T10:00:00Z,M1,-4", "parts_total", "`-4`"),
            ("nobody", "2026-11-01T10:00:00Z,M1,-4", "source", "`nobody`"),
        ] {
            let error = refused(source, body);
            assert_eq!((error.origin.line, error.field.as_str()), (7, field), "{body}");
            assert!(error.reason.contains(reason) && !error.cure.is_empty(), "{body}: {error:?}");
            assert_eq!(error.body, body.as_bytes());
        }
    }

    #[test]
    fn more_than_five_minutes_ahead_is_quarantined() {
        let plant = fixture::plant();
        assert!(decode(&record("events", "2026-11-22T22:05:00Z,M1,failure"), &plant).is_ok());
        let early = refused("events", "2026-11-22T22:05:01Z,M1,failure");
        assert!(early.reason.starts_with("quarantined"), "{early:?}");
        assert!(refused("counts", "2026-11-22T21:30:00Z,M1,4").reason.contains("ahead"));
    }
}
