//! Requests and their receipts: the thin IO, and every shape of refusal that
//! the service was seen to use (section 1.11).

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response,
    header::{CONTENT_TYPE, ETAG, IF_MATCH},
};
use planthread_kit::{
    Class, ConnectorError, Sent,
    http::{
        Bounds, Call, Expect, HttpStack, JsonClient, Lane, Page, Safety, Said,
        answer::{receipt, refusal},
        encoded,
        paging::by_cursor,
        retry_after::retry_after,
        said::said,
    },
};
use serde_json::{Value, json};

use crate::schema::each;

const READ_TWIN: &str = "read twin";
const PATCH_TWIN: &str = "patch twin";

/// Talks to one instance.
#[derive(Debug)]
pub(crate) struct Client {
    json: JsonClient,
    version: String,
    bounds: Bounds,
}

/// One twin as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Twin {
    /// Its document.
    pub(crate) document: Value,
    /// Its ETag: what a change must match.
    pub(crate) etag: String,
}

/// What came of a PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Patched {
    /// It took effect; the twin has this ETag now.
    Done(String),
    /// The twin was changed since it was read; this took no effect.
    Moved,
    /// The twin or a value was refused; this took no effect.
    Refused(Said),
}

impl Client {
    pub(crate) fn new(http: HttpStack, host: &str, version: &str, bounds: Bounds) -> Self {
        let json = JsonClient::new(http, host).refusals(refused);
        Self { json, version: version.to_owned(), bounds }
    }

    pub(crate) const fn http(&self) -> &HttpStack {
        self.json.http()
    }

    fn path(&self, room: &str, id: &str, more: &str) -> String {
        let id = encoded(id);
        let slash = if room.is_empty() { "" } else { "/" };
        format!("/{room}{slash}{id}?api-version={}{more}", self.version)
    }

    /// Sends `call`; its JSON when the answer is as expected, and holds no error.
    async fn ask(&self, call: Call, expect: Expect) -> Result<Value, ConnectorError> {
        let step = call.operation;
        let sent = if call.safety == Safety::Read { Sent::No } else { Sent::Maybe };
        let answer = self.http().send(call).await?;
        self.no_error_inside(step, &answer)?;
        receipt(step, &answer, expect, sent, refused)
    }

    /// A success with an `error` in its body is none, whatever its status (section
    /// 1.7): that the quota is used up was seen so.
    fn no_error_inside(
        &self,
        step: &'static str,
        answer: &Response<Bytes>,
    ) -> Result<(), ConnectorError> {
        let body = unwrapped(answer.body()).filter(|_| answer.status().is_success());
        // A twin may have a property of that name.
        let body = body.filter(|body| body["error"].is_object() && body.get("$dtId").is_none());
        let Some(body) = body else { return Ok(()) };
        let said = refused(answer.body());
        let busy = body["error"]["statusCode"] == 429
            || said.code.as_deref().is_some_and(|code| BUSY.contains(&code));
        let class = match busy {
            true => {
                let asked = retry_after(answer.headers(), self.http().clock().now());
                Class::Throttled { after: asked.unwrap_or(WAIT) }
            }
            false => Class::Drift,
        };
        let text = format!("HTTP {} with an error inside: {}", answer.status().as_u16(), said.text);
        let error = ConnectorError::new(class, step, text);
        Err(match said.code {
            Some(code) => error.vendor_code(code),
            None => error,
        })
    }

    /// Reads a twin by its id; `None` where there is none.
    pub(crate) async fn twin(&self, lane: Lane, id: &str) -> Result<Option<Twin>, ConnectorError> {
        let request =
            self.json.request(Method::GET, &self.path("digitaltwins", id, ""), Bytes::new())?;
        let call = Call::new(READ_TWIN, Safety::Read, request).lane(lane);
        let answer = self.http().send(call).await?;
        if answer.status() == 404 {
            return absent(&answer, READ_TWIN).map(|_| None);
        }
        self.no_error_inside(READ_TWIN, &answer)?;
        let expect = Expect::json("/$metadata/$model");
        let document = receipt(READ_TWIN, &answer, expect, Sent::No, refused)?;
        let etag = document["$etag"].as_str().map(str::to_owned).or_else(|| etag(&answer));
        let etag = etag.ok_or_else(|| {
            ConnectorError::new(Class::Drift, READ_TWIN, "the answer has no ETag")
        })?;
        Ok(Some(Twin { document, etag }))
    }

