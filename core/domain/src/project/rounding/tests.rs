//! Law 6 after rounding: every level adds up, over 1,000 random plants.

use jiff::civil::date;
use planthread_contracts::EquipmentState;
use proptest::prelude::*;

use super::*;
use crate::{
    calendar::{periods, span::HOUR_MS},
    decode::{Facts, SourceIndex, StateFact, StateSet, Subject},
    derive::derive,
    fixture,
    model::{Calendar, Mapping, Plant, Shift, WeekDay},
    project::{Projection, Request, project},
};

const KINDS: [PeriodKind; 4] =
    [PeriodKind::Day, PeriodKind::TechnicalWeek, PeriodKind::Week, PeriodKind::Month];

fn draft(value: Decimal) -> Draft {
    Draft {
        derived: value,
        value,
        status: planthread_contracts::Status::Live,
        as_of: jiff::Timestamp::UNIX_EPOCH,
        valid_until: jiff::Timestamp::UNIX_EPOCH,
        recipe: "".into(),
    }
}

/// Exact values of days in a row, from what a running total of `of` says.
fn days(first: Date, values: &[i64], over: i64) -> BTreeMap<Period, Draft> {
    let day = |n: i64| Period::containing(PeriodKind::Day, first.saturating_add(n.days()));
    let exact = |value: &i64| draft(Decimal::from(*value) / Decimal::from(over));
    (0..).zip(values).map(|(n, value)| (day(n), exact(value))).collect()
}

fn whole(parts: &Parts, period: Period) -> (Decimal, Decimal) {
    parts.whole(period, Decimal::MAX).unwrap_or_else(|| panic!("{period} lacks a part"))
}

