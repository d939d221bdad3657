//! The plan itself: capacity the ERP loads, load that moves, nightly jobs.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    model::{CAPADEMAND, CAPASUPPLY, TWIN_VERSION, TWINCAPA, TWINCAPALIVE},
    options::Wiring,
    store::RowKey,
};
use crate::simulator::Writer;

/// Name of the nightly ERP load.
pub const NIGHTLY_JOB: &str = "ERP nightly load";
/// Name of the copy operator of [`Wiring::Job`].
pub const COPY_JOB: &str = "Copy TWINCAPA to CAPASUPPLY";
/// Name of the supply run that levels the load.
pub const SUPPLY_RUN: &str = "Supply run";

/// What the ERP believes: three shifts of eight hours, five days.
const ASSUMED_HOURS_PER_DAY: u32 = 24;

impl SapIbp {
    /// Fills the area as of its first day of use.
    pub(super) fn seed(&mut self, at: Timestamp) {
        if self.seeded_at.is_some() {
            return;
        }
        self.seeded_at = Some(at);
        let erp = Writer::Job(NIGHTLY_JOB.to_owned());
        let run = Writer::Job(SUPPLY_RUN.to_owned());
        for (resource, location) in self.master.resources() {
            for period in self.horizon(at) {
                let key = RowKey::base(&resource, &location, period);
                self.store.seed(at, key, CAPASUPPLY, assumed(period), &erp);
            }
            for (key, load) in self.levelled(at, &resource, &location) {
                self.store.seed(at, key, CAPADEMAND, load, &run);
            }
        }
    }

    /// The periods that the ERP loads, as of `at`.
    fn horizon(&self, at: Timestamp) -> Vec<Period> {
        let today = TimeZone::UTC.to_datetime(at).date();
        let (before, after) = self.options.weeks;
        let week = Period::containing(PeriodKind::Week, today).start();
        let end = week.saturating_add((7 * i64::from(after)).days());
        let mut period = Period::containing(
            self.options.storage,
            week.saturating_sub((7 * i64::from(before)).days()),
        );
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
        let mut carried = Decimal::ZERO;
        let mut loads = Vec::new();
        for period in self.horizon(at) {
            let key = RowKey::base(resource, location, period);
            let row = self.store.rows.get(&key);
            let supply = row.and_then(|row| row.seen(CAPASUPPLY, self.options.wiring));
            let wanted = carried + ordered(self.options.seed, resource, period);
            let load = supply.map_or(wanted, |supply| wanted.min(supply));
            carried = wanted - load;
            loads.push((key, load));
        }
        loads
    }

    /// Runs the nightly chain: ERP load, copy operator if wired so, supply run.
    /// Imports that are due by then come first.
    pub fn nightly(&mut self, at: Timestamp) {
        self.advance(at);
        self.nightly_chain(at);
    }

    fn nightly_chain(&mut self, at: Timestamp) {
        let erp = Writer::Job(NIGHTLY_JOB.to_owned());
        let spoils = self.options.switches.on(Switch::NightlyOverwritesBridge);
        for (resource, location) in self.master.resources() {
            for period in self.horizon(at) {
                let key = RowKey::base(&resource, &location, period);
                self.job_writes(at, &key, CAPASUPPLY, assumed(period), &erp);
                if spoils {
                    for figure in [TWINCAPA, TWINCAPALIVE] {
                        let row = self.store.rows.get(&key);
                        if row.is_some_and(|row| row.value(figure).is_some()) {
                            self.job_writes(at, &key, figure, assumed(period), &erp);
                        }
                    }
                }
            }
        }
        if self.options.wiring == Wiring::Job {
            self.copy(at);
        }
        self.supply_run(at);
    }

    /// The copy operator: `TWINCAPA` of base, else of the twin's version.
    fn copy(&mut self, at: Timestamp) {
        let job = Writer::Job(COPY_JOB.to_owned());
        let mut copies = Vec::new();
        for (key, row) in &self.store.rows {
            let mut base = key.clone();
            base.version.clear();
            let own = self.store.rows.get(&base).and_then(|row| row.value(TWINCAPA));
            let wins = key.version.is_empty() || (key.version == TWIN_VERSION && own.is_none());
            if let (Some(value), true) = (row.value(TWINCAPA), wins) {
                copies.push((base, value));
            }
        }
        for (key, value) in copies {
            self.job_writes(at, &key, CAPASUPPLY, value, &job);
        }
    }

    fn supply_run(&mut self, at: Timestamp) {
        let job = Writer::Job(SUPPLY_RUN.to_owned());
        for (resource, location) in self.master.resources() {
            for (key, load) in self.levelled(at, &resource, &location) {
                self.job_writes(at, &key, CAPADEMAND, load, &job);
            }
        }
    }

    /// Jobs write what differs; an equal value is no change.
    fn job_writes(
        &mut self,
        at: Timestamp,
        key: &RowKey,
        figure: usize,
        value: Decimal,
        job: &Writer,
    ) {
        let now = self.store.rows.get(key).and_then(|row| row.value(figure));
        if now != Some(value) {
            self.store.set(at, key.clone(), figure, Some(value), job);
        }
    }

    /// Runs the nightly job when its hour has come since the last request.
    pub(super) fn nightly_due(&mut self, at: Timestamp) {
        let Some(hour) = self.options.nightly_hour else { return };
        let now = TimeZone::UTC.to_datetime(at);
        let day = if now.hour() >= hour { now.date() } else { yesterday(now.date()) };
        let last = *self.nightly_on.get_or_insert(day);
        if last < day {
            self.nightly_on = Some(day);
            self.nightly_chain(at);
        }
    }
}

fn yesterday(day: Date) -> Date {
    day.saturating_sub(1.day())
}

/// The ERP's standard capacity of a period.
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
