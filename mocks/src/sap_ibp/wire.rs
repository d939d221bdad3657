//! OData V2 on the wire: entries, feeds, errors; JSON or Atom XML.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::model::Name;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `Accept: application/json` or `$format=json`.
    Json,
    /// The default.
    Atom,
}

impl Format {
    /// The format that a request asks for; `$format` beats `Accept`.
    pub(super) fn of(headers: &HeaderMap, format: Option<&str>) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        match (format, accept) {
            (Some("json"), _) => Self::Json,
            (None, Some(accept)) if accept.contains("application/json") => Self::Json,
            (Some(_) | None, _) => Self::Atom,
        }
    }
}

/// A request that is refused before it has an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// What stands in `innererror.errordetails`: one text for each row at fault.
    pub(super) details: Vec<String>,
}

/// Rows that an error speaks of at most.
pub(super) const DETAILS_MAX: usize = 20;

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "/IBP/CX_DATA", message)
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(404, "005056A509B11EE1B9A8FEC11C21578E", message)
    }

    /// The same with a message that says nothing: what is wrong stands in the
    /// details alone.
    pub(super) fn tersely(mut self) -> Self {
        let message = std::mem::replace(&mut self.message, "An exception was raised".to_owned());
        if self.details.is_empty() {
            self.details.push(message);
        }
        self
    }

    pub(super) fn render(&self, format: Format) -> Response<Bytes> {
        let (kind, body) = match format {
            Format::Json => {
                let message = json!({ "lang": "en", "value": self.message });
                let details: Vec<_> = self
                    .details
                    .iter()
                    .map(|text| {
                        json!({ "code": self.code,
                    "message": text, "propertyref": "", "severity": "error", "target": "" })
                    })
                    .collect();
                let inner = json!({ "transactionid": "0".repeat(32), "errordetails": details });
                let error = json!({ "code": self.code, "message": message, "innererror": inner });
                ("application/json;charset=utf-8", json!({ "error": error }).to_string())
            }
            Format::Atom => {
                let code = escape(self.code);
                let detail = |text: &String| {
                    format!(
                        "<errordetail><code>{code}</code><message>{}</message><propertyref/>\
                         <severity>error</severity></errordetail>",
                        escape(text)
                    )
                };
                let details: String = self.details.iter().map(detail).collect();
                let body = format!(
                    "{XML}<error xmlns=\"http://schemas.microsoft.com/ado/2007/08/dataservices/\
                     metadata\"><code>{code}</code><message xml:lang=\"en\">{}</message>\
                     <innererror><errordetails>{details}</errordetails></innererror></error>",
                    escape(&self.message)
                );
                ("application/xml;charset=utf-8", body)
            }
        };
        response(self.status, kind, body)
    }
}

pub(super) const XML: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Builds an answer.
pub(super) fn response(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("dataserviceversion", HeaderValue::from_static("2.0"));
    response
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prop {
    Text(String),
    /// A decimal, already in its wire form.
    Decimal(String),
    Date(DateTime),
    Bool(bool),
    Null,
}

/// One entry of a set.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The set that it belongs to.
    pub(super) set: String,
    /// Its key predicate, without brackets.
    pub(super) key: String,
    /// Its qualified type.
    pub(super) kind: String,
    pub(super) props: Vec<(Name, Prop)>,
    /// Expanded navigation properties.
    pub(super) nav: Vec<(String, Nav)>,
}

impl Entry {
    /// One without an expanded navigation property.
    pub(super) fn new(
        set: impl Into<String>,
        key: String,
        kind: String,
        props: Vec<(Name, Prop)>,
    ) -> Self {
        Self { set: set.into(), key, kind, props, nav: Vec::new() }
    }
}

/// Properties of an entry whose names are few.
pub(super) fn props<const N: usize>(props: [(&str, Prop); N]) -> Vec<(Name, Prop)> {
    props.into_iter().map(|(name, prop)| (name.into(), prop)).collect()
}

/// An expanded navigation property.
#[derive(Debug, Clone)]
pub(super) enum Nav {
    Many(Vec<Entry>),
    One(Box<Entry>),
}

/// Renders one entry as the whole answer.
pub(super) fn one(status: u16, root: &str, entry: &Entry, format: Format) -> Response<Bytes> {
    match format {
        Format::Json => {
            let body = json!({ "d": entry_json(root, entry) }).to_string();
            response(status, "application/json", body)
        }
        Format::Atom => {
            let body = format!("{XML}{}", entry_xml(root, entry, true));
            response(status, "application/atom+xml;type=entry;charset=utf-8", body)
        }
    }
}

