//! Where one MQTT packet ends and the next begins, in a stream of bytes (MQTT 5.0 section 2.1; the same in 3.1.1).
//!
//! A packet over the limit is never held: it is skipped while it streams past, and only the head of a PUBLISH is read from
//! it. Knows nothing of what is in a packet otherwise.

use bytes::{Buf, BytesMut};
use relayscope_domain::message::Qos;

// What is read at once, at most.
const READ: usize = 64 * 1024;
// A buffer that grew beyond this for one packet is given back after it.
const LARGE: usize = 512 * 1024;

/// Splits what was read into packets.
pub(super) struct Framer {
    buffer: BytesMut,
    max: usize,
    skip: Option<Skip>,
}

struct Skip {
    head: Skipped,
    left: usize,
}

/// A whole packet, or what is known of one that was too large.
#[derive(Debug)]
pub(super) enum Frame {
    /// The packet, fixed header included, and how long that is.
    Whole(BytesMut, usize),
    /// A PUBLISH over the limit has passed by.
    Skipped(Skipped),
}

/// The head of a PUBLISH that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) topic: String,
    pub(super) qos: Qos,
    /// 0 with QoS 0.
    pub(super) packet_id: u16,
    /// The packet's size, header included.
    pub(super) bytes: usize,
}

/// Why the stream can't be followed any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// Something in a packet is not as it must be.
    #[error("{0}")]
    Packet(String),
    /// A packet other than PUBLISH over the limit, with its size.
    #[error("a packet of {0} bytes")]
    TooLarge(usize),
}

pub(super) fn malformed(what: impl Into<String>) -> Malformed {
    Malformed::Packet(what.into())
}

impl Framer {
    /// `max` is the largest packet taken, bytes, header included.
    pub(super) fn new(max: u32) -> Self {
        Self { buffer: BytesMut::new(), max: max as usize, skip: None }
    }

    /// Where to read into, with room.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < READ / 16 {
            self.buffer.reserve(READ);
        }
        &mut self.buffer
    }

    /// The first byte that was not taken yet.
    pub(super) fn first(&self) -> Option<u8> {
        self.buffer.first().copied()
    }

    /// The next packet; nothing when there is none as a whole yet.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        loop {
            if let Some(skip) = &mut self.skip {
                let gone = skip.left.min(self.buffer.len());
                self.buffer.advance(gone);
                skip.left -= gone;
                if skip.left > 0 {
                    return Ok(None);
                }
                return Ok(self.skip.take().map(|skip| Frame::Skipped(skip.head)));
            }
            let Some((header, length)) = fixed_header(&self.buffer)? else { return Ok(None) };
            let whole = header + length;
            if whole > self.max {
                let Some(head) = publish_head(&self.buffer, header, length)? else { return Ok(None) };
                self.skip = Some(Skip { head, left: whole });
                continue;
            }
            if self.buffer.len() < whole {
                return Ok(None);
            }
            let frame = self.buffer.split_to(whole);
            if whole > LARGE {
                // The rest of the block would keep it all in memory.
                let mut fresh = BytesMut::with_capacity(READ.max(self.buffer.len()));
                fresh.extend_from_slice(&self.buffer);
                self.buffer = fresh;
            }
            return Ok(Some(Frame::Whole(frame, header)));
        }
    }
}

/// The length of the fixed header and of what follows it.
fn fixed_header(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let Some(rest) = bytes.get(1..) else { return Ok(None) };
    Ok(variable(rest)?.map(|(length, taken)| (1 + taken, length)))
}

/// A variable byte integer (MQTT 5.0 section 1.5.5) and how many bytes it took; nothing when it is not whole yet.
pub(super) fn variable(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    if bytes.len() >= 4 { Err(malformed("a length of more than four bytes")) } else { Ok(None) }
}

/// The head of a PUBLISH, once it is there.
fn publish_head(bytes: &[u8], header: usize, length: usize) -> Result<Option<Skipped>, Malformed> {
    let first = bytes[0];
    if first >> 4 != 3 {
        return Err(Malformed::TooLarge(header + length));
    }
    let qos = qos_of(first)?;
    let body = &bytes[header..];
    let Some(size) = body.first_chunk::<2>().map(|two| usize::from(u16::from_be_bytes(*two))) else { return Ok(None) };
    let id = if qos == Qos::AtMostOnce { 0 } else { 2 };
    if 2 + size + id > length {
        return Err(malformed("a topic longer than its packet"));
    }
    let Some(head) = body.get(..2 + size + id) else { return Ok(None) };
    let topic = std::str::from_utf8(&head[2..2 + size]).map_err(|_| malformed("a topic that is not UTF-8"))?;
    let packet_id =
        head.get(2 + size..).and_then(|rest| rest.first_chunk::<2>()).map_or(0, |two| u16::from_be_bytes(*two));
    if id > 0 && packet_id == 0 {
        return Err(malformed("the packet identifier 0"));
    }
    Ok(Some(Skipped { topic: topic.to_owned(), qos, packet_id, bytes: header + length }))
}

