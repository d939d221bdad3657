//! Settings: where the tenant is, who we are, and what its model is called.

use std::collections::BTreeSet;

use planthread_contracts::{MeasureDecl, Owner, PeriodKind, Scope};
use planthread_kit::{
    agreement,
    agreement::{Slot, template::Filled},
    target::{
        Auth, SettingsFault, Takes, address,
        auth::{ExchangeClient, Kind},
        fault::within,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

use crate::{buckets::Form, login::Login};

/// An API key, or a log-in that is exchanged for a token (§2).
pub(crate) const TAKES: Takes = Takes {
    kinds: &[Kind::ApiKey, Kind::TokenExchange],
    unconfirmed_oauth2: None,
    exchange: Some(exchange),
    requests_per_minute: None,
};

fn exchange(client: ExchangeClient) -> Arc<dyn planthread_kit::http::TokenSource> {
    Arc::new(Login::new(client))
}

/// Settings of an o9 target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Scheme and name of the environment: `https://ENV.o9solutions.com`, or your
    /// own name for it.
    pub(crate) host: String,
    /// Number of the tenant, which stands in the path of queries.
    pub(crate) tenant: u64,
    /// Name of the application (model), which stands in the path of the Platform API.
    pub(crate) app: String,
    /// Who we are: `api_key` with the form `ApiKey {key}`, or `token_exchange`
    /// with a user and password that log in.
    pub(crate) auth: Auth,
    /// What your model is called. Nothing here has a name that every tenant shares.
    pub(crate) model: Model,
    /// How cells are read back.
    #[serde(default)]
    pub(crate) read: Read,
    /// What lets this target be written. Without it, it is read, planned and packed.
    #[serde(default)]
    pub(crate) agreement: agreement::Settings,
    /// Most cells in one write; the agreement may say fewer. Active rules
    /// recompute at each write, so small ones are kind.
    #[serde(default = "two_hundred")]
    pub(crate) rows_per_write: usize,
    /// Most resource and location pairs that hold cells: a listing can't be longer.
    #[serde(default = "thousand")]
    pub(crate) places_max: usize,
}

/// Names of the model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Measure group that holds the measures.
    pub(crate) group: String,
    /// Member of the version dimension that is the base plan.
    #[serde(default = "working_view")]
    pub(crate) base_version: String,
    /// Measures, as the tenant calls them, that stand in the base plan: they are read there,
    /// whatever the scope. A version of signals holds no load of its own.
    #[serde(default)]
    pub(crate) of_base: BTreeSet<String>,
    /// Dimension and level of versions.
    #[serde(default = "version_level")]
    pub(crate) version: LevelName,
    /// Dimension and leaf level of resources.
    #[serde(default = "resource_level")]
    pub(crate) resource: LevelName,
    /// Dimension and leaf level of locations.
    #[serde(default = "location_level")]
    pub(crate) location: LevelName,
    /// Dimension, leaf level and names of periods.
    pub(crate) time: TimeLevel,
}

/// A dimension and one of its levels.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LevelName {
    /// The dimension.
    pub(crate) dimension: String,
    /// The level.
    pub(crate) level: String,
}

/// The level of periods.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeLevel {
    /// The dimension.
    #[serde(default = "time")]
    pub(crate) dimension: String,
    /// The leaf level: `Week`, `Partial Week`, `Day`, `Month`.
    pub(crate) level: String,
    /// How its members are named: `W{ww}-{yyyy}` makes `W03-2026`. Also `{mm}`,
    /// `{dd}`, `{part}` (A or B of a partial week) and `{split}` (the same, and
    /// nothing for a week that is not split). `check` looks for such members.
    pub(crate) member: String,
}

/// How cells are read back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Read {
    /// Through which interface.
    pub(crate) route: Route,
    /// Rows that one request is asked for.
    pub(crate) page_size: usize,
}

/// Interfaces that public clients were seen to read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Route {
    /// Platform API, page by page (§4.3).
    #[default]
    Platform,
    /// IBPL with the verbose reply (§4.1).
    Query,
    /// IBPL with the compact reply (§4.2).
    Compact,
}

impl Default for Read {
    fn default() -> Self {
        Self { route: Route::default(), page_size: 1_000 }
    }
}

const fn two_hundred() -> usize {
    200
}

const fn thousand() -> usize {
    1_000
}

fn working_view() -> String {
    "CurrentWorkingView".to_owned()
}

fn time() -> String {
    "Time".to_owned()
}

fn named(dimension: &str, level: &str) -> LevelName {
    LevelName { dimension: dimension.to_owned(), level: level.to_owned() }
}

fn version_level() -> LevelName {
    named("Version", "Version Name")
}

fn resource_level() -> LevelName {
    named("Resource", "Resource")
}

fn location_level() -> LevelName {
    named("Location", "Location")
}

impl Config {
    /// Where its cells live: another host, tenant, application or version holds
    /// others.
    pub(crate) fn address(&self, scope: &Scope) -> String {
        let version = self.version_of(scope.name());
        format!("{}, tenant {}, app {}, version {version}", self.host, self.tenant, self.app)
    }

