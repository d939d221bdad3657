//! One rehearsal: a folder, a plant, a gate before the sandbox, and a bridge that may
//! die and begin again from its disk.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread_engine::{Reader, ledger};
use planthread_kit::{Clock, Transport, VirtualClock, agreement::State};
use planthread_mocks::shared;
use serde_json::json;

use super::{
    Drill,
    folder::{Folder, copy},
    judge::{self, Wanted},
    plant,
    tenant::Tenant,
};
use crate::{
    config::Loaded,
    failure::Failure,
    in_process::{
        InProcess,
        gate::{Gate, SharedGate, until_killed},
        machine::Machine,
    },
    pipeline::{Bridge, Cycle, OpenTarget, Opener, Transports},
};

/// Always the same backoffs.
const SEED: u64 = 9;
/// From one cycle to the next: long enough that what was written may be judged.
pub(super) const CYCLE: Duration = Duration::from_mins(20);

/// A rehearsal.
pub(super) struct Room {
    folder: Folder,
    /// Time, as the target has it.
    pub(super) clock: VirtualClock,
    /// Time, as the bridge's machine has it.
    pub(super) machine: Machine,
    gate: SharedGate,
    transport: Arc<dyn Transport>,
    /// The configuration of the rehearsal.
    pub(super) loaded: Loaded,
    twin: PathBuf,
    words: u64,
    /// What a state wanted that was put back since.
    pub(super) wanted_before: Wanted,
    /// What did not add up in the books after a cycle, or after a death.
    pub(super) unbalanced: Vec<String>,
    live: Option<(Bridge, Vec<OpenTarget>)>,
}

impl Room {
    /// A room in which nothing has happened yet but the first words of the twin.
    pub(super) fn new(tenant: &Tenant, drill: &Drill<'_>) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let twin = folder.put("twin.ndjson", "")?;
        let mut loaded = tenant.loaded.clone();
        loaded.file = folder.0.join("planthread.yaml");
        loaded.config.state = folder.0.join("state");
        plant::fit(&mut loaded.config, &twin.display().to_string());
        for target in loaded.config.targets.values_mut() {
            // Nobody's second place, and nobody's key: the folder alone.
            let here = json!({ "folder": folder.0.join("packs") });
            target.pack = target.pack.take().and_then(|_| serde_json::from_value(here).ok());
        }
        // The full hour, so that the first cycle knows what the twin says at it.
        let hour = drill.now.as_second().div_euclid(3_600) * 3_600;
        let start = Timestamp::from_second(hour).unwrap_or(drill.now);
        let clock = VirtualClock::new(start, SEED);
        let gate = SharedGate::new(tenant.sandbox()?);
        let wire = shared((drill.between)(Box::new(gate.clone())));
        let transport = Arc::new(InProcess::new(wire, Arc::new(clock.clone())));
        let machine = Machine::new(clock.clone());
        let (words, wanted_before, live) = (0, Wanted::new(), None);
        let unbalanced = Vec::new();
        let mut room = Self {
            folder,
            clock,
            machine,
            gate,
            transport,
            loaded,
            twin,
            words,
            wanted_before,
            unbalanced,
            live,
        };
        room.news()?;
        Ok(room)
    }

    /// A room in which everything that is wanted has landed.
    pub(super) fn landed(tenant: &Tenant, drill: &Drill<'_>) -> Result<Self, Failure> {
        let mut room = Self::new(tenant, drill)?;
        room.until_landed(STARTS)?;
        let missing = judge::missing(&mut room)?;
        if let Some(first) = missing.first() {
            let text =
                format!("nothing could be rehearsed, because the first landing failed: {first}");
            return Err(Failure::usage(text));
        }
        // What takes effect from here on is of a later instant.
        room.clock.advance(Duration::from_secs(1));
        Ok(room)
    }

