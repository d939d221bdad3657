//! Who changed it? A job is one case, a person is a lock.

use planthread_engine::{ledger, verify::Which};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::{Options, Switch, Switches};
use rust_decimal::Decimal;
use serde_json::json;

use crate::world::{World, plan_of};

#[test]
fn a_nightly_job_that_overwrites_500_cells_is_one_case_and_no_lock() {
    // The ERP's load reaches over 25 weeks of 20 resources; ours over 70.
    let switches = Switches::default().with(Switch::NightlyOverwritesBridge, true);
    let options = Options { resources: 20, weeks: (0, 25), switches, ..Options::default() };
    let world = World::new(&plan_of(20, 69), options);
    let live = world.open();
    world.cycle(&live);
    assert_eq!(live.status().seen, 20 * 70 * 2);
    let ours = world.stored();

    world.pass(60);
    world.planner("/planner/nightly", &json!({}));
    let changed = world.stored().iter().filter(|(place, value)| ours[place] != **value).count();
    assert_eq!(changed, 500);

    let report = world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    assert_eq!(report.cases.iter().collect::<Vec<_>>(), [(&"job".to_owned(), &500)]);
    assert_eq!((report.persons, report.lost), (0, 0));
    let reader = live.bridge.reader().unwrap();
    let cases = ledger::cases(&reader).unwrap();
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert_eq!((cases[0].cells, cases[0].kind.word()), (500, "job"));
    assert!(!cases[0].owner.is_empty());
    assert!(ledger::locks(&reader, world.clock.now()).unwrap().is_empty());

    // It is repaired by exactly those cells, and stays one case the next night.
    let again = world.cycle(&live).applied.unwrap();
    assert_eq!((again.plan.counts.cells, again.accepted), (500, again.sent), "{again:?}");
    assert_eq!(world.stored(), ours);
    world.pass(24 * 60);
    world.planner("/planner/nightly", &json!({}));
    world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    let cases = ledger::cases(&live.bridge.reader().unwrap()).unwrap();
    assert_eq!(cases.len(), 1, "{cases:?}");
    live.assert_conserved("after two nights");
}

#[test]
fn a_persons_edit_is_a_lock() {
    let world = World::small();
    let live = world.open();
    let week: planthread_contracts::Period = "2026-W51".parse().unwrap();
    world.cycle(&live);
    world.pass(60);
    world.planner(
        "/planner/edit",
        &json!({ "resource": "LINE-1", "location": "1010", "period": week,
            "measure": "TWINCAPALIVE", "value": "96.5", "who": "Ms Okafor" }),
    );
    let report = world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    assert_eq!((report.persons, report.cases.len()), (1, 0), "{report:?}");
    let locks = ledger::locks(&live.bridge.reader().unwrap(), world.clock.now()).unwrap();
    assert_eq!(locks.len(), 1);
    let lock = &locks[0];
    assert_eq!(lock.key.to_string(), "ibp/base/LINE-1@1010/2026-W51/live");
    assert!(lock.reason.contains("96.5") && !lock.owner.is_empty(), "{lock:?}");
    let days = lock.until.duration_since(world.clock.now()).as_hours() / 24;
    assert_eq!(days, 14);

    // New truth for two weeks of the machine: the locked one keeps her number.
    let share = |text: &str| text.parse::<Decimal>().unwrap();
    world.pass(60);
    world.foretell(1, &[(week, share("0.5")), (week.next(), share("0.5"))]);
    let done = world.cycle(&live);
    let applied = done.applied.unwrap();
    assert_eq!(applied.plan.counts.held.get("lock"), Some(&1), "{:?}", applied.plan.counts);
    let stored = world.stored();
    let at = |period| ("LINE-1".to_owned(), "1010".to_owned(), period, "TWINCAPALIVE".to_owned());
    assert_eq!(stored[&at(week)], share("96.5"));
    assert_eq!(stored[&at(week.next())], share("84"));
    assert_eq!(done.policy_holds.unwrap().held.get("lock"), Some(&1));

    // A lock ends by itself; then the truth of that day is sent.
    world.pass(15 * 24 * 60);
    world.foretell(1, &[(week, share("0.5")), (week.next(), share("0.5"))]);
    world.cycle(&live);
    assert_eq!(world.stored()[&at(week)], share("84"));
    live.assert_conserved("after the lock");
}
