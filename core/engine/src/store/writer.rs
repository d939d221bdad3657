//! The one writer: a queue of jobs, drained into one durable transaction.
//!
//! Group commit: whatever has queued up while the last commit was being synced
//! goes into the next one, each job in its own savepoint, and every caller is
//! answered after the commit. Acknowledged means durable.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::JoinHandle,
};

use super::db::{Db, Tx};
use crate::{EngineError, error::Result};

/// Most jobs in one commit: bounds what a failing commit takes with it.
const JOBS_PER_COMMIT: usize = 256;

/// What a job does in the transaction. What it answers with stands where its caller
/// looks: neither the queue nor the channel back knows its type, so they are compiled
/// once.
type Work = Box<dyn FnOnce(&Tx<'_>) -> Result<()> + Send>;

/// Why a commit failed, in a form that every caller of it can be given.
enum CommitError {
    Conservation { made: i64, counted: i64 },
    DiskFull,
    Broken { file: PathBuf, reason: String },
    Other(String),
}

impl From<EngineError> for CommitError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::DiskFull => Self::DiskFull,
            EngineError::Broken { file, reason } => Self::Broken { file, reason },
            other => Self::Other(other.to_string()),
        }
    }
}

impl CommitError {
    /// The same, for one caller.
    fn to_engine(&self) -> EngineError {
        match self {
            Self::Conservation { made, counted } => {
                EngineError::Conservation { made: *made, counted: *counted }
            }
            Self::DiskFull => EngineError::DiskFull,
            Self::Broken { file, reason } => {
                EngineError::Broken { file: file.clone(), reason: reason.clone() }
            }
            Self::Other(why) => EngineError::Commit(why.clone()),
        }
    }
}

struct Job {
    work: Option<Work>,
    result: Option<Result<()>>,
    reply: SyncSender<Result<()>>,
}

impl Job {
    fn run(&mut self, tx: &Tx<'_>) {
        if let Some(work) = self.work.take() {
            self.result = Some(work(tx));
        }
    }

    const fn failed(&self) -> bool {
        !matches!(self.result, Some(Ok(())))
    }

    const fn filled_the_disk(&self) -> bool {
        matches!(self.result, Some(Err(EngineError::DiskFull)))
    }

    fn reply(self, commit: &std::result::Result<(), CommitError>) {
        let result = match (self.result, commit) {
            (Some(Ok(())), Ok(())) => Ok(()),
            // Its work was done, or not begun: the commit decides over both.
            (Some(Ok(())) | None, Err(error)) => Err(error.to_engine()),
            (Some(Err(error)), _) => Err(error),
            (None, Ok(())) => Err(EngineError::WriterGone),
        };
        // A caller that has gone away does not need its answer.
        let _ = self.reply.send(result);
    }
}

/// Why the last commit failed; empty where it did not.
type LastFault = Arc<Mutex<Option<String>>>;

/// Handle of the writer thread.
pub(crate) struct Writer {
    fault: LastFault,
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the thread that owns `db`.
    pub(crate) fn start(db: Db) -> Result<Self> {
        let (queue, jobs) = channel();
        let fault = LastFault::default();
        let noted = Arc::clone(&fault);
        let thread = std::thread::Builder::new()
            .name("planthread-writer".into())
            .spawn(move || drain(&db, &jobs, &noted))
            .map_err(EngineError::io("writer thread"))?;
        Ok(Self { fault, queue: Some(queue), thread: Some(thread) })
    }

    /// Why the last commit failed; `None` where it did not, or none was asked for.
    /// Nobody waits for the writer.
    pub(crate) fn last_fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts `work` into the queue for the next commit.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Begun<T>> {
        let value = Arc::new(Mutex::new(None));
        let place = Arc::clone(&value);
        let work: Work = Box::new(move |tx| {
            let made = work(tx)?;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            Ok(())
        });
        let (reply, answer) = sync_channel(1);
        let job = Job { work: Some(work), result: None, reply };
        let queue = self.queue.as_ref().ok_or(EngineError::WriterGone)?;
        queue.send(job).map_err(|_| EngineError::WriterGone)?;
        Ok(Begun { value, answer })
    }
}

/// Work that was begun, and is not known to be done.
pub(crate) struct Begun<T> {
    /// What the work made, once it was done; it counts once it is committed.
    value: Arc<Mutex<Option<T>>>,
    answer: Receiver<Result<()>>,
}

impl<T> Begun<T> {
    /// Waits until it is committed.
    pub(crate) fn done(self) -> Result<T> {
        self.answer.recv().map_err(|_| EngineError::WriterGone)??;
        let made = self.value.lock().unwrap_or_else(PoisonError::into_inner).take();
        made.ok_or(EngineError::WriterGone)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn drain(db: &Db, jobs: &Receiver<Job>, fault: &LastFault) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(JOBS_PER_COMMIT - 1));
        let commit = commit(db, &mut batch);
        let why = commit.as_ref().err().map(|error| error.to_engine().to_string());
        *fault.lock().unwrap_or_else(PoisonError::into_inner) = why;
        for job in batch {
            job.reply(&commit);
        }
    }
}

fn commit(db: &Db, batch: &mut [Job]) -> std::result::Result<(), CommitError> {
    let run = |sql: &str| -> std::result::Result<(), CommitError> {
        db.conn().execute_batch(sql).map_err(|error| db.named(error.into()).into())
    };
    run("BEGIN IMMEDIATE")?;
    let tx = Tx::new(db);
    let done = run_all(&tx, batch, run).and_then(|()| conserve(&tx)).and_then(|()| run("COMMIT"));
    if done.is_err() {
        let _ = run("ROLLBACK");
    }
    done
}

fn run_all(
    tx: &Tx<'_>,
    batch: &mut [Job],
    run: impl Fn(&str) -> std::result::Result<(), CommitError>,
) -> std::result::Result<(), CommitError> {
    for job in batch {
        run("SAVEPOINT job")?;
        job.run(tx);
        // SQLite may roll the whole transaction back when the disk is full: then
        // no neighbour was kept either, and all of them are told so.
        if job.filled_the_disk() {
            return Err(CommitError::DiskFull);
        }
        run(if job.failed() { "ROLLBACK TO job; RELEASE job" } else { "RELEASE job" })?;
    }
    Ok(())
}

/// Conservation, checked at every commit: a few counters, so it costs nothing.
fn conserve(tx: &Tx<'_>) -> std::result::Result<(), CommitError> {
    let (made, counted) = tx.revisions()?;
    if made == counted { Ok(()) } else { Err(CommitError::Conservation { made, counted }) }
}
