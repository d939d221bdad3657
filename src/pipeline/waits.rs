//! What waits at a target, and for what: the plan's own answer, for `status`.

use jiff::Timestamp;
use planthread_engine::{
    Reader,
    plan::{self, Waiting},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{NotAdopted, NotPromoted, OpenPush, OpenTarget, Proportion, Upstream, policy};
use crate::{config::Loaded, failure::Failure};

/// What waits at one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Waits {
    /// The configured target.
    pub target: String,
    /// Why nothing is sent to it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Why and until when it is left alone now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
    /// Pushes that have no end yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenPush>,
    /// Cells by what they wait for.
    pub waiting: Vec<Waiting>,
    /// What was refused at the target whose scope this one takes over: what is due here
    /// waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Measures of others that nobody lets us write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_promoted: Vec<NotPromoted>,
    /// Measures of ours that hold values which we never landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_adopted: Vec<NotAdopted>,
    /// What is out of proportion, and what was changed in the mapping.
    pub proportion: Proportion,
}

impl Waits {
    /// What waits at `target` at `now`; works beside a writer.
    ///
    /// # Errors
    /// When the state or a promotion record can't be read.
    pub fn at(
        loaded: &Loaded,
        reader: &Reader,
        target: &OpenTarget,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let policy = policy::policy(loaded, target, now)?;
        Ok(Self {
            target: target.name.clone(),
            paused: policy.paused.clone(),
            quiet: policy::quiet(target, now)?.map(|quiet| quiet.message),
            open: OpenPush::of(loaded, reader, (&target.name, &target.config), now)?,
            waiting: plan::waiting(reader, &policy)?,
            upstream: Upstream::of(loaded, reader, target, now)?,
            not_promoted: NotPromoted::of(loaded, &target.name, &target.config, now)?,
            not_adopted: NotAdopted::of(loaded, reader, &target.name, &target.config)?,
            proportion: Proportion::of(loaded, reader, target, now)?,
        })
    }
}
