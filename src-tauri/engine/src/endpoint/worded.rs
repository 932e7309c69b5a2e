//! hyper itself answers what is no request (400, 414, 431), with a head and nothing else. On its way to the socket such a
//! head is given the JSON body that every other refusal has.

use super::desk::Desk;
use super::listener::{HEADER_BYTES, HEADERS};
use hyper::StatusCode;
use serde_json::json;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose bodiless refusals get words.
pub(super) struct Worded<S> {
    stream: S,
    desk: Arc<Desk>,
    // The answer that takes the place of one, and how much of it was written.
    owed: Vec<u8>,
    written: usize,
}

impl<S> Worded<S> {
    pub(super) fn new(stream: S, desk: Arc<Desk>) -> Self {
        Self { stream, desk, owed: vec![], written: 0 }
    }
}

/// The status of hyper's own refusal, and the whole answer for it; nothing for any other bytes. Answers of ours have a
/// `Content-Type`, whatever they say.
fn worded(bytes: &[u8]) -> Option<(StatusCode, Vec<u8>)> {
    if !bytes.starts_with(b"HTTP/1.1 4") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?.to_ascii_lowercase();
    if !head.contains("\r\ncontent-length: 0\r\n") || head.contains("\r\ncontent-type:") {
        return None;
    }
    let status = StatusCode::from_bytes(bytes.get(9..12)?).ok()?;
    let words = match status {
        StatusCode::BAD_REQUEST => "This is not a request of HTTP/1.1.".to_owned(),
        StatusCode::URI_TOO_LONG => "The address is too long.".to_owned(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            format!("The headers are longer than {HEADER_BYTES} bytes, or more than {HEADERS}.")
        }
        _ => return None,
    };
    let body = json!({ "error": words }).to_string();
    let length = format!("content-length: {}\r\ncontent-type: application/json\r\n", body.len());
    Some((status, (head_as_it_was(bytes, &length) + &body).into_bytes()))
}

/// The head with this in place of its length.
fn head_as_it_was(bytes: &[u8], length: &str) -> String {
    let head = String::from_utf8_lossy(bytes);
    let lines = head.split_inclusive("\r\n");
    lines.map(|line| if line.to_ascii_lowercase().starts_with("content-length:") { length } else { line }).collect()
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    fn poll_owed(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        while self.written < self.owed.len() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.owed[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.owed.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        ready!(self.poll_owed(cx))?;
        if let Some((status, answer)) = worded(bytes) {
            self.desk.tally.answered(status);
            // Written with the flush that follows every answer.
            self.owed = answer;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_owed(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_owed(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let mut full = slices.iter().filter(|slice| !slice.is_empty());
        if let (Some(only), None) = (full.next(), full.next()) {
            return self.poll_write(cx, only);
        }
        ready!(self.poll_owed(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_body_gets_one_and_nothing_else_is_touched() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let (status, answer) = worded(bare).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert!(head.starts_with("HTTP/1.1 431 Request") && head.contains("connection: close"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(serde_json::from_str::<serde_json::Value>(body).unwrap()["error"].is_string());
        for other in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 405 Method Not Allowed\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n",
            b"{}",
            b"",
        ] {
            assert!(worded(other).is_none(), "{}", String::from_utf8_lossy(other));
        }
    }
}
