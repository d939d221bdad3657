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

/// Kinaxis, for the program's registry.
pub const FACTORY: TargetFactory = TargetFactory {
    name: crate::NAME,
    about: "Kinaxis (RapidResponse, Maestro), input tables in a signal scenario, through integration/V1",
    starter: Starter {
        section: include_str!("../starter.yaml"),
        qa: "{ scope: Capacity Signals QA }",
        files: &[(
            "agreements/kinaxis-merge.json",
            include_str!("../agreement/kinaxis-merge.json"),
        )],
    },
    schema: || auth::schema::<Config>(&TAKES),
    validate: |settings, measures| typed::<Config>(settings)?.validate(measures),
    address: |settings, scope| typed::<Config>(settings).ok().map(|config| config.address(scope)),
    files: |settings| {
        let config = typed::<Config>(settings).ok();
        let file = config.and_then(|config| config.agreement.file);
        file.into_iter().map(|file| ("agreement.file".to_owned(), file)).collect()
    },
    build,
    provide: None,
};

fn build(context: &TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault> {
    let config: Config = typed(context.settings).map_err(|fault| fault.inside("settings"))?;
    let http = context.http.clone().or_seconds(SECONDS.0, SECONDS.1);
    let stack = context.stack(config.base(), &config.auth, &TAKES, &http)?;
    Ok(Arc::new(Kinaxis::new(context, config, stack)?))
}

#[cfg(test)]
mod tests {
    use planthread_kit::agreement::{SigningKey, document::Signed, gate::sign};

    use super::FACTORY;

    /// The demo's key signs what is shipped; whoever edits it runs this test.
    #[test]
    fn the_shipped_agreement_is_signed_by_the_demos_key() {
        let (name, text) = FACTORY.starter.files[0];
        let shipped: Signed = serde_json::from_str(text).unwrap();
        let fresh = sign(shipped.document.clone(), &SigningKey::demo().unwrap());
        if fresh.signature.value != shipped.signature.value {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/agreement/kinaxis-merge.json");
            std::fs::write(file, serde_json::to_string_pretty(&fresh).unwrap() + "\n").unwrap();
            panic!("{name} was not signed; it is now: look at it and commit it");
        }
    }
}
