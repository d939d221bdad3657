//! The planner's page: one HTML, one style sheet, four scripts, all embedded.

use bytes::Bytes;
use http::{HeaderValue, Response, header};

const FILES: [(&str, &str, &str); 6] = [
    ("/planner", "text/html;charset=utf-8", include_str!("page/planner.html")),
    ("/planner/planner.css", "text/css;charset=utf-8", include_str!("page/planner.css")),
    ("/planner/rows.js", "text/javascript;charset=utf-8", include_str!("page/rows.js")),
    ("/planner/totals.js", "text/javascript;charset=utf-8", include_str!("page/totals.js")),
    ("/planner/chart.js", "text/javascript;charset=utf-8", include_str!("page/chart.js")),
    ("/planner/planner.js", "text/javascript;charset=utf-8", include_str!("page/planner.js")),
];

/// The page's file at a path: content type and text.
#[must_use]
pub fn file(path: &str) -> Option<(&'static str, &'static str)> {
    let path = if path == "/planner/" { "/planner" } else { path };
    FILES.iter().find(|(at, ..)| *at == path).map(|(_, kind, text)| (*kind, *text))
}

/// Answers with a file of the page; nothing from elsewhere may run in it.
#[must_use]
pub fn answer(path: &str) -> Response<Bytes> {
    let (kind, text) = file(path).unwrap_or(("text/plain", ""));
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let policy = HeaderValue::from_static("default-src 'self'; img-src 'self' data:");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
