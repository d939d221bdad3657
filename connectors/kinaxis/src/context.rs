//! What the parts of the connector share.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{Attempt, Clock, ConnectorError, http::HttpStack};

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
    pub(crate) fn new(
        config: Config,
        target: &str,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        (layouts, route): (Vec<Layout>, Route),
        http: HttpStack,
    ) -> Self {
        let scenario = config.scenario_of(&scope).to_owned();
        let client = Client::new(http, &config, &scenario);
        let ensured = AtomicBool::new(false);
        let most_rows = layouts.iter().map(|_| AtomicUsize::new(0)).collect();
        let target = target.to_owned();
        Self { config, target, scope, measures, layouts, route, client, ensured, most_rows }
    }

    /// Notes the instant before a write that can take effect.
    pub(crate) fn note_now(&self, attempt: &Attempt) -> Result<(), ConnectorError> {
        attempt.note(SINCE, &self.clock().now().to_string())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.http().clock().as_ref()
    }
}
