//! The breaker: by example, and over random sequences of ends, deaths and clocks.

mod random;

use jiff::SignedDuration;

use super::*;
use crate::Sent;

const DOWN: Class = Class::Transient { sent: Sent::No };
const POLICY: BreakerPolicy = BreakerPolicy { failures: 3, open_for: Duration::from_secs(60) };

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn fail(breaker: &Breaker, class: Class, second: i64) {
    breaker.admit(at(second)).unwrap().failed(class, at(second));
}

fn opened() -> Breaker {
    let breaker = Breaker::new(POLICY, Operation::Write, Kept::default(), None);
    (0..3).for_each(|second| fail(&breaker, DOWN, second));
    breaker
}

#[test]
fn it_opens_after_failures_in_a_row_and_says_what_is_left() {
    let breaker = Breaker::new(POLICY, Operation::Write, Kept::default(), None);
    fail(&breaker, DOWN, 0);
    fail(&breaker, DOWN, 1);
    breaker.admit(at(2)).unwrap().succeeded();
    (3..6).for_each(|second| fail(&breaker, DOWN, second));
    assert_eq!(breaker.admit(at(15)).unwrap_err(), Duration::from_secs(50));
}

#[test]
fn a_target_that_says_no_is_not_down() {
    let breaker = Breaker::new(POLICY, Operation::Write, Kept::default(), None);
    let after = Duration::from_secs(1);
    for class in [Class::Auth, Class::Drift, Class::Fatal, Class::Throttled { after }] {
        (0..9).for_each(|second| fail(&breaker, class, second));
    }
    assert!(breaker.admit(at(9)).is_ok());
}

#[test]
fn half_open_lets_exactly_one_probe_through() {
    let breaker = opened();
    let standing = |second| breaker.standing(at(second)).word();
    assert_eq!((standing(61), standing(62)), ("open", "half_open"));
    let probe = breaker.admit(at(62)).unwrap();
    assert_eq!(breaker.admit(at(62)).unwrap_err(), POLICY.open_for);
    probe.succeeded();
    assert_eq!(standing(62), "closed");
    let both = (breaker.admit(at(63)), breaker.admit(at(63)));
    assert!(both.0.is_ok() && both.1.is_ok());
}

#[test]
fn a_failed_probe_opens_again_and_a_dropped_one_makes_room() {
    let breaker = opened();
    breaker.admit(at(62)).unwrap().failed(DOWN, at(70));
    assert_eq!(breaker.admit(at(71)).unwrap_err(), Duration::from_secs(59));
    drop(breaker.admit(at(130)).unwrap());
    breaker.admit(at(130)).unwrap().failed(Class::Auth, at(130));
    assert!(breaker.admit(at(130)).is_ok(), "neither said anything about the target");
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_it_open() {
    let breaker = Breaker::new(POLICY, Operation::Write, Kept::default(), None);
    (0..3).for_each(|second| fail(&breaker, DOWN, 86_400 + second));
    assert_eq!(breaker.admit(at(10)).unwrap_err(), POLICY.open_for);
    assert!(breaker.admit(at(70)).is_ok(), "a day must not be waited for");
}

#[test]
fn late_ends_of_earlier_pushes_change_nothing() {
    let breaker = Breaker::new(POLICY, Operation::Write, Kept::default(), None);
    let (late_failure, late_success) =
        (breaker.admit(at(0)).unwrap(), breaker.admit(at(0)).unwrap());
    (0..3).for_each(|second| fail(&breaker, DOWN, second));
    late_failure.failed(DOWN, at(30));
    late_success.succeeded();
    assert_eq!(breaker.admit(at(32)).unwrap_err(), Duration::from_secs(30));
}
