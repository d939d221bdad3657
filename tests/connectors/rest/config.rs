//! Settings of the small target.

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::target::{Auth, SettingsFault, Takes, address, auth::Kind, fault::within};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tokens and keys, nothing else.
pub(super) const TAKES: Takes = Takes::only(&[Kind::Bearer, Kind::ApiKey]);

/// Where it is, who we are, and how much goes into one request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Scheme and name of the host.
    pub(super) host: String,
    /// Who we are.
    pub(super) auth: Auth,
    /// Most rows in one write.
    #[serde(default = "twenty")]
    pub(super) rows_per_write: usize,
    /// Rows that a page is asked for.
    #[serde(default = "twenty")]
    pub(super) page_size: usize,
    /// Jobs that the interface takes at once.
    #[serde(default = "one")]
    pub(super) jobs: usize,
    /// Most places that hold rows: a listing can't be longer.
    #[serde(default = "thousand")]
    pub(super) places_max: usize,
}

const fn one() -> usize {
    1
}

const fn thousand() -> usize {
    1_000
}

const fn twenty() -> usize {
    20
}

impl Config {
    /// Where its rows live: another host or scope holds others.
    pub(super) fn address(&self, scope: &Scope) -> String {
        format!("{}, scope {scope}", self.host)
    }

    pub(super) fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        address::origin("host", &self.host)?;
        self.auth.validate(&TAKES).map_err(|fault| fault.inside("auth"))?;
        within("rows_per_write", self.rows_per_write, 1, 1_000)?;
        within("jobs", self.jobs, 1, 8)?;
        within("page_size", self.page_size, 1, 1_000)?;
        match measures.iter().find(|measure| measure.scale > 6) {
            Some(deep) => {
                let reason = format!("measure `{}` has more than 6 decimals", deep.name);
                Err(SettingsFault::new("", reason).cure("declare at most 6"))
            }
            None => Ok(()),
        }
    }
}