    /// What stands before the sandbox.
    pub(super) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock()
    }

    /// Time passes, and the twin says something new.
    pub(super) fn news(&mut self) -> Result<(), Failure> {
        let text = plant::words(&self.loaded.config, self.clock.now(), self.words);
        self.words += 1;
        let io = |error| Failure::io("write", &self.twin, &error);
        let mut file = OpenOptions::new().append(true).open(&self.twin).map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)
    }

    /// An hour later the twin says something new.
    pub(super) fn hour(&mut self) -> Result<(), Failure> {
        // To the hour itself: a request that waited leaves the clock within a second, and
        // what is said after the hour is no truth of it.
        const HOUR: i128 = 3_600_000_000_000;
        let left = HOUR - self.clock.now().as_nanosecond().rem_euclid(HOUR);
        self.clock.advance(Duration::from_nanos(u64::try_from(left).unwrap_or_default()));
        self.news()
    }

    fn open(&mut self) -> Result<&(Bridge, Vec<OpenTarget>), Failure> {
        if self.live.is_none() {
            let clock: Arc<dyn Clock> = Arc::new(self.machine.clone());
            let names = self.loaded.config.targets.keys();
            let wire = |name: &String| (name.clone(), Arc::clone(&self.transport));
            let wires: Transports = names.map(wire).collect();
            let opener = Opener::with(Arc::clone(&clock), wires);
            let bridge = Bridge::open(self.loaded.clone(), clock, opener)?;
            let targets = bridge.targets(None)?;
            self.live = Some((bridge, targets));
        }
        self.live.as_ref().ok_or_else(|| Failure::internal("no bridge is open"))
    }

    /// The process ends; the next one begins with what the disk holds.
    pub(super) fn die(&mut self) {
        self.live = None;
    }

    /// One cycle of the bridge; nothing when it died on the way.
    pub(super) fn cycle(&mut self) -> Result<Option<Cycle>, Failure> {
        let (clock, gate) = (self.clock.clone(), self.gate.clone());
        let (bridge, targets) = self.open()?;
        let done = until_killed(&clock, &gate, bridge.cycle(targets, bridge.as_of()));
        if done.is_none() {
            self.die();
            gate.lock().killed = false;
        } else {
            self.balance()?;
        }
        done.transpose()
    }

    /// Notes what does not add up in the books now.
    pub(super) fn balance(&mut self) -> Result<(), Failure> {
        let (reader, now) = (self.reader()?, self.clock.now());
        self.unbalanced.extend(ledger::unbalanced(&reader, now)?);
        Ok(())
    }

    /// Cycles until everything has landed, at most `most`; how many there were.
    pub(super) fn until_landed(&mut self, most: u64) -> Result<u64, Failure> {
        for nth in 1..=most {
            self.cycle()?;
            if judge::missing(self)?.is_empty() {
                return Ok(nth);
            }
            self.clock.advance(CYCLE);
        }
        Ok(most)
    }

    /// What the state says.
    pub(super) fn reader(&mut self) -> Result<Reader, Failure> {
        self.open()?.0.reader()
    }

    /// Whether an agreement was suspended, so that nothing is written before a person
    /// has enabled it anew.
    pub(super) fn suspended(&mut self) -> Result<bool, Failure> {
        let now = self.clock.now();
        let gates = self.open()?.1.iter().map(|target| target.connector.info().agreement.as_ref());
        Ok(gates.flatten().any(|gate| gate.status(now).state == State::Suspended))
    }

    /// The owner of each suspended agreement probes it anew.
    pub(super) fn look_at_agreements(&mut self) -> Result<(), Failure> {
        let (clock, now) = (self.clock.clone(), self.clock.now());
        let (bridge, targets) = self.open()?;
        for target in targets {
            let gate = target.connector.info().agreement.as_ref();
            if gate.is_some_and(|gate| gate.status(now).state == State::Suspended) {
                clock.block_on(bridge.probe(Some(&target.name), "drill"))?;
            }
        }
        // What was found is read again by the next process.
        self.die();
        Ok(())
    }

    /// The number by which heartbeats tell the state from another one.
    pub(super) fn identity(&mut self) -> Result<u32, Failure> {
        Ok(self.open()?.0.state.identity(0)?)
    }

    /// Puts a copy of the state aside.
    pub(super) fn back_up(&mut self) -> Result<(), Failure> {
        self.die();
        copy(&self.loaded.config.state, &self.folder.0.join("backup"))
    }

    /// Puts that copy in the place of the state.
    pub(super) fn restore(&mut self) -> Result<(), Failure> {
        self.wanted_before = judge::ever_wanted(self)?;
        self.die();
        copy(&self.folder.0.join("backup"), &self.loaded.config.state)
    }

    /// Simulated time since the room was opened.
    pub(super) fn passed(&self, since: Timestamp) -> SignedDuration {
        self.clock.now().duration_since(since)
    }
}

/// Cycles in which a rehearsal must come to its end.
pub(super) const STARTS: u64 = 6;
