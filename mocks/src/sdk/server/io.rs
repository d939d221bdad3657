//! Connections that can be cut at a byte, or drip, over TCP or TLS.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{name::common_name, tls::Tls};
use crate::time::Time;

/// Finds the end of an answer's head in the bytes that go by.
#[derive(Debug, Default)]
struct Head {
    bytes: Vec<u8>,
    done: bool,
}

impl Head {
    /// How many bytes of `data` belong to the head, and whether it ends there.
    fn of(&mut self, data: &[u8]) -> (usize, bool) {
        if self.done {
            return (0, true);
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(data);
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        self.done = end.is_some();
        (end.map_or(data.len(), |end| end - before), self.done)
    }
}

/// Arms the cut of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct CutSwitch(Arc<Mutex<Option<Armed>>>);

#[derive(Debug)]
struct Armed {
    /// Body bytes to let through; `None` lets not even the head through.
    body: Option<usize>,
    head: Head,
}

impl CutSwitch {
    /// Breaks the connection at the next answer: at once, or after its head and
    /// this many body bytes.
    pub(super) fn after_bytes(&self, body: Option<usize>) {
        let armed = Armed { body, head: Head::default() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(armed);
    }

    /// How many bytes of `data` may pass; `None` when all may.
    fn allowance(&self, data: &[u8]) -> Option<usize> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = guard.as_mut()?;
        let Some(body) = armed.body else { return Some(0) };
        let (head, ends) = armed.head.of(data);
        if !ends {
            return Some(data.len());
        }
        let allowed = (head + body).min(data.len());
        // The bytes of the body that pass together with the head count.
        armed.body = Some(body - (allowed - head));
        Some(allowed)
    }
}

/// Lets the body of an answer drip.
#[derive(Clone, Default)]
pub(super) struct DripSwitch(Arc<Mutex<Option<Drip>>>);

impl fmt::Debug for DripSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DripSwitch").finish_non_exhaustive()
    }
}

struct Drip {
    every: Duration,
    time: Arc<dyn Time>,
    head: Head,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl DripSwitch {
    /// How long each byte of the next body takes, or that nothing drips.
    pub(super) fn set(&self, drip: Option<(Duration, Arc<dyn Time>)>) {
        let drip =
            drip.map(|(every, time)| Drip { every, time, head: Head::default(), pause: None });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = drip;
    }

    /// How many bytes of `data` may pass now.
    fn allowance(&self, context: &mut Context<'_>, data: &[u8]) -> Poll<usize> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(drip) = guard.as_mut() else { return Poll::Ready(data.len()) };
        let (head, _) = drip.head.of(data);
        if head > 0 || data.is_empty() {
            return Poll::Ready(head);
        }
        let pause = drip.pause.get_or_insert_with(|| {
            let (time, every) = (Arc::clone(&drip.time), drip.every);
            Box::pin(async move { time.sleep(every).await })
        });
        match pause.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                drip.pause = None;
                Poll::Ready(1)
            }
        }
    }
}

/// What the handler learns about a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) common_name: Option<String>,
    pub(super) cut: CutSwitch,
    pub(super) drip: DripSwitch,
}

impl Connected<IncomingStream<'_, SandboxListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, SandboxListener>) -> Self {
        stream.io().peer.clone()
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    peer: Peer,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Accepts connections; TLS handshakes run beside each other.
#[derive(Debug)]
pub(super) struct SandboxListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for SandboxListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SandboxListener {
    pub(super) fn new(listener: TcpListener, tls: Option<&Tls>) -> Self {
        let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0; 4], 0)));
        let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config()));
        let (sender, ready) = mpsc::channel(64);
        let task = tokio::spawn(accept_all(listener, acceptor, sender));
        Self { address, ready, task }
    }
}

async fn accept_all(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    sender: mpsc::Sender<(Connection, SocketAddr)>,
) {
    loop {
        let Ok((tcp, address)) = listener.accept().await else {
            // Out of descriptors, or the peer is gone: let other tasks run first.
            tokio::task::yield_now().await;
            continue;
        };
        // Answers are small; waiting for more of them only costs time.
        let _ = tcp.set_nodelay(true);
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let (cut, drip) = (CutSwitch::default(), DripSwitch::default());
            let (stream, common_name) = match acceptor {
                None => (Stream::Plain(tcp), None),
                Some(acceptor) => match acceptor.accept(tcp).await {
                    Ok(tls) => {
                        let name = tls
                            .get_ref()
                            .1
                            .peer_certificates()
                            .and_then(|chain| common_name(chain.first()?.as_ref()));
                        (Stream::Tls(Box::new(tls)), name)
                    }
                    Err(error) => {
                        tracing::debug!(%error, "TLS handshake failed");
                        return;
                    }
                },
            };
            let connection = Connection { stream, peer: Peer { common_name, cut, drip } };
            // A closed channel means that serving has ended.
            let _ = sender.send((connection, address)).await;
        });
    }
}

impl Listener for SandboxListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task lives as long as the listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(bytes) = self.peer.drip.allowance(cx, data) else { return Poll::Pending };
        let data = &data[..bytes];
        let allowed = match self.peer.cut.allowance(data) {
            Some(0) if !data.is_empty() => {
                let broken = io::Error::new(io::ErrorKind::BrokenPipe, "cut by the sandbox");
                return Poll::Ready(Err(broken));
            }
            Some(bytes) => &data[..bytes],
            None => data,
        };
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, allowed),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, allowed),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
