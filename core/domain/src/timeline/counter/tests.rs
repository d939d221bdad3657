//! Counters on small inputs, counted by hand.

use super::*;
use crate::{
    decode::{SourceIndex, Subject},
    fixture,
    model::CounterReset,
};

fn read(totals: &[(i64, u64)], reset: CounterReset, opening: Option<u64>) -> Output {
    let facts: Vec<CountFact> = totals
        .iter()
        .map(|&(hour, total)| CountFact {
            subject: Subject(0),
            source: SourceIndex(0),
            interval: Span { start: hour, end: hour + 1 },
            total,
            received: 0,
        })
        .collect();
    let source = Counts { reset, opening_total: opening, ..fixture::counts() };
    Output::of(&facts, &source, None)
}

fn all(output: &Output) -> Option<Decimal> {
    output.parts_within(Span { start: -10, end: 100 })
}

#[test]
fn the_first_reading_only_sets_the_base_unless_an_opening_is_declared() {
    let totals = [(0, 60), (1, 100)];
    assert_eq!(all(&read(&totals, CounterReset::Restart, None)), Some(40.into()));
    assert_eq!(all(&read(&totals, CounterReset::Restart, Some(0))), Some(100.into()));
    assert_eq!(all(&read(&[(0, 60)], CounterReset::Restart, None)), None);
}

#[test]
fn a_falling_counter_follows_its_rule() {
    let totals = [(0, 90), (1, 5)];
    assert_eq!(all(&read(&totals, CounterReset::Restart, Some(90))), Some(5.into()));
    assert_eq!(all(&read(&totals, CounterReset::Wrap(99), Some(90))), Some(15.into()));
    let gap = read(&totals, CounterReset::Gap, Some(90));
    assert_eq!((all(&gap), gap.remarks.len()), (Some(0.into()), 1));
}

#[test]
fn a_corrected_counter_is_a_gap_and_not_a_restart() {
    const HOUR: i64 = 3_600_000;
    let read = |totals: &[u64]| {
        let fact = |(hour, total): (i64, &u64)| CountFact {
            subject: Subject(0),
            source: SourceIndex(0),
            interval: Span { start: hour * HOUR, end: (hour + 1) * HOUR },
            total: *total,
            received: 0,
        };
        let facts: Vec<CountFact> = (0..).zip(totals).map(fact).collect();
        Output::of(&facts, &fixture::counts(), Some(60.into()))
    };
    let whole = |output: &Output| output.parts_within(Span { start: 0, end: 100 * HOUR });
    // Two parts were found bad afterwards: 9,998 were not made in that hour.
    let corrected = read(&[60, 120, 118, 178]);
    assert_eq!(
        (whole(&corrected), corrected.remarks.len()),
        (Some(298.into()), 0),
        "fits, if barely"
    );
    let mut totals: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
    totals.push(2_998);
    totals.push(3_058);
    let corrected = read(&totals);
    assert_eq!((whole(&corrected), corrected.remarks.len()), (Some(3_060.into()), 1));
    assert_eq!(corrected.counted_ms(Span { start: 0, end: 52 * HOUR }), 51 * HOUR);
    let mut restarted: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
    restarted.push(60);
    let restarted = read(&restarted);
    assert_eq!((whole(&restarted), restarted.remarks.len()), (Some(3_060.into()), 0));
    // A digit too many, and the way back from it.
    let mut totals: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
    totals[40] *= 10;
    let misread = read(&totals);
    assert_eq!((whole(&misread), misread.remarks.len()), (Some(3_000.into()), 1));
    // The first rows are lost: what was made before is not made in this hour.
    let late: Vec<u64> = (200..=210).map(|hour| hour * 60).collect();
    let late = read(&late);
    assert_eq!((whole(&late), late.remarks.len()), (Some(600.into()), 1));
}

