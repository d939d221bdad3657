//! The pool of a machine that gets worse: lowered, explained, and never raised by
//! silence.

use super::*;
use crate::derive::pool::newest_full;

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
fn after_a_fall_the_new_level_is_expected_and_the_words_say_why() {
    let (plant, all) = (fixture::plant(), weeks_before(&STEPPED));
    let derivation = weeks(&plant, &all, ms(MONDAY));
    let week = m1(&derivation, "2026-W41");
    // The last two weeks had 108 hours up on average, give or take one.
    let attainable = week.attainable_hours.unwrap();
    assert!((attainable - Decimal::from(107)).abs() < Decimal::ONE, "{attainable}");
    let text = explained(&plant, &derivation, "M1", "2026-W41");
    assert!(text.contains("over 8 full weeks, 2026-W33 to 2026-W40"), "{text}");
    assert!(
        text.contains("because over the last 16 full weeks it fell at once (weight 100 %"),
        "{text}"
    );
    // The low figure moves down with it: the worst of eight weeks had 62 hours down.
    let down: i64 = STEPPED[8..].iter().sum();
    let shown = Decimal::from(168) - Decimal::from(down) / Decimal::from(8);
    let low = Decimal::from(168 - 62) - (shown - attainable);
    assert_eq!(week.low_hours.unwrap().value.round_dp(9), low.round_dp(9));
    let what = planthread_contracts::Carries::LowHours;
    let found = explain(&plant, &derivation, "M1", week.period, what).unwrap();
    let mut known = BTreeMap::new();
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
    let attainable = week.attainable_hours.unwrap();
    assert!((attainable - Decimal::from(168 - 72)).abs() < Decimal::new(1, 2), "{attainable}");
    let text = explained(&plant, &derivation, "M1", "2026-W41");
    assert!(text.contains("falls week by week (weight 100 %: 57.1 % comes next)"), "{text}");
}

