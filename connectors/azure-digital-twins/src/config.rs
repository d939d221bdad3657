//! Settings of one instance, and how a cell's resource names a twin.

use std::sync::Arc;

use planthread_contracts::{MeasureDecl, PeriodKind, Scope};
use planthread_kit::target::{Auth, SettingsFault, Takes, address, auth::Kind, fault::within};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::identity::{ENDPOINT, MachineToken};

/// Tokens of Entra for a client, those of the machine's own identity, or one that
/// somebody made. 1,000 reads and 1,000 patches a second (section 1.13):
/// requests of both kinds count against one of the two.
pub(crate) const TAKES: Takes = Takes {
    kinds: &[Kind::Oauth2ClientCredentials, Kind::MachineIdentity, Kind::Bearer],
    unconfirmed_oauth2: None,
    exchange: Some(|client| Arc::new(MachineToken::new(client))),
    requests_per_minute: Some(60_000),
};

/// Versions of the data plane that exist (section 0).
const VERSIONS: [&str; 4] = ["2020-10-31", "2022-05-31", "2023-06-30", "2023-10-31"];

/// Where the instance is, who we are, and which twins hold capacity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Host with its scheme, `https://NAME.api.REGION.digitaltwins.azure.net`.
    /// Plain http is for a sandbox on this machine only.
    pub host: String,
    /// Who we are to the instance.
    pub auth: Auth,
    /// Model of the twins that hold capacity. Later versions of it, and models
    /// that extend it, count as it.
    #[serde(default = "model")]
    pub model: String,
    /// Component of those twins that holds a map for each measure.
    #[serde(default = "component")]
    pub component: String,
    /// How a twin is called: `{resource}`, or with `{location}` too.
    #[serde(default = "twin_id")]
    pub twin_id: String,
    /// Property of a twin that names its location: a twin that stands elsewhere
    /// is not written. Empty: locations are not compared.
    #[serde(default = "location")]
    pub location_property: String,
    /// Days after its end from which a period's key leaves its map, with the next
    /// change of that map.
    #[serde(default = "past_days")]
    pub past_days: u32,
    /// Twins that are read and written at the same time.
    #[serde(default = "parallel")]
    pub parallel: usize,
    /// Version of the data plane.
    #[serde(default = "version")]
    pub api_version: String,
}

fn model() -> String {
    "dtmi:planthread:isa95:WorkCenter;1".to_owned()
}

fn component() -> String {
    "capacity".to_owned()
}

fn twin_id() -> String {
    RESOURCE.to_owned()
}

fn location() -> String {
    "location".to_owned()
}

const fn past_days() -> u32 {
    60
}

const fn parallel() -> usize {
    4
}

fn version() -> String {
    VERSIONS[VERSIONS.len() - 1].to_owned()
}

const RESOURCE: &str = "{resource}";
const LOCATION: &str = "{location}";

impl Config {
    /// Where the twins are: another instance or component holds other cells.
    #[must_use]
    pub fn address(&self, _: &Scope) -> String {
        format!("{}, component {}", self.host, self.component)
    }

