//! What people decided in a sheet, from the sheet to the planner's list: its own layer, kept
//! over restart and restore.

use std::{fs, path::Path};

use jiff::{ToSpan as _, civil::Weekday, tz::TimeZone};
use planthread::{
    config,
    pipeline::{
        accuracy, derive_facts, explain, facts_of_files, gap::PersonsActKind, parse_cell, trace,
    },
    report::gap::Gap,
};
use planthread_contracts::{Carries, Period, PeriodKind};
use planthread_engine::backup::{RestoreRequest, backup, restore};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    digest::found as digest_since,
    gap::{compared, config as gap_config},
    replay::replayed,
    world::{World, measure, plan_of},
};

/// The plant of the gap's tests, which works on weekdays only, with a sheet.
fn with_sheet() -> Value {
    let mut config = gap_config();
    config["plant"]["calendars"] = json!([{ "id": "always", "version": "1", "shifts": [
        { "name": "day", "days": ["mon", "tue", "wed", "thu", "fri"],
          "start": "06:00", "end": "16:00" }] }]);
    let sheet = json!({ "name": "decisions", "files": ["decisions.csv"],
        "reader": { "decisions": {} } });
    config["plant"]["sources"].as_array_mut().unwrap().push(sheet);
    config
}

fn write(world: &World, rows: &[String]) {
    let text = format!("resource,from,to,kind,status,reason,who,cycle\n{}", rows.concat());
    fs::write(world.folder.join("decisions.csv"), text).unwrap();
}

/// What a line can do in a week, with what was decided for it and how it moved.
fn row(gap: &Gap, line: &str, week: Period) -> (Option<Decimal>, Vec<String>, Value) {
    let rows = &gap.targets[0].rows;
    let row = rows.iter().find(|row| row.row.line.line == *line && row.row.week == week).unwrap();
    let decided = row.decided.iter().map(planthread::pipeline::gap::DecidedChange::words);
    let json = serde_json::to_value(row).unwrap();
    (row.row.known.live, decided.collect(), json["moved"].clone())
}

#[test]
fn law_9_a_confirmed_shift_lands_as_its_own_layer_and_survives_restart_and_restore() {
    let world = World::new(&with_sheet(), Options::default());
    write(&world, &[]);
    let live = world.open();
    world.cycle(&live);
    let today = world.clock.now().to_zoned(TimeZone::UTC).date();
    let week = Period::containing(PeriodKind::Week, today.saturating_add(7.days()));
    let saturday = week.days().find(|day| day.weekday() == Weekday::Saturday).unwrap();
    let before = ["LINE-1", "LINE-2"].map(|line| row(&compared(&world, &live), line, week));
    assert!(before.iter().all(|(_, decided, _)| decided.is_empty()));
    let rows = [
        format!(
            "m-1,{saturday} 06:00,{saturday} 16:00,extra shift,confirmed,backlog,A. Meier,S1\n"
        ),
        format!("m-2,{saturday} 06:00,{saturday} 16:00,overtime,proposed,maybe,B. Kaya,S1\n"),
    ];
    write(&world, &rows);
    world.pass(60);
    world.cycle(&live);
    let told = |gap: &Gap| ["LINE-1", "LINE-2"].map(|line| row(gap, line, week));
    let now = told(&compared(&world, &live));
    // Ten hours at an availability of 0.899.
    assert_eq!(now[0].0.unwrap() - before[0].0.unwrap(), "8.99".parse().unwrap());
    assert_eq!(now[1].0, before[1].0, "what is proposed moves nothing");
    let shift = format!("extra shift {saturday} 06:00 to {saturday} 16:00: backlog (A. Meier)");
    let maybe = format!("proposed: overtime {saturday} 06:00 to {saturday} 16:00: maybe (B. Kaya)");
    assert_eq!((&now[0].1, &now[1].1), (&vec![shift], &vec![maybe]));
    let parts = now[0].2["parts"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["decision"], "{:?}", now[0].2);
    // A faulty sheet changes nothing.
    write(&world, &[rows[0].clone(), rows[1].replace("m-2", "m-9")]);
    let report = live.bridge.ingest().unwrap().pop().unwrap();
    assert_eq!((report.kept.taken, report.kept.rejected.len()), (0, 1), "{report:?}");
    assert_eq!(told(&compared(&world, &live)), now);
    // The sheet is gone, the program starts anew, and on another machine a backup of it.
    fs::remove_file(world.folder.join("decisions.csv")).unwrap();
    drop(live);
    let live = world.open();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    let derived = truth.live.all();
    assert_eq!(told(&compared(&world, &live)), now);
    let (to, other) = (world.folder.join("backup"), world.folder.join("other"));
    backup(&world.folder.join("state"), &to, "test", world.clock.now()).unwrap();
    drop(live);
    let request = RestoreRequest {
        from: &to,
        state: &other,
        replace: false,
        who: "Ada",
        why: "another machine",
        account: "uid 7",
        random: 7,
    };
    restore(&request, world.clock.now()).unwrap();
    let live = world.open_state(&other);
    assert_eq!(live.bridge.truth(live.bridge.as_of()).unwrap().live.all(), derived);
    assert_eq!(told(&compared(&world, &live))[0].1, now[0].1);
}

