//! Lines: measured at their end, beside what their machines compose to.

use super::*;

/// M1 counts `an_hour` parts in each of the first `hours` hours after
/// [`MONDAY`]; its events are heard of until `heard`.
fn counted(hours: i64, an_hour: u64, heard: i64) -> Facts {
    let states = vec![state(0, ms(MONDAY) + heard * HOUR_MS, EquipmentState::Productive)];
    let counts = (0..hours).map(|hour| count(hour, an_hour * u64::try_from(hour + 1).unwrap()));
    Facts { states, counts: counts.collect(), ..Facts::default() }.seal()
}

#[test]
fn law_8_a_silent_counter_never_raises_the_line_to_its_bound() {
    let plant = fixture::plant();
    let line = |silent: i64| {
        let all = counted(336, 48, 336 + silent);
        let derivation = weeks(&plant, &all, ms(MONDAY) + (336 + silent) * HOUR_MS);
        derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap().clone()
    };
    // 48 of 60 parts an hour; the machines never stop, so the bound is 169 h.
    let good = line(0);
    assert_eq!((good.phase, good.status), (Phase::Future, Status::Live));
    assert_eq!(good.attainable_hours, Some(Decimal::new(1_352, 1)));
    // The week begins, the first count has not arrived; then the counter dies.
    for (silent, status) in [(1, Status::Live), (30, Status::Held), (80, Status::Assumed)] {
        let one = line(silent);
        assert_eq!((one.phase, one.status), (Phase::Current, status), "{silent} h");
        assert_eq!(one.attainable_hours, good.attainable_hours, "{silent} h");
    }
    let past = line(169 + 24);
    assert_eq!((past.phase, past.status, past.partial), (Phase::Past, Status::Assumed, true));
    assert_eq!(past.attainable_hours, good.attainable_hours);
    assert_eq!(past.quality.coverage, Decimal::ZERO);
}

#[test]
fn a_week_that_was_counted_in_part_is_not_shown_as_measured() {
    let plant = fixture::plant();
    // Two full weeks and half of the next; then silence to its end.
    let all = counted(336 + 84, 48, 505);
    let derivation = weeks(&plant, &all, ms(MONDAY) + 505 * HOUR_MS);
    let one = derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap();
    assert_eq!(one.output_standard_hours, Some(Decimal::new(672, 1)));
    assert_eq!(one.attainable_hours, Some(Decimal::new(1_352, 1)));
    assert_eq!((one.status, one.partial), (Status::Assumed, true));
    let text = explain(&plant, &derivation, "LINE", one.period).unwrap().to_string();
    assert!(text.contains("85 h were not counted"), "{text}");
}

#[test]
fn law_10_output_at_the_end_of_a_line_has_paid_every_loss() {
    let plant = fixture::plant();
    let derivation = weeks(&plant, &counted(336, 48, 336), ms(MONDAY) + 336 * HOUR_MS);
    let one = derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap();
    assert!(one.netted_losses.contains(&planthread_contracts::Loss::Quality));
    assert!(one.netted_losses.contains(&planthread_contracts::Loss::Setup));
    // Nobody counted: only the bound is there, which is an assumption.
    let derivation = weeks(&plant, &counted(0, 48, 336), ms(MONDAY) + 336 * HOUR_MS);
    let one = derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap();
    assert!(!one.netted_losses.contains(&planthread_contracts::Loss::Quality));
    assert_eq!(one.status, Status::Assumed);
}
