//! How a target of this kind is made from its configuration.

use std::sync::Arc;

use planthread_contracts::PeriodKind;
use planthread_kit::{
    Connector,
    agreement::{Gate, GateInput, Requests},
    target::{Auth, SettingsFault, Starter, TargetContext, TargetFactory, auth, typed},
};

use crate::{
    buckets::Form,
    client::Client,
    config::{Config, TAKES},
    connector::{Context, O9},
    levels::Levels,
    login::HOST,
    write::{EACH_ROW, OFFERED, ROW_ID, check},
};

/// Seconds that a request may take unless somebody says otherwise (§8: 60 were
/// seen).
const SECONDS: u64 = 60;

/// o9, for the program's registry.
pub const FACTORY: TargetFactory = TargetFactory {
    name: crate::NAME,
    about: "o9 Digital Brain: reads over the Platform API or IBPL, writes under a signed agreement",
    starter: Starter {
        section: include_str!("../starter.yaml"),
        qa: "{ scope: TwinSignalsQA, pack: { folder: qa-packs } }",
        files: &[("agreements/o9-sandbox.json", include_str!("../agreement/o9-sandbox.json"))],
    },
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
    let kind = context.measures.first().map_or(PeriodKind::Week, |measure| measure.level);
    let form = Form::read(&config.model.time.member, kind)
        .map_err(|reason| SettingsFault::new("settings.model.time.member", reason))?;
    let input = GateInput {
        connector: crate::NAME,
        host: &config.host,
        unconfirmed: &[],
        requests: Requests::Profile {
            offered: &OFFERED,
            each_row: &EACH_ROW,
            row_id: ROW_ID,
            check: &|profile| check(&config, profile),
        },
    };
    let gate = Gate::open(&config.agreement, context.folder, &input);
    let mut http = context.http.clone();
    if let Some(agreement) = gate.agreement() {
        http.write_seconds = Some(agreement.limits.patience(http.write_seconds).as_secs());
    }
    let http = http.or_seconds(SECONDS, SECONDS);
    let write_seconds = http.write_seconds.unwrap_or(SECONDS);
    let stack = context.stack(&config.host, &with_host(&config), &TAKES, &http)?;
    let client = Client::new(stack, &config, http.bounds(config.read.page_size, 1));
    let (scope, measures) = (context.scope.clone(), context.measures.to_vec());
    let levels = Levels::default();
    let parts =
        Context { config, scope, measures, form, kind, client, gate, levels, write_seconds };
    Ok(Arc::new(O9::new(context, parts)))
}

/// A log-in goes to the target's own host.
fn with_host(config: &Config) -> Auth {
    let mut auth = config.auth.clone();
    if let Auth::TokenExchange { parameters, .. } = &mut auth {
        parameters.insert(HOST.to_owned(), config.host.clone());
    }
    auth
}
