//! Which answer to a write is a receipt, which one refuses, and which one
//! leaves its fate unknown.
//!
//! Only the documented status with the documented JSON is a receipt. A page
//! of somebody in between says nothing about the rows: before the commit the
//! transaction is abandoned, after it the service is asked (§6.8).

use bytes::Bytes;
use http::{Response, StatusCode};
use planthread_kit::{Class, ConnectorError, Sent, http::answer::refuses};
use planthread_odata::Service;

/// What may be behind a 500 of the service itself.
const OWN_WORD: &str = "if it names a key figure, that is calculated, not editable, or not assigned \
     to this version: make it a stored, editable one at the declared level, or correct `surface` of \
     its measure; if the service speaks of itself, the next cycle tries again";

/// The receipt of a POST of rows: 201 with the entry of our transaction
/// (§6.3).
///
/// A calculated key figure is answered with a 500, and nothing but a sentence tells
/// that from a fault of the service (§5, §11, B). So what it has taken before
/// decides: a 500 of the service itself (it has a code) to columns of which it has
/// taken no row yet (`taken`) is its word about them. It is a finding of this cycle,
/// because nothing was committed and the same would be answered the same; the next
/// cycle tries again.
///
/// # Errors
/// Anything else: the rows may or may not be staged, so that the transaction
/// can't be committed any more.
pub(crate) fn staged(
    service: &Service,
    step: &'static str,
    answer: &Response<Bytes>,
    transaction: &str,
    taken: bool,
) -> Result<(), ConnectorError> {
    let body = service.documented(step, answer, StatusCode::CREATED, Sent::Maybe);
    let body = body.map_err(|mut error| {
        // The service's own codes begin so (§8); whoever stands before it has others.
        let own = error.vendor_code.as_deref().is_some_and(|code| code.starts_with("/IBP/"));
        if !own || answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
            return error;
        }
        if !taken {
            error.class = Class::Drift;
        }
        error.cure(OWN_WORD)
    })?;
    let entry = &body["d"];
    let id = entry.get("Transactionid").and_then(serde_json::Value::as_str);
    // A short answer (`P_RETURN_MIN`) may leave the id out.
    if entry.as_object().is_some_and(|entry| !entry.is_empty())
        && id.is_none_or(|id| id == transaction)
    {
        return Ok(());
    }
    let text = "the answer is not the entry of our transaction";
    Err(ConnectorError::new(Class::Drift, step, text)
        .cure("look at what stands between us and the service: it answered for something else"))
}

/// The receipt of a function import that changes something: 200 with its
/// result (§3).
///
/// # Errors
/// Anything else.
pub(crate) fn called(
    service: &Service,
    step: &'static str,
    answer: &Response<Bytes>,
) -> Result<(), ConnectorError> {
    service.documented(step, answer, StatusCode::OK, Sent::Maybe).map(|_| ())
}

/// What an answer to a commit says. Only a status that is clearly about this
/// request refuses it (RFC 9110). Anything else (a page with 200, a redirect, 408, 409, 5xx) may
/// come from somebody in between after the commit was taken.
///
/// # Errors
/// `Transient` with `Maybe` where the commit's fate is unknown; any other
/// class where it was refused.
pub(crate) fn committed(
    service: &Service,
    step: &'static str,
    answer: &Response<Bytes>,
) -> Result<(), ConnectorError> {
    let cure = "compare `operations.commit` with the function imports in $metadata";
    called(service, step, answer).map_err(|mut error| match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => error.cure(cure),
        status if refuses(status) => error,
        _ => {
            error.class = Class::Transient { sent: Sent::Maybe };
            error
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn service() -> Service {
        crate::samples::planning_service()
    }

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn rows_are_staged_by_an_entry_of_their_own_transaction_only() {
        let is = |status, body| {
            staged(&service(), "stage rows", &answer(status, body), "5f0c", false).is_ok()
        };
        assert!(is(201, r#"{"d":{"Transactionid":"5f0c","NavZPA":{"results":[]}}}"#));
        assert!(is(201, r#"{"d":{"DoCommit":false}}"#), "a short answer");
        assert!(!is(200, r#"{"d":{"Transactionid":"5f0c"}}"#));
        assert!(!is(201, r#"{"d":{"Transactionid":"other"}}"#));
        assert!(!is(201, r#"{"d":{}}"#) && !is(201, r#"{"d":[]}"#) && !is(201, "{}"));
        assert!(!is(201, "<html>Log on</html>"));
    }

    #[test]
    fn a_500_to_new_columns_is_a_finding_whatever_its_words_are() {
        let of = |status, body: &str, taken| {
            staged(&service(), "stage rows", &answer(status, body), "5f0c", taken).unwrap_err()
        };
        for text in ["Invalid column name: UTILIZATIONPCT", "ungültiger Spaltenname"] {
            let body = format!(r#"{{"error":{{"code":"/IBP/X","message":{{"value":"{text}"}}}}}}"#);
            let error = of(500, &body, false);
            assert_eq!(error.class, Class::Drift, "{error}");
            assert!(error.to_string().contains(text) && error.cure.is_some(), "{error}");
            // Columns that were taken can be written, somebody in between has no
            // code, and a 503 speaks of the service.
            for other in [of(500, &body, true), of(500, text, false), of(503, &body, false)] {
                assert_eq!(other.class, Class::Transient { sent: Sent::Maybe }, "{other}");
            }
        }
    }

    #[test]
    fn a_commit_is_refused_by_what_speaks_of_it_and_else_unclear() {
        let maybe = Class::Transient { sent: Sent::Maybe };
        let of = |status, body| {
            committed(&service(), "commit", &answer(status, body)).map_err(|e| e.class)
        };
        assert_eq!(of(200, r#"{"d":{"Name":"x","Value":"5f0c"}}"#), Ok(()));
        for status in [400, 404, 405, 411, 413, 414, 415] {
            assert_eq!(of(status, "refused"), Err(Class::Drift), "{status}");
        }
        for status in [401, 403] {
            assert_eq!(of(status, "refused"), Err(Class::Auth), "{status}");
        }
        for (status, body) in
            [(200, "<html>Log on</html>"), (204, ""), (302, ""), (406, ""), (409, ""), (500, "")]
        {
            assert_eq!(of(status, body), Err(maybe), "{status}");
        }
    }

    proptest! {
        /// No page, part or text is a receipt, whatever 2xx it comes with.
        #[test]
        fn only_the_documented_answer_is_a_receipt(status in 200u16..300, body in "[<a-z-][^{]{0,60}") {
            prop_assert!(staged(&service(), "stage rows", &answer(status, &body), "5f0c", false).is_err());
            let error = committed(&service(), "commit", &answer(status, &body)).unwrap_err();
            prop_assert_eq!(error.class, Class::Transient { sent: Sent::Maybe });
        }
    }
}
