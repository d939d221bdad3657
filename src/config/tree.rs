//! A YAML document as a tree that remembers where everything stands.
//!
//! Profiles are merged on this tree, before any type is asked, so that an
//! error in a merged value still points at the line that said it.

use serde_json::{Map, Value};

/// A place in a file; lines and columns are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
    /// Which file, in the order in which they were read; 0 is the main one.
    pub file: usize,
}

/// One node of the document.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value begins.
    pub place: Position,
    /// The value.
    pub kind: Kind,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Null, bool, number or string.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file, each key with its own place.
    Map(Vec<(String, Position, Node)>),
}

impl Node {
    /// The plain value, without places.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            Kind::Map(entries) => {
                let pairs = entries.iter().map(|(key, _, node)| (key.clone(), node.value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// Says of everything in it that it stands in `file`.
    pub fn belongs_to(&mut self, file: usize) {
        self.place.file = file;
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.belongs_to(file)),
            Kind::Map(entries) => {
                for (_, at, node) in entries {
                    at.file = file;
                    node.belongs_to(file);
                }
            }
        }
    }

    /// The value under `key`, when this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(k, ..)| k == key).map(|(.., node)| node),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Takes the value under `key` out of a mapping.
    pub fn take(&mut self, key: &str) -> Option<Self> {
        let Kind::Map(entries) = &mut self.kind else { return None };
        let at = entries.iter().position(|(k, ..)| k == key)?;
        Some(entries.remove(at).2)
    }

    /// Lays `over` on this node: mappings merge key by key, everything else
    /// (lists too) is replaced as a whole.
    pub fn merge(&mut self, over: Self) {
        match (&mut self.kind, over.kind) {
            (Kind::Map(entries), Kind::Map(changes)) => {
                for (key, place, node) in changes {
                    match entries.iter_mut().find(|(k, ..)| *k == key) {
                        Some((.., existing)) => existing.merge(node),
                        None => entries.push((key, place, node)),
                    }
                }
            }
            (_, kind) => *self = Self { place: over.place, kind },
        }
    }

    /// The place of the deepest node that `path` reaches; a key that only
    /// exists as a key (an unknown field) gives the key's own place.
    #[must_use]
    pub fn locate<'a>(&self, path: impl IntoIterator<Item = Step<'a>>) -> Position {
        let (mut node, mut place) = (self, self.place);
        for step in path {
            let next = match (&node.kind, step) {
                (Kind::Map(entries), Step::Key(key)) => entries
                    .iter()
                    .find(|(k, ..)| k == key)
                    .map(|(_, at, child)| (child, if child.is_map() { *at } else { child.place })),
                (Kind::List(items), Step::Index(at)) => {
                    items.get(at).map(|child| (child, child.place))
                }
                _ => None,
            };
            let Some((child, at)) = next else { break };
            (node, place) = (child, at);
        }
        place
    }

    const fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }
}

/// One step of a path into the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into a mapping.
    Key(&'a str),
    /// Into a list, from 0.
    Index(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        crate::config::yaml::read(text).unwrap()
    }

    #[test]
    fn values_keep_their_places_through_a_merge() {
        let mut base = tree("a:\n  b: 1\n  c: [1, 2]\nd: x\n");
        base.merge(tree("\n\n\n\n\na:\n  b: 2\n  c: [3]\n"));
        assert_eq!(base.value(), serde_json::json!({"a": {"b": 2, "c": [3]}, "d": "x"}));
        assert_eq!(
            base.locate([Step::Key("a"), Step::Key("b")]),
            Position { line: 7, column: 6, file: 0 }
        );
        assert_eq!(base.locate([Step::Key("d")]).line, 4);
        let deep = base.locate([Step::Key("a"), Step::Key("c"), Step::Index(0)]);
        assert_eq!((deep.line, deep.column), (8, 7));
    }
}
