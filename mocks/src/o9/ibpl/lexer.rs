//! Tokens of IBPL. Keywords are taken in any case, names in brackets as they are.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word or number.
    Word(String),
    /// A name in square brackets, without them.
    Name(String),
    /// A sign.
    Sign(char),
    /// JSON of a procedure, braces included.
    Json(String),
}

/// Cuts a statement into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '[' {
            let end = rest.find(']').ok_or("a bracket is not closed")?;
            found.push(Token::Name(rest[1..end].to_owned()));
            end + 1
        } else if first == '{' && after_procedure(&found) {
            let mut values =
                serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
            if !matches!(values.next(), Some(Ok(_))) {
                return Err("the parameters are no JSON".to_owned());
            }
            let end = values.byte_offset();
            found.push(Token::Json(rest[..end].to_owned()));
            end
        } else if is_word(first) || first == '-' {
            let end =
                rest[1..].find(|c: char| !is_word(c) && c != '.').map_or(rest.len(), |n| n + 1);
            // A point ends a number only where digits follow: `Measure.[x]`.
            let word = &rest[..end];
            let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let end = if number {
                word.trim_end_matches('.').len()
            } else {
                word.find('.').unwrap_or(end)
            };
            found.push(Token::Word(rest[..end].to_owned()));
            end
        } else if "().,*;:=@#{}&".contains(first) {
            found.push(Token::Sign(first));
            1
        } else {
            return Err(format!("{first:?} is not understood"));
        };
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether `exec procedure [Name]` stands before.
fn after_procedure(found: &[Token]) -> bool {
    let word = |at: Option<&Token>, word: &str| matches!(at, Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
    let n = found.len();
    n >= 2 && matches!(found[n - 1], Token::Name(_)) && word(found.get(n - 2), "procedure")
}
