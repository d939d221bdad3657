//! Whose tokens are whose: all targets of a process that ask as the same identity
//! share one token.
//!
//! A vendor may grant one session a user: a second token for the same user is a
//! request too many, and may be refused, or end the first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{TokenSource, Tokens};
use crate::{EncodingDigest, Secret, TenantKey};

/// All tokens of the process, by tenant and by how they are asked for.
#[derive(Debug, Default)]
pub struct TokenBook(Mutex<BTreeMap<String, Tokens>>);

impl TokenBook {
    /// The tokens of `tenant` that are asked for in this `way` (the settings of the
    /// exchange) with this `secret`: the same ones for everybody who asks so. The
    /// first one who asks brings their source.
    ///
    /// A secret that was renewed is another way: nobody goes on with the old one.
    pub fn of(
        &self,
        tenant: &TenantKey,
        way: &str,
        secret: &Secret,
        source: impl FnOnce() -> Arc<dyn TokenSource>,
    ) -> Tokens {
        // A digest: no secret is kept here.
        let key = EncodingDigest::of([&tenant.to_string(), way, secret.expose()]);
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.entry(key.as_str().to_owned()).or_insert_with(|| Tokens::new(source())).clone()
    }
}
