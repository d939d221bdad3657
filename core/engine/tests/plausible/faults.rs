//! Mapping faults, seeded: each met in three ways. An edit of a mapping that has
//! landed before; a source or target that changes under a mapping that stays; and
//! a first landing, where only the target's own figures stand there.

use std::io::Write as _;

use planthread_contracts::Unit;
use planthread_engine::{
    ledger::mapped::{MEASURES, Mapped, ROWS},
    plan::plausible::{Fault, Judge, Note, Point, Series, Verdicts},
};

use crate::{
    plant::{Dice, Place, Plant, WEEKS},
    table::{End, Table},
};

/// How a fault is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    Edit,
    Silently,
    First,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// A factor of all places, or of one.
    Factor(f64, bool),
    /// Weeks early (+1) or late (-1), of all places or of one.
    Weeks(isize, bool),
    /// Weeks that begin on another day, at the target as a whole.
    Days(isize),
    /// Another version than the one that holds what landed.
    Version,
    /// A fraction in percent (100), or percent as a fraction (0.01).
    Percent(f64),
    /// Two resources, each with the other's figures.
    Swapped,
    /// Half of a resource.
    Share,
    /// Down time for up time.
    UpAndDown,
}

/// What a place lands: as it should, and as it does; what landed before, and what
/// the target says itself.
struct Figures {
    right: Vec<f64>,
    wanted: Vec<f64>,
    own: Vec<f64>,
}

fn name(place: usize) -> String {
    format!("R{place}@L")
}

/// The figures of a plant under a fault.
fn figures(plant: &Plant, kind: Kind, one: usize, other: usize) -> Vec<Figures> {
    let all = plant.places.iter().enumerate().map(|(number, place)| {
        let hit = |all: bool| all || number == one;
        let weeks = |place: &Place, late: isize| -> Vec<f64> {
            (0..WEEKS).map(|week| place.week(week, late)).collect()
        };
        let scale = |by: f64| weeks(place, 0).iter().map(|hours| hours * by).collect();
        let (mut right, mut own) =
            (weeks(place, 0), (0..WEEKS).map(|week| place.assumed(week, 0)).collect());
        let wanted = match kind {
            Kind::Factor(by, all) if hit(all) => scale(by),
            Kind::Weeks(late, all) if hit(all) => weeks(place, 7 * late),
            Kind::Days(late) => weeks(place, late),
            Kind::Swapped if number == one => weeks(&plant.places[other], 0),
            Kind::Swapped if number == other => weeks(&plant.places[one], 0),
            Kind::Share if number == one => scale(0.5),
            Kind::UpAndDown if number == one => {
                let most = place.hours * place.days as f64 * place.units;
                right.iter().map(|hours| (most - hours).max(0.0)).collect()
            }
            Kind::Percent(by) => {
                right.clone_from(&place.severity);
                own = right.clone();
                right.iter().map(|part| part * by).collect()
            }
            _ => right.clone(),
        };
        Figures { right, wanted, own }
    });
    all.collect()
}

/// Judges figures as they would stand in a ledger.
pub(crate) fn judge(
    plant: &Plant,
    figures: impl Iterator<Item = (Vec<f64>, Option<Vec<f64>>, Option<Vec<f64>>)>,
    met: Met,
    unit: Unit,
    mut judge: Judge,
) -> Verdicts {
    for (number, (wanted, landed, own)) in figures.enumerate() {
        let points = wanted.iter().enumerate().map(|(week, wanted)| {
            let landed = landed.as_ref().map(|landed| landed[week]);
            let moved = landed.is_none_or(|landed| (landed - wanted).abs() > 0.005);
            Point {
                at: i64::try_from(week).unwrap(),
                wanted: *wanted,
                landed,
                own: own.as_ref().map(|own| own[week]),
                waits: moved,
                mapped: moved && met == Met::Edit,
            }
        });
        let place = plant.places.get(number);
        let most = if unit == Unit::One { 1.0 } else { place.map_or(169.0, Place::most) };
        let series = Series { unit, most: Some(most), points: points.collect() };
        judge.add("live", &name(number), &series);
    }
    judge.finish()
}

/// Whether the plan's words for an edit of the mapping name what was done.
fn edited(kind: Kind, one: usize, other: usize) -> bool {
    let mut before = Mapped::default();
    for place in 0..12 {
        before.put(ROWS, &name(place), "source", format!("M{place}"));
        before.put(ROWS, &name(place), "share", 1);
    }
    before.put(MEASURES, "live", "unit", "HUR");
    before.put("plant", "", "zone", "Europe/Berlin");
    let mut after = before.clone();
    let words = match kind {
        Kind::Swapped => {
            after.put(ROWS, &name(one), "source", format!("M{other}"));
            after.put(ROWS, &name(other), "source", format!("M{one}"));
            format!("{}: source was M{one}, is M{other}", name(one))
        }
        Kind::Share => {
            after.put(ROWS, &name(one), "share", 0.5);
            format!("{}: share was 1, is 0.5", name(one))
        }
        Kind::UpAndDown => {
            after.put(MEASURES, "live", "carries", "expected_lost_hours");
            "live: carries is expected_lost_hours".to_owned()
        }
        _ => {
            after.put("plant", "", "zone", "Asia/Tokyo");
            "zone was Europe/Berlin, is Asia/Tokyo".to_owned()
        }
    };
    after.edits(&before).iter().any(|edit| edit.to_string().contains(&words))
}

