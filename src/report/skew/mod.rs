//! One signal set, many truths: what each target holds of a signal, and which
//! one lags behind the others, by how much. Targets with different kinds of period
//! are compared over the periods that they have in common.

mod apart;
mod common;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, MeasureDecl, Period, PeriodKind, Role};
use planthread_engine::{
    Reader,
    ledger::{self, CellView, HeldValue},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use self::apart::Apart;
use super::{
    TextTable, Tone, View,
    text_table::{count, instant},
};
use crate::{
    config::{Config, Loaded, Target},
    failure::{Exit, Failure},
    pipeline,
};

/// Signals that the table names; `--json` has all that differ.
const NAMED: usize = 8;

/// A signal in the plant's own words, whatever a target calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Signal {
    /// The resources of the plant behind it.
    pub source: String,
    /// The figure, as `carries` names it.
    pub carries: String,
    /// The period: one of each target's own, or one in which theirs stand as a whole.
    pub period: Period,
}

/// What one target holds of a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Holding {
    /// The target.
    pub target: String,
    /// The measure's name.
    pub measure: String,
    /// Where it stands there: resource, location and product of the target.
    pub place: String,
    /// Its unit, as UN/CEFACT Rec 20 code.
    pub unit: String,
    /// Periods of its own that stand in the signal's.
    pub periods: u32,
    /// Of them, those that it holds as it should.
    pub as_wanted: u32,
    /// Days of them: at the ends of the horizon fewer than the signal's period has.
    pub days: u32,
    /// What it should hold by now, in that unit, added up as the target does;
    /// nothing where several periods show no value together.
    pub wanted: Option<Decimal>,
    /// Instant of the newest truth that it should hold.
    pub wanted_as_of: Timestamp,
    /// What it was seen to hold, as of its oldest truth; nothing when a period was
    /// not read back yet, or where several show no value together. Its instant is
    /// absent where a value of one is not ours.
    pub held: Option<HeldValue>,
    /// Whether that is what it should hold, in each period.
    pub current: bool,
    /// Seconds from the truth that it holds to the one that it should hold, or, where it
    /// holds what it should and another target a newer figure, to that one's; nothing
    /// where it holds no truth of ours.
    pub behind_seconds: Option<i64>,
}

/// One signal that targets hold differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The signal.
    #[serde(flatten)]
    pub signal: Signal,
    /// What each target holds of it.
    pub holdings: Vec<Holding>,
    /// Whether targets hold different figures of the whole period, in one unit and beyond
    /// their rounding, whether or not each was to hold another one by now.
    pub apart: bool,
}

/// How one target stands among the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lag {
    /// Signals that it was given.
    pub signals: u64,
    /// Of them, those that it holds as it should.
    pub current: u64,
    /// Of the others, those of which it holds nothing of ours.
    pub nothing: u64,
    /// The longest that any of the others is behind, in seconds.
    pub behind_seconds: i64,
    /// The oldest truth that it holds where it should hold a newer one.
    pub oldest_as_of: Option<Timestamp>,
    /// Signals of which another target holds a different and newer figure, over a
    /// period that they have in common.
    pub older: u64,
    /// Why nothing is sent to it, and who says so, where it is paused or fed by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}

/// Where the targets differ.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skew {
    /// Each target.
    pub targets: BTreeMap<String, Lag>,
    /// Each signal that a target does not hold as it should, periods near to
    /// today first.
    pub differences: Vec<Difference>,
}

impl Skew {
    /// Compares all targets. Only what differs is kept, so that its size does
    /// not follow that of the ledger.
    ///
    /// # Errors
    /// When the state, or a record of a pause, can't be read.
    pub fn of(loaded: &Loaded, reader: &Reader, now: Timestamp) -> Result<Self, Failure> {
        let config = &loaded.config;
        let (mut skew, mut differing) = (Self::default(), BTreeSet::new());
        let common = common::kinds(&values(config).map(|measure| measure.level).collect());
        let mut apart = Apart::default();
        each(config, reader, now, |signal, measure, holding| {
            skew.targets.entry(holding.target.clone()).or_default().add(&holding);
            for signal in signal.around(&common) {
                if !holding.current {
                    differing.insert(signal.clone());
                }
                apart.add(signal, measure, &holding);
            }
        })?;
        let apart = apart.signals();
        differing.extend(apart.iter().cloned());
        let mut kept: BTreeMap<Signal, BTreeMap<[String; 3], Holding>> = BTreeMap::new();
        if !differing.is_empty() {
            each(config, reader, now, |signal, measure, holding| {
                for signal in signal.around(&common).filter(|one| differing.contains(one)) {
                    let Holding { target, measure: name, place, .. } = &holding;
                    let one = [target, name, place].map(Clone::clone);
                    match kept.entry(signal).or_default().entry(one) {
                        Entry::Vacant(free) => drop(free.insert(holding.clone())),
                        Entry::Occupied(mut one) => {
                            one.get_mut().join(holding.clone(), measure.over_time);
                        }
                    }
                }
            })?;
        }
        for (signal, holdings) in kept {
            let (apart, mut holdings) =
                (apart.contains(&signal), Vec::from_iter(holdings.into_values()));
            if apart {
                for target in apart::older(&mut holdings) {
                    skew.targets.entry(target).or_default().older += 1;
                }
            }
            skew.differences.push(Difference { signal, holdings, apart });
        }
        for (name, lag) in &mut skew.targets {
            let target = config.targets.get(name);
            let paused = target.map(|target| pipeline::paused_by(loaded, name, target, now));
            lag.paused = paused.transpose()?.flatten();
        }
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        skew.differences.sort_by_cached_key(|one| {
            let start = one.signal.period.start();
            (start.duration_since(today).abs(), start, one.signal.clone())
        });
        Ok(skew)
    }
}

