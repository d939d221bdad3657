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
        let next = m1(&derivation, "2026-W45");
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
    // Said after its time to live: there the stop ends.
    assert_eq!(down(&[100], 120), (100.into(), Status::Live));
    // Said within it: the stronger word outlives it, so that nothing jumps up
    // when the time to live ends.
    assert_eq!(down(&[6], 72), (72.into(), Status::Held));
    assert_eq!(down(&[6], 73), (72.into(), Status::Live));
    assert_eq!(down(&[6, 100], 120), (72.into(), Status::Live));
    // "Nothing is known" is no word of the machine.
    let mut all = dead_twin(EquipmentState::UnscheduledDown, &[], 120);
    all.states.push(state(0, at(90), EquipmentState::Unknown));
    let week = m1(&weeks(&plant, &all.seal(), at(120)), "2026-W41");
    assert_eq!((week.down_hours(), week.status), (120.into(), Status::Assumed));
}
