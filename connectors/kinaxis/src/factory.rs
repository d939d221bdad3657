//! How a target of this kind is made from its configuration.

use std::sync::Arc;

use planthread_kit::{
    Connector,
    target::{SettingsFault, Starter, TargetContext, TargetFactory, auth, typed},
};

use crate::{Config, Kinaxis, config::TAKES};

/// Seconds of a read and of a write: clients wait ten for small ones (§6), a table
/// may be large.
const SECONDS: (u64, u64) = (120, 120);

/// The agreement under which a load may merge, in the form that a team fills in.
const MERGE: &str = include_str!("../agreement/kinaxis-merge.json");

/// Kinaxis, for the program's registry.
pub const FACTORY: TargetFactory = TargetFactory {
    name: crate::NAME,
    about: "Kinaxis (RapidResponse, Maestro), input tables in a signal scenario, through integration/V1",
    starter: Starter {
        section: include_str!("../starter.yaml"),
        qa: "{ scope: Capacity Signals QA, pack: { folder: qa-packs } }",
        files: &[("agreements/kinaxis-merge.json", MERGE)],
    },
    schema: || auth::schema::<Config>(&TAKES),
    validate: |settings, measures| typed::<Config>(settings)?.validate(measures),
    address: |settings, scope| typed::<Config>(settings).ok().map(|config| config.address(scope)),
    files: |_| Vec::new(),
    build,
    provide: None,
};

fn build(context: &TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault> {
    let config: Config = typed(context.settings).map_err(|fault| fault.inside("settings"))?;
    let http = context.http.clone().or_seconds(SECONDS.0, SECONDS.1);
    let stack = context.stack(config.base(), &config.auth, &TAKES, &http)?;
    Ok(Arc::new(Kinaxis::new(context, config, stack)?))
}
