//! Take back: after a wrong clock, truth of an earlier instant counts again.
//!
//! Order is the ledger's counter, so nothing is undone: revisions stay, and the
//! next truth makes newer ones. Only the instant up to which the cells are said
//! to be known is set back, by a named person who says why.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EngineError, State,
    error::Result,
    ledger::{CaseKind, TakenIn, revision_tally::RevisionTally},
    store::{Tx, holds::Found},
};

/// Who takes back what, and why.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// The configured target.
    pub target: String,
    /// Truth of this instant and later is taken in again.
    pub to: Timestamp,
    /// Who answers for it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakenBack {
    /// The configured target.
    pub target: String,
    /// The instant of the truth that was the last one.
    pub from: Timestamp,
    /// Truth of this instant and later is taken in again.
    pub to: Timestamp,
    /// Cells that had later truth.
    pub cells: usize,
}

/// No target can ask for a longer pause (the kit believes a day).
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Takes back all truth of `request.target` that is later than `request.to`.
///
/// # Errors
/// When nobody answers for it, `to` is in the future, there is no later truth,
/// or the state can't be written.
pub fn take_back(state: &Arc<State>, request: TakeBack, now: Timestamp) -> Result<TakenBack> {
    let refuse = |why: &str| Err(EngineError::Refused(why.to_owned()));
    if request.who.trim().is_empty() || request.why.trim().is_empty() {
        return refuse("truth is taken back by somebody for a reason; name both");
    }
    if request.to > now {
        return refuse(
            "truth can't be taken back to an instant that is still to come; name now or earlier",
        );
    }
    state.change(move |tx| run(tx, &request, now))
}

fn run(tx: &Tx<'_>, request: &TakeBack, now: Timestamp) -> Result<TakenBack> {
    let TakeBack { target, to, who, why } = request;
    let from = tx.last_truth(target)?.filter(|from| from > to).ok_or_else(|| {
        EngineError::Refused(format!(
            "`{target}` has no truth later than {to}; nothing to take back"
        ))
    })?;
    let all = tx.scopes()?.into_iter();
    let scopes: Vec<i64> = all.filter(|(_, of, _)| of == target).map(|(id, ..)| id).collect();
    let mut cells = 0;
    for scope in &scopes {
        cells += tx.lower_truth(*scope, *to)?;
    }
    tx.drop_pauses_after(now.checked_add(LONGEST_PAUSE).unwrap_or(Timestamp::MAX))?;
    let counter = RevisionTally::default().flush(tx)?;
    let wide = u64::try_from(cells).unwrap_or(u64::MAX);
    tx.insert_taken_in(&TakenIn {
        counter,
        target: target.clone(),
        as_of: *to,
        at: now,
        cells: wide,
        made: 0,
    })?;
    let record = Found {
        kind: CaseKind::TakenBack,
        owner: who.clone(),
        text: why.clone(),
        example: format!("truth of {from}, taken back to {to}"),
        cells: wide,
    };
    for scope in scopes {
        let id = tx.file_case(scope, &record, now)?;
        tx.close_case(id, who, now)?;
    }
    Ok(TakenBack { target: target.clone(), from, to: *to, cells })
}
