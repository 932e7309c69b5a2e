//! MQTT packets as bytes, for files of packets: what an event tells of a packet is written as a client or a broker would
//! have sent it (MQTT 3.1.1 and 5.0, chapters 2 and 3). Sessions have their own way to the socket. A password is never
//! written.

use bytes::{BufMut, Bytes, BytesMut};
use relayscope_domain::message::Qos;

/// Which MQTT is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// MQTT 3.1.
    V31,
    /// MQTT 3.1.1.
    #[default]
    V311,
    /// MQTT 5.
    V5,
}

/// A last will.
#[derive(Clone, Debug)]
pub struct Will<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
    /// Quality of service.
    pub qos: Qos,
    /// Whether it is retained.
    pub retain: bool,
}

/// A CONNECT without a password.
#[derive(Clone, Debug, Default)]
pub struct Connect<'a> {
    /// Client id.
    pub client_id: &'a str,
    /// User name.
    pub username: Option<&'a str>,
    /// Clean start, or clean session.
    pub clean_start: bool,
    /// Seconds.
    pub keep_alive: u16,
    /// Last will.
    pub will: Option<Will<'a>>,
}

/// A PUBLISH.
#[derive(Clone, Debug)]
pub struct Publish<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Duplicate flag.
    pub dup: bool,
    /// For QoS 1 and 2.
    pub packet_id: u16,
    /// MQTT 5 properties, without their length.
    pub properties: Bytes,
}

fn packet(first: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + 5);
    out.put_u8(first);
    variable(&mut out, body.len());
    out.put_slice(body);
    out.freeze()
}

/// A variable byte integer (MQTT 5.0 section 1.5.5).
fn variable(out: &mut BytesMut, mut value: usize) {
    loop {
        let byte = (value % 128) as u8;
        value /= 128;
        out.put_u8(if value > 0 { byte | 0x80 } else { byte });
        if value == 0 {
            return;
        }
    }
}

fn field(out: &mut BytesMut, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(&bytes[..length.into()]);
}

fn properties(out: &mut BytesMut, level: Level, bytes: &[u8]) {
    if level == Level::V5 {
        variable(out, bytes.len());
        out.put_slice(bytes);
    }
}

/// CONNECT.
pub fn connect(level: Level, connect: &Connect<'_>) -> Bytes {
    let mut out = BytesMut::new();
    let (name, number) = match level {
        Level::V31 => ("MQIsdp", 3),
        Level::V311 => ("MQTT", 4),
        Level::V5 => ("MQTT", 5),
    };
    field(&mut out, name.as_bytes());
    out.put_u8(number);
    let mut flags = u8::from(connect.clean_start) << 1 | u8::from(connect.username.is_some()) << 7;
    if let Some(will) = &connect.will {
        flags |= 0x04 | u8::from(will.qos) << 3 | u8::from(will.retain) << 5;
    }
    out.put_u8(flags);
    out.put_u16(connect.keep_alive);
    properties(&mut out, level, &[]);
    field(&mut out, connect.client_id.as_bytes());
    if let Some(will) = &connect.will {
        properties(&mut out, level, &[]);
        field(&mut out, will.topic.as_bytes());
        field(&mut out, will.payload);
    }
    if let Some(name) = connect.username {
        field(&mut out, name.as_bytes());
    }
    packet(0x10, &out)
}

/// CONNACK.
pub fn connack(level: Level, session_present: bool, code: u8) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(session_present.into());
    out.put_u8(code);
    properties(&mut out, level, &[]);
    packet(0x20, &out)
}

/// PUBLISH.
pub fn publish(level: Level, publish: &Publish<'_>) -> Bytes {
    let mut out = BytesMut::with_capacity(publish.payload.len() + publish.topic.len() + 16);
    field(&mut out, publish.topic.as_bytes());
    if publish.qos != Qos::AtMostOnce {
        out.put_u16(publish.packet_id);
    }
    properties(&mut out, level, &publish.properties);
    out.put_slice(publish.payload);
    let first = 0x30 | u8::from(publish.dup) << 3 | u8::from(publish.qos) << 1 | u8::from(publish.retain);
    packet(first, &out)
}

/// PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7).
pub fn acknowledgement(level: Level, kind: u8, packet_id: u16, code: u8) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u16(packet_id);
    if level == Level::V5 && code != 0 {
        out.put_u8(code);
    }
    packet(kind << 4 | if kind == 6 { 2 } else { 0 }, &out)
}

/// SUBSCRIBE for one filter.
pub fn subscribe(level: Level, packet_id: u16, filter: &str, qos: Qos) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u16(packet_id);
    properties(&mut out, level, &[]);
    field(&mut out, filter.as_bytes());
    out.put_u8(qos.into());
    packet(0x82, &out)
}

/// SUBACK to one filter.
pub fn suback(level: Level, packet_id: u16, code: u8) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u16(packet_id);
    properties(&mut out, level, &[]);
    out.put_u8(code);
    packet(0x90, &out)
}

/// UNSUBSCRIBE of one filter.
pub fn unsubscribe(level: Level, packet_id: u16, filter: &str) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u16(packet_id);
    properties(&mut out, level, &[]);
    field(&mut out, filter.as_bytes());
    packet(0xa2, &out)
}

/// UNSUBACK to one filter.
pub fn unsuback(level: Level, packet_id: u16) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u16(packet_id);
    if level == Level::V5 {
        properties(&mut out, level, &[]);
        out.put_u8(0);
    }
    packet(0xb0, &out)
}

/// PINGREQ, or PINGRESP.
pub fn ping(answer: bool) -> Bytes {
    packet(if answer { 0xd0 } else { 0xc0 }, &[])
}

/// DISCONNECT without a reason.
pub fn disconnect() -> Bytes {
    packet(0xe0, &[])
}
