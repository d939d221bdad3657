//! The file of an import job: sections, one JSON object a line (section 1.10).
//!
//! What the real job does with a file that breaks off is not known; this importer
//! takes a whole file or nothing, and wants every section in its order, the last
//! one too, so that a half-copied file shows (grade S).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::graph::Graph;

/// What an import brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Imported {
    pub(super) models: usize,
    pub(super) twins: usize,
    pub(super) relationships: usize,
}

/// Why a file was refused: a code and a text that names the line.
pub(super) type Fault = (&'static str, String);

/// The sections, in their order.
const SECTIONS: [&str; 4] = ["Header", "Models", "Twins", "Relationships"];

/// A file, cut into its sections: line number and object.
#[derive(Debug, Default)]
struct File {
    sections: [Lines; 4],
}

/// Objects of a section, with the numbers of their lines.
type Lines = Vec<(usize, Map<String, Value>)>;

fn read(text: &str) -> Result<File, Fault> {
    let fault = |line: usize, text: &str| ("ImportFileInvalid", format!("line {line}: {text}"));
    if !text.ends_with('\n') {
        return Err(fault(text.lines().count(), "the file breaks off: its last line has no end"));
    }
    let mut file = File::default();
    let mut section = None;
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let n = n + 1;
        let value: Value = serde_json::from_str(line).map_err(|_| fault(n, "is no JSON object"))?;
        let Value::Object(object) = value else { return Err(fault(n, "is no JSON object")) };
        if let Some(name) = object.get("Section") {
            let next = section.map_or(0, |at: usize| at + 1);
            if SECTIONS.get(next).is_none_or(|wanted| name != wanted) {
                return Err(fault(n, "this section does not stand in its place"));
            }
            section = Some(next);
        } else {
            let at = section.ok_or_else(|| fault(n, "stands before the first section"))?;
            file.sections[at].push((n, object));
        }
    }
    if section != Some(SECTIONS.len() - 1) {
        return Err(fault(text.lines().count(), "the file breaks off: a section is missing"));
    }
    let version = file.sections[0].first().and_then(|(_, header)| header["fileVersion"].as_str());
    if version != Some("1.0.0") {
        return Err(fault(2, "the header names no fileVersion 1.0.0"));
    }
    Ok(file)
}

/// Takes a file in: everything or nothing. A twin that is there is replaced as a
/// whole.
pub(super) fn import(graph: &mut Graph, at: Timestamp, text: &str) -> Result<Imported, Fault> {
    let sections = read(text)?.sections;
    let mut filled = graph.clone();
    let imported = fill(&mut filled, at, sections)?;
    *graph = filled;
    Ok(imported)
}

fn fill(
    graph: &mut Graph,
    at: Timestamp,
    [_, models, twins, relationships]: [Lines; 4],
) -> Result<Imported, Fault> {
    let invalid = |n: usize, text: String| ("ValidationFailed", format!("line {n}: {text}"));
    let text = |object: &Map<String, Value>, name: &str| {
        object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let new: Vec<Value> = models.into_iter().map(|(_, model)| Value::Object(model)).collect();
    if !new.is_empty() {
        graph.models.add(at, &new).map_err(|refusal| ("DTDLParsingError", refusal.message))?;
    }
    let counts = (new.len(), twins.len(), relationships.len());
    for (n, object) in twins {
        let id = text(&object, "$dtId");
        if id.is_empty() {
            return Err(invalid(n, "the twin has no $dtId".to_owned()));
        }
        let twin = graph.new_twin(at, object).map_err(|refusal| {
            let details = refusal.details.join(" ");
            invalid(n, format!("twin {id}: {} {details}", refusal.message))
        })?;
        graph.keep(at, &id, twin);
    }
    for (n, object) in relationships {
        let key = (text(&object, "$dtId"), text(&object, "$relationshipId"));
        let one = graph.new_relationship(&key.0, object).map_err(|refusal| {
            invalid(n, format!("relationship {}: {}", key.1, refusal.message))
        })?;
        graph.relationships.insert(key, one);
    }
    let (models, twins, relationships) = counts;
    Ok(Imported { models, twins, relationships })
}
