//! Secrets in the forms in which they come back, and none of them shown.

use std::io::Write as _;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::*;

/// The forms of one value only: the process may know others.
fn hide(secret: &str, text: &str) -> String {
    let forms = forms::forms(secret);
    let masked = masked(text.as_bytes(), &Finder::new(forms.iter())).into_owned();
    String::from_utf8(masked).unwrap()
}

/// A way in which software writes a text down inside another one.
#[derive(Debug, Clone, Copy)]
enum Way {
    PercentAll,
    PercentLower,
    PercentSome,
    Json,
    JsonUnicode,
    Html,
    HtmlHex,
    HtmlNumbers,
}

const WAYS: [Way; 8] = [
    Way::PercentAll,
    Way::PercentLower,
    Way::PercentSome,
    Way::Json,
    Way::JsonUnicode,
    Way::Html,
    Way::HtmlHex,
    Way::HtmlNumbers,
];

fn write(way: Way, text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = |each: &dyn Fn(u8) -> String| text.bytes().map(each).collect::<String>();
    let chars = |each: &dyn Fn(char) -> String| text.chars().map(each).collect::<String>();
    match way {
        Way::PercentAll => bytes(&|b| format!("%{b:02X}")),
        Way::PercentLower => bytes(&|b| format!("%{b:02x}")),
        Way::PercentSome => {
            bytes(&|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        }
        Way::Json => {
            let quoted = serde_json::to_string(text).unwrap();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Way::JsonUnicode => {
            text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>()
        }
        Way::Html => chars(&|c| match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\'' => "&#39;".into(),
            _ => c.to_string(),
        }),
        Way::HtmlHex => chars(&|c| format!("&#x{:X};", u32::from(c))),
        Way::HtmlNumbers => chars(&|c| format!("&#{};", u32::from(c))),
    }
}

/// What stands for the value before anybody escapes it.
fn inner(kind: usize, before: &str, secret: &str) -> String {
    let pair = format!("{before}{secret}");
    match kind {
        0 => secret.to_owned(),
        1 => STANDARD.encode(&pair),
        2 => URL_SAFE_NO_PAD.encode(&pair),
        3 => secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
        4 => secret.to_uppercase().replace('É', "é"),
        _ => secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "),
    }
}

proptest! {
    #[test]
    fn no_way_of_writing_brings_a_secret_past(
        secret in "[ -~é€]{4}[!-~é€😀]{8,20}",
        before in "[a-z]{0,4}:?",
        kind in 0_usize..6,
        ways in proptest::collection::vec(proptest::sample::select(&WAYS), 0..=3),
        broken in proptest::collection::vec(0_usize..60, 0..4),
    ) {
        prop_assume!(can_mask(&secret));
        let mut shape = inner(kind, &before, secret.trim());
        for way in &ways {
            shape = write(*way, &shape);
        }
        for at in broken {
            if shape.is_char_boundary(at.min(shape.len())) {
                shape.insert_str(at.min(shape.len()), "\n ");
            }
        }
        let shown = hide(secret.trim(), &format!("the target says: {shape} and stops"));
        prop_assert!(shown.contains("***"), "{shape}");
        // Of base64 the part before the value may stay, and the padding.
        let left = shown.replace("the target says: ", "").replace(" and stops", "");
        let left = left.trim();
        let head = left.split("***").next().unwrap_or_default();
        let kept = if matches!(kind, 1 | 2) { head.len() } else { 0 };
        prop_assert!(head.len() <= kept, "{shown}");
        if !matches!(kind, 1 | 2) {
            prop_assert_eq!(left, "***");
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is(text in "\\PC{0,200}") {
        prop_assert_eq!(hide("k7#Wq/9\"zR+p=é", &text), text);
    }
}

#[test]
fn a_secret_in_a_long_text_is_found_wherever_a_piece_ends() {
    let secret = "k7#Wq/9zR+p";
    for before in (PIECE - 40..PIECE + 40).chain([0, PIECE - OVERLAP, 2 * PIECE]) {
        let text = format!(
            "{}{}{}",
            "a".repeat(before),
            write(Way::PercentAll, secret),
            "z".repeat(90_000)
        );
        let shown = hide(secret, &text);
        assert_eq!(shown.len(), before + 3 + 90_000, "{before}");
    }
}

#[test]
fn json_stays_json() {
    let secret = "name+of/the\"dog";
    for text in [format!("line\n{secret} end"), format!("C:\\{secret}"), secret.to_owned()] {
        let document = serde_json::json!({ secret: [text, 1.5] }).to_string();
        let shown = hide(secret, &document);
        let read: serde_json::Value =
            serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"));
        assert!(read["***"][0].as_str().unwrap().contains("***"), "{shown}");
    }
}

#[test]
fn short_words_and_figures_are_no_secrets_and_a_header_is_one() {
    for value in ["abc", "12345", "20261126", "Planthread", ""] {
        assert!(!can_mask(value), "{value}");
    }
    assert!(can_mask("hunter2") && can_mask("123456789012"));
    let mut request = Request::new(Bytes::new());
    let header = |text: &str| text.parse::<http::HeaderValue>().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, header("Basic cGxhbnQ6MTIzNA=="));
    let mut cookies = header("one-ctx=100; SESSION=dGhpcy1pcy1h-session");
    cookies.set_sensitive(true);
    request.headers_mut().insert(header::COOKIE, cookies);
    sent(&request);
    let mut answer = HeaderMap::new();
    answer.append(header::SET_COOKIE, header("id=another-session-of-ours; path=/; secure"));
    received(&answer);
    let said = "no: cGxhbnQ6MTIzNA== (dGhpcy1pcy1h-session) another%2Dsession-of-ours, one-ctx=100";
    assert_eq!(text(said), "no: *** (***) ***, one-ctx=100");
    let mut log = Masked(Vec::new());
    log.write_all(said.as_bytes()).unwrap();
    assert_eq!(log.0, text(said).as_bytes());
}

#[test]
fn a_key_file_is_known_by_its_lines() {
    let line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{line}\nshort\n-----END PRIVATE KEY-----\n");
    assert_eq!(hide(&pem, &format!("key {line} short")), "key *** short");
    let framed = "-----BEGIN PRIVATE KEY-----";
    assert_eq!(hide(&pem, framed), framed);
}
