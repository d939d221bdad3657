//! Scores against hand counts, and past weeks of a machine that is known.

use planthread_contracts::EquipmentState;

use super::*;
use crate::{
    calendar::span::HOUR_MS,
    decode::{SourceIndex, StateFact, StateSet, Subject},
    fixture,
};

/// Monday 2026-10-05 00:00 in Berlin, the begin of week 41.
const MONDAY: &str = "2026-10-04T22:00:00Z";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn week(landed: &str, low: Option<&str>, happened: &str) -> WeekForetold {
    WeekForetold {
        period: "2026-W41".parse().unwrap(),
        ahead: 1,
        rated: d("168"),
        trailing: d("150"),
        landed: d(landed),
        low: low.map(d),
        high: None,
        happened: d(happened),
    }
}

#[test]
fn bias_error_and_coverage_are_counted_as_by_hand() {
    let weeks = [
        week("150", Some("140"), "144"),
        week("150", Some("140"), "138"),
        week("150", None, "156"),
    ];
    let weeks: Vec<&WeekForetold> = weeks.iter().collect();
    let found = Summary::of(1, &weeks).unwrap();
    // Missed by 6, 12 and −6; rated by 24, 30 and 12.
    assert_eq!((found.landed.bias, found.landed.error), (d("4"), d("8")));
    assert_eq!((found.rated.bias, found.rated.error), (d("22"), d("22")));
    let low = found.low.unwrap();
    assert_eq!((low.weeks, low.beyond, low.share), (2, 1, d("0.5")));
    assert_eq!((found.high, found.happened), (None, d("146")));
    // The trailing mean was as good; of three weeks that says nothing.
    assert_eq!(found.skill, Skill::TooFew);
    let (long, better) = (week("150", None, "144"), week("144", None, "144"));
    assert_eq!(Summary::of(1, &[&long; 8]).unwrap().skill, Skill::NoSkill);
    assert_eq!(Summary::of(1, &[&better; 8]).unwrap().skill, Skill::Shown);
    assert!(Summary::of(1, &[]).is_none());
}

/// M1 is down for the first `hours[i]` hours of the `i`th week from week 41 on,
/// and says each midnight that it runs.
fn machine(hours: &[i64]) -> Facts {
    let begin = MONDAY.parse::<Timestamp>().unwrap().as_millisecond();
    let fact = |hour: i64, state| StateFact {
        subject: Subject(0),
        source: SourceIndex(2),
        at: begin + hour * HOUR_MS,
        rank: 0,
        line: 0,
        state: Some(state),
        unless: StateSet::default(),
    };
    // The clocks go back in week 43: it has 169 hours.
    let start = |week: i64| week * 168 + i64::from(week > 2);
    let mut states = Vec::new();
    for (week, down) in (0..).zip(hours) {
        if *down > 0 {
            states.push(fact(start(week), EquipmentState::UnscheduledDown));
        }
        states.push(fact(start(week) + down, EquipmentState::Productive));
        states.extend((1..7).map(|day| fact(start(week) + day * 24, EquipmentState::Productive)));
    }
    let last = i64::try_from(hours.len()).unwrap();
    states.push(fact(start(last), EquipmentState::Productive));
    Facts { states, ..Facts::default() }.seal()
}

#[test]
fn weeks_are_foretold_from_what_was_known_then() {
    let facts = machine(&[8, 16, 24, 0, 12]);
    let as_of =
        MONDAY.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(5 * 168 + 2);
    let found = accuracy(&fixture::plant(), &facts, as_of, 4).unwrap();
    let m1 = found.iter().find(|one| one.resource == "M1").unwrap();
    let rows: Vec<(String, u32, Decimal, Decimal, Decimal)> = m1
        .weeks
        .iter()
        .map(|one| {
            let landed = one.landed.round_dp(6);
            (one.period.to_string(), one.ahead, landed, one.trailing.round_dp(6), one.happened)
        })
        .collect();
    let row = |week: &str, ahead, landed: &str, trailing: &str, happened: &str| {
        (week.to_owned(), ahead, d(landed), d(trailing), d(happened))
    };
    assert_eq!(
        rows,
        [
            // 160 of 168 hours were up in week 41.
            row("2026-W42", 1, "160", "160", "152"),
            // 169 h × (336 − 24) ÷ 336, and the mean of 160 and 152.
            row("2026-W43", 1, "156.928571", "156", "145"),
            row("2026-W44", 1, "152.031683", "152.333333", "168"),
            // As week 42 began only week 41 was known.
            row("2026-W45", 1, "156.017831", "156.25", "156"),
            row("2026-W45", 4, "160", "160", "156"),
        ]
    );
    // Nothing was said of M2 by itself, and nobody counts the line.
    assert!(found.iter().filter(|one| one.resource != "M1").all(|one| one.weeks.is_empty()));
}

#[test]
fn a_week_is_foretold_before_it_begins_in_any_site() {
    let mut plant = fixture::plant();
    let (tokyo, morning) = ("Asia/Tokyo".to_owned(), Some(jiff::civil::time(6, 0, 0, 0)));
    plant.sites.push(crate::model::Site { id: "east".to_owned(), zone: tokyo, day_start: morning });
    plant.calendars[0].site = Some("east".to_owned());
    let days = Days::of(&plant).unwrap();
    // Its production day begins at 06:00 in Tokyo, an hour before the one of Berlin.
    let begin = days.begin("2026-W41".parse().unwrap()).unwrap();
    assert_eq!(
        Timestamp::from_millisecond(begin).unwrap(),
        "2026-10-04T21:00:00Z".parse().unwrap()
    );
    let over = |at: &str| {
        let at: Timestamp = at.parse().unwrap();
        days.last_week_over(at.as_millisecond()).unwrap().to_string()
    };
    assert_eq!(over("2026-10-04T21:30:00Z"), "2026-W39");
    assert_eq!(over("2026-10-04T22:00:00Z"), "2026-W40");
}
