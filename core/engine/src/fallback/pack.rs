//! The current pack: wanted cells in the target's own import layout.
//!
//! It is written aside, synced, and swapped in under the name `current`; the
//! one before stays as `previous`. Between the two renames of the swap only
//! `previous` is there, so a complete pack always is.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_contracts::{Period, RevisionState};
use planthread_kit::{CellWrite, Connector, agreement::key::SigningKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    note,
    proof::{self, SIGNATURE},
};
use crate::{
    EngineError, Reader,
    audit_trail::Head,
    error::Result,
    ledger::{CellView, view::Holds},
    plan::{Policy, Verdict, guard, scan},
    store::{Db, codec, sync_dir},
};

/// The pack's own description.
pub(super) const MANIFEST: &str = "manifest.json";
/// The page for the person who loads it.
pub(super) const NOTE: &str = "README.txt";

/// What a pack is made of, and for whom.
#[derive(Debug, Clone)]
pub struct PackRequest<'a> {
    /// The scope's policy: what it holds for good (locks, questions, other
    /// people's measures, unknown) is not in the pack.
    pub policy: &'a Policy,
    /// The instant that the pack is of.
    pub as_of: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Who may load it, for the note.
    pub who: &'a str,
    /// What signs it; nothing, where it is not signed.
    pub key: Option<&'a SigningKey>,
    /// Where the audit trail ends.
    pub audit: Option<Head>,
}

/// One file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PackedFile {
    /// File name.
    pub name: String,
    /// Rows of data in it.
    pub rows: usize,
    /// Bytes.
    pub bytes: usize,
    /// SHA-256 of its contents, lower-case hex.
    pub sha256: String,
}

/// The pack's own description, `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version.
    pub planthread_pack: u32,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// The instant that it is of.
    pub as_of: Timestamp,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Timestamp>,
    /// From here on its first value is stale.
    pub valid_until: Option<Timestamp>,
    /// The ledger's counter when it was made.
    pub counter: u64,
    /// Cells in it.
    pub cells: usize,
    /// Wanted cells that are not in it, by the word of the hold: a load by hand would
    /// break that as well.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// Cells in it that went out and were not read back yet: the target may hold them
    /// already, and takes the same value once more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unproven: u64,
    /// First and last period.
    pub periods: Option<(Period, Period)>,
    /// Its files.
    pub files: Vec<PackedFile>,
    /// The note beside them, for the person who loads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<PackedFile>,
    /// Where the audit trail ended when it was written: a head that lies outside the
    /// state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Head>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Manifest {
    /// Wanted cells that are not in it.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out.values().sum()
    }
}

/// Writes the current pack of a scope into `folder`.
///
/// # Errors
/// When the state can't be read, the connector can't lay a cell out, or the
/// folder can't be written. The pack that was there stays.
pub fn write_pack(
    reader: &Reader,
    connector: &dyn Connector,
    request: &PackRequest<'_>,
    folder: &Path,
) -> Result<Manifest> {
    let (Packable { cells, left_out, unproven, valid_until }, counter) = reader
        .at_once(|db| Ok((packable(db, &request.policy.at(request.as_of))?, db.counter()?)))?;
    let files = connector.pack(&cells)?;
    let periods = || cells.iter().map(|cell| cell.key.period);
    let mut manifest = Manifest {
        planthread_pack: 1,
        target: request.policy.target.clone(),
        scope: request.policy.scope.name().to_owned(),
        as_of: request.as_of,
        written_at: Some(request.now),
        valid_until,
        counter,
        cells: cells.len(),
        left_out,
        unproven,
        periods: periods().min().zip(periods().max()),
        files: files.iter().map(|file| packed(&file.name, file.rows, &file.bytes)).collect(),
        note: None,
        audit: request.audit.clone(),
    };
    let note = note::text(&manifest, request.who, request.key.is_some());
    manifest.note = Some(packed(NOTE, 0, note.as_bytes()));
    let aside = folder.join(".part");
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(EngineError::io(&aside))?;
    }
    fs::create_dir_all(&aside).map_err(EngineError::io(&aside))?;
    for file in &files {
        write(&aside, &file.name, &file.bytes)?;
    }
    let json = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| EngineError::Stored(error.to_string()))?;
    write(&aside, MANIFEST, &json)?;
    write(&aside, NOTE, note.as_bytes())?;
    if let Some(key) = request.key {
        write(&aside, SIGNATURE, &proof::sign(&json, key)?)?;
    }
    sync_dir(&aside)?;
    swap(folder, &aside)?;
    Ok(manifest)
}

/// What the manifest says of a file.
fn packed(name: &str, rows: usize, bytes: &[u8]) -> PackedFile {
    let sha256 = codec::hex(&Sha256::digest(bytes));
    PackedFile { name: name.to_owned(), rows, bytes: bytes.len(), sha256 }
}

/// Cells that a person may load.
#[derive(Default)]
struct Packable {
    cells: Vec<CellWrite>,
    /// What they may not, by reason.
    left_out: BTreeMap<String, u64>,
    /// Those that went out and were not read back yet.
    unproven: u64,
    /// From here on the first of them is stale.
    valid_until: Option<Timestamp>,
}

/// What is wanted, and not held for a reason that a manual load would break as
/// well.
fn packable(db: &Db, policy: &Policy) -> Result<Packable> {
    let mut found = Packable::default();
    let Some(scope) = db.scope(&policy.target, policy.scope.name())? else {
        return Ok(found);
    };
    let holds = Holds::load(db, policy.now)?;
    // A pause or a blackout is the reason to load a pack, not one against it.
    let policy = Policy { paused: None, blackouts: Vec::new(), ..policy.clone() };
    scan::groups(db, scope, policy.today, |group, members| {
        for (measure, cell) in members {
            if cell.state == RevisionState::Withdrawn {
                continue;
            }
            let mut view = CellView::new(group, measure, cell, &holds);
            // Under way or unproven: a pack lands the same value again.
            (view.open_attempt, view.unclear) = (false, None);
            let is_out = matches!(view.state, RevisionState::InFlight | RevisionState::Unproven);
            if is_out {
                view.state = RevisionState::Pending;
            }
            if let Verdict::Hold(reason) = guard(&view, &policy) {
                *found.left_out.entry(reason.word().to_owned()).or_default() += 1;
                continue;
            }
            found.unproven += u64::from(is_out);
            found.cells.push(view.write());
            let until = found.valid_until.map_or(view.valid_until, |at| at.min(view.valid_until));
            found.valid_until = Some(until);
        }
        Ok(())
    })?;
    Ok(found)
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let plain = Path::new(name).file_name().is_some_and(|file| file == name);
    if !plain {
        return Err(EngineError::Refused(format!("a pack file may not be called `{name}`")));
    }
    let path = dir.join(name);
    let mut file = File::create(&path).map_err(EngineError::io(&path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(EngineError::io(&path))
}

fn swap(folder: &Path, aside: &Path) -> Result<()> {
    let (current, previous) = (folder.join("current"), folder.join("previous"));
    let rename = |from: &Path, to: &Path| -> Result<()> {
        fs::rename(from, to).map_err(EngineError::io(PathBuf::from(to)))
    };
    if current.exists() {
        if previous.exists() {
            fs::remove_dir_all(&previous).map_err(EngineError::io(&previous))?;
        }
        rename(&current, &previous)?;
    }
    rename(aside, &current)?;
    sync_dir(folder)
}
