//! `planthread rejects [accept|refuse NUMBER|believe SOURCE|decided]`

use clap::Subcommand;
use jiff::Timestamp;
use planthread_domain::{decode, derive::About};
use planthread_engine::{
    Reader,
    journal::{self, Repeat, Verdict},
    status,
};

use super::{Context, answer::Answer};
use crate::{
    failure::{Exit, Failure},
    pipeline,
    report::intake::{
        Answered, Believed as BelievedView, Decided, RejectedCell, RejectedLine, Rejects,
        RepeatLine,
    },
    serve::{Refusal, repeats, snapshot},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let a second row count instead of the row of its id
    Accept(Row),
    /// Let the row of its id go on counting
    Refuse(Row),
    /// Say which of the sources that differ is right of a machine
    Believe(Believed),
    /// List what was decided, by whom and why
    Decided,
}

#[derive(Debug, clap::Args)]
struct Believed {
    /// The source that is right
    source: String,
    /// The machine of which they differ
    #[arg(long, value_name = "MACHINE")]
    of: String,
    /// From when, such as 2026-11-16T06:00:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Timestamp,
    /// Until when
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Debug, clap::Args)]
struct Row {
    /// The number of a row, or the file of an export, as `rejects` prints it
    what: String,
    #[command(flatten)]
    answer: Answer,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        None => list(context),
        Some(What::Accept(row)) => decide(context, row, true),
        Some(What::Refuse(row)) => decide(context, row, false),
        Some(What::Believe(believed)) => believe(context, believed),
        Some(What::Decided) => {
            let (loaded, reader) = context.reader()?;
            let repeats = lines(&reader, journal::decided(&reader)?)?;
            let exports = snapshot::answered(&reader, &loaded.config.plant)?;
            let doubts = pipeline::doubts(&loaded, &reader, context.clock.now())?;
            let verdicts = doubts.into_iter().filter(|one| one.about == About::Verdict).collect();
            context.screen.show(&Decided { repeats, exports, verdicts })
        }
    }
}

fn decide(context: &Context, Row { what, answer }: &Row, accepted: bool) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let verdict = Verdict { accepted, who: answer.who().to_owned(), why: answer.why.clone() };
    let now = context.clock.now();
    let Ok(number) = what.parse::<u64>() else {
        let plant = &bridge.loaded.config.plant;
        let answered = snapshot::answer(&bridge.state, plant, what, verdict, now)?;
        let retracted = answered.ok_or_else(|| {
            Failure::usage(format!("no export `{what}` waits"))
                .cure("`planthread rejects` lists those that wait, each with its file")
        })?;
        return context.screen.show(&Answered { file: what.clone(), retracted });
    };
    let done = journal::decide(&bridge.state, vec![(number, verdict)], now)?;
    if done.is_empty() {
        return Err(Failure::usage(format!("there is no row {number} to decide so"))
            .cure("`planthread rejects` lists those that wait, `rejects decided` the others"));
    }
    let repeats = lines(&bridge.reader()?, done)?;
    context.screen.show(&Decided { repeats, exports: Vec::new(), verdicts: Vec::new() })
}

fn believe(context: &Context, said: &Believed) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let verdict = decode::Verdict {
        resource: said.of.clone(),
        source: said.source.clone(),
        start: said.from,
        end: said.until,
        who: said.answer.who().to_owned(),
        why: said.answer.why.clone(),
    };
    bridge.believe(&verdict)?;
    context.screen.show(&BelievedView(verdict))
}

fn lines(reader: &Reader, repeats: Vec<Repeat>) -> Result<Vec<RepeatLine>, Failure> {
    let line = |repeat: Repeat| {
        let decided = repeat.verdict.as_ref().zip(repeat.decided_at).map(|(verdict, at)| {
            let word = if verdict.accepted { "accepted" } else { "refused" };
            let why = if verdict.why.is_empty() { "no reason given" } else { &verdict.why };
            format!("{word} by {} at {at}: {why}", verdict.who)
        });
        Ok(RepeatLine { id: repeat.id, text: repeats::told(reader, &repeat)?, decided })
    };
    repeats.into_iter().map(line).collect()
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let records = journal::rejected(&reader)?
        .iter()
        .map(|entry| RejectedLine {
            at: entry.at,
            refusal: Refusal::from(&entry.record),
            text: String::from_utf8_lossy(&entry.record.body).into_owned(),
        })
        .collect();
    let waiting = journal::quarantined(&reader)?.into_iter().map(|waiting| {
        let origin = waiting.record.origin;
        format!("{} line {}: {}", origin.place, origin.line, waiting.reason)
    });
    let waiting = waiting.collect();
    let repeats = lines(&reader, journal::repeats(&reader)?)?;
    let cells = status::rejects(&reader)?
        .into_iter()
        .map(|reject| RejectedCell {
            cell: reject.key.to_string(),
            value: reject.value.to_string(),
            reason: reject.reason,
            cure: reject.cure,
        })
        .collect();
    let exports = snapshot::waiting(&reader, &loaded.config.plant)?;
    let doubts = pipeline::doubts(&loaded, &reader, context.clock.now())?;
    let of = |about| doubts.iter().filter(|one| one.about == about).cloned().collect();
    let (conflicts, gaps) = (of(About::Conflict), of(About::Uncounted));
    context.screen.show(&Rejects { records, waiting, repeats, exports, conflicts, gaps, cells })
}
