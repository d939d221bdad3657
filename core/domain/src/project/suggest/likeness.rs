//! How alike two names are, by what their parts tell on each side.

use std::collections::BTreeMap;

use super::{
    name::{Name, Word},
    words::{alike, is_general},
};

/// Words of one idea, however they are spelt; likeness of spelling adds the rest.
const SAME_IDEA: f64 = 0.8;
/// One word of first letters, the other in full.
const INITIALS: f64 = 0.8;
/// A number behind another word than on the other side.
const OTHER_PLACE: f64 = 0.8;
/// What a number tells: siblings differ by nothing else.
const NUMBER_WEIGHT: f64 = 0.6;
/// What a word tells that any resource may carry.
const GENERAL_WEIGHT: f64 = 0.05;

/// How much each word of one side tells: what stands in every name tells little.
#[derive(Debug, Default)]
pub(super) struct Weights {
    names: f64,
    counts: BTreeMap<String, f64>,
}

impl Weights {
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a Name>) -> Self {
        let mut weights = Self::default();
        for name in names {
            weights.names += 1.0;
            let mut words: Vec<&str> = name.words.iter().map(|word| &*word.text).collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                *weights.counts.entry(word.to_owned()).or_default() += 1.0;
            }
        }
        weights
    }

    fn word(&self, word: &Word) -> f64 {
        if is_general(&word.text) {
            return GENERAL_WEIGHT;
        }
        let count = self.counts.get(&word.text).copied().unwrap_or(1.0);
        (1.0 + self.names / count).ln() / (1.0 + self.names).ln()
    }
}

/// How alike two words are.
pub(super) fn words_alike(a: &Word, b: &Word) -> f64 {
    let spelt = alike(&a.text, &b.text);
    let meant = a.idea.is_some() && a.idea == b.idea;
    if meant { SAME_IDEA + (1.0 - SAME_IDEA) * spelt } else { spelt }
}

/// Least share of the words that must have a partner, by what they tell.
const WORDS_LEAST: f64 = 0.5;

/// How alike two names are, 0 to 1; 0 where a number of each has no partner, since
/// press 1 is never press 2.
pub(super) fn likeness(a: (&Name, &Weights), b: (&Name, &Weights)) -> f64 {
    let ((left, left_weights), (right, right_weights)) = (a, b);
    let pairs = partners(&left.words, &right.words);
    let weigh = |weights: &Weights, words: &[Word]| -> f64 {
        words.iter().map(|word| weights.word(word)).sum()
    };
    let all = weigh(left_weights, &left.words) + weigh(right_weights, &right.words);
    let one_by_one = pairs.iter().map(|(l, r, quality)| {
        quality * (left_weights.word(&left.words[*l]) + right_weights.word(&right.words[*r]))
    });
    let one_by_one = one_by_one.sum::<f64>();
    let as_one = all * joined(&left.words, &right.words);
    // A number behind a word that is two belongs to both.
    let places = (one_by_one >= as_one).then_some(&*pairs);
    let Some(numbers) = numbers(left, right, places) else { return 0.0 };
    let matched = one_by_one.max(as_one);
    let speaks = |name: &Name| name.words.iter().any(|word| !is_general(&word.text));
    if (speaks(left) || speaks(right)) && matched < WORDS_LEAST * all {
        return 0.0;
    }
    let own = left.own().len() + right.own().len();
    #[expect(clippy::cast_precision_loss, reason = "numbers of a name")]
    let whole = all + NUMBER_WEIGHT * own as f64;
    if whole == 0.0 { 0.0 } else { (matched + NUMBER_WEIGHT * numbers) / whole }
}

/// Which words stand for each other, the most alike first.
fn partners(left: &[Word], right: &[Word]) -> Vec<(usize, usize, f64)> {
    let mut all = Vec::new();
    for (l, a) in left.iter().enumerate() {
        for (r, b) in right.iter().enumerate() {
            let quality = words_alike(a, b);
            if quality > 0.0 {
                all.push((l, r, quality));
            }
        }
    }
    all.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut chosen: Vec<(usize, usize, f64)> = Vec::new();
    for pair in all {
        if chosen.iter().all(|taken| taken.0 != pair.0 && taken.1 != pair.1) {
            chosen.push(pair);
        }
    }
    chosen
}

