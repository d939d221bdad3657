//! The whole way in one process: real files, real state, the sandbox without
//! sockets, and a clock that costs nothing.

use std::{fs, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use planthread_engine::{journal, ledger, status, verify::Which};
use planthread_kit::{Clock, VirtualClock};
use planthread_mocks::{SharedSimulator, sap_ibp, shared};
use sha2::{Digest as _, Sha256};

use super::{Bridge, OpenTarget, Opener, Transports};
use crate::{config, in_process::InProcess, report::skew::Skew, starter::Starter};

mod significance;

struct World {
    folder: PathBuf,
    clock: VirtualClock,
    simulator: SharedSimulator,
    starter: Starter,
}

impl World {
    fn new(name: &str) -> Self {
        Self::with(name, sap_ibp::Options::default())
    }

    fn with(name: &str, options: sap_ibp::Options) -> Self {
        let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let now: Timestamp = "2026-11-22T22:10:00Z".parse().unwrap();
        let starter = Starter::new(&folder, now);
        starter.write(now, &[(&crate::registry::TARGETS[0], None)]).unwrap();
        let simulator = shared(sap_ibp::SapIbp::new(options));
        Self { folder, clock: VirtualClock::new(now, 1), simulator, starter }
    }

    fn bridge(&self) -> (Bridge, Vec<OpenTarget>) {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let wire = InProcess::new(self.simulator.clone(), Arc::clone(&clock));
        let transports = Transports::from([("ibp".to_owned(), Arc::new(wire) as _)]);
        let opener = Opener::with(Arc::clone(&clock), transports);
        let loaded = config::load(&self.starter.config, None).unwrap();
        let bridge = Bridge::open(loaded, clock, opener).unwrap();
        let targets = bridge.targets(None).unwrap();
        (bridge, targets)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn scope(bridge: &Bridge, now: Timestamp) -> status::ScopeStatus {
    status::status(&bridge.reader().unwrap(), now).unwrap().scopes.remove(0)
}

#[test]
fn law_2_one_cycle_lands_everything_and_the_second_sends_nothing() {
    let world = World::new("cycle");
    let (bridge, targets) = world.bridge();
    let first = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(first.targets[0].stopped.is_none(), "{:?}", first.targets[0].stopped);
    let stands = scope(&bridge, world.clock.now());
    assert!(stands.wanted > 100, "{stands:?}");
    assert_eq!((stands.accepted, stands.seen), (stands.wanted, stands.wanted));
    let second = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(second.targets[0].applied.is_none(), "a second plan after a landing is empty");
    assert_eq!(second.intake.iter().filter(|file| file.unchanged).count(), 3);
}

#[test]
fn a_target_that_is_held_back_lags_by_the_age_of_what_it_holds() {
    let world = World::new("skew");
    let (bridge, targets) = world.bridge();
    let skew = || Skew::of(&bridge.loaded, &bridge.reader().unwrap(), world.clock.now()).unwrap();
    world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let landed = skew();
    let lag = &landed.targets["ibp"];
    assert!(lag.signals > 100 && lag.current == lag.signals, "{lag:?}");
    assert_eq!(landed.differences, []);
    // Truth moves on, and nothing is sent.
    let before = bridge.as_of();
    world.clock.advance(std::time::Duration::from_secs(12 * 3_600));
    let truth = bridge.truth(bridge.as_of()).unwrap();
    let made = bridge.want(&targets[0], &truth).unwrap().wanted.made;
    let held_back = skew();
    let lag = &held_back.targets["ibp"];
    assert!(made > 0 && lag.current < lag.signals, "{made} {lag:?}");
    assert_eq!((lag.behind_seconds, lag.oldest_as_of), (12 * 3_600, Some(before)));
    assert_eq!(held_back.differences.len() as u64, lag.signals - lag.current);
}

#[test]
fn a_measure_that_nobody_promoted_is_named_with_what_is_not_wanted_of_it() {
    let world = World::new("not-promoted");
    let text = fs::read_to_string(&world.starter.config).unwrap();
    let theirs = "owner: { other: ERP load }";
    // Of all values, and then of one: what accompanies them lands with a value.
    let all = text.replace("owner: bridge, role: value", &format!("{theirs}, role: value"));
    fs::write(&world.starter.config, all).unwrap();
    let (bridge, targets) = world.bridge();
    bridge.ingest().unwrap();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    assert_eq!(bridge.want(&targets[0], &truth).unwrap().wanted.made, 0);
    let held = super::NotPromoted::counted(&bridge.loaded, &targets[0], &truth).unwrap();
    assert!(held.len() > 3 && held.iter().all(|one| one.cells.is_some()), "{held:?}");
    drop(bridge);
    fs::write(&world.starter.config, text.replacen("owner: bridge", theirs, 1)).unwrap();
    let (bridge, targets) = world.bridge();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    bridge.want(&targets[0], &truth).unwrap();
    let held = super::NotPromoted::counted(&bridge.loaded, &targets[0], &truth).unwrap();
    assert_eq!(held.len(), 1, "an observed measure is nobody's business: {held:?}");
    assert_eq!((held[0].measure.as_str(), held[0].owner.as_str()), ("live", "ERP load"));
    // As many as of the measure beside it, which has the same level.
    let mut beside = 0;
    let count = |cell: ledger::CellView| {
        assert_ne!(cell.key.measure, "live");
        beside += usize::from(cell.key.measure == "lost");
        Ok(())
    };
    ledger::cells(&bridge.reader().unwrap(), world.clock.now(), count).unwrap();
    assert_eq!(held[0].cells, Some(beside));
    assert!(beside > 50);
    let record = serde_json::json!({ "who": "planner", "why": "trial", "scope": "",
        "measures": ["live"], "until": "2026-12-31T00:00:00Z" });
    let state = &bridge.loaded.config.state;
    let now = world.clock.now();
    super::policy::promote(state, "ibp", &record.to_string(), now).unwrap();
    assert_eq!(super::NotPromoted::counted(&bridge.loaded, &targets[0], &truth).unwrap(), []);
}

#[test]
fn an_undo_that_would_have_ended_pins_nothing() {
    let world = World::new("undo-past");
    let (bridge, targets) = world.bridge();
    let done = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let receipt = done.targets[0].applied.as_ref().unwrap().receipts[0].clone();
    let undo = |until| {
        bridge.undo(planthread_engine::undo::UndoRequest {
            target: "ibp".to_owned(),
            receipt: receipt.clone(),
            who: "planner".to_owned(),
            why: "wrong week".to_owned(),
            until,
            measures: targets[0].config.measures.clone(),
        })
    };
    let now = world.clock.now();
    let failure = undo(now - jiff::SignedDuration::from_hours(24)).unwrap_err();
    assert_eq!(failure.exit, crate::failure::Exit::Usage);
    assert!(failure.cure.contains("--until"), "{failure}");
    let done = undo(now + jiff::SignedDuration::from_hours(24)).unwrap();
    assert!(done.cells + done.left.len() as u64 + done.unchanged > 0, "{done:?}");
    assert_eq!(done.moved, 0, "the refused one moved nothing");
}

#[test]
fn law_18_the_same_journal_configuration_and_instant_give_the_same_plan() {
    let plans: Vec<Vec<u8>> = ["plan-a", "plan-b"]
        .map(|name| {
            let world = World::new(name);
            let (bridge, targets) = world.bridge();
            bridge.ingest().unwrap();
            let truth = bridge.truth(bridge.as_of()).unwrap();
            bridge.want(&targets[0], &truth).unwrap();
            // What the wall clock says meanwhile makes no difference.
            world.clock.advance(std::time::Duration::from_secs(600));
            let mut plan = Vec::new();
            bridge.plan(&targets[0], truth.as_of, None, &mut plan).unwrap();
            plan
        })
        .to_vec();
    assert!(plans[0].len() > 10_000);
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn law_18_what_is_remembered_between_rounds_is_what_would_be_computed_anew() {
    let world = World::new("remembered");
    let (bridge, _) = world.bridge();
    let mut memory = super::Memory::default();
    let mut round = || bridge.round(bridge.as_of(), &mut memory).unwrap();
    let anew = || bridge.truth(bridge.as_of()).unwrap();
    let said = |truth: &super::Truth| format!("{:?} {:?}", truth.live.all(), truth.cut.all());
    let first = round().truth;
    assert_eq!(said(&first), said(&anew()));
    assert!(Arc::ptr_eq(&first, &round().truth), "nothing is new: nothing is derived");
    // News, then an hour, then news again, then the next cut, and an old record.
    let tell = |line: &str| {
        let text = fs::read_to_string(&world.starter.events).unwrap() + line + "\n";
        fs::write(&world.starter.events, text).unwrap();
    };
    let days = |n: u64| world.clock.advance(std::time::Duration::from_secs(n * 86_400));
    let mut before = first;
    for step in 0..5 {
        match step {
            0 => tell("2026-11-22T21:00:00Z,press-a,failure"),
            1 => world.clock.advance(std::time::Duration::from_secs(3_600)),
            2 => tell("2026-11-22T21:30:00Z,press-a,restored"),
            3 => days(40),
            _ => tell("2026-11-20T21:30:00Z,press-a,failure"),
        }
        let now = round().truth;
        assert!(!Arc::ptr_eq(&before, &now), "step {step}");
        assert_eq!(said(&now), said(&anew()), "step {step}");
        before = now;
    }
}

#[test]
fn a_record_that_arrives_after_the_cut_is_news_for_the_next_one() {
    let world = World::new("late");
    let (bridge, targets) = world.bridge();
    world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    world.clock.advance(std::time::Duration::from_secs(25 * 3_600));
    // Somebody finds a stop of October in a drawer.
    let mut text = fs::read_to_string(&world.starter.events).unwrap();
    text.push_str("2026-10-26T08:00:00Z,press-a,failure\n");
    text.push_str("2026-10-28T08:00:00Z,press-a,restored\n");
    fs::write(&world.starter.events, text).unwrap();
    let done = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert_eq!(done.intake.iter().map(|file| file.kept.taken).sum::<usize>(), 2);
    let (mut live, mut cut) = (0, 0);
    ledger::cells(&bridge.reader().unwrap(), world.clock.now(), &mut |cell: ledger::CellView| {
        if cell.key.resource == "LINE-1" && cell.revision > 1 {
            live += u32::from(cell.key.measure == "live");
            cut += u32::from(cell.key.measure == "plan_cut");
        }
        Ok(())
    })
    .unwrap();
    assert!(live > 5, "the live figure follows at once: {live}");
    assert_eq!(cut, 0, "the cut is firm until the next");
}

#[test]
fn law_13_a_bad_row_is_kept_with_its_reason_and_the_good_ones_go_on() {
    let world = World::new("bad-row");
    let text = fs::read_to_string(&world.starter.events).unwrap();
    let bad = "2026-11-22T20:00:00Z,press-z,failure\nnot-a-time,press-a,failure\n";
    let future = "2026-11-23T09:00:00Z,press-a,failure\n";
    fs::write(&world.starter.events, format!("{text}{bad}{future}")).unwrap();
    let (bridge, _) = world.bridge();
    let files = bridge.ingest().unwrap();
    let kept = &files[0].kept;
    assert_eq!(kept.taken, text.lines().count() - 1);
    assert_eq!(kept.quarantined.len(), 1, "{:?}", kept.quarantined);
    let fields: Vec<&str> = kept.rejected.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["machine", "time"]);
    assert_eq!(kept.rejected[0].line, text.lines().count() as u64 + 1);
    let counts = journal::counts(&bridge.reader().unwrap()).unwrap();
    assert_eq!((counts.rejected, counts.quarantined), (2, 1));
}

#[test]
fn a_growing_file_is_read_on_and_a_half_written_row_waits() {
    let world = World::new("growing");
    let (bridge, _) = world.bridge();
    bridge.ingest().unwrap();
    let half = "2026-11-22T21:00:00Z,press-a,fail";
    let mut text = fs::read_to_string(&world.starter.events).unwrap();
    text.push_str(half);
    fs::write(&world.starter.events, &text).unwrap();
    assert!(bridge.ingest().unwrap()[0].unchanged, "half a row is no row");
    fs::write(&world.starter.events, format!("{text}ure\n")).unwrap();
    let files = bridge.ingest().unwrap();
    assert_eq!((files[0].kept.taken, files[0].kept.duplicates), (1, 0));
}

#[test]
fn an_outage_ends_with_the_last_value_of_each_cell_and_nothing_twice() {
    let world = World::new("outage");
    let (bridge, targets) = world.bridge();
    // Three days in which nobody delivers, but truth goes on.
    let mut from = world.clock.now();
    for _ in 0..3 {
        world.clock.advance(std::time::Duration::from_secs(24 * 3_600));
        let now = world.clock.now();
        let story = world.starter.story(from, now);
        for (file, csv) in [
            (&world.starter.events, crate::demo::plant::events_csv(&story)),
            (&world.starter.counts, crate::demo::plant::counts_csv(&story)),
        ] {
            let rows = csv.split_once('\n').unwrap().1.to_owned();
            fs::write(file, fs::read_to_string(file).unwrap() + &rows).unwrap();
        }
        from = now;
        bridge.ingest().unwrap();
        let truth = bridge.truth(bridge.as_of()).unwrap();
        bridge.want(&targets[0], &truth).unwrap();
    }
    let cycle = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let applied = cycle.targets[0].applied.as_ref().unwrap();
    let stands = scope(&bridge, world.clock.now());
    assert_eq!(applied.sent, stands.wanted, "exactly one write for each cell");
    assert_eq!(stands.seen, stands.wanted);
    assert!(stands.states["superseded"] > 0, "{:?}", stands.states);
}

#[test]
fn a_nightly_load_over_many_cells_is_one_question_and_no_lock() {
    let spoils = sap_ibp::Switches::default().with(sap_ibp::Switch::NightlyOverwritesBridge, true);
    let options = sap_ibp::Options { switches: spoils, ..sap_ibp::Options::default() };
    let world = World::with("nightly", options);
    let (bridge, targets) = world.bridge();
    world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    world.clock.advance(std::time::Duration::from_secs(3_600));
    let request = http::Request::post("/planner/nightly")
        .header("content-type", "application/json")
        .body(bytes::Bytes::from_static(b"{}"))
        .unwrap();
    let answer = planthread_mocks::mount::handle(&world.simulator, world.clock.now(), &request);
    assert!(answer.response.status().is_success(), "{:?}", answer.response);
    let report = world.clock.block_on(bridge.verify(&targets[0], Which::All)).unwrap();
    assert_eq!((report.persons, report.lost), (0, 0));
    assert_eq!(report.cases.len(), 1, "{:?}", report.cases);
    assert!(report.cases.values().sum::<u64>() > 200, "{:?}", report.cases);
    let reader = bridge.reader().unwrap();
    assert!(ledger::locks(&reader, world.clock.now()).unwrap().is_empty());
}

#[test]
fn law_13_a_corrected_source_brings_its_rejected_rows_back() {
    let world = World::new("retry");
    let text = fs::read_to_string(&world.starter.events).unwrap();
    let stranger = "2026-11-22T20:00:00Z,press-z,failure\n";
    fs::write(&world.starter.events, format!("{text}{stranger}")).unwrap();
    let (bridge, _) = world.bridge();
    bridge.ingest().unwrap();
    assert_eq!(bridge.retry().unwrap().still, 1, "nothing was put right yet");
    drop(bridge);
    let config = fs::read_to_string(&world.starter.config).unwrap();
    let mapped = config.replacen(
        "          events:\n",
        "          machines: { press-z: press-a }\n          events:\n",
        1,
    );
    assert_ne!(mapped, config);
    fs::write(&world.starter.config, mapped).unwrap();
    let (bridge, _) = world.bridge();
    let retried = bridge.retry().unwrap();
    assert_eq!((retried.taken, retried.cured, retried.still), (1, 1, 0), "{retried:?}");
}

#[test]
fn law_13_a_row_that_is_refused_for_another_reason_is_one_refusal_with_the_newer_one() {
    let world = World::new("otherwise");
    let text = fs::read_to_string(&world.starter.events).unwrap();
    let twice_wrong = "2026-11-22T20:00:00Z,press-z,exploded\n";
    fs::write(&world.starter.events, format!("{text}{twice_wrong}")).unwrap();
    let (bridge, _) = world.bridge();
    let fields = |bridge: &Bridge| -> Vec<String> {
        let all = journal::rejected(&bridge.reader().unwrap()).unwrap();
        all.into_iter().map(|entry| entry.record.field).collect()
    };
    bridge.ingest().unwrap();
    let first = fields(&bridge);
    assert_eq!(first.len(), 1);
    drop(bridge);
    let config = fs::read_to_string(&world.starter.config).unwrap();
    let mapped = "          machines: { press-z: press-a }\n          events:\n";
    let one_right = config.replacen("          events:\n", mapped, 1);
    fs::write(&world.starter.config, &one_right).unwrap();
    let (bridge, _) = world.bridge();
    let retried = bridge.retry().unwrap();
    assert_eq!((retried.cured, retried.still), (0, 1), "{retried:?}");
    let second = fields(&bridge);
    assert!(second.len() == 1 && second != first, "{first:?} {second:?}");
}

#[test]
fn law_13_a_refused_row_stays_when_its_file_is_turned_over_and_comes_in_from_its_own_bytes() {
    let world = World::new("turned-over");
    let text = fs::read_to_string(&world.starter.events).unwrap();
    let header = text.lines().next().unwrap();
    let stranger = "2026-11-22T20:00:00Z,press-z,failure";
    fs::write(&world.starter.events, format!("{header}\n{stranger}\n")).unwrap();
    let (bridge, _) = world.bridge();
    bridge.ingest().unwrap();
    // The next day's file has another row on that line.
    let next = "2026-11-22T21:00:00Z,press-a,failure";
    fs::write(&world.starter.events, format!("{header}\n{next}\n")).unwrap();
    let retried = bridge.retry().unwrap();
    assert_eq!((retried.taken, retried.cured, retried.still), (1, 0, 1), "{retried:?}");
    fs::remove_file(&world.starter.events).unwrap();
    let retried = bridge.retry().unwrap();
    assert_eq!((retried.cured, retried.still, retried.stopped.len()), (0, 1, 1), "{retried:?}");
    let kept = journal::rejected(&bridge.reader().unwrap()).unwrap();
    assert_eq!(kept[0].record.body, stranger.as_bytes());
    drop(bridge);
    let config = fs::read_to_string(&world.starter.config).unwrap();
    let mapped = "          machines: { press-z: press-a }\n          events:\n";
    fs::write(&world.starter.config, config.replacen("          events:\n", mapped, 1)).unwrap();
    let (bridge, _) = world.bridge();
    let retried = bridge.retry().unwrap();
    assert_eq!((retried.taken, retried.cured, retried.still), (1, 1, 0), "{retried:?}");
}

#[test]
fn law_13_a_row_and_a_header_that_are_corrected_in_their_file_leave_the_list() {
    let world = World::new("corrected");
    let text = fs::read_to_string(&world.starter.events).unwrap();
    let (header, _) = text.split_once('\n').unwrap();
    let (bridge, _) = world.bridge();
    for (wrong, right) in [
        ("2026-11-22T20:00:00Z,press-z,failure", "2026-11-22T20:00:00Z,press-a,failure"),
        ("2026-11-22T20:00:00Z,\"press-b,failure", "2026-11-22T20:00:00Z,press-b,failure"),
    ] {
        fs::write(&world.starter.events, format!("{header}\n{wrong}\n")).unwrap();
        assert_eq!(bridge.ingest().unwrap()[0].kept.rejected.len(), 1);
        fs::write(&world.starter.events, format!("{header}\n{right}\n")).unwrap();
        let retried = bridge.retry().unwrap();
        assert_eq!((retried.taken, retried.cured, retried.still), (1, 1, 0), "{wrong}");
    }
    fs::write(&world.starter.events, format!("x{header}\n")).unwrap();
    bridge.ingest().unwrap();
    assert_eq!(bridge.retry().unwrap().still, 1);
    fs::write(&world.starter.events, format!("{header}\n")).unwrap();
    assert_eq!(bridge.retry().unwrap().still, 0);
}

#[test]
fn a_line_that_an_older_program_took_half_is_taken_whole() {
    let world = World::new("half-taken");
    let (bridge, _) = world.bridge();
    let half = "2026-11-22T21:00:00Z,press-a,fail";
    let text = fs::read_to_string(&world.starter.events).unwrap() + half;
    fs::write(&world.starter.events, format!("{text}ure\n")).unwrap();
    let sha256 = planthread_domain::decode::fact::hex(&Sha256::digest(&text));
    let mark = format!(r#"{{"bytes":{},"lines":{},"sha256":"{sha256}"}}"#, text.len(), 9_999);
    let source = &bridge.loaded.config.plant.sources[0];
    let key = format!("file:{}:{}", source.name, source.files[0]);
    let append = journal::Append { checkpoint: Some((key, mark)), ..journal::Append::default() };
    journal::append(&bridge.state, append, world.clock.now()).unwrap();
    assert_eq!(bridge.ingest().unwrap()[0].kept.taken, 1);
}

#[test]
fn a_source_that_is_away_for_a_moment_stops_nobody_else() {
    let world = World::new("rotation");
    let (bridge, targets) = world.bridge();
    let aside = world.starter.events.with_extension("aside");
    fs::rename(&world.starter.events, &aside).unwrap();
    let cycle = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let stopped = cycle.intake[0].stopped.as_ref().unwrap();
    assert!(stopped.message.contains("can't read"), "{stopped}");
    assert!(cycle.intake[1].kept.taken > 0 && cycle.targets[0].stopped.is_none());
    // Something was sent: that is not how a wrong configuration ends.
    assert_eq!(crate::report::View::exit(&cycle).code(), 1);
    fs::rename(&aside, &world.starter.events).unwrap();
    let cycle = world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(cycle.intake[0].stopped.is_none() && cycle.intake[0].kept.taken > 0);
}
