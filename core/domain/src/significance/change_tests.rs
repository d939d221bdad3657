//! Parts of a change, over random changes.

use proptest::{prelude::*, sample::select};

use super::*;

const HOUR: i64 = 3_600_000;

/// A week of which a part is known: regular, decided, planned and known minutes, lost
/// minutes, and the thousandths that are expected to be lost of what is open.
#[derive(Debug, Clone, Copy)]
struct Inputs {
    regular: i64,
    decided: i64,
    planned: i64,
    known: i64,
    lost: i64,
    rate: i64,
}

impl Inputs {
    /// By the formula of `derive --explain`: scheduled − planned − down − expected down.
    fn layers(self) -> Layers {
        let ms = |minutes: i64| minutes * 60_000;
        let net = self.regular + self.decided - self.planned;
        let expected = Decimal::new(self.rate, 3) * hours(ms(net - self.known));
        Layers {
            regular: ms(self.regular),
            decided: ms(self.decided),
            planned: ms(self.planned),
            known: ms(self.known),
            lost: hours(ms(self.lost)),
            attainable: hours(ms(net)) - hours(ms(self.lost)) - expected,
        }
    }
}

/// Known time is always less than what is scheduled, so that something is open.
fn inputs() -> impl Strategy<Value = Inputs> {
    let times = (4_000_i64..8_000, -900_i64..900, 0_i64..900, 0_i64..2_000);
    (times, 0_i64..1_000, 0_i64..900).prop_map(
        |((regular, decided, planned, known), lost, rate)| Inputs {
            regular,
            decided,
            planned,
            known,
            lost: lost.min(known),
            rate,
        },
    )
}

/// Why what is expected may move.
const EXPECTED: [Cause; 3] = [Cause::Trend, Cause::DataLost, Cause::Mapping];

fn is_sum(change: &Change) -> bool {
    change.parts.values().sum::<Decimal>() == change.to - change.from
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_parts_of_any_change_add_up_to_it(
        from in inputs(),
        to in inputs(),
        expected in select(EXPECTED.to_vec()),
    ) {
        let change = Change::of(&from.layers(), &to.layers(), expected);
        prop_assert!(is_sum(&change), "{change:?}");
        let (first, last) = (from.layers().attainable, to.layers().attainable);
        prop_assert_eq!((change.from, change.to), (first.round_dp(9), last.round_dp(9)));
        prop_assert!(change.parts.values().all(|part| !part.is_zero()));
    }

    #[test]
    fn what_changed_alone_has_all_of_the_change(
        from in inputs(),
        cause in select(Cause::ALL.to_vec()),
        by in 1_i64..600,
        meanwhile in select(EXPECTED.to_vec()),
    ) {
        let mut to = from;
        match cause {
            Cause::Calendar => to.regular += by,
            Cause::Decision => to.decided -= by,
            Cause::PlannedStop => to.planned += by,
            Cause::Breakdown => (to.known, to.lost) = (to.known + by, to.lost + by),
            Cause::Trend | Cause::DataLost | Cause::Mapping => to.rate += by,
        }
        // What is expected moves by itself, because a source fell silent, or because
        // others stand behind it.
        let expected = if EXPECTED.contains(&cause) { cause } else { meanwhile };
        let change = Change::of(&from.layers(), &to.layers(), expected);
        prop_assert!(is_sum(&change), "{change:?}");
        let named: Vec<Cause> = change.parts.keys().copied().collect();
        let moved = change.from != change.to;
        prop_assert_eq!(named, if moved { vec![cause] } else { vec![] }, "{:?}", change);
    }
}

#[test]
fn an_extra_shift_counts_with_the_availability_that_is_expected_of_it() {
    let from = Inputs { regular: 7_200, decided: 0, planned: 0, known: 0, lost: 0, rate: 100 };
    let to = Inputs { decided: 480, ..from };
    // By hand: 8 h at 0.9.
    let change = Change::of(&from.layers(), &to.layers(), Cause::Trend);
    assert_eq!(change.words(), "decision +7.20");
    // And 6 h broke down in a day of which 2.4 h were expected to be lost.
    let broken = Inputs { known: 1_440, lost: 360, ..to };
    let change = Change::of(&from.layers(), &broken.layers(), Cause::Trend);
    assert_eq!(change.words(), "decision +7.20, breakdown -3.60");
}

#[test]
fn a_changed_calendar_shows_in_time_that_is_measured_too() {
    let from = Layers {
        regular: 100 * HOUR,
        decided: 0,
        planned: 0,
        known: 100 * HOUR,
        lost: 4.into(),
        attainable: 96.into(),
    };
    let to = Layers { regular: 92 * HOUR, known: 92 * HOUR, attainable: 88.into(), ..from.clone() };
    assert_eq!(Change::of(&from, &to, Cause::Trend).words(), "calendar -8.00");
}

#[test]
fn measured_time_that_was_lost_is_lost_data_and_no_breakdown() {
    let from = Inputs { regular: 7_200, decided: 0, planned: 0, known: 2_400, lost: 0, rate: 100 };
    let change =
        Change::of(&from.layers(), &Inputs { known: 1_200, ..from }.layers(), Cause::Trend);
    assert_eq!(change.words(), "data lost -2.00");
}

#[test]
fn what_was_known_before_moves_with_those_that_stand_behind_it() {
    let from = Inputs { regular: 7_200, decided: 0, planned: 0, known: 1_200, lost: 60, rate: 100 };
    // Another machine made the same hours: 4 h more were lost, and more is expected to be.
    let to = Inputs { lost: 300, rate: 200, ..from };
    let change = Change::of(&from.layers(), &to.layers(), Cause::Mapping);
    assert_eq!(change.words(), "mapping -14.00");
    // What was measured since is the machine's own: 1 h of 2 h, against 1.6 h.
    let broken = Inputs { known: 1_320, lost: 120, ..from };
    let change = Change::of(&from.layers(), &broken.layers(), Cause::Mapping);
    assert_eq!(change.words(), "breakdown -0.80");
}

#[test]
fn hours_are_told_rounded_and_not_cut_off() {
    let hours = |text: &str| -> Decimal { text.parse().unwrap() };
    let parts = [(Cause::Decision, hours("6.9078")), (Cause::Trend, hours("-0.0051"))];
    let change =
        Change { from: hours("69.0781"), to: hours("75.9808"), parts: parts.into_iter().collect() };
    assert_eq!(change.words(), "decision +6.91, trend of availability -0.01");
}
