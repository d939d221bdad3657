//! `planthread collect FOLDER` and `planthread deliver FOLDER`: the two sides
//! of the bridge, apart.

use std::path::PathBuf;

use planthread_engine::journal::{self, SealLimits};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::signing_key,
    report::intake::{Collected, Delivered, Ingested},
};

/// What `collect` takes.
#[derive(Debug, clap::Args)]
pub(super) struct CollectArgs {
    /// The folder that both sides can reach
    folder: PathBuf,
    /// Name of this collector in its segments; the plant's id by default
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
}

/// What `deliver` takes.
#[derive(Debug, clap::Args)]
pub(super) struct DeliverArgs {
    /// The folder that both sides can reach
    folder: PathBuf,
}

pub(super) fn collect(context: &Context, args: &CollectArgs) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let files = bridge.ingest()?;
    let stream = args.stream.as_deref().unwrap_or(&bridge.loaded.config.plant.id);
    let sign_with = bridge.loaded.config.segments.sign_with.as_ref();
    let key = signing_key(&bridge.loaded, "segments.sign_with", sign_with)?;
    let limits = SealLimits::default();
    let sealed = journal::seal(&bridge.state, &args.folder, stream, limits, key.as_ref())?;
    let journal = journal::counts(&bridge.reader()?)?;
    let folder = args.folder.display().to_string();
    context.screen.show(&Collected { folder, ingested: Ingested { files, journal }, sealed })
}

pub(super) fn deliver(context: &Context, args: &DeliverArgs) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let trusted = bridge.loaded.config.segments.trusted.as_deref();
    let now = context.clock.now();
    let admitted = journal::admit(&bridge.state, &args.folder, trusted, now)?;
    let folder = args.folder.display().to_string();
    context.screen.show(&Delivered { folder, admitted })
}
