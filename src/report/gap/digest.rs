//! What is different since a supply review: what changed and why, what is short, what
//! people decided, and what nobody knows. One view, which terminal, JSON and workbook show
//! alike; the figures are those of `gap`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{Period, Status};
use planthread_domain::{gap::Line, significance::Cause};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{GapRow, TargetGap, Verdict, digest_sheets, words};
use crate::{
    failure::{Exit, Failure},
    pipeline::{
        WORTH,
        gap::{self, DecidedChange, DecidedKind, Moving, PersonsAct, Sources},
    },
    report::{TextTable, Tone, View, text_table::count},
};

/// Changes that people see on a terminal.
const SHOWN: usize = 20;

/// The answer of `digest`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Digest {
    /// When the targets were read.
    pub at: Timestamp,
    /// Since when: what was known as of this instant is compared with what is known now.
    pub since: Timestamp,
    /// Target by target.
    pub targets: Vec<TargetDigest>,
}

/// What is different at one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TargetDigest {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// What matters, in one sentence.
    pub headline: String,
    /// Zone of the plant.
    pub zone: String,
    /// Where each figure is from, who answers for it, and when it was read.
    pub sources: Sources,
    /// Whether anything was known as of `since`; where nothing was, every figure is new.
    pub known_then: bool,
    /// Lines and weeks whose hours are others: what is worth a look first.
    pub changed: Vec<ChangedRow>,
    /// Lines and weeks that are short, the worst first: the same rows as those of `gap`.
    pub short: Vec<GapRow>,
    /// What people took or decided.
    pub acts: Vec<PersonsAct>,
    /// Lines of which some figure is not known, old, or not measured, with whom to ask.
    pub not_known: Vec<NotKnownRow>,
    /// Why the target could not be read: then no load is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

/// Whether a line that could do its load can't any more, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Crossed {
    /// It could do the load of now, and can't any more.
    NowShort,
    /// It could not, and can now.
    NowFits,
    /// Neither.
    No,
    /// The load, or what the line can or could do, is not known.
    Unknown,
}

impl Crossed {
    fn of(one: &Moving) -> Self {
        match (one.load, one.was, one.is) {
            (Some(load), Some(was), Some(is)) if was >= load && is < load => Self::NowShort,
            (Some(load), Some(was), Some(is)) if was < load && is >= load => Self::NowFits,
            (Some(_), Some(_), Some(_)) => Self::No,
            _ => Self::Unknown,
        }
    }

    /// The words in reports.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::NowShort => "yes, now short",
            Self::NowFits => "yes, now fits",
            Self::No => "no",
            Self::Unknown => "not known",
        }
    }
}

/// How what a line can do in a week changed. `was`, `parts` and `not_split` sum to `is`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedRow {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// The week.
    pub week: Period,
    /// Hours then; absent where nobody knew them.
    pub was: Option<Decimal>,
    /// Hours now, as `gap` says them; absent where nobody knows them.
    pub is: Option<Decimal>,
    /// By how many hours it moved; absent where one of them is not known.
    pub change: Option<Decimal>,
    /// By what; what is not named did not move it.
    pub parts: BTreeMap<Cause, Decimal>,
    /// Hours of the change that no release and no mapping tells the cause of.
    pub not_split: Decimal,
    /// What the plan asks of it now.
    pub load: Option<Decimal>,
    /// Whether it crossed the load.
    pub crossed: Crossed,
    /// Whether it is worth a look: four hours or more, the load was crossed, or a line is not
    /// known any more or known again. A week that came into sight since is none by itself.
    pub worth_a_look: bool,
    /// Why, in words.
    pub reason: String,
    /// Whom to ask.
    pub owner: String,
}

/// A line of which some figure is not known, old, or not measured.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotKnownRow {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// What there is to ask about, in words.
    pub why: String,
    /// The weeks that it is about.
    pub weeks: Vec<Period>,
    /// The instant of the oldest truth behind them, where there is any.
    pub as_of: Option<Timestamp>,
    /// Whom to ask.
    pub ask: String,
}

