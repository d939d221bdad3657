//! The page of `/metrics`: each number from where it already is.

mod catalogue;
mod exposition;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use planthread_domain::model::Plant;
use planthread_engine::gauges::{CellGauges, Gauges};
use planthread_kit::{BreakerStanding, QuotaStanding, TenantKey, target::Certificates};

use self::catalogue::{
    AHEAD, ALERTS, ASKED, AWAY, AWAY_SINCE, BREAKER, BUILD, BYTES, CASES, CELLS, CERTIFICATE,
    CONFIRMED, CYCLE_LAST, CYCLE_TOOK, CYCLES, EARLY, FIRM_MISSED, IN_USE, INFEASIBLE, JOURNAL,
    LEARNED, LEASE_LEFT, LEASE_ROLE, LOCKS, LOOP_LATE, OPEN, OPEN_SINCE, PACK, PAUSED, READ_FAILED,
    READY, REFUSALS, REQUESTS, RETRIES, ROUND_EVERY, ROUND_LAST, ROUND_TOOK, ROUNDS, SECOND_PACK,
    SEEN, SHARE, SOURCE, SOURCE_NEWEST, SOURCE_REFUSED, STALE, STARTED, TARGET, UNSEEN, WAITING,
    WAITS, WANTED, WRITE_FAILED,
};
pub use self::{
    catalogue::FAMILIES,
    exposition::{Exposition, Family, Kind, MEDIA},
};
use super::{Ended, Health, Ready, Told, alerts::Way};
use crate::{
    pipeline::{FirmStands, OpenTarget, PackTimes},
    serve::Arrived,
};

/// What the state says.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) gauges: Gauges,
    pub(super) cells: Arc<Vec<CellGauges>>,
    pub(super) firm: Arc<Vec<FirmStands>>,
    pub(super) clock_confirmed: Option<Timestamp>,
}

/// The page while it is written.
#[derive(Debug, Default)]
pub(super) struct Page(Exposition);

/// A page with what is known of the process.
pub(super) fn of_process(ready: &Ready, health: &Health, told: &Told, started: Timestamp) -> Page {
    let mut page = Exposition::default();
    page.flag(&BUILD, &[env!("CARGO_PKG_VERSION")], true);
    page.instant(&STARTED, &[], Some(started));
    page.flag(&READY, &[], ready.ready);
    for one in &health.loops {
        page.flag(&LOOP_LATE, &[&one.name], one.late);
    }
    page.count(&ROUNDS, &["done"], told.rounds.done);
    page.count(&ROUNDS, &["failed"], told.rounds.failed);
    page.instant(&ROUND_LAST, &[], told.rounds.last_done);
    page.put(&ROUND_TOOK, &[], told.rounds.took.as_secs_f64());
    Page(page)
}

impl Page {
    pub(super) fn text(&self) -> String {
        self.0.text(&FAMILIES)
    }

    pub(super) fn round_interval(&mut self, seconds: u64) {
        self.0.count(&ROUND_EVERY, &[], seconds);
    }

    /// How the lease stands: who this is, and for how long it may still send.
    pub(super) fn lease(&mut self, active: bool, left: Option<std::time::Duration>) {
        self.0.flag(&LEASE_ROLE, &["active"], active);
        self.0.flag(&LEASE_ROLE, &["standby"], !active);
        self.0.put(&LEASE_LEFT, &[], left.unwrap_or_default().as_secs_f64());
    }

    /// How the targets of the configuration stand.
    pub(super) fn targets(&mut self, targets: &[OpenTarget], told: &Told, ready: &Ready) {
        let page = &mut self.0;
        for (target, stands) in targets.iter().zip(&ready.targets) {
            let name = target.name.as_str();
            page.flag(&TARGET, &[name, &target.config.connector, &target.config.scope], true);
            let told = told.targets.get(name).cloned().unwrap_or_default();
            for ended in Ended::ALL {
                let n = told.ended.get(&ended).copied().unwrap_or_default();
                page.count(&CYCLES, &[name, ended.word()], n);
            }
            page.instant(&CYCLE_LAST, &[name], told.last_done);
            page.put(&CYCLE_TOOK, &[name], told.took.as_secs_f64());
            page.flag(&AWAY, &[name], stands.away_since.is_some());
            page.instant(&AWAY_SINCE, &[name], stands.away_since);
            page.flag(&PAUSED, &[name], stands.paused.is_some());
            for (operation, stands) in &stands.breakers {
                for state in BreakerStanding::ALL.map(BreakerStanding::word) {
                    page.flag(&BREAKER, &[name, operation, state], *stands == state);
                }
            }
        }
    }

    /// Of which instants packs are: none is as old as can be.
    pub(super) fn packs(&mut self, all: &[PackTimes]) {
        let or_never = |at: Option<Timestamp>| at.or(Some(Timestamp::UNIX_EPOCH));
        for one in all {
            let target = &[one.target.as_str()];
            self.0.instant(&PACK, target, or_never(one.here));
            if let Some((_, of)) = &one.second {
                self.0.instant(&SECOND_PACK, target, or_never(*of));
            }
        }
    }

