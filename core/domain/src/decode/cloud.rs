//! The six twin outputs, in their CloudEvents envelopes, to facts.
//!
//! What a forecast or a constraint map says becomes facts of the periods it
//! speaks of; a production state is a change of state; good parts of OEE
//! elements and of a throughput are good output of their window
//! ([`super::made`]). A what-if result is checked and kept in the journal, but
//! feeds no figure: a what-if is no promise.

use std::borrow::Cow;

use planthread_contracts::{
    AvailabilityForecast, CloudEvent, ConstraintMap, Distribution, PeriodForecast, ProductionState,
    RawRecord, TwinOutput, Unit, Violation,
};
use rust_decimal::Decimal;

use super::{
    Cause, Decoder, Facts, Feeds, Refusal, SourceIndex, StateSet, Subject, counted_output,
    fact::{Forecast, Foretold, StateFact},
    scaled,
};
use crate::{
    calendar::Span,
    quantile::{quantile, up_share},
};

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self {
            field: violation.path,
            reason: violation.reason,
            cure: violation.cure,
            cause: Cause::Wrong,
        }
    }
}

/// Decodes one event.
pub(super) fn decode(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    record: &RawRecord,
    facts: &mut Facts,
) -> Result<Feeds, Refusal> {
    let event = CloudEvent::parse(&record.body).map_err(first)?;
    let output = TwinOutput::from_event(&event).map_err(first)?;
    let mut found = Facts::default();
    let twin = output.source().clone();
    let feeds = match output {
        TwinOutput::AvailabilityForecast(forecast) => {
            availability(decoder, source, record, &forecast, &mut found)?;
            Feeds::forecast(&found)
        }
        TwinOutput::ConstraintMap(map) => {
            let issued = twin.observed_until.as_millisecond();
            constraints(decoder, source, issued, &map, &mut found)?;
            Feeds::figures("constraint-map", &["severity"])
        }
        TwinOutput::ProductionState(state) => {
            production_state(decoder, source, record, &state, &mut found)?;
            Feeds::figures("production-state", &["attainable hours", "status"])
        }
        TwinOutput::Oee(oee) => counted_output::of_oee(decoder, source, record, &oee, &mut found)?,
        TwinOutput::Throughput(rate) => {
            counted_output::of_throughput(decoder, source, record, &rate, &mut found)?
        }
        TwinOutput::SimulationResult(run) => {
            for (index, output) in run.outputs.iter().enumerate() {
                let field = format!("data.outputs[{index}].resource.id");
                decoder.subject(source, &output.resource.id, &field)?;
            }
            Feeds::nothing("simulation-result", "a what-if is no promise")
        }
    };
    let observed = twin.observed_until.as_millisecond();
    decoder.timely(source, record, observed, "data.source.observed_until")?;
    facts.append(found);
    facts.twins.push(twin);
    Ok(feeds)
}

/// The first fault, and how many more there are.
fn first(found: Vec<Violation>) -> Refusal {
    let more = found.len().saturating_sub(1);
    let Some(violation) = found.into_iter().next() else {
        return Refusal::new("", "is refused without a reason", "report this");
    };
    let mut refusal = Refusal::from(violation);
    if more > 0 {
        refusal.reason.push_str(&format!(" (and {more} more faults)"));
    }
    refusal
}

/// Collects the numbers of one source that were issued together.
struct Issue<'a> {
    source: SourceIndex,
    issued: i64,
    valid_until: i64,
    facts: &'a mut Facts,
}

impl Issue<'_> {
    fn add(
        &mut self,
        subject: Subject,
        interval: Span,
        what: Foretold,
        value: Decimal,
        about: &str,
    ) {
        self.facts.forecasts.push(Forecast {
            subject,
            what,
            interval,
            source: self.source,
            issued: self.issued,
            valid_until: self.valid_until,
            value,
            about: about.to_owned(),
        });
    }
}

