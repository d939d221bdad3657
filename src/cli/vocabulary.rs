//! What a word of an answer means, as the schemas of the answers say it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::outputs;
use crate::report::explain::{Page, same};

/// Meanings on one page; a field such as `target` stands in many answers.
const MOST: usize = 12;

/// The page of a word that stands in an answer; `None` where none has it.
#[must_use]
pub fn page(word: &str) -> Option<Page> {
    let word = same(word);
    let (code, meanings) = words().into_iter().find(|(code, _)| same(code) == word)?;
    let more = meanings.len().saturating_sub(MOST);
    let mut text: Vec<String> = meanings.into_iter().take(MOST).collect();
    if more > 0 {
        text.push(format!("And {more} more: `planthread schema output VERB` has them all."));
    }
    Some(Page { code, text: text.join("\n\n") })
}

/// Every word that an answer may hold (fields, and words of a closed list), with
/// what it means wherever it stands.
#[must_use]
pub fn words() -> BTreeMap<String, Vec<String>> {
    let (mut words, schema) = (BTreeMap::new(), outputs::everything());
    for answer in schema["oneOf"].as_array().into_iter().flatten() {
        let name = answer["properties"]["output"]["const"].as_str().unwrap_or_default();
        fields(answer, &format!("the answer `{name}`"), &mut words);
    }
    for part in schema["$defs"].as_object().into_iter().flat_map(Map::values) {
        let about = said(part).unwrap_or_default();
        let about = about.trim_end_matches('.');
        choices(part, about, &mut words);
        fields(part, &format!("\"{about}\""), &mut words);
    }
    words
}

/// The words of a closed list.
fn choices(part: &Value, about: &str, words: &mut BTreeMap<String, Vec<String>>) {
    for choice in part["oneOf"].as_array().into_iter().flatten() {
        if let (Some(word), Some(means)) = (choice["const"].as_str(), said(choice)) {
            add(words, word, format!("{means}\n(One of: \"{about}\")"));
        }
    }
}

/// The fields of a part, or of each alternative of it.
fn fields(part: &Value, of: &str, words: &mut BTreeMap<String, Vec<String>>) {
    for (name, field) in part["properties"].as_object().into_iter().flatten() {
        if let Some(means) = said(field) {
            add(words, name, format!("{means}\n(A field of {of})"));
        }
    }
}

fn add(words: &mut BTreeMap<String, Vec<String>>, word: &str, meaning: String) {
    let known = words.entry(word.to_owned()).or_default();
    if !known.contains(&meaning) {
        known.push(meaning);
    }
}

fn said(part: &Value) -> Option<String> {
    part["description"].as_str().map(|text| text.replace('\n', " "))
}

/// Whether the page of errors, or an answer's schema, explains each word that an
/// answer may hold.
#[cfg(test)]
mod tests {
    use super::*;

    /// Words of closed lists, each as the schema has them.
    fn listed(part: &Value, into: &mut Vec<String>) {
        match part {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("const", Value::String(word)) => into.push(word.clone()),
                        ("enum", Value::Array(words)) => {
                            into.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => listed(value, into),
                    }
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| listed(part, into)),
            _ => {}
        }
    }

    #[test]
    fn every_word_of_every_answer_is_explained() {
        let (mut all, schema) = (Vec::new(), outputs::everything());
        listed(&schema, &mut all);
        // What an answer calls itself is its verb, which has its help.
        let verb = |word: &String| outputs::OUTPUTS.iter().any(|output| output.name == word);
        all.retain(|word| !verb(word));
        assert!(all.len() > 100, "{all:?}");
        let missing =
            |word: &String| crate::report::explain::page(word).is_err() && page(word).is_none();
        all.retain(missing);
        assert!(all.is_empty(), "no page for {all:?}");
    }

    #[test]
    fn every_field_of_every_answer_says_what_it_means() {
        let schema = outputs::everything();
        let of = |name: &str, part: &Value| -> Vec<String> {
            let fields = part["properties"].as_object().into_iter().flatten();
            let mute = fields.filter(|(_, field)| said(field).is_none());
            mute.map(|(field, _)| format!("{name}.{field}")).collect()
        };
        let answers = schema["oneOf"].as_array().unwrap().iter();
        let mut mute: Vec<String> = answers
            .flat_map(|one| of(one["properties"]["output"]["const"].as_str().unwrap(), one))
            .collect();
        let parts = schema["$defs"].as_object().unwrap().iter();
        mute.extend(parts.flat_map(|(name, part)| of(name, part)));
        assert!(mute.is_empty(), "{mute:#?}");
    }

    #[test]
    fn a_field_and_a_word_have_their_meaning() {
        let page = page("Attainable-Hours").unwrap();
        assert!(page.text.contains("derive"), "{}", page.text);
        assert_eq!(super::page("gremlin"), None);
    }
}
