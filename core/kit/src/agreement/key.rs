//! Signatures: ed25519 (RFC 8032) over the canonical text of a document.

use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What the demo's key is made from. It is published, so it proves nothing: a
/// [`Gate`](super::Gate) takes it for addresses of this machine only.
const DEMO: &str = "planthread demo agreement";

/// A key that signs.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a seed of 64 hex digits, as [`seed`] draws it; `None` when
    /// the text is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let seed = bytes(text.trim()).filter(|seed| seed.len() == 32)?;
        Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self)
    }

    /// The key that signs what the demo runs with.
    ///
    /// # Errors
    /// `None` never happens: a digest has the length of a seed.
    #[must_use]
    pub fn demo() -> Option<Self> {
        Self::read(&digest(DEMO))
    }

    /// Its public half, 64 hex digits: what a configuration trusts.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// The signature of a document, 128 hex digits.
    #[must_use]
    pub fn sign(&self, document: &Value) -> String {
        hex(&self.sign_bytes(canonical(document).as_bytes()))
    }

    /// The signature of bytes as they are, 64 bytes: what other programs verify, too.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }
}

/// A seed for a new key, from the system's randomness.
///
/// # Errors
/// When the system has none to give.
pub fn seed() -> Result<String, String> {
    let mut seed = [0_u8; 32];
    let drawn = SystemRandom::new().fill(&mut seed);
    drawn.map(|()| hex(&seed)).map_err(|_| "the system gives no randomness".to_owned())
}

/// Whether `signature` was made over `document` with the key whose public half
/// is `public`.
#[must_use]
pub fn holds(public: &str, document: &Value, signature: &str) -> bool {
    let (Some(public), Some(signature)) = (bytes(public), bytes(signature)) else { return false };
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(canonical(document).as_bytes(), &signature).is_ok()
}

/// Whether this text can be the public half of a key.
#[must_use]
pub(crate) fn is_public(text: &str) -> bool {
    bytes(text).is_some_and(|bytes| bytes.len() == 32)
}

/// Whether this is the public half of the demo's key.
#[must_use]
pub(crate) fn is_demo(public: &str) -> bool {
    SigningKey::demo().is_some_and(|demo| demo.public().eq_ignore_ascii_case(public))
}

/// SHA-256 of a document's canonical text.
#[must_use]
pub fn fingerprint(document: &Value) -> String {
    digest(&canonical(document))
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// One text for equal JSON: names sorted, no white space.
#[must_use]
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let field = |name: &String| {
                format!("{}:{}", Value::from(name.as_str()), canonical(&fields[name]))
            };
            format!("{{{}}}", names.into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// RFC 8032, section 7.1, test 1: the public half of a known seed.
    #[test]
    fn the_public_half_is_that_of_the_standard() {
        let key =
            SigningKey::read("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert_eq!(
            key.unwrap().public(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert!(SigningKey::read("9d61").is_none() && SigningKey::read("zz").is_none());
    }

    #[test]
    fn a_changed_document_another_key_or_no_signature_does_not_hold() {
        let (key, document) = (SigningKey::demo().unwrap(), json!({"b": 1, "a": [true, "x"]}));
        let signature = key.sign(&document);
        let other = SigningKey::read(&seed().unwrap()).unwrap();
        assert!(holds(&key.public(), &json!({"a": [true, "x"], "b": 1}), &signature));
        assert!(!holds(&key.public(), &json!({"a": [true, "x"], "b": 2}), &signature));
        assert!(!holds(&other.public(), &document, &signature));
        assert!(!holds(&key.public(), &document, "") && !holds("", &document, &signature));
        assert!(is_demo(&key.public()) && !is_demo(&other.public()));
    }

    proptest! {
        #[test]
        fn the_canonical_text_is_the_same_json(
            fields in proptest::collection::btree_map("[ -~]{0,6}", any::<i32>(), 0..5),
        ) {
            let document = json!({ "fields": fields, "list": [1, null, "é\n"] });
            let back: Value = serde_json::from_str(&canonical(&document)).unwrap();
            prop_assert_eq!(back, document);
        }
    }
}
