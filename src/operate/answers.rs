//! The answers of `/healthz` and `/readyz`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    failure::Exit,
    report::{TextTable, View},
};

/// Whether the process lives and its loops turn.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    /// Whether all of them do.
    pub healthy: bool,
    /// Now, by this machine's clock.
    pub now: Timestamp,
    /// Seconds after which a loop that has not come round is late.
    pub stall_seconds: u64,
    /// Loop by loop.
    pub loops: Vec<LoopHealth>,
}

/// How one loop stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LoopHealth {
    /// `rounds` for the factory's side, `target NAME` for a target, `alerts` for messages.
    pub name: String,
    /// When it came round last.
    pub at: Timestamp,
    /// Whether that is too long ago.
    pub late: bool,
}

/// Whether the bridge can do its work. A target that is away does not make it
/// unready: records must be taken in all the same, and nobody else could reach that
/// target, either.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Ready {
    /// Whether it can.
    pub ready: bool,
    /// Why not; empty where it can.
    pub why: Vec<String>,
    /// Now, by this machine's clock.
    pub now: Timestamp,
    /// When the last round went well; none before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_round: Option<Timestamp>,
    /// Why the last round could not be made; none where it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_failed: Option<String>,
    /// How each target stands, whether ready or not.
    pub targets: Vec<TargetReady>,
}

/// How one target stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TargetReady {
    /// The configured target.
    pub target: String,
    /// Since when every try to reach it failed; none while it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_since: Option<Timestamp>,
    /// Who lets nothing be sent to it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// How the breaker stands that is furthest from closed: closed, open, half_open.
    pub breaker: String,
    /// How each of its breakers stands, by what is asked: read, write, poll.
    pub breakers: BTreeMap<&'static str, &'static str>,
    /// When a cycle was last done in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_done: Option<Timestamp>,
    /// What stopped the last cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

impl View for Health {
    const OUTPUT: &'static str = "run health";

    fn write(&self, text_table: &mut TextTable) {
        for one in &self.loops {
            let late = if one.late { ": late" } else { "" };
            text_table.line(format!("{}, {}{late}", one.name, one.at));
        }
    }

    fn exit(&self) -> Exit {
        if self.healthy { Exit::Ok } else { Exit::Findings }
    }
}

impl View for Ready {
    const OUTPUT: &'static str = "run ready";

    fn write(&self, text_table: &mut TextTable) {
        for why in &self.why {
            text_table.line(why);
        }
    }

    fn exit(&self) -> Exit {
        if self.ready { Exit::Ok } else { Exit::Findings }
    }
}
