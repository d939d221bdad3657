//! The configuration: what exists in the plant, where it lands, and how.
//!
//! One definition is the file format, its JSON Schema and its documentation:
//! every doc comment here is shown to the person who writes the file.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_domain::model::{Mapping, Plant};
use planthread_kit::{QuotaConfig, SecretRef, http::HttpSettings, target::Network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Alerts, CellOwner, DeliverySettings, Fallback, GapFigures, GapPage, LeaseConfig, Operations,
    Pack, Policy,
};

/// The configuration of one Planthread: one plant, any number of targets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Further files of this configuration, such as one for each site, relative to the
    /// file that lists them. Mappings meet by their keys, lists follow each other; a
    /// value stands in one file only. Other paths in them begin at this file.
    #[serde(default)]
    pub include: Vec<PathBuf>,
    /// Folder of the durable state, relative to this file. One writer at a
    /// time.
    #[serde(default = "state")]
    pub state: PathBuf,
    /// Who answers for what this bridge does where nobody says `--who`, such as
    /// `capacity-team`; without it, the account of the operating system.
    #[serde(default)]
    pub identity: Option<String>,
    /// The factory side: calendars, resources, sources, rules.
    pub plant: Plant,
    /// Where the numbers land, by the name that you give each target.
    #[serde(default)]
    pub targets: BTreeMap<String, Target>,
    /// How records come in besides the files of the sources.
    #[serde(default)]
    pub intake: Intake,
    /// Who seals segments, and whose are taken, where plant and planning side are apart.
    #[serde(default)]
    pub segments: Segments,
    /// The cycle of `planthread run`.
    #[serde(default)]
    pub run: RunConfig,
    /// How far this machine's clock is trusted.
    #[serde(default)]
    pub clock: ClockConfig,
    /// Overrides by environment, chosen with `--profile NAME`: mappings merge
    /// key by key, everything else is replaced.
    #[serde(default)]
    pub profiles: BTreeMap<String, Value>,
}

/// One planning system, and what lands there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The connector, by a name that `planthread schema` lists.
    pub connector: String,
    /// The version or scenario to write; `base` is the base plan.
    #[serde(default = "base")]
    pub scope: String,
    /// Which hours of sheets of decisions count in what lands. Only a version or scenario
    /// holds what is proposed.
    #[serde(default)]
    pub decisions: DecisionsTaken,
    /// What the connector needs to know; `planthread schema CONNECTOR` prints
    /// its fields. Secrets are references: `${env:NAME}`, `${file:PATH}`,
    /// `${cmd:COMMAND}`.
    pub settings: Value,
    /// The measures, with owner, unit, scale, level and aggregation.
    pub measures: Vec<MeasureDecl>,
    /// Which resource of the plant is which resource of the target.
    pub mapping: Mapping,
    /// How the target's plan comes to use what lands.
    #[serde(default)]
    pub in_use: InUse,
    /// Who is asked about cells that the target refuses: they see who they are in
    /// `rejects`, in its workbook, and in messages.
    #[serde(default)]
    pub owners: Vec<CellOwner>,
    /// What the target's own plan says: read and compared, never written.
    #[serde(default)]
    pub gap: GapFigures,
    /// When a wanted value is held back.
    #[serde(default)]
    pub policy: Policy,
    /// How often and how long a batch is tried, and a job waited for.
    #[serde(default)]
    pub delivery: DeliverySettings,
    /// Our share of the target's request rate.
    #[serde(default)]
    pub quota: QuotaConfig,
    /// What happens to a landed value when its source falls silent.
    #[serde(default)]
    pub fallback: Fallback,
    /// Where the pack for the manual route is written.
    #[serde(default)]
    pub pack: Option<Pack>,
    /// Proxy and private authority of the way there.
    #[serde(default)]
    pub network: Network,
    /// How patient the requests are, and how large answers may be.
    #[serde(default)]
    pub http: HttpSettings,
}

impl Target {
    /// Where its cells live.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.scope == base() { Scope::base() } else { Scope::named(&self.scope) }
    }
}

/// Which rows of the sheets of decisions count in what lands at a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionsTaken {
    /// Those that are confirmed.
    #[default]
    Confirmed,
    /// Those that are proposed, too, as if they were confirmed. What is firm for a cycle
    /// holds what was confirmed all the same.
    Proposed,
}