#[test]
fn law_8_silence_does_not_raise_what_was_lowered() {
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

/// The last week ahead of M1, so many days after [`MONDAY`].
fn last_week(plant: &Plant, all: &Facts, days: i64) -> Figures {
    let derivation = weeks(plant, all, ms(MONDAY) + days * 24 * HOUR_MS);
    derivation.figures.into_iter().rfind(|one| &*one.resource == "M1").unwrap()
}

#[test]
fn law_8_a_low_figure_stays_while_its_weeks_grow_too_old_for_the_mean() {
    let plant = fixture::plant();
    // Without the good old weeks the mean is less, of fewer weeks than a quantile needs.
    let all = weeks_before(&[1, 1, 1, 8, 8, 20, 8, 8]);
    let landed = last_week(&plant, &all, 0);
    let share = Decimal::ONE - Decimal::from(20) / Decimal::from(168);
    let low = |one: &Figures| (one.low_hours.unwrap().value / Decimal::from(168)).round_dp(9);
    assert_eq!(low(&landed), share.round_dp(9));
    for days in [8, 15, 21, 60] {
        let later = last_week(&plant, &all, days);
        assert!(later.attainable_hours < landed.attainable_hours, "{days}");
        assert_eq!((low(&later), later.status), (share.round_dp(9), Status::Assumed), "{days}");
        let what = planthread_contracts::Carries::LowHours;
        let derivation = weeks(&plant, &all, ms(MONDAY) + days * 24 * HOUR_MS);
        let text = explain(&plant, &derivation, "M1", later.period, what).unwrap().to_string();
        assert!(text.contains("not reached with probability 0.1"), "{text}");
    }
}

#[test]
fn law_8_the_weeks_of_a_silent_machine_stay_known_while_others_go_on() {
    let mut plant = fixture::plant();
    plant.resources[0].standard_availability = Some(Decimal::ONE);
    let silent = weeks_before(&[8; 8]);
    let landed = last_week(&plant, &silent, 0).attainable_hours;
    for days in [30, 150, 400] {
        let mut all = silent.clone();
        let at = ms(MONDAY) + days * 24 * HOUR_MS;
        all.states
            .push(StateFact { subject: Subject(1), ..state(0, at, EquipmentState::Productive) });
        assert_eq!(last_week(&plant, &all.seal(), days).attainable_hours, landed, "{days} days");
    }
}

#[test]
fn a_gap_pushes_no_full_week_out_of_the_pool() {
    let plant = fixture::plant();
    // The two oldest of nine weeks were bad; in the last ones the signal was lost.
    let mut all = weeks_before(&[60, 60, 8, 8, 8, 8, 8, 8]);
    let landed = last_week(&plant, &all, 0).attainable_hours;
    for week in 0..3 {
        let hour = |hour: i64| ms(MONDAY) + (week * 168 + hour) * HOUR_MS;
        all.states.push(state(0, hour(20), EquipmentState::Unknown));
        all.states.push(state(0, hour(150), EquipmentState::Productive));
    }
    assert_eq!(last_week(&plant, &all.seal(), 21).attainable_hours, landed);
}

/// What weeks show together: good parts, and hours.
type Shown = (u32, u32);

fn and(one: Shown, other: Shown) -> Shown {
    (one.0 + other.0, one.1 + other.1)
}

fn an_hour(shown: &Shown) -> Option<Decimal> {
    Decimal::from(shown.0).checked_div(shown.1.into())
}

/// Weeks, the newest first: of some of them nothing was seen, and of some too little.
fn newest_first() -> impl Strategy<Value = Vec<Option<(Shown, bool)>>> {
    prop::collection::vec(prop::option::of(((0_u32..99, 1_u32..99), any::<bool>())), 1..12)
}

fn rate(weeks: &[Option<(Shown, bool)>], length: u32) -> Option<Decimal> {
    newest_full(weeks.iter().copied(), length, and, an_hour).and_then(|shown| an_hour(&shown))
}

#[test]
fn one_full_week_does_not_hide_many_that_were_nearly_full() {
    let mut weeks = vec![Some(((50, 100), false)); 8];
    weeks.push(Some(((90, 100), true)));
    assert_eq!(rate(&weeks, 8), Some(Decimal::from(490) / Decimal::from(900)));
    // Eight full weeks need no others.
    weeks.extend([Some(((90, 100), true)); 7]);
    assert_eq!(rate(&weeks, 8), Some(Decimal::new(9, 1)));
}

proptest! {
    /// Weeks of which nothing was seen, or no more than was landed, lift no rate,
    /// however many there are; where as many weeks as a pool has are full, no gap moves it.
    #[test]
    fn law_8_no_gap_lifts_a_rate(
        weeks in newest_first(),
        gap in prop::collection::vec(prop::option::of((0_u32..99, 1_u32..99)), 0..12),
        length in 1_u32..10,
    ) {
        let full: Vec<Shown> =
            weeks.iter().flatten().filter(|(_, full)| *full).map(|(week, _)| *week).collect();
        prop_assume!(!full.is_empty());
        let landed = rate(&weeks, length).unwrap();
        let after = |gap: &[Option<Shown>]| {
            let gap = gap.iter().map(|week| week.map(|week| (week, false)));
            let all: Vec<_> = gap.chain(weeks.iter().copied()).collect();
            rate(&all, length).unwrap()
        };
        let unseen = vec![None; gap.len()];
        prop_assert_eq!(after(&unseen), landed);
        let mut no_better = gap.clone();
        no_better.retain(|week| week.is_none_or(|week| an_hour(&week).unwrap() <= landed));
        prop_assert!(after(&no_better) <= landed + Decimal::new(1, 9));
        let pooled: Vec<Shown> = full.iter().copied().take(length as usize).collect();
        let of_full = an_hour(&pooled.iter().copied().reduce(and).unwrap()).unwrap();
        prop_assert!(landed <= of_full);
        if pooled.len() == length as usize {
            prop_assert_eq!((landed, after(&gap)), (of_full, of_full));
        } else {
            let seen = weeks.iter().flatten().map(|(week, _)| *week).reduce(and).unwrap();
            prop_assert_eq!(landed, of_full.min(an_hour(&seen).unwrap()));
        }
    }
}
