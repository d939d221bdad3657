//! What a target's `Date` says about our clock (RFC 9110 section 6.6.1).

use http::{
    HeaderMap,
    header::{AGE, DATE},
};
use jiff::{SignedDuration, Timestamp};

use super::retry_after::date;

/// A target has looked at our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// When its answer arrived, by our clock.
    pub heard: Timestamp,
    /// How far our clock is ahead of the target's, at the least; negative when
    /// ours is behind, zero when the way there and back explains everything.
    pub ahead: SignedDuration,
}

/// `Date` has whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

impl Witness {
    /// What the answer with `headers` says, which was asked for at `sent` and
    /// arrived at `heard`. `None` without a date, from somebody's cache, or when
    /// our own clock ran backwards meanwhile.
    #[must_use]
    pub fn of(headers: &HeaderMap, sent: Timestamp, heard: Timestamp) -> Option<Self> {
        if headers.contains_key(AGE) || heard < sent {
            return None;
        }
        let theirs = date(headers.get(DATE)?.to_str().ok()?)?;
        // They wrote it after we had sent and before we had heard, within the
        // second that it names.
        let least = sent.duration_since(theirs) - SECOND;
        let most = heard.duration_since(theirs);
        let ahead = match () {
            () if least.is_positive() => least,
            () if most.is_negative() => most,
            () => SignedDuration::ZERO,
        };
        Some(Self { heard, ahead })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(theirs: Timestamp) -> HeaderMap {
        let text = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        HeaderMap::from_iter([(DATE, text.parse().unwrap())])
    }

    proptest! {
        /// Whatever the way takes, an equal clock is never blamed, and another
        /// one never for more than it is off.
        #[test]
        fn the_way_explains_what_it_can(
            off in -4_000_000_i64..4_000_000, way in 0_i64..600_000, there in 0_i64..600_000, at in 0_i64..100_000,
        ) {
            let there = there.min(way);
            let sent = Timestamp::from_millisecond(1_800_000_000_000 + at).unwrap();
            let ms = SignedDuration::from_millis;
            let theirs = sent + ms(there) - ms(off);
            let witness = Witness::of(&answer(theirs), sent, sent + ms(way)).unwrap();
            let said = witness.ahead.as_millis();
            prop_assert!(said * i128::from(off.signum()) >= 0 && said.abs() <= i128::from(off.abs()));
            prop_assert!((said - i128::from(off)).abs() <= i128::from(way) + 1_000);
        }
    }

    #[test]
    fn no_date_a_cache_and_a_clock_that_ran_back_say_nothing() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        assert_eq!(Witness::of(&HeaderMap::new(), now, now), None);
        assert_eq!(Witness::of(&answer(now), now, now - SECOND), None);
        let mut cached = answer(now);
        cached.insert(AGE, "7200".parse().unwrap());
        assert_eq!(Witness::of(&cached, now, now), None);
        let odd = HeaderMap::from_iter([(DATE, "soon".parse().unwrap())]);
        assert_eq!(Witness::of(&odd, now, now), None);
        let days = SignedDuration::from_hours(40 * 24);
        let witness = Witness::of(&answer(now), now + days, now + days).unwrap();
        assert_eq!((witness.heard, witness.ahead), (now + days, days - SECOND));
    }
}
