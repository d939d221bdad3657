//! Rounds: the factory's side is read and derived once, for all targets; each
//! target walks in a loop of its own.
//!
//! A job that runs for hours, or a target that hangs, delays no other target and
//! not the intake. Whoever comes back from a long walk takes the newest truth:
//! rounds do not queue up. Asked to stop, a walk has [`GRACE`] to come to its
//! end; then it is dropped where it waits. What is durable stays: an attempt
//! stays open, and the next start finds out what became of it.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use jiff::Timestamp;
use planthread_engine::verify::Which;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{mpsc::UnboundedSender, watch};

use super::{Bridge, Course, Memory, OpenTarget, TargetCycle, Truth, gap::GapBoard};
use crate::{failure::Failure, serve::files::FileReport};

/// How long a walk may go on after the bridge was asked to stop.
pub const GRACE: Duration = Duration::from_secs(3);

/// What the factory said in one round.
#[derive(Debug)]
pub struct Round {
    /// What came in.
    pub intake: Vec<FileReport>,
    /// What it means.
    pub truth: Arc<Truth>,
}

/// What one round did, at all targets.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cycle {
    /// The instant that it spoke for.
    pub as_of: Timestamp,
    /// What came in.
    pub intake: Vec<FileReport>,
    /// Target by target.
    pub targets: Vec<TargetCycle>,
}

/// What the loops tell whoever shows it.
#[derive(Debug)]
pub enum News {
    /// A round has begun.
    Round {
        /// What it says.
        round: Arc<Round>,
        /// How long it took to take in and derive.
        took: Duration,
    },
    /// The factory's side could not be read; the next round tries again.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether no round went well before: then the configuration is wrong.
        first: bool,
    },
    /// A target has walked.
    Walked {
        /// The instant that it spoke for.
        as_of: Timestamp,
        /// What it did.
        done: Box<TargetCycle>,
        /// How long it took.
        took: Duration,
    },
    /// A target was in the middle of a walk when somebody paused it.
    Paused {
        /// The target.
        target: String,
        /// Who, and why.
        why: String,
    },
    /// A target was in the middle of a walk when the bridge had to end.
    Cut(String),
}

