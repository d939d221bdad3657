//! A stream that hands on what it reads one line at a time.
//!
//! Whoever stands on the way may write behind the answer to STARTTLS, before TLS begins. A
//! reader that has taken in more than that answer would take the rest for answers under
//! TLS. Here the rest stays in the stream, and the handshake fails on it.
//!
//! A line without an end is none: what a server says of one message fits many times into
//! what is read of it, and the rest would only fill the memory.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Bytes that are read at once.
const PIECE: usize = 4 << 10;
/// Bytes that a server may say on one connection, with all of TLS.
const MOST: usize = 1 << 20;

/// A connection, and what was read of it and not handed on.
#[derive(Debug)]
pub(super) struct OneLine {
    stream: TcpStream,
    held: Vec<u8>,
    /// Bytes that may still come.
    left: usize,
}

impl OneLine {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, held: Vec::new(), left: MOST }
    }
}

impl AsyncRead for OneLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            let mut space = [0; PIECE];
            let mut piece = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
            let read = piece.filled();
            let Some(left) = self.left.checked_sub(read.len()) else {
                let why = format!("the server says more than {} KiB", MOST >> 10);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            };
            self.left = left;
            self.held.extend_from_slice(read);
        }
        let line = self.held.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let many = line.unwrap_or(self.held.len()).min(out.remaining());
        out.put_slice(&self.held[..many]);
        self.held.drain(..many);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for OneLine {
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

impl AsyncTokioStream for OneLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
