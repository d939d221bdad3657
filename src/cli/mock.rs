//! `planthread mock VENDOR`

use std::{net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use planthread_contracts::PeriodKind;
use planthread_kit::Clock;
use planthread_mocks::{
    Faulty, Rule, SandboxOptions, Simulator, Time,
    latency::Profile,
    sap_ibp::{Options, SapIbp, Switch, Wiring, behaviours::TABLE, options::storage},
    serve, shared,
};
use serde::Serialize;
use tokio::net::TcpListener;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{Paper, View},
    sandbox::{self, VENDORS},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
#[command(after_help = behaviours())]
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
    /// Level at which key figures are stored: day, week, technical_week, month
    #[arg(long, value_name = "LEVEL", default_value = "week", value_parser = storage)]
    storage: PeriodKind,
    /// none, or as-documented: takes as long as public measurements say
    #[arg(long, value_name = "PROFILE", default_value = "none")]
    latency: Profile,
    /// Turn a behaviour on; they are listed below
    #[arg(long = "with", value_name = "BEHAVIOUR", value_parser = switch)]
    on: Vec<Switch>,
    /// Turn a behaviour off
    #[arg(long = "without", value_name = "BEHAVIOUR", value_parser = switch)]
    off: Vec<Switch>,
    /// Break requests: FAULT[:MATCH][@WHEN], such as drop-after:commit,
    /// 429=7:Trans@2, truncate=40:GET@all, 503@20%
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<Rule>,
    /// Serve TLS with server.pem, server-key.pem and ca.pem of this folder
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
}

fn switch(name: &str) -> Result<Switch, String> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = TABLE.iter().map(|behaviour| behaviour.name).collect();
        format!("no behaviour is called so; known: {}", names.join(", "))
    })
}

/// Every behaviour with its switch, as it is by default.
fn behaviours() -> String {
    let mut text = "Behaviours (--with, --without), and how they are by default:".to_owned();
    for behaviour in &TABLE {
        let state = if behaviour.on { "on" } else { "off" };
        text.push_str(&format!("\n  {:<28} {state:<4} {}", behaviour.name, behaviour.does));
    }
    text
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
    let options = options_of(args, tls.is_some());
    let scheme = if tls.is_some() { "https" } else { "http" };
    let time = Arc::new(ClockTime(Arc::clone(&context.clock)));
    let options = SandboxOptions { simulator: shared(sandbox_of(options, args)), tls, time };
    context.block_on(async {
        let taken = |error| {
            Failure::usage(format!("can't listen on {}: {error}", args.listen))
                .cure("choose another port with --listen, or stop what listens there")
        };
        let stop = super::stop::asked_to_stop();
        let listener = TcpListener::bind(args.listen).await.map_err(taken)?;
        let url = format!("{scheme}://{}", listener.local_addr().map_err(taken)?);
        let planner = format!("{url}/planner");
        context.screen.show(&Listening { vendor: args.vendor.clone(), url, planner })?;
        tokio::select! {
            served = serve(options, listener) => served
                .map(|()| Exit::Ok)
                .map_err(|error| Failure::internal(format!("the sandbox stopped: {error}"))),
            () = stop => Ok(Exit::Ok),
        }
    })
}

/// The sandbox's options, from the command line.
fn options_of(args: &Args, behind_tls: bool) -> Options {
    let mut options = Options {
        resources: args.resources,
        wiring: args.wiring,
        storage: args.storage,
        latency: args.latency,
        behind_tls,
        ..Options::default()
    };
    for (switches, on) in [(&args.on, true), (&args.off, false)] {
        for switch in switches {
            options.switches = options.switches.with(*switch, on);
        }
    }
    options
}

/// The sandbox with its schedule of faults; without rules it breaks nothing.
fn sandbox_of(options: Options, args: &Args) -> impl Simulator + 'static {
    let seed = options.seed;
    Faulty::new(SapIbp::new(options), args.faults.clone(), seed)
}

/// Our clock, as the sandbox wants it.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl Time for ClockTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.sleep(duration)
    }
}

impl View for Listening {
    fn write(&self, paper: &mut Paper) {
        paper.line(format!(
            "{} sandbox listens on {} (user planthread, password planthread; planner page {})",
            self.vendor, self.url, self.planner
        ));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn line(rules: &[&str]) -> Result<Args, String> {
        flags(&rules.iter().flat_map(|rule| ["--fault", rule]).collect::<Vec<_>>())
    }

    fn flags(flags: &[&str]) -> Result<Args, String> {
        let line = ["mock", "sap-ibp"].into_iter().chain(flags.iter().copied());
        Line::try_parse_from(line).map(|line| line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn every_level_can_be_the_storage_level() {
        for (word, kind) in [
            ("day", PeriodKind::Day),
            ("week", PeriodKind::Week),
            ("technical_week", PeriodKind::TechnicalWeek),
            ("month", PeriodKind::Month),
        ] {
            let args = flags(&["--storage", word]).unwrap();
            assert_eq!(options_of(&args, false).storage, kind);
        }
        assert_eq!(options_of(&flags(&[]).unwrap(), false).storage, PeriodKind::Week);
        let error = flags(&["--storage", "fortnight"]).unwrap_err();
        assert!(error.contains("fortnight") && error.contains("technical_week"), "{error}");
    }

    #[test]
    fn faults_are_read_in_their_order_and_break_requests() {
        let args = line(&["429=7:/planner@2", "drop-after:commit"]).unwrap();
        let rules = ["429=7:/planner@2", "drop-after:commit"].map(|rule| rule.parse().unwrap());
        assert_eq!(args.faults, rules);
        let mut sandbox = sandbox_of(Options::default(), &args);
        let at = "2026-11-22T22:00:00Z".parse().unwrap();
        let request = http::Request::get("/planner").body(Bytes::new()).unwrap();
        let codes = [(); 3].map(|()| sandbox.handle(at, &request).response.status().as_u16());
        assert_eq!(codes, [200, 429, 200]);
        assert!(line(&[]).unwrap().faults.is_empty());
    }

    #[test]
    fn a_rule_that_is_none_is_refused_with_an_example() {
        let error = line(&["explode"]).unwrap_err();
        assert!(error.contains("`explode`") && error.contains("drop-after:commit"), "{error}");
    }

    #[test]
    fn an_unknown_behaviour_is_answered_with_the_known_ones_and_help_lists_them() {
        let error = Line::try_parse_from(["mock", "sap-ibp", "--with", "zzz"]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("'zzz'") && error.contains("basic-auth, client-cert"), "{error}");
        let mut command = <Line as clap::CommandFactory>::command();
        let help = command.render_help().to_string();
        let switchable = TABLE.iter().filter(|one| help.contains(&format!("\n  {} ", one.name)));
        assert_eq!(switchable.count(), TABLE.len(), "{help}");
    }
}
