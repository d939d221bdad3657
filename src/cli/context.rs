//! What every verb shares: the common options, the screen, the clock.

use std::{
    future::Future,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use planthread_engine::{Reader, audit_trail::Head, lease::Keeper};
use planthread_kit::{Clock, Discovery, SystemClock};
use tracing_subscriber::{
    Layer, Registry,
    field::MakeExt as _,
    filter::{LevelFilter, Targets},
    fmt::{self, format::debug_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    answer::said,
    log::{self, Format},
    screen::{self, Screen},
    standby,
    ticker::{Manner, Ticker},
};
use crate::{
    config::{self, ConfigError, Loaded},
    failure::{Exit, Failure},
    pipeline::{Actor, Board, Bridge, OpenTarget, Opener, looked},
    report::text_table::visible,
};

/// Options that every verb takes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Common {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = "planthread.yaml")]
    pub(super) config: PathBuf,
    /// The environment whose overrides are laid over the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// The state directory, instead of the configured one
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Print the same answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Who answers for what is changed; without it, the `identity` of the configuration
    #[arg(long, global = true, value_name = "NAME", value_parser = said)]
    pub(super) who: Option<String>,
    /// How lines on standard error look. As JSON, `run` tells its rounds and cycles there,
    /// too
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) log_format: Format,
    /// Print what happens inside, on standard error; -vv also details, -vvv also those
    /// of libraries
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// What a verb does where there is no state: a folder that was mistyped must not become
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutState {
    /// It begins one, or needs none.
    Goes,
    /// It prepares the configured one; a folder that `--state` names must hold one.
    RefusesOption,
    /// It acts on what is there.
    Refuses,
}

/// The world of one verb.
#[derive(Debug, Clone)]
pub struct Context {
    common: Common,
    /// Where answers are shown.
    pub screen: Screen,
    /// The real clock.
    pub clock: Arc<dyn Clock>,
    /// What is under way.
    pub board: Arc<Board>,
    /// What the verb changes, as it stands in the audit trail.
    change: Option<Arc<Change>>,
    /// What the verb does where there is no state.
    without_state: WithoutState,
    _ticker: Arc<Ticker>,
}

/// A verb that changes something: what the audit trail says of it.
#[derive(Debug)]
pub(super) struct Change {
    /// The verb.
    pub(super) act: String,
    /// The whole command line.
    pub(super) line: String,
    /// Where it stands in which state's trail, and by whom, once it is there.
    pub(super) begun: OnceLock<Begun>,
}

/// A change that stands in the audit trail.
#[derive(Debug)]
pub(super) struct Begun {
    state: PathBuf,
    actor: Actor,
    number: u64,
}

impl Context {
    /// The world of this process.
    pub(super) fn new(common: Common, change: Option<Change>, without_state: WithoutState) -> Self {
        let screen = Screen::of_process(common.json);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let lines_are_json = common.log_format == Format::Json;
        if lines_are_json {
            log::begin(&clock);
        }
        match (common.verbose, lines_are_json) {
            (0, _) => {}
            (verbose, true) => trace(log::Traces(Arc::clone(&clock)), verbose),
            (verbose, false) => trace(for_people(screen.colour), verbose),
        }
        let board = Board::new(Arc::clone(&clock));
        let manner = match (common.json, std::io::stderr().is_terminal()) {
            _ if lines_are_json => Manner::Log,
            (_, true) if common.verbose == 0 => Manner::Terminal,
            (false, _) => Manner::Log,
            (true, _) => Manner::Silent,
        };
        let ticker = Ticker::start(Arc::clone(&board), Arc::clone(&clock), manner);
        let change = change.map(Arc::new);
        Self { common, screen, clock, board, change, without_state, _ticker: Arc::new(ticker) }
    }

    /// Reads the configuration that the options name.
    ///
    /// # Errors
    /// When it is missing or wrong; the message names file, line and field.
    pub fn config(&self) -> Result<Loaded, Failure> {
        let mut loaded = config::load(&self.common.config, self.common.profile.as_deref())?;
        if let Some(state) = &self.common.state {
            loaded.config.state = std::path::absolute(state)
                .map_err(|error| Failure::io("use the state directory", state, &error))?;
        }
        self.has_state(&loaded.config.state)?;
        self.begin(&loaded)?;
        Ok(loaded)
    }

    /// Refuses a folder without a state where the verb needs one.
    fn has_state(&self, state: &Path) -> Result<(), Failure> {
        let named = self.common.state.is_some();
        let needs = match self.without_state {
            WithoutState::Goes => false,
            WithoutState::RefusesOption => named,
            WithoutState::Refuses => true,
        };
        if !needs || planthread_engine::is_there(state) {
            return Ok(());
        }
        let of = if named { "--state" } else { "`state` in the configuration" };
        Err(Failure::usage(format!("{} holds no state ({of})", state.display())).cure(
            "see that the folder is the one that is meant; `planthread ingest` or `planthread run` \
             begins a state there",
        ))
    }

    /// Says that a state begins where there was none.
    fn say_beginning(&self, state: &Path) {
        if !planthread_engine::is_there(state) {
            self.screen.note(&format!("a new state begins in {}", state.display()));
        }
    }

    /// Whoever answers for what this verb changes.
    fn actor(&self, loaded: &Loaded) -> Actor {
        Actor::new(self.common.who.as_deref(), &loaded.config)
    }

    /// Appends what the verb is about to change to the audit trail, once.
    fn begin(&self, loaded: &Loaded) -> Result<(), Failure> {
        let Some(change) = self.change.as_ref().filter(|change| change.begun.get().is_none())
        else {
            return Ok(());
        };
        let (state, actor) = (loaded.config.state.clone(), self.actor(loaded));
        self.say_beginning(&state);
        let about = [("line", change.line.clone())];
        let Head { number, .. } = actor.does(&state, self.clock.now(), &change.act, about)?;
        // One thread reads the configuration of a verb.
        let _ = change.begun.set(Begun { state, actor, number });
        Ok(())
    }

    /// Appends how the change ended.
    pub(super) fn end(&self, exit: Exit) {
        let Some(begun) = self.change.as_ref().and_then(|change| change.begun.get()) else {
            return;
        };
        let about = [("entry", begun.number.to_string()), ("exit", exit.code().to_string())];
        if let Err(failure) = begun.actor.does(&begun.state, self.clock.now(), "end", about) {
            self.screen.fail(&failure, None);
        }
    }

    /// Reads the configuration with every profile and keeps every fault, for
    /// `validate`.
    pub(super) fn read_config(&self) -> Result<Loaded, Vec<ConfigError>> {
        config::read_all(&self.common.config, self.common.profile.as_deref())
    }

    /// The configuration file and the profile of the options.
    pub(super) fn config_options(&self) -> (PathBuf, Option<String>) {
        (self.common.config.clone(), self.common.profile.clone())
    }

    /// Opens the target called `name`; without a name the only one.
    ///
    /// # Errors
    /// When there is no such target, or it can't be put together.
    pub fn open(&self, loaded: &Loaded, name: Option<&str>) -> Result<OpenTarget, Failure> {
        let opener = Opener::new(Arc::clone(&self.clock));
        // What a tenant asked an earlier process for holds without a bridge, too.
        if let Ok(reader) = Reader::open(&loaded.config.state) {
            opener.remember(&reader)?;
        }
        opener.open(loaded, name)
    }

    /// Opens a target that will not be talked to: secrets are not asked for.
    ///
    /// # Errors
    /// When there is no such target, or it can't be put together.
    pub fn open_offline(&self, loaded: &Loaded, name: Option<&str>) -> Result<OpenTarget, Failure> {
        Opener::new(Arc::clone(&self.clock)).offline().open(loaded, name)
    }

    /// The names of the targets that a verb is about: `name`, or all.
    ///
    /// # Errors
    /// When there is no such target.
    pub fn names(&self, loaded: &Loaded, name: Option<&str>) -> Result<Vec<String>, Failure> {
        let all: Vec<String> = loaded.config.targets.keys().cloned().collect();
        match name {
            None => Ok(all),
            Some(name) if all.iter().any(|one| one == name) => Ok(vec![name.to_owned()]),
            Some(name) => Err(Failure::usage(format!("no target is called `{name}`"))
                .cure(format!("the configuration has: {}", all.join(", ")))),
        }
    }

    /// Asks a target what it offers.
    ///
    /// # Errors
    /// When it can't be reached, or does not let us in.
    pub fn discover(&self, target: &OpenTarget) -> Result<Discovery, Failure> {
        let _doing = self.board.doing(&target.name, "asking what it offers");
        self.block_on(async {
            let found = target.connector.discover().await;
            let about = |error| Failure::from(error).about(&target.name);
            let mut found = found.map_err(about)?;
            looked(target, &mut found, self.clock.now())?;
            Ok(found)
        })
    }

    /// The bridge of the configuration, as the one writer of its state.
    ///
    /// # Errors
    /// When the configuration is wrong, or somebody else writes the state or has the lease.
    pub fn bridge(&self) -> Result<Bridge, Failure> {
        let loaded = self.config()?;
        let lease = standby::held(self, &loaded)?;
        self.bridge_of(&loaded, lease.as_ref())
    }

    /// The same, with a lease that is held.
    pub(super) fn bridge_of(
        &self,
        loaded: &Loaded,
        lease: Option<&Arc<Keeper>>,
    ) -> Result<Bridge, Failure> {
        let (opener, actor) = (Opener::new(Arc::clone(&self.clock)), self.actor(loaded));
        self.say_beginning(&loaded.config.state);
        let bridge = Bridge::open(loaded.clone(), Arc::clone(&self.clock), opener)?;
        let bridge = bridge.watched(Arc::clone(&self.board)).answered_by(actor);
        Ok(match lease {
            Some(lease) => bridge.leased(lease),
            None => bridge,
        })
    }

    /// The configuration, and its state for reading: works beside a writer.
    ///
    /// # Errors
    /// When the configuration is wrong, or there is no state yet.
    pub fn reader(&self) -> Result<(Loaded, Reader), Failure> {
        let loaded = self.config()?;
        let reader = Reader::open(&loaded.config.state)?;
        Ok((loaded, reader))
    }

    /// The state directory of the options, if they name one.
    #[must_use]
    pub fn state_option(&self) -> Option<PathBuf> {
        self.common.state.clone()
    }

    /// Runs `future` on a new runtime.
    ///
    /// # Errors
    /// What `future` fails with, or that no runtime could start.
    pub fn block_on<T>(
        &self,
        future: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(format!("can't start the runtime: {error}")))?;
        let done = runtime.block_on(future);
        // A name server that does not answer, or a loop that computes, holds
        // nobody up: what is durable is on the disk.
        runtime.shutdown_background();
        done
    }
}

