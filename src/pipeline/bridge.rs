//! The bridge, put together once: configuration, state, targets, clock.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use planthread_domain::model::Plant;
use planthread_engine::{Reader, State, lease::Keeper, ledger};
use planthread_kit::{Clock, QuotaStanding, TenantKey};

use super::{Actor, Board, OpenTarget, Opener, again::Wants};
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    serve::{
        Arrivals, Door as _, JournalDoor,
        files::{self, FileReport},
        sheet, snapshot,
    },
};

/// Everything that moves numbers from the plant to its targets.
#[derive(Debug)]
pub struct Bridge {
    /// The configuration.
    pub loaded: Loaded,
    /// The one writer of the state.
    pub state: Arc<State>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What is under way.
    pub(super) board: Arc<Board>,
    /// Who answers for what it sends.
    pub(super) actor: Actor,
    plant: Arc<Plant>,
    arrivals: Arc<Arrivals>,
    /// What was wanted last.
    pub(super) wants: Wants,
    pub(super) opener: Opener,
    /// Given back after everything else has gone.
    lease: Option<Arc<Keeper>>,
}

impl Bridge {
    /// Opens the configured state for writing.
    ///
    /// # Errors
    /// When somebody else writes it, or the disk refuses.
    pub fn open(loaded: Loaded, clock: Arc<dyn Clock>, opener: Opener) -> Result<Self, Failure> {
        let state = State::open(&loaded.config.state, clock.now())?;
        let plant = Arc::new(loaded.config.plant.clone());
        let board = Board::new(Arc::clone(&clock));
        let state = Arc::new(state);
        let opener = opener.on(&state)?;
        let actor = Actor::new(None, &loaded.config);
        let (arrivals, wants) = (Arc::default(), Wants::default());
        let lease = None;
        Ok(Self { state, actor, plant, arrivals, wants, clock, board, opener, loaded, lease })
    }

    /// The same, for whose acts `actor` answers.
    #[must_use]
    pub fn answered_by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// Writes what is under way on a board that somebody watches.
    #[must_use]
    pub fn watched(self, board: Arc<Board>) -> Self {
        Self { board, ..self }
    }

    /// The same, whose targets are sent nothing without this lease.
    #[must_use]
    pub fn leased(self, lease: &Arc<Keeper>) -> Self {
        let opener = self.opener.leased(Arc::clone(lease.permit()));
        Self { opener, lease: Some(Arc::clone(lease)), ..self }
    }

    /// The lease without which it sends nothing, where one is configured.
    #[must_use]
    pub const fn lease(&self) -> Option<&Arc<Keeper>> {
        self.lease.as_ref()
    }

    /// Whether it may send now.
    ///
    /// # Errors
    /// When it does not hold the lease that is configured.
    pub(super) fn in_turn(&self) -> Result<(), Failure> {
        match &self.lease {
            Some(lease) if lease.permit().left().is_none() => {
                let text = "this bridge does not hold the lease: another one may send now";
                Err(Failure::new(Exit::Transient, text).explain("lease"))
            }
            _ => Ok(()),
        }
    }

    /// The door of the journal.
    #[must_use]
    pub fn door(&self) -> JournalDoor {
        let (state, plant) = (Arc::clone(&self.state), Arc::clone(&self.plant));
        let door = JournalDoor::new(state, plant, Arc::clone(&self.clock));
        door.told_to(Arc::clone(&self.arrivals))
    }

    /// What arrived from each source since this bridge was opened.
    #[must_use]
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// How the quotas of the targets' tenants stand.
    #[must_use]
    pub fn tenants(&self) -> BTreeMap<TenantKey, QuotaStanding> {
        self.opener.tenants()
    }

    /// A read-only connection.
    ///
    /// # Errors
    /// When the state can't be opened.
    pub fn reader(&self) -> Result<Reader, Failure> {
        Ok(self.state.reader()?)
    }

    /// The instant that a cycle speaks for, now.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.plant.as_of(self.clock.now())
    }

    /// Reads the files of all sources on. What stops one of them stands in its
    /// report.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn ingest(&self) -> Result<Vec<FileReport>, Failure> {
        let doing = self.board.doing("", "reading the files of the sources");
        let door = self.door().counted_by(doing);
        let mut reports = files::sources(&self.plant, &door, &self.reader()?)?;
        let files = self.plant.sources.iter().flat_map(|s| s.files.iter().map(move |f| (s, f)));
        for (report, (source, file)) in reports.iter_mut().zip(files) {
            if report.stopped.is_none() {
                let now = door.now();
                sheet::mended(&self.state, source, report, now)?;
                let export = snapshot::compare(&self.state, &self.plant, source, file, now)?;
                report.export = export.or(report.export.take());
            }
        }
        Ok(reports)
    }

    /// Keeps what the targets' tenants asked for and taught, for the next process.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub(super) fn keep_quotas(&self) -> Result<(), Failure> {
        ledger::keep_pauses(&self.state, self.opener.pauses(), self.clock.now())?;
        Ok(ledger::keep_rates(&self.state, self.opener.rates())?)
    }

    /// The target called `name`; without a name the only one.
    ///
    /// # Errors
    /// When there is no such target, or it can't be put together.
    pub fn target(&self, name: Option<&str>) -> Result<OpenTarget, Failure> {
        self.opener.open(&self.loaded, name)
    }

    /// The target called `name`; without a name all of them.
    ///
    /// # Errors
    /// When there is no such target, or one can't be put together.
    pub fn targets(&self, name: Option<&str>) -> Result<Vec<OpenTarget>, Failure> {
        match name {
            Some(name) => Ok(vec![self.opener.open(&self.loaded, Some(name))?]),
            None => self.opener.open_all(&self.loaded),
        }
    }
}
