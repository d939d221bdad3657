//! Who shares which quota.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{KeptRate, Quota, QuotaConfig, QuotaError, QuotaStanding, TenantKey};
use crate::{Clock, http::Witness};

/// All quotas of the process, one a tenant.
#[derive(Debug)]
pub struct QuotaBook {
    clock: Arc<dyn Clock>,
    quotas: Mutex<BTreeMap<TenantKey, Arc<Quota>>>,
    /// Until when tenants asked an earlier process to wait.
    before: Mutex<BTreeMap<String, Timestamp>>,
    /// The rates that an earlier process learned.
    rates: Mutex<BTreeMap<String, KeptRate>>,
}

impl QuotaBook {
    /// An empty book.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, quotas: Mutex::default(), before: Mutex::default(), rates: Mutex::default() }
    }

    /// The quota of `key`: the same one for everybody who asks.
    ///
    /// # Errors
    /// When `config` makes no sense, or differs from what somebody else of
    /// the same tenant brought.
    pub(crate) fn for_tenant(
        &self,
        key: TenantKey,
        config: QuotaConfig,
    ) -> Result<Arc<Quota>, QuotaError> {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quota) = quotas.get(&key) {
            let same = quota.config == config;
            return if same { Ok(Arc::clone(quota)) } else { Err(QuotaError::Conflict(key)) };
        }
        let quota = Arc::new(Quota::new(config, Arc::clone(&self.clock))?);
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = before.get(&key.to_string()) {
            quota.resume_pause(*until);
        }
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = rates.get(&key.to_string()) {
            quota.resume_rate(rate);
        }
        quotas.insert(key, Arc::clone(&quota));
        Ok(quota)
    }

    /// Takes over the pauses that an earlier process was asked for, before any
    /// quota is handed out.
    pub fn remember(&self, pauses: impl IntoIterator<Item = (String, Timestamp)>) {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).extend(pauses);
    }

    /// Takes over the rates that an earlier process learned, before any quota is
    /// handed out.
    pub fn remember_rates(&self, rates: impl IntoIterator<Item = (String, KeptRate)>) {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).extend(rates);
    }

    /// The rate that each tenant taught of whom anything was asked; `None` where it
    /// refused nothing, or takes our whole share.
    #[must_use]
    pub fn rates(&self) -> BTreeMap<String, Option<KeptRate>> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let taught =
            |(key, quota): (&TenantKey, &Arc<Quota>)| Some((key.to_string(), quota.kept_rate()?));
        quotas.iter().filter_map(taught).collect()
    }

    /// Until when each tenant has asked us to wait, where it has.
    #[must_use]
    pub fn pauses(&self) -> BTreeMap<String, Timestamp> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let until = |(key, quota): (&TenantKey, &Arc<Quota>)| {
            Some((key.to_string(), self.clock.now().checked_add(quota.paused_for()?).ok()?))
        };
        quotas.iter().filter_map(until).collect()
    }

    /// What each tenant last said about our clock, where it did.
    #[must_use]
    pub fn witnesses(&self) -> BTreeMap<String, Witness> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let said =
            |(key, quota): (&TenantKey, &Arc<Quota>)| Some((key.to_string(), quota.witness()?));
        quotas.iter().filter_map(said).collect()
    }

    /// How each tenant stands, for whoever operates the program.
    #[must_use]
    pub fn standing(&self) -> BTreeMap<TenantKey, QuotaStanding> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.iter().map(|(key, quota)| (key.clone(), quota.standing())).collect()
    }
}