/// Sends traces to standard error by `layer`, so that they never mix with an answer.
fn trace(layer: impl Layer<Registry> + Send + Sync, verbose: u8) {
    let chosen = std::env::var("PLANTHREAD_LOG").ok().and_then(|text| text.parse().ok());
    let filter = chosen.unwrap_or_else(|| match verbose {
        0 | 1 => Targets::new().with_default(LevelFilter::INFO),
        2 => Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("planthread", LevelFilter::DEBUG),
        _ => Targets::new().with_default(LevelFilter::TRACE),
    });
    // A second subscriber in the same process (a test) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// Traces as text.
fn for_people(colour: bool) -> impl Layer<Registry> + Send + Sync {
    // Errors of a target are fields: a terminal must not obey them.
    let fields = debug_fn(|writer, field, value| {
        let text = format!("{value:?}");
        match field.name() {
            "message" => write!(writer, "{}", visible(&text)),
            name => write!(writer, "{name}={}", visible(&text)),
        }
    });
    fmt::layer().with_ansi(colour).fmt_fields(fields.delimited(" ")).with_writer(screen::errors)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_that_was_mistyped_does_not_become_a_state() {
        let folder = std::env::temp_dir().join(format!("planthread-typo-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("planthread.yaml");
        fs::write(&config, crate::starter::config(&[&crate::registry::TARGETS[0]])).unwrap();
        let config_of = |without_state, state: Option<&str>| {
            let state = state.map(|state| folder.join(state));
            let common = Common {
                config: config.clone(),
                profile: None,
                state,
                json: true,
                who: Some("Ada".to_owned()),
                log_format: Format::default(),
                verbose: 0,
            };
            let change =
                Change { act: "a".to_owned(), line: "a".to_owned(), begun: OnceLock::new() };
            let context = Context::new(common, Some(change), without_state);
            context.config().map(drop).map_err(|failure| failure.to_string())
        };
        let all = [WithoutState::Refuses, WithoutState::RefusesOption, WithoutState::Goes];
        for without_state in &all[..2] {
            let said = config_of(*without_state, Some("stat")).unwrap_err();
            assert!(
                said.contains("stat holds no state (--state)") && said.contains("cure: see"),
                "{said}"
            );
        }
        let said = config_of(WithoutState::Refuses, None).unwrap_err();
        assert!(said.contains("`state` in the configuration"), "{said}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing was begun");
        // What prepares the configured one begins it; what begins one may do so anywhere.
        config_of(WithoutState::RefusesOption, None).unwrap();
        config_of(WithoutState::Goes, Some("other")).unwrap();
        for (without_state, state) in
            all.into_iter().flat_map(|one| [(one, None), (one, Some("other"))])
        {
            config_of(without_state, state).unwrap();
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
