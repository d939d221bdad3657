//! Cells that a target refused, as they are told, and when the master data was read
//! that they wait for.

use jiff::Timestamp;
use planthread_contracts::CellKey;
use planthread_engine::status::Reject;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, refused_places,
    text_table::{count, instant},
};
use crate::pipeline::Undecided;

/// A cell that a target refused.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RejectedCell {
    /// The cell.
    pub cell: String,
    /// The same in its parts.
    #[serde(skip)]
    pub key: CellKey,
    /// The value that it refused.
    pub value: String,
    /// Why, in the target's words.
    pub reason: String,
    /// The target's own code for it, where it told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to do.
    pub cure: String,
    /// Who is asked.
    pub owner: String,
    /// Since when.
    pub at: Timestamp,
    /// What has become of it: `open` waits for somebody, `retried` goes out again,
    /// `landed` was seen, `dismissed` says that nothing is to come of it, `expired` that
    /// nothing can.
    pub state: String,
    /// When it ended, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended, and who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_why: Option<String>,
    /// Items of master data behind it that the target did not list when they were read
    /// last: it goes out again, once, when one of them is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl RejectedCell {
    /// As it is told.
    #[must_use]
    pub fn of(reject: Reject) -> Self {
        let why = match (reject.why.is_empty(), reject.who.is_empty()) {
            (true, _) => None,
            (false, true) => Some(reject.why),
            (false, false) => Some(format!("{}: {}", reject.who, reject.why)),
        };
        Self {
            cell: reject.key.to_string(),
            value: reject.value.to_string(),
            reason: reject.reason,
            code: reject.vendor_code,
            cure: reject.cure,
            owner: reject.owner,
            at: reject.at,
            state: reject.state.word().to_owned(),
            ended_at: reject.ended_at,
            ended_why: why,
            missing: reject.missing,
            key: reject.key,
        }
    }
}

/// When the master data of a target was read that has refused cells.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MasterWait {
    /// The configured target.
    pub target: String,
    /// When it was read last; left out before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// When it was tried last; left out before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
    /// Why it could not be read, or not as a whole, at the last try.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unread: String,
}

impl MasterWait {
    fn write(&self, text_table: &mut TextTable) {
        let Self { target, looked_at, unread, .. } = self;
        let looked = match looked_at {
            Some(at) => format!("looked last at {at}"),
            None => "not looked yet".to_owned(),
        };
        text_table.line(format!("  {target} waits for master data, too: {looked}"));
        if !unread.is_empty() {
            text_table.line(format!("      {}: {unread}", text_table.tint(Tone::Warn, "not read")));
        }
    }
}

/// Lines of one kind that a person is shown; a faulty file has a hundred thousand.
const SHOWN: usize = 50;

/// Writes the first of `all`, and says how many there are beside them.
pub(super) fn some<T>(text_table: &mut TextTable, all: &[T], write: impl Fn(&mut TextTable, &T)) {
    all.iter().take(SHOWN).for_each(|one| write(text_table, one));
    let more = all.len().saturating_sub(SHOWN);
    if more > 0 {
        text_table.line(format!("  and {more} more: `planthread rejects --json` has them all"));
    }
}

/// Writes those that wait, when the master data was read that they wait for, and those
/// that wait no more.
pub(super) fn write(
    text_table: &mut TextTable,
    (cells, over): (&[RejectedCell], &[RejectedCell]),
    master_data: &[MasterWait],
) {
    if !cells.is_empty() {
        text_table.line(text_table.tint(Tone::Bold, "Cells that a target refused"));
    }
    refused_places::open(text_table, cells);
    master_data.iter().for_each(|one| one.write(text_table));
    if !over.is_empty() {
        let heading = "Refused cells that wait for nobody any more";
        text_table.line(text_table.tint(Tone::Bold, heading));
    }
    refused_places::over(text_table, over);
}

/// Writes what was sent and may still come.
pub(super) fn undecided(text_table: &mut TextTable, all: &[Undecided]) {
    if !all.is_empty() {
        let heading = "Cells that were sent and are not decided yet";
        text_table.line(text_table.tint(Tone::Bold, heading));
    }
    for one in all {
        let scope = if one.scope.is_empty() { "base" } else { &one.scope };
        let (cells, since) = (count(one.cells, "cell"), instant(one.since));
        let until = one.until.map_or_else(
            || "their time is over, and the next read-back decides".to_owned(),
            |until| {
                let minutes = one.settle_minutes;
                let until = instant(until);
                format!(
                    "they may come until {until} (policy.settle_minutes: {minutes}), a read-back \
                     after it decides"
                )
            },
        );
        text_table.line(format!("  {}/{scope}: {cells}, sent since {since}: {until}", one.target));
        text_table.line(format!(
            "      what is refused of them is named here then: `planthread verify {}`",
            one.target
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_lines_the_first_are_shown_and_the_others_counted() {
        for (lines, more) in [(SHOWN, None), (SHOWN + 7, Some("and 7 more"))] {
            let mut text_table = TextTable::new(false);
            let all: Vec<usize> = (0..lines).collect();
            some(&mut text_table, &all, |text_table, one| {
                text_table.line(format!("  {one}"));
            });
            let text = text_table.into_text();
            assert_eq!(text.lines().count(), SHOWN + more.iter().count());
            assert!(text.contains(more.unwrap_or("  0\n")), "{text}");
        }
    }
}
