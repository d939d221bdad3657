//! Seeds that are changed by chance, the same ones for the same number.

/// Numbers without a pattern (SplitMix64).
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// The next one.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    /// `bytes` with a few places changed: a byte turned, bytes taken out, doubled, or
    /// put in from `other`, a number made huge.
    pub fn changed(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let from = self.below(changed.len());
            let to = (from + self.below(24)).min(changed.len());
            let part = match self.next() % 6 {
                0 => vec![u8::try_from(self.next() % 256).unwrap_or(0)],
                1 => Vec::new(),
                2 => changed[from..to].repeat(2),
                3 => b"99999999999999999999".to_vec(),
                4 => b"-0".to_vec(),
                _ => {
                    let at = self.below(other.len());
                    other[at..(at + self.below(40)).min(other.len())].to_vec()
                }
            };
            changed.splice(from..to, part);
        }
        changed
    }
}
