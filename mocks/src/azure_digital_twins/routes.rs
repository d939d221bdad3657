//! Event routes: an instance of this sandbox has no endpoint, so none can be
//! made (section 1.9).

use bytes::Bytes;
use http::{Method, Request};

use super::wire::{Answer, Refusal, body, list};

/// Answers a request below `/eventroutes`.
pub(super) fn handle(request: &Request<Bytes>, rest: &[String], tls: bool) -> Answer {
    match (request.method(), rest) {
        (&Method::GET, []) => Ok(list(request, &[], 100, tls)),
        (&Method::PUT, [_]) => {
            let route = body(request)?;
            let endpoint = route["endpointName"].as_str().unwrap_or_default();
            let text = format!("The endpoint {endpoint} does not exist in the instance.");
            Err(Refusal::new(400, "EventRouteEndpointInvalid", text))
        }
        (&Method::GET | &Method::DELETE, [id]) => {
            let text = format!("There is no event route with the ID {id}.");
            Err(Refusal::new(404, "EventRouteNotFound", text))
        }
        _ => Err(Refusal::new(405, "MethodNotAllowed", "no such operation on event routes")),
    }
}
