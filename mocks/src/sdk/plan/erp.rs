//! What happens to a plan by itself: capacity the ERP loads, load that moves,
//! nightly jobs.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;

use super::{Part, Places, Plan, RowKey, Wiring};
use crate::sdk::simulator::Writer;

/// Name of the nightly ERP load.
pub const NIGHTLY_JOB: &str = "ERP nightly load";
/// Name of the copy operator of [`Wiring::Job`].
pub const COPY_JOB: &str = "Copy of the cut to what is assumed";
/// Name of the supply run that levels the load.
pub const SUPPLY_RUN: &str = "Supply run";

/// What the ERP believes: three shifts of eight hours, five days.
const ASSUMED_HOURS_PER_DAY: u32 = 24;

fn job(name: &str) -> Arc<Writer> {
    Arc::new(Writer::Job(name.to_owned()))
}

impl Plan {
    /// Fills the plan as of its first day of use.
    pub fn fill(&mut self, at: Timestamp, places: &dyn Places) {
        if self.seeded_at.is_some() {
            return;
        }
        self.seeded_at = Some(at);
        let (erp, run) = (job(NIGHTLY_JOB), job(SUPPLY_RUN));
        let [assumed_by, load_by] = [Part::Assumed, Part::Load].map(|part| self.model.part(part));
        for (resource, location) in places.pairs("") {
            for period in self.horizon(at) {
                let key = RowKey::base(&resource, &location, period);
                if let Some(measure) = assumed_by {
                    self.store.seed(at, key, measure, self.assumed(period), &erp);
                }
            }
            let Some(measure) = load_by else { continue };
            for (key, load) in self.levelled(at, &resource, &location) {
                self.store.seed(at, key, measure, load, &run);
            }
        }
    }

    /// The periods that the ERP loads, as of `at`.
    fn horizon(&self, at: Timestamp) -> Vec<Period> {
        let today = TimeZone::UTC.to_datetime(at).date();
        let (before, after) = self.weeks;
        let week = Period::containing(PeriodKind::Week, today).start();
        let end = week.saturating_add((7 * i64::from(after)).days());
        let first = week.saturating_sub((7 * i64::from(before)).days());
        let mut period = Period::containing(self.storage, first);
        let mut periods = Vec::new();
        while period.start() < end {
            periods.push(period);
            period = period.next();
        }
        periods
    }

    /// The load after levelling: what exceeds the capacity in use moves on to
    /// the next period. So a capacity that drives the plan moves the load.
    fn levelled(&self, at: Timestamp, resource: &str, location: &str) -> Vec<(RowKey, Decimal)> {
        let supply_by = self.model.part(Part::Assumed);
        let mut carried = Decimal::ZERO;
        let mut loads = Vec::new();
        for period in self.horizon(at) {
            let key = RowKey::base(resource, location, period);
            let row = self.store.rows.get(&key).zip(supply_by);
            let supply = row.and_then(|(row, measure)| self.model.seen(row, measure, self.wiring));
            let wanted = carried + self.model.of_hours(ordered(self.seed, resource, period));
            let load = supply.map_or(wanted, |supply| wanted.min(supply.value));
            carried = wanted - load;
            loads.push((key, load));
        }
        loads
    }

    /// Runs the nightly chain: ERP load, copy operator if wired so, supply run.
    pub fn nightly(&mut self, at: Timestamp, places: &dyn Places) {
        let erp = job(NIGHTLY_JOB);
        let spoilt =
            [Part::Cut, Part::Live].map(|part| self.model.part(part).filter(|_| self.spoils));
        for (resource, location) in places.pairs("") {
            for period in self.horizon(at) {
                let key = RowKey::base(&resource, &location, period);
                if let Some(measure) = self.model.part(Part::Assumed) {
                    self.job_writes(at, &key, measure, self.assumed(period), &erp);
                }
                for measure in spoilt.into_iter().flatten() {
                    if self.store.value(&key, measure).is_some() {
                        self.job_writes(at, &key, measure, self.assumed(period), &erp);
                    }
                }
            }
        }
        if self.wiring == Wiring::Job {
            self.copy(at);
        }
        self.supply_run(at, places);
    }

    /// The copy operator: the cut of base, else of the first scope that has one.
    fn copy(&mut self, at: Timestamp) {
        let parts = self.model.part(Part::Cut).zip(self.model.part(Part::Assumed));
        let Some((cut, supply)) = parts else { return };
        let mut copies = std::collections::BTreeMap::new();
        // Base comes first among the rows, and the first copy stays.
        for (key, row) in &self.store.rows {
            if let Some(value) = row.value(cut) {
                let base = RowKey::base(&key.resource, &key.location, key.period);
                copies.entry(base).or_insert(value);
            }
        }
        let job = job(COPY_JOB);
        for (key, value) in copies {
            self.job_writes(at, &key, supply, value, &job);
        }
    }

    /// The ERP's standard capacity of a period, in the unit of the plan.
    fn assumed(&self, period: Period) -> Decimal {
        self.model.of_hours(assumed(period))
    }

    fn supply_run(&mut self, at: Timestamp, places: &dyn Places) {
        let Some(measure) = self.model.part(Part::Load) else { return };
        let job = job(SUPPLY_RUN);
        for (resource, location) in places.pairs("") {
            for (key, load) in self.levelled(at, &resource, &location) {
                self.job_writes(at, &key, measure, load, &job);
            }
        }
    }

    /// Jobs write what differs; an equal value is no change.
    fn job_writes(
        &mut self,
        at: Timestamp,
        key: &RowKey,
        measure: usize,
        value: Decimal,
        job: &Arc<Writer>,
    ) {
        if self.store.value(key, measure) != Some(value) {
            self.store.set(at, key.clone(), measure, Some(value), job);
        }
    }

    /// Runs the nightly job when its hour has come since the last request.
    pub(crate) fn nightly_due(&mut self, at: Timestamp, places: &dyn Places) {
        let Some(hour) = self.nightly_hour else { return };
        let now = TimeZone::UTC.to_datetime(at);
        let day = if now.hour() >= hour { now.date() } else { yesterday(now.date()) };
        let last = *self.nightly_on.get_or_insert(day);
        if last < day {
            self.nightly_on = Some(day);
            self.nightly(at, places);
        }
    }
}

fn yesterday(day: Date) -> Date {
    day.saturating_sub(1.day())
}

/// The ERP's standard capacity of a period, in hours.
fn assumed(period: Period) -> Decimal {
    let working = period.days().filter(|day| day.weekday().to_monday_one_offset() <= 5).count();
    Decimal::from(ASSUMED_HOURS_PER_DAY) * Decimal::from(working)
}

/// Ordered hours of a period: a stable draw between 66 % and 104 % of standard.
fn ordered(seed: u64, resource: &str, period: Period) -> Decimal {
    let text = format!("{seed}/{resource}/{period}");
    // FNV-1a: enough to spread a text.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let percent = Decimal::from(66 + (hash >> 32) % 39);
    (assumed(period) * percent / Decimal::ONE_HUNDRED).round_dp(1)
}
