//! A sandbox as the program serves it, in a process of its own, and what a
//! planner does there.

use bytes::Bytes;
use http::Request;
use planthread_kit::{ReqwestTransport, Transport as _, TransportOptions};
use serde_json::Value;

use crate::program::{Project, Running};

/// `planthread mock` on a free port, killed when dropped.
#[derive(Debug)]
pub(crate) struct Site {
    _running: Running,
    pub(crate) url: String,
}

impl Site {
    /// Starts that of SAP IBP; `more` are further options.
    pub(crate) fn start(project: &Project, more: &[&str]) -> Self {
        Self::serve(project, &[&["sap-ibp"], more].concat())
    }

    /// Starts the one that the project's target is set up for.
    pub(crate) fn of(project: &Project) -> Self {
        let sandbox = project.registered.sandbox;
        let options = sandbox.demo.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = [sandbox.name.to_owned()].into_iter().chain(options).collect();
        Self::serve(project, &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn serve(project: &Project, words: &[&str]) -> Self {
        let all = [&["mock", "--listen", "127.0.0.1:0"], words].concat();
        let mut running = project.plain(&all);
        let line = running.line();
        let url = line.split_whitespace().find(|word| word.contains("://127.0.0.1:"));
        let url = url.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        Self { _running: running, url }
    }

    /// Something that a person does at the planner's page.
    pub(crate) fn act(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()));
        self.ask(request.unwrap())
    }

    /// Something that the planner's page shows.
    pub(crate) fn look(&self, path: &str) -> Value {
        self.ask(Request::get(format!("{}{path}", self.url)).body(Bytes::new()).unwrap())
    }

    fn ask(&self, request: Request<Bytes>) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = TransportOptions { only_private_ca: true, ..TransportOptions::default() };
        let transport = ReqwestTransport::new(&options).unwrap();
        let answer = runtime.block_on(transport.send(request)).unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }
}
