//! Decided hours against what happened in them: a line for each row and machine.

use jiff::Timestamp;
use planthread_domain::{
    accuracy::DecidedAgainst,
    calendar::span::hours,
    decode::{HoursKind, OtherEnd},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, short, shown};

/// One confirmed row of a sheet of decisions that is over, for a line or machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecidedAccuracy {
    /// The line or machine.
    pub resource: String,
    /// The line or machine that the row names.
    pub decided_for: String,
    /// What was decided.
    pub kind: HoursKind,
    /// The other end of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherEnd>,
    /// The first instant.
    pub from: String,
    /// The first instant after it.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub who: String,
    /// The planning cycle to which it belongs.
    pub cycle: Option<String>,
    /// Hours that it moved against the calendar; less than nothing where it closed.
    pub decided: Decimal,
    /// What the machine did in those hours; absent of a line, whose machines stand by
    /// themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub happened: Option<HoursHappened>,
    /// Standard hours of the good output that was counted in them; absent where nobody
    /// counted all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Decimal>,
    /// How much of the hours was worked.
    pub worked: HoursWorked,
    /// What was decided, in words, and from when until when in the zone of the line.
    #[serde(skip)]
    local: [String; 2],
    /// Whether it took hours away.
    #[serde(skip)]
    closes: bool,
}

/// What a machine did in decided hours. The parts sum to the hours without their sign.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HoursHappened {
    /// It worked, or was set up.
    pub worked: Decimal,
    /// It was able to work and stood: without order, operator or parts.
    pub standby: Decimal,
    /// It was stopped as planned, or told as not scheduled.
    pub planned: Decimal,
    /// It was down.
    pub down: Decimal,
    /// Nobody told.
    pub unknown: Decimal,
}

/// How much of the hours of a decision was worked, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoursWorked {
    /// All of them.
    All,
    /// Some of them.
    Some,
    /// None of them.
    None,
    /// The row moved no hour: the calendar had them already, or had none to close.
    MovedNothing,
    /// Of some of them nobody told.
    Unknown,
    /// It is a line: its machines say it.
    SeeMachines,
}

impl HoursWorked {
    fn of(one: &DecidedAgainst) -> Self {
        let Some(happened) = one.happened else { return Self::SeeMachines };
        let all = one.moved.abs();
        match happened.worked {
            _ if all == 0 => Self::MovedNothing,
            _ if happened.unknown > 0 => Self::Unknown,
            0 => Self::None,
            worked if worked == all => Self::All,
            _ => Self::Some,
        }
    }

    const fn words(self, closed: bool) -> &'static str {
        match (self, closed) {
            (Self::All | Self::Some, true) => "worked though closed",
            (Self::None, true) => "stayed closed",
            (Self::All, false) => "worked",
            (Self::Some, false) => "worked in part",
            (Self::None, false) => "not worked",
            (Self::MovedNothing, _) => "moved no hour",
            (Self::Unknown, _) => "not fully told",
            (Self::SeeMachines, _) => "see its machines",
        }
    }
}

impl DecidedAccuracy {
    pub(super) fn of(one: &DecidedAgainst) -> Self {
        let decided = &one.decided;
        let part = |ms: i64| short(hours(ms));
        let local = |at: Timestamp| match at.in_tz(&one.zone) {
            Ok(local) => local.strftime("%Y-%m-%d %H:%M").to_string(),
            Err(_) => at.to_string(),
        };
        Self {
            resource: one.resource.to_string(),
            decided_for: decided.resource.clone(),
            kind: decided.kind,
            other: decided.other.clone(),
            from: decided.from.to_string(),
            to: decided.to.to_string(),
            reason: decided.reason.clone(),
            who: decided.who.clone(),
            cycle: decided.cycle.clone(),
            decided: part(one.moved),
            happened: one.happened.map(|did| HoursHappened {
                worked: part(did.worked),
                standby: part(did.standby),
                planned: part(did.planned),
                down: part(did.down),
                unknown: part(did.unknown),
            }),
            made: one.made.map(short),
            worked: HoursWorked::of(one),
            local: [decided.words(), format!("{} to {}", local(decided.from), local(decided.to))],
            closes: decided.closes(),
        }
    }

    fn row(&self) -> [String; 11] {
        let of = |part: fn(&HoursHappened) -> Decimal| {
            self.happened.as_ref().map_or_else(|| "-".to_owned(), |did| shown(part(did)))
        };
        let words = self.worked.words(self.closes);
        [
            self.resource.clone(),
            self.local[0].clone(),
            self.local[1].clone(),
            shown(self.decided),
            of(|did| did.worked),
            of(|did| did.standby),
            of(|did| did.planned),
            of(|did| did.down),
            of(|did| did.unknown),
            self.made.map_or_else(|| "-".to_owned(), shown),
            format!("{words}: {} ({})", self.reason, self.who),
        ]
    }
}

/// The table of them, and what its columns mean; nothing where nothing was decided.
pub(super) fn write(text_table: &mut TextTable, all: &[DecidedAccuracy]) {
    if all.is_empty() {
        return;
    }
    text_table.line("Hours that people decided, against what happened in them:").line("");
    let head = [
        "",
        "kind",
        "when",
        "decided h",
        "worked",
        "stood",
        "planned",
        "down",
        "not told",
        "made",
        "",
    ];
    let rows: Vec<[String; 11]> = all.iter().map(DecidedAccuracy::row).collect();
    text_table.table(head, &rows);
    for words in [
        "  decided: hours that the row moved against the calendar; the five columns behind it sum to them.",
        "  stood: without order, operator or parts; made: standard hours of the good output.",
    ] {
        let words = text_table.tint(Tone::Dim, words);
        text_table.line(words);
    }
    text_table.line("");
}
