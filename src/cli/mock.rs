//! `planthread mock VENDOR`, and `planthread mock --for TARGET`

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};
use planthread_mocks::{Rule, SandboxFactory, Setup, latency::Profile, sdk::options::pair};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    registry,
    report::{TextTable, View},
    sandbox::{self, Sandbox},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
#[command(after_help = sandboxes())]
pub(super) struct Args {
    /// Whose sandbox, then its options; with --for only options
    #[arg(value_name = "VENDOR | KEY=VALUE")]
    words: Vec<String>,
    /// Stand in for this configured target: its area, measures, attributes,
    /// resources and locations
    #[arg(long = "for", value_name = "TARGET")]
    target: Option<String>,
    /// With --for: more resources, from a CSV file with the columns resource,
    /// location, description
    #[arg(long, value_name = "FILE", requires = "target")]
    resources_from: Option<PathBuf>,
    /// Address and port; port 0 takes any free one. By default where a starting
    /// configuration looks for it
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// An option as KEY=VALUE, as it may stand without --set, too
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// none, or as-documented: takes as long as public measurements say
    #[arg(long, value_name = "PROFILE", default_value = "none")]
    latency: Profile,
    /// Turn a behaviour on; they are listed below
    #[arg(long = "with", value_name = "BEHAVIOUR")]
    on: Vec<String>,
    /// Turn a behaviour off
    #[arg(long = "without", value_name = "BEHAVIOUR")]
    off: Vec<String>,
    /// Break requests: FAULT[:MATCH][@WHEN], such as drop-after:commit,
    /// 429=7:Trans@2, truncate=40:GET@all, login-page:commit, 503@20%
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<Rule>,
    /// Serve TLS with server.pem, server-key.pem and ca.pem of this folder
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// The options of all sandboxes, each as a flag of its own name.
#[derive(Debug, Clone, Default)]
struct Flags(Vec<(String, String)>);

/// Names of the options of all sandboxes.
fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = registry::sandboxes()
        .flat_map(|factory| factory.options)
        .map(|option| option.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let given =
            |name: &&str| Some(((*name).to_owned(), matches.get_one::<String>(name)?.clone()));
        self.0 = names().iter().filter_map(given).collect();
        Ok(())
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        // The list below the flags describes them.
        let flag = |name: &'static str| Arg::new(name).long(name).num_args(1).hide(true);
        names().into_iter().fold(command, |command, name| command.arg(flag(name)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Every sandbox with its options and behaviours.
fn sandboxes() -> String {
    let all: Vec<String> = registry::sandboxes().map(SandboxFactory::help).collect();
    format!("Sandboxes:\n\n{}", all.join("\n\n"))
}

/// The one line that says where it listens.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listening {
    /// Whose sandbox it is.
    vendor: String,
    /// The configured target that it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Where it listens.
    url: String,
    /// The planner's page.
    planner: String,
    /// With what it lets somebody in.
    login: &'static str,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (factory, setup) = set_up(context, args)?;
    let own = || factory.listen.parse().map_err(|_| Failure::internal("no address to listen on"));
    let listen = args.listen.map_or_else(own, Ok)?;
    if !listen.ip().is_loopback() {
        context.screen.note("everybody who reaches this address can use the sandbox");
    }
    let tls = args.tls.as_deref().map(sandbox::tls).transpose()?;
    let (faults, clock) = (args.faults.clone(), Arc::clone(&context.clock));
    context.block_on(async {
        let stop = super::stop::asked_to_stop();
        let sandbox = Sandbox::start(factory, &setup, faults, listen, clock, tls).await?;
        let url = sandbox.url();
        context.screen.show(&Listening {
            vendor: factory.name.to_owned(),
            target: args.target.clone(),
            planner: format!("{url}/planner"),
            url,
            login: factory.login,
        })?;
        tokio::select! {
            served = sandbox.serve() => served.map(|()| Exit::Ok),
            () = stop => Ok(Exit::Ok),
        }
    })
}

/// Which sandbox starts, and with what.
fn set_up(context: &Context, args: &Args) -> Result<(&'static SandboxFactory, Setup), Failure> {
    let mut setup = Setup {
        on: args.on.clone(),
        off: args.off.clone(),
        latency: args.latency,
        behind_tls: args.tls.is_some(),
        ..Setup::default()
    };
    let (factory, words) = match &args.target {
        Some(name) => {
            let loaded = context.config()?;
            let target = loaded.config.targets.get(name).ok_or_else(|| {
                let known: Vec<&str> = loaded.config.targets.keys().map(String::as_str).collect();
                Failure::usage(format!("no target is called `{name}`"))
                    .cure(format!("configured: {}", known.join(", ")))
            })?;
            let mut shape = sandbox::shape_of(name, target);
            if let Some(file) = &args.resources_from {
                shape.add(sandbox::resources_from(file)?);
            }
            setup.shape = Some(shape);
            (sandbox::find(&target.connector)?, &args.words[..])
        }
        None => match args.words.split_first() {
            Some((vendor, words)) => (sandbox::find(vendor)?, words),
            None => {
                let known: Vec<&str> = registry::sandboxes().map(|factory| factory.name).collect();
                return Err(Failure::usage("whose sandbox? name a vendor, or a target with --for")
                    .cure(format!("known: {}", known.join(", "))));
            }
        },
    };
    for text in words.iter().chain(&args.set) {
        let option = pair(text).map_err(|error| Failure::usage(error.to_string()))?;
        setup.options.push(option);
    }
    setup.options.extend(args.flags.0.iter().cloned());
    Ok((factory, setup))
}

impl View for Listening {
    const OUTPUT: &'static str = "mock";

    fn write(&self, text_table: &mut TextTable) {
        let stands =
            self.target.as_ref().map(|target| format!(", in the shape of target {target}"));
        text_table.line(format!(
            "{} sandbox listens on {}{} ({}; planner page {})",
            self.vendor,
            self.url,
            stands.unwrap_or_default(),
            self.login,
            self.planner
        ));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use clap::{CommandFactory as _, Parser as _};
    use planthread_mocks::Simulator as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        common: super::super::context::Common,
        #[command(flatten)]
        args: Args,
    }

    fn line(words: &[&str]) -> Result<(Context, Args), String> {
        let line = ["mock"].into_iter().chain(words.iter().copied());
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        Ok((Context::new(line.common, None, super::super::context::WithoutState::Goes), line.args))
    }

    /// The options that reach the sandbox, in one text.
    fn options(words: &[&str]) -> Result<String, String> {
        let (context, args) = line(words)?;
        let (factory, setup) = set_up(&context, &args).map_err(|failure| failure.message)?;
        // It starts with them, or says why not.
        factory.start(&setup, Vec::new()).map_err(|error| error.to_string())?;
        let pairs: Vec<_> = setup.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Ok(pairs.join(" "))
    }

    #[test]
    fn an_option_may_stand_in_three_ways() {
        for words in [
            &["sap-ibp", "storage=day"][..],
            &["sap-ibp", "--set", "storage=day"],
            &["sap-ibp", "--storage", "day"],
        ] {
            assert_eq!(options(words).unwrap(), "storage=day", "{words:?}");
        }
        let error = options(&["sap-ibp", "storage=fortnight"]).unwrap_err();
        assert!(error.contains("fortnight") && error.contains("technical_week"), "{error}");
        let error = options(&["sap-ibp", "colour=red"]).unwrap_err();
        assert!(error.contains("`colour`") && error.contains("resources"), "{error}");
        let error = options(&["nobody"]).unwrap_err();
        assert!(error.contains("`nobody`"), "{error}");
    }

    #[test]
    fn no_option_has_the_name_of_a_flag_of_ours() {
        Line::command().debug_assert();
    }

    #[test]
    fn faults_are_read_in_their_order_and_break_requests() {
        let rules = ["429=7:/planner@2", "drop-after:commit"];
        let (_, args) = line(&["sap-ibp", "--fault", rules[0], "--fault", rules[1]]).unwrap();
        assert_eq!(args.faults, rules.map(|rule| rule.parse().unwrap()));
        let factory = sandbox::find("sap-ibp").unwrap();
        let mut sandbox = factory.start(&Setup::default(), args.faults).unwrap();
        let at = "2026-11-22T22:00:00Z".parse().unwrap();
        let request = http::Request::get("/planner").body(Bytes::new()).unwrap();
        let codes = [(); 3].map(|()| sandbox.handle(at, &request).response.status().as_u16());
        assert_eq!(codes, [200, 429, 200]);
        let error = line(&["sap-ibp", "--fault", "explode"]).unwrap_err();
        assert!(error.contains("`explode`") && error.contains("drop-after:commit"), "{error}");
    }

    #[test]
    fn an_unknown_behaviour_is_answered_with_the_known_ones_and_help_lists_them() {
        let error = options(&["sap-ibp", "--with", "zzz"]).unwrap_err();
        assert!(error.contains("`zzz`") && error.contains("basic-auth, client-cert"), "{error}");
        let help = Line::command().render_help().to_string();
        for factory in registry::sandboxes() {
            for one in (factory.behaviours)() {
                assert!(help.contains(&format!("\n    {} ", one.name)), "{}", one.name);
            }
            for option in factory.options {
                assert!(help.contains(&format!("\n    {} ", option.name)), "{}", option.name);
            }
        }
    }
}
