//! `planthread verify [TARGET]`

use planthread_engine::{ledger, status, verify::Which};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::Course,
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
    let course = Course::Verify { read_back: which };
    let walked = context.block_on(async { Ok(bridge.walk_all(&targets, course).await) })?;
    let reader = bridge.reader()?;
    let (locks, cases) =
        (ledger::locked_cells(&reader, context.clock.now())?, ledger::cases(&reader)?);
    let refused = status::rejects(&reader)?;
    let standing = |done| Verified::from(done).standing(&locks, &cases, &refused);
    let views = walked.into_iter().map(standing);
    context.screen.show(&Verifications { targets: views.collect() })
}
