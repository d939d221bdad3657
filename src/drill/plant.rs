//! The plant of a rehearsal: the configured one, with one twin as its only source,
//! whose forecasts change at every word.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use planthread_domain::model::{
    AliveBy, CloudEvents, Plant, Plausible, Repeats, Significance, Source, SourceFormat,
};
use rust_decimal::Decimal;
use serde_json::json;

use crate::config::Config;

/// The name of the twin.
const TWIN: &str = "drill-twin";

/// Weeks ahead that are rehearsed, by the finest kind of period that is stored.
const fn weeks(kind: PeriodKind) -> u32 {
    match kind {
        PeriodKind::Day => 3,
        PeriodKind::Month => 12,
        _ => 6,
    }
}

/// Makes the plant of `config` that of a rehearsal; `file` is what its twin says.
pub(super) fn fit(config: &mut Config, file: &str) {
    let measures = config.targets.values().flat_map(|target| &target.measures);
    let most = measures.map(|one| weeks(one.level)).min().unwrap_or(weeks(PeriodKind::Week));
    let plant = &mut config.plant;
    plant.as_of = None;
    plant.horizon.past_weeks = 0;
    plant.horizon.future_weeks = plant.horizon.future_weeks.min(most);
    // Whatever the twin says is worth landing, and at once.
    let none = Decimal::ZERO;
    plant.rules.significance = Significance {
        hours_share: none,
        units_share: none,
        ratio: none,
        stand_hours: 0,
        ..Significance::default()
    };
    plant.sources = vec![Source {
        name: TWIN.to_owned(),
        files: vec![file.to_owned()],
        authority: 1,
        plausible: Plausible::default(),
        repeats: Repeats::default(),
        version_column: None,
        snapshot: None,
        speaks_for: Vec::new(),
        alive_by: AliveBy::default(),
        live_hours: None,
        time_to_live_hours: None,
        hand_over: None,
        reader: SourceFormat::Cloudevents(CloudEvents::default()),
    }];
}

/// The machines behind what is mapped.
fn machines(config: &Config) -> BTreeSet<&str> {
    let rows = config.targets.values().flat_map(|target| &target.mapping.rows);
    let of = |source: &'_ str| match config.plant.line(source) {
        Some(line) => line.stages.iter().flat_map(|stage| &stage.machines).collect(),
        None => Vec::new(),
    };
    rows.flat_map(|row| {
        let line: Vec<&str> = of(&row.source).into_iter().map(String::as_str).collect();
        if line.is_empty() { vec![row.source.as_str()] } else { line }
    })
    .collect()
}

/// What the twin says at `at`, for the `nth` time: another availability of each
/// machine in each week.
pub(super) fn words(config: &Config, at: Timestamp, nth: u64) -> String {
    let plant = &config.plant;
    let zone = TimeZone::get(&plant.zone).unwrap_or(TimeZone::UTC);
    let weeks = weeks_of(plant, at, &zone);
    let mut text = String::new();
    for (number, machine) in (0_u64..).zip(machines(config)) {
        let period = |(ahead, (week, start, end)): (u64, &(Period, Timestamp, Timestamp))| {
            let share =
                Decimal::new(900 - (nth * 37 + number * 11 + ahead * 7).rem_euclid(389) as i64, 3);
            json!({ "period": week, "start": start, "end": end,
                "scheduled_hours": (end.as_second() - start.as_second()) / 3_600,
                "up": { "point": { "value": share } } })
        };
        let event = json!({ "specversion": "1.0", "id": format!("{machine}-{nth}"),
            "source": TWIN, "type": "planthread.availability-forecast.v1", "time": at,
            "data": { "resource": { "id": machine, "level": "work_cell" },
                "issued_at": at, "zone": plant.zone, "unit": "C62",
                "periods": (0..).zip(&weeks).map(period).collect::<Vec<_>>(),
                "source": { "twin_id": "urn:twin:drill", "twin_kind": "asset",
                    "observed_until": at },
                "quality": { "coverage": "1", "worst": "good" } } });
        text.push_str(&format!("{event}\n"));
    }
    text
}

/// The weeks of the horizon, and one more, because months end inside a week.
fn weeks_of(plant: &Plant, at: Timestamp, zone: &TimeZone) -> Vec<(Period, Timestamp, Timestamp)> {
    let first = Period::containing(PeriodKind::Week, zone.to_datetime(at).date()).start();
    let midnight = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
    (0..i64::from(plant.horizon.future_weeks) + 6)
        .filter_map(|number| {
            let week =
                Period::containing(PeriodKind::Week, first.saturating_add((number * 7).days()));
            Some((week, midnight(week.start())?, midnight(week.end())?))
        })
        .collect()
}
