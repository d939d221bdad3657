//! Decided hours against what happened, counted hour by hour.

use planthread_contracts::EquipmentState;
use proptest::prelude::*;

use super::*;
use crate::{
    calendar::span::{HOUR_MS, instant},
    decode::{HoursKind, SourceIndex, StateFact, StateSet, Subject},
    fixture,
};

/// Monday 2026-10-05 00:00 in Berlin.
fn monday() -> i64 {
    "2026-10-04T22:00:00Z".parse::<Timestamp>().unwrap().as_millisecond()
}

/// Hours of the test: a week and the Monday behind it.
const HOURS: i64 = 192;

fn plant() -> Plant {
    let mut plant = fixture::plant();
    let calendar = serde_json::json!({ "id": "24x7", "version": "1", "shifts": [{
        "name": "early", "days": ["mon", "tue", "wed", "thu", "fri"],
        "start": "06:00", "end": "14:00" }] });
    plant.calendars = vec![serde_json::from_value(calendar).unwrap()];
    plant
}

fn in_shift(hour: i64) -> bool {
    (hour / 24) % 7 < 5 && (6..14).contains(&(hour % 24))
}

/// M1 told every hour.
fn facts(states: &[EquipmentState], decided: Vec<DecidedHours>) -> Facts {
    let states = (0..).zip(states).map(|(hour, state)| StateFact {
        subject: Subject(0),
        source: SourceIndex(2),
        at: monday() + hour * HOUR_MS,
        rank: 0,
        line: 0,
        state: Some(*state),
        unless: StateSet::default(),
    });
    Facts { states: states.collect(), decided, ..Facts::default() }.seal()
}

fn row(resource: &str, kind: HoursKind, from: i64, hours: i64) -> DecidedHours {
    let at = |hour: i64| instant(monday() + hour * HOUR_MS);
    DecidedHours {
        resource: resource.to_owned(),
        from: at(from),
        to: at(from + hours),
        kind,
        confirmed: true,
        supposed: false,
        reason: "r".into(),
        who: "w".into(),
        cycle: None,
        other: None,
    }
}

fn against(facts: &Facts) -> Vec<DecidedAgainst> {
    decided_against(&plant(), facts, instant(monday() + HOURS * HOUR_MS), 4).unwrap()
}

#[test]
fn a_saturday_shift_that_half_happened_says_what_its_hours_became() {
    let mut states = [EquipmentState::Productive; HOURS as usize];
    let saturday = 5 * 24 + 6;
    states[saturday + 1] = EquipmentState::UnscheduledDown;
    states[saturday + 2] = EquipmentState::StandbyNoOperator;
    states[saturday + 3] = EquipmentState::NonScheduled;
    let mut later = row("M1", HoursKind::Overtime, HOURS - 2, 4);
    let mut all = vec![row("LINE", HoursKind::ExtraShift, saturday as i64, 8), later.clone()];
    later.confirmed = false;
    later.from = instant(monday());
    all.push(later);
    let found = against(&facts(&states, all));
    let of: Vec<&str> = found.iter().map(|one| &*one.resource).collect();
    assert_eq!(of, ["M1", "M2", "M3", "LINE"], "what is not over, or only proposed, is not asked");
    let hours = |ms: i64| ms / HOUR_MS;
    let m1 = found[0].happened.unwrap();
    assert_eq!(hours(found[0].moved), 8);
    let parts = [m1.worked, m1.standby, m1.planned, m1.down, m1.unknown].map(hours);
    assert_eq!(parts, [5, 1, 1, 1, 0]);
    // Nobody told of M2 after the configuration said that it runs; a line has no state.
    assert_eq!(hours(found[1].happened.unwrap().unknown), 8);
    assert_eq!((found[3].happened, found[3].made), (None, None));
}

fn state() -> impl Strategy<Value = EquipmentState> {
    proptest::sample::select(vec![
        EquipmentState::Productive,
        EquipmentState::Setup,
        EquipmentState::StandbyNoOrder,
        EquipmentState::ScheduledDown,
        EquipmentState::UnscheduledDown,
    ])
}

fn decided() -> impl Strategy<Value = DecidedHours> {
    let kinds = proptest::sample::select(HoursKind::ALL.to_vec());
    let names = proptest::sample::select(vec!["M1", "LINE"]);
    (names, kinds, 0i64..180, 1i64..12)
        .prop_map(|(name, kind, from, hours)| row(name, kind, from, hours.min(HOURS - from)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The parts of each row sum to what it moved; all rows together moved each hour once,
    /// and say of it what a person reads hour by hour.
    #[test]
    fn law_9_each_decided_hour_is_told_once_and_as_it_was(
        states in proptest::collection::vec(state(), HOURS as usize),
        rows in proptest::collection::vec(decided(), 1..6),
    ) {
        let found = against(&facts(&states, rows.clone()));
        let mine: Vec<_> = found.iter().filter(|one| one.resource == "M1").collect();
        prop_assert_eq!(mine.len(), rows.len());
        for one in &mine {
            let did = one.happened.unwrap();
            let sum = did.worked + did.standby + did.planned + did.down + did.unknown;
            prop_assert_eq!(sum, one.moved.abs());
        }
        let has = |hour: i64, closes: bool| rows.iter().any(|row| {
            let at = monday() + hour * HOUR_MS;
            row.closes() == closes && row.span().start <= at && at < row.span().end
        });
        let worked = |hour: &i64| matches!(
            states[usize::try_from(*hour).unwrap()],
            EquipmentState::Productive | EquipmentState::Setup
        );
        let added = |hour: &i64| has(*hour, false) && !in_shift(*hour);
        let taken = |hour: &i64| has(*hour, true) && (in_shift(*hour) || has(*hour, false));
        let hours = |closes: bool| mine.iter()
            .filter(|one| one.decided.closes() == closes)
            .map(|one| (one.moved.abs() / HOUR_MS, one.happened.unwrap().worked / HOUR_MS))
            .fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        let by_hand = |which: &dyn Fn(&i64) -> bool| {
            let all: Vec<i64> = (0..HOURS).filter(|hour| which(hour)).collect();
            (all.len() as i64, all.iter().filter(|hour| worked(hour)).count() as i64)
        };
        prop_assert_eq!(hours(false), by_hand(&added));
        prop_assert_eq!(hours(true), by_hand(&taken));
    }
}
