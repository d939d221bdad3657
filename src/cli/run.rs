//! `planthread run`

use std::{sync::Arc, time::Duration};

use super::{Context, stop::asked_to_stop};
use crate::{
    failure::{Exit, Failure},
    pipeline::{Bridge, OpenTarget},
    report::planned::seconds,
    serve::http::Endpoint,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run one cycle and end
    #[arg(long)]
    once: bool,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let targets = bridge.targets(args.target.as_deref())?;
    context.block_on(async {
        if args.once {
            let cycle = bridge.cycle(&targets, bridge.as_of()).await?;
            return context.screen.show(&cycle);
        }
        forever(context, &bridge, &targets).await
    })
}

/// How long requests that are being answered may hold the end up.
const FAREWELL: Duration = Duration::from_secs(5);

/// Cycles until it is asked to stop. A cycle that has begun is finished: what was pushed is
/// read back. A second request does not wait; the next start settles the rest.
///
/// What passes (a full disk, a file that is away) ends no bridge: the cycle says so, and the next
/// one goes on. Only a first cycle that finds the configuration wrong ends it.
async fn forever(
    context: &Context,
    bridge: &Bridge,
    targets: &[OpenTarget],
) -> Result<Exit, Failure> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let interrupted = asked_to_stop();
    tokio::pin!(interrupted);
    let endpoint = open_intake(context, bridge, stopped.clone()).await?;
    let every = Duration::from_secs(bridge.loaded.config.run.every_seconds.max(1));
    let names = targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
    context.screen.say(&format!(
        "Running every {}, to {}. Stop with ctrl-c.",
        seconds(every.as_secs() * 1_000),
        if names.is_empty() { "no target" } else { &names }
    ))?;
    let mut first = true;
    loop {
        let cycle = bridge.cycle(targets, bridge.as_of());
        tokio::pin!(cycle);
        let mut last = false;
        let done = tokio::select! {
            done = &mut cycle => done,
            () = &mut interrupted => {
                last = true;
                context.screen.note("finishing this cycle; ctrl-c again ends at once");
                cycle.await
            }
        };
        let exit = match done {
            Ok(done) => context.screen.show(&done)?,
            Err(failure) if first && failure.exit == Exit::Usage => return Err(failure),
            Err(failure) => {
                context.screen.fail(&failure);
                failure.exit
            }
        };
        first = false;
        last = last
            || tokio::select! {
                () = bridge.clock.sleep(every) => false,
                () = &mut interrupted => true,
            };
        if last {
            // The receiver may be gone when no endpoint listens.
            let _ = stop.send(true);
            if let Some(endpoint) = endpoint {
                tokio::select! {
                    _ = endpoint => {}
                    () = bridge.clock.sleep(FAREWELL) => {}
                }
            }
            return Ok(exit);
        }
    }
}

type Intake = tokio::task::JoinHandle<Result<(), Failure>>;

/// Opens the HTTP door, where one is configured.
async fn open_intake(
    context: &Context,
    bridge: &Bridge,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) -> Result<Option<Intake>, Failure> {
    let Some(config) = &bridge.loaded.config.intake.http else { return Ok(None) };
    let endpoint = Endpoint::bind(config).await?;
    context.screen.say(&format!("Taking CloudEvents on http://{}/events", endpoint.address))?;
    let door = Arc::new(bridge.door());
    let stop = async move {
        // An error means that the bridge is gone: stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let clock = Arc::clone(&bridge.clock);
    Ok(Some(tokio::spawn(endpoint.serve(door, clock, stop))))
}