    /// The version member of a scope.
    pub(crate) fn version_of<'a>(&'a self, scope: &'a str) -> &'a str {
        if scope.is_empty() { &self.model.base_version } else { scope }
    }

    /// The version member in which a measure of a scope is read.
    pub(crate) fn read_in<'a>(&'a self, scope: &'a str, measure: &MeasureDecl) -> &'a str {
        let base = self.model.of_base.contains(&measure.surface);
        self.version_of(if base { "" } else { scope })
    }

    /// Slot, dimension and leaf level of everything that names a cell's place.
    pub(crate) fn grain(&self) -> [(&'static str, &str, &str); 4] {
        let Model { version, resource, location, time, .. } = &self.model;
        [
            ("version", &version.dimension, &version.level),
            ("resource", &resource.dimension, &resource.level),
            ("location", &location.dimension, &location.level),
            ("bucket", &time.dimension, &time.level),
        ]
    }

    pub(crate) fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        address::origin("host", &self.host)?;
        self.auth.validate(&TAKES).map_err(|fault| fault.inside("auth"))?;
        self.agreement.validate()?;
        within("rows_per_write", self.rows_per_write, 1, 10_000)?;
        within("places_max", self.places_max, 1, 1_000_000)?;
        within("read.page_size", self.read.page_size, 1, 100_000)?;
        let kind = measures.first().map_or(PeriodKind::Week, |measure| measure.level);
        if let Some(other) = measures.iter().find(|measure| measure.level != kind) {
            let reason = format!("measure `{}` is stored at another level", other.name);
            return Err(SettingsFault::new("", reason)
                .cure("one measure group has one grain: make two targets of it"));
        }
        Form::read(&self.model.time.member, kind)
            .map_err(|reason| SettingsFault::new("model.time.member", reason))?;
        self.names(measures)
    }

    /// Names that go into statements must not be readable as anything else.
    fn names(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        let plain = |field: &str, name: &str| {
            Slot::Member(name.to_owned()).text().map(|_| ()).map_err(|reason| {
                SettingsFault::new(field, reason)
                    .cure("how such names are escaped is not public: rename it")
            })
        };
        plain("app", &self.app)?;
        plain("model.group", &self.model.group)?;
        plain("model.base_version", &self.model.base_version)?;
        for (slot, dimension, level) in self.grain() {
            let field = format!("model.{}", if slot == "bucket" { "time" } else { slot });
            plain(&field, dimension)?;
            plain(&field, level)?;
        }
        for (at, name) in self.model.of_base.iter().enumerate() {
            let fault = match measures.iter().find(|measure| measure.surface == *name) {
                None => format!("no measure is called {name}"),
                Some(one) if one.owner == Owner::Bridge => {
                    format!("`{}` is written, and the base plan is not", one.name)
                }
                Some(_) => continue,
            };
            return Err(SettingsFault::new(format!("model.of_base[{at}]"), fault)
                .cure("name the `surface` of a measure with `carries: observed`"));
        }
        let mut surfaces = BTreeSet::new();
        for measure in measures {
            plain("", &measure.surface)?;
            if !surfaces.insert(&measure.surface) {
                let reason = format!("two measures are called {}", measure.surface);
                return Err(SettingsFault::new("", reason).cure("give each its own"));
            }
        }
        Ok(())
    }
}

/// Slots for the values of one row.
pub(crate) fn slots<const N: usize>(values: [(&str, Slot); N]) -> Filled {
    values.into_iter().map(|(name, slot)| (name.to_owned(), slot)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::{config, measures, settings};

    fn fault(change: fn(&mut serde_json::Value)) -> String {
        let mut settings = settings();
        change(&mut settings);
        let config: Config = serde_json::from_value(settings).unwrap();
        config.validate(&measures()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_read_in_the_base_plan_is_a_measure_and_none_of_ours() {
        let unknown = fault(|settings| settings["model"]["of_base"] = json!(["No Such"]));
        assert!(unknown.contains("model.of_base[0]") && unknown.contains("No Such"), "{unknown}");
        let ours = fault(|settings| {
            let ours = measures().into_iter().find(|one| one.owner == Owner::Bridge).unwrap();
            settings["model"]["of_base"] = json!([ours.surface]);
        });
        assert!(ours.contains("is written"), "{ours}");
    }

    #[test]
    fn names_that_statements_could_misread_are_refused() {
        config().validate(&measures()).unwrap();
        assert!(fault(|s| s["model"]["group"] = json!("a]b")).contains("model.group"));
        assert!(fault(|s| s["model"]["time"]["member"] = json!("W{ww}")).contains("{yyyy}"));
        assert!(fault(|s| s["host"] = json!("http://far.example")).contains("plain http"));
        assert!(
            fault(|s| s["auth"] = json!({"kind": "basic", "user": "a", "password": "${env:P}"}))
                .contains("api_key")
        );
    }

    #[test]
    fn another_version_is_another_place() {
        let config = config();
        assert_eq!(config.version_of(""), "CurrentWorkingView");
        assert_ne!(config.address(&Scope::base()), config.address(&Scope::named("TwinSignals")));
    }
}
