//! The settings of one target: every tenant-specific name has its documented
//! default, can be configured, and is verified by `check`.

mod auth;
mod limits;

use std::collections::BTreeMap;

pub use auth::Auth;
pub use limits::{PackOptions, Polling, Reading, Timeouts, Transaction};
use planthread_contracts::{MeasureDecl, PeriodKind, Scope};
use planthread_kit::{Class, ConnectorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of one SAP IBP target (time-series planning area).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// API host with its scheme, `https://TENANT-api.scmibp.ondemand.com`. The
    /// API host differs from the one of the user interface by `-api`.
    pub host: String,
    /// Who we are to the tenant.
    pub auth: Auth,
    /// Planning area, at most 10 characters.
    pub planning_area: String,
    /// Version that holds the target's scope; the scope's own name by default,
    /// empty means the base version.
    #[serde(default)]
    pub version: Option<String>,
    /// Roots of the two services.
    #[serde(default)]
    pub services: Services,
    /// Attributes that carry resource, location and product.
    #[serde(default)]
    pub attributes: Attributes,
    /// Time field of each period kind.
    #[serde(default)]
    pub time_fields: TimeFields,
    /// What only this target knows of a measure, by the measure's name.
    #[serde(default)]
    pub measures: BTreeMap<String, MeasureOptions>,
    /// Master data types.
    #[serde(default)]
    pub master_data: MasterData,
    /// Verbs and names of the operations.
    #[serde(default)]
    pub operations: Operations,
    /// How rows are staged.
    #[serde(default)]
    pub transaction: Transaction,
    /// How long an import may take, and how often it is asked for.
    #[serde(default)]
    pub polling: Polling,
    /// Time limits of single requests.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How values are read back.
    #[serde(default)]
    pub reading: Reading,
    /// Layout of the CSV pack.
    #[serde(default)]
    pub pack: PackOptions,
}

/// Roots of the services, below the host. Both spellings of the path segment
/// (`IBP`, `ibp`) are seen in SAP's own material.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Root of the planning service.
    pub planning: String,
    /// Root of the master data service.
    pub master_data: String,
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
pub struct Attributes {
    /// Resource.
    pub resource: String,
    /// Location.
    pub location: String,
    /// Product, needed where a measure is stored by product.
    pub product: Option<String>,
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
pub struct TimeFields {
    /// Calendar day.
    pub day: String,
    /// ISO week.
    pub week: String,
    /// Week split at the month end.
    pub technical_week: String,
    /// Calendar month.
    pub month: String,
}

impl Default for TimeFields {
    fn default() -> Self {
        let field = |number: u8| format!("PERIODID{number}_TSTAMP");
        Self { day: field(0), week: field(4), technical_week: field(5), month: field(3) }
    }
}

impl TimeFields {
    /// The field of `kind`.
    #[must_use]
    pub fn of(&self, kind: PeriodKind) -> &str {
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
pub struct MeasureOptions {
    /// Conversion attributes that a read must name, `{UOMTOID: EA}`. The value
    /// must be the unit of storage: nothing read is converted back.
    pub conversions: BTreeMap<String, String>,
    /// Whether the key figure is stored by product too.
    pub by_product: bool,
}

/// Master data types; found by their key fields when not named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MasterData {
    /// Type keyed by the resource.
    pub resource: Option<String>,
    /// Type keyed by resource and location.
    pub resource_location: Option<String>,
}

/// Verbs and names of the operations. Never taken from `$metadata`: one real
/// document lacks `commit` and declares another verb for the last.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operations {
    /// Asks for a transaction id.
    pub transaction_id: Operation,
    /// Makes the staged rows take effect.
    pub commit: Operation,
    /// Asks for the state of an import.
    pub status: Operation,
    /// Announces concurrent posts.
    pub initiate_parallel_process: Operation,
    /// Navigation from the transaction to its rows; `Nav` + area by default.
    pub navigation: Option<String>,
    /// Navigation from a message to its row; `Nav` + area + `Message` by
    /// default.
    pub message_navigation: Option<String>,
}

/// Verb and name of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// `GET`, `POST` or `PUT`.
    pub verb: Verb,
    /// Name, exactly as the tenant spells it.
    pub name: String,
}