    /// Changes a twin, if it still has `etag`. With an ETag twice is as once: what
    /// comes late finds another one.
    pub(crate) async fn patch(
        &self,
        id: &str,
        etag_read: &str,
        body: String,
    ) -> Result<Patched, ConnectorError> {
        let path = self.path("digitaltwins", id, "");
        let mut request = self.json.request(Method::PATCH, &path, Bytes::from(body))?;
        let matched = HeaderValue::try_from(etag_read).map_err(|_| {
            ConnectorError::new(Class::Drift, PATCH_TWIN, "the twin's ETag can't stand in a header")
        })?;
        let headers = request.headers_mut();
        headers.insert(IF_MATCH, matched);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json-patch+json"));
        let answer = self.http().send(Call::new(PATCH_TWIN, Safety::Repeatable, request)).await?;
        let said = refused(answer.body());
        match answer.status().as_u16() {
            412 => return Ok(Patched::Moved),
            404 => return absent(&answer, PATCH_TWIN).map(Patched::Refused),
            400 if VALUES.contains(&said.code.as_deref().unwrap_or_default()) => {
                return Ok(Patched::Refused(said));
            }
            _ => {}
        }
        self.no_error_inside(PATCH_TWIN, &answer)?;
        receipt(PATCH_TWIN, &answer, Expect::nothing(), Sent::Maybe, refused)?;
        let etag = etag(&answer).ok_or_else(|| {
            ConnectorError::new(Class::Drift, PATCH_TWIN, "the answer has no ETag")
        })?;
        Ok(Patched::Done(etag))
    }