fn availability(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    record: &RawRecord,
    forecast: &AvailabilityForecast,
    facts: &mut Facts,
) -> Result<(), Refusal> {
    let subject = decoder.subject(source, &forecast.resource.id, "data.resource.id")?;
    let issued = forecast.issued_at.as_millisecond();
    let mut issue = Issue { source, issued, valid_until: decoder.valid_until(issued), facts };
    let asset = forecast.resource.physical_asset.as_deref().unwrap_or(&forecast.resource.id);
    for (index, one) in forecast.periods.iter().enumerate() {
        let interval = Span { start: one.start.as_millisecond(), end: one.end.as_millisecond() };
        if let Some((unit, up)) = up(forecast.unit, one) {
            let mean = up.mean().ok_or_else(|| {
                Refusal::new(
                    format!("data.periods[{index}].up"),
                    "states no mean, and a mean can't be read off quantiles",
                    "send the mean beside the table: means add over periods, quantiles never do",
                )
            })?;
            let share = |up: Decimal| fraction(unit, one, up);
            if let Some(mean) = share(mean) {
                issue.add(subject, interval, Foretold::UpFraction, mean, asset);
                if let Some(shape) = shape(unit, one, &up) {
                    issue.add(subject, interval, Foretold::UpDistribution, mean, &shape);
                }
            }
            if let Some(low) = quantile(&up, Decimal::new(1, 1)).and_then(share) {
                issue.add(subject, interval, Foretold::LowUpFraction, low, asset);
            }
        }
        if let Some(probability) = one.failure_probability {
            issue.add(subject, interval, Foretold::FailureProbability, probability, asset);
        }
        if let Some(repair) = one.repair_hours.as_ref().and_then(Distribution::mean) {
            issue.add(subject, interval, Foretold::RepairHours, repair, asset);
        }
    }
    decoder.timely(source, record, issued, "data.issued_at")
}

/// The distribution of up time, and its unit; of a machine with two states the
/// one that follows from them, as a share. `None` where that has nothing to say.
fn up(unit: Unit, one: &PeriodForecast) -> Option<(Unit, Cow<'_, Distribution>)> {
    match (&one.up, one.two_state) {
        (Some(up), _) => Some((unit, Cow::Borrowed(up))),
        (None, model) => Some((Unit::One, Cow::Owned(up_share(model?, one.scheduled_hours)?))),
    }
}

/// Up time as a share of the twin's own scheduled hours; `None` where nothing
/// was scheduled.
fn fraction(unit: Unit, one: &PeriodForecast, up: Decimal) -> Option<Decimal> {
    match unit {
        Unit::Hour => up.checked_div(one.scheduled_hours),
        _ => Some(up),
    }
}

/// The distribution of the share of scheduled time, as text. A single point says
/// nothing more than its mean.
fn shape(unit: Unit, one: &PeriodForecast, up: &Distribution) -> Option<String> {
    if matches!(up, Distribution::Point { .. }) {
        return None;
    }
    let scheduled = if unit == Unit::Hour { one.scheduled_hours } else { Decimal::ONE };
    serde_json::to_string(&scaled(up, Decimal::ONE, scheduled)?).ok()
}

fn constraints(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    issued: i64,
    map: &ConstraintMap,
    facts: &mut Facts,
) -> Result<(), Refusal> {
    let about = serde_json::to_string(&(map.method, &map.mix))
        .map_err(|error| Refusal::new("data.mix", error.to_string(), "report this"))?;
    let interval =
        Span { start: map.window.start.as_millisecond(), end: map.window.end.as_millisecond() };
    let mut issue = Issue { source, issued, valid_until: decoder.valid_until(issued), facts };
    for (index, one) in map.constraints.iter().enumerate() {
        let field = format!("data.constraints[{index}].resource.id");
        let subject = decoder.subject(source, &one.resource.id, &field)?;
        issue.add(subject, interval, Foretold::Severity, one.severity, &about);
    }
    Ok(())
}

