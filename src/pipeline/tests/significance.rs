//! What is worth a landing: neither the passing of time, nor news of hundredths.

use std::fs;

use planthread_domain::significance::Reason;
use planthread_kit::Clock as _;

use super::World;

fn hours(world: &World, hours: u64) {
    world.clock.advance(std::time::Duration::from_secs(hours * 3_600));
}

#[test]
fn the_passing_of_time_alone_lands_nothing() {
    let world = World::new("time");
    let (bridge, targets) = world.bridge();
    // Monday: neither a week nor the trust in the sources ends in what follows.
    hours(&world, 3);
    let cycle = || world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(cycle().targets[0].applied.is_some());
    let mut quiet = 0;
    for hour in 1..=18 {
        hours(&world, 1);
        let done = cycle().targets.remove(0);
        let want = done.want.unwrap();
        // A source that has been silent for too long is a change of class.
        let class = want.released.contains_key(&Reason::Class);
        assert_eq!(want.released.len(), usize::from(class), "hour {hour}: {:?}", want.released);
        assert_eq!(done.applied.is_some(), class, "hour {hour}");
        quiet += u32::from(!class);
    }
    assert!(quiet >= 12, "{quiet} quiet hours");
}

#[test]
fn news_that_moves_a_figure_by_hundredths_is_kept_back() {
    let world = World::new("hundredths");
    let (bridge, targets) = world.bridge();
    hours(&world, 3);
    let cycle = || world.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(cycle().targets[0].applied.is_some());
    let mut kept = 0;
    for hour in 1..=4 {
        hours(&world, 1);
        // Half a minute in which the press stood.
        let end = world.clock.now() - jiff::SignedDuration::from_mins(20);
        let begin = end - jiff::SignedDuration::from_secs(30);
        let mut text = fs::read_to_string(&world.starter.events).unwrap();
        for (at, event) in [(begin, "failure"), (end, "restored")] {
            text += &format!("{},press-a,{event}\n", at.strftime("%Y-%m-%dT%H:%M:%SZ"));
        }
        fs::write(&world.starter.events, text).unwrap();
        let done = cycle().targets.remove(0);
        let want = done.want.unwrap();
        assert!(want.released.is_empty() && done.applied.is_none(), "{hour}: {:?}", want.released);
        kept += want.kept;
    }
    assert!(kept > 0, "no figure moved, so nothing was shown");
}

#[test]
fn four_thousand_flaps_become_a_handful_of_landings() {
    let world = World::new("flaps");
    let (bridge, targets) = world.bridge();
    hours(&world, 3);
    let mut reasons = std::collections::BTreeMap::new();
    let (mut landings, mut at) = (0, world.clock.now());
    for _ in 0..40 {
        // A hundred stops of nine seconds in each hour.
        let mut text = fs::read_to_string(&world.starter.events).unwrap();
        for _ in 0..100 {
            for event in ["failure", "restored"] {
                let stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ");
                text += &format!("{stamp},press-a,{event}\n");
                at += jiff::SignedDuration::from_secs(if event == "failure" { 9 } else { 27 });
            }
        }
        fs::write(&world.starter.events, text).unwrap();
        hours(&world, 1);
        let cycle = bridge.cycle(&targets, bridge.as_of());
        let done = world.clock.block_on(cycle).unwrap().targets.remove(0);
        landings += usize::from(done.applied.is_some());
        for (reason, n) in done.want.unwrap().released {
            *reasons.entry(reason).or_insert(0) += n;
        }
    }
    assert!((2..=12).contains(&landings), "{landings} landings: {reasons:?}");
}
