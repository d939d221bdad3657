//! What one bridge does about the lease: pure, step by step.
//!
//! Each step asks for one thing ([`Party::ask`]) and is told what came of it, with the
//! instants before and after by the party's own clock ([`Party::told`]).
//!
//! Why no two may send at once:
//! - A holder counts its term from *before* its last renewal, and stops a margin before
//!   the lease's length is over. It believes in a renewal only when, *after* it wrote,
//!   no later term was there.
//! - A waiter counts from *after* it first saw the same bytes, and takes the next term
//!   when a read that began a whole length later finds them again.
//! - Then it reads the old term once more. Where it is unchanged, each renewal of the
//!   holder comes after that, and will find the later term. Where it is changed, the
//!   holder may have looked just before: the new one sends nothing for a whole length.

use std::time::Duration;

use super::Record;

/// What is asked of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The newest term, and what its file says.
    Look,
    /// Make the file of this term, unless it is there.
    Claim {
        /// The term.
        term: u64,
    },
    /// The newest term, and what the file of an older one says.
    Compare {
        /// The older one; none where the last holder had ended.
        old: Option<u64>,
    },
    /// Write the file of this term anew; then, the newest term.
    Renew {
        /// The term.
        term: u64,
    },
    /// Nothing: a later term is somebody else's.
    Nothing,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Of [`Ask::Look`]: nothing where nobody ever held the lease.
    Looked(Option<(u64, Vec<u8>)>),
    /// Of [`Ask::Claim`]: whether it was not there.
    Claimed(bool),
    /// Of [`Ask::Compare`].
    Compared {
        /// The newest term.
        newest: Option<u64>,
        /// The bytes of the older one's file, where it is there.
        old: Option<Vec<u8>>,
    },
    /// Of [`Ask::Renew`]: the newest term; none where the own file is gone.
    Renewed(Option<u64>),
    /// The folder did not answer as it should.
    Failed,
}

/// When a party may send, by its own clock: from the first instant to before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its term: a later holder has a higher one.
    pub term: u64,
    /// From then on.
    pub from: Duration,
    /// Until then.
    pub until: Duration,
    /// Whether its file says whose it is.
    pub renewed: bool,
}

impl Turn {
    /// Whether it may send at `now`.
    #[must_use]
    pub fn holds(&self, now: Duration) -> bool {
        self.from <= now && now < self.until
    }
}

/// A term as a waiter saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sight {
    term: u64,
    bytes: Vec<u8>,
    /// After the first read that found these bytes.
    first: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Watching(Option<Sight>),
    Claiming { term: u64, old: Option<Sight> },
    Comparing { term: u64, old: Option<Sight>, began: Duration, ended: Duration },
    Holding(Turn),
    Lost { term: u64 },
}

/// One of those who want to send.
#[derive(Debug, Clone)]
pub struct Party {
    length: Duration,
    phase: Phase,
    /// Whether another one was met that lives.
    alive: bool,
}

impl Party {
    /// A party that wants the lease, of this length.
    #[must_use]
    pub const fn new(length: Duration) -> Self {
        Self { length, phase: Phase::Watching(None), alive: false }
    }

    /// A holder stops so long before its lease ends: clocks run apart a little, and a
    /// request that went out takes its time.
    #[must_use]
    pub fn margin(length: Duration) -> Duration {
        length / 5
    }

    /// What it wants done next.
    #[must_use]
    pub fn ask(&self) -> Ask {
        match &self.phase {
            Phase::Watching(_) => Ask::Look,
            Phase::Claiming { term, .. } => Ask::Claim { term: *term },
            Phase::Comparing { old, .. } => {
                Ask::Compare { old: old.as_ref().map(|sight| sight.term) }
            }
            Phase::Holding(turn) => Ask::Renew { term: turn.term },
            Phase::Lost { .. } => Ask::Nothing,
        }
    }

