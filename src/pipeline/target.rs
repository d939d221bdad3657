//! A configured target, ready to be talked to.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use jiff::Timestamp;
use planthread_contracts::{Scope, SeenCell};
use planthread_engine::{
    Reader, State,
    ledger::{self, BreakersOnDisk},
};
use planthread_kit::{
    BreakerBook, Breakers, Clock, Connector, ConnectorError, Discovery, Flow, FlowBook, KeptRate,
    Operation, Permit, QuotaBook, QuotaStanding, Selection, TenantKey, Transport,
    http::{TokenBook, Witness},
    target::{Known, Nothing, Provided, SettingsFault, TargetContext, TargetFactory},
};

use super::known::Seen;
use crate::{
    config::{Loaded, Target},
    failure::Failure,
    registry,
};

/// A target with its connector.
#[derive(Debug, Clone)]
pub struct OpenTarget {
    /// Its name in the configuration.
    pub name: String,
    /// What the configuration says.
    pub config: Target,
    /// Where its cells land.
    pub scope: Scope,
    /// The way there.
    pub connector: Arc<dyn Connector>,
    /// Open when the target keeps failing; shared by everything that asks it.
    pub breakers: Arc<Breakers>,
    /// Time, for what people decided until when.
    pub clock: Arc<dyn Clock>,
    /// The connections that it asks for; no other one is made.
    pub flows: Vec<Flow>,
    /// What it answered in the walk that is under way.
    pub(super) heard: Arc<Heard>,
}

/// What a target answered last, verb by verb.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<BTreeMap<&'static str, bool>>);

impl Heard {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything: a walk begins.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Notes whether the target has answered `verb` as it should.
    pub(super) fn note(&self, verb: &'static str, answered: bool) {
        self.lock().insert(verb, answered);
    }

    /// Whether it has taken something, or works on it.
    pub(super) fn wrote(&self) -> bool {
        let heard = self.lock();
        ["submit", "poll"].iter().any(|verb| heard.get(verb).is_some_and(|answered| *answered))
    }

    /// Whether it can be read, as far as anybody asked.
    pub(super) fn reads(&self) -> bool {
        self.lock().get("read").is_none_or(|answered| *answered)
    }

    /// Whether all that was asked was answered in the end; nothing where nobody
    /// asked.
    pub(super) fn answered(&self) -> Option<bool> {
        let heard = self.lock();
        (!heard.is_empty()).then(|| heard.values().all(|answered| *answered))
    }
}

impl OpenTarget {
    /// Reads cells, unless the target is left alone.
    ///
    /// # Errors
    /// What the target said, or for how long it is left alone.
    pub(super) async fn read(&self, asked: &Selection) -> Result<Vec<SeenCell>, ConnectorError> {
        self.breakers.ask(Operation::Read, &*self.clock, self.connector.read(asked)).await
    }

    /// What the target offers, unless it is left alone. A person who asks is not kept
    /// from it: `discover` and `check` ask the connector itself.
    ///
    /// # Errors
    /// What the target said, or for how long it is left alone.
    pub(super) async fn offers(&self) -> Result<Discovery, ConnectorError> {
        self.breakers.ask(Operation::Read, &*self.clock, self.connector.discover()).await
    }
}

/// The network of each target, where it is not the real one: tests and drills
/// hand in simulators by target name.
pub type Transports = BTreeMap<String, Arc<dyn Transport>>;

/// Opens targets. All of them share quotas and tokens of their tenants.
#[derive(Debug)]
pub struct Opener {
    clock: Arc<dyn Clock>,
    quotas: QuotaBook,
    breakers: BreakerBook,
    tokens: TokenBook,
    /// Who knows what was read back; nobody where nothing is pushed.
    state: Weak<State>,
    transports: Transports,
    permit: Option<Arc<Permit>>,
    offline: bool,
}