    /// The definitions of a model and of all that it depends on, or of all models;
    /// `None` where it is not there.
    pub(crate) async fn models(
        &self,
        lane: Lane,
        id: Option<&str>,
    ) -> Result<Option<Vec<Value>>, ConnectorError> {
        const READ: &str = "read models";
        let mut more = "&includeModelDefinition=true".to_owned();
        if let Some(id) = id {
            let id = encoded(id);
            more.push_str(&format!("&dependenciesFor={id}"));
        }
        let first = self.path("", "models", &more);
        let pages = by_cursor(READ, self.bounds, |next| {
            let path = next.map_or_else(|| first.clone(), |next: String| below_root(&next));
            async move {
                let request = self.json.request(Method::GET, &path, Bytes::new())?;
                let call = Call::new(READ, Safety::Read, request).lane(lane);
                let page = self.ask(call, Expect::json("/value")).await?;
                let next = page["nextLink"].as_str().map(str::to_owned);
                Ok(Page { rows: rows(page), total: None, next })
            }
        });
        match pages.await {
            Ok(pages) => Ok(Some(pages.concat())),
            Err(error) if error.vendor_code.as_deref() == Some("ModelNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Uploads models in one call: all of them or none.
    pub(crate) async fn create(&self, models: &Value) -> Result<(), ConnectorError> {
        let path = self.path("", "models", "");
        let expect = Expect::json("").with(&[201]);
        let body = Bytes::from(models.to_string());
        let request = self.json.request(Method::POST, &path, body)?;
        let call = Call::new("create models", Safety::Once, request);
        self.ask(call, expect).await.map(|_| ())
    }

    /// The twins that a query finds. They lag behind: for names, never for values.
    pub(crate) async fn query(&self, lane: Lane, text: &str) -> Result<Vec<Value>, ConnectorError> {
        const READ: &str = "query twins";
        let path = self.path("", "query", "");
        let pages = by_cursor(READ, self.bounds, |next: Option<String>| {
            let body = match next {
                Some(token) => json!({ "continuationToken": token }),
                None => json!({ "query": text }),
            };
            let request = self.json.request(Method::POST, &path, Bytes::from(body.to_string()));
            async move {
                // It asks and changes nothing, though it is a POST.
                let call = Call::new(READ, Safety::Read, request?).lane(lane);
                let page = self.ask(call, Expect::json("/value")).await?;
                let next = page["continuationToken"].as_str().map(str::to_owned);
                Ok(Page { rows: rows(page), total: None, next })
            }
        });
        Ok(pages.await?.concat())
    }
}

/// Refusals that are about the values or the twin, and say that nothing of the
/// PATCH was taken.
const VALUES: [&str; 3] = ["ValidationFailed", "JsonPatchInvalid", "InvalidArgument"];

/// Codes that ask for patience, where no status says so (sections 1.2, 1.7, 1.10).
const BUSY: [&str; 3] = ["QuotaExceptionError", "QuotaReachedError", "TooManyRequests"];

/// How long to wait where the service does not say (section 1.11).
const WAIT: Duration = Duration::from_secs(1);

fn rows(mut page: Value) -> Vec<Value> {
    page["value"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

/// An absolute address of the next page, below our own root.
fn below_root(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    rest.find('/').map_or_else(|| link.to_owned(), |slash| rest[slash..].to_owned())
}

fn etag(answer: &Response<Bytes>) -> Option<String> {
    answer.headers().get(ETAG)?.to_str().ok().map(str::to_owned)
}

/// A 404 that says that the twin is not there. Any other comes from the
/// instance's door: a token of another tenant is answered so.
fn absent(answer: &Response<Bytes>, step: &'static str) -> Result<Said, ConnectorError> {
    let said = refused(answer.body());
    if said.code.as_deref() == Some("DigitalTwinNotFound") {
        return Ok(said);
    }
    let error = refusal(step, answer, Sent::No, refused);
    Err(ConnectorError { class: Class::Auth, ..error }
        .cure("compare host and region, and whether the token is of the instance's tenant"))
}

/// The JSON of a body, also where it is a JSON text that holds JSON.
fn unwrapped(body: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let inner = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    Some(inner.unwrap_or(value))
}

/// Texts of a refusal that are kept.
const TEXTS: usize = 5;

/// Code and text of a refusal, in any of the shapes: the service's own with its
/// details, the gateway's, the framework's, a JSON text that holds JSON.
pub(crate) fn refused(body: &[u8]) -> Said {
    let Some(value) = unwrapped(body) else { return said(body) };
    let mut found = said(value.to_string().as_bytes());
    let details = value["error"]["details"].as_array().into_iter().flatten();
    let details = details.filter_map(|one| one["message"].as_str().map(str::to_owned));
    let mut texts: Vec<String> = details.take(TEXTS).collect();
    if value.get("error").is_none() {
        // The framework's `type` is an address where it is explained, no code.
        found.code = found.code.filter(|code| value["type"] != *code);
        texts.extend(by_field(&value["errors"]));
    }
    if !texts.is_empty() {
        let more = said(json!({ "message": texts.join(" ") }).to_string().as_bytes());
        found.text = format!("{}: {}", found.text.trim_end_matches(['.', ':']), more.text);
    }
    found
}

/// Texts of the framework by the field that they are about, which may be nameless.
fn by_field(errors: &Value) -> Vec<String> {
    let fields = errors.as_object().into_iter().flatten();
    let texts = fields.flat_map(|(field, texts)| {
        each(texts).filter_map(Value::as_str).map(move |text| match field.as_str() {
            "" => text.to_owned(),
            field => format!("{field}: {text}"),
        })
    });
    texts.take(TEXTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_refusal_is_read() {
        let double =
            json!(json!({ "error": { "code": "TooManyRequests", "message": "busy" } }).to_string());
        for (body, code, text) in [
            (
                json!({ "error": { "code": "ValidationFailed", "message": "Invalid twin specified",
                    "details": [{ "code": "ValidationFailed", "message": "X is not on Twin." }] } }),
                Some("ValidationFailed"),
                "Invalid twin specified: X is not on Twin.",
            ),
            (json!({ "error": { "statusCode": 429, "message": "limit" } }), None, "limit"),
            (json!({ "statusCode": 401, "message": "Unauthorized" }), None, "Unauthorized"),
            (double, Some("TooManyRequests"), "busy"),
            (
                json!({ "errors": { "": ["no patch"], "$[0]": ["no object", "no op"] },
                    "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1", "status": 400,
                    "title": "One or more validation errors occurred.", "detail": null }),
                None,
                "One or more validation errors occurred: no patch $[0]: no object $[0]: no op",
            ),
        ] {
            let found = refused(body.to_string().as_bytes());
            assert_eq!((found.code.as_deref(), found.text.as_str()), (code, text));
        }
        assert_eq!(refused(b"").text, "");
    }

    #[test]
    fn ids_and_links_become_paths() {
        let id = encoded("dtmi:a:b;1");
        assert_eq!(id, "dtmi%3Aa%3Ab%3B1");
        assert_eq!(below_root("https://host/models?a=b"), "/models?a=b");
    }
}
