//! Bodies as they are when a surface has changed, or rows are lost: without a word on
//! whose body it is.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// The body with each of `names` called otherwise, wherever it stands in quotation
/// marks; nothing where none does.
pub(super) fn renamed(body: &Bytes, names: &[String]) -> Option<Bytes> {
    if names.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let quoted = |name: &String| (format!("\"{name}\""), format!("\"{name}Old\""));
    let changed = names.iter().map(quoted).fold(text.to_owned(), |text, (from, to)| {
        if text.contains(&from) { text.replace(&from, &to) } else { text }
    });
    (changed != text).then(|| Bytes::from(changed))
}

/// The first of `names` that a request asks by, as a word of its own.
pub(super) fn named<'a>(request: &Request<Bytes>, names: &'a [String]) -> Option<&'a str> {
    if names.is_empty() {
        return None;
    }
    let line = request.uri().to_string().replace("%20", " ");
    let body = String::from_utf8_lossy(request.body());
    let says = |text: &str, name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let part = |c: char| c.is_alphanumeric() || c == '_';
            !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part)
        })
    };
    names.iter().map(String::as_str).find(|name| says(&line, name) || says(&body, name))
}

/// What a target answers who asks by a name that it does not know.
pub(super) fn unknown(name: &str) -> Response<Bytes> {
    let text = format!("there is no {name}");
    let body = json!({ "error": { "code": "unknown", "message": { "value": text } } });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// The body without its rows that say `text`; nothing where it has none, or no
/// others. Rows are the elements of a list in JSON, else lines.
pub(super) fn without(body: &Bytes, text: &str) -> Option<Bytes> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        return thinned(&mut value, text).then(|| Bytes::from(value.to_string()));
    }
    let all = std::str::from_utf8(body).ok()?;
    let (lost, kept): (Vec<&str>, Vec<&str>) =
        all.split_inclusive('\n').partition(|line| line.contains(text));
    // The first line may be a header.
    (!lost.is_empty() && kept.len() > 1).then(|| Bytes::from(kept.concat()))
}

/// Takes the elements with `text` out of the innermost lists that have others, too.
fn thinned(value: &mut Value, text: &str) -> bool {
    match value {
        Value::Array(all) => {
            let says = |one: &Value| one.to_string().contains(text);
            let with = all.iter().filter(|one| says(one)).count();
            if with > 0 && with < all.len() && all.iter().all(|one| !one.is_string()) {
                all.retain(|one| !says(one));
                return true;
            }
            // Each of them, also when one has changed.
            all.iter_mut().filter_map(|one| thinned(one, text).then_some(())).count() > 0
        }
        Value::Object(fields) => {
            let all = fields.iter_mut();
            all.filter_map(|(_, one)| thinned(one, text).then_some(())).count() > 0
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lost_out_of_lists_and_lines_that_have_others() {
        let lose = |body: &str| {
            let body = without(&Bytes::from(body.to_owned()), "LINE-2");
            body.map(|body| String::from_utf8(body.to_vec()).unwrap())
        };
        let json = r#"{"a":{"results":[{"r":"LINE-1"},{"r":"LINE-2"},{"r":"LINE-3"}]}}"#;
        let kept = r#"{"a":{"results":[{"r":"LINE-1"},{"r":"LINE-3"}]}}"#;
        assert_eq!(lose(json).as_deref(), Some(kept));
        assert_eq!(lose("h\nLINE-1,1\nLINE-2,2\n").as_deref(), Some("h\nLINE-1,1\n"));
        for whole in ["", "{}", "h\nLINE-1,1\n", r#"[{"r":"LINE-2"}]"#, r#"{"r":"LINE-2"}"#] {
            assert_eq!(lose(whole), None, "{whole}");
        }
    }

    #[test]
    fn a_name_is_called_otherwise_only_as_a_whole() {
        let body = Bytes::from_static(br#"{"Live":1,"Lively":2}"#);
        let renamed = renamed(&body, &["Live".to_owned()]);
        assert_eq!(renamed.unwrap().as_ref(), br#"{"LiveOld":1,"Lively":2}"#);
        assert_eq!(super::renamed(&body, &["Rate".to_owned()]), None);
    }
}
