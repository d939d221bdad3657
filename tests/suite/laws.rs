//! Laws that only show from end to end.

use std::{collections::BTreeMap, fs};

use http::Method;
use planthread::pipeline::{parse_cell, policy, trace};
use planthread_contracts::{Period, PeriodKind, RevisionState};
use planthread_engine::verify::Which;
use planthread_kit::Clock as _;
use planthread_mocks::{Simulator as _, Writer, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::json;

use crate::world::{World, measure, plan_of};

fn week(text: &str) -> Period {
    text.parse().unwrap()
}

fn share(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn law_18_two_state_directories_with_one_journal_give_one_plan_byte_by_byte() {
    let told = World::small();
    told.foretell(1, &[(week("2026-W49"), share("0.811")), (week("2026-W50"), share("0.7"))]);
    let first = fs::read_to_string(told.folder.join("twin.ndjson")).unwrap();
    told.pass(60);
    told.foretell(2, &[(week("2026-W50"), share("0.3333"))]);
    told.foretell(1, &[(week("2026-W49"), share("0.5"))]);
    let second = fs::read_to_string(told.folder.join("twin.ndjson")).unwrap();

    // One lives straight on; the other is late by minutes and starts again.
    let lives = |late: u64, restarts: bool| {
        let world = World::small();
        let file = world.folder.join("twin.ndjson");
        fs::write(&file, &first).unwrap();
        world.pass(late);
        let mut live = world.open();
        world.cycle(&live);
        world.assert_landed(&live, "the first plan");
        fs::write(&file, &second).unwrap();
        world.pass(60);
        if restarts {
            drop(live);
            live = world.open();
        }
        live.bridge.ingest().unwrap();
        let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
        live.bridge.want(&live.target, &truth).unwrap();
        world.pass(9);
        live.plan()
    };
    let (one, other) = (lives(0, false), lives(31, true));
    let text = String::from_utf8(one.clone()).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("\"reason\"")).count(), 4, "{text}");
    assert_eq!(one, other, "{text}\n{}", String::from_utf8_lossy(&other));
}

#[test]
fn law_14_a_landed_cell_reaches_its_records_versions_and_receipts() {
    let world = World::small();
    let live = world.open();
    world.foretell(1, &[(week("2026-W50"), share("0.9"))]);
    world.cycle(&live);
    world.pass(60);
    world.foretell(1, &[(week("2026-W50"), share("0.5"))]);
    let receipt = world.cycle(&live).applied.unwrap().receipts.remove(0);
    let at = live.bridge.as_of();
    // An hour later the twin hopes a little: the landed value stays, and is explained
    // as of when it was made; today's stands beside it.
    world.pass(60);
    world.foretell(1, &[(week("2026-W50"), share("0.503"))]);
    assert!(world.cycle(&live).applied.is_none());
    let key = parse_cell("ibp/base/LINE-1@1010/2026-W50/live").unwrap();
    let (reader, now) = (live.bridge.reader().unwrap(), world.clock.now());
    let traced = trace(&live.bridge.loaded, &reader, &key, now).unwrap();

    // Raw records, as they arrived, with their place.
    let today = traced.today.as_ref().unwrap();
    assert_eq!((today.value, today.as_of), (share("84.50"), live.bridge.as_of()));
    assert_eq!((traced.records, traced.last_records.len()), (3, 3));
    let last = &traced.last_records[1];
    assert!(last.place.ends_with("twin.ndjson") && last.line == 2, "{last:?}");
    assert!(last.text.contains("\"value\":\"0.5\"") && last.position > 0, "{last:?}");
    // The arithmetic in words, with the number that landed: half of 168 hours.
    assert_eq!(traced.ledger.cell.value, Decimal::from(84));
    assert!(traced.arithmetic[0].contains("84"), "{}", traced.arithmetic[0]);
    // Versions of rules, mapping and time zones.
    let from = traced.provenance.as_ref().unwrap();
    assert!(from.rules_version.starts_with("1+"), "{from:?}");
    assert_eq!(from.mapping_version, "7");
    assert!(!from.tzdb_version.is_empty() && from.input_window.len() == 64, "{from:?}");
    assert!(traced.recipe_holds && traced.reproduced);
    let [release] = traced.releases.as_slice() else { panic!("{:?}", traced.releases) };
    assert_eq!(release.reason.word(), "worse");
    // What moved it, since the release before: 151.20 to 84.00.
    assert_eq!(release.change.as_ref().unwrap().words(), "trend of availability -67.20");
    assert_eq!((release.as_of, traced.made_of), (at, at));
    // Both revisions; the pushes that carried them, with the target's receipt.
    let states: Vec<_> = traced.ledger.revisions.iter().map(|r| (r.value, r.state)).collect();
    let (before, seen) = (share("151.20"), RevisionState::Seen);
    assert_eq!(states, [(before, RevisionState::Overtaken), (Decimal::from(84), seen)]);
    assert_ne!(traced.ledger.revisions[0].recipe, traced.ledger.revisions[1].recipe);
    let attempt = traced.ledger.attempts.last().unwrap();
    assert_eq!(attempt.receipt.as_ref().unwrap().handle, receipt);
    assert_eq!(attempt.before, Some(Some(before)), "what an undo would return to");
    assert_eq!(attempt.plan.len(), 64);

    // Another version of the mapping is another recipe.
    let mut loaded = live.bridge.loaded.clone();
    loaded.config.targets.get_mut("ibp").unwrap().mapping.version = "8".to_owned();
    assert!(!trace(&loaded, &reader, &key, now).unwrap().recipe_holds);
}