    /// When certificates end.
    pub(super) fn certificates(&mut self, all: &[Certificates]) {
        for one in all {
            let ends = one.ends.or(Some(Timestamp::UNIX_EPOCH));
            self.0.instant(&CERTIFICATE, &[&one.target, one.what], ends);
        }
    }

    /// Messages that were taken, and tries that failed, by each way.
    pub(super) fn alerts(&mut self, ways: [(Way, u64, u64); 2]) {
        for (way, sent, failed) in ways {
            self.0.count(&ALERTS, &["sent", way.word()], sent);
            self.0.count(&ALERTS, &["failed", way.word()], failed);
        }
    }

    /// What was asked of the tenants of the targets.
    pub(super) fn tenants(&mut self, tenants: &BTreeMap<TenantKey, QuotaStanding>) {
        let page = &mut self.0;
        for (key, stands) in tenants {
            let (key, counters) = (key.to_string(), stands.counters);
            let tenant = &[key.as_str()];
            page.count(&REQUESTS, tenant, counters.requests);
            page.count(&REFUSALS, tenant, counters.refusals);
            page.count(&RETRIES, tenant, counters.retries);
            page.count(&EARLY, tenant, counters.inside_pause);
            let waited = std::time::Duration::from_millis(counters.waited_ms);
            page.put(&WAITS, tenant, waited.as_secs_f64());
            page.put(&ASKED, tenant, stands.paused_for.unwrap_or_default().as_secs_f64());
            if let Some(every) = stands.every.filter(|every| !every.is_zero()) {
                page.put(&SHARE, tenant, every.as_secs_f64().recip());
            }
            if let Some(every) = stands.learned_every {
                page.put(&LEARNED, tenant, every.as_secs_f64().recip());
            }
            if let Some(witness) = stands.witness {
                page.put(&AHEAD, tenant, witness.ahead.as_secs_f64());
            }
        }
    }

    /// What arrived from the sources of the configuration.
    pub(super) fn sources(&mut self, plant: &Plant, arrived: &BTreeMap<String, Arrived>) {
        let page = &mut self.0;
        for source in &plant.sources {
            let name = &[source.name.as_str()];
            let one = arrived.get(&source.name).copied().unwrap_or_default();
            page.count(&SOURCE, name, one.taken);
            page.count(&SOURCE_REFUSED, name, one.refused);
            // Who decides nothing new is not silent.
            if !source.reader.is_decisions() {
                page.instant(&SOURCE_NEWEST, name, one.newest);
            }
        }
        let unnamed = arrived.get("").copied().unwrap_or_default();
        page.count(&SOURCE_REFUSED, &[""], unnamed.refused);
    }

    pub(super) fn state(&mut self, bytes: u64, write_failed: bool) {
        self.0.count(&BYTES, &[], bytes);
        self.0.flag(&WRITE_FAILED, &[], write_failed);
    }

    /// What the ledger and the journal hold. What the ledger knows of targets that are
    /// not configured any more is nobody's alarm.
    pub(super) fn ledger(&mut self, targets: &[OpenTarget], seen: Option<&Seen>) {
        let page = &mut self.0;
        page.flag(&READ_FAILED, &[], seen.is_none());
        let Some(Seen { gauges, cells, firm, clock_confirmed }) = seen else { return };
        page.instant(&CONFIRMED, &[], *clock_confirmed);
        page.count(&JOURNAL, &[], gauges.position);
        for (kind, n) in gauges.waiting {
            page.count(&WAITING, &[kind], n);
        }
        let named = |name: &str, scope: &str| {
            let ours = |target: &&OpenTarget| target.name == name && target.scope.name() == scope;
            targets.iter().find(ours).map(|target| target.config.scope.clone())
        };
        for one in &gauges.scopes {
            let Some(scope) = named(&one.target, &one.scope) else { continue };
            let at = &[one.target.as_str(), scope.as_str()];
            for (state, n) in &one.states {
                page.count(&CELLS, &[at[0], at[1], state], *n);
            }
            for (kind, n) in &one.open_cases {
                page.count(&CASES, &[at[0], at[1], kind], *n);
            }
            page.count(&OPEN, at, one.open_attempts);
            page.instant(&OPEN_SINCE, at, one.oldest_open);
            page.count(&LOCKS, at, one.locks);
        }
        for one in cells.iter() {
            let Some(scope) = named(&one.target, &one.scope) else { continue };
            let at = &[one.target.as_str(), scope.as_str()];
            page.count(&WANTED, at, one.wanted);
            page.count(&SEEN, at, one.seen);
            page.count(&IN_USE, at, one.in_use);
            page.count(&STALE, at, one.stale);
            page.instant(&UNSEEN, at, one.oldest_unseen);
        }
        for one in firm.iter() {
            let Some(scope) = named(&one.target, &one.scope) else { continue };
            let at = &[one.target.as_str(), scope.as_str()];
            page.count(&FIRM_MISSED, at, if one.missed { one.not_proven } else { 0 });
            page.count(&INFEASIBLE, at, one.infeasible.iter().map(|one| one.line_periods).sum());
        }
    }
}