/// Renders a collection as the whole answer.
pub(super) fn many(
    root: &str,
    set: &str,
    entries: &[Entry],
    count: Option<usize>,
    format: Format,
) -> Response<Bytes> {
    match format {
        Format::Json => {
            let results: Vec<_> = entries.iter().map(|entry| entry_json(root, entry)).collect();
            let mut d = Map::new();
            if let Some(count) = count {
                d.insert("__count".into(), count.to_string().into());
            }
            d.insert("results".into(), results.into());
            response(200, "application/json", json!({ "d": d }).to_string())
        }
        Format::Atom => {
            let count = count.map_or_else(String::new, |n| format!("<m:count>{n}</m:count>"));
            let inner: String = entries.iter().map(|entry| entry_xml(root, entry, false)).collect();
            let (root, set) = (escape(root), escape(set));
            let body = format!(
                "{XML}<feed {SPACES} xml:base=\"{root}/\"><id>{root}/{set}</id>\
                 <title type=\"text\">{set}</title>{count}\
                 <link href=\"{set}\" rel=\"self\" title=\"{set}\"/>{inner}</feed>"
            );
            response(200, "application/atom+xml;type=feed;charset=utf-8", body)
        }
    }
}

const SPACES: &str = "xmlns=\"http://www.w3.org/2005/Atom\" \
    xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\" \
    xmlns:d=\"http://schemas.microsoft.com/ado/2007/08/dataservices\"";

fn entry_json(root: &str, entry: &Entry) -> Value {
    let uri = format!("{root}/{}({})", entry.set, entry.key);
    let mut object = Map::new();
    let metadata = json!({ "id": uri, "uri": uri, "type": entry.kind });
    object.insert("__metadata".into(), metadata);
    for (name, prop) in &entry.props {
        let value = match prop {
            Prop::Text(text) | Prop::Decimal(text) => text.clone().into(),
            Prop::Date(date) => format!("/Date({})/", millis(*date)).into(),
            Prop::Bool(value) => (*value).into(),
            Prop::Null => Value::Null,
        };
        object.insert(name.to_string(), value);
    }
    for (name, nav) in &entry.nav {
        let value = match nav {
            Nav::Many(entries) => {
                let results: Vec<_> = entries.iter().map(|entry| entry_json(root, entry)).collect();
                json!({ "results": results })
            }
            Nav::One(entry) => entry_json(root, entry),
        };
        object.insert(name.clone(), value);
    }
    object.into()
}

fn entry_xml(root: &str, entry: &Entry, outer: bool) -> String {
    let spaces =
        if outer { format!(" {SPACES} xml:base=\"{}/\"", escape(root)) } else { String::new() };
    let path = escape(&format!("{}({})", entry.set, entry.key));
    let props: String = entry.props.iter().map(|(name, prop)| prop_xml(name, prop)).collect();
    let links: String =
        entry.nav.iter().map(|(name, nav)| nav_xml(root, &path, name, nav)).collect();
    let (base, set, kind) = (escape(root), escape(&entry.set), escape(&entry.kind));
    format!(
        "<entry{spaces}><id>{base}/{path}</id><title type=\"text\">{set}</title>\
         <category term=\"{kind}\" scheme=\"http://schemas.microsoft.com/ado/2007/08/\
         dataservices/scheme\"/><link href=\"{path}\" rel=\"self\" title=\"{set}\"/>{links}\
         <content type=\"application/xml\"><m:properties>{props}</m:properties></content></entry>"
    )
}

fn prop_xml(name: &str, prop: &Prop) -> String {
    match prop {
        Prop::Text(text) | Prop::Decimal(text) => format!("<d:{name}>{}</d:{name}>", escape(text)),
        Prop::Date(date) => format!("<d:{name}>{}</d:{name}>", iso(*date)),
        Prop::Bool(value) => format!("<d:{name}>{value}</d:{name}>"),
        Prop::Null => format!("<d:{name} m:null=\"true\"/>"),
    }
}

fn nav_xml(root: &str, path: &str, name: &str, nav: &Nav) -> String {
    let inner = match nav {
        Nav::Many(entries) => {
            let list: String = entries.iter().map(|entry| entry_xml(root, entry, false)).collect();
            format!("<feed>{list}</feed>")
        }
        Nav::One(entry) => entry_xml(root, entry, false),
    };
    let name = escape(name);
    format!(
        "<link href=\"{path}/{name}\" rel=\"http://schemas.microsoft.com/ado/2007/08/\
         dataservices/related/{name}\" title=\"{name}\"><m:inline>{inner}</m:inline></link>"
    )
}

/// `2026-01-05T00:00:00`.
pub(super) fn iso(date: DateTime) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Milliseconds since 1970 of a zoneless timestamp, read as UTC.
pub(super) fn millis(date: DateTime) -> i64 {
    date.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_millisecond())
}

/// Text as XML content or attribute.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Text inside a key predicate: quotes doubled.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
