//! The parser's words in ours: what was expected, what was found, what to
//! write instead.

/// The usual cure for a reason of the parser.
pub(super) fn usual_cure(field: &str, reason: &str) -> String {
    if let Some((name, known)) = unknown(reason, "unknown variant `") {
        let all = known.join(", ");
        return match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`? it takes one of: {all}"),
            None => format!("write one of: {all}"),
        };
    }
    if let Some((name, known)) = unknown(reason, "unknown field `") {
        return match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`? otherwise remove it"),
            None => "remove it, or move it to where it belongs".to_owned(),
        };
    }
    if let Some(name) = reason.strip_prefix("missing field ") {
        let inside = if field.is_empty() { "the top level" } else { field };
        return format!("add {name} under {inside}");
    }
    let number = reason.contains("integer `") || reason.contains("floating point");
    if number && reason.contains("expected a string") {
        return "put the value in quotes, so that leading zeros and digits stay as they are"
            .to_owned();
    }
    if reason.contains("null") || reason.contains("unit value") {
        return "give it a value, or remove the line".to_owned();
    }
    if let Some((_, cure)) = SHAPES.iter().find(|(word, _)| reason.contains(word)) {
        return (*cure).to_owned();
    }
    match mismatch(reason) {
        Some((_, wanted)) => {
            format!("write {wanted}; `planthread schema config` says what it means")
        }
        None => "`planthread schema config` prints every field with its meaning".to_owned(),
    }
}

/// Words by which the parsers of a shape complain, and how the shape is written.
const SHAPES: [(&str, &str); 6] = [
    ("as hour", "write hours and minutes in quotes, such as \"06:00\""),
    ("as minute", "write hours and minutes in quotes, such as \"06:00\""),
    ("as year", "write a date as 2026-12-24, and an instant as 2026-12-24T06:00:00Z"),
    ("as month", "write a date as 2026-12-24, and an instant as 2026-12-24T06:00:00Z"),
    ("as day", "write a date as 2026-12-24, and an instant as 2026-12-24T06:00:00Z"),
    ("socket address", "write address and port, such as 127.0.0.1:8787"),
];

/// The reason without the parser's names for types.
pub(super) fn plain(reason: &str) -> String {
    match mismatch(reason) {
        Some((found, wanted)) => format!("expected {wanted}, found {found}"),
        None => reason.to_owned(),
    }
}

/// What was found and what was expected, when a value is of the wrong kind.
fn mismatch(reason: &str) -> Option<(String, String)> {
    let rest =
        reason.strip_prefix("invalid type: ").or_else(|| reason.strip_prefix("invalid value: "))?;
    let (found, wanted) = rest.rsplit_once(", expected ")?;
    Some((self::found(found), self::wanted(wanted)))
}

fn found(what: &str) -> String {
    for (kind, word) in [
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("string ", "the text "),
        ("boolean ", ""),
    ] {
        if let Some(value) = what.strip_prefix(kind) {
            return format!("{word}{value}");
        }
    }
    match what {
        "sequence" => "a list",
        "map" => "a mapping",
        "null" | "unit value" | "Option value" => "nothing",
        other => other,
    }
    .to_owned()
}

fn wanted(what: &str) -> String {
    let whole = what.strip_prefix(['u', 'i']).is_some_and(|bits| {
        bits == "size" || (!bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if whole {
        let from = if what.starts_with('u') { " from 0 up" } else { "" };
        return format!("a whole number{from}");
    }
    let structure = ["struct ", "internally tagged enum ", "adjacently tagged enum "];
    if what == "map" || what == "a map" || structure.iter().any(|kind| what.starts_with(kind)) {
        return "a mapping of fields".to_owned();
    }
    match what {
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "path string" => "a path",
        "string or map" | "string only" => "one word, or a mapping with a single key",
        "map with a single key" => "a mapping with a single key",
        _ if what.contains("Decimal") => "a decimal number",
        _ if what.starts_with("enum ") => "one word, or a mapping with a single key",
        other => other,
    }
    .to_owned()
}

/// The field that an `unknown field` message speaks of.
pub(super) fn unknown_field(reason: &str) -> Option<&str> {
    unknown(reason, "unknown field `").map(|(name, _)| name)
}

/// The name and the known names of a message that begins with `prefix`.
fn unknown<'a>(reason: &'a str, prefix: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (name, rest) = reason.strip_prefix(prefix)?.split_once('`')?;
    Some((name, rest.split('`').skip(1).step_by(2).collect()))
}

/// The known name that differs least, when it differs little.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(far, _)| *far <= 1.max(name.len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance; both words are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_answered_with_the_right_one() {
        let reason = "unknown field `conector`, expected one of `connector`, `scope`, `settings`";
        assert_eq!(usual_cure("", reason), "did you mean `connector`? otherwise remove it");
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        let reason = "unknown variant `avg`, expected one of `sum`, `max`, `min`, `none`";
        assert_eq!(usual_cure("", reason), "write one of: sum, max, min, none");
        let near = "unknown variant `bsic`, expected `basic` or `client_certificate`";
        assert!(usual_cure("", near).starts_with("did you mean `basic`?"));
    }

    #[test]
    fn a_number_where_a_name_belongs_asks_for_quotes() {
        let reason = "invalid type: integer `1010`, expected a string";
        assert!(usual_cure("x", reason).contains("quotes"));
    }

    #[test]
    fn no_name_of_a_type_is_shown_to_a_person() {
        for (reason, said) in [
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number from 0 up, found the number `-1`",
            ),
            (
                "invalid type: integer `3`, expected struct Polling",
                "expected a mapping of fields, found the number `3`",
            ),
            (
                "invalid value: string \"sixty\", expected a Decimal type representing a fixed-point number",
                "expected a decimal number, found the text \"sixty\"",
            ),
            (
                "invalid type: sequence, expected string or map",
                "expected one word, or a mapping with a single key, found a list",
            ),
        ] {
            assert_eq!(plain(reason), said);
            assert!(usual_cure("x", reason).starts_with("write "), "{}", usual_cure("x", reason));
        }
    }
}
