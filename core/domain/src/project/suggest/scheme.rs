//! Families that are numbered in another way on the other side: 1, 2, 3 there,
//! 10, 20, 30 or a, b, c here.
//!
//! Only where a whole family of one side has as many members as one family of
//! the other, at one place, and one rule turns all numbers into the others.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Sides, Suggestion,
    likeness::words_alike,
    name::{Name, Word},
    words::{alike, is_general},
};

/// How sure a proposal by scheme is: less than any likeness that stands out.
const SCHEME: f64 = 0.5;

/// Least likeness of two words of stems.
const STEMS_ALIKE: f64 = 0.8;

/// Members of one stem, by their number.
type Family = BTreeMap<u64, usize>;

/// Proposals for families of which none was chosen by likeness.
pub(super) fn families(sides: &Sides, chosen: &[(usize, usize, f64)]) -> Vec<Suggestion> {
    let taken: BTreeSet<usize> = chosen.iter().map(|(s, ..)| *s).collect();
    let used: BTreeSet<usize> = chosen.iter().map(|(_, t, _)| *t).collect();
    let mut sources: BTreeMap<(Vec<String>, Vec<String>), Family> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (s, source) in sides.sources.iter().enumerate() {
        let Some((stem, number)) = member(&source.name) else { continue };
        let key = (stem, source.places.iter().cloned().collect());
        if taken.contains(&s) || sources.entry(key.clone()).or_default().insert(number, s).is_some()
        {
            broken.insert(key);
        }
    }
    let mut offers: BTreeMap<(Vec<String>, String), Family> = BTreeMap::new();
    let mut mixed = BTreeSet::new();
    for (t, offer) in sides.offers.iter().enumerate() {
        let Some((stem, number)) = member(&offer.name) else { continue };
        let key = (stem, offer.location.clone());
        if used.contains(&t) || offers.entry(key.clone()).or_default().insert(number, t).is_some() {
            mixed.insert(key);
        }
    }
    sources.retain(|key, family| family.len() >= 2 && !broken.contains(key));
    let mut found = Vec::new();
    for ((stem, places), family) in &sources {
        let fits = offers.iter().filter(|((other, location), members)| {
            (places.is_empty() || places.contains(location))
                && members.len() == family.len()
                && stems_alike(stem, other)
        });
        let fits: Vec<_> = fits.collect();
        let [(key, members)] = fits.as_slice() else { continue };
        // Two families that want the same one get none.
        let rivals = sources.keys().filter(|(other, _)| stems_alike(other, &key.0)).count();
        if rivals == 1 && !mixed.contains(*key) && one_rule(family, members) {
            let pairs = family.values().zip(members.values());
            found.extend(pairs.map(|(s, t)| sides.row(*s, *t, SCHEME)));
        }
    }
    found
}

/// Stem and number of a name that has exactly one number, or ends in a letter.
fn member(name: &Name) -> Option<(Vec<String>, u64)> {
    let own = name.own();
    let [number] = own.as_slice() else { return None };
    let number = match number.as_bytes() {
        [letter @ b'a'..=b'z'] => u64::from(letter - b'a') + 1,
        _ => number.parse().ok()?,
    };
    let words = name.words.iter().filter(|word| !is_general(&word.text));
    let stem: Vec<_> = words.map(|word| word.text.clone()).collect();
    (!stem.is_empty()).then_some((stem, number))
}

/// Whether each word of one stem has its own partner in the other.
fn stems_alike(a: &[String], b: &[String]) -> bool {
    let word = |text: &String| Word::of(text.clone());
    if alike(&a.concat(), &b.concat()) >= STEMS_ALIKE {
        return true;
    }
    let mut open: Vec<Word> = b.iter().map(word).collect();
    a.len() == b.len()
        && a.iter().map(word).all(|own| {
            let partner = open.iter().position(|other| words_alike(&own, other) >= STEMS_ALIKE);
            partner.map(|at| open.swap_remove(at)).is_some()
        })
}

/// Whether all numbers become the others by one factor, or by one addend.
fn one_rule(family: &Family, members: &Family) -> bool {
    let pairs: Vec<_> = family.keys().zip(members.keys()).collect();
    let Some((first, other)) = pairs.first() else { return false };
    let factor = other.checked_div(**first).filter(|factor| *factor > 0);
    let scaled =
        factor.is_some_and(|factor| pairs.iter().all(|(a, b)| a.checked_mul(factor) == Some(**b)));
    let moved = other
        .checked_sub(**first)
        .is_some_and(|step| pairs.iter().all(|(a, b)| a.checked_add(step) == Some(**b)));
    scaled || moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(numbers: &[u64]) -> Family {
        numbers.iter().enumerate().map(|(at, number)| (*number, at)).collect()
    }

    #[test]
    fn one_rule_turns_all_numbers() {
        for (ours, theirs, fits) in [
            ([1, 2, 3], [10, 20, 30], true),
            ([1, 2, 3], [101, 102, 103], true),
            ([1, 2, 3], [1, 2, 3], true),
            ([1, 2, 3], [1, 2, 4], false),
            ([1, 2, 4], [10, 20, 30], false),
            ([2, 3, 4], [1, 2, 3], false),
        ] {
            assert_eq!(one_rule(&family(&ours), &family(&theirs)), fits, "{ours:?} {theirs:?}");
        }
    }
}
