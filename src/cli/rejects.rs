//! `planthread rejects [accept|refuse NUMBER|dismiss NUMBER...|believe SOURCE|decided]`

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use planthread_domain::{decode, derive::About};
use planthread_engine::{
    Reader,
    journal::{self, RejectedEntry, Repeat, Verdict},
    ledger::{self, RejectState},
    status::Reject,
};

use super::{Context, answer::Answer};
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    output,
    pipeline::{self, Where},
    report::{
        reject_sheet,
        rejects::{
            Answered, Believed as BelievedView, Decided, Dismissed, DismissedCells, MasterWait,
            RejectedCell, RejectedLine, Rejects, RepeatLine, Written,
        },
    },
    serve::{Refusal, repeats, snapshot},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the cells that a target refused with this value; several narrow it, as in
    /// `retry --where`
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    conditions: Vec<Where>,
    /// Write them into this workbook, for whoever can put it right: a sheet for cells, one
    /// for records; `-` is standard output
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let a second row count instead of the row of its id
    Accept(Row),
    /// Let the row of its id go on counting
    Refuse(Row),
    /// Take refused records off the list, of which nothing is to come
    Dismiss(Dismiss),
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
#[group(id = "which", required = true, multiple = true)]
struct Which {
    /// The numbers of the records, as `rejects` prints them
    #[arg(value_name = "NUMBER")]
    numbers: Vec<u64>,
    /// Those of this file, `stdin` or endpoint
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// Those in which this field is at fault
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Those whose reason holds this text
    #[arg(long, value_name = "TEXT")]
    saying: Option<String>,
    /// Cells that a target refused, with this value, as in `retry --where`
    #[arg(long = "where", value_name = "FIELD=VALUE",
        conflicts_with_all = ["numbers", "from", "field", "saying"])]
    conditions: Vec<Where>,
}

impl Which {
    /// Whether `entry` is meant: it is one of the numbers, where there are any,
    /// and fits each filter.
    fn means(&self, entry: &RejectedEntry) -> bool {
        let record = &entry.record;
        let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|w| w == own);
        (self.numbers.is_empty() || self.numbers.contains(&entry.id))
            && is(&self.from, &record.origin.place)
            && is(&self.field, &record.field)
            && self.saying.as_ref().is_none_or(|text| record.reason.contains(text))
    }
}

