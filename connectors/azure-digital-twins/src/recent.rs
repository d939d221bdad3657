//! Twins as they were last read, each until its next change: a twin that nobody
//! touched since needs no read before it is written.
//!
//! Nothing rests on it. A PATCH carries the ETag that was read with the document, so
//! one of an old document takes no effect (section 1.3), and the twin is read then.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Twin;

/// Bytes of documents that are kept; beyond them all are forgotten.
const BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// What was read of twins, as text: a third of what it takes as a tree.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    twins: BTreeMap<String, (String, String)>,
    bytes: usize,
    /// Twins that somebody else changes all the time: they are read first.
    restless: BTreeSet<String>,
}

impl Recent {
    /// Keeps a twin that was read.
    pub(crate) fn keep(&mut self, id: &str, twin: &Twin) {
        self.forget(id);
        let text = twin.document.to_string();
        if self.restless.contains(id) {
            return;
        }
        self.bytes += text.len();
        if self.bytes > BYTES_MAX {
            self.twins.clear();
            self.bytes = text.len();
        }
        self.twins.insert(id.to_owned(), (twin.etag.clone(), text));
    }

    /// Takes a twin out: what is written now must be read again.
    pub(crate) fn take(&mut self, id: &str) -> Option<Twin> {
        let (etag, text) = self.forget(id)?;
        Some(Twin { document: serde_json::from_str(&text).ok()?, etag })
    }

    /// Its ETag was refused: somebody else had changed it.
    pub(crate) fn moved(&mut self, id: &str) {
        self.restless.insert(id.to_owned());
    }

    fn forget(&mut self, id: &str) -> Option<(String, String)> {
        let old = self.twins.remove(id)?;
        self.bytes = self.bytes.saturating_sub(old.1.len());
        Some(old)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn twin(size: usize) -> Twin {
        Twin { document: json!({ "text": "x".repeat(size) }), etag: size.to_string() }
    }

    #[test]
    fn a_twin_is_taken_once_and_only_as_it_was_last_read() {
        let mut recent = Recent::default();
        recent.keep("A", &twin(1));
        recent.keep("A", &twin(2));
        assert_eq!(recent.take("A"), Some(twin(2)));
        assert_eq!((recent.take("A"), recent.bytes), (None, 0));
        recent.keep("A", &twin(1));
        recent.moved("A");
        recent.keep("A", &twin(3));
        assert_eq!(recent.take("A"), None, "it is read first from now on");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut recent = Recent::default();
        for number in 0..40 {
            recent.keep(&number.to_string(), &twin(1_024 * 1_024));
        }
        assert!(recent.bytes <= BYTES_MAX && recent.take("39").is_some());
        assert_eq!(recent.take("0"), None);
    }
}
