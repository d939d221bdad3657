//! The pack at its second place: who is asked for it, and what became of it.
//!
//! The copy runs on a thread of its own. Its target waits for it, for the limit of the
//! place at most; no other target does. What became of it stands beside the packs, so
//! that `status` tells it from another process.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use planthread_engine::fallback::Manifest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Bridge, OpenTarget};
use crate::{
    config::Target,
    failure::Failure,
    sftp::{self, Leash, UploadFault},
};

/// The file beside the packs.
const FILE: &str = "second.json";

/// What became of a pack at its second place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondPlace {
    /// Where it is.
    pub place: String,
    /// When it was tried last.
    pub tried_at: Timestamp,
    /// Instant of the truth of the pack that is there; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_of: Option<Timestamp>,
    /// When that pack arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    /// Why the newest try failed; none where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What became of the packs of a target at their second place; `None` where none is
/// configured, or the one that is was never tried.
///
/// # Errors
/// When what is known can't be read.
pub fn second_pack(name: &str, target: &Target) -> Result<Option<SecondPlace>, Failure> {
    let Some(pack) = &target.pack else { return Ok(None) };
    let Some(place) = &pack.sftp else { return Ok(None) };
    let file = pack.folder.join(name).join(FILE);
    match fs::read(&file) {
        // It is told anew by the next cycle. What became of it elsewhere says nothing.
        Ok(text) => Ok(serde_json::from_slice(&text)
            .ok()
            .filter(|known: &SecondPlace| known.place == place.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io("read", &file, &error)),
    }
}

impl Bridge {
    /// Copies the pack of `manifest` to its second place, where one is configured. That
    /// it did not arrive is told, and stops nothing.
    ///
    /// # Errors
    /// When what became of it can't be written down.
    pub(super) async fn ship(
        &self,
        target: &OpenTarget,
        manifest: &Manifest,
    ) -> Result<Option<SecondPlace>, Failure> {
        let Some(pack) = &target.config.pack else { return Ok(None) };
        let Some(place) = pack.sftp.clone() else { return Ok(None) };
        let folder = pack.folder.join(&target.name);
        let before = second_pack(&target.name, &target.config)?;
        let doing = self.board.doing(&target.name, "copying the pack to its second place");
        let (leash, (tell, told)) = (Leash::default(), oneshot::channel());
        let (over, current, to) = (leash.held(), folder.join("current"), place.to_string());
        let copy = move || {
            // Nobody waits any more for a copy that was given up.
            let _ = tell.send(sftp::upload(&place, &current, &over));
        };
        let started = std::thread::Builder::new().name("sftp".to_owned()).spawn(copy);
        let done = match started {
            Ok(_) => told.await.unwrap_or(Err(UploadFault::GivenUp)),
            Err(error) => Err(UploadFault::Client(error.to_string())),
        };
        drop((leash, doing));
        let now = self.clock.now();
        let (pack_of, arrived_at) = match (&done, before) {
            (Ok(()), _) => (Some(manifest.as_of), Some(now)),
            (Err(_), Some(before)) => (before.pack_of, before.arrived_at),
            (Err(_), None) => (None, None),
        };
        let fault = done.err().map(|fault| fault.to_string());
        let known = SecondPlace { place: to, tried_at: now, pack_of, arrived_at, fault };
        keep(&folder, &known)?;
        Ok(Some(known))
    }
}

/// Writes down what is known, whole or not at all.
fn keep(folder: &Path, known: &SecondPlace) -> Result<(), Failure> {
    let (file, part) = (folder.join(FILE), folder.join(".second.part"));
    let write = || {
        fs::write(&part, serde_json::to_vec_pretty(known)?)?;
        fs::rename(&part, &file)
    };
    write().map_err(|error| Failure::io("write", &file, &error))
}
