//! Keeps a planner's page to the people in front of it.
//!
//! The page asks for no password. So a page of somebody else, open in the same
//! browser, must not edit cells or run jobs: neither straight (`Origin`), nor
//! under a name that was pointed at this machine (`Host`).

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Request};

/// Why a request is not the page's own; `None` where it may be.
///
/// A request without `Host` comes from no browser. An address in digits can't be
/// pointed elsewhere by whoever owns a name.
#[must_use]
pub fn refusal(request: &Request<Bytes>) -> Option<String> {
    let headers = request.headers();
    let host = text(headers, "host").or_else(|| request.uri().authority().map(|a| a.as_str()));
    if let Some(host) = host
        && !is_local(host)
    {
        return Some(format!(
            "`Host: {host}` is no name of this machine; open the page as localhost or by its \
             address in digits"
        ));
    }
    if let Some(origin) = text(headers, "origin") {
        let from = origin.split_once("://").map(|(_, authority)| authority);
        if from.is_none() || from != host {
            return Some(format!("a page of {origin} asks: only the planner's page may"));
        }
    }
    let site = text(headers, "sec-fetch-site");
    if site.is_some_and(|site| !["same-origin", "none"].contains(&site)) && !is_read(request) {
        return Some("a page of another site asks: only the planner's page may".to_owned());
    }
    None
}

fn is_read(request: &Request<Bytes>) -> bool {
    [http::Method::GET, http::Method::HEAD].contains(request.method())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // What is no text is no name that we know.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, pairs: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/planner/edit");
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        refusal(&request.body(Bytes::new()).unwrap()).is_some()
    }

    #[test]
    fn the_page_itself_and_programs_are_let_in() {
        for pairs in [
            &[][..],
            &[("host", "127.0.0.1:9101")],
            &[("host", "localhost:9101"), ("origin", "http://localhost:9101")],
            &[("host", "[::1]:9101"), ("origin", "http://[::1]:9101")],
            &[("host", "10.1.2.3:9101"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(!refused("POST", pairs), "{pairs:?}");
        }
        assert!(!refused("GET", &[("host", "localhost"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn other_pages_and_other_names_are_not() {
        for pairs in [
            &[("host", "planner.example:9101")][..],
            &[("host", "localhost.example")],
            &[("host", "127.0.0.1.example")],
            &[("host", "localhost:9101"), ("origin", "http://localhost:8000")],
            &[("host", "localhost:9101"), ("origin", "https://elsewhere.example")],
            &[("host", "localhost:9101"), ("origin", "null")],
            &[("origin", "http://localhost:9101")],
            &[("host", "localhost:9101"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost:9101"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(refused("POST", pairs), "{pairs:?}");
        }
        assert!(refused("GET", &[("host", "planner.example")]), "reading is refused, too");
    }
}
