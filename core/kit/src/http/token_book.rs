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

/// All tokens of the process, by tenant and by how they are asked for: those of the
/// secret that was used last.
#[derive(Debug, Default)]
pub struct TokenBook(Mutex<BTreeMap<String, (EncodingDigest, Tokens)>>);

impl TokenBook {
    /// The tokens of `tenant` that are asked for in this `way` (the settings of the
    /// exchange) with this `secret`: the same ones for everybody who asks so. The
    /// first one who asks brings their source.
    ///
    /// A secret that was renewed takes the place of the old one: nobody begins with
    /// its tokens any more.
    pub fn of(
        &self,
        tenant: &TenantKey,
        way: &str,
        secret: &Secret,
        source: impl FnOnce() -> Arc<dyn TokenSource>,
    ) -> Tokens {
        let key = EncodingDigest::of([tenant.to_string().as_str(), way]).as_str().to_owned();
        // A digest: no secret is kept here.
        let of = EncodingDigest::of([secret.expose()]);
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match book.get(&key) {
            Some((same, tokens)) if *same == of => tokens.clone(),
            _ => {
                let tokens = Tokens::new(source());
                book.insert(key, (of, tokens.clone()));
                tokens
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{BoxFuture, Clock, ConnectorError, Transport, http::Token};

    #[derive(Debug)]
    struct Never;

    impl TokenSource for Never {
        fn fetch<'a>(
            &'a self,
            _: &'a dyn Transport,
            _: &'a dyn Clock,
        ) -> BoxFuture<'a, Result<Token, ConnectorError>> {
            unreachable!("nobody asks")
        }

        fn address(&self) -> &str {
            "https://never.example"
        }
    }

    #[test]
    fn who_asks_in_one_way_shares_and_a_renewed_secret_leaves_nothing_of_the_old_one() {
        let (book, made) = (TokenBook::default(), AtomicU32::new(0));
        let tenant = TenantKey::of("host", "user");
        let ask = |way: &str, secret: String| {
            book.of(&tenant, way, &Secret::new(&secret), || {
                made.fetch_add(1, Ordering::Relaxed);
                Arc::new(Never)
            });
        };
        for renewed in 0..100 {
            ask("a", format!("secret {renewed}"));
            ask("a", format!("secret {renewed}"));
        }
        ask("b", "secret 99".to_owned());
        assert_eq!(made.load(Ordering::Relaxed), 101);
        assert_eq!(book.0.lock().unwrap().len(), 2);
    }
}
