//! What is different since a planner looked last: how each line and week moved, and what
//! people did meanwhile, beside the comparison of now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Owner, Period, WriteGrant};
use planthread_domain::{
    calendar::periods,
    gap::{Line, Row},
    significance::{Known, Split},
};
use planthread_engine::{
    Reader,
    ledger::{self, LockKind, LockedCell},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{DecidedChange, DecidedKind, Gap, decided, gap, moved};
use crate::{
    config::Loaded,
    failure::Failure,
    pipeline::{OpenTarget, adopt, moves::Moves, pauses, policy},
};

/// One target's plan beside what its lines can do, and what is different since.
#[derive(Debug, Clone)]
pub struct Digest {
    /// What is compared now.
    pub gap: Gap,
    /// Whether anything was known then.
    pub known_then: bool,
    /// How what the lines can do moved since, as far as it did.
    pub moving: Vec<Moving>,
    /// What people took or decided, as far as it is in force or was decided since.
    pub acts: Vec<PersonsAct>,
}

/// How what a line can do in a week moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// The line.
    pub line: Line,
    /// The week.
    pub week: Period,
    /// Hours then; absent where nobody knew them.
    pub was: Option<Decimal>,
    /// Hours now: what `gap` says that the line can do.
    pub is: Option<Decimal>,
    /// By what they moved, where both are known.
    pub split: Option<Split>,
    /// What the plan asks of it now; absent where nobody knows it.
    pub load: Option<Decimal>,
    /// Whether nothing at all was said of the week then: it came into sight since.
    pub fresh: bool,
}

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonsActKind {
    /// Took a cell: the plan holds that person's value.
    Took,
    /// Let nothing be sent to the target, or fed it by hand.
    Paused,
    /// Let the target go again.
    Resumed,
    /// Let a measure be written that somebody else owns.
    Promoted,
    /// Let values be replaced that we never landed.
    Adopted,
    /// Dropped the shifts of these days.
    Closed,
    /// Had hours worked besides the shifts.
    Extra,
    /// Declared a stop.
    PlannedStop,
    /// Proposed hours: they count nothing until they are confirmed.
    Proposed,
    /// Proposed hours that count in the scope of this target, and in no other.
    Supposed,
    /// Took out of a sheet what stood in it: it is decided no more.
    Dropped,
}

/// What a person took or decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "PersonsAct")]
pub struct PersonsAct {
    /// What.
    pub kind: PersonsActKind,
    /// Of what: line and week, measures, days; the whole target where it is empty.
    pub what: String,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, where that is known.
    pub at: Option<Timestamp>,
    /// Until when; absent where it has no end of its own.
    pub until: Option<Timestamp>,
}

/// Compares the plan of `target` now, and says what is different since what was known at
/// `since`.
///
/// # Errors
/// When the state can't be read. A target that can't be read is told in the answer.
pub async fn digest(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    since: Timestamp,
    now: Timestamp,
) -> Result<Digest, Failure> {
    let gap = gap(loaded, reader, target, now).await?;
    let moves = Moves::of(loaded, reader, &target.name, &target.config)?;
    let then = moves.known_at(since);
    let mut moving = Vec::new();
    if let Some(live) = target.config.live() {
        for row in &gap.compared.rows {
            moving.extend(moving_of(&moves, target, live, row, then)?);
        }
    }
    let acts = acts(loaded, reader, target, &gap, since, now)?;
    Ok(Digest { known_then: then.is_some(), moving, acts, gap })
}

/// How a line and week moved since the ledger's counter was `then`; `None` where it did not.
fn moving_of(
    moves: &Moves<'_>,
    target: &OpenTarget,
    live: &MeasureDecl,
    row: &Row,
    then: Option<u64>,
) -> Result<Option<Moving>, Failure> {
    let (mut was, mut split) = (Some(Decimal::ZERO), None::<Split>);
    let (mut known, mut fresh) = (false, true);
    for period in periods(live.level, row.week.start(), row.week.end()) {
        let key = moved::key(target, live, &row.line, period);
        let all = moves.revisions(&key, live.unit)?;
        let Some(to) = all.last() else { continue };
        known = true;
        let from = all.iter().rev().find(|one| then.is_some_and(|then| one.since <= then));
        was = was.zip(from.and_then(|from| from.hours)).map(|(sum, hours)| sum + hours);
        let Some(from) = from else { continue };
        fresh = false;
        let part = moves.between(&key, live, from, to)?;
        split = match (split, part) {
            (Some(split), Some(part)) => Some(split.and(part)),
            (split, part) => split.or(part),
        };
    }
    let (was, is) = (was.filter(|_| known), row.known.live);
    if was == is {
        return Ok(None);
    }
    // Where a part of the week is not known on one side, nothing of it is split.
    let split = was.zip(is).map(|(was, is)| {
        let whole = split.filter(|split| (split.from, split.to) == (was, is));
        whole.unwrap_or_else(|| Split::of(was, is, &Known::default(), Decimal::ZERO))
    });
    let (line, week, load) = (row.line.clone(), row.week, row.known.load);
    Ok(Some(Moving { line, week, was, is, split, load, fresh }))
}

