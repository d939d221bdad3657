//! Does what a party asks for, on a thread of its own: a volume that hangs holds only
//! this thread up, and the permit ends by itself.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use planthread_kit::Permit;

use super::{Answer, Ask, Party, Record, Turn, folder};
use crate::{EngineError, error::Result};

/// How long whoever ends waits until the lease is given back.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long it leaves a folder alone that does not answer as it should.
const REST: Duration = Duration::from_millis(500);

/// How a bridge stands with the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Waiting {
        /// The newest term that it saw, and what its file says.
        seen: Option<(u64, Option<Record>)>,
        /// Whether that moved while it looked: somebody holds it and lives.
        alive: bool,
        /// Why the folder can't be used, where it can't.
        fault: Option<String>,
    },
    /// It holds the lease; whether it may send this moment is up to its permit.
    Holding {
        /// Its term.
        term: u64,
    },
    /// Somebody else holds a later term: it sends nothing any more.
    Lost {
        /// The term that it held.
        term: u64,
    },
}

/// Keeps one bridge's part in a lease, and gives it back when it is dropped.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    permit: Arc<Permit>,
    standing: Arc<Mutex<Standing>>,
    stop: Sender<()>,
    ended: Mutex<Receiver<()>>,
}

impl Keeper {
    /// Begins to wait for the lease in `folder`. `record` says who we are and how long the
    /// lease lasts; `permit` is given and taken as the lease stands.
    ///
    /// # Errors
    /// When the folder can't be made, or no thread begins.
    pub fn start(folder: &Path, record: Record, permit: Arc<Permit>) -> Result<Self> {
        folder::make(folder)?;
        let waiting = Standing::Waiting { seen: None, alive: false, fault: None };
        let standing = Arc::new(Mutex::new(waiting));
        let ((stop, stopped), (end, ended)) = (channel(), channel());
        let work = Work {
            folder: folder.to_owned(),
            party: Party::new(Duration::from_secs(record.seconds)),
            record,
            permit: Arc::clone(&permit),
            standing: Arc::clone(&standing),
        };
        let run = move || {
            work.run(&stopped);
            // Nobody may wait for it any more.
            let _ = end.send(());
        };
        thread::Builder::new()
            .name("lease".to_owned())
            .spawn(run)
            .map_err(EngineError::io(folder))?;
        let (folder, ended) = (folder.to_owned(), Mutex::new(ended));
        Ok(Self { folder, permit, standing, stop, ended })
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What everybody who sends asks.
    #[must_use]
    pub const fn permit(&self) -> &Arc<Permit> {
        &self.permit
    }

    /// The folder of the lease.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Nothing is sent from here on; then the others are told.
impl Drop for Keeper {
    fn drop(&mut self) {
        self.permit.take();
        let _ = self.stop.send(());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(FAREWELL);
    }
}

struct Work {
    folder: PathBuf,
    party: Party,
    record: Record,
    permit: Arc<Permit>,
    standing: Arc<Mutex<Standing>>,
}

impl Work {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let fault = self.step().err().map(|error| error.to_string());
            if let Some(fault) = &fault {
                tracing::warn!(%fault, "the folder of the lease does not answer as it should");
            }
            let rest = if fault.is_some() { REST } else { Duration::ZERO };
            self.say(fault);
            match stopped.recv_timeout(self.party.pause().max(rest)) {
                Err(RecvTimeoutError::Timeout) if self.party.lost().is_none() => {}
                Err(RecvTimeoutError::Timeout) => return,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.release(),
            }
        }
    }

    /// One step. A fault of the folder is an answer, too.
    fn step(&mut self) -> Result<()> {
        let (wall, began) = (self.permit.now(), self.permit.elapsed());
        let (answer, fault) = match self.answer() {
            Ok(answer) => (answer, Ok(())),
            Err(error) => (Answer::Failed, Err(error)),
        };
        let before = self.party.turn();
        self.party.told(answer, began, self.permit.elapsed());
        match self.party.turn() {
            Some(Turn { from, until, .. }) if before != self.party.turn() => {
                self.permit.give(from, until, wall, until.saturating_sub(began));
                if before.is_none() {
                    folder::tidy(&self.folder, self.party.turn().map_or(0, |turn| turn.term));
                }
            }
            Some(_) => {}
            None => self.permit.take(),
        }
        fault
    }

    fn answer(&mut self) -> Result<Answer> {
        let folder = &self.folder;
        Ok(match self.party.ask() {
            Ask::Look => match folder::newest(folder)? {
                None => Answer::Looked(None),
                Some(term) => match folder::read(folder, term)? {
                    Some(bytes) => Answer::Looked(Some((term, bytes))),
                    // It was taken away since: somebody is far ahead of what we saw.
                    None => Answer::Failed,
                },
            },
            Ask::Claim { term } => Answer::Claimed(folder::claim(folder, term)?),
            Ask::Compare { old } => {
                let newest = folder::newest(folder)?;
                let old = old.map(|term| folder::read(folder, term)).transpose()?.flatten();
                Answer::Compared { newest, old }
            }
            Ask::Renew { term } => {
                self.record.beat += 1;
                self.record.at = self.permit.now();
                let is_there = folder::write(folder, term, &self.record)?;
                Answer::Renewed(folder::newest(folder)?.filter(|_| is_there))
            }
            Ask::Nothing => Answer::Failed,
        })
    }

    fn say(&self, fault: Option<String>) {
        let says = match (self.party.turn(), self.party.lost()) {
            (Some(Turn { term, .. }), _) => Standing::Holding { term },
            (None, Some(term)) => Standing::Lost { term },
            (None, None) => {
                Standing::Waiting { seen: self.party.seen(), alive: self.party.alive(), fault }
            }
        };
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = says;
    }

    /// Gives the lease back: the next one waits for nothing.
    fn release(mut self) {
        self.permit.take();
        if let Some(Turn { term, .. }) = self.party.turn() {
            self.record.released = true;
            self.record.at = self.permit.now();
            if let Err(error) = folder::write(&self.folder, term, &self.record) {
                tracing::warn!(%error, "the lease was not given back; it ends by itself");
            }
        }
    }
}
