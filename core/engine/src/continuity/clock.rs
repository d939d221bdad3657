//! Our clock, judged by others and by what we lived through before.
//!
//! A single agreeing target proves the clock; where all that were heard lately
//! disagree, ours is wrong. Nobody heard leaves our own last instant, which can
//! only say that something is odd: a bridge may have been off for a month.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use planthread_kit::http::Witness;
use serde::Serialize;

use crate::{
    Reader, State,
    error::Result,
    ledger::CaseKind,
    store::{Tx, holds::Found},
};

/// What is still the same clock, and what is no ordinary pause any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockPolicy {
    /// Clocks that differ by at most this much agree. Also how long a witness
    /// is believed: a jump since then would be no larger.
    pub tolerance: SignedDuration,
    /// After a longer pause than this, a target is asked for the time before
    /// anything is derived.
    pub ask_after: SignedDuration,
    /// A longer step than this, which nobody could confirm, holds.
    pub leap: SignedDuration,
}

impl Default for ClockPolicy {
    fn default() -> Self {
        Self {
            tolerance: SignedDuration::from_mins(5),
            ask_after: SignedDuration::from_hours(2),
            leap: SignedDuration::from_hours(24),
        }
    }
}

/// What is known of our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// A target agrees.
    Witnessed,
    /// Nobody was heard, and nothing speaks against it.
    Unwitnessed,
    /// Every target that was heard says another time; ahead of them by this.
    Off {
        /// Negative when ours is behind.
        ahead: SignedDuration,
    },
    /// It is this far from our own last instant, and nobody can tell which of
    /// the two was wrong.
    Jumped {
        /// Negative when it went back.
        by: SignedDuration,
    },
}

impl Time {
    /// Whether nothing may be derived or sent by this clock.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Off { .. } | Self::Jumped { .. })
    }

    /// One line for people.
    #[must_use]
    pub fn line(self) -> String {
        match self {
            Self::Witnessed => "a target agrees with this machine's clock".to_owned(),
            Self::Unwitnessed => "nobody has looked at this machine's clock".to_owned(),
            Self::Off { ahead } => format!(
                "this machine's clock is {} the clocks of all targets that answered",
                relation(ahead, "ahead of", "behind")
            ),
            Self::Jumped { by } => format!(
                "this machine's clock went {} since the last cycle, and no target answered to \
                 confirm it",
                relation(by, "ahead", "back")
            ),
        }
    }
}

fn relation(by: SignedDuration, ahead: &str, behind: &str) -> String {
    // Rounded: a witness leaves out what the way and a whole second explain.
    let seconds = by.abs().as_secs();
    let amount = match seconds {
        0..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    };
    format!("{amount} {}", if by.is_negative() { behind } else { ahead })
}

/// Judges our clock at `now`. Pure.
#[must_use]
pub fn judge(
    now: Timestamp,
    last: Option<Timestamp>,
    witnesses: &[Witness],
    policy: &ClockPolicy,
) -> Time {
    if let Some(nearest) = fresh(now, witnesses, policy).min_by_key(|said| said.ahead.abs()) {
        let agrees = nearest.ahead.abs() <= policy.tolerance;
        return if agrees { Time::Witnessed } else { Time::Off { ahead: nearest.ahead } };
    }
    let by = last.map_or(SignedDuration::ZERO, |last| now.duration_since(last));
    let odd = by > policy.leap || by < -policy.tolerance;
    if odd { Time::Jumped { by } } else { Time::Unwitnessed }
}

/// Whether a target should be asked for the time before anything is derived:
/// the first time, and after a pause or a step back.
#[must_use]
pub fn wants_witness(
    now: Timestamp,
    last: Option<Timestamp>,
    witnesses: &[Witness],
    policy: &ClockPolicy,
) -> bool {
    let usual = |last: Timestamp| {
        let by = now.duration_since(last);
        -policy.tolerance <= by && by <= policy.ask_after
    };
    fresh(now, witnesses, policy).next().is_none() && !last.is_some_and(usual)
}

fn fresh<'a>(
    now: Timestamp,
    witnesses: &'a [Witness],
    policy: &'a ClockPolicy,
) -> impl Iterator<Item = &'a Witness> {
    witnesses.iter().filter(move |said| now.duration_since(said.heard).abs() <= policy.tolerance)
}

/// The last instant at which the clock was believed; `None` before the first.
///
/// # Errors
/// When the state can't be read.
pub fn last_instant(reader: &Reader) -> Result<Option<Timestamp>> {
    reader.db().clock_believed()
}

