//! Lines: measured at their end, beside what their machines compose to.

use super::*;

/// M1 counts `an_hour` parts in each of the first `hours` hours after
/// [`MONDAY`]; its events are heard of until `heard`.
pub(super) fn counted(hours: i64, an_hour: u64, heard: i64) -> Facts {
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
    let text = explain(&plant, &derivation, "LINE", one.period, CLOCK).unwrap().to_string();
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

/// The line in week 43 after the counts of weeks 41 and 42, `made` in each hour.
fn after(counts: Vec<crate::decode::CountFact>) -> (Figures, String) {
    let plant = fixture::plant();
    let states = vec![state(0, ms(MONDAY) + 336 * HOUR_MS, EquipmentState::Productive)];
    let all = Facts { states, counts, ..Facts::default() }.seal();
    let derivation = weeks(&plant, &all, ms(MONDAY) + 336 * HOUR_MS);
    let one = derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap().clone();
    (one, explained(&plant, &derivation, "LINE", "2026-W43"))
}

#[test]
fn law_8_an_hour_that_was_not_counted_takes_no_bad_week_out_of_the_pool() {
    // Week 41 at 48 of 60 parts an hour, week 42 at 24; in its hour 250 somebody
    // takes 70 parts back, and nobody knows what was made.
    let total = |hour: i64| {
        let gone = if hour < 250 { 0 } else { 70 };
        u64::try_from((hour + 1).min(168) * 48 + (hour - 167).max(0) * 24 - gone).unwrap()
    };
    let (one, text) = after((0..336).map(|hour| count(hour, total(hour))).collect());
    let pool = one.line.unwrap().pool.unwrap();
    assert_eq!((pool.weeks, hours(pool.scheduled)), (2, 335.into()));
    let parts = Decimal::from(168 * 48 + 167 * 24);
    let rate = parts / Decimal::from(60) / Decimal::from(335);
    assert_eq!(one.attainable_hours, Some(Decimal::from(169) * rate));
    assert_eq!(one.status, Status::Live);
    assert!(text.contains("over 2 weeks, 2026-W41 to 2026-W42"), "{text}");
}

#[test]
fn law_8_a_line_that_was_counted_in_part_is_not_raised_to_its_bound() {
    // The counter is there from hour 100 of week 41 and dies in week 42.
    let counts = (100..170).map(|hour| count(hour, 48 * u64::try_from(hour - 99).unwrap()));
    let (one, text) = after(counts.collect());
    assert_eq!(one.attainable_hours, Some(Decimal::new(1_352, 1)));
    assert_eq!(one.status, Status::Assumed);
    assert!(text.contains("no week was counted fully enough"), "{text}");
}

/// Weeks 41 and 42 of a line that makes 48 of 60 parts an hour, and none in the
/// first 84 hours, in which `who` is in the state `why`.
fn stood(who: u32, why: EquipmentState) -> (Plant, Derivation) {
    let plant = fixture::plant();
    let hour = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let told = |at: i64, what| StateFact { subject: Subject(who), ..state(2, hour(at), what) };
    let mut all = counted(0, 0, 336);
    all.states.extend([
        told(0, why),
        told(84, EquipmentState::Productive),
        told(336, EquipmentState::Productive),
    ]);
    let total = |hour: i64| 48 * u64::try_from((hour - 83).max(0)).unwrap();
    all.counts = (0..336).map(|hour| count(hour, total(hour))).collect();
    let derivation = weeks(&plant, &all.seal(), hour(336));
    (plant, derivation)
}

#[test]
fn a_lost_end_of_a_standby_counts_no_hour_twice() {
    // The line makes 48 parts an hour all the time; the word that the orders are
    // back in week 41 was lost, and the next one comes a week later.
    let plant = fixture::plant();
    let hour = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let told = |at: i64, what| state(2, hour(at), what);
    let mut all = counted(336, 48, 336);
    all.states.extend([
        told(0, EquipmentState::StandbyNoOrder),
        told(252, EquipmentState::Productive),
        told(336, EquipmentState::Productive),
    ]);
    let derivation = weeks(&plant, &all.seal(), hour(336));
    for (week, hours) in [("2026-W41", 168), ("2026-W42", 168), ("2026-W43", 169)] {
        let one = derivation.get("LINE", week.parse().unwrap()).unwrap();
        assert_eq!(one.attainable_hours, Some(Decimal::new(hours * 8, 1)), "{week}");
        explained(&plant, &derivation, "LINE", week);
    }
}

#[test]
fn time_without_order_or_operator_is_no_loss_of_a_line() {
    for why in [EquipmentState::StandbyNoOrder, EquipmentState::StandbyNoOperator] {
        let (plant, derivation) = stood(0, why);
        for (week, hours) in [("2026-W41", 168), ("2026-W42", 168), ("2026-W43", 169)] {
            let one = derivation.get("LINE", week.parse().unwrap()).unwrap();
            assert_eq!(one.attainable_hours, Some(Decimal::new(hours * 8, 1)), "{week}");
            assert_eq!(one.status, Status::Live, "{week}");
            // Missing operators are paid unless they are corrected for.
            let staffing = one.netted_losses.contains(&planthread_contracts::Loss::Staffing);
            assert_eq!(staffing, why == EquipmentState::StandbyNoOrder);
            let text = explained(&plant, &derivation, "LINE", week);
            assert!(text.contains("M1 tells missing orders or operators"), "{text}");
        }
        let text = explained(&plant, &derivation, "LINE", "2026-W41");
        assert!(text.contains("without order or operator, which is no loss"), "{text}");
        assert!(text.contains("5040 / 60 * 0.8 = 67.2"), "{text}");
        assert!(text.contains("in which parts were asked for"), "{text}");
    }
}

#[test]
fn starving_inside_a_line_is_its_own_loss_and_nobody_corrects_unasked() {
    // 252 of 336 hours at 48 of 60 parts.
    let floor = Some(Decimal::from(169) * Decimal::new(6, 1));
    for (who, why, words) in [
        (0, EquipmentState::StandbyStarved, "no source of the line tells missing orders"),
        (1, EquipmentState::StandbyNoOrder, "only sources of other machines than M1"),
    ] {
        let (plant, derivation) = stood(who, why);
        let one = derivation.get("LINE", "2026-W43".parse().unwrap()).unwrap();
        assert_eq!((one.attainable_hours, one.elements.standby), (floor, 0));
        assert!(one.netted_losses.contains(&planthread_contracts::Loss::Staffing));
        let text = explained(&plant, &derivation, "LINE", "2026-W43");
        assert!(text.contains(words), "{text}");
    }
}
