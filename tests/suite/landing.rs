//! A 2xx is not a landing, and a landing costs what it must and no more.

use std::{collections::BTreeSet, fs, io::Cursor};

use http::Method;
use planthread::pipeline;
use planthread_contracts::{PeriodKind, RevisionState};
use planthread_engine::{ledger, plan::plausible::Fault, status, verify::Which};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use serde_json::json;

use crate::{
    proportion,
    world::{World, plan_of},
};

#[test]
fn law_2_a_row_accepted_with_201_and_dropped_is_found_by_verify_and_named() {
    let world = World::small();
    let live = world.open();
    // The row's first day, as the connector writes it.
    world.wire().forget = Some(("LINE-2".to_owned(), "2026-12-07".to_owned()));
    let applied = world.cycle(&live).applied.unwrap();
    assert_eq!(
        (applied.accepted, applied.sent, applied.rejected),
        (36, 36, 0),
        "the target said yes"
    );
    assert_eq!(world.stored().len(), 34, "and kept 17 of 18 rows");
    assert_eq!(live.status().accepted, 36);
    assert_eq!(live.status().seen, 34, "only what was read back counts");

    world.pass(20);
    let report = world.clock.block_on(live.bridge.verify(&live.target, Which::Unproven)).unwrap();
    assert_eq!((report.dropped, report.lost), (2, 2), "{report:?}");
    let named: Vec<String> = report.lost_cells.iter().map(|lost| lost.key.to_string()).collect();
    assert_eq!(
        named,
        ["ibp/base/LINE-2@1020/2026-W50/live", "ibp/base/LINE-2@1020/2026-W50/status"]
    );
    assert!(
        report.lost_cells.iter().all(|lost| lost.accepted && lost.receipt == applied.receipts[0])
    );
    let cases = ledger::cases(&live.bridge.reader().unwrap()).unwrap();
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert!(cases[0].example.contains("LINE-2@1020/2026-W50"), "{cases:?}");

    world.wire().forget = None;
    let again = world.cycle(&live).applied.unwrap();
    assert_eq!((again.sent, again.accepted), (2, 2), "only what is not there is sent again");
    world.assert_landed(&live, "after the repair");
}

#[test]
fn law_13_rows_refused_only_in_messages_are_named_with_reason_and_the_others_land() {
    let mut config = plan_of(3, 5);
    // No such resource in the target's master data: 201, and a message.
    config["targets"]["ibp"]["mapping"]["rows"][2]["resource"] = json!("LINE-77");
    let world = World::new(&config, Options::default());
    let live = world.open();
    let done = world.cycle(&live);
    let applied = done.applied.unwrap();
    // The target names what it refused; what it does not name is not proven yet.
    let counts = (applied.sent, applied.accepted, applied.rejected, applied.unproven);
    assert_eq!(counts, (36, 0, 12, 24), "{applied:?}");
    let rejects = status::rejects(&live.bridge.reader().unwrap()).unwrap();
    assert_eq!(rejects.len(), 12);
    for reject in &rejects {
        assert_eq!(reject.key.resource, "LINE-77");
        assert!(reject.reason.contains("LINE-77"), "{}", reject.reason);
        assert!(!reject.cure.is_empty() && !reject.owner.is_empty());
    }
    assert_eq!(world.stored().len(), 24);
    assert_eq!(live.status().seen, 24);
    live.assert_conserved("with rejects");
    // A refused row waits for its cure: it is not sent again and again.
    let mark = world.mark();
    assert!(world.cycle(&live).applied.is_none());
    assert_eq!(world.wire().count(mark, &Method::POST), 0);
}