/// What people took or decided about `target` and its lines.
fn acts(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    gap: &Gap,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<PersonsAct>, Failure> {
    let surface = |measure: &str| {
        let decl = target.config.measures.iter().find(|one| one.name == measure);
        decl.map_or(measure, |decl| decl.surface.as_str()).to_owned()
    };
    let mut acts = Vec::new();
    for LockedCell { lock, seen, .. } in ledger::locked_cells(reader, now)? {
        let key = &lock.key;
        let here = key.target == target.name.as_str() && key.scope == target.scope.name();
        if here && lock.kind == LockKind::Send {
            let measure = surface(&key.measure);
            let there = seen.map_or(String::new(), |seen| match seen.value {
                Some(value) => format!(": {} stands there", value.normalize()),
                None => ": nothing stands there".to_owned(),
            });
            acts.push(PersonsAct {
                kind: PersonsActKind::Took,
                what: format!(
                    "{} at {}, {}, {measure}{there}",
                    key.resource, key.location, key.period
                ),
                who: lock.owner,
                why: lock.reason,
                at: Some(lock.since),
                until: Some(lock.until),
            });
        }
    }
    let state = &loaded.config.state;
    let decisions = pauses::decisions(state, &target.name)?;
    let last = decisions.len().saturating_sub(1);
    for (nth, one) in decisions.into_iter().enumerate() {
        let holds = one.paused && nth == last && one.until.is_none_or(|until| now < until);
        if holds || one.at.is_some_and(|at| at >= since) {
            let kind = if one.paused { PersonsActKind::Paused } else { PersonsActKind::Resumed };
            let what = if one.by_hand { "fed by hand" } else { "" }.to_owned();
            let (who, why) = (one.who, one.why);
            acts.push(PersonsAct { kind, what, who, why, at: one.at, until: one.until });
        }
    }
    acts.extend(of_measures(loaded, target, now)?);
    acts.extend(acts_of(&gap.decided));
    acts.extend(dropped(loaded, reader, target, gap, since)?);
    acts.sort();
    Ok(acts)
}

/// What people let be written: measures of others, and values that we never landed.
fn of_measures(
    loaded: &Loaded,
    target: &OpenTarget,
    now: Timestamp,
) -> Result<Vec<PersonsAct>, Failure> {
    let (state, mut acts) = (&loaded.config.state, Vec::new());
    for one in policy::promotions(state, &target.name, now)? {
        let mut measures = target.config.measures.iter().collect::<Vec<_>>();
        // What is ours needs no promotion, and is named by none.
        measures.retain(|decl| {
            decl.owner != Owner::Bridge
                && WriteGrant::promoted(decl, &target.scope, &one, now).is_ok()
        });
        let measures: Vec<&str> = measures.iter().map(|decl| decl.surface.as_str()).collect();
        acts.push(PersonsAct {
            kind: PersonsActKind::Promoted,
            what: measures.join(", "),
            who: one.who().to_owned(),
            why: one.why().to_owned(),
            at: None,
            until: Some(one.until()),
        });
    }
    for (at, one) in adopt::adoptions(state, &target.name)? {
        let measures = target.config.measures.iter();
        let covered = measures.filter(|decl| one.covers(decl, &target.scope));
        let covered: Vec<&str> = covered.map(|decl| decl.surface.as_str()).collect();
        // What it is about is declared no more, or at another surface.
        if !covered.is_empty() {
            acts.push(PersonsAct {
                kind: PersonsActKind::Adopted,
                what: covered.join(", "),
                who: one.who().to_owned(),
                why: one.why().to_owned(),
                at,
                until: None,
            });
        }
    }
    Ok(acts)
}

/// What was decided for days, each with the lines that it is about.
fn acts_of(all: &BTreeMap<(Line, Period), Vec<DecidedChange>>) -> impl Iterator<Item = PersonsAct> {
    let mut lines: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((line, _), all) in all {
        let name = format!("{} at {}", line.line, line.plant);
        for one in all {
            let here = lines.entry(one.clone()).or_default();
            if !here.contains(&name) {
                here.push(name.clone());
            }
        }
    }
    lines.into_iter().map(|(one, lines)| {
        let kind = match one.kind {
            _ if one.supposed => PersonsActKind::Supposed,
            _ if one.proposed => PersonsActKind::Proposed,
            DecidedKind::Closed => PersonsActKind::Closed,
            DecidedKind::Extra => PersonsActKind::Extra,
            DecidedKind::PlannedStop => PersonsActKind::PlannedStop,
        };
        let what = format!("{}: {}", one.kind_and_days(), lines.join(", "));
        PersonsAct { kind, what, who: one.owner, why: one.reason, at: None, until: None }
    })
}

/// What stood in a sheet at `since`, for the weeks that are compared, and stands in none now.
fn dropped(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    gap: &Gap,
    since: Timestamp,
) -> Result<Vec<PersonsAct>, Failure> {
    let plant = &loaded.config.plant;
    let now = decided::sheets(plant, reader, &target.config)?;
    let rows = decided::dropped(plant, reader, &now, since)?;
    let weeks = gap.compared.rows.iter().map(|row| row.week).collect();
    let mut found = decided::of(loaded, &rows, &target.config, &weeks);
    // What stands in a calendar was not taken out of a sheet.
    found.values_mut().for_each(|all| all.retain(|one| one.sheet_kind.is_some()));
    let kind = PersonsActKind::Dropped;
    Ok(acts_of(&found).map(|act| PersonsAct { kind, ..act }).collect())
}
