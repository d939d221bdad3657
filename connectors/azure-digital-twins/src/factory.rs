//! How a target of this kind is made from its configuration.

use std::sync::Arc;

use planthread_kit::{
    Class, Connector, ConnectorError,
    target::{Provided, SettingsFault, Starter, TargetContext, TargetFactory, auth, typed},
};

use crate::{AzureDigitalTwins, Config, client::Client, config::TAKES, models::push};

/// Models on a page of a list, and twins on a page of a query (section 1.13).
const ROWS_PER_PAGE: usize = 100;

/// Azure Digital Twins, for the program's registry.
pub const FACTORY: TargetFactory = TargetFactory {
    name: crate::NAME,
    about: "Azure Digital Twins, a capacity component of each twin, data plane 2023-10-31",
    starter: Starter {
        section: include_str!("../starter.yaml"),
        qa: "{ settings: { host: https://INSTANCE-qa.api.weu.digitaltwins.azure.net }, pack: { folder: qa-packs } }",
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
    provide: Some(|context| Box::pin(provide(context))),
};

/// Sends our models.
async fn provide(context: &TargetContext<'_>) -> Result<Vec<Provided>, ConnectorError> {
    let wrong = |fault: SettingsFault| {
        let error = ConnectorError::new(Class::Fatal, "read settings", fault.reason);
        fault.cure.map_or(error.clone(), |cure| error.cure(cure))
    };
    let config: Config = typed(context.settings).map_err(wrong)?;
    let http = context.stack(&config.host, &config.auth, &TAKES, context.http).map_err(wrong)?;
    let bounds = context.http.bounds(ROWS_PER_PAGE, 1);
    push(&Client::new(http, &config.host, &config.api_version, bounds)).await
}

fn build(context: &TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault> {
    let inside = |fault: SettingsFault| fault.inside("settings");
    let config: Config = typed(context.settings).map_err(inside)?;
    config.validate(context.measures).map_err(inside)?;
    let http = context.stack(&config.host, &config.auth, &TAKES, context.http)?;
    let bounds = context.http.bounds(ROWS_PER_PAGE, 1);
    let measures = context.measures.to_vec();
    let twins =
        AzureDigitalTwins::new(context.target, config, &context.scope, measures, http, bounds)?;
    Ok(Arc::new(twins))
}
