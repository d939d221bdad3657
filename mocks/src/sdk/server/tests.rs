//! The server on real sockets: delays, cuts, TLS with client certificates.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use planthread_support::{Identity, TestAuthority};

use super::*;
use crate::{
    faults::Faulty,
    mount::shared,
    sap_ibp::{Options, SapIbp},
};

const ROOT: &str = "/sap/opu/odata/IBP/PLANNING_DATA_API_SRV/";
/// `planthread:planthread`.
const BASIC: &str = "authorization: Basic cGxhbnRocmVhZDpwbGFudGhyZWFk\r\n";

/// A clock that stands still and notes how long it was asked to sleep.
#[derive(Debug, Default)]
struct Noted(Mutex<Vec<Duration>>);

impl Time for Noted {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
        Box::pin(std::future::ready(()))
    }
}

struct Served {
    address: SocketAddr,
    time: Arc<Noted>,
    simulator: SharedSimulator,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn start(faults: &[&str], tls: Option<Tls>) -> Served {
    let rules = faults.iter().map(|text| text.parse().unwrap());
    let simulator = shared(Faulty::new(SapIbp::new(Options::default()), rules, 1));
    let time = Arc::new(Noted::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = address(&listener).unwrap();
    let options = SandboxOptions { simulator: simulator.clone(), tls, time: time.clone() };
    let task = tokio::spawn(async move { serve(options, listener).await.unwrap() });
    Served { address, time, simulator, task }
}

/// Sends one request and collects what arrives until the connection ends.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) -> String {
    let mut answer = Vec::new();
    // A cut or refused connection ends with an error or with nothing: both are its end.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn get(served: &Served, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let text =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    exchange(&mut stream, &text).await
}

#[tokio::test]
async fn it_serves_and_keeps_the_simulators_word() {
    let served = start(&["slow=2.5:metadata"], None).await;
    assert!(get(&served, ROOT, "").await.starts_with("HTTP/1.1 401 "));
    assert!(get(&served, ROOT, BASIC).await.starts_with("HTTP/1.1 200 "));
    assert!(get(&served, "/planner", "").await.contains("<title>Planner's grid"));
    let path = format!("{ROOT}$metadata");
    assert!(get(&served, &path, BASIC).await.contains("EntityType Name=\"PTDEMO\""));
    let slept = served.time.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(slept, [Duration::from_millis(2500)]);
}

#[tokio::test]
async fn dropped_connections_carry_no_byte_and_only_one_kind_has_its_effect() {
    let edit = r#"{"resource":"LINE-1","location":"1010","period":"1970-W02","measure":"TWINCAPA","value":"1"}"#;
    let post = format!(
        "POST /planner/edit HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{edit}",
        edit.len()
    );
    for (fault, effect) in [("drop-before:edit", false), ("drop-after:edit", true)] {
        let served = start(&[fault], None).await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        assert_eq!(exchange(&mut stream, &post).await, "", "{fault}");
        let stored = served.simulator.lock().unwrap_or_else(PoisonError::into_inner).stored();
        assert_eq!(stored.iter().any(|cell| cell.measure == "TWINCAPA"), effect, "{fault}");
        let mut again = TcpStream::connect(served.address).await.unwrap();
        assert!(exchange(&mut again, &post).await.starts_with("HTTP/1.1 200 "), "others go on");
    }
}

#[tokio::test]
async fn a_truncated_body_has_its_full_head() {
    for (fault, bytes) in [("truncate=7", 7), ("truncate=0", 0)] {
        let served = start(&[fault], None).await;
        let answer = get(&served, "/planner", "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-length: ") && !head.contains("content-length: 7\r\n"));
        assert_eq!(body.len(), bytes, "{fault}");
    }
}

#[tokio::test]
async fn a_dripping_body_comes_whole_and_each_byte_takes_its_time() {
    let served = start(&["drip=0.5"], None).await;
    let answer = get(&served, ROOT, "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let slept = || served.time.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(slept().iter().all(|wait| *wait == Duration::from_millis(500)));
    assert_eq!(slept().len(), body.len());
    assert!(get(&served, "/planner", "").await.contains("<title>"), "the next one does not drip");
    assert_eq!(slept().len(), body.len());
}

async fn get_tls(served: &Served, authority: &TestAuthority, client: Option<&Identity>) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = CertificateDer::from_pem_slice(client.certificate_pem.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(client.key_pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![chain], key).unwrap()
        }
    };
    let tcp = TcpStream::connect(served.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, tcp).await.unwrap();
    let text = format!("GET {ROOT} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    exchange(&mut stream, &text).await
}

fn tls(authority: &TestAuthority) -> Tls {
    let server = authority.server().unwrap();
    Tls::from_pem(&server.certificate_pem, &server.key_pem, Some(authority.pem())).unwrap()
}

#[tokio::test]
async fn a_client_certificate_is_an_identity() {
    let authority = TestAuthority::new().unwrap();
    let served = start(&[], Some(tls(&authority))).await;
    let [ours, other] = ["planthread", "someone"].map(|name| authority.client(name).unwrap());
    assert!(get_tls(&served, &authority, Some(&ours)).await.starts_with("HTTP/1.1 200 "));
    assert!(get_tls(&served, &authority, Some(&other)).await.starts_with("HTTP/1.1 401 "));
    assert!(get_tls(&served, &authority, None).await.starts_with("HTTP/1.1 401 "));
    let stranger = TestAuthority::new().unwrap().client("planthread").unwrap();
    let refused = get_tls(&served, &authority, Some(&stranger)).await;
    assert!(!refused.starts_with("HTTP/1.1 200 "), "signed by nobody we know: {refused}");
}

#[tokio::test]
async fn certificates_that_are_none_are_refused_by_name() {
    let error = Tls::from_pem("nothing", "nothing", None).unwrap_err().to_string();
    assert!(error.starts_with("certificate chain: ") && error.contains("PEM"), "{error}");
}