/// Whether the words of a question fit what is wrong. What a first landing is asked about
/// names version, weeks and resources.
fn fits(kind: Kind, fault: Fault) -> bool {
    if fault == Fault::First {
        return matches!(kind, Kind::Version | Kind::Swapped | Kind::Weeks(..) | Kind::Days(_));
    }
    match kind {
        Kind::Factor(..) | Kind::Share => matches!(fault, Fault::Unit | Fault::Beyond),
        Kind::UpAndDown => matches!(fault, Fault::Unit | Fault::Beyond | Fault::Opposite),
        Kind::Weeks(..) | Kind::Days(_) => matches!(fault, Fault::Week | Fault::WeekStart),
        Kind::Version => fault == Fault::Version,
        Kind::Percent(_) => fault == Fault::Percent,
        Kind::Swapped => fault == Fault::Resource,
    }
}

fn one(plant: &Plant, kind: Kind, met: Met, dice: &mut Dice) -> End {
    let one = dice.pick(plant.places.len());
    let other = (one + 1 + dice.pick(plant.places.len() - 1)) % plant.places.len();
    let all = figures(plant, kind, one, other);
    let differs = |f: &Figures| f.right.iter().zip(&f.wanted).any(|(r, w)| (r - w).abs() > 0.005);
    if kind != Kind::Version && !all.iter().any(differs) {
        return End::Nothing;
    }
    let unit = if matches!(kind, Kind::Percent(_)) { Unit::One } else { Unit::Hour };
    // Between two landings truth moves a little, everywhere.
    let drift = dice.real(0.99, 1.01);
    let empty = kind == Kind::Version;
    let hit: Vec<bool> = all.iter().map(|figures| empty || differs(figures)).collect();
    let near = dice.real(0.9, 1.1);
    let mut noise = dice.clone();
    let ledger = all.into_iter().map(|Figures { right, wanted, own }| {
        let mut landed: Vec<f64> =
            right.iter().map(|hours| hours * drift * noise.real(0.998, 1.002)).collect();
        landed[0] *= near;
        let landed = (met != Met::First && !empty).then_some(landed);
        let own = (met == Met::First || empty).then_some(own);
        (wanted, landed, own)
    });
    let judge_of = match (empty, met) {
        (_, Met::First) => Judge::default().first("UPSIDE"),
        (true, _) => Judge::elsewhere("UPSIDE", "base"),
        (false, _) => Judge::default(),
    };
    let verdicts = judge(plant, ledger, met, unit, judge_of);
    let place_hit = |places: &std::collections::BTreeSet<String>| {
        hit.iter().enumerate().any(|(number, hit)| *hit && places.contains(&name(number)))
    };
    let stopped = verdicts.asked.iter().any(|asked| place_hit(&asked.places));
    let fitting =
        verdicts.asked.iter().any(|asked| fits(kind, asked.fault) && place_hit(&asked.places));
    let noted = verdicts.noted.iter().any(|noted| {
        place_hit(&noted.places)
            && match noted.note {
                Note::Share | Note::Gap => matches!(kind, Kind::Share | Kind::UpAndDown),
                Note::Alike => kind == Kind::Swapped,
                Note::Flat | Note::Moved => matches!(kind, Kind::Weeks(..) | Kind::Days(_)),
                Note::Alone => true,
                Note::First => false,
            }
    });
    match () {
        () if stopped && fitting => End::Stopped,
        () if noted || (met == Met::Edit && edited(kind, one, other)) => End::Named,
        () if stopped => End::Stopped,
        () => End::Silent,
    }
}

fn kinds(number: usize, dice: &mut Dice) -> (&'static str, Kind) {
    let all = dice.chance(0.6);
    let sign = if dice.chance(0.5) { 1 } else { -1 };
    match number % 10 {
        0 => ("unit: minutes for hours", Kind::Factor(60.0, all)),
        1 => ("unit: days for hours", Kind::Factor(1.0 / 24.0, all)),
        2 => ("unit: milliseconds for seconds", Kind::Factor(1_000.0, all)),
        3 if all => ("week: early or late, all places", Kind::Weeks(sign, true)),
        3 => ("week: early or late, one place", Kind::Weeks(sign, false)),
        4 => ("week: begins on Sunday", Kind::Days(-1)),
        5 => ("version", Kind::Version),
        6 => ("percent", Kind::Percent(if sign > 0 { 100.0 } else { 0.01 })),
        7 => ("other: resources swapped", Kind::Swapped),
        8 => ("other: share", Kind::Share),
        _ => ("other: up and down", Kind::UpAndDown),
    }
}

#[test]
fn ten_thousand_mapping_faults_are_stopped_or_named() {
    let mut table = Table::default();
    for number in 0..10_000 {
        let mut dice = Dice::new(number);
        let number = usize::try_from(number).unwrap();
        let (name, kind) = kinds(number, &mut dice);
        let (met, how) = [(Met::Edit, "edit"), (Met::Silently, "no edit"), (Met::First, "first")]
            [number / 10 % 3];
        let plant = Plant::new(&mut dice);
        let flat = if plant.flat && met == Met::First { ", flat" } else { "" };
        table.count(&format!("{name} ({how}{flat})"), one(&plant, kind, met, &mut dice));
    }
    std::io::stderr().write_all(table.text("mapping faults").as_bytes()).unwrap();
    for kind in ["unit", "week", "version", "percent"] {
        let (seeded, stopped, ..) = table.of(|name| name.starts_with(kind));
        assert!(stopped * 100 >= seeded * 99, "{kind}: {stopped} of {seeded} stopped");
    }
    let (_, _, _, silent) = table.of(|_| true);
    assert_eq!(silent, 0, "none lands silently");
}
