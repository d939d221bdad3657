//! Collect and deliver apart over a folder: the same plan as in one process.

use std::fs;

use planthread_contracts::Period;
use planthread_engine::journal::{self, SealLimits};
use planthread_kit::Clock as _;
use rust_decimal::Decimal;

use crate::world::World;

fn speak(world: &World) {
    let week: Period = "2026-W50".parse().unwrap();
    for machine in 1..=3 {
        world.foretell(machine, &[(week, Decimal::new(i64::from(70 + machine), 2))]);
    }
}

#[test]
fn collect_and_deliver_apart_over_a_folder_plan_the_same_as_one_process() {
    let world = World::small();
    speak(&world);
    let one = world.open_state(&world.folder.join("one"));
    one.bridge.ingest().unwrap();

    // The plant side: it takes records in and seals them; it has no target.
    let folder = world.folder.join("between");
    let plant = world.open_state(&world.folder.join("plant"));
    plant.bridge.ingest().unwrap();
    let limits = SealLimits { records: 2, ..SealLimits::default() };
    let sealed = journal::seal(&plant.bridge.state, &folder, "suite", limits, None).unwrap();
    assert_eq!(sealed.iter().map(|one| one.records).collect::<Vec<_>>(), [2, 1]);

    // The planning side never saw the files of the plant.
    fs::remove_file(world.folder.join("twin.ndjson")).unwrap();
    let apart = world.open_state(&world.folder.join("apart"));
    let now = world.clock.now();
    let admitted = journal::admit(&apart.bridge.state, &folder, None, now).unwrap();
    assert_eq!((admitted.segments, admitted.records), (vec![1, 2], 3));
    let mut plans = Vec::new();
    for live in [&one, &apart] {
        let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
        live.bridge.want(&live.target, &truth).unwrap();
        plans.push(live.plan());
    }
    assert!(plans[0].len() > 1_000);
    assert_eq!(plans[0], plans[1]);

    // It lands from there, and a second delivery of the same folder is nothing.
    world.clock.block_on(async {
        let mut plan = std::io::Cursor::new(plans.remove(1));
        let applied = apart.bridge.apply(&apart.target, &mut plan, false).await.unwrap();
        assert_eq!(applied.accepted, 36);
    });
    let again = journal::admit(&apart.bridge.state, &folder, None, now).unwrap();
    assert_eq!((again.segments.len(), again.records), (0, 0));
    assert!(world.wire().heard.iter().any(|heard| heard.rows > 0));
}

#[test]
fn a_segment_that_was_changed_on_its_way_is_refused_and_named() {
    let world = World::small();
    speak(&world);
    let plant = world.open_state(&world.folder.join("plant"));
    plant.bridge.ingest().unwrap();
    let folder = world.folder.join("between");
    let sealed =
        journal::seal(&plant.bridge.state, &folder, "suite", SealLimits::default(), None).unwrap();
    let file = folder.join(&sealed[0].file);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("0.71", "0.91", 1)).unwrap();
    let apart = world.open_state(&world.folder.join("apart"));
    let error = journal::admit(&apart.bridge.state, &folder, None, world.clock.now()).unwrap_err();
    assert!(error.to_string().contains(&sealed[0].file), "{error}");
    assert_eq!(journal::counts(&apart.bridge.reader().unwrap()).unwrap().records, 0);
}
