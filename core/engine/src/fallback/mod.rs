//! Fallback: what a planner needs on the day when the bridge is dead.

mod pack;

pub use self::pack::{Manifest, PackRequest, PackedFile, write_pack};
