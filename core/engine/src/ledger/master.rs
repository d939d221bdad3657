//! The master data behind what a target refused: what it lists of the places, measures
//! and scopes that are written to it. When that is another than it was, what was refused
//! for it goes out again, once.
//!
//! Only two readings are compared, item by item. What one of them could not tell is no
//! change, and something that is gone cures nothing: it is remembered, and its return is
//! a change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::GroupKey;
use planthread_kit::Discovery;
use serde::{Deserialize, Serialize};

use super::{
    mapped::{MEASURES, Mapped},
    rejections::{RejectState, standing},
    revision_tally::RevisionTally,
    rows::Why,
};
use crate::{
    Reader, State,
    error::Result,
    plan::place_name,
    store::{Db, Tx, rejections::Rejected},
};

/// Between two readings of a target's master data.
const BETWEEN: SignedDuration = SignedDuration::from_hours(24);
/// After a reading that failed.
const AFTER_FAULT: SignedDuration = SignedDuration::from_hours(1);

/// What is asked of a target's master data: what the mapping of the target names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterAsked {
    /// Resources with their locations.
    pub places: BTreeSet<(String, String)>,
    /// Measures, by the target's names for them.
    pub surfaces: BTreeSet<String>,
    /// The scope; empty for base.
    pub scope: String,
}

/// What a target lists, by item; an item that was not told is not in it, one that is not
/// there has an empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MasterData(BTreeMap<String, String>);

/// The last reading of a target's master data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MasterLook {
    /// When it was tried last.
    pub tried_at: Timestamp,
    /// When it was read last; `None` before the first time.
    pub looked_at: Option<Timestamp>,
    /// Why it could not be read, or not as a whole, at the last try; else empty.
    pub said: String,
    pub(crate) asked: MasterAsked,
    pub(crate) found: MasterData,
}

impl MasterData {
    /// What `found` tells of what is `asked`, and what of it could not be read. A list
    /// that is empty tells nothing, and while a part could not be read, nothing is said
    /// not to be there.
    #[must_use]
    pub fn of(asked: &MasterAsked, found: &Discovery) -> (Self, String) {
        let unread = found.findings.iter().find(|f| !f.ok && !f.proven && f.needs.is_none());
        let mut data = Self::default();
        let mut put = |item: String, how: Option<String>| {
            if how.is_some() || unread.is_none() {
                data.0.insert(item, how.unwrap_or_default());
            }
        };
        if !found.resources.is_empty() {
            let listed: BTreeSet<_> = found.resources.iter().collect();
            for place in &asked.places {
                put(of_place(&place.0, &place.1), listed.contains(place).then(|| "listed".into()));
            }
        }
        if !found.surface.is_empty() {
            for surface in &asked.surfaces {
                let item = found.surface.iter().find(|item| item.name == *surface);
                let how = |item: &planthread_kit::SurfaceItem| format!("is {}", item.declared);
                put(of_surface(surface), item.map(how));
            }
        }
        if !found.scopes.is_empty() && !asked.scope.is_empty() {
            let listed = found.scopes.contains(&asked.scope);
            put(of_scope(&asked.scope), listed.then(|| "listed".into()));
        }
        let said = unread.map_or_else(String::new, |f| format!("{}: {}", f.line, f.text));
        (data, said)
    }

    /// The items that are not there.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.0.iter().filter(|(_, how)| how.is_empty()).map(|(item, _)| item.clone()).collect()
    }

    /// What it tells of `items`.
    fn part(&self, items: &[String]) -> Self {
        let told = items.iter().filter_map(|item| Some((item.clone(), self.0.get(item)?.clone())));
        Self(told.collect())
    }

    /// Takes over what `newer` tells; whether an item is there that was not, or that
    /// was different.
    fn follow(&mut self, newer: &Self) -> bool {
        let mut cures = false;
        for (item, how) in &newer.0 {
            let was = self.0.insert(item.clone(), how.clone());
            cures |= !how.is_empty() && was.is_some_and(|was| was != *how);
        }
        cures
    }

    /// Takes over from `older` what is asked, and not told any more.
    fn keep(&mut self, older: &Self, asked: &MasterAsked) {
        for item in asked.items() {
            if let (false, Some(how)) = (self.0.contains_key(&item), older.0.get(&item)) {
                self.0.insert(item, how.clone());
            }
        }
    }
}

impl MasterAsked {
    fn items(&self) -> Vec<String> {
        let places = self.places.iter().map(|(resource, location)| of_place(resource, location));
        let scope = (!self.scope.is_empty()).then(|| of_scope(&self.scope));
        places.chain(self.surfaces.iter().map(|name| of_surface(name))).chain(scope).collect()
    }
}

fn of_place(resource: &str, location: &str) -> String {
    format!("place {}", place_name(resource, location, None))
}

