//! 200 resources over 78 weeks, at a target that takes its documented time:
//! how many requests, how long, and whether the plan knew it.

use std::{io::Cursor, time::Duration};

use http::Method;
use planthread_engine::{plan::PlanSummary, verify::Which};
use planthread_kit::Clock as _;
use planthread_mocks::{
    latency::{Profile, sap_read_floor, sap_vendor_floor},
    sap_ibp::Options,
};
use serde_json::{Value, json};

use crate::world::{World, measure, plan_of};

const ROWS: u64 = 200 * 78;
const PAGE: u64 = 5_000;

/// How values are staged.
#[derive(Debug, Clone, Copy)]
struct Staging {
    values_per_post: u64,
    parallel_posts: u32,
}

/// The connector's own defaults.
const DEFAULT: Staging = Staging { values_per_post: 2_000, parallel_posts: 2 };

/// What one landing cost.
#[derive(Debug)]
struct Measured {
    plan: PlanSummary,
    values: u64,
    requests: u64,
    posts: usize,
    took: Duration,
}

fn world(measures: &[Value], staging: Staging) -> World {
    let mut config = plan_of(200, 77);
    config["targets"]["ibp"]["measures"] = json!(measures);
    if staging.parallel_posts != DEFAULT.parallel_posts {
        config["targets"]["ibp"]["settings"]["transaction"] = json!({
            "values_per_post": staging.values_per_post, "parallel_posts": staging.parallel_posts });
    }
    let latency = Profile::AsDocumented;
    World::new(&config, Options { resources: 200, latency, ..Options::default() })
}

/// Wants everything, reads the basis, plans, and measures apply and read-back.
fn land(measures: &[Value], staging: Staging) -> Measured {
    let world = world(measures, staging);
    let live = world.open();
    let (bridge, target) = (&live.bridge, &live.target);
    let truth = bridge.truth(bridge.as_of()).unwrap();
    bridge.want(target, &truth).unwrap();
    world.clock.block_on(bridge.verify(target, Which::Unread)).unwrap();
    assert!(world.mark() as u64 <= ROWS.div_ceil(PAGE), "the basis of a first plan, in full pages");
    let mut plan = Cursor::new(Vec::new());
    let summary = bridge.plan(target, truth.as_of, None, plan.get_mut()).unwrap();
    assert_eq!(summary.header.counts.groups, ROWS);

    let (mark, began) = (world.mark(), world.clock.now());
    let applied = world.clock.block_on(bridge.apply(target, &mut plan, false)).unwrap();
    let values = ROWS * measures.len() as u64;
    assert_eq!((applied.accepted, applied.sent), (values, values), "{:?}", applied.stopped);
    let verified = world.clock.block_on(bridge.verify(target, Which::Unproven)).unwrap();
    let took = Duration::try_from(world.clock.now().duration_since(began)).unwrap();
    assert_eq!(verified.landed, values);
    let status = live.status();
    assert_eq!((status.seen, status.wanted), (values, values));
    let requests = (world.mark() - mark) as u64;
    let posts = world.wire().heard[mark..].iter().filter(|heard| heard.rows > 0).count();
    assert_eq!(world.wire().count(mark, &Method::POST), posts + 1, "staging, and one commit");
    Measured { plan: summary, values, requests, posts, took }
}

/// Token, posts, commit, one question, pages: nobody needs fewer.
fn fewest(measures: u64, staging: Staging) -> u64 {
    let rows_per_post = staging.values_per_post / measures;
    1 + ROWS.div_ceil(rows_per_post) + 1 + 1 + ROWS.div_ceil(PAGE)
}

/// The vendor's floor for staging, for reading back, and the sandbox's import.
fn floor(values: u64, staging: Staging) -> Duration {
    let pages = u32::try_from(ROWS.div_ceil(PAGE)).unwrap();
    sap_vendor_floor(values, staging.parallel_posts)
        + sap_read_floor(pages, 6)
        + Options::default().import_ends_after
}

fn within_the_bounds(measures: &[Value], staging: Staging) {
    let done = land(measures, staging);
    let fewest = fewest(measures.len() as u64, staging);
    let floor = floor(done.values, staging);
    let predicted = &done.plan.header.prediction;
    let foretold = Duration::from_millis(predicted.write_ms + predicted.read_ms);
    let by_floor = done.took.as_secs_f64() / floor.as_secs_f64();
    let by_fewest = done.requests as f64 / fewest as f64;
    let by_plan = foretold.as_secs_f64() / done.took.as_secs_f64();
    let said = format!(
        "{} values, {staging:?}: {} requests ({} posts), fewest {fewest}: {by_fewest:.3}; \
         took {:.1} s, floor {:.1} s: {by_floor:.3}; predicted {:.1} s: {by_plan:.3}, {predicted:?}",
        done.values,
        done.requests,
        done.posts,
        done.took.as_secs_f64(),
        floor.as_secs_f64(),
        foretold.as_secs_f64(),
    );
    eprintln!("{said}");
    assert!(by_fewest <= 1.05, "{said}");
    assert!(by_floor <= 1.1, "{said}");
    assert!((0.9..=1.1).contains(&by_plan), "{said}");
    assert_eq!(predicted.requests + predicted.reads, done.requests, "{said}");
}

#[test]
fn two_hundred_resources_by_78_weeks() {
    let live = [measure("live", "TWINCAPALIVE", "attainable_clock_hours", "value")];
    within_the_bounds(&live, DEFAULT);
}

#[test]
fn two_hundred_resources_by_78_weeks_with_status_and_stamps() {
    let measures = [
        measure("live", "TWINCAPALIVE", "attainable_clock_hours", "value"),
        measure("status", "TWINSTATUS", "status", "value"),
        measure("as_of", "TWINASOF", "as_of", "stamp"),
        measure("valid_until", "TWINVALIDTO", "valid_until", "stamp"),
    ];
    within_the_bounds(&measures, DEFAULT);
}

#[test]
fn two_hundred_resources_by_78_weeks_over_twelve_connections() {
    let measures = [
        measure("live", "TWINCAPALIVE", "attainable_clock_hours", "value"),
        measure("status", "TWINSTATUS", "status", "value"),
    ];
    within_the_bounds(&measures, Staging { values_per_post: 1_000, parallel_posts: 12 });
}
