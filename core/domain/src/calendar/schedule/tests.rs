//! Shifts across clock changes, decided changes, and conservation of hours.

use jiff::civil::date;
use planthread_contracts::{Period, PeriodKind};
use proptest::prelude::*;

use super::*;
use crate::{
    calendar::{Bounds, periods},
    fixture,
    model::{CalendarException, Shift, ShiftHours, WeekDay},
};

const ALL_DAYS: [WeekDay; 7] = [
    WeekDay::Mon,
    WeekDay::Tue,
    WeekDay::Wed,
    WeekDay::Thu,
    WeekDay::Fri,
    WeekDay::Sat,
    WeekDay::Sun,
];

fn shift(start: (i8, i8), end: (i8, i8), days: &[WeekDay]) -> Shift {
    let time = |(hour, minute)| jiff::civil::time(hour, minute, 0, 0);
    Shift {
        name: "s".into(),
        days: days.to_vec(),
        start: time(start),
        end: time(end),
        breaks: Vec::new(),
    }
}

fn calendar(shifts: Vec<Shift>) -> Calendar {
    Calendar { shifts, round_the_clock: false, ..fixture::calendar() }
}

fn hours(calendar: &Calendar, period: &str) -> Decimal {
    let plant = fixture::plant();
    let period: Period = period.parse().unwrap();
    let zone = calendar.zone_in(&plant);
    let span = Bounds::new(zone, plant.day_start).unwrap().span(period).unwrap();
    let schedule = Schedule::build(calendar, &plant, period.start(), period.end()).unwrap();
    crate::calendar::span::hours(schedule.scheduled.ms_within(span))
}

use rust_decimal::Decimal;

#[test]
fn the_night_shift_lasts_seven_or_nine_hours_when_clocks_change() {
    let plant = fixture::plant();
    let night = calendar(vec![shift((22, 0), (6, 0), &[WeekDay::Sat])]);
    let lasts = |day: Date| {
        let to = day.saturating_add(1.day());
        Schedule::build(&night, &plant, day, to).unwrap().scheduled.ms() / 3_600_000
    };
    assert_eq!(lasts(date(2026, 3, 28)), 7);
    assert_eq!(lasts(date(2026, 10, 24)), 9);
    assert_eq!(lasts(date(2026, 11, 21)), 8);
}

#[test]
fn breaks_are_not_scheduled_time() {
    let plant = fixture::plant();
    let hours = |start, end| {
        let time = |(hour, minute)| jiff::civil::time(hour, minute, 0, 0);
        ShiftHours { start: time(start), end: time(end) }
    };
    let lasts = |shift: Shift, day: Date| {
        let to = day.saturating_add(1.day());
        let built = Schedule::build(&calendar(vec![shift]), &plant, day, to).unwrap();
        assert_eq!(built.regular, built.scheduled);
        built.scheduled.ms() / 60_000
    };
    let mut early = shift((6, 0), (14, 0), &[WeekDay::Mon]);
    early.breaks = vec![hours((9, 0), (9, 15)), hours((11, 30), (12, 0))];
    assert_eq!(lasts(early, date(2026, 11, 23)), 8 * 60 - 45);
    // At night one lies on the next day, and one across midnight.
    let mut night = shift((22, 0), (6, 0), &[WeekDay::Sat]);
    night.breaks = vec![hours((23, 45), (0, 15)), hours((2, 0), (2, 30))];
    assert_eq!(lasts(night.clone(), date(2026, 11, 21)), 7 * 60);
    // Clocks go back at three: the break at two is taken once.
    assert_eq!(lasts(night, date(2026, 10, 24)), 8 * 60);
}

#[test]
fn round_the_clock_weeks_follow_the_clock_changes() {
    let always = fixture::calendar();
    assert_eq!(hours(&always, "2026-W13"), 167.into());
    assert_eq!(hours(&always, "2026-W43"), 169.into());
    assert_eq!(hours(&always, "2026-W44"), 168.into());
    let lord_howe = Calendar { zone: Some("Australia/Lord_Howe".into()), ..always };
    assert_eq!(hours(&lord_howe, "2026-W40"), Decimal::new(1675, 1));
}

