//! `planthread verify [TARGET]`

use planthread_engine::{ledger, verify::Which};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::verified::{Verifications, Verified},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is read
    target: Option<String>,
    /// Only what was sent and not read back yet
    #[arg(long, conflicts_with = "expired")]
    unproven: bool,
    /// That, and what was read too long ago
    #[arg(long)]
    expired: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let which = match (args.unproven, args.expired) {
        (true, _) => Which::Unproven,
        (_, true) => Which::Expired,
        _ => Which::All,
    };
    let targets = bridge.targets(args.target.as_deref())?;
    let reports = context.block_on(async {
        let mut reports = Vec::new();
        for target in &targets {
            reports.push(Verified::of(&target.name, bridge.verify(target, which).await?));
        }
        Ok(reports)
    })?;
    let reader = bridge.reader()?;
    let (locks, cases) = (ledger::locks(&reader, context.clock.now())?, ledger::cases(&reader)?);
    let reports = reports.into_iter().map(|one: Verified| one.standing(&locks, &cases)).collect();
    context.screen.show(&Verifications(reports))
}
