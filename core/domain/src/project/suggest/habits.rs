//! Proposals, measured: 200 resources as real plants name them, with the truth.
//!
//! A row stands for a family that one person named in the plant and another in
//! the target. Some can't be told from names at all: they are part of the 200.

use std::collections::{BTreeMap, BTreeSet};

use super::{Suggestion, suggest};
use crate::{
    fixture,
    model::{MapRow, Mapping, Plant, Resource},
};

/// In the plant, in the target, its location, how many, and what the target
/// describes them as. `{n}` is a number, `{2}` to `{4}` with leading zeros,
/// `{t}` ten times the number, `{a}` a letter.
type Family = (&'static str, &'static str, &'static str, u32, &'static str);

#[rustfmt::skip]
const FAMILIES: [Family; 33] = [
    ("press-{n}", "PRESS-{n}", "1010", 12, ""),
    ("rgb_weld_{2}", "WELD{3}", "1010", 10, ""),
    ("Schweissroboter {n}", "ROB-WELD-{2}", "1020", 8, ""),
    ("säge-{n}", "SAEGE{2}", "1010", 4, ""),
    ("Fräsmaschine_{n}", "1020FRAES{3}", "1020", 9, ""),
    ("lathe {n} (hall 2)", "DREH-H2-{2}", "1010", 6, ""),
    ("assembly_line_{n}", "ASSYLN{2}", "1020", 8, ""),
    ("paint-booth-{a}", "PNTBTH-{n}", "1010", 4, ""),
    ("oven{n}", "OFEN-{t}", "1010", 5, ""),
    ("P1-GRD-{2}", "GRIND{2}_1010", "1010", 7, ""),
    ("wash station {n}", "WASCHANL{n}", "1020", 3, ""),
    ("insp_{n}", "INSPECT-{2}-DRS", "1020", 6, ""),
    ("packaging cell {n}", "10{3}417", "1020", 10, "Packaging cell {n}"),
    ("bender-{n}", "BEND-{n}", "1010", 5, ""),
    ("rgb-laser-{n}", "LASER-{n}", "1010", 6, ""),
    ("drs-laser-{n}", "LASER-{n}", "1020", 6, ""),
    ("injection moulding machine {n}", "IMM-{2}", "1010", 9, ""),
    ("deburring {n}", "ENTGRAT{n}", "1020", 4, ""),
    ("milling-center-{n}", "MC{n}00", "1010", 3, ""),
    ("robot cell {n}", "ROBCELL{2}", "1020", 6, ""),
    ("Line 3 Press {n}", "L3-PRS-{n}", "1010", 6, ""),
    ("drill press {n}", "DRILLPR{n}", "1020", 5, ""),
    ("heat-treat-{n}", "HTTREAT{n}", "1010", 4, ""),
    ("conveyor belt {n}", "CONV_BELT_{3}", "1010", 8, ""),
    ("CNC{n}", "CNC-{3}", "1020", 11, ""),
    ("test bench {n}", "PRUEFSTAND {n}", "1010", 5, ""),
    ("quality gate {n}", "QG{n}", "1020", 4, ""),
    ("hydraulic press {n}", "HYDPRS{2}", "1010", 6, ""),
    ("Montageplatz {n}", "MONTPL{2}", "1020", 7, ""),
    ("galvanic line {n}", "GALV-LN-{n}", "1010", 3, ""),
    ("boiler", "BOILER", "1010", 1, ""),
    ("paint robot", "ROBPAINT", "1020", 1, ""),
    ("WZ-Lager Kran {n}", "KRANWZ{3}", "1020", 8, ""),
];

/// In the target alone: shared stems, the other plant's twins, neighbours.
#[rustfmt::skip]
const ONLY_TARGET: [(&str, &str, u32); 9] = [
    ("BEND-{n}", "1020", 5), ("PRESS-9{n}", "1010", 6), ("WELD-TABLE-{n}", "1010", 4),
    ("COMPRESSOR-{n}", "1020", 3), ("LASER-MARK-{n}", "1020", 4), ("PACK-OLD-{n}", "1020", 5),
    ("DRILL-{n}", "1020", 5), ("TRANSPORT{2}", "1010", 9), ("1010STORE{3}", "1010", 7),
];

/// In the plant alone: whatever is proposed for them is wrong.
const ONLY_PLANT: [(&str, u32); 6] = [
    ("agv-{n}", 6),
    ("Kompressor 1{n}", 2),
    ("press-7{n}", 3),
    ("lathe {n} (hall 3)", 4),
    ("paint-oven-{n}", 2),
    ("Lüfter {n}", 3),
];