#[test]
fn what_is_proposed_lands_in_a_version_until_it_is_confirmed_or_gone() {
    let mut config = with_sheet();
    config["targets"]["ibp"]["decisions"] = json!("proposed");
    let decided = measure("decided", "TWINDECIDED", "decided_hours", "value");
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(decided);
    let refused = config::parse(&config.to_string(), Path::new("/planthread.yaml"), None);
    let refused = refused.unwrap_err();
    assert!(refused.iter().any(|one| one.field == "targets.ibp.decisions"), "{refused:?}");
    config["targets"]["ibp"]["scope"] = json!("TWIN");
    let mut waits = config.clone();
    waits["targets"]["ibp"]["decisions"] = json!("confirmed");
    let world = World::new(&config, Options::default());
    write(&world, &[]);
    let live = world.open();
    world.cycle(&live);
    let today = world.clock.now().to_zoned(TimeZone::UTC).date();
    let week = Period::containing(PeriodKind::Week, today.saturating_add(7.days()));
    let day = |at| week.days().find(|day| day.weekday() == at).unwrap();
    let (saturday, monday) = (day(Weekday::Saturday), day(Weekday::Monday));
    let figure = |line| row(&compared(&world, &live), line, week);
    let before = figure("LINE-1").0.unwrap();
    let shift = |status| {
        format!("m-1,{saturday} 06:00,{saturday} 16:00,overtime,{status},maybe,B. Kaya,\n")
    };
    let closed = format!("m-1,{monday} 06:00,{monday} 08:00,closed,confirmed,audit,A. Meier,\n");
    // Hours by the sheet, at an availability of 0.899.
    for (rows, hours, first) in [
        (vec![shift("proposed")], 10, "proposed: m-1 overtime"),
        (vec![shift("proposed"), closed.clone()], 8, "m-1 closed"),
        (vec![shift("confirmed"), closed.clone()], 8, "m-1 overtime"),
        (vec![closed], -2, "no more: m-1 overtime"),
        (vec![], 0, "no more: m-1 closed"),
    ] {
        write(&world, &rows);
        world.pass(60);
        world.cycle(&live);
        let (is, words, _) = figure("LINE-1");
        let by = Decimal::new(899, 3) * Decimal::from(hours);
        assert!((is.unwrap() - before - by).abs() <= Decimal::new(1, 2), "{hours}: {is:?}");
        let supposed = rows.first().is_some_and(|row| row.contains("proposed"));
        let said = words.iter().any(|words| words.starts_with("proposed, counted here: overtime"));
        assert_eq!(said, supposed, "{words:?}");
        world.assert_landed(&live, "with what is proposed");
        let key = ("LINE-1".to_owned(), "1010".to_owned(), week, "TWINDECIDED".to_owned());
        assert_eq!(world.stored()[&key], Decimal::from(hours), "the grid shows what was decided");
        let cell = parse_cell(&format!("ibp/TWIN/LINE-1@1010/{week}/live")).unwrap();
        let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
        let traced = trace(loaded, &reader, &cell, world.clock.now()).unwrap();
        assert!(traced.reproduced, "{hours}: {:#?}", traced.arithmetic);
        let told = traced.arithmetic.iter().any(|one| one.contains("Proposed for m-1, overtime"));
        assert_eq!(told, supposed, "{:#?}", traced.arithmetic);
        let sheet = traced.last_records.last().unwrap().text.clone();
        assert!(sheet.starts_with(&format!("decisions.csv: {first}")), "{sheet}");
        // What was proposed has gone when it is confirmed.
        let turned = sheet.contains(" · decisions.csv: no more: proposed: m-1 overtime");
        assert_eq!(turned, hours == 8 && !supposed, "{sheet}");
        // What a bridge would land that waits for the confirmation.
        let (_, differ) = replayed(&world, &live, &waits, None).unwrap();
        assert_eq!(!differ.is_empty(), supposed, "{differ:?}");
        let calm = world.cycle(&live).applied;
        assert!(calm.is_none_or(|applied| applied.sent == 0), "sent without news");
    }
}

