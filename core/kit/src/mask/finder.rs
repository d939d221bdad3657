//! Finds many byte strings in one pass: a table of first pairs, then a
//! comparison. Most places fail at the table.

use std::collections::HashMap;

/// What is looked for, by its first two bytes.
pub(super) struct Finder {
    pairs: Vec<u64>,
    needles: HashMap<[u8; 2], Vec<Vec<u8>>>,
}

impl Finder {
    /// A finder of `needles`, each of at least two bytes.
    pub(super) fn new<'a>(needles: impl Iterator<Item = &'a Vec<u8>>) -> Self {
        let mut finder = Self { pairs: vec![0; 1 << 10], needles: HashMap::new() };
        for needle in needles.filter(|needle| needle.len() >= 2) {
            let pair = [needle[0], needle[1]];
            let at = usize::from(u16::from_be_bytes(pair));
            finder.pairs[at / 64] |= 1 << (at % 64);
            finder.needles.entry(pair).or_default().push(needle.clone());
        }
        finder
    }

    /// Calls `hit` with start and end of every needle in `text`.
    pub(super) fn find(&self, text: &[u8], hit: &mut dyn FnMut(usize, usize)) {
        for (start, pair) in text.windows(2).enumerate() {
            let pair = [pair[0], pair[1]];
            let at = usize::from(u16::from_be_bytes(pair));
            if self.pairs[at / 64] & (1 << (at % 64)) == 0 {
                continue;
            }
            for needle in self.needles.get(&pair).into_iter().flatten() {
                if text[start..].starts_with(needle) {
                    hit(start, start + needle.len());
                }
            }
        }
    }
}
