//! With real sockets and real time, on loopback.

use std::sync::Arc;

use http::{StatusCode, header::SET_COOKIE};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::http::headers::complete;

/// Trusts nobody, so that the tests run where no authorities are installed.
fn options() -> TransportOptions {
    TransportOptions { only_private_ca: true, ..TransportOptions::default() }
}

async fn get(options: &TransportOptions, url: &str) -> Result<Response<Bytes>, SendError> {
    let transport = ReqwestTransport::new(options).unwrap();
    transport.send(Request::get(url).body(Bytes::new()).unwrap()).await
}

/// Reads one request head, answers with `reply`, closes. Returns the head.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, reply: &[u8]) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    let _ = stream.write_all(reply).await;
    let _ = stream.shutdown().await;
    String::from_utf8(head).unwrap()
}

/// A peer that answers one request with `reply`.
async fn peer(reply: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, &reply).await
    });
    (host, task)
}

fn reply(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_collected() {
    let (host, _task) = peer(reply("200 OK", &[b'x'; 5_000])).await;
    let bounded =
        ReqwestTransport { answer_max: 4_096, ..ReqwestTransport::new(&options()).unwrap() };
    let request = Request::get(format!("http://{host}/rows")).body(Bytes::new()).unwrap();
    let error = bounded.send(request).await.unwrap_err();
    assert_eq!(error.sent, Sent::Maybe);
    assert!(error.message.contains("longer than 4096 bytes"), "{}", error.message);
}

#[tokio::test]
async fn a_refused_connection_was_provably_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user:hunter2@{host}/rows?sig=hunter2");
    let error = get(&options(), &url).await.unwrap_err();
    assert_eq!(error.sent, Sent::No);
    assert!(error.message.contains("onnect"), "{}", error.message);
    assert!(!error.message.contains("hunter2"), "{}", error.message);
}

#[tokio::test]
async fn a_write_without_a_body_says_so_and_everything_says_who_sends() {
    for (method, length) in [("POST", true), ("PUT", true), ("GET", false)] {
        let (host, task) = peer(reply("200 OK", b"")).await;
        let builder = Request::builder().method(method).uri(format!("http://{host}/commit"));
        let mut request = builder.body(Bytes::new()).unwrap();
        complete(&mut request, &http::HeaderValue::from_static("planthread/1"));
        ReqwestTransport::new(&options()).unwrap().send(request).await.unwrap();
        let head = task.await.unwrap().to_ascii_lowercase();
        assert_eq!(head.matches("content-length: 0\r\n").count(), usize::from(length), "{head}");
        assert!(head.contains("user-agent: planthread/"), "{head}");
    }
}

#[tokio::test]
async fn a_cut_connection_may_have_been_sent() {
    let cuts: [&[u8]; 3] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
    ];
    for cut in cuts {
        let (host, task) = peer(cut.to_vec()).await;
        let error = get(&options(), &format!("http://{host}/rows")).await.unwrap_err();
        assert_eq!(error.sent, Sent::Maybe, "{}", error.message);
        assert!(task.await.unwrap().starts_with("GET /rows HTTP/1.1"));
    }
}

#[tokio::test]
async fn an_answer_comes_back_as_it_is() {
    let (host, _task) =
        peer(reply("302 Found\r\nlocation: /elsewhere\r\nset-cookie: a=b", b"")).await;
    let moved = get(&options(), &format!("http://{host}/rows")).await.unwrap();
    assert_eq!(moved.status(), StatusCode::FOUND, "redirects are not followed");
    assert_eq!(moved.headers()[SET_COOKIE], "a=b");
}

#[tokio::test]
async fn compressed_answers_are_unpacked() {
    let packed = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 78, 44, 72, 76, 206, 44, 169, 4, 0, 116, 177, 232,
        181, 8, 0, 0, 0,
    ];
    let (host, task) = peer(reply("200 OK\r\ncontent-encoding: gzip", &packed)).await;
    let plain = get(&options(), &format!("http://{host}/rows")).await.unwrap();
    assert_eq!(plain.body().as_ref(), b"capacity");
    assert!(task.await.unwrap().contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_with_its_own_login_and_reads_nothing() {
    let (host, task) = peer(reply("502 Bad Gateway", b"")).await;
    let proxied = TransportOptions {
        proxy: Some(format!("http://{host}").parse().unwrap()),
        proxy_login: Some(("planthread".to_owned(), Secret::new("hunter2"))),
        ..options()
    };
    get(&proxied, "https://target.invalid/rows?secret=1").await.unwrap_err();
    let head = task.await.unwrap().replace("Proxy-Auth", "proxy-auth");
    assert!(head.starts_with("CONNECT target.invalid:443") && !head.contains("rows"), "{head}");
    assert!(head.contains("proxy-authorization: Basic cGxhbnRocmVhZDpodW50ZXIy"), "{head}");

    // Plain HTTP is for this machine: with its password it goes past every proxy.
    let (direct, _task) = peer(reply("200 OK", b"direct")).await;
    let answer = get(&proxied, &format!("http://{direct}/rows")).await.unwrap();
    assert_eq!(answer.body().as_ref(), b"direct");
}

#[test]
fn a_key_of_another_certificate_is_refused_at_once() {
    let authority = Authority::new();
    let issue = || authority.issue("planthread", ExtendedKeyUsagePurpose::ClientAuth);
    let ((cert, _), (_, key)) = (issue(), issue());
    let mixed = Some(Secret::new(format!("{cert}{key}")));
    let error = ReqwestTransport::new(&TransportOptions { client_certificate: mixed, ..options() });
    assert_eq!(error.unwrap_err().option, "client_certificate");
}

#[test]
fn options_that_make_no_transport_are_named_without_their_content() {
    let pem = "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n";
    let bad = [
        TransportOptions { private_ca: Some(b"hunter2".to_vec()), ..options() },
        TransportOptions { private_ca: Some(pem.into()), ..options() },
        TransportOptions { client_certificate: Some(Secret::new("hunter2")), ..options() },
        TransportOptions { proxy: Some("http://u:hunter2@h:1".parse().unwrap()), ..options() },
        TransportOptions { proxy: Some("socks5://hunter2:1".parse().unwrap()), ..options() },
    ];
    let named = ["private_ca", "private_ca", "client_certificate", "proxy", "proxy"];
    for (options, named) in bad.iter().zip(named) {
        let error = ReqwestTransport::new(options).unwrap_err();
        assert_eq!(error.option, named);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = ReqwestTransport::new(&bad[3]).unwrap_err().to_string();
    assert!(error.contains("proxy_user and proxy_password"), "{error}");
}

/// A private authority, made for one test.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key as PEM, one after the other.
    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }
}

