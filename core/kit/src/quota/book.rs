//! Who shares which quota.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Quota, QuotaConfig, QuotaCounters, QuotaError, TenantKey};
use crate::Clock;

/// All quotas of the process, one a tenant.
#[derive(Debug)]
pub struct QuotaBook {
    clock: Arc<dyn Clock>,
    quotas: Mutex<BTreeMap<TenantKey, Arc<Quota>>>,
}

impl QuotaBook {
    /// An empty book.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, quotas: Mutex::default() }
    }

    /// The quota of `key`: the same one for everybody who asks.
    ///
    /// # Errors
    /// When `config` makes no sense, or differs from what somebody else of
    /// the same tenant brought.
    pub fn for_tenant(
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
        quotas.insert(key, Arc::clone(&quota));
        Ok(quota)
    }

    /// Counters by tenant, for the report.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<TenantKey, QuotaCounters> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.iter().map(|(key, quota)| (key.clone(), quota.counters())).collect()
    }
}
