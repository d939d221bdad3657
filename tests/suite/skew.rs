//! The same signals at all targets, each by its own kind of period: what each holds
//! is compared over the periods that they have in common.

use std::{collections::BTreeSet, fs, time::Duration};

use planthread::{
    demo::plant,
    pipeline::{self, Bridge, Course, PauseRecord},
    report::{
        TextTable, View as _,
        skew::{Difference, Holding, Skew},
    },
    starter::Starter,
};
use planthread_contracts::{PeriodKind, Unit};
use planthread_engine::verify::Which;
use planthread_kit::Clock as _;
use rust_decimal::Decimal;

use crate::site::Site;

#[test]
fn the_target_that_is_held_back_is_named_over_common_periods() {
    let site = Site::all();
    let file = site.folder.join("planthread.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("past_weeks: 1", "past_weeks: 4")).unwrap();
    let bridge = site.bridge();
    let targets = bridge.targets(None).unwrap();
    let kinds: BTreeSet<PeriodKind> =
        targets.iter().map(|target| target.config.measures[0].level).collect();
    assert_eq!(kinds.len(), 4, "the targets store by week, split week, day and month");
    let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let stopped: Vec<_> = done.targets.iter().filter_map(|one| one.stopped.as_ref()).collect();
    assert!(stopped.is_empty(), "{stopped:?}");
    let skew = || Skew::of(&bridge.loaded, &bridge.reader().unwrap(), site.clock.now()).unwrap();
    assert_eq!(skew().differences, []);

    // Truth moves on everywhere, and everybody but the twins hears of it.
    let told = site.clock.now();
    site.clock.advance(Duration::from_secs(48 * 3_600));
    tell(&site, told);
    bridge.ingest().unwrap();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    for target in &targets {
        let made = bridge.want(target, &truth).unwrap().wanted.made;
        assert!(made > 0, "{} is to hold something new", target.name);
        let course =
            Course::Land { truth: &truth, only_unmoved: false, read_back: Which::Unproven };
        if target.config.connector != "azure-digital-twins" {
            let done = site.clock.block_on(bridge.walk(target, course));
            assert!(done.stopped.is_none(), "{:?}", done.stopped);
        }
    }
    let late = skew();
    let behind = |name: &str| late.targets[name].signals - late.targets[name].current;
    let lagging: Vec<_> = late.targets.keys().filter(|name| behind(name) > 0).collect();
    assert_eq!(lagging, ["twins"]);
    assert_eq!(late.targets["twins"].behind_seconds, 48 * 3_600);
    assert!(late.targets.values().all(|lag| lag.paused.is_none()));
    paused_is_said(&site, &bridge, &skew);
    // Months are what the twins have in common with days and with parts of weeks.
    assert!(!late.differences.is_empty());
    for one in &late.differences {
        assert_eq!(one.signal.period.kind(), PeriodKind::Month, "{one:?}");
        let names: BTreeSet<&str> = one.holdings.iter().map(|at| at.target.as_str()).collect();
        let (_, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| *name == "twins");
        assert_eq!(others, ["maestro", "maestro-baseline", "o9"], "{:?}", one.signal);
    }
    // In every signal, not in the first that comes.
    let agreed: Vec<bool> = late.differences.iter().map(whole_months_agree).collect();
    assert!(agreed.contains(&true));
}

/// One target was planned alone: each holds what it should, and they tell two stories.
#[test]
fn targets_that_hold_what_they_should_and_not_the_same_are_named() {
    let site = Site::all();
    let bridge = site.bridge();
    let targets = bridge.targets(None).unwrap();
    let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    assert!(done.targets.iter().all(|one| one.stopped.is_none()), "{done:?}");
    let told = site.clock.now();
    site.clock.advance(Duration::from_secs(48 * 3_600));
    tell(&site, told);
    bridge.ingest().unwrap();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    let o9 = targets.iter().find(|target| target.name == "o9").unwrap();
    assert!(bridge.want(o9, &truth).unwrap().wanted.made > 0);
    let course = Course::Land { truth: &truth, only_unmoved: false, read_back: Which::Unproven };
    let done = site.clock.block_on(bridge.walk(o9, course));
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let skew = Skew::of(&bridge.loaded, &bridge.reader().unwrap(), site.clock.now()).unwrap();
    assert!(skew.targets.values().all(|lag| lag.signals == lag.current), "{:?}", skew.targets);
    let older: Vec<_> = skew.targets.iter().filter(|(_, lag)| lag.older > 0).collect();
    let names: Vec<&str> = older.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!names.is_empty() && !names.contains(&"o9"), "{names:?}");
    assert!(skew.differences.iter().all(|one| one.apart));
    let mut newest = skew.differences.iter().flat_map(|one| &one.holdings);
    assert!(newest.all(|at| (at.behind_seconds == Some(0)) == (at.target == "o9")));
}

/// Who lags because a person paused it says so, by whom and why, until it is let go.
fn paused_is_said(site: &Site, bridge: &Bridge, skew: &dyn Fn() -> Skew) {
    for (paused, by_hand) in [(true, false), (true, true), (false, false)] {
        let (who, why) = ("Ada".to_owned(), "month end".to_owned());
        let record = PauseRecord { who, why, paused, until: None, by_hand, at: None };
        site.clock.advance(Duration::from_secs(1));
        let state = &bridge.loaded.config.state;
        pipeline::pause(state, "twins", &record, site.clock.now()).unwrap();
        let now = skew();
        let said = now.targets.iter().filter_map(|(name, lag)| Some((name, lag.paused.clone()?)));
        let by_hand = if by_hand { "fed by hand, " } else { "" };
        let twins = (&"twins".to_owned(), format!("{by_hand}Ada: month end"));
        let expected: Vec<_> = paused.then_some(twins).into_iter().collect();
        assert_eq!(said.collect::<Vec<_>>(), expected);
        let mut text = TextTable::new(false);
        now.write(&mut text);
        let line = format!("twins: paused ({by_hand}Ada: month end): nothing is sent");
        assert_eq!(text.into_text().contains(&line), paused);
    }
}

/// What happened since `told` in the plant, written into its files.
fn tell(site: &Site, told: jiff::Timestamp) {
    let starter = Starter::new(&site.folder, told);
    let happened = starter.story(told, site.clock.now());
    for (file, csv) in [
        (&starter.events, plant::events_csv(&happened)),
        (&starter.counts, plant::counts_csv(&happened)),
    ] {
        let (_, rows) = csv.split_once('\n').unwrap();
        fs::write(file, fs::read_to_string(file).unwrap() + rows).unwrap();
    }
}

/// Whether all targets should hold the same of a month that each has as a whole: what is
/// rounded by the day, in minutes at one of them, is what is rounded by the month.
fn whole_months_agree(one: &Difference) -> bool {
    let days = one.signal.period.days().count();
    let whole = one.holdings.iter().filter(|at| at.days as usize == days);
    let canonical = |at: &Holding| {
        let unit: Unit = at.unit.parse().unwrap();
        let (value, step) = (at.wanted.unwrap(), Decimal::new(1, at.wanted.unwrap().scale()));
        let hours = |value| unit.convert(value, Unit::Hour).unwrap_or(value);
        (hours(value), hours(step))
    };
    let due: Vec<(Decimal, Decimal)> = whole.map(canonical).collect();
    for [(a, step), (b, other)] in due.iter().flat_map(|a| due.iter().map(move |b| [*a, *b])) {
        assert!((a - b).abs() <= step + other, "{:?}: {due:?}", one.signal);
    }
    due.len() == one.holdings.len()
}
