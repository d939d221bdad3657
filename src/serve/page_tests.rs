//! The page for planners with a real socket: what it answers, and to whom.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::Request;
use planthread_kit::{ReqwestTransport, SystemClock, Transport as _, TransportOptions};

use super::page::{PageDoor, Shows};
use crate::config::GapPage;

/// A page that counts how often it is read.
#[derive(Default)]
struct Counted(AtomicUsize);

impl Shows for Counted {
    fn page(&self) -> String {
        self.0.fetch_add(1, Ordering::Relaxed);
        "<!doctype html>".to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_means_this_machine_reads_the_page_and_nobody_writes() {
    let config = GapPage { listen: "127.0.0.1:0".parse().unwrap(), hosts: Vec::new() };
    let door = PageDoor::bind(&config).await.unwrap();
    let address = door.address();
    let port = address.port();
    let shown = Arc::new(Counted::default());
    let clock = Arc::new(SystemClock::new());
    let task = tokio::spawn(door.serve(shown.clone(), clock, std::future::pending()));
    let transport = ReqwestTransport::new(&TransportOptions::default()).unwrap();
    let own = format!("http://127.0.0.1:{port}");
    let rebound = format!("rebound.example:{port}");
    for (method, path, name, value, status) in [
        ("GET", "/", "accept", "*/*", 200),
        ("HEAD", "/", "origin", own.as_str(), 200),
        ("POST", "/", "accept", "*/*", 405),
        ("GET", "/healthz", "accept", "*/*", 404),
        ("GET", "/", "host", &rebound, 403),
        ("GET", "/", "origin", "https://page.example", 403),
        ("GET", "/", "origin", "null", 403),
    ] {
        let request = Request::builder().method(method).uri(format!("{own}{path}"));
        let request = request.header(name, value).body(Bytes::new()).unwrap();
        let answer = transport.send(request).await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path} {name}: {value}");
        let header = |name: &str| answer.headers().get(name).map(|it| it.to_str().unwrap());
        if status == 200 {
            assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(header("cache-control"), Some("no-store"));
            let policy = header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        }
    }
    assert_eq!(shown.0.load(Ordering::Relaxed), 2, "who is refused reads nothing");
    task.abort();
}
