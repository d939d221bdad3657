//! The simulator, behaviour by behaviour, in process.

mod grid;
mod masters;
mod packs;
mod plan;
mod protocol;
mod reading;
mod staging;
mod switches;
mod tenants;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Options, SapIbp, Switch};
use crate::simulator::Simulator as _;

const PLANNING: &str = "/sap/opu/odata/IBP/PLANNING_DATA_API_SRV";
const MASTER: &str = "/sap/opu/odata/IBP/MASTER_DATA_API_SRV";

/// A client that does everything right, on a clock that stands still.
struct Client {
    sandbox: SapIbp,
    at: Timestamp,
    token: String,
    cookie: String,
}

impl Client {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let at = "2026-11-22T09:00:00Z".parse().unwrap();
        let mut client =
            Self { sandbox: SapIbp::new(options), at, token: String::new(), cookie: String::new() };
        client.fetch_token();
        client
    }

    fn switched(switch: Switch, on: bool) -> Self {
        let mut client = Self::new();
        client.sandbox.switch(switch, on);
        client
    }

    fn fetch_token(&mut self) {
        let response =
            self.send(Method::GET, &format!("{PLANNING}/"), "", &[("x-csrf-token", "Fetch")]);
        self.token = response.headers()["x-csrf-token"].to_str().unwrap().to_owned();
        let cookies = response.headers().get_all(header::SET_COOKIE);
        let pairs = cookies.iter().map(|c| c.to_str().unwrap().split(';').next().unwrap());
        self.cookie = pairs.collect::<Vec<_>>().join("; ");
    }

    /// Sends with Basic, and with these headers more.
    fn send(
        &mut self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
        headers: &[(&'static str, &str)],
    ) -> Response<Bytes> {
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = path.replace(' ', "%20").replace('\'', "%27").parse().unwrap();
        let basic = format!("Basic {}", STANDARD.encode("planthread:planthread"));
        request.headers_mut().insert(header::AUTHORIZATION, basic.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.sandbox.handle(self.at, &request).response
    }

    fn get(&mut self, path: &str) -> Response<Bytes> {
        self.send(Method::GET, path, "", &[("accept", "application/json")])
    }

    fn get_json(&mut self, path: &str) -> Value {
        let response = self.get(path);
        assert_eq!(response.status(), 200, "{path}: {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap()
    }

    fn post(&mut self, path: &str, body: &Value) -> Response<Bytes> {
        let (token, cookie) = (self.token.clone(), self.cookie.clone());
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [
            ("x-csrf-token", &*token),
            ("cookie", &*cookie),
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        self.send(Method::POST, path, text, &headers)
    }

    /// Stages one value of one key figure for week 2026-W48.
    fn stage(&mut self, id: &str, resource: &str, figure: &str, value: &str) -> Response<Bytes> {
        let row = json!({ "RESID": resource, "LOCID": "1010",
            "PERIODID4_TSTAMP": "2026-11-23T00:00:00", figure: value });
        let fields = format!("RESID,LOCID,{figure},PERIODID4_TSTAMP");
        self.post(&format!("{PLANNING}/PTDEMOTrans"), &trans(id, &fields, &[row]))
    }

    fn commit(&mut self, id: &str) {
        let response =
            self.post(&format!("{PLANNING}/commit?P_TransactionID='{id}'"), &Value::Null);
        assert_eq!(response.status(), 200);
        self.pass(2.0);
    }

    fn land(&mut self, figure: &str, value: &str) {
        let id = format!("t{}", self.sandbox.requests());
        assert_eq!(self.stage(&id, "LINE-1", figure, value).status(), 201);
        self.commit(&id);
        assert_eq!(self.status(&id), "PROCESSED");
    }

    fn status(&mut self, id: &str) -> String {
        let path = format!("{PLANNING}/getExportResult?P_TransactionID='{id}'");
        let json = self.get_json(&path);
        let pairs = json["d"]["results"].as_array().unwrap();
        let status = pairs.iter().find(|pair| pair["Name"] == "Status").unwrap();
        status["Value"].as_str().unwrap().to_owned()
    }

    fn messages(&mut self, id: &str) -> Vec<Value> {
        let path = format!("{PLANNING}/PTDEMOMessage?$filter=Transactionid eq '{id}'");
        self.get_json(&path)["d"]["results"].as_array().unwrap().clone()
    }

    /// Reads key figures; the answer's rows.
    fn read(&mut self, options: &str) -> Vec<Value> {
        let json = self.get_json(&format!("{PLANNING}/PTDEMO?{options}"));
        json["d"]["results"].as_array().unwrap().clone()
    }

    /// One value of LINE-1 in week 2026-W48.
    fn value(&mut self, figure: &str) -> Option<String> {
        let rows = self.read(&format!(
            "$select=RESID,PERIODID4_TSTAMP,{figure}&$filter=RESID eq 'LINE-1' and \
             PERIODID4_TSTAMP eq datetime'2026-11-23T00:00:00'"
        ));
        rows.first().map(|row| row[figure].as_str().unwrap().to_owned())
    }

    fn pass(&mut self, seconds: f64) {
        self.at = self.at.checked_add(SignedDuration::from_secs_f64(seconds)).unwrap();
    }
}

fn trans(id: &str, fields: &str, rows: &[Value]) -> Value {
    json!({ "Transactionid": id, "AggregationLevelFieldsString": fields, "VersionID": "",
            "DoCommit": false, "NavPTDEMO": rows })
}

fn error_text(response: &Response<Bytes>) -> String {
    let json: Value = serde_json::from_slice(response.body()).unwrap();
    json["error"]["message"]["value"].as_str().unwrap().to_owned()
}
