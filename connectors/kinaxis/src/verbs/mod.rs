//! What the six verbs do.

pub(crate) mod bulk;
pub(crate) mod commit;
pub(crate) mod import;
pub(crate) mod load;
pub(crate) mod poll;
pub(crate) mod read;
pub(crate) mod submit;

/// Note of the writes that can take effect, made before the first of them: the
/// handles of what was staged.
pub(crate) const STEP: &str = "writing";
/// Note of the key under which a data update is asked for.
pub(crate) const KEY: &str = "status_key";
