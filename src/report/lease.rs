//! Who holds the lease, for whoever asks how it stands.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use planthread_engine::lease::{Record, folder};
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone};
use crate::config::LeaseConfig;

/// How the lease stands by its folder. Who decides looks for how long it stays the same;
/// the instant here is of the holder's clock.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeaseLine {
    /// Its folder.
    pub folder: PathBuf,
    /// The newest term; each holder has a higher one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// The machine of the active bridge, as it calls itself; none where it has ended, or
    /// can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Its process there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it renewed the lease, by its own clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed: Option<Timestamp>,
    /// Whether it was renewed longer ago than it lasts, by this machine's clock: it is gone,
    /// suspended, or cut off, or the clocks differ.
    pub overdue: bool,
    /// Why the folder can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl LeaseLine {
    /// That of `config`, now.
    #[must_use]
    pub fn of(config: &LeaseConfig, now: Timestamp) -> Self {
        let folder = config.folder.clone();
        let (found, fault) = match folder::holder(&folder) {
            Ok(found) => (found, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let term = found.as_ref().map(|(term, _)| *term);
        let record = found.and_then(|(_, record)| record).filter(|record| !record.released);
        let is_late = |record: &Record| {
            let lasts = SignedDuration::from_secs(i64::try_from(record.seconds).unwrap_or(0));
            now.duration_since(record.at) > lasts
        };
        let overdue = record.as_ref().is_some_and(is_late);
        let renewed = record.as_ref().map(|record| record.at);
        let (machine, pid) = record.map(|record| (record.machine, record.pid)).unzip();
        Self { folder, term, machine, pid, renewed, overdue, fault }
    }

    /// In words.
    pub(super) fn write(&self, text_table: &mut TextTable) {
        let folder = self.folder.display();
        let holder = match (&self.machine, self.pid, self.term) {
            _ if self.fault.is_some() => {
                let fault = self.fault.as_deref().unwrap_or_default();
                text_table.tint(Tone::Warn, &format!("can't be read: {fault}"))
            }
            (Some(machine), Some(pid), Some(term)) => {
                let late = if self.overdue { ", which has not renewed it in time" } else { "" };
                format!("process {pid} on {machine} is active, term {term}{late}")
            }
            _ => "nobody is active".to_owned(),
        };
        text_table.line(format!("Lease in {folder}: {holder}  (planthread explain lease)"));
    }
}
