//! The forms in which a value may come back, before anybody escapes them.
//!
//! All are folded: without white space, in lower case, and with the URL's
//! alphabet of base64. So is what they are looked for in.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// A form of fewer bytes would be found in ordinary text.
const SHORTEST: usize = 6;

/// A line of a longer secret (a key file) that is looked for by itself.
const LINE: usize = 16;

/// Every form of `value`.
pub(super) fn forms(value: &str) -> Vec<Vec<u8>> {
    if value.contains('\n') {
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= LINE);
        // What frames a key is public.
        let lines = lines.filter(|line| !line.starts_with("-----"));
        return kept(lines.map(|line| line.as_bytes().to_vec()).collect());
    }
    let bytes = value.as_bytes();
    let numbers = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut forms = vec![bytes.to_vec(), hex.into_bytes(), numbers.into_bytes()];
    forms.extend((0..3).map(|before| inside_base64(bytes, before)));
    if value.ends_with('=') {
        forms.push(value.trim_end_matches('=').as_bytes().to_vec());
    }
    if value.contains(' ') {
        forms.push(value.replace(' ', "+").into_bytes());
    }
    if !value.is_ascii() {
        // What is left of it where somebody takes another character set for ours.
        let ascii = |other: char| {
            value.chars().map(|c| if c.is_ascii() { c } else { other }).collect::<String>()
        };
        forms.extend([ascii('?').into_bytes(), ascii('\u{fffd}').into_bytes()]);
        let latin: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
        let twice =
            latin.as_ref().map(|_| bytes.iter().map(|b| char::from(*b)).collect::<String>());
        forms.extend(latin);
        forms.extend(twice.map(String::into_bytes));
    }
    kept(forms)
}

/// The characters that `value` alone decides in a base64 text in which `before`
/// bytes (modulo 3) stand before it.
fn inside_base64(value: &[u8], before: usize) -> Vec<u8> {
    let padded = [&vec![0; before], value].concat();
    let text = STANDARD_NO_PAD.encode(&padded).into_bytes();
    let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    text[first..end].to_vec()
}

fn kept(forms: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let folded = forms.into_iter().map(|form| {
        let solid = form.into_iter().filter(|byte| !byte.is_ascii_whitespace());
        solid.map(fold).collect::<Vec<u8>>()
    });
    let mut kept: Vec<Vec<u8>> = folded.filter(|form| form.len() >= SHORTEST).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// One spelling for all that are taken for the same.
pub(super) const fn fold(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other.to_ascii_lowercase(),
    }
}
