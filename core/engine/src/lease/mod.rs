//! Who of several bridges may send: a lease on a folder that all of them share.
//!
//! [`Party`] decides and does no IO; [`folder`] reads and writes; [`Keeper`] does what
//! the party asks for, on a thread of its own. A lease has *terms*, each a file of its
//! own that is made once, by whoever gets there first: their numbers only grow. The
//! holder writes its file anew before the lease ends; a waiter takes the next term when
//! the file has stayed the same for as long as the lease lasts, by the waiter's own
//! clock. No two wall clocks are ever compared
//! (`docs/adr/0025-standby-holds-a-lease.md`).

pub mod folder;
mod keeper;
mod party;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    keeper::{Keeper, Standing},
    party::{Answer, Ask, Party, Turn},
};

/// The shortest lease, in seconds.
pub const LEAST_SECONDS: u64 = 5;
/// The longest one: so long a term is left alone of which nobody can say how long it is.
pub const MOST_SECONDS: u64 = 300;

/// What a term's file says. All but `seconds` and `released` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The machine of the holder, as it calls itself.
    pub machine: String,
    /// Its process id there.
    pub pid: u32,
    /// 16 hex digits drawn when the process began.
    pub holder: String,
    /// How long the lease lasts.
    pub seconds: u64,
    /// How often it was written.
    pub beat: u64,
    /// When, by the holder's wall clock. Nobody decides by it.
    pub at: Timestamp,
    /// Whether the holder has ended and sends nothing more.
    pub released: bool,
}

/// Bytes of a record on the disk, filled up with spaces: it is written over in place, and a
/// full disk stops no renewal.
const WIDTH: usize = 512;
/// Longest name of a machine that is kept.
const NAME: usize = 120;

impl Record {
    /// The bytes of its file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let plain = |c: &char| c.is_ascii_alphanumeric() || "-._".contains(*c);
        let machine = self.machine.chars().filter(plain).take(NAME).collect();
        let record = Self { machine, ..self.clone() };
        // A record has no map with keys that are no text: it can always be written.
        let mut bytes = serde_json::to_vec(&record).unwrap_or_default();
        bytes.resize(WIDTH - 1, b' ');
        bytes.push(b'\n');
        bytes
    }

    /// What `bytes` say; nothing where they were torn, or are somebody else's.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// How long the lease of `bytes` lasts at least.
    fn length(bytes: &[u8]) -> Duration {
        let seconds = Self::of(bytes).map_or(MOST_SECONDS, |record| record.seconds);
        Duration::from_secs(seconds.min(MOST_SECONDS))
    }
}