#[test]
fn one_transaction_has_one_list_of_columns_and_the_plan_knew_how_many_there_are() {
    let world = World::small();
    let live = world.open();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    live.bridge.want(&live.target, &truth).unwrap();
    world.clock.block_on(live.bridge.verify(&live.target, Which::Unread)).unwrap();
    // A person keeps the status of every second row: it stays behind, and the
    // rest of its row goes with other columns.
    for (at, cell) in live.cells().into_iter().enumerate() {
        if cell.key.measure == "status" && at % 4 == 1 {
            let lock = ledger::Lock {
                key: cell.key,
                kind: ledger::LockKind::Send,
                owner: "planner".to_owned(),
                reason: "decided".to_owned(),
                since: world.clock.now(),
                until: world.clock.now() + jiff::SignedDuration::from_hours(24),
            };
            ledger::lock(&live.bridge.state, lock).unwrap();
        }
    }
    let mut plan = Cursor::new(Vec::new());
    let summary = live.bridge.plan(&live.target, truth.as_of, None, plan.get_mut()).unwrap();
    let (mark, predicted) = (world.mark(), summary.header.prediction);
    let applied = world.clock.block_on(live.bridge.apply(&live.target, &mut plan, false)).unwrap();
    assert_eq!((applied.sent, applied.accepted), (27, 27), "18 rows, 9 of them without a status");
    let wire = world.wire();
    let staged: BTreeSet<_> = wire.heard[mark..].iter().filter_map(|h| h.columns.clone()).collect();
    let lists: BTreeSet<_> = staged.iter().map(|(_, columns)| columns).collect();
    let transactions: BTreeSet<_> = staged.iter().map(|(id, _)| id).collect();
    assert_eq!((lists.len(), transactions.len(), staged.len()), (2, 2, 2), "{staged:?}");
    assert_eq!(predicted.batches, 2);
    assert_eq!(predicted.requests as usize, wire.heard.len() - mark, "{:?}", &wire.heard[mark..]);
}

#[test]
fn a_landing_shows_at_which_level_a_key_figure_is_stored() {
    // Hours are declared by week: stored so, stored by day, by technical week.
    for (storage, ok, proven, says) in [
        (PeriodKind::Week, true, true, "nothing finer"),
        (PeriodKind::Day, false, true, "values by day: it is stored finer"),
        (PeriodKind::TechnicalWeek, false, true, "values by technical week: it is stored finer"),
    ] {
        let options = Options { storage, ..Options::default() };
        let world = World::new(&plan_of(3, 9), options);
        let live = world.open();
        let level = || {
            let found = world.clock.block_on(live.target.connector.discover()).unwrap();
            let line = found.findings.into_iter().find(|f| f.line == "measure.live.level");
            line.unwrap()
        };
        let before = level();
        assert!(before.ok && !before.proven && before.text.contains("land once"), "{before:?}");
        world.cycle(&live);
        let line = level();
        assert_eq!((line.ok, line.proven), (ok, proven), "{storage:?}: {line:?}");
        assert!(line.text.contains(says), "{storage:?}: {line:?}");
    }
}

#[test]
fn law_12_a_permanent_refusal_while_staging_frees_its_cells_and_is_sent_once_a_cycle() {
    let mut config = plan_of(3, 5);
    // Calculated: a write is answered 500 `invalid column name`.
    config["targets"]["ibp"]["measures"][0]["surface"] = json!("UTILIZATIONPCT");
    let world = World::new(&config, Options::default());
    let live = world.open();
    // It holds numbers of its own: somebody answers for writing over them.
    let record = json!({ "who": "A. Planner", "why": "trial", "scope": "",
        "measures": { "live": "UTILIZATIONPCT" } });
    let state = &live.bridge.loaded.config.state;
    pipeline::adopt(state, "ibp", &record.to_string(), world.clock.now()).unwrap();
    // Hours where percent stand are another question, and somebody answers that.
    assert!(world.cycle(&live).policy_holds.unwrap().held.contains_key("implausible"));
    proportion::answer(&world, &live, "live", Fault::Unit);
    let done = world.cycle(&live);
    let stopped = done.stopped.unwrap().to_string();
    assert!(stopped.contains("UTILIZATIONPCT"), "{stopped}");
    assert_eq!(world.wire().count(0, &Method::POST), 1, "one POST, and no commit");
    let status = live.status();
    let pending = status.states.get("pending").copied().unwrap_or_default();
    assert_eq!((status.open_attempts, pending), (0, status.wanted), "{status:?}");
    live.assert_conserved("after a refusal");
    let mark = world.mark();
    world.cycle(&live);
    assert_eq!(world.wire().count(mark, &Method::POST), 1, "only because somebody asked again");
    assert!(world.stored().is_empty());
}

