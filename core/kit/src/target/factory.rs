//! How one kind of target is made: what a connector crate gives to the program.

use std::{path::PathBuf, sync::Arc};

use planthread_contracts::{MeasureDecl, Scope};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{SettingsFault, Starter, TargetContext};
use crate::{BoxFuture, Connector, ConnectorError};

/// Creates at the target what a connector ships for it.
pub type Provide =
    for<'a> fn(&'a TargetContext<'a>) -> BoxFuture<'a, Result<Vec<Provided>, ConnectorError>>;

/// One thing that a connector ships for its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Provided {
    /// The target's name for it.
    pub name: String,
    /// Whether it was created now; else it was there.
    pub created: bool,
    /// Whether what was there is something else than what is shipped. It stays.
    pub differs: bool,
}

/// One kind of target. A connector crate has one constant of it, and the
/// program's registry is a list of those.
#[derive(Debug, Clone, Copy)]
pub struct TargetFactory {
    /// The connector's name in the configuration.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What a new user begins with.
    pub starter: Starter,
    /// JSON Schema of its settings.
    pub schema: fn() -> Value,
    /// Checks settings and measures without touching the target; the field of
    /// a fault is the path below `settings`.
    pub validate: fn(&Value, &[MeasureDecl]) -> Result<(), SettingsFault>,
    /// Where a target with these settings is, when its cells live in the scope: the
    /// [`address`](crate::Info::address) of its connector. What has the same one is
    /// the same place; settings that can't be read have none.
    pub address: fn(&Value, &Scope) -> Option<String>,
    /// Files that the settings name, by field; of settings that can't be read
    /// there are none.
    pub files: fn(&Value) -> Vec<(String, PathBuf)>,
    /// Puts the connector together; the field of a fault is the path below the
    /// target.
    pub build: fn(&TargetContext<'_>) -> Result<Arc<dyn Connector>, SettingsFault>,
    /// Creates at the target what the connector ships for it (models, tables), when
    /// a person asks for it; what is there stays. `None` where it ships nothing.
    pub provide: Option<Provide>,
}
