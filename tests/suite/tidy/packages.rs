//! The packages that the product was ordered with each do real work.

use super::{assert_none, sources};

/// Package, the file that works with it, and a call that proves it.
const ORDERED: [(&str, &str, &str); 9] = [
    ("reqwest", "core/kit/src/transport_reqwest.rs", "reqwest::"),
    ("tokio", "core/kit/src/system_clock.rs", "tokio::time::sleep"),
    ("serde", "contracts/src/cell.rs", "Serialize"),
    ("serde_json", "core/kit/src/http/answer.rs", "serde_json::"),
    ("quick-xml", "core/odata/src/edmx.rs", "quick_xml::"),
    ("oauth2", "core/kit/src/http/client_credentials.rs", "oauth2::"),
    ("governor", "core/kit/src/quota.rs", "governor::"),
    ("wiremock", "tests/support/src/on_wiremock.rs", "wiremock::"),
    ("tracing", "core/kit/src/push_stack.rs", "tracing::"),
];

#[test]
fn the_ordered_packages_do_real_work() {
    let sources = sources(".rs");
    let idle: Vec<String> = ORDERED
        .iter()
        .filter(|(_, path, call)| {
            let file = sources.iter().find(|source| source.path == *path);
            !file.is_some_and(|file| file.text.contains(call))
        })
        .map(|(package, path, call)| format!("{package}: `{call}` not found in {path}"))
        .collect();
    assert_none("each ordered package does its work where this table says", &idle);
}
