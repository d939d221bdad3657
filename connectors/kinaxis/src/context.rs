//! What the parts of the connector share.

use std::sync::{Arc, atomic::AtomicBool};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{
    Attempt, Clock, ConnectorError,
    http::HttpStack,
    target::{Known, SettingsFault, TargetContext},
};

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
    /// What the ledger knows to stand there.
    pub(crate) known: Arc<dyn Known>,
}

impl Context {
    /// What a target's settings come to.
    ///
    /// # Errors
    /// Those of [`Config::validate`], or when the scope is base and the route is no
    /// commit: nothing is written into the planners' own scenario.
    pub(crate) fn new(
        target: &TargetContext<'_>,
        config: Config,
        http: HttpStack,
    ) -> Result<Self, SettingsFault> {
        let (scope, measures) = (target.scope.clone(), target.measures.to_vec());
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
        let (known, ensured) = (Arc::clone(&target.known), AtomicBool::new(false));
        let target = target.target.to_owned();
        Ok(Self { config, target, scope, measures, layouts, route, client, ensured, known })
    }

    /// Notes the instant before a write that can take effect.
    pub(crate) fn note_now(&self, attempt: &Attempt) -> Result<(), ConnectorError> {
        attempt.note(SINCE, &self.clock().now().to_string())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.http().clock().as_ref()
    }
}
