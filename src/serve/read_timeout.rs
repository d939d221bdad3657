//! Connections of the HTTP door that nobody waits for: who begins a request and
//! says nothing more, or says it byte by byte, is cut off, and so is who does not
//! take the answer, so that no half-done request holds the door open.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
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

use super::places::{OurTurn, Place, Places};

/// How long a connection may say and take nothing while we wait for it.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How long a request may take to arrive whole, from its first byte, and an
/// answer to be taken whole.
pub const REQUEST_MAX: Duration = Duration::from_secs(60);

/// Accepts connections that end with their times.
#[derive(Debug)]
pub struct TimedListener {
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    places: Arc<Places>,
}

impl TimedListener {
    /// Accepts at `listener`; `clock` measures the silence.
    #[must_use]
    pub fn new(listener: TcpListener, clock: Arc<dyn Clock>) -> Self {
        Self { listener, clock, places: Arc::default() }
    }
}

impl Listener for TimedListener {
    type Io = TimedStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The way of a plain listener: what can't be accepted is tried again.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let place = self.places.enter().await;
        (TimedStream::new(stream, Arc::clone(&self.clock), place), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, TimedListener>> for OurTurn {
    fn connect_info(stream: IncomingStream<'_, TimedListener>) -> Self {
        stream.io().place.turn()
    }
}

/// Time that runs from when it was started until it is stopped.
#[derive(Default)]
struct Timer(Option<BoxFuture<'static, ()>>);

impl Timer {
    /// Starts it, unless it runs.
    fn start(&mut self, most: Duration, clock: &dyn Clock) {
        self.0.get_or_insert_with(|| clock.sleep(most));
    }

    fn stop(&mut self) {
        self.0 = None;
    }

    /// Whether it has run out; then it stops.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let over = self.0.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready());
        if over {
            self.stop();
        }
        over
    }
}

/// A stream whose silence ends with [`SILENCE_MAX`], and whose requests and
/// answers end with [`REQUEST_MAX`].
pub struct TimedStream<S> {
    stream: S,
    clock: Arc<dyn Clock>,
    place: Place,
    silence: Timer,
    /// Runs from the first byte of a request until we answer.
    request: Timer,
    /// Runs while a part of an answer is not taken.
    answer: Timer,
}

impl<S> std::fmt::Debug for TimedStream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimedStream").field("place", &self.place).finish_non_exhaustive()
    }
}

impl<S> TimedStream<S> {
    fn new(stream: S, clock: Arc<dyn Clock>, place: Place) -> Self {
        let (silence, request, answer) = (Timer::default(), Timer::default(), Timer::default());
        Self { stream, clock, place, silence, request, answer }
    }

    /// Whether nothing has come or gone for too long, on either way. It may be
    /// our turn: then the other side waits for us.
    fn is_silent(&mut self, context: &mut Context<'_>) -> bool {
        loop {
            self.silence.start(SILENCE_MAX, self.clock.as_ref());
            if !self.silence.is_over(context) {
                return false;
            }
            if !self.place.is_our_turn() {
                return true;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.place.is_lost(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if this.place.is_our_turn() {
            this.request.stop();
        }
        if this.request.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            this.silence.stop();
            this.request.start(REQUEST_MAX, this.clock.as_ref());
            return Poll::Ready(read);
        }
        if this.is_silent(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.place.is_lost(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        // The request is answered: the next one has its own time.
        this.request.stop();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        match &written {
            Poll::Ready(Ok(taken)) if *taken == bytes.len() => {
                this.answer.stop();
                this.place.answered();
            }
            Poll::Ready(_) | Poll::Pending => {
                this.answer.start(REQUEST_MAX, this.clock.as_ref());
                if this.answer.is_over(context) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        if written.is_ready() {
            this.silence.stop();
        } else if this.is_silent(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
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

    /// A stream with a place of its own.
    fn timed<S>(stream: S, clock: &VirtualClock) -> TimedStream<S> {
        let place = Arc::new(Places::default()).try_enter().unwrap();
        TimedStream::new(stream, Arc::new(clock.clone()), place)
    }

    #[test]
    fn who_begins_and_says_nothing_more_is_cut_off_but_not_while_it_is_our_turn() {
        let clock = VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let (mut theirs, ours) = duplex(64);
        let mut stream = timed(ours, &clock);
        let mut text = [0; 64];
        clock.block_on(async {
            theirs.write_all(b"POST /ev").await.unwrap();
            assert_eq!(stream.read(&mut text).await.unwrap(), 8);
            let error = stream.read(&mut text).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
        let silent = || clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH).unsigned_abs();
        assert_eq!(silent(), SILENCE_MAX);
        let turn = stream.place.turn().take();
        clock.block_on(async {
            let read = stream.read(&mut text);
            tokio::pin!(read);
            tokio::select! {
                biased;
                _ = &mut read => panic!("cut off while we were at work"),
                () = clock.sleep(SILENCE_MAX * 10) => {}
            }
        });
        drop(turn);
        clock.block_on(async { stream.read(&mut text).await.unwrap_err() });
    }

    #[test]
    fn who_says_a_request_byte_by_byte_is_cut_off_and_an_answer_begins_anew() {
        let clock = VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let (mut theirs, ours) = duplex(64);
        let mut stream = timed(ours, &clock);
        let silent = || clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH).unsigned_abs();
        let error = clock.block_on(async {
            let mut text = [0; 1];
            loop {
                theirs.write_all(b"x").await.unwrap();
                if let Err(error) = stream.read(&mut text).await {
                    break error;
                }
                clock.sleep(SILENCE_MAX / 2).await;
            }
        });
        assert_eq!((error.kind(), silent()), (io::ErrorKind::TimedOut, REQUEST_MAX));
        let (mut theirs, ours) = duplex(64);
        let mut stream = timed(ours, &clock);
        clock.block_on(async {
            let mut text = [0; 1];
            for _ in 0..9 {
                theirs.write_all(b"x").await.unwrap();
                stream.read_exact(&mut text).await.unwrap();
                stream.write_all(b"y").await.unwrap();
                clock.sleep(SILENCE_MAX / 2).await;
            }
        });
    }

    #[test]
    fn who_does_not_take_the_answer_is_cut_off_and_so_is_who_takes_it_byte_by_byte() {
        for (takes, ends) in [(0, SILENCE_MAX), (1, REQUEST_MAX)] {
            let clock = VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, 1);
            let (mut theirs, ours) = duplex(64);
            let mut stream = timed(ours, &clock);
            let error = clock.block_on(async {
                let write = stream.write_all(&[b'y'; 200]);
                let take = async {
                    let mut text = [0; 1];
                    loop {
                        clock.sleep(SILENCE_MAX / 2).await;
                        let _ = theirs.read_exact(&mut text[..takes]).await;
                    }
                };
                tokio::select! { done = write => done.unwrap_err(), () = take => unreachable!() }
            });
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            let waited = clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH).unsigned_abs();
            assert_eq!(waited, ends);
        }
    }
}
