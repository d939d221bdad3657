//! How long the real system takes, as far as it is measured in public.

use std::time::Duration;

use crate::sdk::latency::Rates;

/// Staging: 1 → 50 values/s is "≈ 20 ms/value" (section 8.1, grade B); 12, 16 and
/// 20 POSTs in flight were measured in one tenant (section 8.1, grade B). A read
/// costs about 6 s whatever its size (section 7, grade B), and reads scale to
/// about 6 (section 8.1, grade B).
pub const RATES: Rates = Rates {
    staging: &[(1, 50), (12, 298), (16, 354), (20, 415)],
    read: Duration::from_secs(6),
    reads_parallel: 6,
};
