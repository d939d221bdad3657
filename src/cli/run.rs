//! `planthread run`

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        watch,
    },
    task::JoinHandle,
};

use super::{Context, standby, stop::asked_to_stop};
use crate::{
    config::Operations,
    failure::{Exit, Failure},
    operate::{
        Pulses, ROUNDS, Register, Tells, Watch,
        alerts::{Alerts, LAST_WORD},
    },
    pipeline::{Bridge, FinishBy, GRACE, News, OpenTarget, Rounds, Stop, gap::GapBoard},
    report::{
        cycled::{Taken, Walked},
        gap::Served,
        planned::seconds,
    },
    serve::{http::Endpoint, operations::OperationsDoor, page::PageDoor},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run one cycle and end
    #[arg(long)]
    once: bool,
    /// End by then, near periods first: a time in the zone of the plant, such as 05:30, or
    /// an instant. Ends with 3 and says what is missing where not all is proven by then
    #[arg(long, requires = "once", value_name = "TIME")]
    finish_by: Option<FinishBy>,
    /// Wait until the bridge that has the lease of `run.lease` is gone, then take over
    #[arg(long, conflicts_with = "once")]
    standby: bool,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = if args.standby {
        let Some(bridge) = context.block_on(standby::turn(context))? else { return Ok(Exit::Ok) };
        bridge
    } else {
        context.bridge()?
    };
    let targets = bridge.targets(args.target.as_deref())?;
    context.block_on(async {
        if args.once {
            let now = context.clock.now();
            let zone = TimeZone::get(&bridge.loaded.config.plant.zone).unwrap_or(TimeZone::UTC);
            let by = args.finish_by.map(|by| by.instant(&zone, now)).transpose()?;
            let cycle = bridge.cycle_by(&targets, bridge.as_of(), by).await?;
            return context.screen.show(&cycle);
        }
        forever(context, Arc::new(bridge), targets).await
    })
}

/// The loop of the alerts, as `/healthz` calls it.
const ALERTS: &str = "alerts";

/// How long the loops may take to end, above the grace that their targets have.
/// Whoever computes on the disk longer than that is left behind: what is durable
/// is on the disk.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs until it is asked to stop. What is under way has a moment to come to its
/// end; a push that takes longer stays open, and the next start finds out what
/// became of it. A second request does not wait at all.
///
/// What passes (a full disk, a file that is away) ends no bridge: it is said, and
/// the next round goes on. Only a first round that finds the configuration wrong
/// ends it.
async fn forever(
    context: &Context,
    bridge: Arc<Bridge>,
    targets: Vec<OpenTarget>,
) -> Result<Exit, Failure> {
    let interrupted = asked_to_stop();
    tokio::pin!(interrupted);
    let (ask, stop) = Stop::new();
    let watch = Arc::new(Watch::new(&bridge, &targets, stall(&bridge))?);
    let plans = bridge.loaded.config.run.page.is_some();
    let plans = plans.then(|| Arc::new(GapBoard::new(&targets)));
    let doors = [
        open_intake(context, &bridge, stop.clone()).await?,
        open_operations(context, &bridge, &watch, stop.clone()).await?,
        open_page(context, &bridge, &plans, stop.clone()).await?,
    ];
    let alerts = bridge.loaded.config.run.alerts.as_ref();
    let alerts = alerts.map(|config| Alerts::open(&watch, config)).transpose()?;
    let quiet = stop.clone();
    let every = Duration::from_secs(bridge.loaded.config.run.every_seconds.max(1));
    announce(context, every, &targets)?;
    let (news, told) = unbounded_channel();
    let rounds = Rounds::new(Arc::clone(&bridge), news, stop).noting(plans);
    let mut loops = Loops { pulses: Arc::clone(&watch.pulses), names: vec![], running: vec![] };
    for target in targets {
        let (name, target) = (format!("target {}", target.name), rounds.target(target));
        loops.begin(name, move || target.run());
    }
    loops.begin(ROUNDS.to_owned(), move || rounds.run(every));
    let tells = alerts.is_some();
    if let Some(alerts) = alerts {
        loops.begin(ALERTS.to_owned(), move || alerts.run(quiet));
    }
    let register = Arc::clone(&watch.register);
    let mut teller = Teller { context, told, register, last: None, exits: BTreeMap::new() };
    let mut lost = false;
    let died = tokio::select! {
        biased;
        told = teller.tell() => {
            told?;
            Some("every loop".to_owned())
        }
        () = &mut interrupted => {
            context.screen.note(&format!(
                "stopping; a push that needs more than {} s stays open, and the next start \
                 finds out what became of it",
                GRACE.as_secs()
            ));
            None
        }
        name = loops.one_ends() => Some(name),
        () = standby::until_lost(context, bridge.lease()) => {
            lost = true;
            None
        }
    };
    died.iter().for_each(|name| watch.register.died(name));
    let last_word = if died.is_some() && tells { LAST_WORD } else { Duration::ZERO };
    end(&bridge, &ask, loops.running, doors, last_word).await;
    let exit = teller.rest()?;
    if lost {
        return Err(standby::lost());
    }
    if let Some(name) = died {
        return Err(Failure::internal(format!("{name} ended, and nobody had asked it to")).cure(
            "start it again: what is durable is on the disk; report the lines before this one",
        ));
    }
    Ok(exit)
}

