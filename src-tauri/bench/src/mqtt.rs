//! The few MQTT frames that load generator, counter and minimal relay need, for 3.1.1 and 5. Frames are written into and
//! read from buffers; connections belong to the callers.

use bytes::{Buf, Bytes, BytesMut};
use std::io;

/// The user name every client gives; brokers that let everybody in don't look at it.
pub const USERNAME: &str = "Token";
/// Its password: the embedded broker's device token.
pub const TOKEN: &str = "6f1c0e9a-5d0b-4c57-9a53-0b8d7a1e2f34";

/// The version spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// 3.1.1: the broker does not bound what a publisher has in flight.
    V4,
    /// 5: the subscriber says how much it takes in flight.
    V5,
}

/// First byte of PINGREQ and its length.
pub const PING: [u8; 2] = [0xc0, 0];
/// DISCONNECT without a reason.
pub const DISCONNECT: [u8; 2] = [0xe0, 0];

/// One frame: its first byte and what follows its length.
pub struct Packet {
    /// Type in the upper half, flags in the lower.
    pub first: u8,
    /// Variable header and payload.
    pub body: Bytes,
}

/// A PUBLISH as received.
pub struct Publish {
    /// Its topic.
    pub topic: Bytes,
    /// Packet identifier; 0 at QoS 0.
    pub id: u16,
    /// What it carries.
    pub payload: Bytes,
}

/// CONNECT. Without `clean` the session is kept for an hour; with 5, up to 65,535 messages may be in flight.
pub fn connect(out: &mut Vec<u8>, level: Level, client: &str, clean: bool) {
    connect_with(out, level, client, clean, TOKEN);
}

/// The same with a token of somebody else's.
pub fn connect_with(out: &mut Vec<u8>, level: Level, client: &str, clean: bool, token: &str) {
    let mut rest = vec![0, 4];
    rest.extend_from_slice(b"MQTT");
    rest.push(if level == Level::V5 { 5 } else { 4 });
    rest.push(0xc0 | if clean { 2 } else { 0 });
    rest.extend_from_slice(&60_u16.to_be_bytes());
    if level == Level::V5 {
        let expiry: u32 = if clean { 0 } else { 3_600 };
        rest.push(8);
        rest.push(0x11);
        rest.extend_from_slice(&expiry.to_be_bytes());
        rest.push(0x21);
        rest.extend_from_slice(&u16::MAX.to_be_bytes());
    }
    for part in [client, USERNAME, token] {
        text(&mut rest, part.as_bytes());
    }
    frame(out, 0x10, &rest);
}

/// SUBSCRIBE to one filter, with packet identifier 1.
pub fn subscribe(out: &mut Vec<u8>, level: Level, filter: &str, qos: u8) {
    let mut rest = vec![0, 1];
    if level == Level::V5 {
        rest.push(0);
    }
    text(&mut rest, filter.as_bytes());
    rest.push(qos);
    frame(out, 0x82, &rest);
}

/// Everything of a PUBLISH but its payload, of which `size` bytes must follow.
pub fn publish_head(out: &mut Vec<u8>, level: Level, topic: &[u8], qos: u8, id: u16, size: usize) {
    out.push(0x30 | (qos << 1));
    let properties = usize::from(level == Level::V5);
    length(out, 2 + topic.len() + if qos > 0 { 2 } else { 0 } + properties + size);
    text(out, topic);
    if qos > 0 {
        out.extend_from_slice(&id.to_be_bytes());
    }
    if properties > 0 {
        out.push(0);
    }
}

/// PUBACK.
pub fn puback(out: &mut Vec<u8>, id: u16) {
    out.extend_from_slice(&[0x40, 2]);
    out.extend_from_slice(&id.to_be_bytes());
}

/// Takes the next whole frame from `buffer`.
pub fn next(buffer: &mut BytesMut) -> io::Result<Option<Packet>> {
    let (mut rest, mut shift, mut at) = (0_usize, 0, 1);
    loop {
        let Some(byte) = buffer.get(at) else { return Ok(None) };
        rest |= usize::from(byte & 0x7f) << shift;
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 21 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame without an end"));
        }
    }
    if buffer.len() < at + rest {
        return Ok(None);
    }
    let first = buffer[0];
    buffer.advance(at);
    Ok(Some(Packet { first, body: buffer.split_to(rest).freeze() }))
}

/// The fields of a PUBLISH; nothing when it is malformed.
pub fn publish(packet: &Packet, level: Level) -> Option<Publish> {
    let mut body = packet.body.clone();
    let topic = (body.len() >= 2).then(|| body.get_u16())?;
    if body.len() < usize::from(topic) {
        return None;
    }
    let topic = body.split_to(usize::from(topic));
    let id = if packet.first & 0x06 == 0 { 0 } else { (body.len() >= 2).then(|| body.get_u16())? };
    if level == Level::V5 {
        // The broker is asked for nothing that makes the properties long: one byte says how much to skip.
        let skip = usize::from((!body.is_empty()).then(|| body.get_u8())?);
        if skip >= 0x80 || body.len() < skip {
            return None;
        }
        body.advance(skip);
    }
    Some(Publish { topic, id, payload: body })
}

/// Whether this is the answer to CONNECT, and a good one.
pub fn accepted(packet: &Packet) -> bool {
    packet.first == 0x20 && packet.body.get(1) == Some(&0)
}

/// Whether this is the answer to SUBSCRIBE, and a good one.
pub fn subscribed(packet: &Packet) -> bool {
    packet.first == 0x90 && packet.body.last().is_some_and(|code| *code < 0x80)
}

fn frame(out: &mut Vec<u8>, first: u8, rest: &[u8]) {
    out.push(first);
    length(out, rest.len());
    out.extend_from_slice(rest);
}

fn length(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        out.push(if value > 0 { byte | 0x80 } else { byte });
        if value == 0 {
            return;
        }
    }
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (level, qos) in [(Level::V4, 0), (Level::V4, 1), (Level::V5, 1)] {
            let mut out = Vec::new();
            publish_head(&mut out, level, b"a/b", qos, 9, 300);
            out.extend_from_slice(&[b'x'; 300]);
            puback(&mut out, 9);
            let mut buffer = BytesMut::from(&out[..]);
            let packet = next(&mut buffer).ok().flatten();
            let read = packet.and_then(|packet| publish(&packet, level));
            let fields = read.map(|read| (read.topic, read.id, read.payload.len()));
            assert_eq!(fields, Some((Bytes::from_static(b"a/b"), if qos == 0 { 0 } else { 9 }, 300)));
            assert!(next(&mut buffer).is_ok_and(|packet| packet.is_some_and(|packet| packet.first == 0x40)));
            assert!(next(&mut buffer).is_ok_and(|packet| packet.is_none()));
        }
    }
}
