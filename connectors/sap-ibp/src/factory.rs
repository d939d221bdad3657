//! How a target of this kind is made from its configuration.

use std::sync::Arc;

use planthread_kit::{
    Connector,
    target::{SettingsFault, Starter, TargetContext, TargetFactory, auth, typed},
};

use crate::{
    config::{Config, TAKES, Timeouts},
    connector::SapIbp,
};

/// SAP IBP, for the program's registry.
pub const FACTORY: TargetFactory = TargetFactory {
    name: crate::NAME,
    about: "SAP IBP, time-series planning areas, through PLANNING_DATA_API_SRV",
    starter: Starter {
        section: include_str!("../starter.yaml"),
        qa: "{ scope: TWIN, pack: { folder: qa-packs } }",
        files: &[],
    },
    schema: || auth::schema::<Config>(&TAKES),
    validate: |settings, measures| typed::<Config>(settings)?.validate(measures),
    address: |settings, scope| typed::<Config>(settings).ok().map(|config| config.address(scope)),
    files: |settings| {
        let files = typed::<Config>(settings).map(|config| config.auth.files());
        let named = |(field, file)| (format!("auth.{field}"), file);
        files.unwrap_or_default().into_iter().map(named).collect()
    },
    build,
    provide: None,
};

fn build(context: &TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault> {
    let mut config: Config = typed(context.settings).map_err(|fault| fault.inside("settings"))?;
    let Timeouts { get_seconds, post_seconds, .. } = config.timeouts;
    let http = context.http.clone().or_seconds(get_seconds, post_seconds);
    config.timeouts.get_seconds = http.read_seconds.unwrap_or(get_seconds);
    config.timeouts.post_seconds = http.write_seconds.unwrap_or(post_seconds);
    let stack = context.stack(&config.host, &config.auth, &TAKES, &http)?;
    let (scope, measures) = (context.scope.clone(), context.measures.to_vec());
    let ibp = SapIbp::new(context.target, config, scope, measures, stack);
    Ok(Arc::new(ibp.map_err(|fault| fault.inside("settings"))?))
}