#[test]
fn a_corrected_reading_replaces_the_old_one_also_downwards() {
    let fact = |hour: i64, total, received| CountFact {
        subject: Subject(0),
        source: SourceIndex(0),
        interval: Span { start: hour, end: hour + 1 },
        total,
        received,
    };
    // Hour 1 was read as 100, then corrected to 95, then confirmed as 96.
    let mut facts =
        [fact(0, 50, 0), fact(1, 100, 1), fact(1, 95, 2), fact(1, 96, 3), fact(2, 97, 4)];
    facts.sort();
    let output = Output::of(&facts, &fixture::counts(), None);
    assert_eq!(output.parts_within(Span { start: 1, end: 2 }), Some(46.into()));
    // The old reading of 100 would make 97 look like a counter that began again.
    assert_eq!(all(&output), Some(97.into()));
    assert_eq!(output.counted_ms(Span { start: 0, end: 9 }), 3);
}

#[test]
fn a_missing_row_is_bridged_and_shared_by_time() {
    let output = read(&[(0, 10), (3, 70)], CounterReset::Restart, Some(0));
    assert_eq!(all(&output), Some(70.into()));
    assert_eq!(output.parts_within(Span { start: 1, end: 2 }), Some(20.into()));
    assert_eq!(output.counted_ms(Span { start: 0, end: 50 }), 4);
}

const HOUR: i64 = 3_600_000;

fn window(from: i64, to: i64, made: Made, received: i64) -> MadeFact {
    MadeFact {
        subject: Subject(0),
        source: SourceIndex(2),
        interval: Span { start: from * HOUR, end: to * HOUR },
        made,
        issued: to * HOUR,
        received,
    }
}

fn parts(from: i64, to: i64, parts: i64, received: i64) -> MadeFact {
    window(from, to, Made::Parts(parts.into()), received)
}

fn made_in(output: &Output, from: i64, to: i64) -> Option<Decimal> {
    output.parts_within(Span { start: from * HOUR, end: to * HOUR })
}

#[test]
fn windows_that_overlap_never_count_a_part_twice() {
    // A shift of 8 h made 400; its hours 2 and 3 were told alone, and hour 3
    // was corrected downwards.
    let facts = [parts(0, 8, 400, 9), parts(2, 3, 70, 3), parts(3, 4, 65, 4), parts(3, 4, 60, 8)];
    let output = Output::told(&facts, |span| span.ms());
    assert_eq!(made_in(&output, 2, 3), Some(70.into()));
    assert_eq!(made_in(&output, 3, 4), Some(60.into()), "of equal windows the newest received");
    assert_eq!(made_in(&output, 0, 8), Some(400.into()), "the shift stays whole");
    assert_eq!(made_in(&output, 0, 1), Some(45.into()), "what its other six hours made");
    assert_eq!(output.counted_ms(Span { start: 0, end: 24 * HOUR }), 8 * HOUR);
    let mut turned = facts;
    turned.reverse();
    assert_eq!(Output::told(&turned, |span| span.ms()), output, "in any order");
    // Rolling windows, each of 4 h, an hour apart.
    let rolling: Vec<MadeFact> = (0..5).map(|hour| parts(hour, hour + 4, 240, hour)).collect();
    assert_eq!(made_in(&Output::told(&rolling, |_| 0), 0, 8), Some(480.into()));
}

#[test]
fn a_rate_holds_for_scheduled_hours_less_planned_stops() {
    let rate = window(0, 24, Made::PerScheduledHour(Decimal::new(575, 1)), 1);
    let output = Output::told(&[rate], |span| span.ms() - 8 * HOUR);
    assert_eq!(made_in(&output, 0, 24), Some(920.into()));
}

#[test]
fn a_weaker_source_fills_only_what_the_stronger_one_leaves() {
    let told = |facts: &[MadeFact]| Output::told(facts, |span| span.ms());
    let strong = told(&[parts(2, 4, 100, 0)]);
    let weak = told(&[parts(0, 1, 7, 0), parts(1, 3, 60, 0), parts(3, 4, 99, 0)]);
    let both = strong.filled_by(&weak);
    assert_eq!(made_in(&both, 0, 4), Some((7 + 30 + 100).into()));
    assert_eq!(made_in(&both, 2, 4), Some(100.into()));
}