impl Opener {
    /// Opens targets on the real network.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, Transports::new())
    }

    /// Opens the targets in `transports` on those, all others on the real
    /// network.
    #[must_use]
    pub fn with(clock: Arc<dyn Clock>, transports: Transports) -> Self {
        let quotas = QuotaBook::new(Arc::clone(&clock));
        let (tokens, state) = (TokenBook::default(), Weak::new());
        let breakers = BreakerBook::default();
        Self { quotas, breakers, tokens, state, clock, transports, permit: None, offline: false }
    }

    /// Lets connectors ask what this state knows to stand at their targets, goes on
    /// with what an earlier process kept in it, and keeps there how breakers stand.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn on(mut self, state: &Arc<State>) -> Result<Self, Failure> {
        self.state = Arc::downgrade(state);
        let memory = Arc::new(BreakersOnDisk::of(state));
        self.breakers = BreakerBook::kept_in(memory);
        self.remember(&state.reader()?)?;
        Ok(self)
    }

    /// Lets nothing out to a target but while this permit holds.
    pub(super) fn leased(mut self, permit: Arc<Permit>) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Goes on with what an earlier process was asked for, and where it left targets
    /// alone.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(crate) fn remember(&self, reader: &Reader) -> Result<(), Failure> {
        self.quotas.remember(ledger::pauses(reader)?);
        self.quotas.remember_rates(ledger::rates(reader)?);
        self.breakers.remember(ledger::breakers(reader)?);
        Ok(())
    }

    /// Until when each tenant has asked us to wait, where it has.
    pub(super) fn pauses(&self) -> BTreeMap<String, Timestamp> {
        self.quotas.pauses()
    }

    /// The rate that each tenant taught of whom anything was asked.
    pub(super) fn rates(&self) -> BTreeMap<String, Option<KeptRate>> {
        self.quotas.rates()
    }

    /// What the targets' tenants last said about our clock.
    pub(super) fn witnesses(&self) -> Vec<Witness> {
        self.quotas.witnesses().into_values().collect()
    }

    /// How the quotas of the targets' tenants stand.
    pub(super) fn tenants(&self) -> BTreeMap<TenantKey, QuotaStanding> {
        self.quotas.standing()
    }

    /// Nothing will be sent: secrets are not asked for.
    #[must_use]
    pub const fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// Opens the target called `name`; without a name the only one.
    ///
    /// # Errors
    /// When there is no such target, or its connector can't be put together.
    pub fn open(&self, loaded: &Loaded, name: Option<&str>) -> Result<OpenTarget, Failure> {
        let (name, target) = choose(loaded, name)?;
        let factory = factory_of(target)?;
        let book = FlowBook::default();
        let context = self.context(loaded, name, target, &book);
        let connector = (factory.build)(&context).map_err(|fault| not_built(name, fault))?;
        let most = connector.info().capabilities.side_by_side;
        if target.delivery.side_by_side() > most {
            return Err(too_many(name, target, most));
        }
        let scope = target.scope();
        let breakers = self.breakers.of_target(name, target.delivery.breaker_policy());
        let (name, config) = (name.to_owned(), target.clone());
        let (clock, heard) = (Arc::clone(&self.clock), Arc::default());
        let flows = book.all();
        Ok(OpenTarget { name, config, scope, connector, breakers, clock, flows, heard })
    }

    /// Creates at the target called `name` what its connector ships for it.
    ///
    /// # Errors
    /// When there is no such target, its connector ships nothing, or the target
    /// refuses.
    pub async fn provide(
        &self,
        loaded: &Loaded,
        name: Option<&str>,
    ) -> Result<Vec<Provided>, Failure> {
        let (name, target) = choose(loaded, name)?;
        let provide = factory_of(target)?.provide.ok_or_else(|| {
            let text = format!("{name}: the connector {} ships nothing to send", target.connector);
            Failure::usage(text).cure("leave out --push: people prepare this target")
        })?;
        let book = FlowBook::default();
        let made = provide(&self.context(loaded, name, target, &book)).await;
        made.map_err(|error| Failure::from(error).about(name))
    }

    fn context<'a>(
        &'a self,
        loaded: &'a Loaded,
        name: &'a str,
        target: &'a Target,
        flows: &'a FlowBook,
    ) -> TargetContext<'a> {
        let scope = target.scope();
        let known: Arc<dyn Known> = match self.state.upgrade() {
            Some(state) => Arc::new(Seen::new(&state, name, scope.name())),
            None => Arc::new(Nothing),
        };
        TargetContext {
            target: name,
            settings: &target.settings,
            scope,
            measures: &target.measures,
            folder: loaded.file.parent().unwrap_or(Path::new(".")),
            clock: &self.clock,
            quotas: &self.quotas,
            tokens: &self.tokens,
            known,
            quota: &target.quota,
            network: &target.network,
            http: &target.http,
            transport: self.transports.get(name).cloned(),
            permit: self.permit.as_ref(),
            flows,
            offline: self.offline,
        }
    }

    /// Opens every target of the configuration.
    ///
    /// # Errors
    /// When one of them can't be put together.
    pub fn open_all(&self, loaded: &Loaded) -> Result<Vec<OpenTarget>, Failure> {
        loaded.config.targets.keys().map(|name| self.open(loaded, Some(name))).collect()
    }
}

