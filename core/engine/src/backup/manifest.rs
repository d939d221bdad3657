//! What a backup says of itself, `backup.json`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Component, Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    EngineError,
    error::Result,
    store::{self, codec},
};

/// Its file.
pub(super) const FILE: &str = "backup.json";
/// The layout that this program writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Bytes that are copied at once.
const CHUNK: usize = 1 << 16;

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct BackedUp {
    /// Its place in the state directory, with `/` between folders.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of its contents, lower-case hex.
    pub sha256: String,
}

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct BackupManifest {
    /// Format version.
    pub planthread_backup: u32,
    /// Version of the program that made it.
    pub program: String,
    /// Version of the database's schema.
    pub schema: i64,
    /// When it was begun: nothing that was acknowledged before is missing.
    pub made_at: Timestamp,
    /// The ledger's counter.
    pub counter: u64,
    /// Runs at each target that it knows of.
    pub runs: BTreeMap<String, u64>,
    /// Its files, the database first.
    pub files: Vec<BackedUp>,
    /// SHA-256 of all of that, lower-case hex.
    pub sha256: String,
}

impl BackupManifest {
    /// The same with its digest.
    pub(super) fn sealed(mut self) -> Result<Self> {
        self.sha256.clear();
        let text = serde_json::to_vec(&self);
        let text = text.map_err(|error| EngineError::Stored(error.to_string()))?;
        self.sha256 = codec::hex(&Sha256::digest(text));
        Ok(self)
    }

    /// The manifest of the backup in `folder`.
    ///
    /// # Errors
    /// When there is none, or it is not one that this program knows.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(EngineError::Refused(format!(
                    "{} holds no backup: there is no {FILE}; name a folder that `backup --to` made",
                    folder.display()
                )));
            }
            read => read.map_err(EngineError::io(&path))?,
        };
        let refuse = |why: String| EngineError::Backup { file: path.clone(), reason: why };
        let read: Self = serde_json::from_slice(&text).map_err(|e| refuse(e.to_string()))?;
        if read.planthread_backup != FORMAT {
            let format = read.planthread_backup;
            return Err(refuse(format!("format {format} is not {FORMAT}")));
        }
        if let Some(file) = read.files.iter().find(|file| !file.is_plain()) {
            return Err(refuse(format!("a file may not be called `{}`", file.name)));
        }
        if read.files.first().is_none_or(|file| file.name != store::FILE) {
            return Err(refuse("it names no database".to_owned()));
        }
        if read.clone().sealed()?.sha256 != read.sha256 {
            return Err(refuse("it is not what was written: its digest differs".to_owned()));
        }
        Ok(read)
    }
}

impl BackedUp {
    /// Whether the name stays in the folder, as a backup writes it.
    fn is_plain(&self) -> bool {
        let path = Path::new(&self.name);
        let plain = |part: Component<'_>| match part {
            Component::Normal(part) => !part.to_string_lossy().starts_with('.'),
            _ => false,
        };
        !self.name.is_empty() && path.components().all(plain)
    }

    /// Where it is below `folder`.
    pub(super) fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.name)
    }
}

/// Copies a file, for its owner alone and durably; what was copied.
pub(super) fn copy(from: &Path, to: &Path, name: String) -> Result<BackedUp> {
    let source = File::open(from).map_err(EngineError::io(from))?;
    let mut target = store::new_file(to).map_err(EngineError::io(to))?;
    let (bytes, sha256) =
        pass(source, from, |part| target.write_all(part).map_err(EngineError::io(to)))?;
    target.sync_all().map_err(EngineError::io(to))?;
    Ok(BackedUp { name, bytes, sha256 })
}

/// What the file `path` is.
pub(super) fn digest(path: &Path, name: String) -> Result<BackedUp> {
    let file = File::open(path).map_err(EngineError::io(path))?;
    let (bytes, sha256) = pass(file, path, |_| Ok(()))?;
    Ok(BackedUp { name, bytes, sha256 })
}

/// Gives the file's parts to `each`; its length and digest.
fn pass(
    mut file: File,
    path: &Path,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(u64, String)> {
    let (mut hash, mut bytes, mut part) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = file.read(&mut part).map_err(EngineError::io(path))?;
        let Some(part) = part.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        bytes += part.len() as u64;
        each(part)?;
    }
    Ok((bytes, codec::hex(&hash.finalize())))
}