/// Tells the loops to end.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop, and what asks for it by sending `true`, or by being dropped.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (ask, asked) = watch::channel(false);
        (ask, Self(asked))
    }

    /// Completes when somebody has asked.
    pub async fn asked(&mut self) {
        // An error means that nobody can ask any more: that is an end, too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// The newest round; nothing before the first.
type Newest = Option<Arc<Round>>;

/// The factory's side of the loops.
#[derive(Debug)]
pub struct Rounds {
    bridge: Arc<Bridge>,
    newest: watch::Sender<Newest>,
    news: UnboundedSender<News>,
    stop: Stop,
    plans: Option<Arc<GapBoard>>,
    sent: watch::Sender<()>,
}

/// The loop of one target.
#[derive(Debug)]
pub struct TargetLoop {
    bridge: Arc<Bridge>,
    target: OpenTarget,
    newest: watch::Receiver<Newest>,
    news: UnboundedSender<News>,
    stop: Stop,
    plans: Option<Arc<GapBoard>>,
    /// The round after which the plan was read.
    looked: Newest,
    /// Told by each loop that has sent something.
    sent: watch::Sender<()>,
}

impl Rounds {
    /// Rounds of `bridge`, told to `news`, until `stop`.
    #[must_use]
    pub fn new(bridge: Arc<Bridge>, news: UnboundedSender<News>, stop: Stop) -> Self {
        let (newest, _) = watch::channel(None);
        let (sent, _) = watch::channel(());
        Self { bridge, newest, news, stop, plans: None, sent }
    }

    /// The same; after each walk the loops read what the plans say, and note it there.
    #[must_use]
    pub fn noting(self, plans: Option<Arc<GapBoard>>) -> Self {
        Self { plans, ..self }
    }

    /// The loop of `target`. It begins with the next round.
    #[must_use]
    pub fn target(&self, target: OpenTarget) -> TargetLoop {
        TargetLoop {
            bridge: Arc::clone(&self.bridge),
            target,
            newest: self.newest.subscribe(),
            news: self.news.clone(),
            stop: self.stop.clone(),
            plans: self.plans.clone(),
            looked: None,
            sent: self.sent.clone(),
        }
    }

    /// A round every `every`, until the stop. What fails (a full disk, a file
    /// that is away) is told, and tried again in the next round.
    pub async fn run(mut self, every: Duration) {
        let (mut first, mut memory) = (true, Memory::default());
        loop {
            let began = self.bridge.clock.now();
            match self.bridge.round(self.bridge.as_of(), &mut memory) {
                Ok(round) => {
                    let (round, took) = (Arc::new(round), since(&self.bridge, began));
                    first = false;
                    tell(&self.news, News::Round { round: Arc::clone(&round), took });
                    self.newest.send_replace(Some(round));
                }
                Err(failure) => tell(&self.news, News::Failed { failure, first }),
            }
            let (pause, asked) = (self.bridge.clock.sleep(every), pin!(self.stop.asked()));
            if let Either::Right(_) = select(pause, asked).await {
                return;
            }
        }
    }
}

/// How a walk ended.
enum End {
    Done(Box<TargetCycle>),
    Paused(String),
    Stopped,
}

impl TargetLoop {
    /// Walks with the newest round whenever there is a new one, or the target is
    /// paused or let go, until the stop; and once more when it waits for what another
    /// loop lands, and that one has sent something.
    pub async fn run(mut self) {
        let mut paused = self.bridge.is_paused(&self.target);
        let mut others = self.sent.subscribe();
        let mut waits = false;
        loop {
            if !self.due(paused, waits.then_some(&mut others)).await {
                return;
            }
            // What another one sends from here on may be what this walk waits for.
            others.mark_unchanged();
            // A walk may be asked to end because of what comes after this.
            paused = self.bridge.is_paused(&self.target);
            let Some(round) = self.newest.borrow_and_update().clone() else { continue };
            let (as_of, began) = (round.truth.as_of, self.bridge.clock.now());
            match self.walk(&round.truth).await {
                End::Done(done) => {
                    let took = since(&self.bridge, began);
                    let unread = done.leaves_unread();
                    waits = done.waits();
                    if done.wakes() {
                        self.sent.send_replace(());
                    }
                    tell(&self.news, News::Walked { as_of, done, took });
                    self.look(&round, unread).await;
                }
                End::Paused(why) => {
                    let target = self.target.name.clone();
                    self.look(&round, Some(format!("paused ({why})"))).await;
                    tell(&self.news, News::Paused { target, why });
                }
                End::Stopped => {
                    tell(&self.news, News::Cut(self.target.name));
                    return;
                }
            }
        }
    }

    /// Reads what the plan of the target says, where somebody shows it: once a round,
    /// and not where `unread` says why the target is not to be asked. A stop, a pause or
    /// a newer round ends it on the way: nothing is lost by that.
    async fn look(&mut self, round: &Arc<Round>, unread: Option<String>) {
        let Some(plans) = self.plans.clone() else { return };
        let name = &self.target.name;
        if let Some(why) = unread {
            return plans.miss(name, why);
        }
        if self.looked.as_ref().is_some_and(|looked| Arc::ptr_eq(looked, round)) {
            return;
        }
        self.looked = Some(Arc::clone(round));
        let (mut stop, mut newest) = (self.stop.clone(), self.newest.clone());
        let (asked, newer) = (pin!(stop.asked()), pin!(newest.changed()));
        let paused = pin!(self.bridge.pause_of(&self.target));
        let ends = select(asked, select(newer, paused));
        match select(pin!(self.bridge.look(&self.target)), ends).await {
            Either::Left((found, _)) => plans.put(name, self.bridge.clock.now(), found),
            Either::Right(_) => {
                plans.miss(name, "a newer round, a pause or a stop came first".to_owned());
            }
        }
    }

    /// Waits until there is something to walk for; `false` when it is the end. What
    /// `others` have sent counts where there are any.
    async fn due(&mut self, paused: bool, others: Option<&mut watch::Receiver<()>>) -> bool {
        let sent = async {
            match others {
                // Its sender is ours, too.
                Some(others) => drop(others.changed().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stop.asked() => false,
            new = self.newest.changed() => new.is_ok(),
            () = self.bridge.pause_moves(&self.target, paused) => true,
            () = sent => true,
        }
    }

    /// One walk. Whoever is asked to stop, or paused, has [`GRACE`] on the way.
    async fn walk(&mut self, truth: &Truth) -> End {
        let (bridge, mut stop) = (&self.bridge, self.stop.clone());
        let walk = pin!(bridge.walk(&self.target, Course::of_round(truth)));
        let end = pin!(async {
            let (asked, paused) = (pin!(stop.asked()), pin!(bridge.pause_of(&self.target)));
            let end = match select(asked, paused).await {
                Either::Left(_) => End::Stopped,
                Either::Right((why, _)) => End::Paused(why),
            };
            bridge.clock.sleep(GRACE).await;
            end
        });
        match select(walk, end).await {
            Either::Left((done, _)) => End::Done(Box::new(done)),
            Either::Right((end, _)) => end,
        }
    }
}

/// How long ago `began` was; nothing where the clock went back.
fn since(bridge: &Bridge, began: Timestamp) -> Duration {
    Duration::try_from(bridge.clock.now().duration_since(began)).unwrap_or_default()
}

fn tell(news: &UnboundedSender<News>, what: News) {
    // Nobody listens any more: the bridge is ending.
    let _ = news.send(what);
}

impl<'a> Course<'a> {
    /// What a round asks of a target: land what is wanted, and read on what was
    /// seen too long ago. What moves between plan and apply moves by people's
    /// verbs, and stays for the next round.
    const fn of_round(truth: &'a Truth) -> Self {
        Self::Land { truth, only_unmoved: true, read_back: Which::Expired }
    }
}

impl Bridge {
    /// Takes in what is new, and derives it.
    ///
    /// # Errors
    /// When the journal can't be read or derived. What fails at a source stands
    /// in its report.
    pub fn round(&self, as_of: Timestamp, memory: &mut Memory) -> Result<Round, Failure> {
        let intake = self.intake()?;
        let doing = self.board.doing("", "deriving");
        let truth = memory.truth(&self.loaded, &self.state, as_of, &doing)?;
        Ok(Round { intake, truth })
    }

    /// One round for `as_of`, at all of `targets`.
    ///
    /// # Errors
    /// As [`Bridge::round`]. What fails at a target stands in its part.
    pub async fn cycle(&self, targets: &[OpenTarget], as_of: Timestamp) -> Result<Cycle, Failure> {
        self.cycle_by(targets, as_of, None).await
    }

    /// The same, ended by an instant: each target that has not come to its end by then
    /// says what is missing. What is out stays open, and the next start goes on.
    ///
    /// # Errors
    /// As [`Bridge::round`].
    pub async fn cycle_by(
        &self,
        targets: &[OpenTarget],
        as_of: Timestamp,
        by: Option<Timestamp>,
    ) -> Result<Cycle, Failure> {
        let intake = self.intake()?;
        let truth = self.truth(as_of)?;
        let targets = self.walk_all_by(targets, Course::of_round(&truth), by).await;
        Ok(Cycle { as_of, intake, targets })
    }
}
