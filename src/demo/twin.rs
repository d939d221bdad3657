//! What a twin of the simulated plant foretells: the availability of one line,
//! whose gearbox wears, and which line limits the flow.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use serde_json::{Value, json};

/// The `source` of its events.
pub const NAME: &str = "weld-twin";
/// The line that it foretells; the others go on at demonstrated availability.
const LINE: &str = "weld-a";
/// Weeks ahead that its model looks, the current one among them.
const WEEKS: i64 = 8;
/// Severities, worst first.
const SEVERITIES: [(&str, &str); 4] =
    [("weld-a", "0.82"), ("paint", "0.55"), ("press-a", "0.31"), ("press-b", "0.18")];

/// The events that it sends at `now`: newline-delimited CloudEvents.
#[must_use]
pub fn events_ndjson(now: Timestamp, zone: &TimeZone) -> String {
    // The full hour, so that the cycle of this hour knows them.
    let issued = Timestamp::from_second(now.as_second().div_euclid(3_600) * 3_600).unwrap_or(now);
    let weeks = weeks(issued, zone);
    let [forecast, map] = [forecast(issued, zone, &weeks), map(issued, &weeks)];
    format!("{forecast}\n{map}\n")
}

type Week = (Period, Timestamp, Timestamp);

/// The weeks of the plant's zone from the one of `issued` on.
fn weeks(issued: Timestamp, zone: &TimeZone) -> Vec<Week> {
    let first = Period::containing(PeriodKind::Week, zone.to_datetime(issued).date());
    (0..WEEKS)
        .filter_map(|number| {
            let begins = first.start().saturating_add((number * 7).days());
            let week = Period::containing(PeriodKind::Week, begins);
            let at = |date: jiff::civil::Date| {
                zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
            };
            Some((week, at(week.start())?, at(week.end())?))
        })
        .collect()
}

fn event(kind: &str, issued: Timestamp, mut data: Value) -> Value {
    data["source"] = json!({ "twin_id": "urn:twin:weld-a", "twin_kind": "asset",
        "model": { "id": "gearbox-wear", "version": "3" }, "observed_until": issued });
    data["quality"] = json!({ "coverage": "1", "worst": "good" });
    json!({ "specversion": "1.0", "id": format!("{kind}-{issued}"), "source": NAME,
        "type": format!("planthread.{kind}.v1"), "time": issued, "data": data })
}

/// The gearbox wears: each week is a little worse than the one before.
fn forecast(issued: Timestamp, zone: &TimeZone, weeks: &[Week]) -> Value {
    let hundredths = |value: i64| format!("0.{value:02}");
    let period = |(number, (week, start, end)): (i64, &Week)| {
        let up = 84 - number / 2;
        json!({ "period": week, "start": start, "end": end,
            // Round the clock: 167 and 169 hours in weeks of a clock change.
            "scheduled_hours": (end.as_second() - start.as_second()) / 3_600,
            "up": { "quantiles": { "mean": hundredths(up), "table": [
                { "probability_not_exceeded": "0.1", "value": hundredths(up - 11) },
                { "probability_not_exceeded": "0.5", "value": hundredths(up + 1) },
                { "probability_not_exceeded": "0.9", "value": hundredths(up + 8) },
            ] } },
            "failure_probability": hundredths(3 + 2 * number),
            "repair_hours": { "point": { "value": 16 } } })
    };
    let periods: Vec<Value> = (0..).zip(weeks).map(period).collect();
    let resource = json!({ "id": LINE, "level": "work_cell", "physical_asset": "gearbox 7F-2210" });
    let zone = zone.iana_name().unwrap_or("Etc/UTC");
    let data = json!({ "resource": resource, "issued_at": issued, "zone": zone, "unit": "C62",
        "periods": periods });
    event("availability-forecast", issued, data)
}

fn map(issued: Timestamp, weeks: &[Week]) -> Value {
    let constraint = |(rank, (line, severity)): (u32, &(&str, &str))| {
        json!({ "resource": { "id": line, "level": "work_cell" }, "severity": severity,
            "rank": rank })
    };
    let constraints: Vec<Value> = (1..).zip(&SEVERITIES).map(constraint).collect();
    let start = weeks.first().map_or(issued, |(_, start, _)| *start);
    let end = weeks.last().map_or(issued, |(.., end)| *end);
    let data = json!({ "window": { "start": start, "end": end }, "basis": "forecast",
        "method": "utilization", "mix": "observed", "constraints": constraints });
    event("constraint-map", issued, data)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{CloudEvent, TwinOutput};

    use super::*;

    #[test]
    fn what_it_sends_keeps_the_contracts_all_through_the_year() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for day in 0..370 {
            let now = Timestamp::from_second(1_790_000_000 + day * 86_400 + 1_234).unwrap();
            let text = events_ndjson(now, &zone);
            for line in text.lines() {
                let event = CloudEvent::parse(line.as_bytes()).unwrap();
                assert_eq!(event.source, NAME);
                TwinOutput::from_event(&event)
                    .unwrap_or_else(|faults| panic!("{faults:?}: {line}"));
            }
            assert_eq!(text.lines().count(), 2);
        }
    }
}