#[test]
fn a_weekend_fragment_has_no_hours_on_a_weekday_calendar() {
    let weekdays = calendar(vec![shift((6, 0), (14, 0), &ALL_DAYS[..5])]);
    assert_eq!(hours(&weekdays, "2026-W05a"), 40.into());
    assert_eq!(hours(&weekdays, "2026-W05b"), 0.into());
}

#[test]
fn decided_changes_stand_above_the_shifts() {
    let mut weekdays = calendar(vec![shift((6, 0), (14, 0), &ALL_DAYS[..5])]);
    let plain = hours(&weekdays, "2026-W48");
    weekdays.exceptions = vec![
        CalendarException {
            from: date(2026, 11, 23),
            to: Some(date(2026, 11, 24)),
            closed: true,
            extra: Vec::new(),
            reason: "stocktaking".into(),
            owner: "plant manager".into(),
            cycle: None,
        },
        CalendarException {
            from: date(2026, 11, 28),
            to: None,
            closed: false,
            extra: vec![ShiftHours {
                start: jiff::civil::time(6, 0, 0, 0),
                end: jiff::civil::time(12, 0, 0, 0),
            }],
            reason: "overtime".into(),
            owner: "plant manager".into(),
            cycle: Some("2026-11".into()),
        },
    ];
    assert_eq!(plain, 40.into());
    assert_eq!(hours(&weekdays, "2026-W48"), 30.into());
    let plant = fixture::plant();
    let both = Schedule::build(&weekdays, &plant, date(2026, 11, 23), date(2026, 11, 30)).unwrap();
    assert_eq!(both.regular.ms() / 3_600_000, 40);
}

#[test]
fn a_shift_in_the_gap_is_refused_where_the_calendar_says_so() {
    let mut early = calendar(vec![shift((2, 30), (10, 0), &[WeekDay::Sun])]);
    early.disambiguation = Disambiguation::Reject;
    let plant = fixture::plant();
    let error = Schedule::build(&early, &plant, date(2026, 3, 29), date(2026, 3, 30)).unwrap_err();
    assert!(error.to_string().contains("2026-03-29T02:30:00"), "{error}");
}

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/Santiago",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn law_6_days_weeks_technical_weeks_and_months_hold_the_same_hours(
        zone in 0usize..6, offset in 0i64..1_500, length in 1i64..70, day_start in 0i8..24,
        shifts in proptest::collection::vec((0i8..24, 0i8..60, 0i8..24, 0usize..7), 0..4),
    ) {
        let plant = Plant { day_start: jiff::civil::time(day_start, 0, 0, 0), ..fixture::plant() };
        let shifts: Vec<Shift> = shifts.into_iter()
            .map(|(hour, minute, end, day)| shift((hour, minute), (end, 0), &ALL_DAYS[..=day]))
            .collect();
        let calendar = Calendar {
            zone: Some(ZONES[zone].into()), round_the_clock: shifts.is_empty(),
            ..calendar(shifts)
        };
        // Whole months: the only range that weeks, too, can be cut to is by day.
        let from = date(2024, 1, 1).saturating_add(offset.days());
        let to = from.saturating_add(length.days());
        let bounds = Bounds::new(ZONES[zone], plant.day_start).unwrap();
        let schedule = Schedule::build(
            &calendar, &plant, from.saturating_sub(40.days()), to.saturating_add(40.days()),
        ).unwrap();
        let window = Span { start: bounds.day(from).unwrap(), end: bounds.day(to).unwrap() };
        let whole = schedule.scheduled.ms_within(window);
        for kind in [PeriodKind::Day, PeriodKind::TechnicalWeek, PeriodKind::Week, PeriodKind::Month] {
            let sum: i64 = periods(kind, from, to)
                .map(|period| schedule.scheduled.ms_within(bounds.span(period).unwrap().and(window)))
                .sum();
            prop_assert_eq!(sum, whole, "{:?}", kind);
        }
        for week in periods(PeriodKind::Week, from, to) {
            let parts: i64 = periods(PeriodKind::TechnicalWeek, week.start(), week.end())
                .map(|part| schedule.scheduled.ms_within(bounds.span(part).unwrap()))
                .sum();
            prop_assert_eq!(parts, schedule.scheduled.ms_within(bounds.span(week).unwrap()));
        }
    }
}
