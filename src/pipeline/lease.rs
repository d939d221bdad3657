//! The part of this process in the lease of its configuration.

use std::{fs, sync::Arc};

use planthread_engine::lease::{Keeper, Record};
use planthread_kit::{Clock, Permit, SteadyClock};

use crate::{config::Loaded, failure::Failure};

/// Begins to wait for the lease; nothing where none is configured.
///
/// # Errors
/// When its folder can't be made.
pub fn lease(loaded: &Loaded, clock: &Arc<dyn Clock>) -> Result<Option<Arc<Keeper>>, Failure> {
    let Some(config) = &loaded.config.run.lease else { return Ok(None) };
    let record = Record {
        machine: machine(),
        pid: std::process::id(),
        holder: format!("{:016x}", clock.random()),
        seconds: config.seconds,
        beat: 0,
        at: clock.now(),
        released: false,
    };
    let permit = Arc::new(Permit::new(Arc::new(SteadyClock::start()), Arc::clone(clock)));
    let keeper = Keeper::start(&config.folder, record, permit).map_err(|error| {
        Failure::from(error)
            .about("run.lease.folder")
            .cure("mount the shared volume, or let this account write there")
    })?;
    Ok(Some(Arc::new(keeper)))
}

/// What this machine calls itself, for people.
fn machine() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map_or_else(|| "unnamed".to_owned(), |name| name.trim().to_owned())
}
