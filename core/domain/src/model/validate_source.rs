//! Relations between the fields of one source.

use super::{Plant, Reader, Source, TimeFormat, findings::Findings};

/// Checks one source at path `at`.
pub(super) fn check(found: &mut Findings, at: &str, source: &Source, plant: &Plant) {
    check_plausible(found, &format!("{at}.plausible"), source);
    let (kind, layout) = match &source.reader {
        Reader::MachineEvents(r) => {
            let columns = [&r.columns.time, &r.columns.machine, &r.columns.event];
            if r.events.is_empty() {
                found.add(
                    format!("{at}.reader.machine_events.events"),
                    "maps no event to a state",
                    "list each event that the file holds",
                );
            }
            ("machine_events", Some((&r.header, &r.separator, &r.key, &r.time, columns)))
        }
        Reader::Counts(r) => {
            let columns = [&r.columns.time, &r.columns.machine, &r.columns.total];
            if r.interval_minutes == 0 {
                found.add(
                    format!("{at}.reader.counts.interval_minutes"),
                    "is zero",
                    "write the minutes of the counted interval",
                );
            }
            ("counts", Some((&r.header, &r.separator, &r.key, &r.time, columns)))
        }
        Reader::Cloudevents(_) => ("cloudevents", None),
    };
    let at = format!("{at}.reader.{kind}");
    if let Some((header, separator, key, time, columns)) = layout {
        check_columns(found, &at, header, columns.into_iter().chain(key));
        if !separator.is_ascii() {
            found.add(format!("{at}.separator"), "is no ASCII character", "write , or ;");
        }
        check_time(found, &at, time);
    }
    for (name, resource) in source.reader.machines() {
        if plant.resource(resource).is_none() && plant.line(resource).is_none() {
            found.add(
                format!("{at}.machines.{name}"),
                format!("`{resource}` is no resource of the plant"),
                "declare it under `resources`, or correct the name",
            );
        }
    }
}

fn check_columns<'a>(
    found: &mut Findings,
    at: &str,
    header: &[String],
    columns: impl Iterator<Item = &'a String>,
) {
    for column in columns {
        if !header.contains(column) {
            found.add(
                format!("{at}.columns"),
                format!("`{column}` is not in the header {}", header.join(",")),
                "name a column of `header`",
            );
        }
    }
}

fn check_plausible(found: &mut Findings, at: &str, source: &Source) {
    if !(1..=36_525).contains(&source.plausible.past_days) {
        let cure = "write the days that the oldest row may lie back, 3650 for ten years";
        found.add(format!("{at}.past_days"), "is not 1 to 36525", cure);
    }
    if source.plausible.ahead_minutes > 60 {
        let cure = "write the minutes by which the source's clock may be ahead of ours";
        found.add(format!("{at}.ahead_minutes"), "is more than 60", cure);
    }
}

fn check_time(found: &mut Findings, at: &str, time: &TimeFormat) {
    if let Some(zone) = &time.zone {
        found.zone(format!("{at}.time.zone"), zone);
    }
}
