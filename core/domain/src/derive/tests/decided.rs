//! Law 9: what people decided shows as its own layer, with who answers for it.

use super::{line::counted, *};

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
            "Hours of the weekly shifts (minutes ÷ 60): 4800 / 60 = 80",
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
    assert!(text.contains("Scheduled hours (minutes ÷ 60): 4800 / 60 = 80"), "{text}");
    assert!(!text.contains("ecided"), "{text}");
}
