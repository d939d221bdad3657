//! `planthread demo`

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use planthread_mocks::SandboxFactory;
use tokio::task::JoinSet;

use super::Context;
use crate::{
    demo::{self, Demo, DemoClock},
    failure::{Exit, Failure},
    registry::{self, Registered},
    sandbox::Sandbox,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run one cycle and end
    #[arg(long)]
    once: bool,
    /// Connectors to land in, with commas; all of them by default
    #[arg(long, value_name = "CONNECTOR", value_delimiter = ',')]
    targets: Vec<String>,
    /// Where the first sandbox and its planner page listen; the others, and
    /// this one by default, have ports of their own. Any free one when it is taken
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Seconds from one step of the plant's time to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    every: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let targets = match &args.targets[..] {
        [] => registry::TARGETS.iter().collect(),
        asked => registry::chosen(asked)?,
    };
    context.block_on(async {
        let clock = DemoClock::new(Arc::clone(&context.clock));
        let mut served = JoinSet::new();
        let mut landing = Vec::new();
        for target in targets {
            let first = landing.is_empty();
            let sandbox = open(args, target.sandbox, first, clock.clone()).await?;
            landing.push((target, sandbox.url()));
            served.spawn(sandbox.serve());
        }
        show(context, args, clock, &landing).await
    })
}

/// `--once` never minds what else runs on this machine.
async fn open(
    args: &Args,
    factory: &SandboxFactory,
    first: bool,
    clock: DemoClock,
) -> Result<Sandbox, Failure> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let own = || factory.listen.parse().unwrap_or(any);
    let wished = args.listen.filter(|_| first).unwrap_or_else(own);
    let any = SocketAddr::new(wished.ip(), 0);
    if args.once {
        return demo::sandbox(factory, any, clock).await;
    }
    match demo::sandbox(factory, wished, clock.clone()).await {
        Ok(sandbox) => Ok(sandbox),
        Err(_) => demo::sandbox(factory, any, clock).await,
    }
}

async fn show(
    context: &Context,
    args: &Args,
    clock: DemoClock,
    landing: &[(&Registered, String)],
) -> Result<Exit, Failure> {
    let folder: Option<PathBuf> = context.state_option();
    let mut demo = Demo::set_up(&*context.clock, clock, landing, folder)?;
    let cycle = demo.cycle().await?;
    let once = demo.once(&cycle)?;
    let exit = context.screen.show(&once)?;
    if args.once {
        return Ok(exit);
    }
    let stop = super::stop::asked_to_stop();
    context.screen.say("")?;
    for (target, url) in landing {
        context
            .screen
            .say(&format!("The planner's page of {}: {url}/planner", target.target.name))?;
    }
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
