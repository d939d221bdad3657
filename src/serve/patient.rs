//! Connections of the HTTP door that nobody waits for: who begins a request and
//! says nothing more is cut off, so that no half-sent request holds the door
//! open.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use planthread_kit::{BoxFuture, Clock};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// How long a connection may say nothing while we wait for it.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Accepts patient connections.
#[derive(Debug)]
pub struct Patience {
    /// Where it listens.
    pub listener: TcpListener,
    /// Measures the silence.
    pub clock: Arc<dyn Clock>,
}

impl Listener for Patience {
    type Io = Patient<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The way of a plain listener: what can't be accepted is tried again.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Patient::new(stream, Arc::clone(&self.clock)), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Says that it is our turn: the other side may be silent meanwhile.
#[derive(Debug, Clone, Default)]
pub struct OurTurn(Arc<AtomicBool>);

impl OurTurn {
    /// It is our turn until the answer is dropped.
    #[must_use]
    pub fn take(&self) -> Turn {
        self.0.store(true, Ordering::Relaxed);
        Turn(self.clone())
    }
}

/// Our turn, until it is dropped.
#[derive(Debug)]
pub struct Turn(OurTurn);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Patience>> for OurTurn {
    fn connect_info(stream: IncomingStream<'_, Patience>) -> Self {
        stream.io().ours.clone()
    }
}

/// A stream whose reads end with [`SILENCE_MAX`].
pub struct Patient<S> {
    stream: S,
    clock: Arc<dyn Clock>,
    ours: OurTurn,
    silence: Option<BoxFuture<'static, ()>>,
}

impl<S> std::fmt::Debug for Patient<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patient").field("ours", &self.ours).finish_non_exhaustive()
    }
}

impl<S> Patient<S> {
    /// Wraps `stream`.
    pub fn new(stream: S, clock: Arc<dyn Clock>) -> Self {
        Self { stream, clock, ours: OurTurn::default(), silence: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.silence = None;
            return Poll::Ready(read);
        }
        loop {
            let clock = Arc::clone(&self.clock);
            let silence = self.silence.get_or_insert_with(|| clock.sleep(SILENCE_MAX));
            if silence.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.silence = None;
            if !self.ours.0.load(Ordering::Relaxed) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::VirtualClock;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[test]
    fn who_begins_and_says_nothing_more_is_cut_off_but_not_while_it_is_our_turn() {
        let clock = VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let (mut theirs, ours) = duplex(64);
        let mut patient = Patient::new(ours, Arc::new(clock.clone()));
        let mut text = [0; 64];
        clock.block_on(async {
            theirs.write_all(b"POST /ev").await.unwrap();
            assert_eq!(patient.read(&mut text).await.unwrap(), 8);
            let error = patient.read(&mut text).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
        let silent = || clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH).unsigned_abs();
        assert_eq!(silent(), SILENCE_MAX);
        let turn = patient.ours.take();
        clock.block_on(async {
            let read = patient.read(&mut text);
            tokio::pin!(read);
            tokio::select! {
                biased;
                _ = &mut read => panic!("cut off while we were at work"),
                () = clock.sleep(SILENCE_MAX * 10) => {}
            }
        });
        drop(turn);
        clock.block_on(async { patient.read(&mut text).await.unwrap_err() });
    }
}
