//! Law 9: what people decided shows as its own layer, with who answers for it.

use super::{line::counted, *};
use crate::decode::VerdictFact;

/// Two shifts of 8 h on weekdays, and the changes of week 43.
fn shifts(exceptions: &serde_json::Value) -> Plant {
    let mut plant = fixture::plant();
    let calendar = serde_json::json!({
        "id": "24x7", "version": "1",
        "shifts": [
            { "name": "early", "days": ["mon", "tue", "wed", "thu", "fri"],
              "start": "06:00", "end": "14:00" },
            { "name": "late", "days": ["mon", "tue", "wed", "thu", "fri"],
              "start": "14:00", "end": "22:00" },
        ],
        "exceptions": exceptions,
    });
    plant.calendars = vec![serde_json::from_value(calendar).unwrap()];
    plant
}

fn text(plant: &Plant, resource: &str) -> String {
    let derivation = weeks(plant, &counted(336, 24, 337), ms(MONDAY) + 337 * HOUR_MS);
    explained(plant, &derivation, resource, "2026-W43")
}

#[test]
fn law_9_each_decided_change_is_told_with_reason_owner_and_cycle() {
    let plant = shifts(&serde_json::json!([
        { "from": "2026-10-19", "to": "2026-10-20", "closed": true,
          "reason": "stock-taking", "owner": "A. Meier", "cycle": "2026-10" },
        { "from": "2026-10-24", "extra": [{ "start": "06:00", "end": "06:30" }],
          "reason": "trial", "owner": "B. Kaya" },
        // Moved by half an hour: as much more as less.
        { "from": "2026-10-21", "closed": true,
          "extra": [{ "start": "06:30", "end": "22:30" }],
          "reason": "late bus", "owner": "C. Roux", "cycle": "2026-09" },
        { "from": "2026-10-25", "closed": true, "reason": "holiday", "owner": "the law" },
        { "from": "2026-11-02", "closed": true, "reason": "next week", "owner": "nobody" },
    ]));
    for resource in ["M1", "LINE"] {
        let text = text(&plant, resource);
        for words in [
            "Hours of the weekly shifts: 4800 / 60 = 80",
            "Decided for 2026-10-19 to 2026-10-20, 32 h less than the shifts: stock-taking (owner A. Meier, cycle 2026-10): -1920 / 60 = -32",
            "Decided for 2026-10-24, 0.5 h more than the shifts: trial (owner B. Kaya, no cycle named): 30 / 60 = 0.5",
            "Decided for 2026-10-21, 0.5 h more and 0.5 h less: late bus (owner C. Roux, cycle 2026-09): 0 / 60 = 0",
            "Decided for 2026-10-25, no hour of this period moves: holiday (owner the law, no cycle named)",
            "what people decided: 80 + -32 + 0.5 + 0 + 0 = 48.5",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        assert!(!text.contains("next week"), "{text}");
    }
}

#[test]
fn without_a_decision_the_shifts_are_all_that_is_scheduled() {
    let text = text(&shifts(&serde_json::json!([])), "M1");
    assert!(text.contains("Scheduled hours: 4800 / 60 = 80"), "{text}");
    assert!(!text.contains("ecided"), "{text}");
}

/// Two sources of one rank: the file says that M1 was down for the first 42 hours of
/// week 41, the twin that it ran.
fn differing() -> (Plant, Vec<StateFact>) {
    let mut plant = fixture::plant();
    plant.sources[2].authority = plant.sources[0].authority;
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let mut states = stops(&[(0, 42), (167, 168)]);
    states.push(state(2, at(0), EquipmentState::Productive));
    states.push(state(2, at(168), EquipmentState::Productive));
    (plant, states)
}

fn verdict(source: u16, (from, to): (i64, i64), given: i64) -> VerdictFact {
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    VerdictFact {
        subject: Subject(0),
        interval: Span { start: at(from), end: at(to) },
        given: at(given),
        source: SourceIndex(source),
        words: format!("Eva said that source {source} is right"),
    }
}

#[test]
fn a_verdict_ends_a_conflict_for_its_time_and_the_last_one_holds() {
    let (plant, states) = differing();
    let of = |verdicts: Vec<VerdictFact>| {
        let all = Facts { states: states.clone(), verdicts, ..Facts::default() }.seal();
        let derivation = weeks(&plant, &all, ms(MONDAY) + 168 * HOUR_MS);
        let week = m1(&derivation, "2026-W41");
        (week.status, week.down_hours(), explained(&plant, &derivation, "M1", "2026-W41"))
    };
    let (status, down, text) = of(Vec::new());
    assert_eq!((status, down), (Status::Conflicting, 43.into()), "the lower side");
    let sides = "rank: events says unplanned stop and twin says up for 43 h in all; the lower";
    assert!(text.contains(sides), "{text}");
    let (status, down, text) = of(vec![verdict(2, (0, 168), 170)]);
    assert_eq!((status, down), (Status::Live, 0.into()), "the twin saw no stop");
    assert!(text.contains("Eva said that source 2 is right") && !text.contains("differ"), "{text}");
    let (status, down, _) = of(vec![verdict(0, (0, 168), 170)]);
    assert_eq!((status, down), (Status::Live, 43.into()), "the file saw two");
    // Of two verdicts the last one holds, where it speaks; before and behind nothing changes.
    let (_, down, _) = of(vec![verdict(2, (0, 168), 170), verdict(0, (10, 20), 171)]);
    assert_eq!(down, 10.into());
    let (status, down, _) = of(vec![verdict(2, (0, 20), 170)]);
    assert_eq!((status, down), (Status::Conflicting, 23.into()));
}
