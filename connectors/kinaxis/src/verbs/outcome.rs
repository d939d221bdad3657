//! Pure: from what each write says to what becomes of the batch.

use planthread_contracts::{Receipt, RowOutcome};
use planthread_kit::PushOutcome;

use crate::{receipt::Tally, rows::Part};

/// Collects what the writes of a push say.
#[derive(Debug)]
pub(crate) struct Outcome {
    rows: Vec<RowOutcome>,
    words: Vec<String>,
    refused: u64,
    failed: usize,
    writes: usize,
}

impl Outcome {
    /// An outcome in which nothing is proven.
    pub(crate) const fn new(rows: Vec<RowOutcome>) -> Self {
        Self { rows, words: Vec::new(), refused: 0, failed: 0, writes: 0 }
    }

    /// Takes what one write of `part` says. Rows are not named in a tally: where
    /// not all of them were taken, none is judged.
    pub(crate) fn take(&mut self, part: &Part, tally: &Tally) {
        self.writes += 1;
        self.words.push(tally.word.clone());
        self.refused += tally.errors;
        self.failed += usize::from(tally.failed());
        if tally.whole(part.rows.len()) {
            for &cell in part.rows.iter().flat_map(|line| &line.cells) {
                self.rows[cell] = RowOutcome::Accepted;
            }
        }
    }

    /// Takes `word` for all rows: what was written holds exactly them.
    pub(crate) fn accept(&mut self, parts: &[Part], word: String) {
        self.writes += 1;
        self.words.push(word);
        for &cell in parts.iter().flat_map(|part| &part.rows).flat_map(|line| &line.cells) {
            self.rows[cell] = RowOutcome::Accepted;
        }
    }

    /// The end of the push under a handle of ours.
    pub(crate) fn end(mut self, handle: String, at: jiff::Timestamp) -> PushOutcome {
        self.words.dedup();
        let verdict = match self.words.is_empty() {
            true => "nothing was sent".to_owned(),
            false => self.words.join(", "),
        };
        let mut outcome = PushOutcome::new(Receipt { handle, verdict, at }, self.rows);
        outcome.refused_unnamed = usize::try_from(self.refused).unwrap_or(usize::MAX);
        outcome.failed = self.writes > 0 && self.failed == self.writes;
        outcome
    }
}
