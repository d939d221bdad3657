//! Which fact holds: authority, age, conflict, and the fall to the cautious
//! value.
//!
//! The newest valid fact of the strongest authority wins. Past its end a fact
//! is *held* for its time to live, then *assumed*: the lower of the last good
//! and the demonstrated mean, so that losing information never raises a number
//! (law 8). Two facts of equal authority that differ are in conflict, and the
//! lower holds.

use planthread_contracts::Status;
use rust_decimal::Decimal;

/// A claim about one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Rank of its source: the lowest wins.
    pub authority: u32,
    /// Who makes it: its newer claim replaces its older one.
    pub source: u16,
    /// When it was made, in milliseconds.
    pub issued: i64,
    /// From here on it is stale, in milliseconds.
    pub valid_until: i64,
    /// The number: more is better.
    pub value: Decimal,
}

/// What holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// The number.
    pub value: Decimal,
    /// How far it can be trusted.
    pub status: Status,
    /// Position of the winning claim.
    pub claim: usize,
}

/// What counts as old, and as different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Milliseconds for which a stale claim is held.
    pub time_to_live_ms: i64,
    /// Claims of equal authority that differ by more are in conflict.
    pub tolerance: Decimal,
}

/// Decides between `claims` at `as_of`. `demonstrated` is the mean to which a
/// claim falls when its time to live is over; a claim falls never above itself.
///
/// `None` when nobody claims anything.
#[must_use]
pub fn decide(
    claims: &[Claim],
    as_of: i64,
    demonstrated: Option<Decimal>,
    policy: Policy,
) -> Option<Truth> {
    let valid = |claim: &Claim| claim.issued <= as_of && as_of < claim.valid_until;
    let known = || claims.iter().enumerate().filter(|(_, claim)| claim.issued <= as_of);
    let any_valid = known().any(|(_, claim)| valid(claim));
    let (index, best) = if any_valid {
        known()
            .filter(|(_, claim)| valid(claim))
            .min_by_key(|(_, c)| (c.authority, std::cmp::Reverse(c.issued), c.value))?
    } else {
        known().max_by_key(|(_, c)| (c.valid_until, std::cmp::Reverse(c.value)))?
    };
    let is_held = |c: &Claim| as_of < c.valid_until.saturating_add(policy.time_to_live_ms);
    if any_valid {
        // The last word of a stronger source that fell silent caps a weaker one.
        let stronger = known().filter(|(_, c)| c.authority < best.authority);
        if let Some((index, last)) =
            stronger.max_by_key(|(_, c)| (c.issued, std::cmp::Reverse(c.value)))
            && last.value < best.value
        {
            let status = if is_held(last) { Status::Held } else { Status::Assumed };
            return Some(Truth { value: last.value, status, claim: index });
        }
        // The last word of each other source of the same authority must agree.
        let equals = || known().filter(|(_, c)| valid(c) && c.authority == best.authority);
        let last_word = |c: &Claim| {
            equals().all(|(_, other)| other.source != c.source || other.issued <= c.issued)
        };
        let rival = equals()
            .filter(|(_, c)| last_word(c) && (c.value - best.value).abs() > policy.tolerance)
            .min_by_key(|(_, c)| c.value);
        return Some(match rival {
            Some((other, rival)) if rival.value < best.value => {
                Truth { value: rival.value, status: Status::Conflicting, claim: other }
            }
            Some(_) => Truth { value: best.value, status: Status::Conflicting, claim: index },
            None => Truth { value: best.value, status: Status::Live, claim: index },
        });
    }
    if is_held(best) {
        return Some(Truth { value: best.value, status: Status::Held, claim: index });
    }
    let value = demonstrated.map_or(best.value, |mean| mean.min(best.value));
    Some(Truth { value, status: Status::Assumed, claim: index })
}

/// Whether the truth of a source that last spoke at `last_seen` still holds.
#[must_use]
pub fn age_status(last_seen: i64, as_of: i64, live_ms: i64, time_to_live_ms: i64) -> Status {
    let age = as_of - last_seen;
    if age <= live_ms {
        Status::Live
    } else if age <= time_to_live_ms {
        Status::Held
    } else {
        Status::Assumed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { time_to_live_ms: 100, tolerance: Decimal::ZERO };

    fn claim(authority: u32, issued: i64, valid_until: i64, value: i64) -> Claim {
        let source = u16::try_from(authority).unwrap();
        Claim { authority, source, issued, valid_until, value: value.into() }
    }

    #[test]
    fn authority_outranks_age_and_age_outranks_order() {
        let claims = [claim(2, 9, 50, 1), claim(1, 3, 50, 2), claim(1, 5, 50, 3)];
        let truth = decide(&claims, 10, None, POLICY).unwrap();
        assert_eq!((truth.claim, truth.status), (2, Status::Live));
        let early = decide(&claims, 4, None, POLICY).unwrap();
        assert_eq!(early.claim, 1);
    }

    #[test]
    fn equal_authority_that_differs_is_a_conflict_and_the_lower_holds() {
        let claims = [claim(1, 5, 50, 7), claim(1, 5, 50, 4)];
        let truth = decide(&claims, 10, None, POLICY).unwrap();
        assert_eq!((truth.value, truth.status), (4.into(), Status::Conflicting));
    }

    #[test]
    fn sources_of_one_authority_are_in_conflict_whenever_they_spoke() {
        let other = |issued, value| Claim { source: 9, ..claim(1, issued, 50, value) };
        let both = [claim(1, 2, 50, 9), claim(1, 5, 50, 7), other(3, 1), other(4, 4)];
        let truth = decide(&both, 10, None, POLICY).unwrap();
        assert_eq!((truth.value, truth.status), (4.into(), Status::Conflicting));
        let agreed = decide(&[claim(1, 5, 50, 7), other(3, 1), other(4, 7)], 10, None, POLICY);
        assert_eq!(agreed.unwrap().status, Status::Live);
    }

    #[test]
    fn a_stale_claim_is_held_then_falls() {
        let claims = [claim(1, 0, 10, 90)];
        let at = |as_of| decide(&claims, as_of, Some(80.into()), POLICY).unwrap();
        assert_eq!((at(9).status, at(9).value), (Status::Live, 90.into()));
        assert_eq!((at(10).status, at(10).value), (Status::Held, 90.into()));
        assert_eq!((at(110).status, at(110).value), (Status::Assumed, 80.into()));
        let low = decide(&claims, 110, Some(95.into()), POLICY).unwrap();
        assert_eq!(low.value, 90.into(), "the mean never raises the last good");
    }

    proptest! {
        #[test]
        fn law_8_growing_old_never_raises_the_number(
            value in 0i64..100, mean in proptest::option::of(0i64..100), valid in 1i64..50,
            weaker in 0i64..100, ages in proptest::collection::vec(0i64..400, 2..8),
        ) {
            // A weaker source that goes on speaking doesn't raise it either.
            let claims = [claim(1, 0, valid, value), claim(2, 0, 1_000, weaker)];
            let mut ages = ages;
            ages.sort_unstable();
            let mut last = Decimal::from(value);
            for age in ages {
                let now = decide(&claims, age, mean.map(Decimal::from), POLICY).unwrap().value;
                prop_assert!(now <= last);
                last = now;
            }
        }
    }
}