/// How alike all words of both are without the gaps between them, where one
/// side has more of them: `weldrobot`, `weld robot`; `imm`, `injection moulding
/// machine`.
fn joined(left: &[Word], right: &[Word]) -> f64 {
    if left.is_empty() || right.is_empty() || left.len() == right.len() {
        return 0.0;
    }
    let whole = |words: &[Word]| words.iter().map(|word| &*word.text).collect::<String>();
    let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
    let first: String = many.iter().filter_map(|word| word.text.chars().next()).collect();
    let initials = few.len() == 1 && few[0].text == first;
    // The first of the words alone explains nothing of the others.
    let first_alone = many[0].text.starts_with(&whole(few));
    let spelt = if first_alone { 0.0 } else { alike(&whole(left), &whole(right)) };
    if initials { spelt.max(INITIALS) } else { spelt }
}

/// Matches the numbers: how well, in numbers of both sides; `None` where one of
/// each side stays alone.
fn numbers(left: &Name, right: &Name, pairs: Option<&[(usize, usize, f64)]>) -> Option<f64> {
    let own = |name: &Name| -> Vec<(String, Option<usize>)> {
        let own = name.numbers.iter().filter(|number| !number.code);
        own.map(|number| (number.text.clone(), number.after)).collect()
    };
    let (left_own, mut right_own) = (own(left), own(right));
    let (mut matched, mut alone) = (0.0, false);
    for (text, after) in left_own {
        let behind = |other: Option<usize>| match (after, other, pairs) {
            (Some(l), Some(r), Some(pairs)) => pairs.iter().any(|pair| (pair.0, pair.1) == (l, r)),
            _ => true,
        };
        let same = |(other, _): &(String, Option<usize>)| *other == text;
        let best = right_own
            .iter()
            .position(|number| same(number) && behind(number.1))
            .or_else(|| right_own.iter().position(same));
        match best {
            None => alone = true,
            Some(best) => {
                let (_, other) = right_own.remove(best);
                matched += 2.0 * if behind(other) { 1.0 } else { OTHER_PLACE };
            }
        }
    }
    (!alone || right_own.is_empty()).then_some(matched)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn like(a: &str, b: &str) -> f64 {
        let [a, b] = [a, b].map(|text| Name::read(text, &BTreeSet::new()));
        let others = ["press 9", "weld 9", "paint 9", "oven 9"];
        let others: Vec<_> = others.iter().map(|text| Name::read(text, &BTreeSet::new())).collect();
        let weights = Weights::of(others.iter().chain([&a, &b]));
        likeness((&a, &weights), (&b, &weights))
    }

    #[test]
    fn spelling_order_and_tongue_matter_little_and_numbers_much() {
        for (a, b) in [
            ("press-01", "PRS001"),
            ("weldrobot 3", "WELD-ROBOT-03"),
            ("Schweissroboter 3", "ROB_WELD_3"),
            ("line 2 press 1", "PRS-1-LINE-2"),
            ("Lackierofen", "PAINT-OVEN"),
        ] {
            assert!(like(a, b) > 0.6, "{a} {b}: {}", like(a, b));
        }
        for (a, b) in
            [("press-1", "PRESS-10"), ("press-1", "PRESS-2"), ("press 1", "WELD 1"), ("a", "b")]
        {
            assert!(like(a, b) < 0.01, "{a} {b}: {}", like(a, b));
        }
        assert!(like("press 1", "PRESS") < like("press 1", "PRESS-1"));
    }

    #[test]
    fn a_number_belongs_to_its_word() {
        let right = like("hall 2 press 1", "HALL2-PRESS1");
        assert!(right > like("hall 2 press 1", "HALL1-PRESS2"));
    }
}
