//! A small plant for the tests of this crate.

use crate::model::{Calendar, Counts, Mapping, Plant, SourceFormat};

const PLANT: &str = r#"{
  "id": "TEST", "zone": "Europe/Berlin",
  "horizon": { "past_weeks": 8, "future_weeks": 4 },
  "calendars": [ { "id": "24x7", "version": "1", "round_the_clock": true } ],
  "resources": [
    { "id": "M1", "class": "machine", "calendar": "24x7", "ideal_cycle_seconds": "60" },
    { "id": "M2", "class": "machine", "calendar": "24x7", "ideal_cycle_seconds": "120" },
    { "id": "M3", "class": "machine", "calendar": "24x7", "ideal_cycle_seconds": "120" }
  ],
  "lines": [ { "id": "LINE", "calendar": "24x7", "counter": "M1", "ideal_cycle_seconds": "60",
    "stages": [ { "name": "first", "machines": ["M1"] },
                { "name": "second", "machines": ["M2", "M3"] } ] } ],
  "sources": [
    { "name": "events", "reader": { "machine_events": {
        "header": ["time", "machine", "event"],
        "columns": { "time": "time", "machine": "machine", "event": "event" },
        "machines": { "M1": "M1", "M2": "M2", "M3": "M3" },
        "begins": { "at": "2026-09-27T22:00:00Z", "state": "productive" },
        "events": {
          "restored": { "rank": 0, "state": "productive" },
          "failure": { "rank": 1, "state": "unscheduled_down" },
          "waiting_for_maintenance": { "rank": 2 },
          "maintenance_start": { "rank": 3, "state": "scheduled_down",
                                 "unless": ["unscheduled_down"] } } } } },
    { "name": "counts", "reader": { "counts": {
        "header": ["hour_start", "machine", "parts_total"],
        "columns": { "time": "hour_start", "machine": "machine", "total": "parts_total" },
        "stamp": "start", "interval_minutes": 60, "opening_total": 0, "good_parts": true } } },
    { "name": "twin", "authority": 10, "reader": { "cloudevents": {} } }
  ]
}"#;

const MAPPING: &str = r#"{
  "version": "1", "expects": "attainable_clock_hours",
  "rows": [
    { "source": "M1", "resource": "R-1", "location": "1010" },
    { "source": "M2", "resource": "R-2", "location": "1010", "combine": "sum" },
    { "source": "M3", "resource": "R-2", "location": "1010", "combine": "sum" }
  ]
}"#;

/// Three machines, one line, round the clock.
pub(crate) fn plant() -> Plant {
    serde_json::from_str(PLANT).unwrap()
}

/// Its round-the-clock calendar.
pub(crate) fn calendar() -> Calendar {
    plant().calendars.remove(0)
}

/// Its count reader.
pub(crate) fn counts() -> Counts {
    match plant().sources.remove(1).reader {
        SourceFormat::Counts(counts) => counts,
        other => panic!("{other:?}"),
    }
}

/// M1 to R-1; M2 and M3 together to R-2.
pub(crate) fn mapping() -> Mapping {
    serde_json::from_str(MAPPING).unwrap()
}