#[test]
fn where_nothing_is_proposed_a_version_is_traced_from_the_position_of_its_release() {
    let mut config = plan_of(1, 3);
    config["targets"]["ibp"]["scope"] = json!("TWIN");
    config["targets"]["ibp"]["decisions"] = json!("proposed");
    let world = World::new(&config, Options::default());
    let live = world.open();
    let week: Period = "2026-W50".parse().unwrap();
    world.foretell(1, &[(week, Decimal::new(9, 1))]);
    world.cycle(&live);
    let cell = parse_cell("ibp/TWIN/LINE-1@1010/2026-W50/live").unwrap();
    let (loaded, now) = (&live.bridge.loaded, world.clock.now());
    let traced = || trace(loaded, &live.bridge.reader().unwrap(), &cell, now).unwrap();
    let before = traced();
    assert!(before.reproduced && before.recipe_holds, "{:#?}", before.arithmetic);
    // What comes in later in the same hour is no part of what was released.
    world.foretell(1, &[(week, Decimal::new(5, 1))]);
    live.bridge.ingest().unwrap();
    let after = traced();
    assert!(after.reproduced && after.recipe_holds, "{:#?}", after.arithmetic);
    assert_eq!((after.arithmetic, after.made_of), (before.arithmetic, before.made_of));
    assert_ne!(after.today.unwrap().value, before.today.unwrap().value, "it is known today");
}

#[test]
fn what_was_taken_out_of_a_sheet_since_is_named_by_a_digest_and_nothing_else_is() {
    let world = World::new(&with_sheet(), Options::default());
    let today = world.clock.now().to_zoned(TimeZone::UTC).date();
    let week = Period::containing(PeriodKind::Week, today.saturating_add(7.days()));
    let days: Vec<_> = week.days().collect();
    let row = |n: usize, status: &str| {
        let (machine, day) = (["m-1", "m-2"][n % 2], days[n]);
        format!("{machine},{day} 17:00,{day} 19:00,overtime,{status},reason {n},A. Meier,\n")
    };
    // Bits say which rows stand in a sheet; a row that is confirmed later was not dropped.
    let sheets = [0b00011_u32, 0b11010, 0b00000, 0b10101, 0b00001];
    let mut rounds = Vec::new();
    for (nth, sheet) in sheets.into_iter().enumerate() {
        let status = if nth % 2 == 0 { "proposed" } else { "confirmed" };
        let rows: Vec<String> =
            (0..5).filter(|n| sheet >> n & 1 == 1).map(|n| row(n, status)).collect();
        write(&world, &rows);
        world.pass(60);
        assert!(world.cycle(&world.open()).stopped.is_none());
        rounds.push((world.clock.now(), sheet));
        let live = world.open();
        for (since, then) in &rounds {
            let told = digest_since(&world, &live, *since).acts.into_iter();
            let dropped = told.filter(|act| act.kind == PersonsActKind::Dropped);
            let mut named: Vec<String> = dropped.map(|act| act.why).collect();
            named.sort();
            let gone = (0..5).filter(|n| then & !sheet & 1 << n != 0);
            let gone: Vec<String> = gone.map(|n| format!("reason {n}")).collect();
            assert_eq!(named, gone, "from {then:b} to {sheet:b}");
        }
    }
}

