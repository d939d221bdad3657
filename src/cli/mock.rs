//! `planthread mock VENDOR`

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use planthread_mocks::{
    latency::Profile,
    sap_ibp::{Options, Switch, Wiring},
};
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{Paper, View},
    sandbox::{self, Sandbox, VENDORS},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose sandbox: sap-ibp
    vendor: String,
    /// Address and port; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// Number of resources LINE-1.. ; odd ones at 1010, even ones at 1020
    #[arg(long, value_name = "N", default_value_t = Options::default().resources)]
    resources: u32,
    /// How landed capacity drives the plan: none, job, calculation, direct
    #[arg(long, value_name = "WAY", default_value = "none")]
    wiring: Wiring,
    /// none, or as-documented: takes as long as public measurements say
    #[arg(long, value_name = "PROFILE", default_value = "none")]
    latency: Profile,
    /// Turn a behaviour on; the sandbox's table lists them
    #[arg(long = "with", value_name = "BEHAVIOUR")]
    on: Vec<Switch>,
    /// Turn a behaviour off
    #[arg(long = "without", value_name = "BEHAVIOUR")]
    off: Vec<Switch>,
    /// Serve TLS, and leave authority and client certificate in this folder
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
}

/// The one line that says where it listens.
#[derive(Debug, Serialize)]
struct Listening {
    vendor: String,
    url: String,
    planner: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    if !VENDORS.contains(&args.vendor.as_str()) {
        return Err(Failure::usage(format!("there is no sandbox of `{}`", args.vendor))
            .cure(format!("known: {}", VENDORS.join(", "))));
    }
    if !args.listen.ip().is_loopback() {
        context.screen.note("everybody who reaches this address can use the sandbox");
    }
    let tls = args.tls.as_deref().map(sandbox::tls).transpose()?;
    let mut options = Options {
        resources: args.resources,
        wiring: args.wiring,
        latency: args.latency,
        secure_cookies: tls.is_some(),
        ..Options::default()
    };
    for (switches, on) in [(&args.on, true), (&args.off, false)] {
        for switch in switches {
            options.switches = options.switches.with(*switch, on);
        }
    }
    context.block_on(async {
        let clock = Arc::clone(&context.clock);
        let sandbox = Sandbox::sap_ibp(options, args.listen, clock, tls).await?;
        let url = sandbox.url();
        let planner = format!("{url}/planner");
        context.screen.show(&Listening { vendor: args.vendor.clone(), url, planner })?;
        tokio::select! {
            served = sandbox.serve() => served.map(|()| Exit::Ok),
            () = super::stop::asked_to_stop() => Ok(Exit::Ok),
        }
    })
}

impl View for Listening {
    fn write(&self, paper: &mut Paper) {
        paper.line(format!(
            "{} sandbox listens on {} (user planthread, password planthread; planner page {})",
            self.vendor, self.url, self.planner
        ));
    }
}
