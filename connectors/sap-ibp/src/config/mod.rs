//! The settings of one target: every tenant-specific name has its documented
//! default, can be configured, and is verified by `check`.

mod auth;
mod family;
mod limits;
mod names;

use std::collections::BTreeMap;

pub(crate) use auth::TAKES;
pub(crate) use family::Family;
pub(crate) use limits::{PackOptions, Polling, Reading, Timeouts, Transaction};
pub(crate) use names::{
    Attributes, MasterData, MeasureOptions, Operation, Operations, Services, TimeFields, Verb,
};
use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::target::{Auth, SettingsFault, address};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of one SAP IBP target (time-series planning area).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// API host with its scheme, `https://TENANT-api.scmibp.ondemand.com`. The
    /// API host differs from the one of the user interface by `-api`. Plain
    /// http is for a sandbox on this machine only.
    pub(crate) host: String,
    /// Who we are to the tenant.
    pub(crate) auth: Auth,
    /// Planning area, at most 10 characters.
    pub(crate) planning_area: String,
    /// Family of the planning area; it can't be seen from outside.
    #[serde(default)]
    pub(crate) family: Option<Family>,
    /// Version that holds the target's scope; the scope's own name by default,
    /// empty means the base version.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Roots of the two services.
    #[serde(default)]
    pub(crate) services: Services,
    /// Attributes that carry resource, location and product.
    #[serde(default)]
    pub(crate) attributes: Attributes,
    /// Time field of each period kind.
    #[serde(default)]
    pub(crate) time_fields: TimeFields,
    /// What only this target knows of a measure, by the measure's name.
    #[serde(default)]
    pub(crate) measures: BTreeMap<String, MeasureOptions>,
    /// Master data types.
    #[serde(default)]
    pub(crate) master_data: MasterData,
    /// Verbs and names of the operations.
    #[serde(default)]
    pub(crate) operations: Operations,
    /// How rows are staged.
    #[serde(default)]
    pub(crate) transaction: Transaction,
    /// How long an import may take, and how often it is asked for.
    #[serde(default)]
    pub(crate) polling: Polling,
    /// Time limits of single requests.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// How values are read back.
    #[serde(default)]
    pub(crate) reading: Reading,
    /// Layout of the CSV pack.
    #[serde(default)]
    pub(crate) pack: PackOptions,
}

impl Config {
    /// The version that holds `scope`; empty for the base version.
    pub(crate) fn version_of<'a>(&'a self, scope: &'a Scope, configured: &Scope) -> &'a str {
        match &self.version {
            Some(version) if scope == configured => version,
            _ => scope.name(),
        }
    }

    /// Host, planning area and version, for a target whose cells live in `scope`:
    /// another one of them holds other values, and what has the same is the same
    /// place.
    pub(crate) fn address(&self, scope: &Scope) -> String {
        let host = self.host.trim_end_matches('/').to_ascii_lowercase();
        let usual = if host.starts_with("https:") { ":443" } else { ":80" };
        let host = host.strip_suffix(usual).unwrap_or(&host);
        let version = match self.version_of(scope, scope) {
            "" => "the base version",
            version => version,
        };
        format!("{host}, area {}, {version}", self.planning_area)
    }

    /// Navigation from the transaction to its rows.
    pub(crate) fn navigation(&self) -> String {
        let configured = self.operations.navigation.clone();
        configured.unwrap_or_else(|| format!("Nav{}", self.planning_area))
    }

    /// Navigation from a message to its row.
    pub(crate) fn message_navigation(&self) -> String {
        let configured = self.operations.message_navigation.clone();
        configured.unwrap_or_else(|| format!("Nav{}Message", self.planning_area))
    }

    /// What only this target knows of a measure.
    pub(crate) fn options(&self, measure: &str) -> MeasureOptions {
        self.measures.get(measure).cloned().unwrap_or_default()
    }

