//! HTTP/1.1 as far as a relay and its platform use it here: requests and answers with a length, connections kept alive.

use bytes::{Bytes, BytesMut};
use std::io;

/// The most a head may have before it is no HTTP.
const MAX_HEAD: usize = 64 * 1024;

/// A message: its first line and its body.
pub struct Message {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub line: Bytes,
    /// What follows the head.
    pub body: Bytes,
    /// Whether the sender closes the connection afterwards.
    pub last: bool,
}

impl Message {
    /// The status of an answer; 0 when there is none.
    pub fn status(&self) -> u16 {
        let digits = self.line.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

/// Takes the next whole message from `buffer`.
pub fn next(buffer: &mut BytesMut) -> io::Result<Option<Message>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if buffer.len() > MAX_HEAD { Err(bad("a head without an end")) } else { Ok(None) };
    };
    let (mut length, mut last, mut line) = (0_usize, false, 0);
    for (at, text) in lines(&buffer[..head]).enumerate() {
        if at == 0 {
            line = text.len();
        } else if let Some(value) = header(text, b"content-length") {
            length = value.parse().map_err(|_| bad("a length that is no number"))?;
        } else if let Some(value) = header(text, b"connection") {
            last = value.eq_ignore_ascii_case("close");
        } else if header(text, b"transfer-encoding").is_some() {
            return Err(bad("bodies in chunks are not understood"));
        }
    }
    if buffer.len() < head + 4 + length {
        return Ok(None);
    }
    let mut whole = buffer.split_to(head + 4 + length).freeze();
    let body = whole.split_off(head + 4);
    whole.truncate(line);
    Ok(Some(Message { line: whole, body, last }))
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let (found, value) = line.split_at_checked(name.len())?;
    let value = value.strip_prefix(b":")?;
    if !found.eq_ignore_ascii_case(name) {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}

/// An answer with a JSON body.
pub fn answer(out: &mut Vec<u8>, status: u16, extra: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\n{extra}content-length: {}\r\n\r\n{body}",
        if status < 300 { "OK" } else { "Refused" },
        body.len()
    );
    out.extend_from_slice(text.as_bytes());
}

/// Where an `http://host:port/path` leads: address and path.
pub fn target(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    Some((authority.to_owned(), format!("/{path}")))
}

/// The head of a POST up to its length, which each request completes with [`finish_post`].
pub fn post_head(authority: &str, path: &str, extra: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n{extra}content-length: ")
        .into_bytes()
}

/// Appends one request.
pub fn finish_post(out: &mut Vec<u8>, head: &[u8], body: &[u8]) {
    out.extend_from_slice(head);
    out.extend_from_slice(body.len().to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

/// The body in which TagoIO's relay sends a message, and so does ours: one variable with its topic.
pub fn tagoio_body(out: &mut Vec<u8>, topic: &[u8], payload: &[u8], qos: u8) {
    out.extend_from_slice(b"[{\"variable\":\"payload\",\"value\":\"");
    match std::str::from_utf8(payload) {
        Ok(_) => escaped(out, payload),
        Err(_) => payload.iter().for_each(|byte| {
            out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789ABCDEF"[usize::from(digit)]));
        }),
    }
    out.extend_from_slice(b"\",\"metadata\":{\"topic\":\"");
    escaped(out, topic);
    out.extend_from_slice(b"\",\"qos\":");
    out.push(b'0' + qos);
    out.extend_from_slice(b"}}]");
}

fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_one_by_one_and_answers_have_a_status() {
        let mut out = Vec::new();
        let head = post_head("127.0.0.1:1", "/a?b=c", "");
        finish_post(&mut out, &head, b"{}");
        finish_post(&mut out, &head, b"");
        answer(&mut out, 503, "retry-after: 2\r\n", "{}");
        let mut buffer = BytesMut::from(&out[..out.len() - 1]);
        let lines: Vec<(Bytes, usize)> = std::iter::from_fn(|| next(&mut buffer).ok().flatten())
            .map(|message| (message.line, message.body.len()))
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], (Bytes::from_static(b"POST /a?b=c HTTP/1.1"), 2));
        buffer.extend_from_slice(b"}");
        assert_eq!(next(&mut buffer).ok().flatten().map(|message| message.status()), Some(503));
    }

    #[test]
    fn a_body_is_json_with_the_payload_as_it_was() {
        let mut out = Vec::new();
        tagoio_body(&mut out, b"bench/00001", b"{\"a\":\"b\\c\n\"}", 1);
        let json: Option<serde_json::Value> = serde_json::from_slice(&out).ok();
        let json = json.unwrap_or_default();
        assert_eq!(json[0]["value"], "{\"a\":\"b\\c\n\"}");
        assert_eq!((&json[0]["metadata"]["topic"], &json[0]["metadata"]["qos"]), (&"bench/00001".into(), &1.into()));
    }
}
