//! YAML text to a tree that remembers where everything stands.
//!
//! The parser tells events; this builds nodes from them and reads plain scalars
//! by the core schema of YAML 1.2. What a configuration never needs and what a
//! reader would stumble over is refused with its place: a key that stands twice,
//! a second document, foreign tags, mappings as keys, endless nesting.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Number, Value};

use super::tree::{Kind, Node, Position};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 100;
/// Most nodes of one document, repeated aliases counted.
const NODES_MAX: usize = 1_000_000;

/// Why a text is no YAML that we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlFault {
    /// Where.
    pub place: Position,
    /// Why.
    pub reason: String,
    /// What to do.
    pub cure: &'static str,
}

const WRITE: &str = "correct the YAML here; indentation is by spaces, and each key stands once";
const ONE_DOCUMENT: &str = "keep one document in a file; environments belong under `profiles:`";

/// Reads one document; an empty text is null.
///
/// # Errors
/// The first place at which the text is no YAML, or none that we read.
pub fn read(text: &str) -> Result<Node, YamlFault> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| fault(place(*error.marker()), error.info(), WRITE))?;
        builder.event(event, place(span.start))?;
    }
    let empty = || Node {
        place: Position { line: 1, column: 1, file: 0 },
        kind: Kind::Scalar(Value::Null),
    };
    Ok(builder.root.unwrap_or_else(empty))
}

fn place(at: Marker) -> Position {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Position { line: wide(at.line()), column: wide(at.col()).saturating_add(1), file: 0 }
}

fn fault(place: Position, reason: impl Into<String>, cure: &'static str) -> YamlFault {
    YamlFault { place, reason: reason.into(), cure }
}

/// A collection that is still open.
struct Open {
    anchor: usize,
    place: Position,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// Entries, and the key that waits for its value.
    Map(Vec<(String, Position, Node)>, Option<(String, Position)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), YamlFault> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(fault(at, "a second document begins here", ONE_DOCUMENT))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref(), at)?;
                self.node(anchor, Node { place: at, kind: Kind::Scalar(value) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(anchor, tag.as_deref(), at, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.start(anchor, tag.as_deref(), at, Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => {
                let nothing = || fault(at, "an alias of nothing", WRITE);
                self.count(self.anchors.get(&anchor).map(size).ok_or_else(nothing)?, at)?;
                let kind = self.anchors.get(&anchor).map(|node| node.kind.clone());
                self.node(0, Node { place: at, kind: kind.ok_or_else(nothing)? })
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn start(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        place: Position,
        content: Content,
    ) -> Result<(), YamlFault> {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return Err(unknown_tag(tag, place));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(fault(place, format!("nested deeper than {DEPTH_MAX} levels"), WRITE));
        }
        self.open.push(Open { anchor, place, content });
        Ok(())
    }

    fn end(&mut self, at: Position) -> Result<(), YamlFault> {
        let open = self.open.pop().ok_or_else(|| fault(at, "nothing is open here", WRITE))?;
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map(entries, _) => Kind::Map(entries),
        };
        self.node(open.anchor, Node { place: open.place, kind })
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), YamlFault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let reason = format!("more than {NODES_MAX} values, repeated ones counted");
        Err(fault(at, reason, "write fewer aliases"))
    }

    /// A node is complete: it goes where it belongs.
    fn node(&mut self, anchor: usize, node: Node) -> Result<(), YamlFault> {
        self.count(1, node.place)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(entries, waiting)) => match waiting.take() {
                Some((key, at)) => entries.push((key, at, node)),
                None => *waiting = Some((key(entries, &node)?, node.place)),
            },
        }
        Ok(())
    }
}

/// A node as the key of a mapping that has `entries` so far.
fn key(entries: &[(String, Position, Node)], node: &Node) -> Result<String, YamlFault> {
    let text = match &node.kind {
        Kind::Scalar(Value::String(text)) => text.clone(),
        Kind::Scalar(value) => value.to_string(),
        Kind::List(_) | Kind::Map(_) => {
            return Err(fault(node.place, "a key is a single word, and this is none", WRITE));
        }
    };
    if text == "<<" {
        let cure = "write the fields here, or put the shared part into a profile";
        return Err(fault(node.place, "merge keys (`<<`) are not read", cure));
    }
    if entries.iter().any(|(known, ..)| *known == text) {
        let reason = format!("`{text}` stands twice in one mapping");
        return Err(fault(node.place, reason, "keep one of the two"));
    }
    Ok(text)
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(entries) => entries.iter().map(|(.., node)| size(node)).sum(),
    }
}

fn unknown_tag(tag: &Tag, place: Position) -> YamlFault {
    fault(place, format!("the tag `{tag}` is not known here"), "leave the tag out")
}

/// A scalar's value. Text in quotes or in a block is text; a plain one is read
/// by the core schema of YAML 1.2.
fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: Position,
) -> Result<Value, YamlFault> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => return Ok(text.into()),
        Some(tag) => return Err(unknown_tag(tag, place)),
        None => {}
    }
    if style != ScalarStyle::Plain {
        return Ok(text.into());
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".Inf" | "-.Inf" => {
            return Err(fault(place, "not a finite number", "write a plain decimal"));
        }
        text => number(text).map_or_else(|| text.into(), Value::Number),
    })
}

/// A plain decimal number: `12`, `-3`, `0.5`, `1e3`. Everything else is text.
fn number(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
    {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = plain.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = plain.parse::<u64>() {
        return Some(number.into());
    }
    plain.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema_and_quoted_ones_are_text() {
        let text = "a: '1010'\nb: 1010\nc: 2026-11-22\nd: 1.50\ne: ~\nf: yes\ng: 0x1F\nh: 1_000\n\
                    i: -3\nj: !!str 5\nk: |\n  7\nl:\nm: TRUE\nn: 1e3\no: 10.0.0.1\n";
        let expected = json!({"a": "1010", "b": 1010, "c": "2026-11-22", "d": 1.5, "e": null,
            "f": "yes", "g": "0x1F", "h": "1_000", "i": -3, "j": "5", "k": "7\n", "l": null,
            "m": true, "n": 1000.0, "o": "10.0.0.1"});
        assert_eq!(read(text).unwrap().value(), expected);
    }

    #[test]
    fn what_a_configuration_never_needs_is_refused_with_its_place() {
        for (text, line, said) in [
            ("a: 1\nb: 2\na: 3\n", 3, "`a` stands twice"),
            ("a: 1\n---\nb: 2\n", 2, "second document"),
            ("a: !secret x\n", 1, "tag"),
            ("a: .inf\n", 1, "finite"),
            ("a: 1\n? {b: 1}\n: 2\n", 2, "single word"),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
            ("a: [1\n", 2, ""),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.reason.contains(said) && found.place.line == line, "{text}: {found:?}");
        }
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(DEPTH_MAX + 1)).unwrap_err().reason.contains("nested deeper"));
        assert!(read(&"[".repeat(5_000)).is_err());
    }

    #[test]
    fn aliases_repeat_a_value_and_are_counted() {
        let value = read("a: &x [1, 2]\nb: *x\n").unwrap().value();
        assert_eq!(value, json!({"a": [1, 2], "b": [1, 2]}));
        let mut laughs = "l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..9 {
            let before = vec![format!("*l{}", level - 1); 10].join(", ");
            laughs += &format!("l{level}: &l{level} [{before}]\n");
        }
        assert!(read(&laughs).unwrap_err().reason.contains("more than"));
    }
}