/// Hourly readings of a machine whose ideal cycle is `seconds`.
fn hourly(totals: &[u64], seconds: Option<i64>, reset: CounterReset) -> Output {
    let fact = |(hour, total): (i64, &u64)| CountFact {
        subject: Subject(0),
        source: SourceIndex(0),
        interval: Span { start: hour * HOUR, end: (hour + 1) * HOUR },
        total: *total,
        received: 0,
    };
    let facts: Vec<CountFact> = (0..).zip(totals).map(fact).collect();
    let source = Counts { reset, opening_total: Some(0), ..fixture::counts() };
    Output::of(&facts, &source, seconds.map(Decimal::from))
}

fn whole(output: &Output) -> Option<Decimal> {
    output.parts_within(Span { start: 0, end: 10_000 * HOUR })
}

fn doubts(output: &Output) -> Vec<Doubt> {
    let mut doubts: Vec<Doubt> = output.remarks.iter().map(|one| one.doubt).collect();
    doubts.dedup();
    doubts
}

#[test]
fn a_register_that_flaps_to_another_one_loses_and_adds_no_part() {
    // Every third reading comes from another register that stands at 20.
    let totals: Vec<u64> =
        (1..=300).map(|hour| if hour % 3 == 0 { 20 } else { hour * 60 }).collect();
    for seconds in [Some(60), None] {
        let output = hourly(&totals, seconds, CounterReset::Restart);
        // The last reading is a bad one that nothing follows: it is taken for a
        // restart until the count returns.
        let made = whole(&output).unwrap();
        assert!(made == (299 * 60).into() || made == (299 * 60 + 20).into(), "{made}");
        assert_eq!(doubts(&output), [Doubt::Bridged]);
    }
}

#[test]
fn a_counter_that_restarts_each_shift_counts_every_part() {
    let totals: Vec<u64> = (0..240).map(|hour| (hour % 8 + 1) * 60).collect();
    for seconds in [Some(60), None] {
        let output = hourly(&totals, seconds, CounterReset::Restart);
        assert_eq!((whole(&output), doubts(&output)), (Some((240 * 60).into()), vec![]));
    }
}

#[test]
fn a_counter_that_rolls_over_counts_every_part() {
    let totals: Vec<u64> = (1..=240).map(|hour| hour * 60 % 1_000).collect();
    let output = hourly(&totals, Some(60), CounterReset::Wrap(999));
    assert_eq!((whole(&output), doubts(&output)), (Some((240 * 60).into()), vec![]));
}

#[test]
fn parts_of_each_interval_are_told_and_never_counted_as_totals() {
    let totals: Vec<u64> = (0..168).map(|hour| 50 + hour * 7 % 13).collect();
    for seconds in [Some(60), None] {
        let output = hourly(&totals, seconds, CounterReset::Restart);
        assert_eq!((whole(&output), doubts(&output)), (None, vec![Doubt::PerInterval]));
    }
}

#[test]
fn a_machine_faster_than_its_master_data_is_counted_and_told() {
    let totals: Vec<u64> = (1..=168).map(|hour| hour * 300).collect();
    let output = hourly(&totals, Some(60), CounterReset::Restart);
    assert_eq!((whole(&output), doubts(&output)), (Some((168 * 300).into()), vec![Doubt::Faster]));
}

proptest::proptest! {
    /// Readings that were bad and returned, in any number and at any place, change
    /// no part of what a steady counter made in all.
    #[test]
    fn readings_that_return_to_the_count_change_no_sum(
        bad in proptest::collection::btree_map(20usize..190, 0u64..15, 0..40),
        pace in 40u64..70,
        known in proptest::bool::ANY,
    ) {
        let mut totals: Vec<u64> = (1..=200).map(|hour| hour * pace).collect();
        for (hour, reading) in bad {
            totals[hour] = reading;
        }
        let output = hourly(&totals, known.then_some(60), CounterReset::Restart);
        proptest::prop_assert_eq!(whole(&output), Some((200 * pace).into()));
        proptest::prop_assert!(doubts(&output).iter().all(|doubt| *doubt == Doubt::Bridged));
    }
}
