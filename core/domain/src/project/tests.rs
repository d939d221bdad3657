//! What lands: law 6 after rounding, law 10, law 11, groups and stamps.

mod pooled;

use std::borrow::Cow;

use planthread_contracts::{Aggregation, EquipmentState, Loss, PeriodKind};

use super::*;
use crate::{
    calendar::{round_half_even, span::HOUR_MS},
    decode::{Facts, SourceIndex, StateFact, StateSet, Subject},
    derive::{Deriver, derive},
    fixture,
};

/// Sunday 2026-11-01 23:59 and a week on: M1 to M3 each with an odd stop.
fn derivation(kinds: &[PeriodKind]) -> Derivation {
    let monday = "2026-10-25T23:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
    let mut states = Vec::new();
    for machine in 0..3u32 {
        for (at, state) in [
            (7, EquipmentState::UnscheduledDown),
            (20 + i64::from(machine), EquipmentState::Productive),
        ] {
            states.push(StateFact {
                subject: Subject(machine),
                source: SourceIndex(0),
                at: monday + at * HOUR_MS + 1_234_000,
                rank: 0,
                line: 0,
                state: Some(state),
                unless: StateSet::default(),
            });
        }
    }
    let facts = Facts { states, ..Facts::default() }.seal();
    let as_of = "2026-11-01T23:00:00Z".parse().unwrap();
    let mut plant = fixture::plant();
    plant.rules.live_hours = 200;
    plant.rules.time_to_live_hours = 300;
    derive(&plant, &facts, as_of, kinds).unwrap()
}

fn measure(name: &str, carries: &str, level: &str, unit: &str, scale: u32) -> MeasureDecl {
    let together = match carries {
        "status" | "severity" | "heartbeat" => "max",
        "as_of" | "valid_until" => "min",
        _ => "sum",
    };
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name, "carries": carries, "unit": unit, "scale": scale,
        "level": level, "over_time": together, "over_resources": together, "owner": "bridge",
        "role": if matches!(carries, "as_of" | "valid_until") { "stamp" } else { "value" },
    }))
    .unwrap()
}

fn request<'a>(
    plant: &'a Plant,
    live: &'a Derivation,
    mapping: &'a Mapping,
    measures: &'a [MeasureDecl],
) -> Request<'a> {
    let (target, scope) = ("t", "");
    Request {
        plant,
        live,
        cut: None,
        target,
        scope,
        mapping,
        measures,
        heartbeat: None,
        released: None,
    }
}

fn cell<'a>(
    projection: &'a Projection,
    resource: &str,
    period: &str,
    name: &str,
) -> &'a DesiredCell {
    let period: Period = period.parse().unwrap();
    projection
        .cells
        .iter()
        .find(|c| c.key.resource == resource && c.key.period == period && c.key.measure == name)
        .unwrap()
}

