//! Pure: from what each write of a push says to what becomes of its batch, where a
//! target counts rows and names none.

use jiff::Timestamp;
use planthread_contracts::{Receipt, RowOutcome};

use crate::{AttemptId, PushOutcome};

/// What one write of several rows says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The target's own word.
    pub word: String,
    /// Rows that were taken, or are as they were sent.
    pub good: u64,
    /// Rows that were refused.
    pub errors: u64,
    /// Whether the target calls it a success.
    pub success: bool,
}

impl Tally {
    /// Whether every one of `rows` rows was taken.
    #[must_use]
    pub fn whole(&self, rows: usize) -> bool {
        self.success && self.errors == 0 && u64::try_from(rows) == Ok(self.good)
    }

    /// Whether it failed as a whole, without a word on rows.
    #[must_use]
    pub const fn failed(&self) -> bool {
        !self.success && self.good == 0 && self.errors == 0
    }
}

/// Collects what the writes of a push say.
#[derive(Debug)]
pub struct Tallied {
    rows: Vec<RowOutcome>,
    words: Vec<String>,
    refused: u64,
    failed: usize,
    writes: usize,
}

impl Tallied {
    /// An outcome in which nothing but `rows` is known.
    #[must_use]
    pub const fn new(rows: Vec<RowOutcome>) -> Self {
        Self { rows, words: Vec::new(), refused: 0, failed: 0, writes: 0 }
    }

    /// Takes what one write of `sent` rows says, which came from `cells`. Where not
    /// all of them were taken, none is judged.
    pub fn take(&mut self, tally: &Tally, sent: usize, cells: impl IntoIterator<Item = usize>) {
        self.writes += 1;
        self.words.push(tally.word.clone());
        self.refused = self.refused.saturating_add(tally.errors);
        self.failed += usize::from(tally.failed());
        if tally.whole(sent) {
            self.accepted(cells);
        }
    }

    /// Takes `word` for all `cells`: what was written holds exactly them.
    pub fn accept(&mut self, word: String, cells: impl IntoIterator<Item = usize>) {
        self.writes += 1;
        self.words.push(word);
        self.accepted(cells);
    }

    fn accepted(&mut self, cells: impl IntoIterator<Item = usize>) {
        for cell in cells {
            if let Some(row) = self.rows.get_mut(cell) {
                *row = RowOutcome::Accepted;
            }
        }
    }

    /// The end of the push under the id of its attempt.
    #[must_use]
    pub fn end(mut self, attempt: &AttemptId, at: Timestamp) -> PushOutcome {
        self.words.dedup();
        let verdict = match self.words.is_empty() {
            true => "nothing was sent".to_owned(),
            false => self.words.join(", "),
        };
        let receipt = Receipt { handle: attempt.to_string(), verdict, at };
        let mut outcome = PushOutcome::new(receipt, self.rows);
        outcome.refused_unnamed = usize::try_from(self.refused).unwrap_or(usize::MAX);
        outcome.failed = self.writes > 0 && self.failed == self.writes;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> AttemptId {
        AttemptId::parse(&"a".repeat(32)).unwrap()
    }

    fn tally(success: bool, good: u64, errors: u64) -> Tally {
        Tally { word: "w".to_owned(), good, errors, success }
    }

    #[test]
    fn rows_are_judged_only_where_all_of_a_write_were_taken() {
        let mut tallied = Tallied::new(vec![RowOutcome::Unproven; 4]);
        tallied.take(&tally(true, 1, 0), 1, [0, 1]);
        tallied.take(&tally(true, 1, 1), 2, [2, 3]);
        let end = tallied.end(&id(), Timestamp::UNIX_EPOCH);
        let [taken, open] = [RowOutcome::Accepted, RowOutcome::Unproven];
        assert_eq!(end.rows, [taken.clone(), taken, open.clone(), open]);
        assert_eq!(
            (end.refused_unnamed, end.failed, end.receipt.verdict.as_str()),
            (1, false, "w")
        );
    }

    #[test]
    fn a_push_failed_where_each_of_its_writes_did() {
        let end = |tallies: &[Tally]| {
            let mut tallied = Tallied::new(Vec::new());
            tallies.iter().for_each(|tally| tallied.take(tally, 1, []));
            tallied.end(&id(), Timestamp::UNIX_EPOCH).failed
        };
        assert!(!end(&[]) && end(&[tally(false, 0, 0)]));
        assert!(!end(&[tally(false, 0, 0), tally(false, 0, 1)]));
    }
}
