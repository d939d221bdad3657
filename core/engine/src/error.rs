//! What can go wrong in the engine, each with what a person can do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use planthread_contracts::{CellKey, RevisionState};
use planthread_kit::ConnectorError;

/// Everything that the engine reports instead of a result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another live process writes this state directory.
    #[error(
        "{dir} is written by process {pid} since {since}; stop it, or use a read-only verb, which \
         always works beside it"
    )]
    WriterHeld {
        /// The state directory.
        dir: PathBuf,
        /// The holder's process id, `?` when the lock file does not say.
        pid: String,
        /// When it started, `?` when the lock file does not say.
        since: String,
    },
    /// There is no state at this place yet.
    #[error("{0} holds no state; run a writing verb (`ingest`, `derive`) there first")]
    NoState(PathBuf),
    /// The state was written by a newer program.
    #[error("state has schema {found}, this program knows {known}; use the newer program")]
    NewerSchema {
        /// Version in the state.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// The state was written by an older program and nobody migrated it yet.
    #[error("state has schema {found}, this program needs {known}; run a writing verb once")]
    OlderSchema {
        /// Version in the state.
        found: i64,
        /// Version that this program reads.
        known: i64,
    },
    /// A restore was decided, and somebody ended it in the middle.
    #[error(
        "a restore into {0} has not ended; run it again, or start the bridge: either carries it on"
    )]
    Restoring(PathBuf),
    /// A backup can't be trusted.
    #[error("{file}: {reason}; nothing was replaced: take another backup")]
    Backup {
        /// The file of it.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// SQLite answered with something other than what durability needs.
    #[error("state can't be made durable: {0}")]
    NotDurable(String),
    /// The database refused.
    #[error("state database: {0}")]
    Database(#[source] crate::store::DatabaseError),
    /// The file of the state is no database, or a damaged one.
    #[error(
        "{file} is damaged ({reason}); stop what writes this state, put it back from its backup, \
         and see with `audit verify` that it is whole"
    )]
    Broken {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The commit that carried this job failed: nothing of it was kept.
    #[error("state commit failed, nothing was kept: {0}")]
    Commit(String),
    /// The writer thread has ended.
    #[error("the state's writer has stopped; reopen the state")]
    WriterGone,
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The transition table forbids this (a bug, or a tampered state).
    #[error("a revision may not go from {from} to {to}; run `audit verify`")]
    Transition {
        /// From; `nothing` for a new revision.
        from: &'static str,
        /// To.
        to: &'static str,
    },
    /// The sum of the revision states is not the number of revisions made.
    #[error(
        "conservation broken: {made} revisions were made, {counted} are in a state; run `audit`"
    )]
    Conservation {
        /// Revisions ever made.
        made: i64,
        /// Sum over the states.
        counted: i64,
    },
    /// A stored value can't be understood.
    #[error("state holds {0}, which can't be understood; run `audit verify`")]
    Stored(String),
    /// A record of the journal is not what was written.
    #[error(
        "record {position} of the journal (source {source_name}, id {id}) is not what was kept: \
         its digest differs; the disk or a hand changed it: stop, put the state back from its \
         backup, and see with `audit verify` what else is damaged"
    )]
    Damaged {
        /// Its place in the journal.
        position: u64,
        /// CloudEvents `source`.
        source_name: String,
        /// CloudEvents `id`.
        id: String,
    },
    /// The disk is full.
    #[error(
        "no space is left for the state, nothing of this step was kept; free space, then run this \
         again: nothing that was acknowledged is lost"
    )]
    DiskFull,
    /// A plan file can't be trusted.
    #[error("plan line {line}: {reason}; make a new plan")]
    Plan {
        /// Line from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A journal segment can't be trusted.
    #[error("{file} line {line}: {reason}; {cure}")]
    Segment {
        /// File name.
        file: String,
        /// Line from 1; 0 for the whole file.
        line: u64,
        /// What is wrong.
        reason: String,
        /// What to do.
        cure: String,
    },
    /// The caller asked for something that the ledger can't do.
    #[error("{0}")]
    Refused(String),
    /// Cells are not what a plan says any more.
    #[error("{} cells have moved since the plan was made; make a new one", .0.len())]
    Moved(Vec<CellKey>),
    /// Nothing is known about this cell.
    #[error("{0} is not in the ledger; `status` lists the scopes that are")]
    UnknownCell(Box<CellKey>),
    /// The connector reported an error where the engine needs an answer.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
}

/// The engine's result.
pub type Result<T> = std::result::Result<T, EngineError>;

impl EngineError {
    /// The exit code of a command that ends with this error: 1 a damaged state,
    /// 2 usage or configuration, 3 come back later, 4 held by policy, 70
    /// internal; a connector's error by the kit's one table.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Connector(error) => planthread_kit::table::treatment(error.class).exit_code,
            Self::WriterHeld { .. } | Self::DiskFull | Self::Restoring(_) => 3,
            Self::Io { source, .. } if is_full(source) => 3,
            Self::Moved(_) => 4,
            // The disk or a hand changed what was kept: that is no fault of ours.
            Self::Broken { .. } | Self::Damaged { .. } | Self::Backup { .. } | Self::Stored(_) => 1,
            Self::NoState(_)
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::Io { .. }
            | Self::Plan { .. }
            | Self::Segment { .. }
            | Self::Refused(_)
            | Self::UnknownCell(_) => 2,
            Self::NotDurable(_)
            | Self::Database(_)
            | Self::Commit(_)
            | Self::WriterGone
            | Self::Transition { .. }
            | Self::Conservation { .. } => 70,
        }
    }

    /// Whether the disk is full: it passes when somebody frees space.
    #[must_use]
    pub fn disk_full(&self) -> bool {
        match self {
            Self::DiskFull => true,
            Self::Io { source, .. } => is_full(source),
            _ => false,
        }
    }

    /// The same; a fault of the database's file names it.
    pub(crate) fn of_file(self, file: &Path) -> Self {
        match self {
            Self::Database(error) if error.is_damage() => {
                Self::Broken { file: file.to_owned(), reason: error.to_string() }
            }
            other => other,
        }
    }

    /// An IO error at `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// A transition that the table forbids.
    pub(crate) fn transition(from: Option<RevisionState>, to: RevisionState) -> Self {
        Self::Transition { from: from.map_or("nothing", RevisionState::word), to: to.word() }
    }
}

/// Whether the system said that no space is left, or no more may be used.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