#[test]
fn anchors_are_days_of_the_calendar() {
    // November 2026 begins on a Sunday and ends on a Monday.
    for (day, weeks, months) in [
        ("2026-10-31", "2026-10-26", "2026-10-26"),
        ("2026-11-01", "2026-10-26", "2026-11-01"),
        ("2026-11-02", "2026-11-02", "2026-11-01"),
        ("2026-11-29", "2026-11-23", "2026-11-01"),
        ("2026-11-30", "2026-11-30", "2026-11-30"),
        ("2026-12-06", "2026-11-30", "2026-12-01"),
        // May 2026 ends on a Sunday: no week is cut.
        ("2026-05-31", "2026-05-25", "2026-05-01"),
        ("2026-06-01", "2026-06-01", "2026-06-01"),
    ] {
        let day: Date = day.parse().unwrap();
        assert_eq!(Anchors::Weeks.before(day).to_string(), weeks, "{day}");
        assert_eq!(Anchors::Months.before(day).to_string(), months, "{day}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn law_6_every_value_is_within_one_unit_and_no_horizon_moves_it(
        offset in 0i64..1_500, scale in 0u32..4, over in 1i64..3_700, cut in 0i64..60,
        values in proptest::collection::vec(0i64..90_000, 150),
    ) {
        let first = date(2024, 1, 1).saturating_add(offset.days());
        let days = days(first, &values, over);
        let to = first.saturating_add(150.days());
        let inside = |kind| periods(kind, first, to)
            .filter(move |one: &Period| first <= one.start() && one.end() <= to);
        let unit = Decimal::new(1, scale);
        for anchors in [Anchors::Weeks, Anchors::Months] {
            let all = Parts::round(&days, &BTreeMap::new(), anchors, scale);
            for kind in KINDS {
                if kind == PeriodKind::Month && anchors == Anchors::Weeks {
                    continue;
                }
                for period in inside(kind) {
                    let (exact, rounded) = whole(&all, period);
                    // What the horizon cuts at the beginning begins at no anchor.
                    let begun = anchors.before(period.start()) >= first;
                    let off = (exact - rounded).abs().round_dp(EXACT);
                    prop_assert!(!begun || off <= unit, "{period}");
                }
            }
            // A horizon that begins later says the same.
            let monday = Period::containing(PeriodKind::Week, first.saturating_add(cut.days()))
                .next().start();
            let months = inside(PeriodKind::Month).map(|month| (month, draft(whole(&all, month).0)));
            let months: BTreeMap<_, _> = months.collect();
            let later = days.iter().filter(|(day, _)| monday <= day.start());
            let later = later.map(|(day, draft)| (*day, draft.clone())).collect();
            let later = Parts::round(&later, &months, anchors, scale);
            for day in inside(PeriodKind::Day).filter(|day| monday <= day.start()) {
                let known = months.keys().any(|month| month.start() <= day.start());
                if anchors == Anchors::Weeks || known {
                    prop_assert_eq!(whole(&later, day), whole(&all, day), "{}", day);
                }
            }
        }
    }
}

/// One random plant: a zone, a day start, a calendar, stops, a share.
#[derive(Debug, Clone)]
struct Random {
    zone: usize,
    day_start: i8,
    shifts: Vec<(i8, i8, i8, usize)>,
    stops: Vec<(u32, i64, i64)>,
    as_of: i64,
    scale: u32,
    share: i64,
    days: bool,
}

fn random() -> impl Strategy<Value = Random> {
    let shifts = proptest::collection::vec((0i8..24, 0i8..60, 0i8..24, 0usize..7), 0..3);
    let stops = proptest::collection::vec((0u32..3, 0i64..1_000_000_000, 1i64..90_000_000), 1..9);
    let tuple = (
        0usize..5,
        0i8..24,
        shifts,
        stops,
        0i64..500,
        0u32..4,
        1i64..100,
        prop::bool::weighted(0.3),
    );
    tuple.prop_map(|(zone, day_start, shifts, stops, as_of, scale, share, days)| Random {
        zone,
        day_start,
        shifts,
        stops,
        as_of,
        scale,
        share,
        days,
    })
}

const LIVE: (&str, &str) = ("live", "attainable_clock_hours");
const LOST: (&str, &str) = ("lost", "expected_lost_hours");
const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
const WEEK: [WeekDay; 7] = [
    WeekDay::Mon,
    WeekDay::Tue,
    WeekDay::Wed,
    WeekDay::Thu,
    WeekDay::Fri,
    WeekDay::Sat,
    WeekDay::Sun,
];

impl Random {
    fn plant(&self) -> Plant {
        let mut plant = fixture::plant();
        plant.zone = ZONES[self.zone].into();
        plant.day_start = jiff::civil::time(self.day_start, 0, 0, 0);
        (plant.horizon.past_weeks, plant.horizon.future_weeks) = (4, 2);
        plant.rules.pool_weeks = 4;
        let shift = |&(hour, minute, end, days): &(i8, i8, i8, usize)| Shift {
            name: "s".into(),
            days: WEEK[..=days].to_vec(),
            start: jiff::civil::time(hour, minute, 0, 0),
            end: jiff::civil::time(end, 0, 0, 0),
            breaks: Vec::new(),
        };
        let shifts: Vec<Shift> = self.shifts.iter().map(shift).collect();
        let round_the_clock = shifts.is_empty();
        plant.calendars = vec![Calendar { shifts, round_the_clock, ..fixture::calendar() }];
        plant
    }

    fn facts(&self, as_of: i64) -> Facts {
        let mut states = Vec::new();
        for &(machine, before, lasts) in &self.stops {
            let down = (before, EquipmentState::UnscheduledDown);
            let up = (before - lasts, EquipmentState::Productive);
            states.extend([down, up].map(|(before, state)| StateFact {
                subject: Subject(machine),
                source: SourceIndex(0),
                at: as_of - before,
                rank: 0,
                state: Some(state),
                line: 0,
                unless: StateSet::default(),
            }));
        }
        Facts { states, ..Facts::default() }.seal()
    }

    fn projection(&self) -> Projection {
        let base = "2026-12-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let as_of = base.as_millisecond() + self.as_of * HOUR_MS;
        let plant = self.plant();
        let levels = KINDS.into_iter().filter(|kind| self.days || *kind != PeriodKind::Day);
        let kinds = derived_kinds(levels);
        let at = jiff::Timestamp::from_millisecond(as_of).unwrap();
        let live = derive(&plant, &self.facts(as_of), at, &kinds).unwrap();
        let mut mapping: Mapping = fixture::mapping();
        mapping.rows.iter_mut().for_each(|row| row.share = Decimal::new(self.share, 2));
        let measure = |(name, carries): (&str, &str), level: PeriodKind| -> MeasureDecl {
            serde_json::from_value(serde_json::json!({
                "name": format!("{name} {level:?}"), "surface": "x", "carries": carries,
                "unit": "HUR", "scale": self.scale, "level": level, "over_time": "sum",
                "over_resources": "sum", "owner": "bridge", "role": "value" }))
            .unwrap()
        };
        let named = if self.scale.is_multiple_of(2) { LIVE } else { LOST };
        let measures: Vec<MeasureDecl> = kinds.iter().map(|kind| measure(named, *kind)).collect();
        project(&Request {
            plant: &plant,
            live: &live,
            cut: None,
            released: None,
            target: "t",
            scope: "",
            mapping: &mapping,
            measures: &measures,
            heartbeat: None,
        })
        .unwrap()
    }
}

/// Compares every cell with the cells of `part` that lie in it; those that the
/// horizon cuts have not all their parts.
fn compare(cells: &[DesiredCell], part: PeriodKind) -> Result<usize, TestCaseError> {
    let parts: Vec<&DesiredCell> =
        cells.iter().filter(|cell| cell.key.period.kind() == part).collect();
    let mut compared = 0;
    for one in cells.iter().filter(|one| one.key.period.kind() != part) {
        let period = one.key.period;
        let inside: Vec<&&DesiredCell> = parts
            .iter()
            .filter(|part| part.key.resource == one.key.resource)
            .filter(|part| period.start() <= part.key.period.start())
            .filter(|part| part.key.period.end() <= period.end())
            .collect();
        let covered: usize = inside.iter().map(|part| part.key.period.days().count()).sum();
        if covered < period.days().count() {
            continue;
        }
        let sum: Decimal = inside.iter().map(|part| part.value).sum();
        prop_assert_eq!(sum, one.value, "{}", one.key);
        let sum: Decimal = inside.iter().map(|part| part.unrounded).sum();
        prop_assert!((sum - one.unrounded).abs() < Decimal::new(1, 12), "{}", one.key);
        compared += 1;
    }
    Ok(compared)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn law_6_no_sum_is_off_in_a_thousand_plants(plant in random()) {
        let cells = plant.projection().cells;
        let unit = Decimal::new(1, plant.scale);
        for cell in &cells {
            let off = (cell.value - cell.unrounded).abs().round_dp(EXACT);
            prop_assert!(off <= unit, "{}", cell.key);
            prop_assert_eq!(cell.value.scale(), plant.scale);
        }
        let kinds = if plant.days { &KINDS[..2] } else { &KINDS[1..2] };
        for kind in kinds {
            prop_assert!(compare(&cells, *kind)? > 0);
        }
    }
}
