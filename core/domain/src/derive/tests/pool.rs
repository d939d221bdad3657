//! The pool of a machine that gets worse: chosen by its back-test, explained, and
//! never raised by silence.

use super::*;

/// M1 is down for the first hours of each week before 2026-W41, the last of
/// `hours` in week 40, and says as each week begins what it does.
fn weeks_before(hours: &[i64]) -> Facts {
    let mut states = Vec::new();
    for (back, down) in (1..).zip(hours.iter().rev()) {
        let monday = ms(MONDAY) - back * 168 * HOUR_MS;
        states.push(state(2, monday, EquipmentState::UnscheduledDown));
        states.push(state(2, monday + down * HOUR_MS, EquipmentState::Productive));
    }
    states.push(state(2, ms(MONDAY), EquipmentState::Productive));
    facts(states)
}

/// Fourteen weeks of which one is like the other, and two that are worse.
const STEPPED: [i64; 16] = [8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9, 58, 62];

#[test]
fn after_a_step_the_new_weeks_are_pooled_and_the_words_say_why() {
    let (plant, all) = (fixture::plant(), weeks_before(&STEPPED));
    let derivation = weeks(&plant, &all, ms(MONDAY));
    let week = m1(&derivation, "2026-W41");
    // 120 of 336 hours were down in the last two weeks.
    let expected = Decimal::from(168) * (Decimal::ONE - Decimal::from(120) / Decimal::from(336));
    assert_eq!(week.attainable_hours.map(|hours| hours.round_dp(9)), Some(expected.round_dp(9)));
    let text = explained(&plant, &derivation, "M1", "2026-W41");
    assert!(text.contains("over 2 full weeks, 2026-W39 to 2026-W40"), "{text}");
    assert!(text.contains("the newest 2 of 8 weeks"), "{text}");
    // The low figure moves down with it: the worst of eight weeks had 62 hours
    // down, and the two weeks lie below all eight by their difference in the mean.
    let down = |week: usize| -> i64 { STEPPED[week..].iter().sum() };
    let share = |down: i64, weeks: i64| Decimal::from(down) / Decimal::from(weeks * 168);
    let fallen = share(down(14), 2) - share(down(8), 8);
    let low = Decimal::from(168) * (Decimal::ONE - share(62, 1) - fallen);
    assert_eq!(week.low_hours.unwrap().value.round_dp(9), low.round_dp(9));
    let what = planthread_contracts::Carries::LowHours;
    let found = explain(&plant, &derivation, "M1", week.period, what).unwrap();
    let mut known = std::collections::BTreeMap::new();
    for step in &found.steps {
        let value = arithmetic::value(&step.formula, &known);
        assert_eq!(value.round_dp(9), step.result.round_dp(9), "{found}");
        known.insert(step.name.clone(), value);
    }
}

#[test]
fn what_falls_week_by_week_is_lowered_and_the_words_say_by_how_much() {
    let falling: Vec<i64> = (0..16).map(|week| 8 + 4 * week).collect();
    let plant = fixture::plant();
    let derivation = weeks(&plant, &weeks_before(&falling), ms(MONDAY));
    let week = m1(&derivation, "2026-W41");
    // The line through 64 and 68 hours goes on at 72.
    assert_eq!(week.attainable_hours.unwrap().round_dp(9), Decimal::from(168 - 72));
    let text = explained(&plant, &derivation, "M1", "2026-W41");
    assert!(text.contains("promised too much in 8 of the last eight weeks"), "{text}");
}

#[test]
fn law_8_silence_does_not_raise_what_a_back_test_lowered() {
    let plant = fixture::plant();
    for hours in [STEPPED.to_vec(), (0..16).map(|week| 8 + 4 * week).collect()] {
        let all = weeks_before(&hours);
        let ahead = |days: i64| {
            let derivation = weeks(&plant, &all, ms(MONDAY) + days * 24 * HOUR_MS);
            m1(&derivation, "2026-W45").attainable_hours.unwrap()
        };
        let mut landed = ahead(0);
        for days in [1, 3, 5, 8, 15, 21] {
            assert!(ahead(days) <= landed, "{days} days of silence raise {landed}");
            landed = ahead(days);
        }
    }
}
