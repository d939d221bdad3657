//! A name, cut into words and numbers.

use std::collections::BTreeSet;

use super::words::{folded, halves, idea};

/// One part of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Letters, folded.
    Word(String),
    /// Digits without leading zeros, or a letter at the end that counts.
    Number(String),
}

/// A name in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) words: Vec<Word>,
    pub(super) numbers: Vec<Number>,
    /// Letters and digits alone, folded.
    pub(super) plain: String,
}

/// One word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// The kind of machine that it stands for.
    pub(super) idea: Option<&'static str>,
}

impl Word {
    /// A folded word.
    pub(super) fn of(text: String) -> Self {
        Self { idea: idea(&text), text }
    }
}

/// One number of a name: it tells siblings apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) text: String,
    /// The word before it, by its place.
    pub(super) after: Option<usize>,
    /// Whether it names a place and not the resource.
    pub(super) code: bool,
}

/// Cuts a text where letters meet digits, at capitals inside, and at signs.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let (mut found, mut run, mut before) = (Vec::new(), String::new(), ' ');
    for sign in text.chars().chain([' ']) {
        let seam = !sign.is_alphanumeric()
            || before.is_numeric() != sign.is_numeric()
            || (before.is_lowercase() && sign.is_uppercase());
        if seam && !run.is_empty() {
            found.push(part(&std::mem::take(&mut run)));
        }
        if sign.is_alphanumeric() {
            run.push(sign);
        }
        before = sign;
    }
    found
}

fn part(run: &str) -> Part {
    if !run.starts_with(char::is_numeric) {
        return Part::Word(folded(run));
    }
    let digits = run.trim_start_matches('0');
    Part::Number(if digits.is_empty() { "0" } else { digits }.to_owned())
}

impl Name {
    /// Reads `text`; numbers among `places` name a place, and are cut off where
    /// a longer number begins with one.
    pub(super) fn read(text: &str, places: &BTreeSet<String>) -> Self {
        let mut name = Self::default();
        let all = parts(text);
        let last = all.len().saturating_sub(1);
        for (n, part) in all.into_iter().enumerate() {
            match part {
                // A letter at the end counts: press A, press B.
                Part::Word(letter) if letter.chars().count() == 1 && n == last && n > 0 => {
                    name.number(letter, false);
                }
                Part::Word(text) => {
                    name.plain.push_str(&text);
                    match halves(&text) {
                        Some((head, tail)) => {
                            name.words.extend([head, tail].map(|half| Word::of(half.to_owned())));
                        }
                        None => name.words.push(Word::of(text)),
                    }
                }
                Part::Number(digits) => {
                    let place = places.iter().find(|place| digits.starts_with(place.as_str()));
                    let rest = place.map_or(&*digits, |place| &digits[place.len()..]);
                    let rest = rest.trim_start_matches('0').to_owned();
                    if let Some(place) = place {
                        name.number(place.clone(), true);
                    }
                    if !rest.is_empty() || place.is_none() {
                        let rest = if rest.is_empty() { digits } else { rest };
                        name.number(rest, false);
                    }
                }
            }
        }
        name
    }

    /// Leaves out the words that `drop` names.
    pub(super) fn without(&mut self, drop: impl Fn(&str) -> bool) {
        let kept: Vec<bool> = self.words.iter().map(|word| !drop(&word.text)).collect();
        for number in &mut self.numbers {
            let before = number.after.filter(|at| kept[*at]);
            number.after = before.map(|at| kept[..at].iter().filter(|kept| **kept).count());
        }
        self.words.retain(|word| !drop(&word.text));
    }

    fn number(&mut self, text: String, code: bool) {
        self.plain.push_str(&text);
        let after = self.words.len().checked_sub(1);
        self.numbers.push(Number { text, after, code });
    }

    /// The numbers that tell it from its siblings, in order of their text.
    pub(super) fn own(&self) -> Vec<&str> {
        let own = self.numbers.iter().filter(|number| !number.code);
        let mut own: Vec<_> = own.map(|number| number.text.as_str()).collect();
        own.sort_unstable();
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let name = Name::read(text, &BTreeSet::from(["1010".to_owned()]));
        let words = name.words.iter().map(|word| word.text.clone()).collect();
        (words, name.own().into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn names_are_cut_where_people_would() {
        let of = |words: &[&str], own: &[&str]| {
            let owned =
                |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            (owned(words), owned(own))
        };
        assert_eq!(read("PRESS-01"), of(&["press"], &["1"]));
        assert_eq!(read("weldrobot 2"), of(&["weld", "robot"], &["2"]));
        assert_eq!(read("PressLine2"), of(&["press", "line"], &["2"]));
        assert_eq!(read("1010PRS001"), of(&["prs"], &["1"]));
        assert_eq!(read("101007_SÄGE"), of(&["sage"], &["7"]));
        assert_eq!(read("press-b"), of(&["press"], &["b"]));
        assert_eq!(read("1010"), of(&[], &[]));
        assert_eq!(read("000"), of(&[], &["0"]));
    }
}
