//! Everything that an answer to an operator is read from.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread_engine::{
    continuity, fallback,
    gauges::{self, CellGauges, Gauges},
    journal,
};
use planthread_kit::{Operation, target::Certificates};

use super::{
    Health, LoopHealth, Pulse, Pulses, Ready, Register, TargetReady,
    alerts::{Counts, Refusals},
    metrics::{self, Seen},
};
use crate::{
    failure::Failure,
    pipeline::{
        Bridge, FirmStands, OpenTarget, PackTimes, certificates, certificates_of_alerts, firm,
        paused_by,
    },
};

/// The loop of the factory's side, as `/healthz` calls it.
pub(crate) const ROUNDS: &str = "rounds";

/// A look at every cell is repeated only after so many times what the last one took,
/// however often one asks: it never costs more than a twentieth of one core.
const CELLS_REST: i32 = 20;

/// While nothing moves in the ledger, it is repeated after this time: cells get stale
/// by themselves.
const CELLS_MOST: SignedDuration = SignedDuration::from_mins(5);

/// Watches one bridge that runs.
#[derive(Debug)]
pub struct Watch {
    pub(super) bridge: Arc<Bridge>,
    pub(super) targets: Vec<OpenTarget>,
    /// Messages that were sent.
    pub(super) alerts: Counts,
    /// What tenants refused, for the messages.
    pub(super) refusals: Refusals,
    /// What the loops tell.
    pub register: Arc<Register>,
    /// Whether they turn.
    pub pulses: Arc<Pulses>,
    pub(super) started: Timestamp,
    cells: Mutex<Option<Cells>>,
}

/// What the last look at every cell found.
#[derive(Debug, Clone)]
struct Cells {
    counter: u64,
    at: Timestamp,
    took: SignedDuration,
    found: Arc<Vec<CellGauges>>,
    firm: Arc<Vec<FirmStands>>,
}

/// The cells in numbers, and how what is firm stands.
type Look = (Arc<Vec<CellGauges>>, Arc<Vec<FirmStands>>);

