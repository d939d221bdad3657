//! Names that many cells share.

use std::{borrow::Borrow, borrow::Cow, fmt, ops::Deref, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// A text that does not change and that many hold: a copy of it shares the
/// bytes. A plan names a dozen measures and a hundred resources in hundreds of
/// thousands of cells, and a text of its own for each would be most of what they
/// weigh.
///
/// ```
/// use planthread_contracts::Name;
/// let name = Name::from("LINE-1");
/// let copy = name.clone();
/// assert_eq!(copy, "LINE-1");
/// assert!(std::ptr::eq(name.as_str(), copy.as_str()));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The empty text.
impl Default for Name {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&Self> for Name {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Name> for str {
    fn eq(&self, other: &Name) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Name> for &str {
    fn eq(&self, other: &Name) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<Name> for String {
    fn eq(&self, other: &Name) -> bool {
        self == other.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Takes a text where it stands, without a copy of its own.
struct Text;

impl Visitor<'_> for Text {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
        Ok(text.into())
    }
}

/// A string, wherever it stands.
impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn a_name_is_found_compared_ordered_and_written_as_its_text() {
        let (a, b) = (Name::from("LINE-10"), Name::from("LINE-9".to_owned()));
        assert!(a < b, "{a} before {b}, as texts");
        assert_eq!(a, "LINE-10");
        assert_eq!("LINE-10", a);
        assert_eq!(a, *"LINE-10");
        assert_eq!(HashMap::from([(a.clone(), 1)]).get("LINE-10"), Some(&1));
        assert_eq!(BTreeMap::from([(a.clone(), 1)]).get("LINE-10"), Some(&1));
        assert_eq!(serde_json::to_string(&b).unwrap(), "\"LINE-9\"");
        assert_eq!(serde_json::from_str::<Name>("\"LINE\\u002d9\"").unwrap(), b);
        assert_eq!(
            (format!("{a:?}"), format!("{a:>8}")),
            ("\"LINE-10\"".into(), " LINE-10".into())
        );
        assert_eq!((String::from(a), Name::default()), ("LINE-10".to_owned(), "".into()));
    }
}
