//! What the parts of the connector share.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{Attempt, Clock, ConnectorError, http::HttpStack, target::SettingsFault};

use crate::{
    config::{Config, Layout, Route},
    verbs::SINCE,
    wire::Client,
};

/// One target: a company, and the scenario that holds our scope.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    /// The target's name.
    pub(crate) target: String,
    pub(crate) scope: Scope,
    pub(crate) measures: Vec<MeasureDecl>,
    pub(crate) layouts: Vec<Layout>,
    pub(crate) route: Route,
    pub(crate) client: Client,
    /// Whether the scenario was made sure of since the start.
    pub(crate) ensured: AtomicBool,
    /// Most rows that each table held since the start.
    pub(crate) most_rows: Vec<AtomicUsize>,
}

impl Context {
    /// What a target's settings come to.
    ///
    /// # Errors
    /// Those of [`Config::validate`], or when the scope is base and the route is no
    /// commit: nothing is written into the planners' own scenario.
    pub(crate) fn new(
        config: Config,
        target: &str,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        http: HttpStack,
    ) -> Result<Self, SettingsFault> {
        config.validate(&measures).map_err(|fault| fault.inside("settings"))?;
        let layouts = config.layouts(&measures)?;
        let route = config.route(&layouts)?;
        if scope.is_base() != matches!(route, Route::Commit(_)) {
            return Err(SettingsFault::new("scope", format!("is {scope}")).cure(
                "a signal scenario is a named scope; only a target with `write_route: commit` \
                 lands in base, the parent",
            ));
        }
        let client = Client::new(http, &config, config.scenario_of(&scope));
        let most_rows = layouts.iter().map(|_| AtomicUsize::new(0)).collect();
        let (target, ensured) = (target.to_owned(), AtomicBool::new(false));
        Ok(Self { config, target, scope, measures, layouts, route, client, ensured, most_rows })
    }

    /// Notes the instant before a write that can take effect.
    pub(crate) fn note_now(&self, attempt: &Attempt) -> Result<(), ConnectorError> {
        attempt.note(SINCE, &self.clock().now().to_string())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.http().clock().as_ref()
    }
}