    /// Checks what one field alone can't show.
    ///
    /// # Errors
    /// Names the field and the cure.
    pub(crate) fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        address::origin("host", &self.host).map_err(|mut wrong| {
            wrong.cure =
                wrong.cure.map(|cure| cure.replace("NAME", "TENANT-api.scmibp.ondemand.com"));
            wrong
        })?;
        self.check_names()?;
        self.operations.validate()?;
        for (name, options) in &self.measures {
            // The name goes into `$filter` as it is; the value is quoted.
            for attribute in options.conversions.keys() {
                identifier(&format!("measures.{name}.conversions"), attribute, 32)?;
            }
            if !measures.iter().any(|measure| measure.name == *name) {
                let fault =
                    SettingsFault::new(format!("measures.{name}"), "is no declared measure");
                return Err(fault.cure("declare the measure, or remove its options"));
            }
            if options.by_product && self.attributes.product.is_none() {
                let field = format!("measures.{name}.by_product");
                return Err(SettingsFault::new(field, "needs `attributes.product`")
                    .cure("name the attribute that carries the product, usually PRDID"));
            }
        }
        self.check_surfaces(measures)?;
        self.time_fields.validate(measures)?;
        self.transaction.validate()?;
        self.polling.validate()?;
        self.reading.validate()?;
        self.pack.validate()?;
        self.auth.validate(&TAKES).map_err(|wrong| wrong.inside("auth"))
    }

    /// Two measures in one column would overwrite each other in the row.
    fn check_surfaces(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        let names = &self.attributes;
        for (at, measure) in measures.iter().enumerate() {
            let (name, surface) = (&measure.name, &measure.surface);
            identifier("", surface, 32).map_err(|wrong| {
                SettingsFault::new("", format!("`surface of measure {name}`: {}", wrong.reason))
            })?;
            if let Some(other) = measures[..at].iter().find(|other| other.surface == *surface) {
                let other = &other.name;
                return Err(of_measures(format!(
                    "measures `{other}` and `{name}` both are {surface}"
                ))
                .cure("give each measure a key figure of its own"));
            }
            let key = [Some(&names.resource), Some(&names.location), names.product.as_ref()];
            if key.contains(&Some(surface)) || surface.starts_with("PERIODID") {
                return Err(of_measures(format!("measure `{name}`: {surface} is no key figure"))
                    .cure("set `surface` to the key figure's name in the planning area"));
            }
            if measure.scale > 6 {
                let text = format!("measure `{name}`: `scale` is {}", measure.scale);
                return Err(of_measures(text).cure("the service keeps at most 6 decimals"));
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), SettingsFault> {
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
                let reason = "has a root that does not start with a slash, or ends with one";
                return Err(SettingsFault::new("services", reason));
            }
        }
        Ok(())
    }
}

/// Names go into URLs, `$select` lists and JSON keys: only what an identifier
/// of the tenant may contain.
fn identifier(field: &str, name: &str, longest: usize) -> Result<(), SettingsFault> {
    let fits = !name.is_empty()
        && name.len() <= longest
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits {
        return Ok(());
    }
    let reason = format!("`{name}` is no identifier of 1 to {longest} letters, digits and _");
    Err(SettingsFault::new(field, reason))
}

/// A fault of the measures, which stand beside the settings.
fn of_measures(reason: String) -> SettingsFault {
    SettingsFault::new("", reason)
}

#[cfg(test)]
pub(crate) mod tests {
    use planthread_contracts::PeriodKind;
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn settings() -> Value {
        json!({ "host": "https://ptdemo-api.example.com", "planning_area": "ZPA",
            "auth": { "kind": "basic", "user": "planthread", "password": "${env:PT_PASSWORD}" } })
    }

    pub(crate) fn read(settings: &Value) -> Result<Config, SettingsFault> {
        planthread_kit::target::typed(settings)
    }

    fn with(path: &str, value: Value) -> Result<(), String> {
        let mut settings = settings();
        let pointer = settings.pointer_mut(path.rsplit_once('/').unwrap().0).unwrap();
        pointer[path.rsplit_once('/').unwrap().1] = value;
        let config = read(&settings).map_err(|error| error.to_string())?;
        config.validate(&[]).map_err(|error| error.to_string())
    }