/// The tables of the example's README, in hours.
fn tables(text: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let mut found: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        match cells[0].strip_prefix("hours of ") {
            Some(week) => found.push((week.to_owned(), vec![cells])),
            None => found.last_mut().unwrap().1.push(cells),
        }
    }
    found
}

#[test]
fn the_saturday_of_the_example_is_what_its_readme_counts_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/saturday-shift");
    let loaded = config::load(&folder.join("planthread.yaml"), None).unwrap();
    let as_of = loaded.config.plant.as_of.unwrap();
    let (facts, refused) = facts_of_files(&loaded, as_of).unwrap();
    assert_eq!(refused, []);
    let deriver = derive_facts(&loaded, &facts, as_of).unwrap();
    let tables = tables(&fs::read_to_string(folder.join("README.md")).unwrap());
    assert_eq!(tables.len(), 2);
    for (week, rows) in tables {
        let rows: Vec<_> = rows.into_iter().filter(|row| !row[0].starts_with('-')).collect();
        for (column, resource) in (1..).zip(&rows[0][1..]) {
            let told = explain(
                &loaded,
                &deriver,
                resource,
                week.parse().unwrap(),
                Carries::AttainableClockHours,
            );
            let told = told.unwrap();
            let step = |name: &str| {
                told.steps.iter().find(|step| step.name == name).map(|step| step.result)
            };
            let hand = |row: &[String]| row[column].parse::<Decimal>().unwrap();
            let (first, last) = (&rows[1], &rows[rows.len() - 1]);
            assert_eq!(step("regular").unwrap(), hand(first), "{week} {resource}: {told}");
            assert_eq!(step("scheduled").unwrap(), hand(last), "{week} {resource}: {told}");
            let between: Decimal = rows[2..rows.len() - 1].iter().map(|row| hand(row)).sum();
            assert_eq!(hand(first) + between, hand(last), "{week} {resource}");
        }
    }
}

#[test]
fn a_shift_that_is_over_stands_beside_what_happened_in_it() {
    let name = format!("planthread-over-{}", std::process::id());
    let world = std::env::temp_dir().join(name);
    fs::create_dir_all(&world).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/saturday-shift");
    for file in ["planthread.yaml", "decisions.csv", "machine-events.csv"] {
        fs::copy(example.join(file), world.join(file)).unwrap();
    }
    let events = world.join("machine-events.csv");
    let told = "2026-12-05T09:00:00Z,press,failure\n2026-12-05T10:30:00Z,press,restored\n\
                2026-12-07T05:00:00Z,press,restored\n2026-12-07T05:00:00Z,weld,restored\n";
    fs::write(&events, fs::read_to_string(&events).unwrap() + told).unwrap();
    let loaded = config::load(&world.join("planthread.yaml"), None).unwrap();
    let as_of = "2026-12-07T12:00:00Z".parse().unwrap();
    let (facts, refused) = facts_of_files(&loaded, as_of).unwrap();
    assert_eq!(refused, []);
    let view = accuracy(&loaded, &facts, as_of, 2, (Some("LINE-4"), "files")).unwrap();
    let json = serde_json::to_value(&view).unwrap();
    let of = |at: usize, field: &str| json["decided"][at][field].clone();
    // From 06:00 to 14:00 by the plant's clock; the press was down from 10:00 to 11:30.
    assert_eq!((of(0, "resource"), of(0, "worked")), (json!("press"), json!("some")));
    let did = json!({ "worked": "6.5", "standby": "0", "planned": "0", "down": "1.5",
        "unknown": "0" });
    assert_eq!((of(0, "decided"), of(0, "happened")), (json!("8"), did));
    assert_eq!((of(1, "resource"), of(1, "worked")), (json!("weld"), json!("all")));
    assert_eq!((of(2, "resource"), of(2, "worked")), (json!("LINE-4"), json!("see_machines")));
    assert_eq!(json["decided"].as_array().unwrap().len(), 3);
    fs::remove_dir_all(&world).unwrap();
}
