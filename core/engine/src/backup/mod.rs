//! Backup and restore: a state that comes back whole, or not at all.
//!
//! - `make`: a copy beside a writer, which appears under its name when it is
//!   complete.
//! - `manifest`: what is in it, and how it is known to be that.
//! - `restore`: puts it into a state directory. What it had seen is not believed
//!   any more, because nobody knows what was sent since.

mod make;
mod manifest;
mod restore;
#[cfg(test)]
mod tests;

pub use self::{
    make::backup,
    manifest::{BackedUp, BackupManifest},
    restore::{RestoreRequest, Restored, restore},
};