#[test]
fn a_second_plan_after_a_landing_is_empty_and_costs_only_reads() {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    world.assert_landed(&live, "first");
    assert_eq!(world.wire().count(0, &Method::POST), 2, "one staging and one commit");

    // What `planthread plan` does: derive, want, read what was never read, plan.
    let mark = world.mark();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    let want = live.bridge.want(&live.target, &truth).unwrap();
    assert_eq!((want.wanted.made, want.wanted.unchanged), (0, 36));
    world.clock.block_on(live.bridge.verify(&live.target, Which::Unread)).unwrap();
    let summary = live.bridge.plan(&live.target, truth.as_of, None, &mut Vec::new()).unwrap();
    let counts = &summary.header.counts;
    assert_eq!((counts.cells, counts.carried, counts.groups), (0, 0, 0), "{counts:?}");
    assert!(counts.held.is_empty(), "{counts:?}");
    assert_eq!(summary.header.prediction.requests, 0);
    assert_eq!(world.mark() - mark, 0, "everything was read a moment ago");

    // A day later what was seen has expired: it is read again, never written.
    world.pass(25 * 60);
    let second = world.cycle(&live);
    assert!(second.applied.is_none(), "{:?}", second.applied);
    assert!(second.verified.unwrap().read > 0);
    let wire = world.wire();
    let requests = wire.heard.len() - mark;
    assert!(requests > 0);
    assert_eq!(wire.count(mark, &Method::GET), requests, "reads only: {:?}", &wire.heard[mark..]);
}

#[test]
fn law_11_what_stands_at_the_target_is_what_was_planned_digit_by_digit() {
    let mut config = plan_of(3, 5);
    // A third of a third: no exact decimal.
    for resource in config["plant"]["resources"].as_array_mut().unwrap() {
        resource["standard_availability"] = json!("0.7777777777");
    }
    config["targets"]["ibp"]["pack"] = json!({ "folder": "pack" });
    let world = World::new(&config, Options::default());
    let live = world.open();
    assert_eq!(world.cycle(&live).pack.unwrap().cells, 36);
    world.assert_landed(&live, "odd numbers");
    let cells = live.cells();
    let odd: Vec<_> = cells.iter().filter(|cell| cell.value != cell.unrounded).collect();
    assert!(odd.len() >= 15, "{} of {} were rounded", odd.len(), cells.len());
    assert!(cells.iter().all(|cell| cell.value.scale() <= 2 && cell.state == RevisionState::Seen));

    // The pack carries the same digits.
    let folder = world.folder.join("pack/ibp/current");
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    let text: String = files
        .map(|file| folder.join(file["name"].as_str().unwrap()))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for cell in cells.iter().filter(|cell| cell.key.measure == "live") {
        let (value, day) = (cell.value.normalize().to_string(), cell.key.period.start());
        let row = text
            .lines()
            .find(|row| row.contains(cell.key.resource.as_str()) && row.contains(&day.to_string()));
        assert!(row.is_some_and(|row| row.contains(&value)), "{}: {value} in {row:?}", cell.key);
    }
}

#[test]
fn a_mapping_that_is_corrected_leaves_no_refusal_that_nobody_can_cure() {
    let mut config = plan_of(2, 3);
    config["targets"]["ibp"]["mapping"]["rows"][1]["resource"] = json!("LINE-77");
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    assert_eq!(status::rejects(&live.bridge.reader().unwrap()).unwrap().len(), 8);
    drop(live);
    // Found out two weeks later: some of the periods are past.
    world.pass(15 * 24 * 60);
    config["targets"]["ibp"]["mapping"]["rows"][1]["resource"] = json!("LINE-2");
    fs::write(world.folder.join("planthread.yaml"), config.to_string()).unwrap();
    let live = world.open();
    world.cycle(&live);
    assert!(status::rejects(&live.bridge.reader().unwrap()).unwrap().is_empty());
    assert!(live.status().states.get("rejected").is_none_or(|n| *n == 0));
}

#[test]
fn law_2_what_was_seen_in_a_sandbox_is_not_seen_in_the_tenant() {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    let landed = live.status().seen;
    assert!(landed > 0);
    drop(live);
    // The same target, at the address of another tenant.
    let file = world.folder.join("planthread.yaml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, config.replace("http://127.0.0.1", "http://localhost")).unwrap();
    let live = world.open();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    live.bridge.want(&live.target, &truth).unwrap();
    assert_eq!((live.status().seen, live.status().accepted), (0, 0), "nobody looked there yet");
    // It happens to hold everything: reading proves it, and nothing is written.
    let done = world.cycle(&live);
    assert!(done.applied.is_none(), "{done:?}");
    assert_eq!(live.status().seen, landed);
    world.assert_landed(&live, "at the other address");
}
