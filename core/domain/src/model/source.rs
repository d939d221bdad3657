//! Sources: where facts come from and how their rows are read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Disambiguation, EquipmentState};

/// One source of facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name: the `source` of every record that it yields. For CloudEvents,
    /// the `source` attribute that the twin sends.
    pub name: String,
    /// Files to read, relative to the configuration file.
    #[serde(default)]
    pub files: Vec<String>,
    /// Rank among sources that speak of the same thing: the lowest wins.
    #[serde(default = "authority")]
    pub authority: u32,
    /// Which times its records may carry.
    #[serde(default)]
    pub plausible: Plausible,
    /// What a second row means whose id is known already, and which says
    /// otherwise.
    #[serde(default)]
    pub repeats: Repeats,
    /// The column by which `repeats: latest` tells the newer row: a number that
    /// grows, or a time. Without it the time of the file decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_column: Option<String>,
    /// Its files are each the whole truth of the days that they cover: a row that
    /// vanishes from one was deleted at the source, and counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// Resources that it speaks for, besides those that its `machines` name:
    /// their declared beginning holds although no row ever named them. A source
    /// speaks for nobody else until a row names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speaks_for: Vec<String>,
    /// What proves that it is alive for a machine of which it says nothing new.
    #[serde(default)]
    pub alive_by: AliveBy,
    /// Hours without proof after which it is no longer live; the plant's rule
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 87_600))]
    pub live_hours: Option<u32>,
    /// Hours without proof for which its last word is held; the plant's rule
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 87_600))]
    pub time_to_live_hours: Option<u32>,
    /// A named person let other sources speak in its place. Without it a source
    /// that falls silent caps the others (law 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<HandOver>,
    /// How its records are read.
    pub reader: SourceFormat,
}

/// How far a record's time may lie from its arrival. Beyond it a clock is wrong,
/// and the record is kept aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plausible {
    /// Days before its arrival; what lies farther back is refused. A controller
    /// whose battery is empty falls back to a date of its maker.
    #[serde(default = "past_days")]
    #[schemars(range(min = 1, max = 36_525))]
    pub past_days: u32,
    /// Minutes after its arrival; what lies farther ahead waits for a person.
    #[serde(default = "ahead_minutes")]
    #[schemars(range(max = 60))]
    pub ahead_minutes: u32,
}

/// What a second row means whose id is known already, and which says otherwise.
/// Both rows are kept whatever it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// It waits until a person accepts or refuses it.
    #[default]
    Ask,
    /// It is refused: rows of this source are never corrected.
    Refuse,
    /// It counts when it is the newer one, by its version or its file's time;
    /// where that does not tell, it waits for a person.
    Latest,
}

/// An export that is the whole truth of the days that it covers. One that loses
/// more than 5 % of its rows waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Days before it is read that it covers; a row that is older leaves it
    /// without being deleted. Absent, it covers everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub days: Option<u32>,
    /// What proves that it is whole; one that is not retracts nothing.
    pub complete: Complete,
}

/// What proves that an export is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Complete {
    /// Its last line is this one, which is no row.
    LastLine(String),
    /// Its last line, which is no row, begins so and goes on with the number of
    /// its rows.
    RowCount(String),
    /// Beside it lies a file of its name and this suffix, which is not older.
    Sibling(String),
}

impl Default for Plausible {
    fn default() -> Self {
        Self { past_days: past_days(), ahead_minutes: ahead_minutes() }
    }
}

/// What proves that a source is alive for one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AliveBy {
    /// Its rows of this machine. Of a listed machine that no row ever named, any
    /// row: it was declared to run, and never failed.
    #[default]
    OwnRows,
    /// Any of its rows: one logger writes for all machines, and no row of one
    /// means that nothing happened there.
    AnyRow,
    /// Rows of this machine in the source of this name, such as its counter.
    RowsOf(String),
}

/// From when a source speaks no more, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// From this instant on its rows count no more, and its silence caps nobody.
    pub at: Timestamp,
    /// Who decided it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The kinds of reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceFormat {
    /// Rows that name a machine and what happened to it.
    MachineEvents(MachineEvents),
    /// Rows that name a machine and its part counter.
    Counts(Counts),
    /// The six twin outputs in CloudEvents envelopes.
    Cloudevents(CloudEvents),
    /// A sheet, CSV or XLSX, of what people decided of the hours of lines and machines.
    Decisions(Decisions),
}

