//! What the parts of the connector share.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{
    Attempt, Clock, ConnectorError,
    agreement::{Gate, GateInput, Requests},
    http::HttpStack,
    target::{Guard, SettingsFault, TargetContext},
};

use crate::{
    config::{Config, Layout, Route},
    verbs::load,
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
    /// Asked before each write that rests on what no public material confirms.
    pub(crate) gate: Option<Gate>,
    /// Keeps a Full file from deleting what a read hid.
    pub(crate) guard: Guard,
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
        let other = config.scenario.name.as_deref().is_some_and(|name| name != scope.name());
        if other && !scope.is_base() {
            return Err(SettingsFault::new("scenario.name", "is another scenario than the scope")
                .cure("leave it out: the scope names the signal scenario that is written"));
        }
        let client = Client::new(http, &config, config.scenario_of(&scope));
        let (guard, ensured) = (Guard::new(Arc::clone(&target.known)), AtomicBool::new(false));
        let name = target.target.to_owned();
        let gate = None;
        let mut context = Self {
            config,
            target: name,
            scope,
            measures,
            layouts,
            route,
            client,
            ensured,
            gate,
            guard,
        };
        context.gate = context.gate(target);
        let agreed = context.gate.as_ref().and_then(Gate::agreement);
        context.client.patience = agreed.map(|one| one.limits.patience(target.http.write_seconds));
        Ok(context)
    }

    /// The gate of the agreement that this write needs, if it needs one.
    fn gate(&self, target: &TargetContext<'_>) -> Option<Gate> {
        let unconfirmed = self.config.unconfirmed();
        let Route::Load(load) = &self.route else { return None };
        if unconfirmed.is_empty() {
            return None;
        }
        let input = GateInput {
            connector: crate::NAME,
            host: self.config.base(),
            unconfirmed: &unconfirmed,
            requests: Requests::Own(&|one| load::replays(self, load, one)),
        };
        Some(Gate::open(&self.config.agreement, target.folder, &input))
    }

    /// The tables that are written, with their positions.
    pub(crate) fn written(&self) -> impl Iterator<Item = (usize, &Layout)> {
        self.layouts.iter().enumerate().filter(|(_, layout)| layout.view.is_none())
    }

    /// Makes write `nth` of a push, noted before.
    pub(crate) async fn write<T>(
        &self,
        attempt: &Attempt,
        nth: usize,
        write: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        let settle = Duration::from_secs(self.config.writing.settle_seconds);
        attempt.write(nth, (self.clock().now(), settle), write).await
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.client.http().clock().as_ref()
    }
}
