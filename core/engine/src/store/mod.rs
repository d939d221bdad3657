//! The state directory: one writer, many readers, durable when acknowledged.

mod adoptions;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod cells;
pub(crate) mod codec;
pub(crate) mod codes;
pub(crate) mod compared;
mod counts;
mod database_error;
mod db;
#[cfg(test)]
pub(crate) mod forge;
mod gauges;
pub(crate) mod groups;
#[cfg(test)]
mod growth;
pub(crate) mod holds;
mod lock;
mod memory;
pub(crate) mod names;
mod outages;
#[cfg(test)]
mod plans;
mod private;
pub(crate) mod records;
pub(crate) mod rejections;
mod released;
mod repeats;
mod schema;
pub(crate) mod scope_counts;
pub(crate) mod segments;
mod settings;
pub(crate) mod swap;
mod whole;
mod writer;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use jiff::Timestamp;
use planthread_kit::mask;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

pub(crate) use self::db::{Db, Tx};
use self::writer::{Begun, Writer};
pub use self::{database_error::DatabaseError, lock::Holder, private::make_folder, swap::is_there};
pub(crate) use self::{
    lock::{WriterLock, lock_folder},
    private::{new_file, sync_dir},
    schema::known as schema_known,
};
use crate::{EngineError, error::Result};

/// A text of somebody else as it may be kept: no secret of ours is in it,
/// whoever repeated it. Every text that a target told goes into a column this
/// way.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    mask::text(text)
}

/// The database.
pub(crate) const FILE: &str = "state.db";
/// What SQLite keeps beside the database while it is open, or after a crash.
const BESIDE: [&str; 2] = ["state.db-wal", "state.db-shm"];
/// How long a reader or the writer waits for a short exclusive moment.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements kept for each connection.
const STATEMENTS: usize = 128;
/// Connections that wait for the next reader: more than a walk needs at once.
const IDLE: usize = 8;
/// Page cache of each connection, in KiB (negative in SQLite's words).
const CACHE_KIB: i64 = 16 * 1024;

/// The one writer of a state directory.
///
/// Everything that changes goes through [`State`]; queries take a [`Reader`],
/// which works beside it, in this process or another. Calls are synchronous
/// and short; a call that has returned is on the disk.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    // Dropped in this order: the writer's connection is the last that closes, and the
    // writer ends before the lock is freed.
    idle: Arc<Idle>,
    writer: Writer,
    took_over: Option<Holder>,
    _lock: WriterLock,
}

impl State {
    /// Opens the state in `dir` for writing, making it when it is not there.
    ///
    /// # Errors
    /// When another live process holds it, the schema is newer, the disk
    /// refuses, or durability can't be had.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self> {
        make_folder(dir)?;
        let (lock, took_over) = WriterLock::take(dir, now)?;
        swap::finish(dir)?;
        let file = dir.join(FILE);
        private::file(&file).map_err(EngineError::io(&file))?;
        for beside in BESIDE.map(|name| dir.join(name)).iter().filter(|path| path.exists()) {
            private::restrict(beside).map_err(EngineError::io(beside))?;
        }
        let conn = open_for_writing(&file).map_err(|error| error.of_file(&file))?;
        let writer = Writer::start(Db::new(conn))?;
        let idle = Arc::default();
        Ok(Self { dir: dir.to_owned(), idle, writer, took_over, _lock: lock })
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whose stale lock was taken over when this state was opened.
    #[must_use]
    pub const fn took_over(&self) -> Option<&Holder> {
        self.took_over.as_ref()
    }