#[derive(Debug, clap::Args)]
struct Dismiss {
    #[command(flatten)]
    which: Which,
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

impl Args {
    /// Whether it decides something.
    pub(super) const fn changes(&self) -> bool {
        !matches!(self.what, None | Some(What::Decided))
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let of_list = !args.conditions.is_empty() || args.xlsx.is_some();
    if args.what.is_some() && of_list {
        return Err(Failure::usage("`--where` and `--xlsx` are of the list, and decide nothing")
            .cure("leave them out, or list with `planthread rejects --where FIELD=VALUE`"));
    }
    if let Some(file) = &args.xlsx {
        return write(context, file, &args.conditions);
    }
    match &args.what {
        None if !args.conditions.is_empty() => {
            let (loaded, reader) = context.reader()?;
            let [cells, cells_over] = cells(context, (&loaded, &reader), &args.conditions)?;
            let master_data = master(&reader, &cells)?;
            context.screen.show(&Rejects { cells, cells_over, master_data, ..Rejects::default() })
        }
        None => list(context),
        Some(What::Accept(row)) => decide(context, row, true),
        Some(What::Refuse(row)) => decide(context, row, false),
        Some(What::Dismiss(args)) => dismiss(context, args),
        Some(What::Believe(believed)) => believe(context, believed),
        Some(What::Decided) => {
            let (loaded, reader) = context.reader()?;
            let repeats = lines(&reader, journal::decided(&reader)?)?;
            let exports = snapshot::answered(&reader, &loaded.config.plant)?;
            let doubts = pipeline::doubts(&loaded, &reader, context.clock.now())?;
            let verdicts = doubts.into_iter().filter(|one| one.about == About::Verdict).collect();
            let told = |entry: RejectedEntry| {
                let (origin, by) = (entry.record.origin, entry.dismissed?);
                let (place, line) = (origin.place, origin.line);
                Some(format!(
                    "{place} line {line}: dismissed by {} at {}: {}",
                    by.who, by.at, by.why
                ))
            };
            let dismissed = journal::dismissed(&reader)?.into_iter().filter_map(told).collect();
            context.screen.show(&Decided { repeats, exports, verdicts, dismissed })
        }
    }
}

fn dismiss(context: &Context, Dismiss { which, answer }: &Dismiss) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    if !which.conditions.is_empty() {
        let (who, why) = (answer.who(&bridge.loaded.config)?, answer.why.clone());
        let (cells, cells_left) = bridge.dismiss_cells(&which.conditions, who, why)?;
        let left = journal::counts(&bridge.reader()?)?.rejected;
        let cells = Some(DismissedCells { dismissed: cells, left: cells_left });
        return context.screen.show(&Dismissed { dismissed: 0, left, cells });
    }
    let refused = journal::rejected(&bridge.reader()?)?;
    let meant: Vec<u64> =
        refused.iter().filter(|entry| which.means(entry)).map(|entry| entry.id).collect();
    if let Some(number) = which.numbers.iter().find(|number| !meant.contains(number)) {
        return Err(Failure::usage(format!(
            "no refused record {number} is on the list, or it does \
                                           not fit the other options"
        ))
        .cure("`planthread rejects` lists them, each with its number"));
    }
    if meant.is_empty() {
        return Err(Failure::usage("no refused record is meant by this")
            .cure("`planthread rejects` lists them with file, field and reason"));
    }
    let (who, why) = (answer.who(&bridge.loaded.config)?, answer.why.clone());
    let done = journal::dismiss(&bridge.state, meant, who, why, context.clock.now())?;
    let left = journal::counts(&bridge.reader()?)?.rejected;
    context.screen.show(&Dismissed { dismissed: done.len(), left, cells: None })
}

fn decide(context: &Context, Row { what, answer }: &Row, accepted: bool) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let verdict =
        Verdict { accepted, who: answer.who(&bridge.loaded.config)?, why: answer.why.clone() };
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
    context.screen.show(&Decided { repeats, ..Decided::default() })
}

fn believe(context: &Context, said: &Believed) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let verdict = decode::Verdict {
        resource: said.of.clone(),
        source: said.source.clone(),
        start: said.from,
        end: said.until,
        who: said.answer.who(&bridge.loaded.config)?,
        why: said.answer.why.clone(),
    };
    bridge.believe(&verdict)?;
    context.screen.show(&BelievedView { verdict })
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

/// How long what has ended is told.
const TOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The cells that a target refused, those that fulfil all `conditions`: first those
/// that wait, then the others.
fn cells(
    context: &Context,
    (loaded, reader): (&Loaded, &Reader),
    conditions: &[Where],
) -> Result<[Vec<RejectedCell>; 2], Failure> {
    let since = context.clock.now().saturating_sub(TOLD).unwrap_or(Timestamp::MIN);
    let all = pipeline::rejections(loaded, reader, conditions, since)?;
    let (open, over): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|reject| reject.state == RejectState::Open);
    Ok([open, over].map(|list| list.into_iter().map(RejectedCell::of).collect()))
}

/// When the master data of the targets of refused `cells` was read.
fn master(reader: &Reader, cells: &[RejectedCell]) -> Result<Vec<MasterWait>, Failure> {
    let targets: BTreeSet<&str> = cells.iter().map(|cell| cell.key.target.as_str()).collect();
    let wait = |target: &str| {
        let look = ledger::master_look(reader, target)?;
        let (tried_at, looked_at) = (look.as_ref().map(|l| l.tried_at), look.as_ref());
        let looked_at = looked_at.and_then(|look| look.looked_at);
        let unread = look.map(|look| look.said).unwrap_or_default();
        Ok(MasterWait { target: target.to_owned(), looked_at, tried_at, unread })
    };
    targets.into_iter().map(wait).collect()
}

