//! The state of an import, as `getExportResult` tells it.
//!
//! It tells words (§6.5). The one-letter codes of application jobs (A, C, D, F,
//! K, P, R, S, U, W, X, Y, c, k) belong to another service (§10): one of them
//! here is a word that nobody documents, and the read-back decides.

use http::StatusCode;
use planthread_kit::{Class, ConnectorError, Sent, http::Lane};
use planthread_odata::{
    answer::{rows, text},
    literal::{query, string},
};
use serde_json::Value;

use crate::context::Context;

/// States of the fact sheet (§6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImportState {
    /// Not started.
    Initial,
    /// Running.
    Processing,
    /// Every row was applied.
    Processed,
    /// Ended; some rows were rejected.
    ProcessedWithErrors,
    /// Ended; failed.
    Error,
    /// Anything else: unconfirmed, a read-back decides.
    Other(String),
}

impl ImportState {
    fn of(word: &str) -> Self {
        match word {
            "INITIAL" => Self::Initial,
            "PROCESSING" => Self::Processing,
            "PROCESSED" => Self::Processed,
            "PROCESSED_WITH_ERRORS" => Self::ProcessedWithErrors,
            "ERROR" => Self::Error,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The vendor's word.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Initial => "INITIAL",
            Self::Processing => "PROCESSING",
            Self::Processed => "PROCESSED",
            Self::ProcessedWithErrors => "PROCESSED_WITH_ERRORS",
            Self::Error => "ERROR",
            Self::Other(word) => word,
        }
    }

    /// Whether the import has messages worth a request: those of one that took
    /// every row say nothing about a refusal (§6.6).
    pub(crate) const fn has_refusals(&self) -> bool {
        match self {
            Self::ProcessedWithErrors | Self::Error => true,
            Self::Initial | Self::Processing | Self::Processed | Self::Other(_) => false,
        }
    }
}

/// Asks once. A 4xx is no error here: the service doesn't know (any more).
/// A page of somebody in between, or a redirect, is not the service's word.
pub(crate) async fn ask(ibp: &Context, transaction: &str) -> Result<ImportState, ConnectorError> {
    const ASK: &str = "ask import state";
    let parameters =
        query(&[("P_TransactionID", string(transaction)), ("$format", "json".to_owned())]);
    let path = format!("{}?{parameters}", ibp.config.operations.status.name);
    let answer = ibp.planning.ask(ASK, Lane::Verify, &path).await?;
    match ibp.planning.documented(ASK, &answer, StatusCode::OK, Sent::No) {
        Ok(body) => Ok(state_in(&body)),
        Err(error) if error.class == Class::Drift && answer.status().is_client_error() => {
            Ok(ImportState::Other(error.message))
        }
        Err(error) => Err(error),
    }
}

/// Looks for the pair by its name: its position is nobody's promise (§6.5).
fn state_in(body: &Value) -> ImportState {
    let pairs = rows("ask import state", body).unwrap_or_default();
    pairs.iter().find(|pair| text(pair, "Name") == "Status").map_or_else(
        || ImportState::Other("no Status in the answer".to_owned()),
        |pair| ImportState::of(text(pair, "Value")),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_pair_is_found_by_name() {
        let body = json!({"d": {"results": [
            {"Name": "Rows", "Value": "7"}, {"Name": "Status", "Value": "PROCESSED"}]}});
        assert_eq!(state_in(&body), ImportState::Processed);
        let none = state_in(&json!({"d": {"results": []}}));
        assert!(matches!(none, ImportState::Other(_)));
        assert_eq!(ImportState::of("ARCHIVED").word(), "ARCHIVED");
    }
}