    /// The number by which heartbeats tell this state from another one, 1 to
    /// 999,999. `random` makes it once; from then on it stays.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub fn identity(&self, random: u64) -> Result<u32> {
        self.change(move |tx| tx.identity(random))
    }

    /// A read-only connection of its own: one that an earlier reader has given back,
    /// with its statements prepared, or a new one.
    ///
    /// # Errors
    /// When the database can't be opened.
    pub fn reader(&self) -> Result<Reader> {
        let db = match self.idle.take() {
            Some(db) => db,
            None => open(&self.dir)?,
        };
        Ok(Reader { db: Some(db), home: Arc::downgrade(&self.idle) })
    }

    /// Why the last write was not kept; `None` where it was, or nothing was written
    /// yet. It waits for nobody.
    #[must_use]
    pub fn last_fault(&self) -> Option<String> {
        self.writer.last_fault()
    }

    /// Bytes of the database, and of what was written to it and is not merged yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let length = |name: &str| std::fs::metadata(self.dir.join(name)).map_or(0, |m| m.len());
        length(FILE) + length(BESIDE[0])
    }

    /// Runs `work` on the writer thread, in the next commit.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.begin(work)?.done()
    }

    /// The same, but only begun: whoever feeds the work while it runs waits for
    /// its end later.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Begun<T>> {
        self.writer.begin(work)
    }
}

/// Connections that nobody reads with, of one state.
#[derive(Debug, Default)]
struct Idle(Mutex<Vec<Db>>);

impl Idle {
    fn take(&self) -> Option<Db> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, db: Db) {
        // What it had in memory may be large, and is of a snapshot that is over.
        let is_small = db.conn().release_memory().is_ok();
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_small && idle.len() < IDLE {
            idle.push(db);
        }
    }
}

/// A read-only connection: it works beside a writer, and never blocks it. One of a
/// [`State`] goes back to it.
#[derive(Debug)]
pub struct Reader {
    /// Empty only while it is dropped.
    db: Option<Db>,
    home: Weak<Idle>,
}

impl Reader {
    /// Opens the state in `dir` for reading.
    ///
    /// # Errors
    /// When there is no state, or its schema is not the one that this program
    /// reads.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self { db: Some(open(dir)?), home: Weak::new() })
    }

    pub(crate) const fn db(&self) -> &Db {
        self.db.as_ref().expect("only a reader that is dropped has given its connection back")
    }

    /// Runs `work` on one snapshot: what a writer commits meanwhile is not
    /// seen.
    pub(crate) fn at_once<T>(&self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        self.db().snapshot(work)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let (Some(home), Some(db)) = (self.home.upgrade(), self.db.take()) {
            home.give_back(db);
        }
    }
}

/// Whether another state is being put into `dir`, or was when a process died: what is
/// written there now would go with the state that leaves.
#[must_use]
pub fn is_replaced(dir: &Path) -> bool {
    swap::is_under_way(dir)
}

/// A connection that reads the state in `dir`.
fn open(dir: &Path) -> Result<Db> {
    if swap::is_under_way(dir) {
        return Err(EngineError::Restoring(dir.to_owned()));
    }
    let file = dir.join(FILE);
    if !file.exists() {
        return Err(EngineError::NoState(dir.to_owned()));
    }
    let opened = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&file, flags)?;
        conn.busy_timeout(BUSY)?;
        tune(&conn)?;
        let found = schema::found(&conn)?;
        Ok((conn, found))
    };
    let (conn, found) = opened().map_err(|error: EngineError| error.of_file(&file))?;
    let known = schema::known();
    match found {
        0 => Err(EngineError::NoState(dir.to_owned())),
        _ if found > known => Err(EngineError::NewerSchema { found, known }),
        _ if found < known => Err(EngineError::OlderSchema { found, known }),
        _ => Ok(Db::new(conn)),
    }
}

/// The database with its newest schema, durable at every commit.
fn open_for_writing(file: &Path) -> Result<Connection> {
    let mut conn = Connection::open(file)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    tune(&conn)?;
    assert_durable(&conn)?;
    schema::migrate(&mut conn, file, schema::STEPS)?;
    Ok(conn)
}

