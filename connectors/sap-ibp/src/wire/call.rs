//! Calls of function imports that change something.

use bytes::Bytes;
use http::{Method, Response};
use planthread_kit::ConnectorError;
use planthread_odata::{Service, Session};

use crate::config::{Operation, Verb};

/// Calls `operation`; its parameters stand in the address, on a POST too (§8).
pub(crate) async fn call(
    service: &Service,
    step: &'static str,
    session: &Session,
    operation: &Operation,
    query: &str,
) -> Result<Response<Bytes>, ConnectorError> {
    let path = format!("{}?{query}", operation.name);
    let method = match operation.verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
    };
    service.write(step, session, method, &path, Bytes::new()).await
}
