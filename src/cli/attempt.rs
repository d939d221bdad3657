//! `planthread attempt list|end`: pushes that have no end yet.

use clap::Subcommand;
use planthread_engine::{
    Reader,
    push::{Ending, Recovered},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, answer::Answer};
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::{self, OpenPush},
    report::{
        TextTable, View,
        status::age,
        text_table::{count, instant},
        verified::Verified,
    },
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the pushes that have no end yet
    List,
    /// Wait no longer for one that is over its wait limit: it is asked for once
    /// more, read back, and what is not there goes out again
    End {
        /// The attempt, as `attempt list` prints it
        id: String,
        #[command(flatten)]
        answer: Answer,
    },
}

impl Args {
    /// Whether it ends one.
    pub(super) const fn changes(&self) -> bool {
        matches!(self.what, What::End { .. })
    }
}

/// The pushes that have no end yet.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Open {
    /// When they were listed.
    now: jiff::Timestamp,
    /// Each of them.
    open: Vec<OpenPush>,
}

/// What became of one that a person ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Ended {
    /// The configured target.
    target: String,
    /// How it ended.
    how: How,
    /// What was read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_back: Option<Verified>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// Another process writes the state: it ends it in its next round.
    Recorded,
    /// The target still had no end: nobody waits for it any more.
    GivenUp,
    /// The target had ended it meanwhile.
    Told,
    /// The target can't tell what became of it: what is read back decides.
    Unclear,
    /// The target says that nothing of it took effect.
    NotTaken,
}

impl From<&Recovered> for How {
    fn from(done: &Recovered) -> Self {
        match done {
            Recovered { given_up: 1.., .. } => Self::GivenUp,
            Recovered { not_taken: 1.., .. } => Self::NotTaken,
            Recovered { unknown: 1.., .. } => Self::Unclear,
            _ => Self::Told,
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let open = open(context, &loaded, &reader)?;
    match &args.what {
        What::List => context.screen.show(&Open { now: context.clock.now(), open }),
        What::End { id, answer } => end(context, &loaded, &may_end(&open, id)?, answer),
    }
}

fn open(context: &Context, loaded: &Loaded, reader: &Reader) -> Result<Vec<OpenPush>, Failure> {
    let mut open = Vec::new();
    for (name, target) in &loaded.config.targets {
        open.extend(OpenPush::of(loaded, reader, (name, target), context.clock.now())?);
    }
    Ok(open)
}

/// The open push that `id` names, where a person may end it.
fn may_end(open: &[OpenPush], id: &str) -> Result<OpenPush, Failure> {
    let push = open.iter().find(|push| push.attempt.as_str() == id).ok_or_else(|| {
        Failure::usage(format!("there is no open attempt `{id}`"))
            .cure("`planthread attempt list` lists those that are open")
    })?;
    if push.over {
        return Ok(push.clone());
    }
    let until = instant(push.wait_limit_at);
    let text = format!("attempt {id} of {} is within its wait limit until {until}", push.target);
    Err(Failure::new(Exit::Held, text)
        .cure("wait: `apply` and `run` ask the target, and nothing of it is lost")
        .explain("open_attempt"))
}

/// Keeps the record, and carries it out unless a bridge that runs will.
fn end(
    context: &Context,
    loaded: &Loaded,
    push: &OpenPush,
    answer: &Answer,
) -> Result<Exit, Failure> {
    let (attempt, name) = (push.attempt.clone(), push.target.clone());
    let ending = Ending { attempt, who: answer.who(&loaded.config)?, why: answer.why.clone() };
    pipeline::end_attempt(&loaded.config.state, &name, &ending, context.clock.now())?;
    let bridge = match context.bridge() {
        Ok(bridge) => bridge,
        Err(failure) if failure.explain == Some(Failure::WRITER) => {
            let (how, read_back) = (How::Recorded, None);
            return context.screen.show(&Ended { target: name, how, read_back });
        }
        Err(failure) => return Err(failure),
    };
    let target = bridge.target(Some(&name))?;
    let done = context.block_on(bridge.end_attempt(&target, &ending))?;
    let (how, read_back) = (How::from(&done), Some(Verified::of(&name, done.read_back)));
    context.screen.show(&Ended { target: name, how, read_back })
}

impl View for Open {
    const OUTPUT: &'static str = "attempt list";

    fn write(&self, text_table: &mut TextTable) {
        if self.open.is_empty() {
            text_table.line("No push is open.");
        }
        for push in &self.open {
            let (cells, age) = (count(push.cells, "cell"), age(self.now, push.opened_at));
            text_table.line(format!("{}  {}: {cells}, open for {age}", push.attempt, push.target));
            text_table.line(format!("  {}", state(push)));
            for (key, value) in &push.notes {
                text_table.line(format!("  {key}: {value}"));
            }
        }
    }
}

/// Whether anybody still waits for it.
fn state(push: &OpenPush) -> String {
    match &push.ended_by {
        Some(who) => format!("ended by {who}; the next round of `run`, or `apply`, carries it out"),
        None if push.over => {
            let id = &push.attempt;
            format!(
                "over its wait limit since {}: `planthread attempt end {id} --who .. --why ..`",
                instant(push.wait_limit_at)
            )
        }
        None => format!("within its wait limit until {}", instant(push.wait_limit_at)),
    }
}

impl View for Ended {
    const OUTPUT: &'static str = "attempt end";

    fn write(&self, text_table: &mut TextTable) {
        let how = match self.how {
            How::Recorded => "recorded; the bridge that runs ends it in its next round",
            How::GivenUp => "nobody waits for it any more; what is not there goes out again",
            How::Told => "the target had ended it meanwhile, and its word counts",
            How::Unclear => "the target can't tell what became of it; what is read back decides",
            How::NotTaken => "nothing of it took effect, says the target",
        };
        text_table.line(format!("{}: {how}", self.target));
        if let Some(read_back) = &self.read_back {
            read_back.write(text_table);
        }
    }

    fn exit(&self) -> Exit {
        self.read_back.as_ref().map_or(Exit::Ok, Verified::exit)
    }
}