/// `CAPASUPPLY` as the bridge wrote it.
fn written_capasupply(world: &World) -> BTreeMap<(String, Period), Decimal> {
    let cells = world.wire().stored();
    cells
        .into_iter()
        .filter(|cell| {
            cell.measure == "CAPASUPPLY" && matches!(cell.writer, Writer::Integration(_))
        })
        .map(|cell| ((cell.resource, cell.period), cell.value))
        .collect()
}

#[test]
fn law_3_a_measure_of_somebody_else_is_written_only_under_a_promotion_and_only_until_its_end() {
    let mut config = plan_of(3, 5);
    let mut erps = measure("erp", "CAPASUPPLY", "attainable_clock_hours", "value");
    erps["owner"] = json!({ "other": "nightly ERP load" });
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(erps);
    let world = World::new(&config, Options::default());
    let live = world.open();
    let first = world.cycle(&live);
    assert_eq!(first.applied.unwrap().sent, 36, "ours land");
    assert!(written_capasupply(&world).is_empty());
    assert!(!String::from_utf8(live.plan()).unwrap().contains("\"erp\""));

    // A person promotes it until tomorrow.
    world.pass(60);
    let until = world.clock.now().checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
    let record = json!({ "who": "Ms Okafor", "why": "the ERP load is down", "scope": "",
        "measures": ["erp"], "until": until });
    let state = &live.bridge.loaded.config.state;
    policy::promote(state, "ibp", &record.to_string(), world.clock.now()).unwrap();
    let promoted = world.cycle(&live);
    assert_eq!(promoted.applied.unwrap().plan.counts.cells, 18, "one number a row");
    let written = written_capasupply(&world);
    assert_eq!(written.len(), 18);
    let seen = live.cells().into_iter().filter(|cell| cell.key.measure == "erp");
    assert!(seen.clone().all(|cell| cell.state == RevisionState::Seen), "and proven");
    assert_eq!(seen.count(), 18);

    // Its time is over: new truth lands in ours, and nowhere else.
    world.pass(25 * 60);
    world.foretell(1, &[(week("2026-W50"), share("0.5"))]);
    let after = world.cycle(&live).applied.unwrap();
    assert!(after.accepted > 0);
    assert_eq!(written_capasupply(&world), written);
    live.assert_conserved("after the promotion");
}