/// Delimited text of machine events, one journal record a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineEvents {
    /// The header, in the order of the file; a file with another is refused.
    pub header: Vec<String>,
    /// Which column holds what.
    pub columns: EventColumns,
    /// One ASCII character between fields.
    #[serde(default = "comma")]
    pub separator: char,
    /// How the time column is written.
    #[serde(default)]
    pub time: TimeFormat,
    /// Columns that make a row's stable id; all of them when empty.
    #[serde(default)]
    pub key: Vec<String>,
    /// Machine names of the file and the resources they are; a name that is a
    /// resource's id needs no entry.
    #[serde(default)]
    pub machines: BTreeMap<String, String>,
    /// What each event does to the state of its machine.
    pub events: BTreeMap<String, EventRule>,
    /// The newest row stands first in the file: of rows of one instant and rank,
    /// the lower one came first.
    #[serde(default)]
    pub newest_first: bool,
    /// From when the file tells everything, and the state at that instant.
    /// Without it the state before a machine's first event is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Begins>,
}

/// Columns of machine events, by header name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventColumns {
    /// When it happened.
    pub time: String,
    /// To which machine.
    pub machine: String,
    /// What.
    pub event: String,
}

/// What one event means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// Order among events of one machine that carry the same time: the lowest
    /// is applied first; of the same rank, the one that stands first in the file.
    #[serde(default)]
    pub rank: u32,
    /// The state that it begins; absent when it changes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<EquipmentState>,
    /// It changes nothing while the machine is in one of these states.
    #[serde(default)]
    pub unless: Vec<EquipmentState>,
}

/// From when a source tells everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Begins {
    /// The first instant of which it tells; a row before it is refused.
    pub at: Timestamp,
    /// The state of all its machines then.
    pub state: EquipmentState,
}

/// How times are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeFormat {
    /// A strftime pattern; ISO 8601 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// IANA zone of times without an offset; without it they are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What a local time means that a clock change skips or repeats. With
    /// `reject`, the default, the order of the file tells the two passes of a
    /// repeated hour apart, and what it does not tell is refused.
    #[serde(default = "reject")]
    pub disambiguation: Disambiguation,
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self { format: None, zone: None, disambiguation: reject() }
    }
}

/// Delimited text of part counters, one journal record a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The header, in the order of the file; a file with another is refused.
    pub header: Vec<String>,
    /// Which column holds what.
    pub columns: CountColumns,
    /// One ASCII character between fields.
    #[serde(default = "comma")]
    pub separator: char,
    /// How the time column is written.
    #[serde(default)]
    pub time: TimeFormat,
    /// Whether the time is the start or the end of the counted interval.
    pub stamp: Stamp,
    /// Minutes of the counted interval.
    #[schemars(range(min = 1))]
    pub interval_minutes: u32,
    /// Columns that make a row's stable id; all of them when empty.
    #[serde(default)]
    pub key: Vec<String>,
    /// Machine names of the file and the resources they are.
    #[serde(default)]
    pub machines: BTreeMap<String, String>,
    /// What a falling counter means.
    #[serde(default)]
    pub reset: CounterReset,
    /// The counter before the first row; without it the first row only sets
    /// the base, because nobody knows what was made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening_total: Option<u64>,
    /// Whether the counter counts good parts only. Required: a gross count is
    /// never taken for good output.
    pub good_parts: bool,
}

/// Columns of part counters, by header name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountColumns {
    /// Time of the interval.
    pub time: String,
    /// The machine.
    pub machine: String,
    /// Parts since the counter's zero, cumulative.
    pub total: String,
}

/// Which end of the interval a row's time names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// Its start.
    Start,
    /// Its end.
    End,
}

/// What a counter does when it falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CounterReset {
    /// It began again at zero: what it shows was made since, unless the
    /// machine's ideal cycle could never have made it; then it is a gap.
    #[default]
    Restart,
    /// It rolled over after this largest value.
    Wrap(u64),
    /// Nobody knows: the interval counts nothing, and the gap is reported.
    Gap,
}

/// CloudEvents of the six twin outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudEvents {
    /// Resource names of the twin and the resources they are; a name that is a
    /// resource's id needs no entry.
    #[serde(default)]
    pub machines: BTreeMap<String, String>,
}

/// A sheet of decided hours, with the columns `resource`, `from`, `to`, `kind`,
/// `status`, `reason`, `who` and `cycle`. It counts as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// Names of the sheet and the lines or machines they are; a name that is the id of
    /// one needs no entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub machines: BTreeMap<String, String>,
}

impl SourceFormat {
    /// Names of the source and the resources they are.
    #[must_use]
    pub const fn machines(&self) -> &BTreeMap<String, String> {
        match self {
            Self::MachineEvents(reader) => &reader.machines,
            Self::Counts(reader) => &reader.machines,
            Self::Cloudevents(reader) => &reader.machines,
            Self::Decisions(reader) => &reader.machines,
        }
    }

    /// Whether it reads what people decided, and no facts of machines.
    #[must_use]
    pub const fn is_decisions(&self) -> bool {
        matches!(self, Self::Decisions(_))
    }
}

const fn reject() -> Disambiguation {
    Disambiguation::Reject
}

const fn past_days() -> u32 {
    3_650
}

const fn ahead_minutes() -> u32 {
    5
}

const fn authority() -> u32 {
    100
}

const fn comma() -> char {
    ','
}