    #[test]
    fn three_lines_are_enough() {
        let config = read(&settings()).unwrap();
        config.validate(&[]).unwrap();
        assert_eq!(config.time_fields.of(PeriodKind::Week), "PERIODID4_TSTAMP");
        assert_eq!(config.transaction.values_per_post, 2_000);
        let scope = Scope::named("TWIN");
        assert_eq!(config.version_of(&scope, &scope), "TWIN");
        assert_eq!(config.version_of(&Scope::base(), &scope), "");
    }

    #[test]
    fn one_place_has_one_address_however_its_host_is_written() {
        let address = |host: &str, scope: &Scope| {
            let config = Config { host: host.to_owned(), ..read(&settings()).unwrap() };
            config.address(scope)
        };
        let base = Scope::base();
        let one = address("https://tenant-api.example", &base);
        for same in ["https://Tenant-API.example/", "https://tenant-api.example:443"] {
            assert_eq!(address(same, &base), one);
        }
        assert_ne!(address("https://tenant-api.example:8443", &base), one);
        assert_ne!(address("https://tenant-api.example", &Scope::named("TWIN")), one);
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
    fn a_password_never_crosses_a_network_as_plain_text() {
        for host in ["http://ptdemo-api.example.com", "http://10.0.0.7:9101", "http://[fe80::1]"] {
            let error = with("/host", json!(host)).unwrap_err();
            assert!(error.contains("plain http") && error.contains("https://"), "{error}");
        }
        // A name that only begins like this machine's.
        assert!(with("/host", json!("http://127.0.0.1.example.com")).is_err());
        assert!(with("/host", json!("http://localhost.example.com:80")).is_err());
        for host in ["http://127.0.0.1:9101", "http://localhost", "http://[::1]:9101"] {
            with("/host", json!(host)).unwrap();
        }
        let oauth = json!({ "kind": "oauth2_client_credentials", "client_id": "a",
            "token_url": "http://login.example.com/token", "client_secret": "${env:PT_SECRET}",
            "unconfirmed_oauth2": true });
        assert!(with("/auth", oauth).unwrap_err().contains("auth.token_url"));
    }

    #[test]
    fn operations_are_names_and_what_only_reads_is_a_get() {
        let with = |operation: &str, verb: &str, name: &str| {
            with("/operations", json!({ operation: { "verb": verb, "name": name } }))
        };
        with("commit", "PUT", "Commit").unwrap();
        let error = with("status", "POST", "getExportResult").unwrap_err();
        assert!(error.contains("operations.status.verb") && error.contains("GET"), "{error}");
        assert!(with("transaction_id", "POST", "getTransactionID").is_err());
        assert!(with("commit", "POST", "commit?x=1&y").unwrap_err().contains("operations.commit"));
    }

    #[test]
    fn conversions_name_attributes_and_nothing_else() {
        let mut settings = settings();
        settings["measures"] = json!({ "output": { "conversions": { "A eq 'x' or B": "EA" } } });
        let config = read(&settings).unwrap();
        let error = config.validate(&crate::samples::measures()).unwrap_err().to_string();
        assert!(error.contains("measures.output.conversions"), "{error}");
    }

    #[test]
    fn a_field_too_many_is_refused_inside_the_credentials_too() {
        let mut settings = settings();
        settings["auth"]["pasword"] = json!("x");
        assert!(read(&settings).unwrap_err().to_string().contains("pasword"));
        assert!((crate::FACTORY.schema)().to_string().contains("oauth2_client_credentials"));
    }

    #[test]
    fn two_measures_never_share_a_column() {
        let config = read(&settings()).unwrap();
        let mut measures = crate::samples::measures();
        measures[1].surface = measures[0].surface.clone();
        let error = config.validate(&measures).unwrap_err().to_string();
        assert!(error.contains("`live` and `cut` both are TWINCAPALIVE"), "{error}");
        measures[1].surface = "RESID".to_owned();
        assert!(config.validate(&measures).unwrap_err().to_string().contains("no key figure"));
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
        let error = read(&settings).unwrap_err().to_string();
        assert!(error.contains("${env:NAME}") && !error.contains("hunter2"), "{error}");
    }
}