/// What stands in `TWINCAPALIVE`, by period, for the only machine.
fn landed(level: &str, storage: PeriodKind) -> BTreeMap<Period, Decimal> {
    let mut config = plan_of(1, 20);
    config["plant"]["zone"] = json!("Europe/Berlin");
    config["plant"]["resources"][0]["standard_availability"] = json!("0.7777777777");
    for measure in config["targets"]["ibp"]["measures"].as_array_mut().unwrap() {
        measure["level"] = json!(level);
    }
    let options = Options { storage, ..Options::default() };
    let world = World::new(&config, options);
    let live = world.open();
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    world.assert_landed(&live, level);
    let live = world.stored().into_iter().filter(|(place, _)| place.3 == "TWINCAPALIVE");
    live.map(|((_, _, period, _), value)| (period, value)).collect()
}

/// The hours of a period at the machine's standard availability, rounded once:
/// whole days, less the hour that the clocks skip on 2027-03-28.
fn rounded(period: Period) -> Decimal {
    let skipped = period.days().any(|day| day == jiff::civil::date(2027, 3, 28));
    let hours = period.days().count() * 24 - usize::from(skipped);
    (Decimal::from(hours) * share("0.7777777777")).round_dp(2)
}

#[test]
fn law_6_hours_are_conserved_at_every_level_over_daylight_saving_and_split_weeks() {
    for (level, storage, count) in [
        ("day", PeriodKind::Day, 147),
        ("week", PeriodKind::Week, 21),
        ("technical_week", PeriodKind::TechnicalWeek, 24),
        ("month", PeriodKind::Month, 6),
    ] {
        // Landed and read back equal, cell by cell, at the level it is stored.
        let stored = landed(level, storage);
        assert_eq!(stored.len(), count, "{level}: {:?}", stored.keys());
        assert!(stored.keys().all(|period| period.kind() == storage), "{level}");
        // The parts of a week add up to it, to the last digit; a month is its own.
        let whole = if storage == PeriodKind::Month { storage } else { PeriodKind::Week };
        let mut sums: BTreeMap<Period, Decimal> = BTreeMap::new();
        for (part, value) in &stored {
            *sums.entry(Period::containing(whole, part.start())).or_default() += value;
        }
        for (period, sum) in sums {
            assert_eq!(sum, rounded(period), "{level} {period}");
        }
    }
}

#[test]
fn law_1_a_plan_in_which_a_cell_has_moved_is_refused_and_nothing_is_sent() {
    let world = World::small();
    let live = world.open();
    let want = |live: &crate::world::Live| {
        live.bridge.ingest().unwrap();
        let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
        live.bridge.want(&live.target, &truth).unwrap().wanted.made
    };
    assert_eq!(want(&live), 36);
    let mut plan = std::io::Cursor::new(live.plan());
    world.foretell(3, &[(week("2026-W52"), share("0.25"))]);
    let changed = want(&live);
    assert!(changed == 1 || changed == 2, "the number, perhaps its status");
    let mark = world.mark();
    let apply = live.bridge.apply(&live.target, &mut plan, false);
    let refused = world.clock.block_on(apply).unwrap();
    assert!(refused.refused && refused.moved == changed && refused.sent == 0, "{refused:?}");
    assert_eq!(world.mark(), mark, "not even a token was fetched");
    plan.set_position(0);
    let apply = live.bridge.apply(&live.target, &mut plan, true);
    let rest = world.clock.block_on(apply).unwrap();
    assert_eq!((rest.moved, rest.moved + rest.left), (changed, 2), "a row stays behind whole");
    assert_eq!(rest.sent, 34, "the rest goes, with no other value");
    assert_eq!(world.wire().count(mark, &Method::POST), 2);
    world.clock.block_on(live.bridge.verify(&live.target, Which::Unproven)).unwrap();
    assert_eq!(live.status().seen, 34);
}