/// The instant of the truth that `target` was last given, where that is later
/// than `now` and not just by a tolerable step.
///
/// # Errors
/// When the state can't be read.
pub fn later_truth(
    reader: &Reader,
    target: &str,
    now: Timestamp,
    policy: &ClockPolicy,
) -> Result<Option<Timestamp>> {
    let as_of = reader.db().last_truth(target)?;
    Ok(as_of.filter(|as_of| as_of.duration_since(now) > policy.tolerance))
}

/// Who is asked when a clock is in doubt, and who ends the doubt by itself.
const OPERATOR: &str = "operator of this machine";
const ENDED: &str = "the clock agrees again";

/// Writes down what was judged: a believed instant, or a case in the scopes of
/// all targets, which holds until the clock agrees again or a person says that
/// it is right.
///
/// # Errors
/// When the state can't be written.
pub fn note(state: &Arc<State>, time: Time, now: Timestamp) -> Result<()> {
    state.change(move |tx| {
        if time.holds() {
            return hold(tx, time, now);
        }
        if time == Time::Witnessed {
            tx.witness_clock(now)?;
        }
        tx.believe_clock(now)?;
        tx.close_cases(CaseKind::Clock, ENDED, now)?;
        Ok(())
    })
}

fn hold(tx: &Tx<'_>, time: Time, now: Timestamp) -> Result<()> {
    let last = tx.clock_believed()?;
    let last = last.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let found = Found {
        kind: CaseKind::Clock,
        owner: OPERATOR.to_owned(),
        text: format!("{}; nothing is derived or sent by it", time.line()),
        example: format!("it says {now}; last believed: {last}"),
        cells: 0,
    };
    for (scope, ..) in tx.scopes()? {
        tx.file_case(scope, &found, now)?;
    }
    Ok(())
}

/// When a target last agreed with our clock, for `status`.
///
/// # Errors
/// When the state can't be read.
pub fn last_witness(reader: &Reader) -> Result<Option<Timestamp>> {
    reader.db().clock_witnessed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::now;

    const POLICY: ClockPolicy = ClockPolicy {
        tolerance: SignedDuration::from_mins(5),
        ask_after: SignedDuration::from_hours(2),
        leap: SignedDuration::from_hours(24),
    };

    fn hours(n: i64) -> SignedDuration {
        SignedDuration::from_hours(n)
    }

    fn said(ahead: SignedDuration, ago: SignedDuration) -> Witness {
        Witness { heard: now() - ago, ahead }
    }

    #[test]
    fn one_that_agrees_proves_it_and_all_others_blame_it() {
        let days = hours(40 * 24);
        let minute = SignedDuration::from_mins(1);
        let of = |last, witnesses: &[Witness]| judge(now(), last, witnesses, &POLICY);
        assert_eq!(of(None, &[]), Time::Unwitnessed, "a first start can't notice");
        assert_eq!(of(Some(now() - days), &[said(minute, minute)]), Time::Witnessed, "it was off");
        assert_eq!(of(Some(now()), &[said(days, minute)]), Time::Off { ahead: days });
        assert_eq!(of(None, &[said(days, minute), said(-minute, minute)]), Time::Witnessed);
        assert_eq!(of(Some(now() - days), &[said(minute, hours(1))]), Time::Jumped { by: days });
        assert_eq!(of(Some(now() + days), &[]), Time::Jumped { by: -days });
        assert_eq!(of(Some(now() - hours(23)), &[]), Time::Unwitnessed);
        let behind = Time::Off { ahead: -days };
        let nearly = Time::Off { ahead: days - SignedDuration::from_secs(2) };
        assert!(nearly.line().contains("40 days ahead of"), "{}", nearly.line());
        assert!(behind.holds() && behind.line().contains("40 days behind"), "{}", behind.line());
    }

    #[test]
    fn a_target_is_asked_first_after_a_pause_and_when_it_ran_back() {
        let wants = |last, witnesses: &[Witness]| wants_witness(now(), last, witnesses, &POLICY);
        assert!(wants(None, &[]) && wants(Some(now() - hours(3)), &[]));
        assert!(wants(Some(now() + hours(1)), &[]));
        assert!(!wants(Some(now() - hours(1)), &[]), "an ordinary cycle costs no request");
        assert!(!wants(None, &[said(hours(0), hours(0))]));
    }

    proptest! {
        /// A jump that a target can see is held, whatever we remember.
        #[test]
        fn no_jump_beyond_the_tolerance_passes_a_witness(
            off in 301_i64..10_000_000, back: bool, last in proptest::option::of(-10_000_000_i64..10_000_000),
        ) {
            let ahead = SignedDuration::from_secs(if back { -off } else { off });
            let last = last.map(|seconds| now() + SignedDuration::from_secs(seconds));
            let time = judge(now(), last, &[said(ahead, SignedDuration::ZERO)], &POLICY);
            prop_assert_eq!(time, Time::Off { ahead });
        }
    }
}