    /// Checks what one field alone can't show.
    ///
    /// # Errors
    /// The first fault, by field.
    pub fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        address::origin("host", &self.host)?;
        self.auth.validate(&TAKES).map_err(|fault| fault.inside("auth"))?;
        if let Auth::MachineIdentity { parameters, .. } = &self.auth {
            let known = |(name, value): (&String, &String)| match name.as_str() {
                ENDPOINT => address::origin("auth.parameters.endpoint", value),
                _ => {
                    let field = format!("auth.parameters.{name}");
                    Err(SettingsFault::new(field, "is no parameter of a machine's identity")
                        .cure("remove it; only `endpoint` is one"))
                }
            };
            parameters.iter().try_for_each(known)?;
        }
        within("parallel", self.parallel, 1, 64)?;
        within("past_days", self.past_days, 0, 3_650)?;
        if !VERSIONS.contains(&self.api_version.as_str()) {
            let reason = format!("`{}` is no version of the data plane", self.api_version);
            let cure = format!("write one of: {}", VERSIONS.join(", "));
            return Err(SettingsFault::new("api_version", reason).cure(cure));
        }
        let named = |field: &str, name: &str| match is_name(name) {
            true => Ok(()),
            false => Err(SettingsFault::new(field, format!("`{name}` is no name in a model"))
                .cure("use letters, digits and underscores, a letter first")),
        };
        named("component", &self.component)?;
        if !self.location_property.is_empty() {
            named("location_property", &self.location_property)?;
        }
        if !self.model.starts_with("dtmi:") || !self.model.contains(';') {
            let reason = format!("`{}` is no id of a model", self.model);
            return Err(
                SettingsFault::new("model", reason).cure("write it as dtmi:NAME:NAME;VERSION")
            );
        }
        let once = self.twin_id.matches(RESOURCE).count() == 1;
        if !once || self.twin_id.matches(LOCATION).count() > 1 {
            let reason = "must name {resource} once, and {location} at most once";
            return Err(SettingsFault::new("twin_id", reason)
                .cure("write `{resource}`, or `{location}-{resource}`"));
        }
        measures.iter().try_for_each(|measure| match is_name(&measure.surface) {
            true => Ok(()),
            false => {
                let reason = format!(
                    "measure `{}`: surface `{}` is no name in a model",
                    measure.name, measure.surface
                );
                let cure = "write the name of the component's map: letters, digits, underscores";
                Err(SettingsFault::new("", reason).cure(cure))
            }
        })
    }

    /// The id of the twin that stands for a resource.
    #[must_use]
    pub fn twin_of(&self, resource: &str, location: &str) -> String {
        self.twin_id.replace(RESOURCE, resource).replace(LOCATION, location)
    }

    /// The resource and location that a twin's id names; `None` where it has
    /// another form.
    #[must_use]
    pub fn place_of(&self, id: &str, location: &str) -> Option<(String, String)> {
        let pattern = self.twin_id.replace(LOCATION, location);
        let (before, after) = pattern.split_once(RESOURCE)?;
        let resource = id.strip_prefix(before)?.strip_suffix(after)?;
        (!resource.is_empty()).then(|| (resource.to_owned(), location.to_owned()))
    }
}

/// Names of contents (section 4.1).
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Kinds of period that a map can be keyed by: every one.
pub(crate) const PERIODS: [PeriodKind; 4] =
    [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{config, measures};

    #[test]
    fn faults_name_their_field() {
        for (field, value) in [
            ("host", json!("http://far.example")),
            ("model", json!("WorkCenter")),
            ("component", json!("a-b")),
            ("twin_id", json!("{location}")),
            ("api_version", json!("2024-01-01")),
            ("parallel", json!(0)),
        ] {
            let mut settings = crate::samples::settings();
            settings[field] = value;
            let config: Config = serde_json::from_value::<Config>(settings).unwrap();
            assert_eq!(config.validate(&measures()).unwrap_err().field, field);
        }
        let mut wrong = measures();
        wrong[0].surface = "attainable hours".to_owned();
        let fault = config().validate(&wrong).unwrap_err();
        assert!(fault.reason.contains("attainable hours") && fault.cure.is_some(), "{fault}");
        let unknown: Value = json!({ "host": "https://a", "planning_area": "x" });
        assert!(serde_json::from_value::<Config>(unknown).is_err());
    }

    #[test]
    fn a_twin_leads_back_to_its_place() {
        let mut config = config();
        assert_eq!(config.twin_of("LINE-1", "1010"), "LINE-1");
        config.twin_id = "{location}-{resource}".to_owned();
        let id = config.twin_of("LINE-1", "1010");
        let place = config.place_of(&id, "1010").unwrap();
        assert_eq!((id.as_str(), place), ("1010-LINE-1", ("LINE-1".into(), "1010".into())));
        assert_eq!(config.place_of("LINE-1", "1010"), None);
    }
}
