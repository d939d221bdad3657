//! A small target that is built from the SDK's public items alone: what a new
//! connector needs, and that it needs nothing else. `core/` and `contracts/`
//! know nothing of it.

mod client;
mod config;
mod connector;
mod mapping;
mod sandbox;

use std::sync::Arc;

use planthread::registry::Registered;
use planthread_kit::{
    Connector,
    target::{SettingsFault, Starter, TargetContext, TargetFactory, auth, typed},
};

use self::{
    client::Client,
    config::{Config, TAKES},
    connector::Rest,
};

/// The line by which the suite knows it.
pub(crate) const REGISTERED: Registered =
    Registered { target: &FACTORY, sandbox: &sandbox::FACTORY };

const FACTORY: TargetFactory = TargetFactory {
    name: "rest",
    about: "a small upsert interface of the tests",
    starter: Starter { section: "  rest:\n    connector: rest\n", qa: "{}", files: &[] },
    schema: || auth::schema::<Config>(&TAKES),
    validate: |settings, measures| typed::<Config>(settings)?.validate(measures),
    address: |settings, scope| typed::<Config>(settings).ok().map(|config| config.address(scope)),
    files: |_| Vec::new(),
    build,
    provide: None,
};

fn build(context: &TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault> {
    let inside = |fault: SettingsFault| fault.inside("settings");
    let config: Config = typed(context.settings).map_err(inside)?;
    config.validate(context.measures).map_err(inside)?;
    let http = context.stack(&config.host, &config.auth, &TAKES, context.http)?;
    let bounds = context.http.bounds(config.page_size, 3);
    let client = Client::new(http, &config.host, context.scope.name(), bounds);
    Ok(Arc::new(Rest::new(context, &config, client)))
}
