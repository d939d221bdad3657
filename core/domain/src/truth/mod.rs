//! Which fact holds: authority, age, conflict, and the fall to the cautious
//! value.
//!
//! The newest valid fact of the strongest authority wins. Past its end a fact
//! is *held* for its time to live, then *assumed*: the lower of the last good
//! and the demonstrated mean, so that losing information never raises a number
//! (law 8). Two facts of equal authority that differ are in conflict, and the
//! lower holds.

use std::cmp::Reverse;

use planthread_contracts::Status;
use rust_decimal::Decimal;

/// A claim about one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Rank of its source: the lowest wins.
    pub(crate) authority: u32,
    /// Who makes it: its newer claim replaces its older one.
    pub(crate) source: u16,
    /// When it was made, in milliseconds.
    pub(crate) issued: i64,
    /// From here on it is stale, in milliseconds.
    pub(crate) valid_until: i64,
    /// The number: more is better.
    pub(crate) value: Decimal,
}

/// What holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    /// The number.
    pub(crate) value: Decimal,
    /// How far it can be trusted.
    pub(crate) status: Status,
    /// Position of the winning claim.
    pub(crate) claim: usize,
}

/// What counts as old, and as different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Milliseconds for which a stale claim is held.
    pub(crate) time_to_live_ms: i64,
    /// Claims of equal authority that differ by more are in conflict.
    pub(crate) tolerance: Decimal,
}

/// The claims that count at one instant.
struct Standing {
    /// Their positions: the one that holds, and those that cap it.
    claims: Vec<usize>,
    /// Whether any claim is valid.
    any_valid: bool,
    /// Whether valid ones of one rank differ.
    differ: bool,
}

/// The strongest valid claim holds, of equal ones the newest; without any the one
/// that was valid last. A claim of its rank or a stronger one that grew stale caps
/// it, and so does a valid one of its rank that differs. So whoever falls silent
/// raises nothing (law 8).
///
/// `None` when nobody claims anything.
fn standing(claims: &[Claim], as_of: i64, tolerance: Decimal) -> Option<Standing> {
    let replaced = |claim: &Claim| {
        let mut known = claims.iter().filter(|other| other.issued <= as_of);
        known.any(|other| other.source == claim.source && other.issued > claim.issued)
    };
    let counts = |claim: &Claim| claim.issued <= as_of && !replaced(claim);
    let known = || claims.iter().enumerate().filter(|(_, claim)| counts(claim));
    let valid = |claim: &Claim| as_of < claim.valid_until;
    let any_valid = known().any(|(_, claim)| valid(claim));
    let last = known().map(|(_, claim)| claim.valid_until).max()?;
    let (first, best) = known()
        .filter(|(_, claim)| if any_valid { valid(claim) } else { claim.valid_until == last })
        .min_by_key(|(_, claim)| (claim.authority, Reverse(claim.issued), claim.value))?;
    // The last word of each other source of the same authority must agree.
    let rivals = |claim: &Claim| {
        let differ = (claim.value - best.value).abs() > tolerance;
        valid(claim) && claim.authority == best.authority && differ
    };
    let stale = |claim: &Claim| !valid(claim) && claim.authority <= best.authority;
    let caps = known().filter(|(_, claim)| stale(claim) || rivals(claim)).map(|(index, _)| index);
    Some(Standing {
        claims: std::iter::once(first).chain(caps.filter(|index| *index != first)).collect(),
        any_valid,
        differ: any_valid && known().any(|(_, claim)| rivals(claim)),
    })
}

/// Decides between `claims` at `as_of`: of those that count the lowest.
/// `demonstrated` is the mean to which a claim falls when its time to live is over;
/// a claim falls never above itself.
///
/// `None` when nobody claims anything; beside it the positions of all that count.
pub(crate) fn decide(
    claims: &[Claim],
    as_of: i64,
    demonstrated: Option<Decimal>,
    policy: Policy,
) -> Option<(Truth, Vec<usize>)> {
    let Standing { claims: counting, any_valid, differ } =
        standing(claims, as_of, policy.tolerance)?;
    let claim = counting.iter().copied().min_by_key(|index| claims[*index].value)?;
    let least = claims[claim];
    let is_held = as_of < least.valid_until.saturating_add(policy.time_to_live_ms);
    let status = match (as_of < least.valid_until, is_held) {
        _ if differ => Status::Conflicting,
        (true, _) => Status::Live,
        (false, true) => Status::Held,
        (false, false) => Status::Assumed,
    };
    let falls = !any_valid && status == Status::Assumed;
    let mean = demonstrated.filter(|_| falls).unwrap_or(least.value);
    Some((Truth { value: least.value.min(mean), status, claim }, counting))
}

/// Whether the truth of a source that last spoke at `last_seen` still holds.
pub(crate) fn age_status(last_seen: i64, as_of: i64, live_ms: i64, time_to_live_ms: i64) -> Status {
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

    fn decide(
        claims: &[Claim],
        as_of: i64,
        demonstrated: Option<Decimal>,
        policy: Policy,
    ) -> Option<Truth> {
        super::decide(claims, as_of, demonstrated, policy).map(|(truth, _)| truth)
    }

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
            told in proptest::collection::vec((1u32..4, 0i64..100, 1i64..300), 1..6),
            mean in proptest::option::of(0i64..100),
            ages in proptest::collection::vec(0i64..600, 2..12),
        ) {
            // Whoever is silent, and in whatever order they grow old: nobody says more.
            let claims: Vec<Claim> = told
                .iter()
                .zip(0..)
                .map(|((authority, value, valid), source)| {
                    let issued = -i64::from(source % 3);
                    Claim { source, ..claim(*authority, issued, *valid, *value) }
                })
                .collect();
            let mut ages = ages;
            ages.sort_unstable();
            let mut last = Decimal::from(100);
            for age in ages {
                let now = decide(&claims, age, mean.map(Decimal::from), POLICY).unwrap().value;
                prop_assert!(now <= last, "{claims:?} at {age}");
                last = now;
            }
        }

        #[test]
        fn a_newer_word_of_a_source_replaces_its_older_one_also_when_it_is_stale(
            old in 0i64..100, new in 0i64..100, age in 10i64..300,
        ) {
            let claims = [claim(1, 0, 400, old), claim(1, 5, 10, new)];
            let truth = decide(&claims, age, None, POLICY).unwrap();
            prop_assert_eq!((truth.value, truth.claim), (new.into(), 1));
        }
    }
}
