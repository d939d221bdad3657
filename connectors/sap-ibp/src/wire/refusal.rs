//! What helps after a refusal of these services, by its status.

use http::StatusCode;
use planthread_odata::{
    Dialect,
    fault::{self, said},
};

/// Session cookies of a Gateway (§6.0).
const COOKIES: [&str; 3] = ["sap_sessionid", "sap-usercontext", "sap-xsrf"];

/// How its refusals read, and what they mean.
pub(crate) const DIALECT: Dialect = Dialect { read: |body| said(body, &COOKIES), cure: cure_of };

/// A text of the service, as it may be shown.
pub(crate) fn shorten(text: &str) -> String {
    fault::shorten(text, &COOKIES)
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
    use super::*;

    #[test]
    fn refusals_that_somebody_can_mend_say_how() {
        for status in [302, 400, 401, 403, 404, 405, 411, 413, 414, 415] {
            assert!(cure_of(StatusCode::from_u16(status).unwrap()).is_some(), "{status}");
        }
        assert!(!shorten("SAP_SESSIONID_X_100=abcdef;").contains("abcdef"));
    }
}