/// Rows that stand in the mapping already: they say what `rgb` and `drs` mean.
const MAPPED: [(&str, &str, &str); 6] = [
    ("rgb-crane-1", "CRANE-1", "1010"),
    ("rgb-furnace-1", "FURN-1", "1010"),
    ("rgb-mixer-1", "MIX-1", "1010"),
    ("drs-crane-1", "CRANE-1", "1020"),
    ("drs-furnace-1", "FURN-1", "1020"),
    ("drs-mixer-1", "MIX-1", "1020"),
];

fn spelt(form: &str, n: u32) -> String {
    let letter = char::from_digit(9 + n, 36).unwrap_or('z').to_string();
    form.replace("{n}", &n.to_string())
        .replace("{2}", &format!("{n:02}"))
        .replace("{3}", &format!("{n:03}"))
        .replace("{t}", &format!("{}", n * 10))
        .replace("{a}", &letter)
}

/// Both sides, and where each resource of the plant belongs.
struct World {
    plant: Plant,
    mapping: Mapping,
    target: Vec<(String, String)>,
    descriptions: BTreeMap<String, String>,
    truth: BTreeMap<String, (String, String)>,
}

fn world() -> World {
    let (mut plant, mut mapping) = (fixture::plant(), fixture::mapping());
    let one = plant.resources[0].clone();
    let (mut truth, mut target, mut descriptions) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let mut sources = Vec::new();
    for (source, resource, location, count, description) in FAMILIES {
        for n in 1..=count {
            let pair = (spelt(resource, n), location.to_owned());
            if !description.is_empty() {
                descriptions.insert(pair.0.clone(), spelt(description, n));
            }
            sources.push(spelt(source, n));
            target.push(pair.clone());
            truth.insert(spelt(source, n), pair);
        }
    }
    for (form, location, count) in ONLY_TARGET {
        target.extend((1..=count).map(|n| (spelt(form, n), location.to_owned())));
    }
    for (form, count) in ONLY_PLANT {
        sources.extend((1..=count).map(|n| spelt(form, n)));
    }
    let row = mapping.rows.remove(0);
    mapping.rows.clear();
    for (source, resource, location) in MAPPED {
        sources.push(source.to_owned());
        target.push((resource.to_owned(), location.to_owned()));
        mapping.rows.push(MapRow {
            source: source.to_owned(),
            resource: resource.to_owned(),
            location: location.to_owned(),
            ..row.clone()
        });
    }
    plant.lines.clear();
    plant.resources = sources.into_iter().map(|id| Resource { id, ..one.clone() }).collect();
    World { plant, mapping, target, descriptions, truth }
}

fn proposals(world: &World) -> Vec<Suggestion> {
    suggest(&world.plant, &world.mapping, &world.target, &world.descriptions)
}

#[test]
fn most_of_200_are_proposed_rightly_and_hardly_any_wrongly() {
    let world = world();
    assert_eq!(world.truth.len(), 200);
    let found = proposals(&world);
    let mut first = BTreeMap::new();
    for row in &found {
        first.entry(row.source.clone()).or_insert((row.resource.clone(), row.location.clone()));
    }
    assert_eq!(first.len(), found.len(), "one proposal for a resource");
    let (right, wrong): (Vec<_>, Vec<_>) =
        first.iter().partition(|(source, pair)| world.truth.get(*source) == Some(*pair));
    let silent: BTreeSet<_> = world.truth.keys().filter(|id| !first.contains_key(*id)).collect();
    let report = format!("{} right, wrong {wrong:?}, silent {silent:?}", right.len());
    assert!(right.len() >= 160, "{report}");
    assert!(wrong.len() <= 2, "{report}");
}

#[test]
fn the_order_of_rows_decides_nothing() {
    let mut world = world();
    let before = proposals(&world);
    world.target.reverse();
    world.plant.resources.reverse();
    assert_eq!(proposals(&world), before);
}

#[test]
fn nobody_gets_two_and_nothing_is_given_twice() {
    let found = proposals(&world());
    let sources: BTreeSet<_> = found.iter().map(|row| &row.source).collect();
    let pairs: BTreeSet<_> = found.iter().map(|row| (&row.resource, &row.location)).collect();
    assert_eq!((sources.len(), pairs.len()), (found.len(), found.len()));
}

#[test]
fn a_large_tenant_is_no_burden() {
    let mut world = world();
    for n in 0..5_000u32 {
        let stem = ["WC", "MACH", "PRS-X", "ZELLE", "BAND"][n as usize % 5];
        world.target.push((format!("{stem}{:05}", n + 1_000), "1030".to_owned()));
    }
    let sides = super::Sides::new(
        &world.mapping,
        &world.target,
        &world.truth.keys().cloned().collect::<Vec<_>>(),
        &world.target,
        &world.descriptions,
    );
    let index = super::Index::of(&sides.offers);
    let compared: usize =
        sides.sources.iter().map(|source| index.candidates(&source.name).len()).sum();
    assert!(compared < 60 * sides.sources.len(), "{compared} pairs of names were compared");
}
