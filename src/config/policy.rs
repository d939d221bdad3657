//! What is held back, what happens when a source falls silent, where packs go.

use std::{collections::BTreeMap, path::PathBuf};

use planthread_kit::SecretRef;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SftpPlace;

/// When a wanted value is held back instead of sent. The reason stands beside
/// each held value, and `planthread explain REASON` says more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Weeks from the current one in which the plan cut does not move. Live
    /// figures land there all the same.
    #[schemars(range(max = 520))]
    pub frozen_weeks: u32,
    /// Hours after the cut-off by which every value that is firm must be proven at the
    /// target: later it is a missed cut.
    #[schemars(range(max = 744))]
    pub cut_within_hours: u32,
    /// Weeks after its end for which a past period still takes corrections.
    /// After that it is closed and stays as it is. 13, a quarter, by default.
    #[schemars(range(max = 520))]
    pub closed_after_weeks: u32,
    /// Smallest difference from what the target holds that is worth sending,
    /// by measure name, in the measure's unit. Every difference is sent where
    /// nothing is said.
    pub significance: BTreeMap<String, Decimal>,
    /// Minutes that the target may take until a write can be read back.
    #[schemars(range(max = 10_080))]
    pub settle_minutes: u32,
    /// Whether a named person is asked before anything lands in a scope for the first time.
    /// A sandbox of this machine asks nobody.
    pub first_landing: FirstLanding,
    /// Why nothing is sent to this target at all, for as long as this line
    /// stands here.
    pub paused: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            frozen_weeks: 0,
            cut_within_hours: 24,
            closed_after_weeks: 13,
            significance: BTreeMap::new(),
            settle_minutes: 15,
            first_landing: FirstLanding::Ask,
            paused: None,
        }
    }
}

/// What becomes of a first landing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstLanding {
    /// It waits for a named person: `planthread release question all first --who WHO --why
    /// WHY`.
    #[default]
    Ask,
    /// It goes, like every other landing that is in proportion.
    Go,
}

/// What happens to a landed value when its source falls silent, or its cell
/// leaves the plan. Holding and falling back follow the plant's rules; this
/// says what the target is able to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fallback {
    /// What a cell becomes that left the plan.
    pub withdraw: Withdraw,
    /// The same for single measures, by name, where it differs.
    pub measures: BTreeMap<String, Withdraw>,
}

/// What a cell becomes that left the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withdraw {
    /// It stays as it is, and is reported.
    #[default]
    Leave,
    /// Zero lands; a status becomes unknown, and stamps stay as they are.
    Zero,
}

/// The pack for the manual route: the same cells in the target's own import
/// format, written after every cycle that landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Folder for the pack, best on another machine, because on the day it is
    /// needed this one may be gone.
    pub folder: PathBuf,
    /// Who may load it by hand, for its note; the planner in charge of the target by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
    /// The key that signs it, a secret reference such as `${file:pack.key}`, so that
    /// whoever loads it can tell that nobody changed it. `planthread agreement key FILE`
    /// makes one and says its public half, which belongs to the people who load packs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_with: Option<SecretRef>,
    /// A second place, on another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sftp: Option<SftpPlace>,
}
