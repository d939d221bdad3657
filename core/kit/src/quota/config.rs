//! A quota as data: whose it is, and how much.

use std::{fmt, num::NonZeroU32, time::Duration};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Blackout;

/// Who shares a quota: host and identity, by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TenantKey(String);

impl TenantKey {
    /// The usual key: one user (or client id) at one host.
    #[must_use]
    pub fn of(host: &str, identity: &str) -> Self {
        Self(format!("{}/{identity}", host.to_ascii_lowercase()))
    }

    /// A key that the configuration names, so that several identities or
    /// hosts of one tenant share a quota.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may be sent to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Requests per minute that the vendor publishes. Where the connector knows them
    /// (its page says so), they need not be written. Without any nothing is spaced until
    /// the tenant refuses a request as one too many; then the rate is learned. Pauses
    /// and blackouts hold all the same.
    pub published_per_minute: Option<u32>,
    /// Our share of it, above 0 and at most 1. Half by default, because the
    /// nightly load of others needs the rest.
    pub share: Decimal,
    /// Requests that may go out at once after a quiet time; at least 1.
    pub burst: u32,
    /// Daily windows in which nothing is sent.
    pub blackouts: Vec<Blackout>,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            published_per_minute: None,
            share: Decimal::new(5, 1),
            burst: 5,
            blackouts: Vec::new(),
        }
    }
}

/// A quota that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// Zero requests per minute.
    #[error("published_per_minute is 0; leave it out when the vendor publishes no rate")]
    NoRate,
    /// Not a share.
    #[error("share is {0}; it must be above 0 and at most 1")]
    Share(Decimal),
    /// No burst.
    #[error("burst is 0; it must be at least 1")]
    NoBurst,
    /// A blackout window that is none.
    #[error("blackout {from} to {to}: both ends are the same; leave it out, or stop the target")]
    EmptyBlackout {
        /// Its start.
        from: jiff::civil::Time,
        /// Its end.
        to: jiff::civil::Time,
    },
    /// A zone that nobody knows.
    #[error("blackout zone {0:?} is not in the time zone database; write an IANA name")]
    Zone(String),
    /// Two targets of one tenant disagree.
    #[error("tenant {0} has two different quotas; give both targets the same, or their own keys")]
    Conflict(TenantKey),
}

impl QuotaConfig {
    /// Time between two requests, and the burst; `None` without a rate.
    pub(super) fn spacing(&self) -> Result<Option<(Duration, NonZeroU32)>, QuotaError> {
        const MINUTE_NS: u64 = 60_000_000_000;
        let burst = NonZeroU32::new(self.burst).ok_or(QuotaError::NoBurst)?;
        if self.share <= Decimal::ZERO || self.share > Decimal::ONE {
            return Err(QuotaError::Share(self.share));
        }
        let Some(published) = self.published_per_minute else { return Ok(None) };
        if published == 0 {
            return Err(QuotaError::NoRate);
        }
        // Rounded up: a hair slower than our share, never faster.
        let ours = self.share * Decimal::from(published);
        let interval = (Decimal::from(MINUTE_NS) / ours).ceil().to_u64().unwrap_or(MINUTE_NS);
        Ok(Some((Duration::from_nanos(interval), burst)))
    }
}
