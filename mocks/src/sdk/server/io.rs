//! Connections that can be cut at a byte, over TCP or TLS.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
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

/// Arms the cut of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct CutSwitch(Arc<Mutex<Option<Armed>>>);

#[derive(Debug)]
struct Armed {
    /// Body bytes to let through; `None` lets not even the head through.
    body: Option<usize>,
    head: Vec<u8>,
    head_done: bool,
}

impl CutSwitch {
    /// Breaks the connection at the next answer: at once, or after its head and
    /// this many body bytes.
    pub(super) fn after_bytes(&self, body: Option<usize>) {
        let armed = Armed { body, head: Vec::new(), head_done: false };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(armed);
    }

    /// How many bytes of `data` may pass; `None` when all may.
    fn allowance(&self, data: &[u8]) -> Option<usize> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = guard.as_mut()?;
        let Some(body) = armed.body else { return Some(0) };
        if armed.head_done {
            return Some(body.min(data.len()));
        }
        let before = armed.head.len();
        armed.head.extend_from_slice(data);
        let end = armed.head.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let allowed = match end {
            Some(end) => {
                armed.head_done = true;
                (end - before + body).min(data.len())
            }
            None => data.len(),
        };
        // The bytes of the body that pass together with the head count.
        armed.body = Some(body.saturating_sub(end.map_or(0, |end| allowed + before - end)));
        Some(allowed)
    }
}

/// What the handler learns about a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) common_name: Option<String>,
    pub(super) cut: CutSwitch,
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
            let cut = CutSwitch::default();
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
            let connection = Connection { stream, peer: Peer { common_name, cut } };
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
