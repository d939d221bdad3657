//! What a refusal of these services says beyond its status: one 500 that is no
//! outage, and the cure for each status.

use http::StatusCode;
use planthread_kit::{Class, ConnectorError};
use planthread_odata::{Dialect, fault::Said};

/// Session cookies of a Gateway (§6.0), and what its refusals mean.
pub(crate) const DIALECT: Dialect =
    Dialect { cookies: &["sap_sessionid", "sap-usercontext", "sap-xsrf"], refine };

fn refine(mut error: ConnectorError, status: StatusCode, said: &Said) -> ConnectorError {
    if let Some(name) = invalid_column(&said.text) {
        error.class = Class::Drift;
        error.message = format!("key figure {name} can't be written: {}", said.text);
        return error.cure(format!(
            "{name} is calculated, not editable, or not assigned to this version; make it a stored, \
             editable key figure at the declared level, or correct `surface` of its measure"
        ));
    }
    match cure_of(status) {
        Some(cure) => error.cure(cure),
        None => error,
    }
}

/// `invalid column name: <KF>` comes as a 500 and looks like an outage, but is
/// permanent (§5, §11, B). Answers the name.
pub(crate) fn invalid_column(text: &str) -> Option<String> {
    const WORDS: &str = "invalid column name";
    let at = text.to_ascii_lowercase().find(WORDS)?;
    let rest = text[at + WORDS.len()..].trim_start_matches([':', ' ', '\'', '"']);
    let name: String =
        rest.chars().take_while(|part| part.is_ascii_alphanumeric() || *part == '_').collect();
    Some(if name.is_empty() { "(not named)".to_owned() } else { name })
}

const fn cure_of(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        401 => Some("check user and password, and whether the communication user is locked"),
        403 => Some("the communication arrangement SAP_COM_0720 must be active for this user"),
        404 => Some(
            "check the service roots, and enable the planning area for the planning service \
             (Global Configuration: FLEXQUERY, PLANNINGAREA)",
        ),
        300..=399 => Some(
            "the host redirects instead of answering: use the API host (with -api) and check how this \
             user logs on",
        ),
        411 | 415 => Some(
            "a proxy or front refuses the form of the request and not its content: let it pass \
             POST requests to the service's host as they are",
        ),
        413 => Some("a front takes no request of this size: lower `transaction.values_per_post`"),
        414 => Some("a front takes no address of this length: lower `reading.pairs_in_filter`"),
        405 => Some("check the verb of the operation in $metadata and set it under `operations`"),
        400..=499 => Some("compare the configuration with the tenant: `planthread check`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use planthread_kit::Sent;
    use planthread_odata::fault::{refused, shorten};

    use super::*;

    fn of(status: u16, body: &str) -> ConnectorError {
        let answer = Response::builder().status(status).body(Bytes::from(body.to_owned()));
        refused("stage rows", &answer.unwrap(), Sent::Maybe, DIALECT)
    }

    #[test]
    fn a_calculated_key_figure_is_permanent_though_it_says_500() {
        let body = r#"{"error":{"code":"/IBP/X","message":{"value":"Invalid column name: UTILIZATIONPCT"}}}"#;
        let error = of(500, body);
        assert_eq!(error.class, Class::Drift);
        assert!(error.to_string().contains("UTILIZATIONPCT"), "{error}");
        assert_eq!(error.vendor_code.as_deref(), Some("/IBP/X"));
        let other = of(500, "Data Services internal error");
        assert_eq!(other.class, Class::Transient { sent: Sent::Maybe });
    }

    #[test]
    fn refusals_that_somebody_can_mend_say_how() {
        for status in [302, 400, 401, 403, 404, 405, 411, 413, 414, 415] {
            assert!(of(status, "no").cure.is_some(), "{status}");
        }
        assert!(!shorten("SAP_SESSIONID_X_100=abcdef;", DIALECT).contains("abcdef"));
    }
}