/// How a landed value comes to drive the target's plan. Read only: Planthread
/// never wires anything by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InUse {
    /// The way.
    #[serde(default)]
    pub wiring: Wiring,
    /// Our measure that should drive the plan, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// The measure that does drive the plan, by its name: it is read and
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

/// The ways in which a landed value comes to drive the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wiring {
    /// Nothing: planners look at it.
    #[default]
    None,
    /// A job of the target copies it.
    Job,
    /// A calculation of the target reads it.
    Calculation,
    /// It is the driving measure itself.
    Direct,
}

/// The signature of segments, which `collect` seals and `deliver` takes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Segments {
    /// Plant side: the key that signs each segment, a secret reference such as
    /// `${file:segments.key}`. `planthread agreement key FILE` makes one and says its
    /// public half.
    pub sign_with: Option<SecretRef>,
    /// Planning side: the public half of that key, 64 hex digits. A segment that nobody
    /// signed, or somebody else, is not taken.
    pub trusted: Option<String>,
}

/// How records come in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The HTTP endpoint for CloudEvents; absent: none is opened.
    #[serde(default)]
    pub http: Option<HttpIntake>,
}

/// The HTTP endpoint for CloudEvents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpIntake {
    /// Address and port on this machine's loopback: `127.0.0.1:8787`. Other
    /// addresses are refused, because there are no tokens yet.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Largest request body in bytes.
    #[serde(default = "body_limit")]
    pub body_limit: usize,
}

/// The cycle of `planthread run`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Seconds from one cycle to the next. The instant that the plan speaks
    /// for is cut down to `plant.horizon.cycle_minutes` in any case.
    #[serde(default = "every")]
    #[schemars(range(min = 1, max = 86_400))]
    pub every_seconds: u64,
    /// The endpoints for whoever operates it; absent: none are opened.
    #[serde(default)]
    pub operations: Option<Operations>,
    /// The page for planners at `/`: what is short, and why; absent: none is served.
    #[serde(default)]
    pub page: Option<GapPage>,
    /// Messages about what must not wait for somebody to look, sent while it runs; absent:
    /// none are sent.
    #[serde(default)]
    pub alerts: Option<Alerts>,
    /// The lease that this bridge must hold to send, where another one stands by; absent:
    /// it is the only one.
    #[serde(default)]
    pub lease: Option<LeaseConfig>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self { every_seconds: every(), operations: None, page: None, alerts: None, lease: None }
    }
}

/// How far this machine's clock is trusted. Each answer of a target says what
/// time it is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// Minutes by which this clock and a target's may differ. Beyond it nothing
    /// is derived or sent.
    #[schemars(range(min = 1, max = 1_440))]
    pub tolerance_minutes: u32,
    /// Hours that may pass from one cycle to the next without a target that
    /// confirms it. After a longer step nothing is derived until one answers, or
    /// a person says that the clock is right.
    #[schemars(range(min = 1, max = 8_760))]
    pub leap_hours: u32,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self { tolerance_minutes: 5, leap_hours: 24 }
    }
}

impl Config {
    /// Makes every path absolute, beginning at `folder`.
    pub(super) fn anchor(&mut self, folder: &Path) {
        let place = |path: &mut PathBuf| *path = folder.join(&path);
        place(&mut self.state);
        for file in self.plant.sources.iter_mut().flat_map(|source| &mut source.files) {
            *file = folder.join(&file).display().to_string();
        }
        for list in self.plant.calendars.iter_mut().flat_map(|one| &mut one.holidays) {
            list.file = folder.join(&list.file).display().to_string();
        }
        self.run.lease.iter_mut().for_each(|lease| place(&mut lease.folder));
        self.run.alerts.iter_mut().for_each(|alerts| alerts.anchor(folder));
        for target in self.targets.values_mut() {
            target.network.private_ca.iter_mut().for_each(place);
            for rough in target.gap.rough_cut.iter_mut() {
                place(&mut rough.bill);
                place(&mut rough.quantities);
            }
            for pack in target.pack.iter_mut() {
                place(&mut pack.folder);
                for sftp in pack.sftp.iter_mut() {
                    place(&mut sftp.key_file);
                    place(&mut sftp.known_hosts);
                }
            }
        }
    }
}

fn state() -> PathBuf {
    PathBuf::from("planthread-state")
}

fn base() -> String {
    "base".to_owned()
}

const fn every() -> u64 {
    3_600
}

/// One mebibyte.
const fn body_limit() -> usize {
    1 << 20
}
