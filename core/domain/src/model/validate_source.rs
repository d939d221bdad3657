//! Relations between the fields of one source.

use std::collections::BTreeMap;

use super::{
    Complete, EquipmentState, EventRule, MachineEvents, Plant, Repeats, Snapshot, Source,
    SourceFormat, TimeFormat, findings::Findings,
};

/// Checks one source at path `at`.
pub(super) fn check(found: &mut Findings, at: &str, source: &Source, plant: &Plant) {
    check_plausible(found, &format!("{at}.plausible"), source);
    check_repeats(found, at, source);
    let (kind, layout) = match &source.reader {
        SourceFormat::MachineEvents(r) => {
            let columns = [&r.columns.time, &r.columns.machine, &r.columns.event];
            check_events(found, &format!("{at}.reader.machine_events.events"), r);
            ("machine_events", Some((&r.header, &r.separator, &r.key, &r.time, columns)))
        }
        SourceFormat::Counts(r) => {
            let columns = [&r.columns.time, &r.columns.machine, &r.columns.total];
            if r.interval_minutes == 0 {
                found.add(
                    format!("{at}.reader.counts.interval_minutes"),
                    "is zero",
                    "write the minutes of the counted interval",
                );
            }
            check_counters(found, &format!("{at}.reader.counts.machines"), &r.machines);
            ("counts", Some((&r.header, &r.separator, &r.key, &r.time, columns)))
        }
        SourceFormat::Cloudevents(_) => ("cloudevents", None),
        SourceFormat::Decisions(_) => ("decisions", None),
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

fn check_events(found: &mut Findings, at: &str, events: &MachineEvents) {
    let rules = || events.events.values();
    if events.events.is_empty() {
        let cure = "list each event that the file holds";
        found.add(at.to_owned(), "maps no event to a state", cure);
    }
    let stops = [EquipmentState::UnscheduledDown, EquipmentState::ScheduledDown];
    for stop in stops.into_iter().filter(|stop| rules().any(|rule| rule.state == Some(*stop))) {
        let ends = |rule: &EventRule| {
            rule.state.is_some_and(EquipmentState::can_work) && !rule.unless.contains(&stop)
        };
        if !rules().any(ends) {
            let word = serde_json::to_value(stop).unwrap_or_default();
            found.add(
                at.to_owned(),
                format!("an event begins {word}, and none ends it: the stop would last for ever"),
                "map the event with which the machine goes on to `state: productive`; an empty \
                 cell is the event `\"\"`",
            );
        }
    }
}

/// Two counters are never one: their totals would rise and fall in turns.
fn check_counters(found: &mut Findings, at: &str, machines: &BTreeMap<String, String>) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, resource) in machines {
        if let Some(first) = known.insert(resource, name) {
            found.add(
                format!("{at}.{name}"),
                format!("`{first}` and `{name}` are both `{resource}`: two counters are never one"),
                "map each machine of the file to a resource of its own",
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

fn check_repeats(found: &mut Findings, at: &str, source: &Source) {
    let (header, key) = match &source.reader {
        SourceFormat::MachineEvents(r) => (&r.header, &r.key),
        SourceFormat::Counts(r) => (&r.header, &r.key),
        SourceFormat::Cloudevents(_) => {
            if source.snapshot.is_some() {
                let cure = "remove it: events are retracted by events";
                found.add(format!("{at}.snapshot"), "is for files of rows", cure);
            }
            if source.repeats == Repeats::Latest || source.version_column.is_some() {
                let reason = "events carry no version that orders them";
                let cure = "write `repeats: ask` or `refuse`, without a `version_column`";
                found.add(format!("{at}.repeats"), reason, cure);
            }
            return;
        }
        SourceFormat::Decisions(_) => return check_sheet(found, at, source),
    };
    if let Some(Snapshot { days, complete }) = &source.snapshot {
        let (Complete::LastLine(mark) | Complete::RowCount(mark) | Complete::Sibling(mark)) =
            complete;
        if mark.trim().is_empty() || *days == Some(0) {
            let reason = "covers no day, or has nothing that proves that it is whole";
            let cure = "write `complete: { last_line: \"# end\" }`, and the days that it covers";
            found.add(format!("{at}.snapshot"), reason, cure);
        }
    }
    if source.repeats != Repeats::Ask && key.is_empty() {
        let reason = "an id is made of all columns, so no second row of it can say otherwise";
        let cure = "name the columns that make a row's id in the reader's `key`";
        found.add(format!("{at}.repeats"), reason, cure);
    }
    let Some(column) = &source.version_column else { return };
    let path = format!("{at}.version_column");
    if source.repeats != Repeats::Latest {
        found.add(path, "orders nothing", "write `repeats: latest`, or remove it");
    } else if !header.contains(column) || key.contains(column) {
        let reason = format!("`{column}` is no column of the header, or part of the row's id");
        found.add(path, reason, "name the column that grows when a row is corrected");
    }
}

/// A sheet counts as a whole, and takes the place of the one before it: nothing else
/// orders it.
fn check_sheet(found: &mut Findings, at: &str, source: &Source) {
    if source.files.len() > 1 {
        let reason = "names several sheets: each would take the place of the other";
        found.add(format!("{at}.files"), reason, "give each sheet a source of its own");
    }
    let other = [
        ("snapshot", source.snapshot.is_some()),
        ("repeats", source.repeats != Repeats::Ask),
        ("version_column", source.version_column.is_some()),
        ("speaks_for", !source.speaks_for.is_empty()),
        ("hand_over", source.hand_over.is_some()),
    ];
    for (field, _) in other.into_iter().filter(|(_, written)| *written) {
        let reason = "is not for a sheet of decisions: it always counts as a whole, from when it \
                      was read";
        found.add(format!("{at}.{field}"), reason, "remove it");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn faults(change: impl FnOnce(&mut MachineEvents)) -> Vec<(String, String)> {
        let mut plant = fixture::plant();
        let SourceFormat::MachineEvents(events) = &mut plant.sources[0].reader else { panic!() };
        change(events);
        let found = plant.validate().into_iter();
        found.map(|one| (one.path, format!("{}; {}", one.reason, one.cure))).collect()
    }

    #[test]
    fn a_list_in_which_nothing_ends_a_stop_is_refused() {
        let none = faults(|events| {
            events.events.remove("restored");
        });
        assert_eq!(none.len(), 2, "a failure and a planned stop: {none:?}");
        for (path, text) in none {
            assert_eq!(path, "sources[0].reader.machine_events.events");
            assert!(text.contains("_down\", and none ends it"), "{text}");
        }
        // That nothing is known ends no stop, nor does what is waved aside by it.
        let unknown = faults(|events| {
            events.events.get_mut("restored").unwrap().state = Some(EquipmentState::Unknown);
        });
        assert_eq!(unknown.len(), 2);
        let waved = faults(|events| {
            let stop = vec![EquipmentState::UnscheduledDown];
            events.events.get_mut("restored").unwrap().unless = stop;
        });
        assert!(waved.len() == 1 && waved[0].1.contains("unscheduled_down"), "{waved:?}");
        let starved = faults(|events| {
            let state = Some(EquipmentState::StandbyStarved);
            events.events.get_mut("restored").unwrap().state = state;
        });
        assert_eq!(starved, [], "a machine that starves could work");
    }

    #[test]
    fn two_counters_are_never_one() {
        let mut plant = fixture::plant();
        let SourceFormat::Counts(counts) = &mut plant.sources[1].reader else { panic!() };
        let names = ["a", "b"].map(|name| (name.to_owned(), "M1".to_owned()));
        counts.machines = names.into();
        let found = plant.validate();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "sources[1].reader.counts.machines.b");
        assert!(found[0].reason.contains("`a` and `b` are both `M1`"), "{}", found[0].reason);
    }

    #[test]
    fn what_repeats_means_must_be_able_to_happen() {
        let paths = |change: &dyn Fn(&mut Source)| -> Vec<String> {
            let mut plant = fixture::plant();
            change(&mut plant.sources[1]);
            plant.validate().into_iter().map(|one| one.path).collect()
        };
        let keyed = |source: &mut Source, repeats, column: Option<&str>| {
            let SourceFormat::Counts(counts) = &mut source.reader else { panic!() };
            counts.key = vec!["machine".into(), "hour_start".into()];
            (source.repeats, source.version_column) = (repeats, column.map(str::to_owned));
        };
        assert_eq!(paths(&|s| s.repeats = Repeats::Refuse), ["sources[1].repeats"]);
        assert_eq!(paths(&|s| keyed(s, Repeats::Latest, Some("parts_total"))), [""; 0]);
        assert_eq!(paths(&|s| keyed(s, Repeats::Latest, None)), [""; 0]);
        let column = ["sources[1].version_column"];
        assert_eq!(paths(&|s| keyed(s, Repeats::Latest, Some("rev"))), column);
        assert_eq!(paths(&|s| keyed(s, Repeats::Latest, Some("machine"))), column);
        assert_eq!(paths(&|s| keyed(s, Repeats::Ask, Some("parts_total"))), column);
        let mut plant = fixture::plant();
        plant.sources[2].repeats = Repeats::Latest;
        assert_eq!(plant.validate()[0].path, "sources[2].repeats");
    }

    #[test]
    fn a_snapshot_is_of_rows_and_proves_something() {
        let mut plant = fixture::plant();
        let of =
            |days, mark: &str| Some(Snapshot { days, complete: Complete::LastLine(mark.into()) });
        plant.sources[0].snapshot = of(Some(0), "# end");
        plant.sources[1].snapshot = of(None, " ");
        plant.sources[2].snapshot = of(None, "# end");
        let paths: Vec<String> = plant.validate().into_iter().map(|one| one.path).collect();
        assert_eq!(paths, [0, 1, 2].map(|n| format!("sources[{n}].snapshot")));
        plant.sources.truncate(2);
        (plant.sources[0].snapshot, plant.sources[1].snapshot) = (of(Some(1), "."), of(None, "."));
        assert_eq!(plant.validate(), []);
    }

    #[test]
    fn a_window_that_takes_everything_or_nothing_is_refused() {
        let mut plant = fixture::plant();
        plant.sources[0].plausible.past_days = 0;
        plant.sources[1].plausible.ahead_minutes = 61;
        let paths: Vec<String> = plant.validate().into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["sources[0].plausible.past_days", "sources[1].plausible.ahead_minutes"]);
    }
}
