//! What became of what was seeded, as a table.

use std::{collections::BTreeMap, fmt::Write as _};

/// What became of one seeded change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A person is asked before anything is written.
    Stopped,
    /// The plan names it in words that fit it.
    Named,
    /// Nothing was said.
    Silent,
    /// It changed no cell: no fault.
    Nothing,
}

/// Ends by kind.
#[derive(Debug, Default)]
pub(crate) struct Table(BTreeMap<String, [usize; 4]>);

impl Table {
    pub(crate) fn count(&mut self, kind: &str, end: End) {
        self.0.entry(kind.to_owned()).or_default()[end as usize] += 1;
    }

    /// Of the rows that are asked for: seeded, stopped, named, silent.
    pub(crate) fn of(&self, asked: impl Fn(&str) -> bool) -> (usize, usize, usize, usize) {
        let rows = self.0.iter().filter(|(name, _)| asked(name));
        rows.fold((0, 0, 0, 0), |(n, a, b, c), (_, [stopped, named, silent, _])| {
            (n + stopped + named + silent, a + stopped, b + named, c + silent)
        })
    }

    pub(crate) fn text(&self, title: &str) -> String {
        let mut text = format!(
            "\n{title:<44} {:>7} {:>8} {:>6} {:>6}  {:>9}\n",
            "seeded", "stopped", "named", "silent", "no change"
        );
        for (kind, [stopped, named, silent, nothing]) in &self.0 {
            let seeded = stopped + named + silent;
            let _ = writeln!(
                text,
                "{kind:<44} {seeded:>7} {stopped:>8} {named:>6} {silent:>6}  {nothing:>9}"
            );
        }
        text
    }
}