/// A peer that wants a client certificate of `authority`, for one connection.
/// Its answer is the client's certificate.
async fn tls_peer(authority: &Authority) -> (String, JoinHandle<()>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (cert, key) = authority.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let roots = Arc::new(authority.roots());
    let clients = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = acceptor.accept(stream).await {
            let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
            answer(stream, &reply("200 OK", &shown)).await;
        }
    });
    (format!("https://localhost:{port}/rows"), task)
}

#[tokio::test]
async fn a_client_certificate_says_who_we_are() {
    let authority = Authority::new();
    let (url, _task) = tls_peer(&authority).await;
    let (cert, key) = authority.issue("planthread", ExtendedKeyUsagePurpose::ClientAuth);
    let mutual = TransportOptions {
        private_ca: Some(authority.pem.clone().into_bytes()),
        client_certificate: Some(Secret::new(format!("{cert}{key}"))),
        ..options()
    };
    let answer = get(&mutual, &url).await.unwrap();
    let ours = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
    assert_eq!(answer.body().as_ref(), ours.as_ref());
}

#[tokio::test]
async fn without_a_certificate_or_with_an_unknown_authority_nothing_gets_through() {
    let authority = Authority::new();
    let (url, _task) = tls_peer(&authority).await;
    let anonymous =
        TransportOptions { private_ca: Some(authority.pem.clone().into()), ..options() };
    assert!(get(&anonymous, &url).await.is_err());

    let (url, _task) = tls_peer(&authority).await;
    let error = get(&options(), &url).await.unwrap_err();
    assert_eq!(error.sent, Sent::No, "the handshake failed on our side: {}", error.message);
    assert!(error.hopeless == Some(crate::Hopeless::Untrusted), "{}", error.message);
    assert!(error.message.contains("UnknownIssuer"), "{}", error.message);

    // The right authority, and another name than the certificate's.
    let (url, _task) = tls_peer(&authority).await;
    let error = get(&anonymous, &url.replace("localhost", "127.0.0.1")).await.unwrap_err();
    assert!(error.hopeless == Some(crate::Hopeless::Untrusted), "{}", error.message);
}

/// Answers 411 to a write without a length, 415 to one without a type and 403
/// without a user agent, as common fronts do; else 200.
async fn front(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tokio::io::BufReader::new(stream);
        let mut head = String::new();
        loop {
            let mut line = String::new();
            let read = tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut line).await;
            if read.unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            head.push_str(&line.to_lowercase());
        }
        let has = |name: &str| head.contains(&format!("\n{name}: "));
        let status = match head.starts_with("post ") {
            true if !has("content-length") => "411 Length Required",
            true if !has("content-type") => "415 Unsupported Media Type",
            _ if !has("user-agent") => "403 Forbidden",
            _ => "200 OK",
        };
        stream.get_mut().write_all(&reply(status, b"{}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_without_a_body_passes_a_front_that_wants_its_length() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let task = tokio::spawn(front(listener));
    let wire = Arc::new(ReqwestTransport::new(&options()).unwrap());
    let post = || Request::post(format!("http://{host}/commit")).body(Bytes::new()).unwrap();
    let bare = wire.send(post()).await.unwrap();
    assert_eq!(bare.status(), 411, "the front refuses what the transport alone sends");
    let clock: Arc<dyn crate::Clock> = Arc::new(crate::SystemClock::default());
    let quota = Arc::new(crate::Quota::unlimited(Arc::clone(&clock)));
    let who = Arc::new(crate::http::Anonymous);
    let stack = crate::http::HttpStack::new(wire, clock, quota, who, Default::default());
    let call = crate::http::Call::new("commit", crate::http::Safety::Once, post());
    assert_eq!(stack.send(call).await.unwrap().status(), 200);
    task.abort();
}
