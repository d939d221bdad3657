//! For whom a source speaks, and what proves it alive.

use super::{AliveBy, Plant, Source, findings::Findings};

/// Checks one source at path `at`.
pub(super) fn check(found: &mut Findings, at: &str, source: &Source, plant: &Plant) {
    for (index, id) in source.speaks_for.iter().enumerate() {
        if plant.resource(id).is_none() {
            found.add(
                format!("{at}.speaks_for[{index}]"),
                format!("`{id}` is no resource of the plant"),
                "name ids of `resources`; of a line its machines",
            );
        }
    }
    if let AliveBy::RowsOf(name) = &source.alive_by {
        let reason = match plant.source(name) {
            None => Some(format!("`{name}` is no source of the plant")),
            Some(_) if *name == source.name => Some("names the source itself".to_owned()),
            Some(_) => None,
        };
        if let Some(reason) = reason {
            let cure =
                "name another source that has rows of the same machines, or write `own_rows`";
            found.add(format!("{at}.alive_by.rows_of"), reason, cure);
        }
    }
    let live = source.live_hours.unwrap_or(plant.rules.live_hours);
    let held = source.time_to_live_hours.unwrap_or(plant.rules.time_to_live_hours);
    let own = source.live_hours.is_some() || source.time_to_live_hours.is_some();
    if own && held < live {
        found.add(
            format!("{at}.time_to_live_hours"),
            format!("is {held}, and the source is live for {live} hours"),
            "a word is live first and held then: write at least `live_hours`",
        );
    }
    if let Some(hand_over) = &source.hand_over {
        for (field, text) in [("by", &hand_over.by), ("reason", &hand_over.reason)] {
            if text.trim().is_empty() {
                found.add(
                    format!("{at}.hand_over.{field}"),
                    "is empty",
                    "a named person lets others speak in its place, and says why",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{fixture, model::HandOver};

    #[test]
    fn each_fault_is_named_by_its_path() {
        let mut plant = fixture::plant();
        let source = &mut plant.sources[0];
        source.speaks_for = vec!["M1".into(), "M9".into()];
        source.alive_by = AliveBy::RowsOf("nobody".into());
        source.live_hours = Some(90);
        source.hand_over =
            Some(HandOver { at: Timestamp::UNIX_EPOCH, by: " ".into(), reason: "moved".into() });
        let paths: Vec<String> = plant.validate().into_iter().map(|one| one.path).collect();
        assert_eq!(
            paths,
            [
                "sources[0].speaks_for[1]",
                "sources[0].alive_by.rows_of",
                "sources[0].time_to_live_hours",
                "sources[0].hand_over.by",
            ]
        );
    }
}
