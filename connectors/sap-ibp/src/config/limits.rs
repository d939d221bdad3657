//! Sizes and time limits, with the documented figures as defaults.

use planthread_kit::target::{SettingsFault, fault::within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How rows are staged.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Transaction {
    /// Ask the service for a transaction id instead of using the attempt's own
    /// 32 digits (both are accepted; the own id survives a crash before the
    /// first answer).
    pub(crate) id_from_service: bool,
    /// Most values (rows × key figures) in one POST: 5,000 values take about
    /// 110 s, and gateways end a request after 60 to 120 s.
    pub(crate) values_per_post: usize,
    /// Most rows in one POST.
    pub(crate) rows_per_post: usize,
    /// POSTs that are staged at the same time.
    pub(crate) parallel_posts: usize,
    /// Most rows in one transaction; 20,000 to 40,000 keep progress durable.
    pub(crate) segment_rows: usize,
    /// Call `InitiateParallelProcess` before the first POST; a 4xx means that
    /// the tenant has none, and the import goes on.
    pub(crate) initiate_parallel_process: bool,
    /// Add `P_RETURN_MIN=X` to the POST (used by SAP's own flow, meaning by
    /// its name only).
    pub(crate) return_min: bool,
    /// Send `TransactionName`, a label in the job list. Newer tenants only:
    /// `check` looks for it in `$metadata`.
    pub(crate) transaction_name: Option<String>,
}

impl Default for Transaction {
    fn default() -> Self {
        Self {
            id_from_service: false,
            values_per_post: 2_000,
            rows_per_post: 5_000,
            parallel_posts: 2,
            segment_rows: 20_000,
            initiate_parallel_process: false,
            return_min: false,
            transaction_name: None,
        }
    }
}

impl Transaction {
    pub(crate) fn validate(&self) -> Result<(), SettingsFault> {
        within("transaction.values_per_post", self.values_per_post, 1, 5_000)?;
        within("transaction.rows_per_post", self.rows_per_post, 1, 5_000)?;
        within("transaction.parallel_posts", self.parallel_posts, 1, 20)?;
        within("transaction.segment_rows", self.segment_rows, 1, 40_000)
    }
}

/// What an unclear commit is given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Polling {
    /// Seconds that a commit of unknown fate may stay `INITIAL` before it
    /// counts as not taken. How often an import is asked for, and how long it is
    /// waited for, stands under `delivery` of the target.
    pub(crate) settle_grace_seconds: u64,
}

impl Default for Polling {
    fn default() -> Self {
        Self { settle_grace_seconds: 120 }
    }
}

impl Polling {
    pub(crate) fn validate(&self) -> Result<(), SettingsFault> {
        within("polling.settle_grace_seconds", self.settle_grace_seconds, 0, 86_400)
    }
}

/// Time limits of single requests, in seconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timeouts {
    /// Reads.
    pub(crate) get_seconds: u64,
    /// Writes.
    pub(crate) post_seconds: u64,
    /// `$metadata` and service documents: several MB.
    pub(crate) metadata_seconds: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { get_seconds: 90, post_seconds: 120, metadata_seconds: 110 }
    }
}

/// How values are read back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reading {
    /// Rows in one page: a read costs about 6 s whatever its size.
    pub(crate) page_size: usize,
    /// Pages that are read at the same time; reads scale to about 6.
    pub(crate) parallel: usize,
    /// Resource and location pairs that are named in `$filter`; a longer
    /// selection is read by location and sorted out here.
    pub(crate) pairs_in_filter: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self { page_size: 5_000, parallel: 6, pairs_in_filter: 30 }
    }
}

impl Reading {
    pub(crate) fn validate(&self) -> Result<(), SettingsFault> {
        within("reading.page_size", self.page_size, 2, 50_000)?;
        within("reading.parallel", self.parallel, 1, 6)?;
        within("reading.pairs_in_filter", self.pairs_in_filter, 0, 100)
    }
}

/// Layout of the CSV pack. The app's own choices are not confirmed in public
/// material: compare once with the template that it offers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PackOptions {
    /// One of `,`, `;`, tab and `|`.
    pub(crate) separator: char,
    /// Name of the date column.
    pub(crate) date_column: String,
    /// `strftime` form of the date.
    pub(crate) date_format: String,
    /// Whether the date column stands after the key figures instead of before.
    pub(crate) date_last: bool,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            separator: ',',
            date_column: "KEYFIGUREDATE".to_owned(),
            date_format: "%Y-%m-%d".to_owned(),
            date_last: false,
        }
    }
}

impl PackOptions {
    pub(crate) fn validate(&self) -> Result<(), SettingsFault> {
        if ![',', ';', '\t', '|'].contains(&self.separator) {
            return Err(SettingsFault::new("pack.separator", "must be one of , ; | and tab"));
        }
        let sample = jiff::civil::date(2026, 1, 5);
        match jiff::fmt::strtime::format(&self.date_format, sample) {
            Ok(text) if !text.contains(self.separator) => Ok(()),
            _ => {
                let reason = "is no strftime form of a date without the separator";
                Err(SettingsFault::new("pack.date_format", reason))
            }
        }
    }
}
