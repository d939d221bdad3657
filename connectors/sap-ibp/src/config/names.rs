//! Names that differ from tenant to tenant: services, attributes, time fields,
//! master data types, operations.

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, PeriodKind};
use planthread_kit::target::SettingsFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identifier;

/// Roots of the services, below the host. Both spellings of the path segment
/// (`IBP`, `ibp`) are seen in SAP's own material.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Services {
    /// Root of the planning service.
    pub(crate) planning: String,
    /// Root of the master data service.
    pub(crate) master_data: String,
}

impl Default for Services {
    fn default() -> Self {
        Self {
            planning: "/sap/opu/odata/IBP/PLANNING_DATA_API_SRV".to_owned(),
            master_data: "/sap/opu/odata/IBP/MASTER_DATA_API_SRV".to_owned(),
        }
    }
}

/// Attributes that carry our keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attributes {
    /// Resource.
    pub(crate) resource: String,
    /// Location.
    pub(crate) location: String,
    /// Product, needed where a measure is stored by product.
    pub(crate) product: Option<String>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { resource: "RESID".to_owned(), location: "LOCID".to_owned(), product: None }
    }
}

/// Time field of each period kind. Numbers depend on the tenant's time
/// profile; the defaults are the usual ones, `check` compares the labels.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TimeFields {
    /// Calendar day.
    pub(crate) day: String,
    /// ISO week.
    pub(crate) week: String,
    /// Week split at the month end.
    pub(crate) technical_week: String,
    /// Calendar month.
    pub(crate) month: String,
}

impl Default for TimeFields {
    fn default() -> Self {
        let field = |number: u8| format!("PERIODID{number}_TSTAMP");
        Self { day: field(0), week: field(4), technical_week: field(5), month: field(3) }
    }
}

impl TimeFields {
    /// One field names the periods of one kind only, of those that are used.
    pub(super) fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        for measure in measures {
            let field = self.of(measure.level);
            let other =
                |one: &&MeasureDecl| one.level != measure.level && self.of(one.level) == field;
            if measures.iter().any(|one| other(&one)) {
                let reason = format!("has {field} for two kinds of periods");
                return Err(SettingsFault::new("time_fields", reason)
                    .cure("name the right field for each kind"));
            }
        }
        Ok(())
    }

    /// The field of `kind`.
    pub(crate) fn of(&self, kind: PeriodKind) -> &str {
        match kind {
            PeriodKind::Day => &self.day,
            PeriodKind::Week => &self.week,
            PeriodKind::TechnicalWeek => &self.technical_week,
            PeriodKind::Month => &self.month,
        }
    }
}

/// What only this target knows of a measure.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MeasureOptions {
    /// Conversion attributes that a read must name, `{UOMTOID: EA}`. The value
    /// must be the unit of storage: nothing read is converted back.
    pub(crate) conversions: BTreeMap<String, String>,
    /// Whether the key figure is stored by product too.
    pub(crate) by_product: bool,
}

/// Master data types; found by their key fields when not named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MasterData {
    /// Type keyed by the resource.
    pub(crate) resource: Option<String>,
    /// Type keyed by resource and location.
    pub(crate) resource_location: Option<String>,
}

/// Verbs and names of the operations. Never taken from `$metadata`: one real
/// document lacks `commit` and declares another verb for the last.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Operations {
    /// Asks for a transaction id.
    pub(crate) transaction_id: Operation,
    /// Makes the staged rows take effect.
    pub(crate) commit: Operation,
    /// Asks for the state of an import.
    pub(crate) status: Operation,
    /// Announces concurrent posts.
    pub(crate) initiate_parallel_process: Operation,
    /// Navigation from the transaction to its rows; `Nav` + area by default.
    pub(crate) navigation: Option<String>,
    /// Navigation from a message to its row; `Nav` + area + `Message` by
    /// default.
    pub(crate) message_navigation: Option<String>,
}

impl Operations {
    /// Names go into paths as they are; what only asks is sent as a read.
    pub(super) fn validate(&self) -> Result<(), SettingsFault> {
        for (field, operation, asks) in [
            ("operations.transaction_id", &self.transaction_id, true),
            ("operations.commit", &self.commit, false),
            ("operations.status", &self.status, true),
            ("operations.initiate_parallel_process", &self.initiate_parallel_process, false),
        ] {
            identifier(field, &operation.name, 64)?;
            if asks && operation.verb != Verb::Get {
                let verb = operation.verb.word();
                let reason = format!("is {verb}: it only asks, and is sent as GET");
                return Err(SettingsFault::new(format!("{field}.verb"), reason)
                    .cure("write GET, or leave the field out"));
            }
        }
        for (field, name) in [
            ("operations.navigation", &self.navigation),
            ("operations.message_navigation", &self.message_navigation),
        ] {
            if let Some(name) = name {
                identifier(field, name, 64)?;
            }
        }
        Ok(())
    }
}

/// Verb and name of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// `GET`, `POST` or `PUT`.
    pub(crate) verb: Verb,
    /// Name, exactly as the tenant spells it.
    pub(crate) name: String,
}

/// HTTP verbs that function imports use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verb {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
}

impl Verb {
    /// The verb as it stands on the wire.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl Default for Operations {
    fn default() -> Self {
        let operation = |verb, name: &str| Operation { verb, name: name.to_owned() };
        Self {
            transaction_id: operation(Verb::Get, "getTransactionID"),
            commit: operation(Verb::Post, "commit"),
            status: operation(Verb::Get, "getExportResult"),
            initiate_parallel_process: operation(Verb::Post, "InitiateParallelProcess"),
            navigation: None,
            message_navigation: None,
        }
    }
}