impl Signal {
    /// The signals over the common periods in which this one's stands.
    fn around(&self, common: &[PeriodKind]) -> impl Iterator<Item = Self> {
        common::around(self.period, common).map(|period| Self { period, ..self.clone() })
    }
}

impl Lag {
    fn add(&mut self, holding: &Holding) {
        self.signals += 1;
        if holding.current {
            self.current += 1;
            return;
        }
        let Some(behind) = holding.behind_seconds else {
            self.nothing += 1;
            return;
        };
        self.behind_seconds = self.behind_seconds.max(behind);
        let held = holding.held.as_ref().and_then(|held| held.as_of);
        self.oldest_as_of = [self.oldest_as_of, held].into_iter().flatten().min();
    }
}

/// Every value cell of the configured targets as a holding of its signal.
fn each(
    config: &Config,
    reader: &Reader,
    now: Timestamp,
    mut take: impl FnMut(Signal, &MeasureDecl, Holding),
) -> Result<(), Failure> {
    Ok(ledger::held(reader, now, |cell, held| {
        let target = config.targets.get(cell.key.target.as_str());
        if let Some((signal, measure)) = target.and_then(|target| signal_of(target, &cell.key)) {
            take(signal, measure, holding(&cell, measure, held));
        }
        Ok(())
    })?)
}

/// The measures that are compared.
fn values(config: &Config) -> impl Iterator<Item = &MeasureDecl> {
    config.targets.values().flat_map(|target| &target.measures).filter(|one| is_value(one))
}

fn is_value(measure: &MeasureDecl) -> bool {
    let figure = !measure.carries.accompanies() && measure.carries != Carries::Observed;
    figure && measure.role == Role::Value
}

/// The signal behind a cell, in the cell's own period, and its measure.
fn signal_of<'a>(target: &'a Target, key: &CellKey) -> Option<(Signal, &'a MeasureDecl)> {
    let decl = target.measures.iter().find(|measure| measure.name == key.measure)?;
    if !is_value(decl) || target.scope().name() != key.scope.as_str() {
        return None;
    }
    let here = target.mapping.rows.iter().filter(|row| {
        row.resource == key.resource.as_str()
            && row.location == key.location.as_str()
            && key.product.as_ref().is_none_or(|product| row.product.as_deref() == Some(product))
    });
    let sources: BTreeSet<&str> = here.map(|row| row.source.as_str()).collect();
    let carries = serde_json::to_value(decl.carries).ok()?.as_str()?.to_owned();
    let source = sources.into_iter().collect::<Vec<_>>().join(" + ");
    let signal = Signal { source, carries, period: key.period };
    Some((signal, decl))
}

fn holding(cell: &CellView, measure: &MeasureDecl, held: Option<HeldValue>) -> Holding {
    let current = held.as_ref().is_some_and(|held| held.value == cell.value);
    let of = held.as_ref().and_then(|held| held.as_of);
    let behind = of.map(|as_of| cell.as_of.as_second() - as_of.as_second());
    Holding {
        target: cell.key.target.to_string(),
        measure: cell.key.measure.to_string(),
        place: place(&cell.key),
        unit: measure.unit.code().to_owned(),
        periods: 1,
        as_wanted: current.into(),
        days: u32::try_from(cell.key.period.days().count()).unwrap_or(u32::MAX),
        wanted: Some(cell.value),
        wanted_as_of: cell.as_of,
        held,
        current,
        behind_seconds: behind.map(|seconds| seconds.max(0)),
    }
}

fn place(key: &CellKey) -> String {
    let product = key.product.as_ref().map(|product| format!(" {product}")).unwrap_or_default();
    format!("{}@{}{product}", key.resource, key.location)
}

impl View for Skew {
    const OUTPUT: &'static str = "status skew";

