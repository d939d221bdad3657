//! `planthread demo`

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use super::Context;
use crate::{
    demo::{self, Demo, DemoClock},
    failure::{Exit, Failure},
    sandbox::Sandbox,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run one cycle and end
    #[arg(long)]
    once: bool,
    /// Where the sandbox and its planner page listen; any free port when this
    /// one is taken
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// Seconds from one step of the plant's time to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    every: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    context.block_on(async {
        let clock = DemoClock::new(Arc::clone(&context.clock));
        let sandbox = open(args, clock.clone()).await?;
        let url = sandbox.url();
        let served = tokio::spawn(sandbox.serve());
        let shown = show(context, args, clock, &url).await;
        served.abort();
        shown
    })
}

/// `--once` never minds what else runs on this machine.
async fn open(args: &Args, clock: DemoClock) -> Result<Sandbox, Failure> {
    let any = SocketAddr::new(args.listen.ip(), 0);
    if args.once {
        return demo::sandbox(any, clock).await;
    }
    match demo::sandbox(args.listen, clock.clone()).await {
        Ok(sandbox) => Ok(sandbox),
        Err(_) => demo::sandbox(any, clock).await,
    }
}

async fn show(
    context: &Context,
    args: &Args,
    clock: DemoClock,
    url: &str,
) -> Result<Exit, Failure> {
    let folder: Option<PathBuf> = context.state_option();
    let mut demo = Demo::set_up(&*context.clock, clock, url, folder)?;
    let cycle = demo.cycle().await?;
    let once = demo.once(&cycle)?;
    let exit = context.screen.show(&once)?;
    if args.once {
        return Ok(exit);
    }
    let stop = super::stop::asked_to_stop();
    context.screen.say(&format!("\nThe planner's page: {url}/planner"))?;
    context.screen.say(&format!(
        "The plant lives on, {} hours every {} s. Stop with ctrl-c.\n",
        demo::STEP.as_hours(),
        args.every
    ))?;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = context.clock.sleep(Duration::from_secs(args.every.max(1))) => {}
            () = &mut stop => return Ok(Exit::Ok),
        }
        demo.live_on()?;
        let cycle = demo.cycle().await?;
        context.screen.show(&cycle)?;
    }
}