/// Says that it runs, and to whom.
fn announce(context: &Context, every: Duration, targets: &[OpenTarget]) -> Result<(), Failure> {
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    context.screen.say(&format!(
        "Running every {}, to {}. Stop with ctrl-c.",
        seconds(every.as_secs() * 1_000),
        if names.is_empty() { "no target".to_owned() } else { names.join(", ") }
    ))
}

/// The loops of a bridge that runs, each on a thread of its own.
struct Loops {
    pulses: Arc<Pulses>,
    names: Vec<String>,
    running: Vec<JoinHandle<()>>,
}

impl Loops {
    /// Begins the loop called `name`.
    fn begin<F: Future<Output = ()>>(
        &mut self,
        name: String,
        run: impl FnOnce() -> F + Send + 'static,
    ) {
        self.names.push(name.clone());
        let pulses = Arc::clone(&self.pulses);
        self.running.push(on_a_thread(move || async move { pulses.keep(&name, run()).await }));
    }

    /// The name of the first one that ends.
    async fn one_ends(&mut self) -> String {
        let (_, at, _) = futures_util::future::select_all(self.running.iter_mut()).await;
        // It is not waited for again.
        self.running.swap_remove(at);
        self.names.swap_remove(at)
    }
}

/// Asks everybody to end, and waits for them as long as is fit, and so long for the
/// last message to people.
async fn end(
    bridge: &Bridge,
    ask: &watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
    doors: [Option<Open>; 3],
    last_word: Duration,
) {
    ask.send_replace(true);
    let all = async {
        futures_util::future::join_all(loops).await;
        // Whoever is being answered is answered; how it ended is nobody's question.
        futures_util::future::join_all(doors.into_iter().flatten()).await;
    };
    tokio::select! {
        () = all => {}
        () = bridge.clock.sleep(GRACE + FAREWELL + last_word) => {}
    }
}

/// Runs a loop on a thread of its own: who computes for long holds nobody up.
fn on_a_thread<F>(run: impl FnOnce() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(run()))
}

/// Shows what the loops tell, and keeps how each of them stands.
struct Teller<'a> {
    context: &'a Context,
    told: UnboundedReceiver<News>,
    register: Arc<Register>,
    last: Option<Timestamp>,
    exits: BTreeMap<String, Exit>,
}

