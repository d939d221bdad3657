//! One way: whichever verb a plan comes from, the same steps are walked.

use std::fs;

use http::Method;
use planthread::{
    failure::Exit,
    pipeline::{Course, plan_header},
};
use planthread_engine::verify::Which;
use planthread_mocks::sap_ibp::Options;
use serde_json::json;

use crate::{plant::plan_of, world::World};

fn with_a_pack() -> serde_json::Value {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["pack"] = json!({ "folder": "pack" });
    config
}

#[test]
fn a_plan_from_a_file_and_a_plan_of_now_leave_the_same_behind() {
    for from_file in [false, true] {
        let world = World::new(&with_a_pack(), Options::default());
        let live = world.open();
        live.bridge.ingest().unwrap();
        let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
        let walk = |course| world.clock.block_on(live.bridge.walk(&live.target, course));
        let file = world.folder.join("plan.ndjson");
        let done = if from_file {
            let planned = walk(Course::Plan { truth: &truth, file: Some(&file) });
            assert!(planned.first.len() > 5 && planned.applied.is_none(), "{planned:?}");
            assert!(planned.pack.is_none() && planned.stopped.is_none(), "{planned:?}");
            assert_eq!(world.wire().count(0, &Method::POST), 0, "a plan costs reads");
            let as_of = plan_header(&file).unwrap().as_of;
            assert_eq!(as_of, truth.as_of);
            walk(Course::Given { file: &file, as_of, only_unmoved: false })
        } else {
            let read_back = Which::Unproven;
            walk(Course::Land { truth: &truth, only_unmoved: false, read_back })
        };
        assert!(done.stopped.is_none(), "{:?}", done.stopped);
        assert_eq!(done.applied.unwrap().accepted, 36);
        assert_eq!(done.verified.unwrap().landed, 36);
        assert_eq!(done.policy_holds.unwrap().pending, 0);
        assert_eq!(done.pack.unwrap().cells, 36, "from a file: {from_file}");
        assert!(world.folder.join("pack/ibp/current/manifest.json").exists());
        world.assert_landed(&live, "applied");
    }
}

#[test]
fn in_a_quiet_window_wanted_moves_on_and_nobody_is_asked() {
    let mut config = with_a_pack();
    config["targets"]["ibp"]["quota"] = json!({ "blackouts":
        [{ "from": "06:00", "to": "06:30", "zone": "Etc/UTC" }] });
    let world = World::new(&config, Options::default());
    let live = world.open();
    live.bridge.ingest().unwrap();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    let file = world.folder.join("plan.ndjson");
    let read_back = Which::All;
    for course in [
        Course::Plan { truth: &truth, file: Some(&file) },
        Course::Given { file: &file, as_of: truth.as_of, only_unmoved: false },
        Course::Land { truth: &truth, only_unmoved: true, read_back },
        Course::Verify { read_back },
    ] {
        let done = world.clock.block_on(live.bridge.walk(&live.target, course));
        let stopped = done.stopped.unwrap();
        assert_eq!(stopped.exit, Exit::Held, "{stopped}");
        assert!(done.applied.is_none() && done.verified.is_none());
        let lands = matches!(course, Course::Land { .. });
        assert_eq!(done.pack.is_some(), lands, "the way by hand asks nobody, {course:?}");
        let plans = matches!(course, Course::Plan { .. });
        assert_eq!(done.plan.is_some(), plans, "a plan is made of what is known");
        let sends = matches!(course, Course::Given { .. } | Course::Land { .. });
        let held = done.policy_holds.map(|screened| screened.held);
        assert_eq!(held.is_some_and(|held| held["blackout"] == 36), sends, "{course:?}");
    }
    assert_eq!(world.mark(), 0, "nobody was asked");
    assert_eq!(live.status().wanted, 36);
}

#[test]
fn what_is_no_plan_is_refused_by_name() {
    let world = World::small();
    let file = world.folder.join("twin.ndjson");
    fs::write(&file, "{\"id\": 1}\n").unwrap();
    let refused = plan_header(&file).unwrap_err();
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.cure.contains("planthread plan TARGET -o FILE"), "{refused}");
    let missing = plan_header(&world.folder.join("nowhere")).unwrap_err();
    assert!(missing.message.contains("nowhere"), "{missing}");
}
