//! Small helpers of this crate's own tests.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::Timestamp;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder of its own, removed when dropped.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let unique = format!("planthread-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A fixed instant.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

/// A weekly measure in hours that Planthread owns.
pub(crate) fn decl(name: &str, carries: &str, role: &str) -> planthread_contracts::MeasureDecl {
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name.to_uppercase(), "carries": carries, "unit": "HUR",
        "scale": 2, "level": "week", "over_time": "sum", "over_resources": "sum",
        "owner": "bridge", "role": role }))
    .unwrap()
}