impl Digest {
    /// The view of what was found at `at`.
    #[must_use]
    pub fn of(at: Timestamp, since: Timestamp, found: Vec<gap::Digest>) -> Self {
        let targets = found.into_iter().map(|one| TargetDigest::of(at, one)).collect();
        Self { at, since, targets }
    }

    /// The workbook.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn xlsx(&self) -> Result<Vec<u8>, Failure> {
        digest_sheets::workbook(self)
    }
}

impl TargetDigest {
    fn of(at: Timestamp, found: gap::Digest) -> Self {
        let gap::Digest { gap, known_then, moving, acts } = found;
        let live = gap.sources.live.clone();
        let named = gap.owners.clone();
        let ask = |line: &Line| {
            let Some(live) = &live else { return "-".to_owned() };
            named.get(&(line.clone(), live.measure.clone())).unwrap_or(&live.owner).clone()
        };
        let decided = gap.decided.clone();
        let none = Vec::new();
        let row = |one: Moving| {
            let decided = decided.get(&(one.line.clone(), one.week)).unwrap_or(&none);
            ChangedRow::of(one, decided, &ask)
        };
        let mut changed: Vec<ChangedRow> = moving.into_iter().map(row).collect();
        changed.sort_by_cached_key(|row| (std::cmp::Reverse(row.weight()), row.place()));
        let TargetGap { target, scope, zone, sources, rows, stopped, headline, .. } =
            TargetGap::of(at, gap);
        let not_known = not_known(&rows, &ask);
        let short = rows.into_iter().filter(|row| row.verdict == Verdict::Short).collect();
        let worth = changed.iter().filter(|row| row.worth_a_look).count();
        let moved = match (known_then, changed.len()) {
            (false, _) => "Nothing was known then: every figure is new.".to_owned(),
            (true, 0) => "Nothing changed since.".to_owned(),
            (true, all) => format!("{} changed, {worth} worth a look.", words::line_weeks(all)),
        };
        Self {
            headline: format!("{moved} {headline}"),
            target,
            scope,
            zone,
            sources,
            known_then,
            changed,
            short,
            acts,
            not_known,
            stopped,
        }
    }
}

impl ChangedRow {
    fn of(one: Moving, decided: &[DecidedChange], ask: &impl Fn(&Line) -> String) -> Self {
        let crossed = Crossed::of(&one);
        let change = one.was.zip(one.is).map(|(was, is)| is - was);
        let reason = reason(&one, decided);
        let Moving { line, week, was, is, split, load, fresh } = one;
        let (parts, not_split) =
            split.map_or_else(Default::default, |split| (split.parts, split.not_split));
        let crosses = matches!(crossed, Crossed::NowShort | Crossed::NowFits);
        let worth_a_look = crosses || change.map_or(!fresh, |change| change.abs() >= WORTH);
        let owner = ask(&line);
        Self {
            line,
            week,
            was,
            is,
            change,
            parts,
            not_split,
            load,
            crossed,
            worth_a_look,
            reason,
            owner,
        }
    }

    fn place(&self) -> (Line, Period) {
        (self.line.clone(), self.week)
    }

    /// What is worth a look first, then by hours; lines that went out of sight first.
    fn weight(&self) -> (bool, bool, Decimal) {
        let hours = self.change.unwrap_or_else(|| self.was.or(self.is).unwrap_or_default());
        (self.worth_a_look, self.is.is_none(), hours.abs())
    }
}

/// Why a line can do more or less, in words.
fn reason(one: &Moving, decided: &[DecidedChange]) -> String {
    let Some(split) = &one.split else {
        return match one.was {
            None if one.fresh => "new: the week came into sight since".to_owned(),
            None => "known again: then nobody knew what it can do".to_owned(),
            Some(_) => "not known any more what it can do".to_owned(),
        };
    };
    let by = split.to - split.from;
    let way = if by > Decimal::ZERO { "more" } else { "less" };
    let mut parts: Vec<(&Cause, &Decimal)> = split.parts.iter().collect();
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.abs()));
    let told = |(cause, part): (&Cause, &Decimal)| {
        let of = |planned: bool| {
            let fits = |one: &&DecidedChange| {
                one.counts() && (one.kind == DecidedKind::PlannedStop) == planned
            };
            decided.iter().filter(fits).map(DecidedChange::words).collect::<Vec<_>>().join("; ")
        };
        let words = match cause {
            Cause::Decision => of(false),
            Cause::PlannedStop => of(true),
            _ => String::new(),
        };
        let words = if words.is_empty() { words } else { format!(" ({words})") };
        format!("{} {part:+.2} h{words}", cause.words())
    };
    let mut all: Vec<String> = parts.into_iter().map(told).collect();
    if !split.not_split.is_zero() {
        let hours = split.not_split;
        all.push(format!("{hours:+.2} h that nothing tells the cause of"));
    }
    format!("{:.2} h {way}: {}", by.abs(), all.join(", "))
}