/// Writes what is refused into a workbook: with conditions only the cells that fulfil
/// them.
fn write(context: &Context, file: &Path, conditions: &[Where]) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let since = context.clock.now().saturating_sub(TOLD).unwrap_or(Timestamp::MIN);
    let mut all = pipeline::rejections(&loaded, &reader, conditions, since)?;
    all.sort_by(|a, b| (a.state, &a.owner, &a.key).cmp(&(b.state, &b.owner, &b.key)));
    let declared = |reject: Reject| {
        let target = loaded.config.targets.get(reject.key.target.as_str());
        let mut measures = target.into_iter().flat_map(|target| &target.measures);
        let decl = measures.find(|decl| decl.name == reject.key.measure);
        (reject, decl)
    };
    let cells: Vec<_> = all.into_iter().map(declared).collect();
    let records = if conditions.is_empty() { records(&reader)? } else { Vec::new() };
    let bytes = reject_sheet::workbook(&cells, &records)?;
    if file.as_os_str() == "-" {
        context.screen.raw(&bytes)?;
        return Ok(Exit::Ok);
    }
    // Somebody may have worked in one that is there.
    output::only_over_ours(file, |_| false)?;
    fs::write(file, &bytes).map_err(|error| Failure::io("write", file, &error))?;
    let (file, cells, records) = (file.to_owned(), cells.len(), records.len());
    context.screen.show(&Written { file, cells, records })
}

/// Records that were refused.
fn records(reader: &Reader) -> Result<Vec<RejectedLine>, Failure> {
    let line = |entry: &RejectedEntry| RejectedLine {
        id: entry.id,
        at: entry.at,
        refusal: Refusal::from(&entry.record),
        text: String::from_utf8_lossy(&entry.record.body).into_owned(),
    };
    Ok(journal::rejected(reader)?.iter().map(line).collect())
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let records = records(&reader)?;
    let waiting = journal::quarantined(&reader)?.into_iter().map(|waiting| {
        let origin = waiting.record.origin;
        format!("{} line {}: {}", origin.place, origin.line, waiting.reason)
    });
    let waiting = waiting.collect();
    let repeats = lines(&reader, journal::repeats(&reader)?)?;
    let [cells, cells_over] = cells(context, (&loaded, &reader), &[])?;
    let exports = snapshot::waiting(&reader, &loaded.config.plant)?;
    let doubts = pipeline::doubts(&loaded, &reader, context.clock.now())?;
    let of = |about| doubts.iter().filter(|one| one.about == about).cloned().collect();
    let (conflicts, gaps) = (of(About::Conflict), of(About::Uncounted));
    let master_data = master(&reader, &cells)?;
    let rejects = Rejects {
        records,
        waiting,
        repeats,
        exports,
        conflicts,
        gaps,
        cells,
        cells_over,
        undecided: pipeline::undecided(&loaded, &reader, context.clock.now())?,
        master_data,
    };
    context.screen.show(&rejects)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{Origin, RejectedRecord};

    use super::*;

    #[test]
    fn every_filter_narrows_and_none_alone_means_all() {
        let entry = |id, place: &str, field: &str, reason: &str| RejectedEntry {
            id,
            at: Timestamp::UNIX_EPOCH,
            record: RejectedRecord {
                origin: Origin { place: place.into(), line: id },
                field: field.into(),
                reason: reason.into(),
                cure: String::new(),
                body: Vec::new(),
            },
            dismissed: None,
        };
        let all = [
            entry(1, "a.csv", "machine", "`M9` is no resource"),
            entry(2, "a.csv", "time", "`M9` o'clock"),
            entry(3, "b.csv", "machine", "`M8` is no resource"),
        ];
        let meant = |numbers: &[u64], [from, field, saying]: [Option<&str>; 3]| -> Vec<u64> {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let (from, field, saying) = (text(from), text(field), text(saying));
            let conditions = Vec::new();
            let which = Which { numbers: numbers.to_vec(), from, field, saying, conditions };
            all.iter().filter(|entry| which.means(entry)).map(|entry| entry.id).collect()
        };
        assert_eq!(meant(&[3, 1], [None; 3]), [1, 3]);
        assert_eq!(meant(&[], [Some("a.csv"), None, None]), [1, 2]);
        assert_eq!(meant(&[], [None, Some("machine"), None]), [1, 3]);
        assert_eq!(meant(&[], [Some("a.csv"), None, Some("M9` is")]), [1]);
        assert_eq!(meant(&[2], [None, Some("machine"), None]), [] as [u64; 0]);
    }
}