/// A state holds since its own beginning; the snapshot itself says that the
/// source is alive.
fn production_state(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    record: &RawRecord,
    snapshot: &ProductionState,
    facts: &mut Facts,
) -> Result<(), Refusal> {
    let subject = decoder.subject(source, &snapshot.resource.id, "data.resource.id")?;
    let at = snapshot.at.as_millisecond();
    let state = Some(snapshot.state);
    let (rank, line, unless) = (0, 0, StateSet::default());
    let fact = StateFact { subject, source, at, rank, line, state, unless };
    facts.states.push(fact);
    if let Some(since) = snapshot.since {
        let since = since.as_millisecond();
        decoder.timely(source, record, since, "data.since")?;
        facts.states.push(StateFact { at: since, ..fact });
    }
    decoder.timely(source, record, at, "data.at")
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{EquipmentState, Origin, RejectedRecord};

    use super::*;
    use crate::{
        decode::{Made, Taken, decode},
        fixture,
    };

    fn record(event_type: &str, data: &str) -> RawRecord {
        let body = format!(
            r#"{{"specversion":"1.0","id":"1","source":"twin","type":"planthread.{event_type}.v1","data":{data}}}"#
        );
        RawRecord {
            source: "twin".into(),
            id: "1".into(),
            media_type: "application/cloudevents+json".into(),
            body: body.into_bytes(),
            received_at: "2026-11-22T22:00:00Z".parse().unwrap(),
            origin: Origin { place: "stdin".into(), line: 3 },
        }
    }

    fn send(event_type: &str, data: &str) -> Result<Facts, Box<RejectedRecord>> {
        let record = record(event_type, data);
        decode(&record, &fixture::plant())
    }

    const SOURCE: &str = r#""source":{"twin_id":"T","twin_kind":"asset","observed_until":"2026-11-22T21:00:00Z"},"quality":{"coverage":"1","worst":"good"}"#;

    fn forecast(resource: &str) -> String {
        format!(
            r#"{{"resource":{{"id":"{resource}","level":"work_cell"}},"issued_at":"2026-11-22T21:00:00Z",
            "zone":"Europe/Berlin","unit":"HUR","periods":[{{"period":"2026-W48",
            "start":"2026-11-22T23:00:00Z","end":"2026-11-29T23:00:00Z","scheduled_hours":"168",
            "up":{{"quantiles":{{"table":[{{"probability_not_exceeded":"0.1","value":"126"}},
            {{"probability_not_exceeded":"0.5","value":"160"}}],"mean":"151.2"}}}},
            "failure_probability":"0.4","repair_hours":{{"point":{{"value":"6"}}}}}}],{SOURCE}}}"#
        )
    }

    #[test]
    fn a_forecast_becomes_shares_of_scheduled_time() {
        let facts = send("availability-forecast", &forecast("M1")).unwrap();
        let value = |what| facts.forecasts.iter().find(|f| f.what == what).map(|f| f.value);
        assert_eq!(value(Foretold::UpFraction), Some(Decimal::new(9, 1)));
        assert_eq!(value(Foretold::LowUpFraction), Some(Decimal::new(75, 2)));
        assert_eq!(value(Foretold::FailureProbability), Some(Decimal::new(4, 1)));
        assert_eq!(value(Foretold::RepairHours), Some(6.into()));
        assert_eq!(facts.twins[0].twin_id, "T");
        let shape = facts.forecasts.iter().find(|f| f.what == Foretold::UpDistribution).unwrap();
        let shape: Distribution = serde_json::from_str(&shape.about).unwrap();
        assert_eq!(shape.quantile(Decimal::new(1, 1)), Some(Decimal::new(75, 2)));
        assert_eq!(shape.mean(), Some(Decimal::new(9, 1)));
        // A single number has no shape, and a family does not scale as a whole.
        let point = r#"{"point":{"value":"151.2"}}"#;
        let family = r#"{"parametric":{"family":{"exponential":{"mean":"9"}},"mean":"151.2"}}"#;
        for up in [point, family] {
            let event = forecast("M1");
            let (from, to) = (event.find(r#"{"quantiles"#).unwrap(), event.find("]").unwrap());
            let (before, after) = (&event[..from], &event[to..]);
            let after = after.replacen(r#"],"mean":"151.2"}}"#, "", 1);
            let facts = send("availability-forecast", &format!("{before}{up}{after}")).unwrap();
            assert!(facts.forecasts.iter().all(|f| f.what != Foretold::UpDistribution));
        }
    }

    #[test]
    fn a_state_and_a_constraint_map_become_facts() {
        let state = format!(
            r#"{{"resource":{{"id":"M2","level":"work_cell"}},"at":"2026-11-22T21:00:00Z",
            "state":"unscheduled_down","since":"2026-11-22T20:30:00Z",{SOURCE}}}"#
        );
        let facts = send("production-state", &state).unwrap();
        assert_eq!(facts.states.len(), 2);
        assert_eq!(facts.states[1].state, Some(EquipmentState::UnscheduledDown));
        let map = format!(
            r#"{{"window":{{"start":"2026-11-15T23:00:00Z","end":"2026-11-22T21:00:00Z"}},"basis":"actual",
            "method":"active_period","mix":"observed","constraints":[{{"resource":{{"id":"M1",
            "level":"work_cell"}},"severity":"0.7","rank":1}}],{SOURCE}}}"#
        );
        let facts = send("constraint-map", &map).unwrap();
        assert_eq!(facts.forecasts[0].value, Decimal::new(7, 1));
    }

    #[test]
    fn a_foreign_resource_or_field_is_named() {
        let unknown = send("availability-forecast", &forecast("M9")).unwrap_err();
        assert_eq!((unknown.field.as_str(), unknown.origin.line), ("data.resource.id", 3));
        let typo = send("availability-forecast", &forecast("M1").replace("\"zone\"", "\"zonne\""));
        assert!(typo.unwrap_err().reason.contains("zonne"));
        assert_eq!(send("weather", "{}").unwrap_err().field, "type");
        let bare = forecast("M1").replace(r#","mean":"151.2""#, "");
        assert!(send("availability-forecast", &bare).unwrap_err().reason.contains("no mean"));
    }

    fn feeds(event_type: &str, data: &str) -> (Feeds, Facts) {
        let record = record(event_type, data);
        let (plant, mut facts) = (fixture::plant(), Facts::default());
        let feeds = Decoder::new(&plant).unwrap().take(&record, &mut facts);
        match feeds {
            Taken::Now(feeds) => (feeds, facts),
            other => panic!("{other:?}"),
        }
    }

    fn oee(resource: &str, output: &str) -> String {
        format!(
            r#"{{"resource":{{"id":"{resource}","level":"work_cell"}},"pbt_s":28800,"apt_s":25000,
            "adet_s":1200,"window":{{"start":"2026-11-22T14:00:00Z","end":"2026-11-22T22:00:00Z"}},
            "output":[{output}],{SOURCE}}}"#
        )
    }

    const PIECES: &str = r#"{"product":"A","unit":"H87","pri_s":60,"pq":400,"gq":390},
        {"product":"B","unit":"H87","pri_s":60,"pq":12,"gq":10.5}"#;

    #[test]
    fn good_pieces_of_oee_elements_are_good_output_as_far_as_they_were_seen() {
        let (fed, facts) = feeds("oee", &oee("M2", PIECES));
        assert_eq!((fed.kind, &*fed.figures), ("oee", &["good output"][..]));
        assert!(fed.note.starts_with("adet_s"), "where the time lies is not told");
        assert!(facts.states.is_empty(), "no stop is invented");
        let [made] = facts.made[..] else { panic!("{facts:?}") };
        assert_eq!((made.subject, made.made), (Subject(1), Made::Parts(Decimal::new(4_005, 1))));
        // The twin had seen only seven of the eight hours.
        assert_eq!(made.interval.ms(), 7 * 3_600_000);
        // A line's parts are those of its counter.
        assert_eq!(feeds("oee", &oee("LINE", PIECES)).1.made[0].subject, Subject(0));
    }

    fn throughput(from: &str, to: &str) -> String {
        let rate = r#"{"resource":{"id":"M1","level":"work_cell"},"rate_per_hour":57.5,"unit":"H87",
            "rate_basis":"per_scheduled_hour","counted":"good","basis":"actual",
            "window":{"start":"2026-11-22T14:00:00Z","end":"2026-11-22T20:00:00Z"},"made":{"product":"A"},"#;
        format!("{rate}{SOURCE}}}").replace(from, to)
    }

    #[test]
    fn what_feeds_no_figure_says_so() {
        let (fed, facts) = feeds("throughput", &throughput("", ""));
        assert_eq!(*fed.figures, ["good output"]);
        assert_eq!(facts.made[0].made, Made::PerScheduledHour(Decimal::new(575, 1)));
        let half = oee("M1", PIECES).replace(r#""coverage":"1""#, r#""coverage":"0.5""#);
        let run = format!(
            r#"{{"scenario":"s","changed_inputs":[],"replications":1,"warm_up_hours":0,"outputs":[],
            "horizon":{{"start":"2026-11-22T14:00:00Z","end":"2026-11-22T20:00:00Z"}},{}}}"#,
            SOURCE.replace(r#""twin_kind""#, r#""model":{"id":"m","version":"1"},"twin_kind""#)
        );
        for (kind, data, why) in [
            ("throughput", throughput("\"good\",", "\"gross\","), "gross"),
            ("throughput", throughput("actual", "forecast"), "foretold"),
            ("throughput", throughput("per_scheduled", "per_running"), "running hours"),
            ("throughput", throughput("H87", "KGM"), "KGM"),
            ("oee", oee("M1", ""), "no quantities"),
            ("oee", oee("M1", &PIECES.replace("H87", "LTR")), "LTR"),
            ("oee", half, "only 0.5"),
            ("simulation-result", run, "no promise"),
        ] {
            let (fed, facts) = feeds(kind, &data);
            assert_eq!((fed.kind, fed.figures.len(), facts.len()), (kind, 0, 0), "{data}");
            assert!(fed.note.contains(why), "{kind}: {}", fed.note);
        }
    }
}
