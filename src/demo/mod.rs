//! `planthread demo`: a simulated plant, sandboxes, the bridge between them,
//! and the pages where planners see the numbers land. The way is the real
//! one: files, journal, sockets, read-back.

mod clock;
mod once;
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
use planthread_kit::Clock;
use planthread_mocks::{SandboxFactory, Setup};

pub use clock::DemoClock;
pub use once::{Landed, Once};

use crate::{
    config::{self, Wiring},
    failure::Failure,
    pipeline::{Bridge, Cycle, OpenTarget, Opener},
    registry::Registered,
    sandbox::Sandbox,
    starter::Starter,
};

/// How far the plant's time moves with each cycle.
pub const STEP: SignedDuration = SignedDuration::from_hours(6);

/// A demo that is set up: plant files written, state open. The sandboxes are
/// served by whoever holds them.
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

impl Demo {
    /// Writes the plant's story up to now and opens the bridge to each target's
    /// sandbox at its address; `folder` keeps everything, or a temporary one does.
    ///
    /// # Errors
    /// When the folder can't be written, or holds somebody else's state.
    pub fn set_up(
        real: &dyn Clock,
        clock: DemoClock,
        targets: &[(&Registered, String)],
        folder: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let folder = Folder::new(folder, real)?;
        let now = clock.now();
        let starter = Starter::new(&folder.path, now);
        let at: Vec<_> =
            targets.iter().map(|(target, url)| (*target, Some(url.as_str()))).collect();
        starter.write(now, &at)?;
        let mut loaded = config::load(&starter.config, None)?;
        for (registered, _) in targets {
            let name = registered.target.starter.name();
            let Some(target) = loaded.config.targets.get_mut(name) else { continue };
            // The sandbox may be wired so that the plan cut drives the plan.
            target.in_use.wiring = wiring(registered.sandbox).unwrap_or(target.in_use.wiring);
            // It works in less than a second, so ask more often than a tenant.
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
}

/// The sandbox of a target, as the demo wants it.
///
/// # Errors
/// When the address is taken.
pub async fn sandbox(
    factory: &SandboxFactory,
    listen: SocketAddr,
    clock: DemoClock,
) -> Result<Sandbox, Failure> {
    let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let setup = Setup { options: factory.demo.iter().map(option).collect(), ..Setup::default() };
    Sandbox::start(factory, &setup, Vec::new(), listen, Arc::new(clock), None).await
}

/// How the demo's sandbox is wired, where it has a wiring.
fn wiring(factory: &SandboxFactory) -> Option<Wiring> {
    let (_, word) = factory.demo.iter().find(|(name, _)| *name == "wiring")?;
    serde_json::from_value((*word).into()).ok()
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
