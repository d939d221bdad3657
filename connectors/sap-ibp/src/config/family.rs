//! Families of planning areas.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family that a planning area was copied from. It can't be seen from
/// outside, so that only a person can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Family {
    /// The unified model for time-series planning: what both services were
    /// stated to serve (C).
    #[serde(rename = "SAPIBP1")]
    Unified,
    /// The harmonised planning area, with which new implementations begin: it
    /// combines time-series and order-based planning. Whether its time-series
    /// key figures are served is unconfirmed (C).
    #[serde(rename = "I_SAPIBP2")]
    Harmonised,
    /// Order-based planning: no key figures that this connector could write.
    #[serde(rename = "SAP7F")]
    OrderBased,
}
