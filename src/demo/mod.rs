//! `planthread demo`: a simulated plant, the sandbox, the bridge between them,
//! and the page where a planner sees the numbers land. The way is the real
//! one: files, journal, sockets, read-back.

mod clock;
pub mod plant;
pub mod twin;

use std::{
    fs::OpenOptions,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use planthread_engine::status;
use planthread_kit::Clock;
use planthread_mocks::Setup;
use serde::Serialize;

pub use clock::DemoClock;

use crate::{
    config,
    failure::{Exit, Failure},
    pipeline::{Bridge, Cycle, OpenTarget, Opener},
    report::{Paper, Tone, View, cycled::Facts},
    sandbox::{Sandbox, find},
    starter::Starter,
};

/// How far the plant's time moves with each cycle.
pub const STEP: SignedDuration = SignedDuration::from_hours(6);

/// A demo that is set up: plant files written, state open. The sandbox is
/// served by whoever holds it.
#[derive(Debug)]
pub struct Demo {
    bridge: Bridge,
    targets: Vec<OpenTarget>,
    starter: Starter,
    clock: DemoClock,
    told: Timestamp,
    /// Removed at the end, unless the folder was asked for.
    _folder: Folder,
}

/// What `demo --once` says, and what a script checks.
#[derive(Debug, Serialize)]
pub struct Once {
    /// The four facts.
    #[serde(flatten)]
    pub facts: Facts,
    /// Records that came in through the intake.
    pub records: u64,
    /// Resources that landed.
    pub resources: usize,
    /// The instant that the numbers speak for.
    pub as_of: Timestamp,
    /// Receipts of the pushes.
    pub receipts: Vec<String>,
    /// Why it did not go to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

impl Demo {
    /// Writes the plant's story up to now and opens the bridge to the sandbox
    /// at `host`; `folder` keeps everything, or a temporary one does.
    ///
    /// # Errors
    /// When the folder can't be written, or holds somebody else's state.
    pub fn set_up(
        real: &dyn Clock,
        clock: DemoClock,
        host: &str,
        folder: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let folder = Folder::new(folder, real)?;
        let now = clock.now();
        let starter = Starter::new(&folder.path, now);
        starter.write(now, Some(host))?;
        let mut loaded = config::load(&starter.config, None)?;
        for target in loaded.config.targets.values_mut() {
            // The sandbox is wired so that the plan cut drives the plan.
            target.in_use.wiring = config::Wiring::Calculation;
            // It imports in less than a second, so ask more often than a tenant.
            target.delivery.poll_every_seconds = 1;
        }
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let opener = Opener::new(Arc::clone(&shared));
        let bridge = Bridge::open(loaded, shared, opener)?;
        let targets = bridge.targets(None)?;
        Ok(Self { bridge, targets, starter, clock, told: now, _folder: folder })
    }

    /// One cycle of the bridge.
    ///
    /// # Errors
    /// When the state can't be written.
    pub async fn cycle(&self) -> Result<Cycle, Failure> {
        self.bridge.cycle(&self.targets, self.bridge.as_of()).await
    }

    /// Time passes in the plant: its machines write on in their files.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn live_on(&mut self) -> Result<(), Failure> {
        self.clock.advance(STEP);
        let now = self.clock.now();
        let story = self.starter.story(self.told, now);
        append(&self.starter.events, &plant::events_csv(&story))?;
        append(&self.starter.counts, &plant::counts_csv(&story))?;
        let foretold = self.starter.foretold(now);
        add(&self.starter.twin, &foretold)?;
        self.told = now;
        Ok(())
    }

    /// The four facts, as the ledger has them.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn facts(&self) -> Result<Facts, Failure> {
        let status = status::status(&self.bridge.reader()?, self.clock.now())?;
        let mut facts = Facts::default();
        for scope in &status.scopes {
            facts.wanted += scope.wanted;
            facts.accepted += scope.accepted;
            facts.seen += scope.seen;
            facts.in_use += scope.in_use;
        }
        Ok(facts)
    }

    /// What `demo --once` says after `cycle`.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn once(&self, cycle: &Cycle) -> Result<Once, Failure> {
        let journal = planthread_engine::journal::counts(&self.bridge.reader()?)?;
        let applied = cycle.targets.iter().filter_map(|target| target.applied.as_ref());
        Ok(Once {
            facts: self.facts()?,
            records: journal.records,
            resources: self.targets.iter().map(|t| t.config.mapping.rows.len()).sum(),
            as_of: cycle.as_of,
            receipts: applied.flat_map(|applied| applied.receipts.clone()).collect(),
            stopped: cycle.targets.iter().find_map(|target| target.stopped.clone()),
        })
    }
}

/// The sandbox of the demo, wired so that what lands drives the plan.
///
/// # Errors
/// When the address is taken.
pub async fn sandbox(listen: SocketAddr, clock: DemoClock) -> Result<Sandbox, Failure> {
    let options = [("resources", plant::LINES.len().to_string()), ("wiring", "calculation".into())];
    let options = options.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let setup = Setup { options, ..Setup::default() };
    Sandbox::start(find("sap-ibp")?, &setup, Vec::new(), listen, Arc::new(clock), None).await
}

/// Adds rows to a file that has its heading already.
fn append(file: &Path, csv: &str) -> Result<(), Failure> {
    add(file, csv.split_once('\n').map_or("", |(_, rows)| rows))
}

fn add(file: &Path, rows: &str) -> Result<(), Failure> {
    OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut out| out.write_all(rows.as_bytes()))
        .map_err(|error| Failure::io("write", file, &error))
}

impl Once {
    /// Whether everything that is wanted was taken and read back.
    #[must_use]
    pub fn landed(&self) -> bool {
        let Facts { wanted, accepted, seen, .. } = self.facts;
        wanted > 0 && wanted == accepted && wanted == seen
    }
}

impl View for Once {
    fn write(&self, paper: &mut Paper) {
        let facts = &self.facts;
        let tone = if self.landed() { Tone::Good } else { Tone::Bad };
        paper.line(format!(
            "{} records of {} machines became capacity cells, as of {}.",
            self.records, self.resources, self.as_of
        ));
        paper.line(paper.tint(
            tone,
            &format!(
                "{} wanted, {} accepted, {} read back as wanted; {} drive the plan.",
                facts.wanted, facts.accepted, facts.seen, facts.in_use
            ),
        ));
        if let Some(failure) = &self.stopped {
            paper.line(format!("stopped: {failure}"));
        }
    }

    fn exit(&self) -> Exit {
        match &self.stopped {
            Some(failure) => failure.exit,
            None if self.landed() => Exit::Ok,
            None => Exit::Findings,
        }
    }
}

/// The demo's folder.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn new(asked: Option<PathBuf>, clock: &dyn Clock) -> Result<Self, Failure> {
        let temporary = asked.is_none();
        let name = || format!("planthread-demo-{}-{:08x}", std::process::id(), clock.random());
        let path = asked.unwrap_or_else(|| std::env::temp_dir().join(name()));
        std::fs::create_dir_all(&path)
            .map_err(|error| Failure::io("make the folder", &path, &error))?;
        Ok(Self { path, temporary })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // A leftover in the system's temporary folder harms nobody.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
