//! Why a released figure moved: what people decided, the calendar, and a declared stop,
//! each by itself, although nobody raised a version.

use planthread::pipeline::{gap, parse_cell, trace};
use planthread_domain::significance::{Cause, Change};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{plant::plan_of, world::World};

/// The last release of the week `2026-W50` of the first machine, after the plant was
/// changed by `change`.
fn after(change: impl FnOnce(&mut Value)) -> Change {
    let mut config = plan_of(1, 3);
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    change(&mut config["plant"]);
    world.configure(&config);
    world.pass(60);
    let live = world.open();
    world.cycle(&live);
    let key = parse_cell("ibp/base/LINE-1@1010/2026-W50/live").unwrap();
    let (reader, now) = (live.bridge.reader().unwrap(), world.clock.now());
    let traced = trace(&live.bridge.loaded, &reader, &key, now).unwrap();
    let change = traced.releases[0].change.clone().unwrap();
    // The planner's list tells the same.
    let found = world.clock.block_on(gap::gap(&live.bridge.loaded, &reader, &live.target, now));
    let moved = found.unwrap().moved;
    let told: Vec<_> = moved.iter().filter(|((_, week), _)| *week == key.period).collect();
    assert!(matches!(told.as_slice(), [(_, one)] if one.change == change), "{told:?}");
    // The released figures are those that stand in the cell, before it is rounded.
    assert_eq!(change.to, traced.ledger.cell.unrounded.round_dp(9));
    assert_eq!(change.parts.values().sum::<Decimal>(), change.to - change.from);
    change
}

#[test]
fn a_decision_a_calendar_and_a_stop_are_told_apart_and_have_all_that_they_moved() {
    let day = json!([{ "from": "2026-12-08", "closed": true, "reason": "company holidays",
        "owner": "works council" }]);
    let closed = after(|plant| plant["calendars"][0]["exceptions"] = day);
    // A day of the week, at the availability of 0.899: 24 h × 0.899.
    let part = |cause, hours: &str| [(cause, hours.parse::<Decimal>().unwrap())].into();
    assert_eq!(closed.parts, part(Cause::Decision, "-21.576"));

    let stopped = after(|plant| {
        plant["planned_maintenance"] = json!([{ "resource": "m-1", "reason": "overhaul",
            "start": "2026-12-08T00:00:00Z", "end": "2026-12-08T12:00:00Z", "owner": "M. Huber" }]);
    });
    assert_eq!(stopped.parts, part(Cause::PlannedStop, "-10.788"));

    let shifts = after(|plant| {
        plant["calendars"][0] = json!({ "id": "always", "version": "1", "shifts": [
            { "name": "day", "days": ["mon", "tue", "wed", "thu", "fri"], "start": "00:00",
                "end": "00:00" }] });
    });
    assert_eq!(shifts.parts, part(Cause::Calendar, "-43.152"));

    let worse = after(|plant| plant["resources"][0]["standard_availability"] = json!("0.5"));
    assert_eq!(worse.parts, part(Cause::Trend, "-67.032"));
}