    /// How long it may wait before it asks: nothing in the middle of a claim.
    #[must_use]
    pub fn pause(&self) -> Duration {
        match &self.phase {
            Phase::Claiming { .. } | Phase::Comparing { .. } => Duration::ZERO,
            Phase::Watching(_) => (self.length / 10).min(Duration::from_secs(5)),
            // The first renewal says who holds it.
            Phase::Holding(Turn { renewed: false, .. }) => Duration::ZERO,
            Phase::Holding(_) => self.length / 5,
            Phase::Lost { .. } => self.length,
        }
    }

    /// Takes in what came of its last [`Ask`], which began and ended at these instants of
    /// its own clock.
    pub fn told(&mut self, answer: Answer, began: Duration, ended: Duration) {
        let phase = std::mem::replace(&mut self.phase, Phase::Watching(None));
        self.phase = match (phase, answer) {
            (Phase::Watching(seen), Answer::Looked(found)) => {
                self.looked(seen, found, began, ended)
            }
            (Phase::Claiming { term, old }, Answer::Claimed(true)) => {
                Phase::Comparing { term, old, began, ended }
            }
            (
                Phase::Comparing { term, old, began, ended },
                Answer::Compared { newest, old: now },
            ) => {
                if newest != Some(term) {
                    Phase::Watching(None)
                } else {
                    let is_same = old.is_none_or(|old| now.as_ref() == Some(&old.bytes));
                    let from = if is_same { ended } else { ended + self.length };
                    Phase::Holding(Turn { term, from, until: self.end(began), renewed: false })
                }
            }
            (Phase::Holding(turn), Answer::Renewed(newest)) if newest == Some(turn.term) => {
                Phase::Holding(Turn { until: self.end(began), renewed: true, ..turn })
            }
            (Phase::Holding(Turn { term, .. }), Answer::Renewed(_)) => Phase::Lost { term },
            (Phase::Claiming { .. }, answer) => {
                self.alive |= answer == Answer::Claimed(false);
                // One that may have been made all the same is met as somebody else's.
                Phase::Watching(None)
            }
            // What was asked is not known to have happened: what is known stays.
            (phase, _) => phase,
        };
    }

    fn looked(
        &mut self,
        seen: Option<Sight>,
        found: Option<(u64, Vec<u8>)>,
        began: Duration,
        ended: Duration,
    ) -> Phase {
        let Some((term, bytes)) = found else { return Phase::Claiming { term: 1, old: None } };
        if Record::of(&bytes).is_some_and(|record| record.released) {
            return Phase::Claiming { term: term + 1, old: None };
        }
        match seen {
            Some(sight) if sight.term == term && sight.bytes == bytes => {
                let length = self.length.max(Record::length(&bytes));
                if began.saturating_sub(sight.first) >= length {
                    Phase::Claiming { term: term + 1, old: Some(sight) }
                } else {
                    Phase::Watching(Some(sight))
                }
            }
            before => {
                self.alive |= before.is_some();
                Phase::Watching(Some(Sight { term, bytes, first: ended }))
            }
        }
    }

    /// When a term that was written after `began` ends for its holder.
    fn end(&self, began: Duration) -> Duration {
        began + self.length.saturating_sub(Self::margin(self.length))
    }

    /// When it may send; nothing while it waits, or has lost the lease.
    #[must_use]
    pub const fn turn(&self) -> Option<Turn> {
        match self.phase {
            Phase::Holding(turn) => Some(turn),
            _ => None,
        }
    }

    /// The term that it held, once a later one is somebody else's.
    #[must_use]
    pub const fn lost(&self) -> Option<u64> {
        match self.phase {
            Phase::Lost { term } => Some(term),
            _ => None,
        }
    }

    /// Whether it met another one that holds the lease and lives.
    #[must_use]
    pub const fn alive(&self) -> bool {
        self.alive
    }

    /// Whose record a waiter saw last.
    #[must_use]
    pub fn seen(&self) -> Option<(u64, Option<Record>)> {
        match &self.phase {
            Phase::Watching(Some(sight)) => Some((sight.term, Record::of(&sight.bytes))),
            _ => None,
        }
    }
}