fn tune(conn: &Connection) -> Result<()> {
    // Without it SQLite plans a statement anew whenever another value is bound,
    // and most of the time of a large plan goes into parsing the same query.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Reads the pragmas back: an unheard setting would be found out only by the
/// power cut.
fn assert_durable(conn: &Connection) -> Result<()> {
    let mode: String = conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let synchronous: i64 = conn.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    // 2 is FULL, 3 is EXTRA.
    if mode == "wal" && synchronous >= 2 {
        return Ok(());
    }
    Err(EngineError::NotDurable(format!(
        "journal_mode is {mode}, synchronous is {synchronous}; put the state on a local disk"
    )))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn readers_work_beside_the_writer_and_a_second_writer_is_refused() {
        let dir = TempDir::new("store");
        assert!(matches!(Reader::open(dir.path()), Err(EngineError::NoState(_))));
        let state = State::open(dir.path(), now()).unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        let write = "INSERT INTO counter VALUES ('x', 1)";
        state.change(|tx| Ok(tx.conn().execute(write, [])?)).unwrap();
        let read = "SELECT value FROM counter WHERE name = 'x'";
        assert_eq!(reader.db().conn().query_row(read, [], |r| r.get::<_, i64>(0)).unwrap(), 1);
        assert!(reader.db().conn().execute(write, []).is_err(), "a reader must not write");
        assert!(matches!(State::open(dir.path(), now()), Err(EngineError::WriterHeld { .. })));
        drop((state, reader));
        let alone = Reader::open(dir.path()).unwrap();
        assert_eq!(alone.db().conn().query_row(read, [], |r| r.get::<_, i64>(0)).unwrap(), 1);
        State::open(dir.path(), now()).unwrap();
    }

    #[test]
    fn a_reader_is_used_again_sees_what_was_written_since_and_never_writes() {
        let dir = TempDir::new("readers");
        let state = State::open(dir.path(), now()).unwrap();
        let value = |reader: &Reader| {
            let sql = "SELECT COALESCE(MAX(value), 0) FROM counter WHERE name = 'x'";
            reader.db().conn().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        let waiting = || state.idle.0.lock().unwrap().len();
        let readers: Vec<Reader> = (0..IDLE + 2).map(|_| state.reader().unwrap()).collect();
        assert!(waiting() == 0 && readers.iter().all(|reader| value(reader) == 0));
        drop(readers);
        assert_eq!(waiting(), IDLE, "more are closed");
        for written in 1..4 {
            let write = "INSERT INTO counter VALUES ('x', ?1)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            state.change(move |tx| Ok(tx.conn().execute(write, [written])?)).unwrap();
            let reader = state.reader().unwrap();
            assert_eq!((value(&reader), waiting()), (written, IDLE - 1));
            assert!(reader.db().conn().execute(write, [9]).is_err(), "a reader must not write");
        }
        let outlives = state.reader().unwrap();
        drop(state);
        assert_eq!(value(&outlives), 3, "it needs no state that is open");
        drop(outlives);
        State::open(dir.path(), now()).unwrap();
    }

    #[test]
    fn synchronous_full_is_asserted_by_reading_it_back() {
        let dir = TempDir::new("sync");
        let state = State::open(dir.path(), now()).unwrap();
        let level = state
            .change(|tx| {
                Ok(tx.conn().query_row("PRAGMA synchronous", [], |r| r.get::<_, i64>(0))?)
            })
            .unwrap();
        assert_eq!(level, 2);
        let lax = Connection::open_in_memory().unwrap();
        assert!(matches!(assert_durable(&lax), Err(EngineError::NotDurable(_))));
    }

    #[test]
    fn another_value_does_not_make_a_query_planned_anew() {
        let dir = TempDir::new("reprepare");
        let _state = State::open(dir.path(), now()).unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        let query = "SELECT id FROM cell_group WHERE scope = ?1 AND period > ?2";
        for period in 0..9 {
            let mut statement = reader.db().conn().prepare_cached(query).unwrap();
            assert!(!statement.exists([1, period]).unwrap());
            assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn an_identity_is_made_once_and_stays() {
        let dir = TempDir::new("identity");
        let first = State::open(dir.path(), now()).unwrap().identity(u64::MAX).unwrap();
        assert!((1..=999_999).contains(&first));
        assert_eq!(State::open(dir.path(), now()).unwrap().identity(7).unwrap(), first);
        let other = TempDir::new("identity-other");
        assert_eq!(State::open(other.path(), now()).unwrap().identity(7).unwrap(), 8);
    }

    #[test]
    fn one_failing_job_does_not_take_its_neighbours_with_it() {
        let dir = TempDir::new("group");
        let state = Arc::new(State::open(dir.path(), now()).unwrap());
        let workers: Vec<_> = (0..40)
            .map(|n| {
                let state = Arc::clone(&state);
                std::thread::spawn(move || {
                    state.change(move |tx| {
                        tx.conn()
                            .execute("INSERT INTO counter VALUES (?1, 1)", [format!("n{n}")])?;
                        if n % 4 == 0 { Err(EngineError::Refused("no".into())) } else { Ok(()) }
                    })
                })
            })
            .collect();
        let failed = workers.into_iter().filter(|_| true).map(|w| w.join().unwrap());
        assert_eq!(failed.filter(Result::is_err).count(), 10);
        let kept = "SELECT COUNT(*) FROM counter WHERE name LIKE 'n%'";
        let reader = state.reader().unwrap();
        assert_eq!(reader.db().conn().query_row(kept, [], |r| r.get::<_, i64>(0)).unwrap(), 30);
    }

    #[test]
    fn a_commit_that_breaks_conservation_is_refused_as_a_whole() {
        let dir = TempDir::new("conserve");
        let state = State::open(dir.path(), now()).unwrap();
        let forged = "UPDATE counter SET value = value + 1 WHERE name = 'revisions'";
        let error = state.change(|tx| Ok(tx.conn().execute(forged, [])?)).unwrap_err();
        assert!(matches!(error, EngineError::Conservation { made: 1, counted: 0 }), "{error}");
        state.change(|_| Ok(())).unwrap();
    }

    #[test]
    fn a_full_disk_is_said_loses_nothing_and_passes() {
        let dir = TempDir::new("full");
        let state = State::open(dir.path(), now()).unwrap();
        let limit = |pages: i64| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            state.change(move |tx| Ok(tx.conn().query_row(&pragma, [], |r| r.get::<_, i64>(0))?))
        };
        let fill = |name: &'static str| {
            state.change(move |tx| {
                let query = "INSERT INTO checkpoint VALUES (?1, hex(zeroblob(300000)))";
                Ok(tx.conn().execute(query, [name])?)
            })
        };
        fill("before").unwrap();
        limit(1).unwrap();
        let error = fill("meanwhile").unwrap_err();
        assert!(matches!(error, EngineError::DiskFull) && error.disk_full(), "{error}");
        assert_eq!(error.exit_code(), 3);
        assert_eq!(state.last_fault(), Some(error.to_string()));
        limit(1_000_000).unwrap();
        fill("after").unwrap();
        assert_eq!(state.last_fault(), None);
        let names = "SELECT group_concat(source, ' ') FROM checkpoint";
        let reader = state.reader().unwrap();
        let kept: String = reader.db().conn().query_row(names, [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "after before");
    }

    #[test]
    fn a_damaged_database_names_its_file_and_the_cure_and_is_no_fault_of_the_program() {
        let dir = TempDir::new("broken");
        let file = dir.path().join(FILE);
        let refused = |error: EngineError| {
            let text = error.to_string();
            assert!(matches!(error, EngineError::Broken { .. }), "{text}");
            assert_eq!(error.exit_code(), 1, "{text}");
            assert!(text.contains("state.db") && text.contains("backup"), "{text}");
        };
        std::fs::write(&file, "this is a letter, and no database at all").unwrap();
        refused(State::open(dir.path(), now()).unwrap_err());
        refused(Reader::open(dir.path()).unwrap_err());
        std::fs::remove_file(&file).unwrap();
        let state = State::open(dir.path(), now()).unwrap();
        let fill = |name: &'static str| {
            state.change(move |tx| {
                let query = "INSERT INTO checkpoint VALUES (?1, hex(zeroblob(40000)))";
                Ok(tx.conn().execute(query, [name])?)
            })
        };
        for name in ["a", "b"] {
            fill(name).unwrap();
        }
        drop(state);
        // The header is whole; the rest is not.
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[8_192..].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let all =
            |reader: &Reader| -> Result<Option<String>> { reader.at_once(|db| db.checkpoint("b")) };
        refused(Reader::open(dir.path()).and_then(|reader| all(&reader)).unwrap_err());
        let written = State::open(dir.path(), now());
        refused(written.and_then(|s| s.change(|tx| tx.put_checkpoint("c", "1"))).unwrap_err());
    }
}
