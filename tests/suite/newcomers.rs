//! Faults of people who begin that show only at work: each names its place, says
//! what is wrong, and what to do. Those of the configuration alone stand beside its
//! parser.

use std::{fs, time::Duration};

use planthread::{
    pipeline::{parse_cell, trace},
    registry::TARGETS,
};
use planthread_contracts::{Period, PeriodKind};
use planthread_domain::project;
use planthread_engine::ledger;
use planthread_kit::Clock as _;
use planthread_mocks::Setup;
use serde_json::json;

use crate::site::Site;

#[test]
fn a_missing_secret_file_names_field_and_file_and_says_what_to_put_there() {
    for registered in TARGETS {
        let site = Site::new(registered, None);
        fs::remove_dir_all(site.folder.join("secrets")).unwrap();
        let bridge = site.bridge();
        let Err(failure) = bridge.targets(None) else { continue };
        let named = ["targets.", ".settings.", "secrets/", "no such file"];
        assert!(named.iter().all(|part| failure.message.contains(part)), "{failure}");
        assert!(failure.cure.contains("put the secret into that file"), "{failure}");
        assert!(!failure.message.contains(';'), "the cure has its own line: {failure}");
    }
    // The first one logs in with a password from a file.
    let site = Site::new(&TARGETS[0], None);
    fs::remove_dir_all(site.folder.join("secrets")).unwrap();
    assert!(site.bridge().targets(None).is_err());
}

#[test]
fn an_empty_instance_gets_our_models_then_its_twins_and_lands() {
    let twins = TARGETS.iter().find(|one| one.target.name == "azure-digital-twins").unwrap();
    let empty = vec![("seed-demo".to_owned(), "no".to_owned())];
    let site = Site::with(twins, Setup { options: empty, ..Setup::default() }, |inner| inner);
    let loaded = site.loaded();
    let opener = site.opener(&loaded);
    let provided = || site.clock.block_on(opener.provide(&loaded, None)).unwrap();
    let first = provided();
    assert!(first.len() > 2 && first.iter().all(|one| one.created && !one.differs), "{first:?}");
    assert!(provided().iter().all(|one| !one.created && !one.differs), "they are there now");
    let bridge = site.bridge();
    let targets = bridge.targets(None).unwrap();
    let cycle = || {
        let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        let applied = done.targets[0].applied.clone().unwrap();
        site.clock.advance(Duration::from_secs(3_600));
        applied
    };
    let missing = cycle();
    assert!(missing.rejected > 0 && missing.accepted == 0, "no twin is there: {missing:?}");
    for round in 2..5 {
        let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        let plan = &done.targets[0].plan.as_ref().unwrap().header.counts;
        let held = plan.held["rejected_not_cured"];
        assert_eq!((plan.cells, held), (0, missing.rejected), "round {round}, past months too");
    }
    for row in &targets[0].config.mapping.rows {
        let twin = json!({ "$metadata": { "$model": "dtmi:planthread:isa95:WorkCenter;1" },
            "location": row.location, "capacity": { "$metadata": {} } });
        let path = format!("/digitaltwins/{}?api-version=2023-10-31", row.resource);
        let request = http::Request::put(path)
            .header("authorization", "Bearer planthread")
            .body(bytes::Bytes::from(twin.to_string()))
            .unwrap();
        assert_eq!(site.send(&request).response.status(), 200);
    }
    bridge.retry().unwrap();
    let landed = cycle();
    assert_eq!((landed.accepted, landed.rejected), (missing.rejected, 0), "{landed:?}");
}

#[test]
fn a_period_of_another_kind_than_the_stored_one_is_named_with_those_that_are_stored() {
    let site = Site::new(&TARGETS[0], None);
    let file = site.folder.join("planthread.yaml");
    let weeks = fs::read_to_string(&file).unwrap();
    assert!(weeks.contains("level: week,"));
    fs::write(&file, weeks.replace("level: week,", "level: technical_week,")).unwrap();
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    let targets = bridge.targets(None).unwrap();
    bridge.want(&targets[0], &truth).unwrap();
    let (reader, now) = (bridge.reader().unwrap(), site.clock.now());
    let mut cell = None;
    ledger::cells(&reader, now, |one| {
        cell.get_or_insert(one.key);
        Ok(())
    })
    .unwrap();
    let stored = cell.unwrap();
    assert_eq!(stored.period.kind(), PeriodKind::TechnicalWeek);
    let month = Period::containing(PeriodKind::Month, stored.period.start());
    let asked =
        parse_cell(&stored.to_string().replace(&stored.period.to_string(), &month.to_string()));
    let failure = trace(&bridge.loaded, &reader, &asked.unwrap(), now).unwrap_err();
    assert!(failure.message.contains("by technical week, and not by month"), "{failure}");
    assert!(failure.message.contains(&month.to_string()), "{failure}");
    assert!(failure.cure.contains(&stored.period.to_string()), "{failure}");
}

#[test]
fn every_target_lists_what_can_be_mapped_and_proposes_rows() {
    for registered in TARGETS {
        let site = Site::new(registered, None);
        let file = site.folder.join("planthread.yaml");
        // A plant that calls its machine nearly as the planners do.
        let text = fs::read_to_string(&file).unwrap().replace("paint", "line_04");
        fs::write(&file, text).unwrap();
        let bridge = site.bridge();
        let (plant, target) = (&bridge.loaded.config.plant, &bridge.targets(None).unwrap()[0]);
        let name = registered.target.name;
        let found = site.clock.block_on(target.connector.discover()).unwrap();
        let mut mapping = target.config.mapping.clone();
        let covered = project::coverage(plant, &mapping, &found.resources);
        assert_eq!((covered.mapped.len(), covered.unknown_targets.len()), (4, 0), "{name}");
        let last = mapping.rows.pop().unwrap();
        let proposed = project::suggest(plant, &mapping, &found.resources, &found.descriptions);
        let [one] = &proposed[..] else { panic!("{name}: {proposed:?}") };
        let row = (one.source.as_str(), one.resource.as_str(), one.location.as_str());
        assert_eq!(row, ("line_04", last.resource.as_str(), last.location.as_str()), "{name}");
        mapping.rows[0].resource = "LINE-99".to_owned();
        let covered = project::coverage(plant, &mapping, &found.resources);
        let unknown = [("LINE-99".to_owned(), "1010".to_owned())];
        assert_eq!(covered.unknown_targets, unknown, "{name}: {covered:?}");
        assert!(covered.unmapped_sources.contains(&"line_04".to_owned()), "{name}: {covered:?}");
    }
}