#[test]
fn law_11_the_cell_is_what_the_target_will_hold() {
    let (plant, live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let measures = [
        measure("live", "attainable_clock_hours", "week", "HUR", 2),
        measure("minutes", "attainable_clock_hours", "week", "MIN", 0),
    ];
    let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    let hours = cell(&landed, "R-1", "2026-W45", "live");
    assert_eq!(hours.value.scale(), 2);
    assert_eq!(hours.value, round_half_even(hours.unrounded, 2));
    let minutes = cell(&landed, "R-1", "2026-W45", "minutes");
    assert_eq!(minutes.value, round_half_even(hours.unrounded * Decimal::from(60), 0));
    // Two resources of the plant are one at the target: exact figures add, and
    // the sum is rounded once.
    let week = "2026-W45".parse().unwrap();
    let exact = |id: &str| live.get(id, week).unwrap().attainable_hours.unwrap();
    let both = cell(&landed, "R-2", "2026-W45", "live");
    assert_eq!(both.unrounded, exact("M2") + exact("M3"));
    assert_eq!(both.value, round_half_even(exact("M2") + exact("M3"), 2));
}

#[test]
fn law_6_rounded_parts_of_a_week_sum_to_the_rounded_week() {
    let kinds = [PeriodKind::Week, PeriodKind::Day, PeriodKind::TechnicalWeek];
    let (plant, live, mapping) = (fixture::plant(), derivation(&kinds), fixture::mapping());
    let name = "attainable_clock_hours";
    let measures = [
        measure("week", name, "week", "HUR", 1),
        measure("day", name, "day", "HUR", 1),
        measure("technical", name, "technical_week", "HUR", 1),
    ];
    let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    let mut compared = 0;
    for whole in landed.cells.iter().filter(|c| c.key.measure == "week") {
        for part in ["day", "technical"] {
            let inside = landed.cells.iter().filter(|c| {
                c.key.measure == part
                    && c.key.resource == whole.key.resource
                    && Period::containing(PeriodKind::Week, c.key.period.start())
                        == whole.key.period
            });
            assert_eq!(inside.map(|c| c.value).sum::<Decimal>(), whole.value, "{}", whole.key);
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn law_10_a_loss_that_the_target_takes_off_itself_is_refused() {
    let (plant, live) = (fixture::plant(), derivation(&[PeriodKind::Week]));
    let mapping = Mapping { target_applies: vec![Loss::UnplannedDown], ..fixture::mapping() };
    let measures = [measure("live", "attainable_clock_hours", "week", "HUR", 2)];
    let refused = project(&request(&plant, &live, &mapping, &measures)).unwrap_err();
    assert_eq!(refused[0].path, "measures[0].carries");
    assert!(refused[0].reason.contains("unplanned down") && refused[0].reason.contains("twice"));
    // The loss itself may land: it is no capacity.
    let lost = [measure("lost", "expected_lost_hours", "week", "HUR", 2)];
    assert!(project(&request(&plant, &live, &mapping, &lost)).is_ok());
}

#[test]
fn law_10_standard_hours_have_paid_speed_quality_and_setup() {
    let (plant, live) = (fixture::plant(), derivation(&[PeriodKind::Week]));
    for loss in [Loss::Speed, Loss::Quality, Loss::Setup] {
        let expects = Figure::DemonstratedStandardHours;
        let mapping = Mapping { expects, target_applies: vec![loss], ..fixture::mapping() };
        for carries in ["demonstrated_standard_hours", "plan_cut"] {
            let measures = [measure("capacity", carries, "week", "HUR", 2)];
            let refused = project(&request(&plant, &live, &mapping, &measures)).unwrap_err();
            assert!(refused[0].reason.contains("twice"), "{carries} {loss:?}: {refused:?}");
        }
        // Clock hours have not paid them: the target may.
        let mapping = Mapping { target_applies: vec![loss], ..fixture::mapping() };
        let measures = [measure("live", "attainable_clock_hours", "week", "HUR", 2)];
        assert!(project(&request(&plant, &live, &mapping, &measures)).is_ok());
    }
}

#[test]
fn law_7_quantiles_of_several_resources_never_land_as_one() {
    let (plant, mut live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    for one in &mut live.figures {
        let (probability_not_exceeded, value) = (Decimal::new(1, 1), Decimal::from(100));
        one.low_hours = Some(planthread_contracts::Quantile { probability_not_exceeded, value });
    }
    let mut low = measure("low", "low_hours", "week", "HUR", 2);
    let refused = project(&request(&plant, &live, &mapping, &[low.clone()])).unwrap_err();
    assert_eq!(refused[0].path, "measures[0].over_time");
    (low.over_time, low.over_resources) = (Aggregation::Min, Aggregation::Min);
    let landed = project(&request(&plant, &live, &mapping, &[low])).unwrap();
    assert!(landed.cells.iter().all(|cell| cell.key.resource == "R-1") && !landed.cells.is_empty());
    assert!(landed.withheld.iter().any(|w| w.source == "M3" && w.reason.contains("add up")));
}

#[test]
fn status_stamps_and_severity_never_land_where_the_target_adds_them_up() {
    use Aggregation::{Max, Min, None as Never, Sum};
    let (plant, live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let value = measure("live", "attainable_clock_hours", "week", "HUR", 2);
    for (carries, allowed) in [
        ("status", &[Max, Never][..]),
        ("covered", &[Sum, Never]),
        ("severity", &[Max, Never]),
        ("as_of", &[Min, Max, Never]),
        ("valid_until", &[Min, Max, Never]),
        ("heartbeat", &[Min, Max, Never]),
    ] {
        for way in [Sum, Min, Max, Never] {
            for field in ["over_time", "over_resources"] {
                let mut one = measure("code", carries, "week", "C62", 4);
                match field {
                    "over_time" => one.over_time = way,
                    _ => one.over_resources = way,
                }
                let found = project(&request(&plant, &live, &mapping, &[value.clone(), one]));
                let refused = found.err().unwrap_or_default();
                let expected = if allowed.contains(&way) { vec![] } else { vec![field] };
                let paths = refused.iter().map(|f| f.path.strip_prefix("measures[1].").unwrap());
                assert_eq!(paths.collect::<Vec<_>>(), expected, "{carries} {way:?}");
                let cure = if carries == "covered" { "sum or none" } else { "max or none" };
                assert!(refused.iter().all(|f| f.cure.contains(cure)), "{refused:?}");
            }
        }
    }
}

#[test]
fn a_sum_without_one_of_its_parts_does_not_land() {
    let (plant, mut live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let week: Period = "2026-W44".parse().unwrap();
    // M3 was not observed yet: it has no figures of that week at all.
    live.figures.retain(|one| one.resource != "M3" || one.period != week);
    let measures = [measure("live", "attainable_clock_hours", "week", "HUR", 2)];
    let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    let of_week = landed.cells.iter().filter(|cell| cell.key.period == week);
    assert_eq!(of_week.map(|cell| cell.key.resource.as_str()).collect::<Vec<_>>(), ["R-1"]);
    let held = landed.withheld.iter().find(|held| held.period == week).unwrap();
    assert!(held.source == "M3" && held.reason.contains("R-2@1010"), "{held:?}");
    assert_eq!(cell(&landed, "R-2", "2026-W45", "live").key.resource, "R-2");
}

#[test]
fn the_two_figures_and_foreign_units_are_refused() {
    let (plant, live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let measures = [
        measure("other", "demonstrated_standard_hours", "week", "HUR", 2),
        measure("pieces", "attainable_clock_hours", "week", "H87", 2),
    ];
    let refused = project(&request(&plant, &live, &mapping, &measures)).unwrap_err();
    let paths: Vec<&str> = refused.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["measures[0].carries", "measures[1].unit"]);
}

#[test]
fn a_group_carries_status_and_stamps_as_days_of_the_plant() {
    let (plant, live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let measures = [
        measure("live", "attainable_clock_hours", "week", "HUR", 2),
        measure("status", "status", "week", "C62", 0),
        measure("covered", "covered", "week", "C62", 0),
        measure("as_of", "as_of", "week", "C62", 0),
        measure("valid_until", "valid_until", "week", "C62", 0),
    ];
    let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    assert_eq!(cell(&landed, "R-2", "2026-W46", "status").value, Status::Live.code().into());
    assert_eq!(cell(&landed, "R-2", "2026-W46", "covered").value, Decimal::ONE);
    // 2026-11-01T23:00Z is midnight of the second in Berlin. It ends 73 h later,
    // at 01:00 of the fifth: the fourth is its last whole day.
    assert_eq!(cell(&landed, "R-2", "2026-W46", "as_of").value, 20_261_102.into());
    assert_eq!(cell(&landed, "R-2", "2026-W46", "valid_until").value, 20_261_104.into());
    let groups: BTreeSet<_> = landed.cells.iter().map(|c| c.key.group()).collect();
    assert_eq!(landed.cells.len(), groups.len() * measures.len());
}

#[test]
fn a_value_is_never_trusted_on_the_day_on_which_it_ends() {
    let (mut live, mapping) = (derivation(&[PeriodKind::Week]), fixture::mapping());
    let measures = [
        measure("live", "attainable_clock_hours", "week", "HUR", 2),
        measure("valid_until", "valid_until", "week", "C62", 0),
    ];
    // In Berlin: the last instant of the fourth, midnight, and the day after.
    for (until, last, end) in [
        ("2026-11-04T22:59:59Z", 20_261_103, "2026-11-03T23:00:00Z"),
        ("2026-11-04T23:00:00Z", 20_261_104, "2026-11-04T23:00:00Z"),
        ("2026-11-05T22:00:00Z", 20_261_104, "2026-11-04T23:00:00Z"),
        ("2026-11-05T23:00:00Z", 20_261_105, "2026-11-05T23:00:00Z"),
    ] {
        let until: Timestamp = until.parse().unwrap();
        live.figures.iter_mut().for_each(|one| one.valid_until = until);
        let landed = project(&request(&fixture::plant(), &live, &mapping, &measures)).unwrap();
        let stamp = cell(&landed, "R-1", "2026-W46", "valid_until");
        assert_eq!(stamp.value, last.into(), "{until}");
        // What has landed runs out with that day, and is renewed before it ends.
        assert_eq!(stamp.valid_until, end.parse().unwrap(), "{until}");
        assert_eq!(cell(&landed, "R-1", "2026-W46", "live").valid_until, until);
    }
}

#[test]
fn a_silent_source_makes_truth_older_but_never_a_revision() {
    let (plant, mapping) = (fixture::plant(), fixture::mapping());
    let last: Timestamp = "2026-11-01T23:00:00Z".parse().unwrap();
    let fact = StateFact {
        subject: Subject(0),
        source: SourceIndex(0),
        at: last.as_millisecond(),
        rank: 0,
        line: 0,
        state: Some(EquipmentState::Productive),
        unless: StateSet::default(),
    };
    let facts = Facts { states: vec![fact], ..Facts::default() }.seal();
    let measures = [
        measure("live", "attainable_clock_hours", "week", "HUR", 2),
        measure("status", "status", "week", "C62", 0),
        measure("as_of", "as_of", "week", "C62", 0),
    ];
    let landed = |hours: i64| {
        let as_of = last + jiff::SignedDuration::from_hours(hours);
        let live = derive(&plant, &facts, as_of, &[PeriodKind::Week]).unwrap();
        let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
        let of = |name| cell(&landed, "R-1", "2026-W47", name).clone();
        (of("status"), of("as_of").value)
    };
    let (live, day) = landed(20);
    assert_eq!((live.value, day), (Status::Live.code().into(), 20_261_102.into()));
    // What the ledger calls older than what it has, it leaves alone.
    for (hours, status) in [(25, Status::Held), (80, Status::Assumed)] {
        let (now, day) = landed(hours);
        assert_eq!((now.value, day), (status.code().into(), 20_261_102.into()));
        assert!(now.as_of > live.as_of, "{} after {}", now.as_of, live.as_of);
    }
}

#[test]
fn where_no_value_lands_stamps_stay_away_and_the_status_says_unknown() {
    let (plant, live) = (fixture::plant(), derivation(&[PeriodKind::Week]));
    let expects = Figure::DemonstratedStandardHours;
    let mapping = Mapping { expects, ..fixture::mapping() };
    let measures = [
        measure("standard", "demonstrated_standard_hours", "week", "HUR", 2),
        measure("status", "status", "week", "C62", 0),
        measure("covered", "covered", "week", "C62", 0),
        measure("as_of", "as_of", "week", "C62", 0),
    ];
    // No source tells standby: the value is withheld, and so is its stamp.
    let found = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    let weeks: BTreeSet<Period> = live.figures.iter().map(|one| one.period).collect();
    assert_eq!(found.cells.len(), 2 * 2 * weeks.len(), "R-1 and R-2");
    for cell in &found.cells {
        let says = if cell.key.measure == "status" { Status::Unknown.code() } else { 0 };
        assert_eq!((cell.value, cell.status), (says.into(), Status::Unknown), "{}", cell.key);
    }
    assert!(found.withheld[0].reason.contains("standby"));
    let status = [measure("status", "status", "day", "C62", 0)];
    let refused = project(&request(&plant, &live, &mapping, &status)).unwrap_err();
    assert_eq!(refused[0].path, "measures[0].level");
}

#[test]
fn what_is_not_ours_or_not_known_does_not_land() {
    let (plant, mapping) = (fixture::plant(), fixture::mapping());
    let as_of = "2026-11-01T23:00:00Z".parse().unwrap();
    let nothing = derive(&plant, &Facts::default(), as_of, &[PeriodKind::Week]).unwrap();
    let mut measures = vec![measure("live", "attainable_clock_hours", "week", "HUR", 2)];
    let found = project(&request(&plant, &nothing, &mapping, &measures)).unwrap();
    assert_eq!(found.cells, []);
    assert!(!found.withheld.is_empty() && found.withheld[0].reason.contains("no history"));
    measures[0].owner = Owner::Other("somebody".into());
    let live = derivation(&[PeriodKind::Week]);
    assert_eq!(project(&request(&plant, &live, &mapping, &measures)).unwrap().cells, []);
}

#[test]
fn the_plan_cut_is_firm_between_cut_offs() {
    let plant = fixture::plant();
    let cut = |at: &str| cut_off(&plant, at.parse().unwrap()).unwrap().to_string();
    assert_eq!(cut("2026-11-22T22:00:00Z"), "2026-10-31T23:00:00Z");
    assert_eq!(cut("2026-11-30T22:59:59Z"), "2026-10-31T23:00:00Z");
    assert_eq!(cut("2026-11-30T23:00:00Z"), "2026-11-30T23:00:00Z");
    let (mapping, measures) = (fixture::mapping(), [measure("cut", "plan_cut", "week", "HUR", 2)]);
    let landed = |at: &str, facts: &Facts| {
        let live = derivation(&[PeriodKind::Week]);
        let (of_plant, facts) = (Cow::Borrowed(&plant), Cow::Borrowed(facts));
        let cut = Deriver::of_cut(of_plant, facts, at.parse().unwrap(), &[PeriodKind::Week]);
        let cut = cut.unwrap().all();
        let request = Request { cut: Some(&cut), ..request(&plant, &live, &mapping, &measures) };
        let landed = project(&request).unwrap();
        cell(&landed, "R-1", "2026-W51", "cut").value
    };
    let stop = |at: &str, state| StateFact {
        subject: Subject(0),
        source: SourceIndex(0),
        at: at.parse::<Timestamp>().unwrap().as_millisecond(),
        rank: 0,
        line: 0,
        state: Some(state),
        unless: StateSet::default(),
    };
    let known = vec![
        stop("2026-10-20T00:00:00Z", EquipmentState::UnscheduledDown),
        stop("2026-10-31T00:00:00Z", EquipmentState::Productive),
    ];
    let mut later = known.clone();
    later.push(stop("2026-11-10T00:00:00Z", EquipmentState::UnscheduledDown));
    let known = Facts { states: known, ..Facts::default() }.seal();
    let later = Facts { states: later, ..Facts::default() }.seal();
    let firm = landed("2026-11-22T22:00:00Z", &known);
    assert_eq!(landed("2026-11-22T22:00:00Z", &later), firm);
    assert!(landed("2026-12-02T00:00:00Z", &later) < firm);
}

#[test]
fn a_recipe_changes_with_everything_that_changes_a_value() {
    let live = derivation(&[PeriodKind::Week]);
    let mapping = fixture::mapping();
    let other = Mapping { version: "2".into(), ..fixture::mapping() };
    assert_ne!(recipe(&live.origin, &mapping), recipe(&live.origin, &other));
    let moved = Origin { tzdb_version: "x".into(), ..(*live.origin).clone() };
    assert_ne!(recipe(&live.origin, &mapping), recipe(&moved, &mapping));
    assert_eq!(recipe(&live.origin, &mapping).len(), 64);
}

#[test]
fn portions_are_of_one_place_each_and_together_the_whole() {
    let (plant, live, mapping) =
        (fixture::plant(), derivation(&[PeriodKind::Week]), fixture::mapping());
    let measures = [
        measure("live", "attainable_clock_hours", "week", "HUR", 2),
        measure("status", "status", "week", "C62", 0),
    ];
    let request = request(&plant, &live, &mapping, &measures);
    let mut cells = Vec::new();
    let mut places = BTreeSet::new();
    for landing in Landing::all(&mapping) {
        let portion = portion(&request, &landing).unwrap();
        let of = |cell: &DesiredCell| (cell.key.resource.clone(), cell.key.location.clone());
        let here: BTreeSet<_> = portion.cells.iter().map(of).collect();
        assert_eq!(here.len(), 1);
        assert!(places.is_disjoint(&here), "a place comes once");
        places.extend(here);
        cells.extend(portion.cells);
    }
    assert!(places.len() > 1 && cells.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(cells, project(&request).unwrap().cells);
}