    fn write(&self, text_table: &mut TextTable) {
        let rows: Vec<[String; 6]> = self.targets.iter().map(row).collect();
        let head =
            ["target", "signals", "as wanted", "behind", "longest behind", "older than others"];
        text_table.table(head, &rows);
        for (target, lag) in &self.targets {
            if let Some(why) = &lag.paused {
                let paused = text_table.tint(Tone::Warn, "paused");
                text_table.line(format!(
                    "{target}: {paused} ({why}): nothing is sent to it, so it falls behind  \
                     (planthread explain paused)"
                ));
            }
        }
        if self.differences.is_empty() {
            text_table.line("Every target holds the truth that it should, and all the same.");
            return;
        }
        text_table.line(format!(
            "\n{} not everywhere as wanted, or not the same:",
            count(self.differences.len(), "signal")
        ));
        for difference in self.differences.iter().take(NAMED) {
            let Signal { source, carries, period } = &difference.signal;
            text_table.line(format!("  {source}  {period}  {}", carries.replace('_', " ")));
            for (targets, words) in together(text_table, *period, &difference.holdings) {
                text_table.line(format!("    {}: {words}", targets.join(", ")));
            }
        }
        let more = self.differences.len().saturating_sub(NAMED);
        if more > 0 {
            text_table
                .line(format!("  and {more} more: `planthread status --skew --json` has them all"));
        }
    }

    fn exit(&self) -> Exit {
        if self.differences.is_empty() { Exit::Ok } else { Exit::Findings }
    }
}

fn row((target, lag): (&String, &Lag)) -> [String; 6] {
    let behind = lag.signals - lag.current;
    let longest = match behind - lag.nothing {
        0 if lag.nothing > 0 => "holds nothing of ours".to_owned(),
        0 => "-".to_owned(),
        _ => duration(lag.behind_seconds),
    };
    let [signals, current, behind, older] =
        [lag.signals, lag.current, behind, lag.older].map(|count| count.to_string());
    [target.clone(), signals, current, behind, longest, older]
}

/// Targets that hold the same stand in one line.
fn together<'a>(
    text_table: &TextTable,
    period: Period,
    holdings: &'a [Holding],
) -> Vec<(Vec<&'a str>, String)> {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for holding in holdings {
        let words = format!("{}{}", words(text_table, holding), of_it(period, holding));
        match lines.iter_mut().find(|(_, other)| *other == words) {
            Some((targets, _)) => targets.push(&holding.target),
            None => lines.push((vec![&holding.target], words)),
        }
    }
    lines
}

fn words(text_table: &TextTable, holding: &Holding) -> String {
    let Holding { unit, wanted, held, current, periods, .. } = holding;
    let holds = match held {
        None if *periods > 1 => "it was not read back as a whole".to_owned(),
        None => "nothing was read back".to_owned(),
        Some(HeldValue { value, as_of: Some(as_of), .. }) => {
            format!("{value} {unit} as of {}", instant(*as_of))
        }
        Some(HeldValue { value, as_of: None, .. }) => format!("{value} {unit}, not ours"),
    };
    if *current {
        return match holding.behind_seconds {
            Some(seconds) if seconds > 0 => {
                let behind = format!("{} older than another target's", duration(seconds));
                format!("{holds}; {}", text_table.tint(Tone::Warn, &behind))
            }
            _ => holds,
        };
    }
    let due = wanted.map_or_else(|| "more".to_owned(), |wanted| format!("{wanted} {unit}"));
    let due = format!("{due} is due, as of {}", instant(holding.wanted_as_of));
    let behind = match holding.behind_seconds {
        Some(seconds) => format!("{} behind: {due}", duration(seconds)),
        None => due,
    };
    format!("{holds}; {}", text_table.tint(Tone::Warn, &behind))
}

/// Which part of the period the words speak of, where it isn't one period as a whole.
fn of_it(period: Period, holding: &Holding) -> String {
    let (all, Holding { periods, as_wanted, days, .. }) = (period.days().count(), holding);
    let mut said = Vec::new();
    if *days as usize != all {
        said.push(format!("{days} of {all} days"));
    }
    if !holding.current && *periods > 1 {
        said.push(format!("{as_wanted} of {periods} periods as wanted"));
    }
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// Hours and minutes.
fn duration(seconds: i64) -> String {
    format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(current: bool, behind_seconds: Option<i64>) -> Holding {
        let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let as_of = behind_seconds.map(|s| at - jiff::SignedDuration::from_secs(s));
        Holding {
            target: "ibp".to_owned(),
            measure: "live".to_owned(),
            place: "LINE-1@1010".to_owned(),
            unit: "HUR".to_owned(),
            periods: 1,
            as_wanted: current.into(),
            days: 7,
            wanted: Some(Decimal::TEN),
            wanted_as_of: at,
            held: Some(HeldValue { value: Decimal::ONE, as_of, read_at: at }),
            current,
            behind_seconds,
        }
    }

    #[test]
    fn a_target_is_as_far_behind_as_its_oldest_truth() {
        let mut lag = Lag::default();
        for one in [
            held(true, Some(0)),
            held(false, Some(60)),
            held(false, Some(7_260)),
            held(false, None),
        ] {
            lag.add(&one);
        }
        assert_eq!((lag.signals, lag.current, lag.nothing), (4, 1, 1));
        assert_eq!(lag.behind_seconds, 7_260);
        assert_eq!(lag.oldest_as_of, Some("2026-11-26T09:59:00Z".parse().unwrap()));
        assert_eq!(row((&"ibp".to_owned(), &lag))[4], "2 h 01 min");
    }
}
