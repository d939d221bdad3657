//! Connections of the HTTP door that nobody waits for: who begins a request and
//! says nothing more, or says it byte by byte, is cut off, so that no half-sent
//! request holds the door open. Only so many are open at once: those that come
//! meanwhile wait in the system's queue, and take no descriptor of ours.

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
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long a connection may say nothing while we wait for it.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How long a request may take to arrive whole, from its first byte.
pub const REQUEST_MAX: Duration = Duration::from_secs(60);

/// Most connections at once: far below the descriptors that any system gives to
/// a process (256 is the least in use), of which the cycles need their own.
pub const CONNECTIONS_MAX: usize = 64;

/// Accepts patient connections.
#[derive(Debug)]
pub struct TimedListener {
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
}

impl TimedListener {
    /// Accepts at `listener`; `clock` measures the silence.
    #[must_use]
    pub fn new(listener: TcpListener, clock: Arc<dyn Clock>) -> Self {
        Self { listener, clock, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl Listener for TimedListener {
    type Io = TimedStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // It is never closed, so that nobody goes without a place.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        // The way of a plain listener: what can't be accepted is tried again.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (
            TimedStream { _place: place, ..TimedStream::new(stream, Arc::clone(&self.clock)) },
            address,
        )
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

impl Connected<IncomingStream<'_, TimedListener>> for OurTurn {
    fn connect_info(stream: IncomingStream<'_, TimedListener>) -> Self {
        stream.io().ours.clone()
    }
}

/// A stream whose reads end with [`SILENCE_MAX`], and whose requests end with
/// [`REQUEST_MAX`].
pub struct TimedStream<S> {
    stream: S,
    clock: Arc<dyn Clock>,
    ours: OurTurn,
    silence: Option<BoxFuture<'static, ()>>,
    /// Runs from the first byte of a request until we answer.
    request: Option<BoxFuture<'static, ()>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl<S> std::fmt::Debug for TimedStream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimedStream").field("ours", &self.ours).finish_non_exhaustive()
    }
}

impl<S> TimedStream<S> {
    /// Wraps `stream`.
    pub fn new(stream: S, clock: Arc<dyn Clock>) -> Self {
        let ours = OurTurn::default();
        Self { stream, clock, ours, silence: None, request: None, _place: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ours.0.load(Ordering::Relaxed) {
            self.request = None;
        } else if let Some(request) = &mut self.request
            && request.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.silence = None;
            let clock = Arc::clone(&self.clock);
            self.request.get_or_insert_with(|| clock.sleep(REQUEST_MAX));
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

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The request is answered: the next one has its own time.
        self.request = None;
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
        let mut patient = TimedStream::new(ours, Arc::new(clock.clone()));
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

    #[test]
    fn who_says_a_request_byte_by_byte_is_cut_off_and_an_answer_begins_anew() {
        let clock = VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let (mut theirs, ours) = duplex(64);
        let mut patient = TimedStream::new(ours, Arc::new(clock.clone()));
        let silent = || clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH).unsigned_abs();
        let error = clock.block_on(async {
            let mut text = [0; 1];
            loop {
                theirs.write_all(b"x").await.unwrap();
                if let Err(error) = patient.read(&mut text).await {
                    break error;
                }
                clock.sleep(SILENCE_MAX / 2).await;
            }
        });
        assert_eq!((error.kind(), silent()), (io::ErrorKind::TimedOut, REQUEST_MAX));
        let (mut theirs, ours) = duplex(64);
        let mut patient = TimedStream::new(ours, Arc::new(clock.clone()));
        clock.block_on(async {
            let mut text = [0; 1];
            for _ in 0..9 {
                theirs.write_all(b"x").await.unwrap();
                patient.read_exact(&mut text).await.unwrap();
                patient.write_all(b"y").await.unwrap();
                clock.sleep(SILENCE_MAX / 2).await;
            }
        });
    }

    #[tokio::test]
    async fn no_more_connections_are_open_than_there_are_places() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock = Arc::new(planthread_kit::SystemClock::default());
        let mut patience = TimedListener::new(listener, clock);
        let mut theirs = Vec::new();
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            theirs.push(TcpStream::connect(address).await.unwrap());
            open.push(Listener::accept(&mut patience).await.0);
        }
        theirs.push(TcpStream::connect(address).await.unwrap());
        assert_eq!(patience.places.available_permits(), 0, "the next one waits in the queue");
        open.pop();
        Listener::accept(&mut patience).await;
    }
}
