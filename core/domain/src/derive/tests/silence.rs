//! Law 8, source by source: what is lost never raises a number.

use super::*;

/// Hour `hour` after [`MONDAY`].
fn at(hour: i64) -> i64 {
    ms(MONDAY) + hour * HOUR_MS
}

/// The twin (authority 10) sees M1 fail at hour 0 and says nothing any more; the
/// file of events (authority 100) tells `others` of M1, and M2 for ever.
fn dead_twin(kind: EquipmentState, others: &[i64], until: i64) -> Facts {
    let mut states = vec![
        state(2, at(-200), EquipmentState::Productive),
        state(2, at(0), kind),
        StateFact { subject: Subject(1), ..state(0, at(until), EquipmentState::Productive) },
    ];
    states.extend(others.iter().map(|hour| state(0, at(*hour), EquipmentState::Productive)));
    facts(states)
}

#[test]
fn law_8_the_death_of_a_source_ends_no_stop_that_it_told() {
    let plant = fixture::plant();
    let hours_ahead = |hour: i64, words: &[i64]| {
        let all = dead_twin(EquipmentState::UnscheduledDown, words, hour);
        m1(&weeks(&plant, &all, at(hour)), "2026-W45").attainable_hours.unwrap()
    };
    let alive = hours_ahead(1, &[]);
    for hour in [23, 30, 71, 74, 100, 200, 400] {
        let all = dead_twin(EquipmentState::UnscheduledDown, &[-250], hour);
        let derivation = weeks(&plant, &all, at(hour));
        assert!(hours_ahead(hour, &[-250]) <= alive, "{hour}");
        let week = m1(&derivation, "2026-W41");
        assert_eq!(week.down_hours(), hour.min(168).into(), "{hour}");
        // Over or not, a week that the source did not see the end of is no fact.
        let next = m1(&derivation, "2026-W45");
        assert_eq!(week.status, next.status, "{hour}");
        assert_eq!(next.down_since.unwrap().as_millisecond(), at(0), "{hour}");
        let status = match hour {
            ..25 => Status::Live,
            25..73 => Status::Held,
            _ => Status::Assumed,
        };
        assert_eq!(
            (next.status, next.as_of.as_millisecond()),
            match status {
                Status::Live => (status, at(hour)),
                _ => (status, at(0)),
            }
        );
    }
}

#[test]
fn law_8_a_planned_stop_of_a_dead_source_goes_on_too() {
    let all = dead_twin(EquipmentState::ScheduledDown, &[], 100);
    let week = m1(&weeks(&fixture::plant(), &all, at(100)), "2026-W41");
    assert_eq!((week.planned_maintenance_hours(), week.down_hours()), (100.into(), 0.into()));
    assert_eq!(week.status, Status::Assumed);
}

#[test]
fn a_word_of_somebody_else_ends_the_stop_of_a_dead_source() {
    let plant = fixture::plant();
    let down = |words: &[i64], hour: i64| {
        let all = dead_twin(EquipmentState::UnscheduledDown, words, hour);
        let week = m1(&weeks(&plant, &all, at(hour)), "2026-W41");
        (week.down_hours(), week.status)
    };
    // Said after its time to live: there the stop ends. The silence of the stronger
    // source still caps what the weaker one says.
    assert_eq!(down(&[100], 120), (100.into(), Status::Assumed));
    // Said within it: the stronger word outlives it, so that nothing jumps up
    // when the time to live ends.
    assert_eq!(down(&[6], 72), (72.into(), Status::Held));
    assert_eq!(down(&[6], 73), (72.into(), Status::Assumed));
    assert_eq!(down(&[6, 100], 120), (72.into(), Status::Assumed));
    // "Nothing is known" is no word of the machine.
    let mut all = dead_twin(EquipmentState::UnscheduledDown, &[], 120);
    all.states.push(state(0, at(90), EquipmentState::Unknown));
    let week = m1(&weeks(&plant, &all.seal(), at(120)), "2026-W41");
    assert_eq!((week.down_hours(), week.status), (120.into(), Status::Assumed));
}

