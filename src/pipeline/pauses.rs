//! A person's word that nothing is sent to a target for now, or that it is let go.
//! It is a record of the state, so a bridge that runs beside the verb obeys it.
//!
//! A person may say more: that the target is fed by hand meanwhile. Then it is not
//! asked anything either, and everything in it is read before it is sent something
//! again, whether a bridge ran in that time or not.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use planthread_engine::fallback::{self, Hand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bridge, OpenTarget, records};
use crate::{
    config::{Loaded, Target},
    failure::{Exit, Failure},
};

/// How often a walk under way looks whether its target was paused.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRecord {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// Whether the target is paused, or let go.
    pub paused: bool,
    /// Until when it is paused; until somebody lets it go, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether a person feeds it from the pack while it is paused.
    #[serde(default, skip_serializing_if = "is_not")]
    pub by_hand: bool,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_not(said: &bool) -> bool {
    !*said
}

impl PauseRecord {
    /// Whether nothing is sent because of it at `now`.
    fn holds(&self, now: Timestamp) -> bool {
        self.paused && self.until.is_none_or(|until| now < until)
    }

    /// Who, why and until when, in one line.
    fn line(&self) -> String {
        let Self { who, why, until, by_hand, .. } = self;
        let by_hand = if *by_hand { "fed by hand, " } else { "" };
        let until = until.map_or_else(String::new, |until| format!(", until {until}"));
        format!("{by_hand}{who}: {why}{until}")
    }
}

/// Every decision about `target`, the oldest first.
///
/// # Errors
/// When a record can't be read.
pub fn decisions(state: &Path, target: &str) -> Result<Vec<PauseRecord>, Failure> {
    let read = |text: &str| serde_json::from_str::<PauseRecord>(text);
    let known = records::read_with_time(&folder(state, target), read)?;
    // One that does not say when it was decided is called by it: else it would be said to
    // begin whenever somebody looks.
    let with_time = |(named, record): (Option<Timestamp>, PauseRecord)| PauseRecord {
        at: record.at.or(named),
        ..record
    };
    Ok(known.into_iter().map(with_time).collect())
}

fn folder(state: &Path, target: &str) -> PathBuf {
    state.join("pauses").join(target)
}

/// Keeps a decision about `target`, and says where.
///
/// # Errors
/// When it would have ended already, or can't be written.
pub fn decide(
    state: &Path,
    target: &str,
    record: &PauseRecord,
    now: Timestamp,
) -> Result<PathBuf, Failure> {
    if let Some(until) = record.until.filter(|until| *until <= now) {
        return Err(Failure::usage(format!(
            "the pause would have ended at {until}, and it is {now}"
        ))
        .cure("name a later instant with --until, or leave it out: it then holds until `resume`"));
    }
    let record = PauseRecord { at: Some(now), ..record.clone() };
    let text = serde_json::to_string(&record)
        .map_err(|error| Failure::internal(format!("can't write the record: {error}")))?;
    records::keep(&folder(state, target), &text, now)
}

/// Why nothing is sent to a target now: what the configuration says, else what
/// a person said last; `None` where nothing is in the way.
///
/// # Errors
/// When a record can't be read: a pause that can't be read must not be taken for
/// none.
pub fn paused(loaded: &Loaded, target: &OpenTarget) -> Result<Option<String>, Failure> {
    // The truth of a cycle is older than now, and says nothing about a pause.
    paused_by(loaded, &target.name, &target.config, target.clock.now())
}

/// The same at `now`, of a target that is not open.
///
/// # Errors
/// When a record can't be read.
pub fn paused_by(
    loaded: &Loaded,
    name: &str,
    config: &Target,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    if let Some(why) = &config.policy.paused {
        return Ok(Some(why.clone()));
    }
    let last = decisions(&loaded.config.state, name)?.pop();
    Ok(last.filter(|record| record.holds(now)).map(|record| record.line()))
}

impl Bridge {
    /// Notes a time in which a person fed `target` by hand, so that it is read before it
    /// is sent something; what stands in the way, where it lasts.
    ///
    /// # Errors
    /// When a record can't be read, or the state can't be read or written.
    pub(super) fn by_hand(
        &self,
        target: &OpenTarget,
        pack_of: Option<Timestamp>,
    ) -> Result<Option<Failure>, Failure> {
        let (state, now) = (&self.loaded.config.state, target.clock.now());
        let decisions = decisions(state, &target.name)?;
        let Some(last) = decisions.iter().rfind(|record| record.by_hand) else { return Ok(None) };
        let (since, said) = (last.at.unwrap_or(now), last.line());
        let lasts = last.holds(now) && decisions.last() == Some(last);
        let hand = Hand { said: &said, since, lasts, pack_of };
        fallback::by_hand(&self.state, &target.name, hand, now)?;
        Ok(lasts.then(|| {
            let name = &target.name;
            Failure::new(Exit::Held, format!("{said}; it is asked nothing since {since}"))
                .cure(format!("`planthread fallback leave {name} --who NAME` reads it and goes on"))
                .explain("fallback")
        }))
    }

    /// Why `target` is paused now. What can't be read is told by the walk.
    fn paused_now(&self, target: &OpenTarget) -> Option<String> {
        paused(&self.loaded, target).ok().flatten()
    }

    /// Whether `target` is paused now.
    pub(super) fn is_paused(&self, target: &OpenTarget) -> bool {
        self.paused_now(target).is_some()
    }

    /// Completes when `target` is paused or let go, where `paused` was last.
    pub(super) async fn pause_moves(&self, target: &OpenTarget, paused: bool) {
        while self.is_paused(target) == paused {
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Completes when somebody pauses `target`, which was not paused when it began.
    pub(super) async fn pause_of(&self, target: &OpenTarget) -> String {
        if self.is_paused(target) {
            std::future::pending::<()>().await;
        }
        loop {
            self.clock.sleep(LOOK_EVERY).await;
            if let Some(why) = self.paused_now(target) {
                return why;
            }
        }
    }
}
