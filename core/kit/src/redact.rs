//! Error texts without secrets.
//!
//! Vendors and libraries put URLs, headers and tokens into their messages.
//! What people get to read passes through here first: [`crate::mask`] hides the
//! values that we know, before a text is cut; the words here hide what stands
//! where secrets of others stand.

use crate::mask;

/// Longest text that is shown of a foreign message, in characters.
const LENGTH_MAX: usize = 500;

/// Words that announce a secret as the next value (`word=value`, `word: value`).
const NAMES: [&str; 14] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-csrf-token",
    "x-api-key",
    "apikey",
    "api_key",
    "password",
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "token",
];

/// Words that follow a scheme in a sentence.
const PROSE: [&str; 6] = ["auth", "authentication", "credentials", "realm", "scheme", "token"];

/// `text` in one line, without URL queries and user parts, header values,
/// tokens and passwords, shortened.
#[must_use]
pub fn text(text: &str) -> String {
    up_to(text, LENGTH_MAX)
}

/// The same, shortened to `most` characters: for a target whose error texts
/// say what matters late.
#[must_use]
pub fn up_to(text: &str, most: usize) -> String {
    let known = mask::text(text);
    let mut out = String::with_capacity(text.len().min(most));
    let mut hide = Hide::Nothing;
    for word in known.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let (shown, next) = one_word(word, hide);
        out.push_str(&shown);
        hide = next;
    }
    match out.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &out[..end]),
        None => out,
    }
}

/// What the words before say about the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hide {
    Nothing,
    /// `=` or `:` and a value may follow.
    AfterSign,
    /// The value follows.
    Value,
    /// A credential follows, or the sentence goes on: `basic authentication`.
    Credential,
    /// A header value follows: scheme and credential, or several cookies.
    Header,
}

fn one_word(word: &str, hide: Hide) -> (String, Hide) {
    const HIDDEN: &str = "***";
    match hide {
        Hide::AfterSign if word == "=" || word == ":" => return (word.to_owned(), Hide::Value),
        Hide::Value if is_scheme(word) => return (word.to_owned(), Hide::Value),
        Hide::Credential if PROSE.contains(&prose(word).as_str()) => {}
        Hide::Value | Hide::Credential => return (HIDDEN.to_owned(), Hide::Nothing),
        Hide::Header if is_scheme(word) => return (word.to_owned(), Hide::Value),
        Hide::Header => {
            let more = if word.ends_with(';') { Hide::Header } else { Hide::Nothing };
            return (HIDDEN.to_owned(), more);
        }
        Hide::Nothing | Hide::AfterSign => {}
    }
    if is_scheme(word) {
        return (word.to_owned(), Hide::Credential);
    }
    if let Some((name, sign, value)) = pair(word) {
        let header = name.contains("cookie") || name.contains("authorization");
        let following = if header { Hide::Header } else { Hide::Value };
        let head = url(&word[..word.len() - value.len()]);
        return if value.is_empty() || is_scheme(value) {
            (head + value, if sign { following } else { Hide::AfterSign })
        } else {
            let more = header && value.ends_with(';');
            let hidden = if head.ends_with(HIDDEN) { "" } else { HIDDEN };
            (head + hidden, if more { Hide::Header } else { Hide::Nothing })
        };
    }
    (url(word), Hide::Nothing)
}

/// The first `name=value` or `name:value` (also quoted, also in the middle of a
/// form or of JSON) of a name that hides its value; the value is all the rest.
fn pair(word: &str) -> Option<(String, bool, &str)> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let mut from = 0;
    while from < word.len() {
        let Some(length) = word[from..].find(part) else { break };
        let name = word[from..from + length].to_ascii_lowercase();
        let rest = word[from + length..].trim_start_matches(['"', '\'', '\\']);
        if NAMES.contains(&name.as_str()) && rest.starts_with(['=', ':']) {
            return Some((name, true, &rest[1..]));
        }
        from += length + word[from + length..].chars().next().map_or(1, char::len_utf8);
    }
    let name = word.trim_matches(|c: char| part(c)).to_ascii_lowercase();
    NAMES.contains(&name.as_str()).then_some((name, false, ""))
}

fn prose(word: &str) -> String {
    word.trim_matches(|c: char| c.is_ascii_punctuation()).to_ascii_lowercase()
}

fn is_scheme(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    ["basic", "bearer"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// `word` without a query, a fragment and a user part, if it looks like a URL.
fn url(word: &str) -> String {
    let mut rest = word;
    let mut out = String::new();
    if let Some((scheme, after)) = word.split_once("://") {
        let host_end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let host_start = after[..host_end].rfind('@').map_or(0, |at| at + 1);
        out = format!("{scheme}://{}", &after[host_start..host_end]);
        rest = &after[host_end..];
    } else if !word.contains('=') {
        return word.to_owned();
    }
    match rest.find('?') {
        Some(query) => out + &rest[..query] + "?***",
        None => out + rest,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_keep_host_and_path_only() {
        let cases = [
            ("error for url (https://u:pw@h.example:443/a/b?sig=x&t=1)", "pw"),
            ("GET /v2/Rows?$filter=A%20eq%201&apikey=hunter2 failed", "hunter2"),
            ("https://h.example?token=hunter2", "hunter2"),
        ];
        for (input, secret) in cases {
            let out = text(input);
            assert!(!out.contains(secret), "{out}");
        }
        assert_eq!(text(cases[0].0), "error for url (https://h.example:443/a/b?***");
        assert_eq!(text("a question? yes = no"), "a question? yes = no");
    }

    #[test]
    fn header_values_and_tokens_are_hidden() {
        let cases = [
            ("Authorization: Basic aHVudGVyMg==", "Authorization: Basic ***"),
            ("authorization:Bearer hunter2 rest", "authorization:Bearer *** rest"),
            ("sent Bearer hunter2.", "sent Bearer ***"),
            ("Cookie: a=hunter2; b=hunter2 end", "Cookie: *** *** end"),
            ("x-csrf-token: hunter2", "x-csrf-token: ***"),
            (r#"{"access_token":"hunter2"}"#, r#"{"access_token":***"#),
            (r#"{"access_token" : "hunter2"}"#, r#"{"access_token" : ***"#),
            ("client_secret=hunter2&grant_type=x", "client_secret=***"),
            ("grant_type=x&client_secret=hunter2", "grant_type=x&client_secret=***"),
            (
                r#"{"token_type":"bearer","access_token":"hunter2"}"#,
                r#"{"token_type":"bearer","access_token":***"#,
            ),
            (r#"said {\"password\":\"hunter2\"}"#, r#"said {\"password\":***"#),
        ];
        for (input, want) in cases {
            assert_eq!(text(input), want);
        }
    }

    #[test]
    fn ordinary_words_stay() {
        let plain = "measure CAPA: value 12.5 is above the token limit of 9";
        assert_eq!(text("row 7\n  refused"), "row 7 refused");
        assert_eq!(text(plain), plain);
        let plain = "Basic authentication is off, use a bearer token";
        assert_eq!(text(plain), plain);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let out = text(&"ä".repeat(2_000));
        assert_eq!(out.chars().count(), LENGTH_MAX + 3);
    }

    proptest! {
        #[test]
        fn any_text_passes(any in "\\PC{0,80}") {
            let _ = text(&any);
        }

        #[test]
        fn a_secret_in_a_query_never_passes(path in "[a-z/]{0,10}", key in "[a-z]{1,8}") {
            let out = text(&format!("https://h.example/{path}?{key}=hunter2"));
            prop_assert!(!out.contains("hunter2"));
        }
    }
}