/// Lines of which some figure is not fresh factory truth, by what is the matter.
fn not_known(rows: &[GapRow], ask: &impl Fn(&Line) -> String) -> Vec<NotKnownRow> {
    let mut found: BTreeMap<(Line, String), NotKnownRow> = BTreeMap::new();
    for row in rows {
        let why = match (&row.data, row.connected) {
            (_, false) => "not connected: no mapping names it".to_owned(),
            (_, true) if row.row.known.live.is_none() => "unknown what it can do".to_owned(),
            (None, true) => "unknown what it can do".to_owned(),
            (Some(data), true) => match data.status {
                Status::Live | Status::Planner if !row.old => continue,
                status if row.old => {
                    format!("old: {}, and nobody has renewed it", words::status(status))
                }
                status => words::status(status).to_owned(),
            },
        };
        let line = &row.row.line;
        let as_of = row.data.as_ref().map(|data| data.as_of);
        let one = found.entry((line.clone(), why.clone())).or_insert_with(|| NotKnownRow {
            line: line.clone(),
            why,
            weeks: Vec::new(),
            as_of,
            ask: ask(line),
        });
        one.weeks.push(row.row.week);
        one.as_of = one.as_of.into_iter().chain(as_of).min();
    }
    let sorted = |mut one: NotKnownRow| {
        one.weeks.sort_unstable();
        one
    };
    found.into_values().map(sorted).collect()
}

impl View for Digest {
    const OUTPUT: &'static str = "digest";

    fn write(&self, text_table: &mut TextTable) {
        for target in &self.targets {
            let name = if self.targets.len() > 1 { &target.target } else { "" };
            let colon = if name.is_empty() { "" } else { ": " };
            text_table
                .line(text_table.tint(Tone::Bold, &format!("{name}{colon}{}", target.headline)));
            let since = words::local(self.since, &target.zone);
            text_table.line(text_table.tint(Tone::Dim, &format!("  since {since}")));
            if let Some(failure) = &target.stopped {
                let not_read = text_table.tint(Tone::Bad, "not read:");
                text_table.line(format!("  {not_read} {failure}"));
            }
            let worth = target.changed.iter().filter(|row| row.worth_a_look);
            let rows: Vec<[String; 7]> = worth.clone().take(SHOWN).map(cells).collect();
            if !rows.is_empty() {
                let head = ["Plant", "Line", "Week", "Was h", "Is h", "Load crossed?", "Reason"];
                text_table.line("").table(head, &rows);
            }
            let more = target.changed.len() - rows.len();
            if more > 0 {
                let more = count(more as u64, "line-week");
                text_table.line(format!("  and {more} more, with --xlsx FILE or --json"));
            }
            for one in &target.not_known {
                let (line, weeks) = (words::line(&one.line), count(one.weeks.len() as u64, "week"));
                text_table.line(format!("  {line}, {weeks}: {}; ask {}", one.why, one.ask));
            }
        }
    }

    fn exit(&self) -> Exit {
        let stopped = self.targets.iter().filter_map(|one| one.stopped.as_ref());
        stopped.map(|failure| failure.exit).max().unwrap_or(Exit::Ok)
    }
}

fn cells(row: &ChangedRow) -> [String; 7] {
    [
        row.line.plant.to_string(),
        row.line.line.to_string(),
        words::week(row.week),
        words::maybe(row.was),
        words::maybe(row.is),
        row.crossed.words().to_owned(),
        row.reason.clone(),
    ]
}