impl Teller<'_> {
    /// Shows what is told until nobody tells any more.
    async fn tell(&mut self) -> Result<(), Failure> {
        while let Some(news) = self.told.recv().await {
            self.show(news)?;
        }
        Ok(())
    }

    /// Shows what was told last, and says how the program ends: with the worst
    /// that stands.
    fn rest(mut self) -> Result<Exit, Failure> {
        while let Ok(news) = self.told.try_recv() {
            self.show(news)?;
        }
        Ok(self.exits.into_values().max().unwrap_or(Exit::Ok))
    }

    fn show(&mut self, news: News) -> Result<(), Failure> {
        let (screen, now) = (&self.context.screen, self.context.clock.now());
        self.register.note(&news, now);
        let at = screen.stamp(now);
        let (who, exit) = match news {
            News::Round { round, .. } => {
                self.last = Some(round.truth.as_of);
                let taken = Taken { at, as_of: round.truth.as_of, intake: &round.intake };
                (String::new(), screen.tell("", &taken)?)
            }
            News::Failed { failure, first } if first && failure.exit == Exit::Usage => {
                return Err(failure);
            }
            News::Failed { failure, .. } => {
                screen.fail(&failure, at);
                (String::new(), failure.exit)
            }
            News::Walked { as_of, done, .. } => {
                let late = self.last.is_some_and(|last| last > as_of);
                let exit = screen.tell(&done.target, &Walked { at, as_of, done: &done, late })?;
                (done.target, exit)
            }
            News::Paused { target, why } => {
                let text = format!(
                    "paused ({why}); a push that was under way stays open, and it is asked what \
                     became of it"
                );
                screen.warn(&target, None, &text);
                (target, Exit::Held)
            }
            News::Cut(target) => {
                let ended = "ended on the way; the next start goes on";
                screen.warn(&target, at, ended);
                (target, Exit::Transient)
            }
        };
        // No target is called by an empty name: that is the factory's side.
        self.exits.insert(who, exit);
        Ok(())
    }
}

/// A door that answers until the stop.
type Open = JoinHandle<Result<(), Failure>>;

/// Opens the HTTP door, where one is configured.
async fn open_intake(
    context: &Context,
    bridge: &Bridge,
    mut stop: Stop,
) -> Result<Option<Open>, Failure> {
    let Some(config) = &bridge.loaded.config.intake.http else { return Ok(None) };
    let endpoint = Endpoint::bind(config).await?;
    context.screen.say(&format!("Taking CloudEvents on http://{}/events", endpoint.address))?;
    let door = Arc::new(bridge.door());
    let stop = async move { stop.asked().await };
    let clock = Arc::clone(&bridge.clock);
    Ok(Some(tokio::spawn(endpoint.serve(door, clock, stop))))
}

/// Opens the door for whoever operates the bridge, where one is configured.
async fn open_operations(
    context: &Context,
    bridge: &Bridge,
    watch: &Arc<Watch>,
    mut stop: Stop,
) -> Result<Option<Open>, Failure> {
    let Some(config) = &bridge.loaded.config.run.operations else { return Ok(None) };
    let door = OperationsDoor::bind(config).await?;
    let address = door.address();
    context
        .screen
        .say(&format!("Telling operators on http://{address}/healthz, /readyz, /metrics"))?;
    let stop = async move { stop.asked().await };
    let (tells, clock): (Arc<dyn Tells>, _) = (watch.clone(), Arc::clone(&bridge.clock));
    Ok(Some(tokio::spawn(door.serve(tells, clock, stop))))
}

/// Opens the page for planners, where one is configured: it shows what `plans` holds.
async fn open_page(
    context: &Context,
    bridge: &Bridge,
    plans: &Option<Arc<GapBoard>>,
    mut stop: Stop,
) -> Result<Option<Open>, Failure> {
    let Some((config, plans)) = bridge.loaded.config.run.page.as_ref().zip(plans.as_ref()) else {
        return Ok(None);
    };
    let door = PageDoor::bind(config).await?;
    context.screen.say(&format!("Showing planners what is short on http://{}/", door.address()))?;
    let every = Duration::from_secs(bridge.loaded.config.run.every_seconds.max(1));
    let clock = Arc::clone(&bridge.clock);
    let shown = Arc::new(Served::new(Arc::clone(plans), Arc::clone(&clock), every));
    let stop = async move { stop.asked().await };
    Ok(Some(tokio::spawn(door.serve(shown, clock, stop))))
}

/// How long a loop may be silent: messages tell of it without a door, too.
fn stall(bridge: &Bridge) -> Duration {
    let config = bridge.loaded.config.run.operations.as_ref();
    config.map_or(Operations::STALL, Operations::stall)
}