fn of_surface(surface: &str) -> String {
    format!("measure {surface}")
}

fn of_scope(scope: &str) -> String {
    format!("scope {scope}")
}

/// The items that a cell of `measure` needs, as far as the mapping says which.
fn needs(group: &GroupKey, measure: Option<&str>, mapped: &Mapped) -> Vec<String> {
    let mut items = vec![of_place(&group.resource, &group.location)];
    let named = measure.and_then(|name| mapped.0.get(MEASURES)?.get(name)?.get("surface"));
    items.extend(named.map(|surface| of_surface(surface)));
    if !group.scope.is_empty() {
        items.push(of_scope(&group.scope));
    }
    items
}

/// What was listed of a target when one of its cells was refused: as it was read last.
pub(super) struct Before {
    look: MasterLook,
    mapped: Mapped,
}

impl Before {
    pub(super) fn of(tx: &Tx<'_>, target: &str) -> Result<Self> {
        let mapped = tx.mapped(target)?.map(|mapped| mapped.held).unwrap_or_default();
        Ok(Self { look: tx.master_look(target)?.unwrap_or_default(), mapped })
    }

    pub(super) fn behind(&self, group: &GroupKey, measure: Option<&str>) -> MasterData {
        self.look.found.part(&needs(group, measure, &self.mapped))
    }
}

/// The last reading of a target's master data; `None` before the first try.
///
/// # Errors
/// When the state can't be read.
pub fn master_look(reader: &Reader, target: &str) -> Result<Option<MasterLook>> {
    reader.db().master_look(target)
}

/// Whether the master data of `target` is to be read: a cell that it refused waits, and
/// it was not read for a day, or never for what is `asked` now. Where the last try
/// failed, after an hour.
///
/// # Errors
/// When the state can't be read.
pub fn master_due(
    reader: &Reader,
    target: &str,
    asked: &MasterAsked,
    now: Timestamp,
) -> Result<bool> {
    reader.at_once(|db| {
        if let Some(look) = db.master_look(target)? {
            let failed = look.looked_at != Some(look.tried_at);
            let pause = if failed { AFTER_FAULT } else { BETWEEN };
            // Tried in the future: the clock was set back since.
            let rests = now.duration_since(look.tried_at).abs() < pause;
            if rests && (failed || look.asked == *asked) {
                return Ok(false);
            }
        }
        for scope in scopes(db, target)? {
            for one in db.rejections(scope)? {
                let cell = db.cell(one.id)?;
                if cell.is_some_and(|cell| standing(one.rev, &cell).0 == RejectState::Open) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    })
}

/// Keeps what was read of a target's master data, or why it could not be. What was
/// refused, and of which an item is there now that was missing or different at the
/// reading before, becomes pending. Returns how many cells.
///
/// # Errors
/// When the state can't be read or written.
pub fn master_looked(
    state: &State,
    target: &str,
    asked: MasterAsked,
    read: std::result::Result<(MasterData, String), String>,
    now: Timestamp,
) -> Result<u64> {
    let target = target.to_owned();
    state.change(move |tx| {
        let before = Before::of(tx, &target)?;
        let (mut found, said) = match &read {
            Ok((found, said)) => (found.clone(), said.clone()),
            Err(said) => {
                let look = MasterLook { tried_at: now, said: said.clone(), ..before.look };
                tx.put_master_look(&target, &look)?;
                return Ok(0);
            }
        };
        let (mut again, mut tally) = (0, RevisionTally::default());
        let names = tx.measures()?;
        for scope in scopes(tx, &target)? {
            for mut one in tx.rejections(scope)? {
                let Some(mut cell) = tx.cell(one.id)? else { continue };
                if standing(one.rev, &cell).0 != RejectState::Open {
                    continue;
                }
                let group = tx.group(one.id.grp)?.key;
                let measure = names.get(&one.id.measure).map(AsRef::as_ref);
                let known = one.master.clone();
                if one.master.follow(&found.part(&needs(&group, measure, &before.mapped))) {
                    cell.step(&mut tally, scope, planthread_contracts::RevisionState::Pending)?;
                    cell.why = Why::Retried;
                    tx.put_cell(&cell)?;
                    one = Rejected { state: RejectState::Retried, ..one };
                    again += 1;
                }
                if one.master != known {
                    tx.put_rejection(&one)?;
                }
            }
        }
        found.keep(&before.look.found, &asked);
        let look = MasterLook { tried_at: now, looked_at: Some(now), said, asked, found };
        tx.put_master_look(&target, &look)?;
        tally.flush(tx)?;
        Ok(again)
    })
}

/// The numbers of a target's scopes.
fn scopes(db: &Db, target: &str) -> Result<Vec<i64>> {
    let all = db.scopes()?.into_iter();
    Ok(all.filter(|(_, of, _)| of == target).map(|(id, ..)| id).collect())
}