fn factory_of(target: &Target) -> Result<&'static TargetFactory, Failure> {
    registry::find(&target.connector)
        .ok_or_else(|| Failure::usage(format!("there is no connector `{}`", target.connector)))
}

/// A fault that shows only when a connector is put together.
fn not_built(name: &str, fault: SettingsFault) -> Failure {
    let field = if fault.field.is_empty() { "settings" } else { &fault.field };
    let failure = Failure::usage(format!("targets.{name}.{field}: {}", fault.reason));
    failure.cure(fault.cure.unwrap_or_default()).explain("config")
}

/// More batches at once than the target takes.
fn too_many(name: &str, target: &Target, most: usize) -> Failure {
    let (wants, connector) = (target.delivery.side_by_side, &target.connector);
    let text = format!(
        "targets.{name}.delivery.side_by_side: {wants} batches at once, and the connector \
         {connector} knows of {most} that its target takes"
    );
    Failure::usage(text).cure(format!("write {most} or less")).explain("config")
}

fn choose<'a>(loaded: &'a Loaded, name: Option<&str>) -> Result<(&'a str, &'a Target), Failure> {
    let targets = &loaded.config.targets;
    let known = || targets.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => targets.get_key_value(name),
        None if targets.len() == 1 => targets.iter().next(),
        None => None,
    };
    match (found, name) {
        (Some((name, target)), _) => Ok((name, target)),
        (None, _) if targets.is_empty() => {
            Err(Failure::usage("the configuration has no target").cure("add one under `targets:`"))
        }
        (None, Some(name)) => Err(Failure::usage(format!("there is no target `{name}`"))
            .cure(format!("targets: {}", known()))),
        (None, None) => {
            Err(Failure::usage("there are several targets")
                .cure(format!("name one of: {}", known())))
        }
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::VirtualClock;

    use super::*;
    use crate::{config, starter::Starter};

    #[test]
    fn more_batches_at_once_than_the_target_takes_are_refused() {
        let name = format!("planthread-side-by-side-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let now: Timestamp = "2026-11-22T22:10:00Z".parse().unwrap();
        let starter = Starter::new(&folder, now);
        starter.write(now, &[(&registry::TARGETS[0], None)]).unwrap();
        let mut loaded = config::load(&starter.config, None).unwrap();
        let opener = Opener::new(Arc::new(VirtualClock::new(now, 1))).offline();
        assert!(opener.open(&loaded, Some("ibp")).is_ok());
        loaded.config.targets.get_mut("ibp").unwrap().delivery.side_by_side = 2;
        let refused = opener.open(&loaded, Some("ibp")).unwrap_err();
        assert!(refused.message.contains("targets.ibp.delivery.side_by_side"), "{refused}");
        assert!(refused.cure.contains("write 1"), "{refused}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