impl Watch {
    /// Watches `bridge` and `targets`; a loop is late when it is silent for `stall`.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn new(
        bridge: &Arc<Bridge>,
        targets: &[OpenTarget],
        stall: Duration,
    ) -> Result<Self, Failure> {
        let sources = bridge.loaded.config.plant.sources.iter();
        let sources: Vec<&str> = sources.map(|source| source.name.as_str()).collect();
        let heard = journal::heard(&bridge.state, &sources, bridge.clock.now())?;
        bridge.arrivals().remember(heard);
        Ok(Self {
            bridge: Arc::clone(bridge),
            targets: targets.to_vec(),
            alerts: Counts::default(),
            refusals: Refusals::default(),
            register: Arc::default(),
            pulses: Arc::new(Pulses::new(Arc::clone(&bridge.clock), stall)),
            started: bridge.clock.now(),
            cells: Mutex::default(),
        })
    }

    /// Whether the loops turn.
    #[must_use]
    pub fn health(&self) -> Health {
        let (now, stall) = (self.bridge.clock.now(), self.pulses.stall());
        let mut loops: Vec<LoopHealth> = Vec::new();
        for Pulse { name, at, late } in self.pulses.now() {
            let late = late || name == ROUNDS && self.no_round(now);
            loops.push(LoopHealth { name, at, late });
        }
        let healthy = loops.iter().all(|one| !one.late);
        Health { healthy, now, stall_seconds: stall.as_secs(), loops }
    }

    /// Whether no round has ended, well or not, for longer than it may take.
    fn no_round(&self, now: Timestamp) -> bool {
        let every = Duration::from_secs(self.bridge.loaded.config.run.every_seconds);
        let last = self.register.told().rounds.last.unwrap_or(self.started);
        let most = SignedDuration::try_from(every.saturating_add(self.pulses.stall()));
        most.is_ok_and(|most| now.duration_since(last).abs() > most)
    }

    /// Whether the bridge can do its work. Its configuration was taken, or nobody
    /// would answer here.
    #[must_use]
    pub fn ready(&self) -> Ready {
        let (now, told) = (self.bridge.clock.now(), self.register.told());
        let mut why: Vec<String> = Vec::new();
        if let Some(fault) = self.bridge.state.last_fault() {
            why.push(format!("the last write to the state was not kept: {fault}"));
        }
        let away = self.away().unwrap_or_else(|failure| {
            why.push(format!("the state can't be read: {}", failure.message));
            BTreeMap::new()
        });
        let target = |target: &OpenTarget| {
            let told = told.targets.get(&target.name);
            TargetReady {
                target: target.name.clone(),
                away_since: away.get(&target.name).copied(),
                paused: self.paused(target, now),
                breaker: target.breakers.worst(now).word().to_owned(),
                breakers: Operation::ALL
                    .map(|of| (of.word(), target.breakers.standing(of, now).word()))
                    .into(),
                last_done: told.and_then(|told| told.last_done),
                stopped: told.and_then(|told| told.stopped.clone()),
            }
        };
        Ready {
            ready: why.is_empty(),
            now,
            last_round: told.rounds.last_done,
            round_failed: told.rounds.failure.clone(),
            targets: self.targets.iter().map(target).collect(),
            why,
        }
    }

    /// The page of `/metrics`.
    #[must_use]
    pub fn metrics(&self) -> String {
        let ready = self.ready();
        let (told, now) = (self.register.told(), ready.now);
        let mut page = metrics::of_process(&ready, &self.health(), &told, self.started);
        page.round_interval(self.bridge.loaded.config.run.every_seconds);
        if let Some(keeper) = self.bridge.lease() {
            page.lease(true, keeper.permit().left());
        }
        page.targets(&self.targets, &told, &ready);
        page.packs(&self.packs());
        page.certificates(&self.certificates());
        page.alerts(self.alerts.so_far());
        page.tenants(&self.bridge.tenants());
        page.sources(&self.bridge.loaded.config.plant, &self.bridge.arrivals().so_far());
        page.state(self.bridge.state.bytes(), self.bridge.state.last_fault().is_some());
        page.ledger(&self.targets, self.seen(now).as_ref().ok());
        page.text()
    }

    /// What the state says now.
    pub(super) fn seen(&self, now: Timestamp) -> Result<Seen, Failure> {
        let reader = self.bridge.reader()?;
        let gauges = gauges::gauges(&reader, now)?;
        let clock_confirmed = continuity::clock::last_witness(&reader)?;
        let (cells, firm) = self.cells(&gauges, now)?;
        Ok(Seen { gauges, cells, firm, clock_confirmed })
    }

    /// The cells as they are, or were a moment ago. Who asks at the same time shares
    /// one look.
    fn cells(&self, gauges: &Gauges, now: Timestamp) -> Result<Look, Failure> {
        let mut known = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |cells: &&Cells| {
            let age = now.duration_since(cells.at).abs();
            age < cells.took * CELLS_REST || cells.counter == gauges.counter && age < CELLS_MOST
        };
        if let Some(cells) = known.as_ref().filter(fresh) {
            return Ok((Arc::clone(&cells.found), Arc::clone(&cells.firm)));
        }
        let reader = self.bridge.reader()?;
        let found = Arc::new(gauges::cells(&reader, now)?);
        let stands = |target| firm(&self.bridge.loaded, &reader, target, now).transpose();
        let all: Vec<FirmStands> =
            self.targets.iter().filter_map(stands).collect::<Result<_, _>>()?;
        let firm = Arc::new(all);
        let at = self.bridge.clock.now();
        let (counter, took) = (gauges.counter, at.duration_since(now).abs());
        let look = (found, firm);
        let (found, firm) = look.clone();
        *known = Some(Cells { counter, at, took, found, firm });
        Ok(look)
    }

    /// Since when targets are away. One that a person feeds by hand is paused, and was
    /// not asked.
    fn away(&self) -> Result<BTreeMap<String, Timestamp>, Failure> {
        let outages = fallback::outages(&self.bridge.reader()?)?;
        let away = outages.into_iter().filter(|outage| outage.class != fallback::BY_HAND);
        Ok(away.map(|outage| (outage.target, outage.began)).collect())
    }

    /// The packs of the targets, as they lie there now.
    pub(super) fn packs(&self) -> Vec<PackTimes> {
        self.targets.iter().filter_map(|one| PackTimes::of(&one.name, &one.config)).collect()
    }

    /// The certificates of the targets and of the ways to people, read anew: they are
    /// renewed in place.
    pub(super) fn certificates(&self) -> Vec<Certificates> {
        let loaded = &self.bridge.loaded;
        let of = |target: &OpenTarget| certificates(loaded, &target.name, &target.config);
        self.targets.iter().flat_map(of).chain(certificates_of_alerts(loaded)).collect()
    }

    /// Who lets nothing be sent. A record that can't be read is a pause, too.
    pub(super) fn paused(&self, target: &OpenTarget, now: Timestamp) -> Option<String> {
        let paused = paused_by(&self.bridge.loaded, &target.name, &target.config, now);
        paused.unwrap_or_else(|failure| Some(failure.message))
    }
}