/// HTTP verbs that function imports use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
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

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// `Fatal` when a field is unknown, missing or of another type; the text
    /// names it.
    pub fn read(settings: serde_json::Value) -> Result<Self, ConnectorError> {
        serde_json::from_value(settings)
            .map_err(|error| fatal(format!("settings of sap-ibp: {error}")))
    }

    /// The version that holds `scope`; empty for the base version.
    #[must_use]
    pub fn version_of<'a>(&'a self, scope: &'a Scope, configured: &Scope) -> &'a str {
        match &self.version {
            Some(version) if scope == configured => version,
            _ => scope.name(),
        }
    }

    /// Navigation from the transaction to its rows.
    #[must_use]
    pub fn navigation(&self) -> String {
        let configured = self.operations.navigation.clone();
        configured.unwrap_or_else(|| format!("Nav{}", self.planning_area))
    }

    /// Navigation from a message to its row.
    #[must_use]
    pub fn message_navigation(&self) -> String {
        let configured = self.operations.message_navigation.clone();
        configured.unwrap_or_else(|| format!("Nav{}Message", self.planning_area))
    }

    /// What only this target knows of a measure.
    #[must_use]
    pub fn options(&self, measure: &str) -> MeasureOptions {
        self.measures.get(measure).cloned().unwrap_or_default()
    }

    /// Checks what one field alone can't show.
    ///
    /// # Errors
    /// `Fatal`, naming the field and the cure.
    pub fn validate(&self, measures: &[MeasureDecl]) -> Result<(), ConnectorError> {
        let origin = self.host.strip_prefix("https://").or(self.host.strip_prefix("http://"));
        if origin.is_none_or(|name| name.is_empty() || name.contains(['/', '?', '#', '@'])) {
            return Err(fatal("`host` must be a scheme and a name, without path or user")
                .cure("write it as https://TENANT-api.scmibp.ondemand.com"));
        }
        self.check_names()?;
        for (name, options) in &self.measures {
            if !measures.iter().any(|measure| measure.name == *name) {
                return Err(fatal(format!("`measures.{name}` names no declared measure"))
                    .cure("declare the measure, or remove its options"));
            }
            if options.by_product && self.attributes.product.is_none() {
                return Err(fatal(format!(
                    "`measures.{name}.by_product` needs `attributes.product`"
                ))
                .cure("name the attribute that carries the product, usually PRDID"));
            }
        }
        for measure in measures {
            identifier("surface of a measure", &measure.surface, 32)?;
            if measure.scale > 6 {
                return Err(fatal(format!(
                    "measure `{}`: the service keeps 6 decimals",
                    measure.name
                )));
            }
        }
        self.transaction.validate()?;
        self.polling.validate()?;
        self.reading.validate()?;
        self.pack.validate()?;
        self.auth.validate()
    }

    fn check_names(&self) -> Result<(), ConnectorError> {
        identifier("planning_area", &self.planning_area, 10)?;
        identifier("attributes.resource", &self.attributes.resource, 32)?;
        identifier("attributes.location", &self.attributes.location, 32)?;
        if let Some(product) = &self.attributes.product {
            identifier("attributes.product", product, 32)?;
        }
        let times = &self.time_fields;
        for (field, name) in [
            ("time_fields.day", &times.day),
            ("time_fields.week", &times.week),
            ("time_fields.technical_week", &times.technical_week),
            ("time_fields.month", &times.month),
        ] {
            identifier(field, name, 40)?;
        }
        for root in [&self.services.planning, &self.services.master_data] {
            if !root.starts_with('/') || root.ends_with('/') {
                return Err(fatal("`services` must start with a slash and not end with one"));
            }
        }
        Ok(())
    }
}

/// Names go into URLs, `$select` lists and JSON keys: only what an identifier
/// of the tenant may contain.
fn identifier(field: &str, name: &str, longest: usize) -> Result<(), ConnectorError> {
    let fits = !name.is_empty()
        && name.len() <= longest
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits {
        return Ok(());
    }
    Err(fatal(format!(
        "`{field}`: `{name}` is no identifier of 1 to {longest} letters, digits and _"
    )))
}

pub(crate) fn fatal(message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "read settings", message)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn settings() -> Value {
        json!({ "host": "https://ptdemo-api.example.com", "planning_area": "ZPA",
            "auth": { "kind": "basic", "user": "planthread", "password": "${env:PT_PASSWORD}" } })
    }

    fn with(path: &str, value: Value) -> Result<(), String> {
        let mut settings = settings();
        let pointer = settings.pointer_mut(path.rsplit_once('/').unwrap().0).unwrap();
        pointer[path.rsplit_once('/').unwrap().1] = value;
        let config = Config::read(settings).map_err(|error| error.to_string())?;
        config.validate(&[]).map_err(|error| error.to_string())
    }

    #[test]
    fn three_lines_are_enough() {
        let config = Config::read(settings()).unwrap();
        config.validate(&[]).unwrap();
        assert_eq!(config.time_fields.of(PeriodKind::Week), "PERIODID4_TSTAMP");
        assert_eq!(config.transaction.values_per_post, 2_000);
        let scope = Scope::named("TWIN");
        assert_eq!(config.version_of(&scope, &scope), "TWIN");
        assert_eq!(config.version_of(&Scope::base(), &scope), "");
    }

    #[test]
    fn errors_name_the_field_and_the_cure() {
        assert!(with("/planing_area", json!("X")).unwrap_err().contains("planing_area"));
        assert!(with("/host", json!("ptdemo/path")).unwrap_err().contains("https://"));
        assert!(
            with("/planning_area", json!("TOOLONGNAMES")).unwrap_err().contains("planning_area")
        );
        assert!(with("/planning_area", json!("A'B")).is_err());
        assert!(with("/measures", json!({"x": {}})).unwrap_err().contains("measures.x"));
        assert!(with("/transaction", json!({"values_per_post": 0})).is_err());
        assert!(with("/reading", json!({"parallel": 7})).unwrap_err().contains("reading.parallel"));
    }

    #[test]
    fn unconfirmed_oauth2_needs_its_switch() {
        let oauth = json!({ "kind": "oauth2_client_credentials", "token_url": "https://t.example.com",
            "client_id": "a", "client_secret": "${env:PT_SECRET}" });
        let error = with("/auth", oauth.clone()).unwrap_err();
        assert!(error.contains("unconfirmed_oauth2") && error.contains("2023"), "{error}");
        let mut switched = oauth;
        switched["unconfirmed_oauth2"] = json!(true);
        with("/auth", switched).unwrap();
    }

    #[test]
    fn a_literal_password_is_refused_and_not_repeated() {
        let mut settings = settings();
        settings["auth"]["password"] = json!("hunter2");
        let error = Config::read(settings).unwrap_err().to_string();
        assert!(error.contains("${env:NAME}") && !error.contains("hunter2"), "{error}");
    }
}