/// Weeks 41 to 43 (505 hours), each with 42 h down; `lost` hours of each were not seen.
fn three_weeks(lost: i64) -> Facts {
    let mut states = Vec::new();
    for week in 0..3 {
        let hour = |hour: i64| at(week * 168 + hour);
        states.push(state(2, hour(0), EquipmentState::UnscheduledDown));
        states.push(state(2, hour(42), EquipmentState::Productive));
        if lost > 0 {
            states.push(state(2, hour(100), EquipmentState::Unknown));
            states.push(state(2, hour(100 + lost), EquipmentState::Productive));
        }
    }
    states.push(state(2, at(505), EquipmentState::Productive));
    facts(states)
}

#[test]
fn law_8_lost_telemetry_does_not_put_master_data_in_place_of_what_was_shown() {
    let mut plant = fixture::plant();
    let ahead = |plant: &Plant, lost: i64| {
        let derivation = weeks(plant, &three_weeks(lost), at(505));
        let text = explained(plant, &derivation, "M1", "2026-W45");
        (m1(&derivation, "2026-W45"), text)
    };
    for standard in [None, Some(Decimal::new(98, 2)), Some(Decimal::new(5, 1))] {
        plant.resources[0].standard_availability = standard;
        let (full, text) = ahead(&plant, 0);
        let availability = |seen: i64| Decimal::ONE - Decimal::from(126) / Decimal::from(seen);
        assert_eq!(full.attainable_hours, Some(Decimal::from(168) * availability(505)));
        assert_eq!(full.status, Status::Live);
        assert!(text.contains("Demonstrated availability over 3 full weeks"), "{text}");
        // 48 of 168 hours are unknown: less than 80 % was seen of each week.
        let (part, text) = ahead(&plant, 48);
        let shown = availability(505 - 3 * 48);
        let lower = standard.map_or(shown, |standard| shown.min(standard));
        assert_eq!(part.attainable_hours, Some(Decimal::from(168) * lower));
        assert!(part.attainable_hours < full.attainable_hours);
        assert_eq!((part.status, part.low_hours), (Status::Assumed, None));
        assert!(text.contains("no week was seen fully enough"), "{text}");
        assert_eq!(text.contains("never above the standard"), standard.is_some(), "{text}");
    }
    // Truly no history: the master data stand in, and say so.
    let derivation = weeks(&plant, &Facts::default(), at(505));
    let text = explained(&plant, &derivation, "M1", "2026-W45");
    assert!(text.contains("master data (no history)"), "{text}");
}

#[test]
fn output_made_while_nobody_saw_the_machine_makes_it_no_faster() {
    let plant = fixture::plant();
    let mut all = three_weeks(48);
    all.states.push(state(2, at(169), EquipmentState::StandbyStarved));
    all.states.push(state(2, at(170), EquipmentState::Productive));
    // Half a standard hour in each hour, seen or not.
    let total = |hour: i64| 30 * u64::try_from(hour + 1).unwrap();
    all.counts = (0..505).map(|hour| count(hour, total(hour))).collect();
    let one = m1(&weeks(&plant, &all.seal(), at(505)), "2026-W45");
    let rate = one.demonstrated_standard_hours.unwrap() / one.attainable_hours.unwrap();
    // 361 hours were seen and counted. The hour without material ends the stop of
    // week 42.
    let loaded = 361 - 42 - (1 + 1) - 42;
    assert_eq!(rate.round_dp(9), (Decimal::new(1_805, 1) / Decimal::from(loaded)).round_dp(9));
}

#[test]
fn law_8_an_explicit_unknown_is_worth_no_more_than_silence() {
    let plant = fixture::plant();
    // Down in week 41, and up since hour 20; at hour 300 the adapter loses the machine.
    let told = [(0, EquipmentState::UnscheduledDown), (20, EquipmentState::Productive)];
    let told = told.map(|(hour, what)| state(2, at(hour), what));
    let lost = state(2, at(300), EquipmentState::Unknown);
    for hour in [301, 400, 800] {
        let silent = weeks(&plant, &facts(told.to_vec()), at(hour));
        let unknown = weeks(&plant, &facts([&told[..], &[lost]].concat()), at(hour));
        assert_eq!(silent.figures, unknown.figures, "{hour}");
    }
    // Until it knows again, and so tells that the machine was up until it was lost.
    let again = state(2, at(310), EquipmentState::Productive);
    let back = weeks(&plant, &facts([&told[..], &[lost, again]].concat()), at(310));
    assert_eq!(m1(&back, "2026-W42").elements.unknown, 10 * HOUR_MS);
}
