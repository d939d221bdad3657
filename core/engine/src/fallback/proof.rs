//! Whether a pack is what was written: a signature over its manifest, and the
//! digests in it. Checked offline, by whoever is about to load it.

use std::{fs, io, path::Path};

use planthread_kit::agreement::key::{self, SigningKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::pack::{MANIFEST, Manifest, NOTE};
use crate::{EngineError, error::Result, store::codec};

/// The file of the signature, beside the manifest.
pub(super) const SIGNATURE: &str = "manifest.sig.json";

/// A signature of a pack, as its file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signature {
    /// Format version.
    planthread_signature: u32,
    /// What was signed: the SHA-256 of the manifest, as `{"manifest_sha256":"…"}`.
    signed: Value,
    /// Public half of the key, 64 hex digits.
    key: String,
    /// Ed25519 over that text, 128 hex digits.
    signature: String,
}

/// What of a pack is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackFinding {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub what: PackFault,
}

/// Why a pack must not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackFault {
    /// The manifest names it, and it is not there.
    Missing,
    /// Its bytes are not those that the manifest names.
    Changed,
    /// The manifest does not name it.
    Unknown,
    /// It can't be read as what it should be.
    Unreadable,
    /// Nobody signed the pack.
    NotSigned,
    /// Somebody signed it with another key than the one that is trusted.
    OtherKey,
    /// The manifest is not the one that was signed.
    NotWhatWasSigned,
}

impl PackFault {
    /// One sentence for people.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::Missing => "it is missing",
            Self::Changed => "it is not what was written: its digest differs",
            Self::Unknown => "the manifest does not name it",
            Self::Unreadable => "it can't be read",
            Self::NotSigned => "nobody signed this pack",
            Self::OtherKey => "it was signed with another key than the one you trust",
            Self::NotWhatWasSigned => "it was changed after it was signed",
        }
    }
}

/// What a check of a pack found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackCheck {
    /// What the pack says of itself, where that can be read; to be believed only
    /// without findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// Everything that is wrong.
    pub findings: Vec<PackFinding>,
}

/// The signature of a manifest.
pub(super) fn sign(manifest: &[u8], key: &SigningKey) -> Result<Vec<u8>> {
    let signed = signed(manifest);
    let signature = key.sign(&signed);
    let whole = Signature { planthread_signature: 1, signed, key: key.public(), signature };
    serde_json::to_vec_pretty(&whole).map_err(|error| EngineError::Stored(error.to_string()))
}

fn signed(manifest: &[u8]) -> Value {
    json!({ "manifest_sha256": codec::hex(&Sha256::digest(manifest)) })
}

/// Checks the pack in `folder` against the key whose public half is `trusted`.
///
/// # Errors
/// When the folder can't be read.
pub fn check_pack(folder: &Path, trusted: &str) -> Result<PackCheck> {
    let mut findings = Vec::new();
    let mut find = |file: &str, what| findings.push(PackFinding { file: file.to_owned(), what });
    let text = read(folder, MANIFEST)?;
    match (&text, read(folder, SIGNATURE)?) {
        (None, _) => find(MANIFEST, PackFault::Missing),
        (Some(_), None) => find(SIGNATURE, PackFault::NotSigned),
        (Some(text), Some(signature)) => {
            if let Some((file, what)) = doubt(text, &signature, trusted) {
                find(file, what);
            }
        }
    }
    let manifest = text.as_deref().map(serde_json::from_slice::<Manifest>);
    let manifest = match manifest {
        Some(Err(_)) => {
            find(MANIFEST, PackFault::Unreadable);
            None
        }
        Some(Ok(manifest)) => Some(manifest),
        None => None,
    };
    let named = manifest.iter().flat_map(|manifest| manifest.files.iter().chain(&manifest.note));
    let mut known = vec![MANIFEST.to_owned(), SIGNATURE.to_owned()];
    for file in named {
        known.push(file.name.clone());
        match read(folder, &file.name)? {
            None => find(&file.name, PackFault::Missing),
            Some(bytes) => {
                let same = codec::hex(&Sha256::digest(&bytes)) == file.sha256;
                if !same || bytes.len() != file.bytes {
                    find(&file.name, PackFault::Changed);
                }
            }
        }
    }
    // An older pack does not name its note.
    if manifest.as_ref().is_some_and(|manifest| manifest.note.is_none()) {
        known.push(NOTE.to_owned());
    }
    for entry in fs::read_dir(folder).map_err(EngineError::io(folder))? {
        let name = entry.map_err(EngineError::io(folder))?.file_name();
        let name = name.to_string_lossy();
        if manifest.is_some() && !known.iter().any(|known| *known == name) {
            find(&name, PackFault::Unknown);
        }
    }
    Ok(PackCheck { manifest, findings })
}

/// What is wrong with the signature of a manifest, and in which file.
fn doubt(text: &[u8], signature: &[u8], trusted: &str) -> Option<(&'static str, PackFault)> {
    let Ok(found) = serde_json::from_slice::<Signature>(signature) else {
        return Some((SIGNATURE, PackFault::Unreadable));
    };
    // No signature covers it, so it speaks of this file alone.
    if found.planthread_signature != 1 {
        return Some((SIGNATURE, PackFault::Unreadable));
    }
    if !found.key.eq_ignore_ascii_case(trusted.trim()) {
        return Some((SIGNATURE, PackFault::OtherKey));
    }
    if !key::holds(trusted.trim(), &found.signed, &found.signature) {
        return Some((SIGNATURE, PackFault::NotWhatWasSigned));
    }
    (found.signed != signed(text)).then_some((MANIFEST, PackFault::NotWhatWasSigned))
}

/// A file of the pack; `None` where there is none, or its name leads out of it.
fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    if Path::new(name).file_name().is_none_or(|file| file != name) {
        return Ok(None);
    }
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::io(path)(error)),
    }
}