/// The QoS in the first byte of a PUBLISH.
pub(super) fn qos_of(first: u8) -> Result<Qos, Malformed> {
    Qos::try_from(first >> 1 & 3).map_err(|_| malformed("QoS 3"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;

    fn publish(qos: u8, topic: &str, id: u16, payload: usize) -> Vec<u8> {
        let mut body = vec![];
        body.put_u16(topic.len() as u16);
        body.extend(topic.as_bytes());
        if qos > 0 {
            body.put_u16(id);
        }
        body.resize(body.len() + payload, b'x');
        let mut packet = vec![0x30 | qos << 1];
        let mut length = body.len();
        loop {
            let more = length > 127;
            packet.push((length & 0x7f) as u8 | if more { 0x80 } else { 0 });
            length >>= 7;
            if !more {
                break;
            }
        }
        packet.extend(body);
        packet
    }

    /// Feeds the stream in two parts, and byte by byte, and says what came out.
    fn all(stream: &[u8], max: u32, cuts: impl Iterator<Item = usize>) -> Result<Vec<String>, Malformed> {
        let mut framer = Framer::new(max);
        let mut out = vec![];
        let mut from = 0;
        for to in cuts.chain([stream.len()]) {
            framer.room().extend_from_slice(&stream[from..to]);
            from = to;
            while let Some(frame) = framer.next()? {
                out.push(match frame {
                    Frame::Whole(frame, header) => format!("{:#x} {header} {}", frame[0], frame.len()),
                    Frame::Skipped(head) => format!("{head:?}"),
                });
            }
        }
        assert!(framer.buffer.len() < 64, "nothing is held back");
        Ok(out)
    }

    #[test]
    fn packets_are_found_wherever_the_stream_is_cut() {
        let mut stream = publish(1, "a/b", 7, 20);
        stream.extend([0xd0, 0]);
        stream.extend(publish(2, "large/é", 9, 3_000));
        stream.extend(publish(0, "large", 0, 200));
        stream.extend(publish(0, "c", 0, 0));
        let whole = all(&stream, 64, std::iter::empty()).unwrap();
        assert_eq!(whole.len(), 5);
        assert_eq!(
            whole[2],
            format!("{:?}", Skipped { topic: "large/é".into(), qos: Qos::ExactlyOnce, packet_id: 9, bytes: 3_015 })
        );
        for cut in 0..stream.len() {
            assert_eq!(all(&stream, 64, std::iter::once(cut)).unwrap(), whole, "cut at {cut}");
        }
        assert_eq!(all(&stream, 64, 0..stream.len()).unwrap(), whole);
    }

    #[test]
    fn what_is_no_packet_ends_in_words() {
        let no_cuts = std::iter::empty::<usize>;
        for (stream, words) in [
            (&[0x30, 0xff, 0xff, 0xff, 0xff][..], "four bytes"),
            (&[0x36, 0x80, 0x01, 0, 1, b'a'], "QoS 3"),
            (&[0x90, 0x80, 0x01], "131 bytes"),
            (&[0x32, 0x80, 0x01, 0xff, 0xff, b'a'], "longer than its packet"),
            (&[0x32, 0x80, 0x01, 0, 1, b'a', 0, 0], "identifier 0"),
            (&[0x30, 0x80, 0x01, 0, 1, 0xff, 0, 0], "not UTF-8"),
        ] {
            let error = all(stream, 64, no_cuts()).unwrap_err().to_string();
            assert!(error.contains(words), "{stream:x?}: {error}");
        }
    }

    #[test]
    fn a_packet_over_the_limit_is_never_held() {
        let mut framer = Framer::new(1_024);
        let stream = publish(1, "t", 1, 4 << 20);
        for part in stream.chunks(10_000) {
            framer.room().extend_from_slice(part);
            let passed = framer.next().unwrap();
            assert!(framer.buffer.is_empty() && framer.buffer.capacity() < 256 * 1024);
            assert!(passed.is_none() || part.len() < 10_000);
        }
        assert!(framer.skip.is_none());
    }
}
