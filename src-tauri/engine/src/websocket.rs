//! Bytes in a WebSocket (RFC 6455): what binary frames carry, one after the other, as it comes. A frame is never held as a
//! whole, so that its size costs no memory: a packet of 256 MB in one frame passes as it does over plain TCP. The
//! handshake is the library's, no extension is agreed. Knows nothing of MQTT packets; they need not be frames
//! (MQTT-6.0.0-2).

mod frame;

use bytes::{Buf, BytesMut};
use frame::{Header, Kind, Violation};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

// What is read at once, and the most that goes out in one frame.
const READ: usize = 16 * 1024;
const WRITE: usize = 64 * 1024;
// Answers to pings that nobody reads are left out from here on.
const UNREAD: usize = 1_024;
// The longest line of a handshake.
const HEAD: usize = 64 * 1024;

/// Which end of the connection this is: a client masks what it sends, a server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It asked for the WebSocket.
    Client,
    /// It was asked.
    Server,
}

/// A stream in a WebSocket whose handshake is done.
pub(crate) struct WebSocket<S> {
    stream: S,
    end: End,
    // What was read and is not taken out yet.
    read: BytesMut,
    // The frame that is being taken out.
    frame: Option<Header>,
    // The message goes on in further frames.
    unfinished: bool,
    // Whole frames on their way out.
    write: BytesMut,
    // Close was sent: nothing may follow it. Close came: nothing more is taken.
    closed: bool,
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// `read` is what came behind the handshake.
    pub(crate) fn new(stream: S, end: End, read: BytesMut) -> Self {
        let write = BytesMut::new();
        Self { stream, end, read, frame: None, unfinished: false, write, closed: false, ended: false }
    }

    /// Takes out what was read: payload into `buffer`; what controls the connection is answered.
    fn take(&mut self, buffer: &mut ReadBuf<'_>) -> Result<(), Violation> {
        while !self.ended {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match Header::read(&self.read, self.end == End::Server)? {
                    Some((frame, size)) => {
                        self.read.advance(size);
                        self.check(&frame)?;
                        frame
                    }
                    None => return Ok(()),
                },
            };
            let there = usize::try_from(frame.left).unwrap_or(usize::MAX).min(self.read.len());
            if frame.kind.is_data() {
                let count = there.min(buffer.remaining());
                frame.unmask(&mut self.read[..count]);
                buffer.put_slice(&self.read[..count]);
                self.read.advance(count);
                if frame.left > 0 {
                    self.frame = Some(frame);
                    return Ok(());
                }
            } else if (there as u64) < frame.left {
                self.frame = Some(frame);
                return Ok(());
            } else {
                let mut body = self.read.split_to(there);
                frame.unmask(&mut body);
                self.control(frame.kind, &body);
            }
        }
        Ok(())
    }

    fn check(&mut self, frame: &Header) -> Result<(), Violation> {
        match frame.kind {
            Kind::Binary if self.unfinished => return Err(Violation::Interrupted),
            Kind::Continuation if !self.unfinished => return Err(Violation::NothingToContinue),
            Kind::Binary | Kind::Continuation => self.unfinished = !frame.last,
            Kind::Ping | Kind::Pong | Kind::Close => {}
        }
        Ok(())
    }

    fn control(&mut self, kind: Kind, body: &[u8]) {
        match kind {
            Kind::Ping if !self.closed && self.write.len() < UNREAD => self.put(Kind::Pong, body),
            Kind::Close => {
                // The same code back (section 5.5.1).
                self.close(body.get(..2).unwrap_or_default());
                self.ended = true;
            }
            Kind::Ping | Kind::Pong | Kind::Binary | Kind::Continuation => {}
        }
    }

    fn put(&mut self, kind: Kind, body: &[u8]) {
        frame::put(&mut self.write, kind, body, self.end == End::Client);
    }

    fn close(&mut self, body: &[u8]) {
        if !self.closed {
            self.put(Kind::Close, body);
            self.closed = true;
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.write.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.write))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.write.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what waits as far as there is room; the rest goes with the next look.
    fn push(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.write.is_empty() {
            return Ok(());
        }
        match self.poll_drain(cx) {
            // TLS may hold it.
            Poll::Ready(Ok(())) => match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Err(error)) => Err(error),
                _ => Ok(()),
            },
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        loop {
            let taken = this.take(buffer);
            if let Err(violation) = &taken {
                this.close(&violation.code().to_be_bytes());
            }
            // Who has gone does not hear the answer.
            let pushed = this.push(cx);
            if let Err(violation) = taken {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, violation)));
            }
            if buffer.filled().len() > before || buffer.remaining() == 0 || this.ended {
                return Poll::Ready(Ok(()));
            }
            pushed?;
            this.read.reserve(READ);
            if ready!(poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.read))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(this.poll_drain(cx))?;
        let count = bytes.len().min(WRITE);
        this.put(Kind::Binary, &bytes[..count]);
        // Taken, whether it is out or waits: the next write or flush sees to the rest.
        match this.poll_drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// Says Close; the other end answers it and closes the socket.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.close(&frame::NORMAL.to_be_bytes());
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }
}

/// A stream during the handshake: gives whole lines up to the empty one, and keeps what comes behind.
pub(crate) struct Opening<'a, S> {
    stream: &'a mut S,
    read: &'a mut BytesMut,
    // Bytes of lines that were not given yet, and whether the empty one is among them or was given.
    left: usize,
    over: bool,
}

impl<'a, S> Opening<'a, S> {
    /// What comes behind the handshake is in `read` afterwards.
    pub(crate) fn new(stream: &'a mut S, read: &'a mut BytesMut) -> Self {
        Self { stream, read, left: 0, over: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.left == 0 && !this.over {
            (this.left, this.over) = lines(this.read);
            if this.left > 0 {
                break;
            }
            if this.read.len() > HEAD {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end")));
            }
            if ready!(poll_read_buf(Pin::new(&mut *this.stream), cx, this.read))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let count = this.left.min(buffer.remaining());
        buffer.put_slice(&this.read.split_to(count));
        this.left -= count;
        Poll::Ready(Ok(()))
    }
}

/// The size of the whole lines that `bytes` begins with, up to the empty one, and whether that is among them.
fn lines(bytes: &[u8]) -> (usize, bool) {
    let mut size = 0;
    while let Some(length) = bytes[size..].iter().position(|byte| *byte == b'\n') {
        let empty = bytes[size..size + length].trim_ascii().is_empty();
        size += length + 1;
        if empty {
            return (size, true);
        }
    }
    (size, false)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
