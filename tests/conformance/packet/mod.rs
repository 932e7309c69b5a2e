//! MQTT packets by hand: the bytes a client sends, decent or not; [`answer`] has what a broker's bytes mean. Knows nothing
//! of sockets.

mod answer;

pub(crate) use answer::{Packet, all, number, read_properties};

/// The protocol a case speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Version {
    /// MQTT 3.1.1
    V3,
    /// MQTT 5.0
    V5,
}

impl Version {
    pub(crate) fn level(self) -> u8 {
        if self == Self::V5 { 5 } else { 4 }
    }

    pub(crate) fn name(self) -> &'static str {
        if self == Self::V5 { "5.0" } else { "3.1.1" }
    }
}

/// Property identifiers (5.0, section 2.2.2.2).
pub(crate) mod id {
    pub(crate) const PAYLOAD_FORMAT: u8 = 0x01;
    pub(crate) const MESSAGE_EXPIRY: u8 = 0x02;
    pub(crate) const CONTENT_TYPE: u8 = 0x03;
    pub(crate) const RESPONSE_TOPIC: u8 = 0x08;
    pub(crate) const CORRELATION: u8 = 0x09;
    pub(crate) const SUBSCRIPTION: u8 = 0x0b;
    pub(crate) const SESSION_EXPIRY: u8 = 0x11;
    pub(crate) const ASSIGNED_CLIENT: u8 = 0x12;
    pub(crate) const AUTH_METHOD: u8 = 0x15;
    pub(crate) const PROBLEM_INFO: u8 = 0x17;
    pub(crate) const WILL_DELAY: u8 = 0x18;
    pub(crate) const RESPONSE_REQUEST: u8 = 0x19;
    pub(crate) const RESPONSE_INFO: u8 = 0x1a;
    pub(crate) const REASON: u8 = 0x1f;
    pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
    pub(crate) const ALIAS_MAXIMUM: u8 = 0x22;
    pub(crate) const ALIAS: u8 = 0x23;
    pub(crate) const USER: u8 = 0x26;
    pub(crate) const MAXIMUM_PACKET: u8 = 0x27;
}

/// A property with a value of one byte.
pub(crate) fn byte(id: u8, value: u8) -> Vec<u8> {
    vec![id, value]
}

/// A property with a value of two bytes.
pub(crate) fn short(id: u8, value: u16) -> Vec<u8> {
    [&[id], &value.to_be_bytes()[..]].concat()
}

/// A property with a value of four bytes.
pub(crate) fn long(id: u8, value: u32) -> Vec<u8> {
    [&[id], &value.to_be_bytes()[..]].concat()
}

/// A property with text or bytes.
pub(crate) fn data(id: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![id], text(value)].concat()
}

/// A user property.
pub(crate) fn user(name: &str, value: &str) -> Vec<u8> {
    [vec![id::USER], text(name), text(value)].concat()
}

/// A subscription identifier below 128.
pub(crate) fn subscription(value: u8) -> Vec<u8> {
    vec![id::SUBSCRIPTION, value]
}

/// Text or bytes with their length before them.
pub(crate) fn text(value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&(value.len() as u16).to_be_bytes()[..], value].concat()
}

/// A variable byte integer, in as few bytes as it takes.
pub(crate) fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let more = if value >= 128 { 128 } else { 0 };
        bytes.push((value % 128) as u8 | more);
        value /= 128;
        if more == 0 {
            return bytes;
        }
    }
}

/// A packet: first byte, length, body.
pub(crate) fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first], &variable(body.len())[..], body].concat()
}

/// Properties with their length, where the version has them.
pub(crate) fn properties(version: Version, properties: &[u8]) -> Vec<u8> {
    match version {
        Version::V3 => vec![],
        Version::V5 => [variable(properties.len()), properties.to_vec()].concat(),
    }
}

/// A last will.
#[derive(Clone, Default)]
pub(crate) struct Will {
    pub(crate) topic: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) properties: Vec<u8>,
}

/// What a CONNECT says; every field may be wrong.
#[derive(Clone)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) protocol: Vec<u8>,
    pub(crate) level: u8,
    pub(crate) clean: bool,
    pub(crate) keep_alive: u16,
    pub(crate) properties: Vec<u8>,
    pub(crate) client: Vec<u8>,
    pub(crate) will: Option<Will>,
    pub(crate) username: Option<Vec<u8>>,
    pub(crate) password: Option<Vec<u8>>,
    /// Bits of the connect flags that are turned round.
    pub(crate) flip: u8,
}

impl Connect {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut flags = u8::from(self.clean) << 1;
        if let Some(will) = &self.will {
            flags |= 4 | will.qos << 3 | u8::from(will.retain) << 5;
        }
        flags |= u8::from(self.password.is_some()) << 6 | u8::from(self.username.is_some()) << 7;
        let mut body = text(&self.protocol);
        body.extend([self.level, flags ^ self.flip]);
        body.extend(self.keep_alive.to_be_bytes());
        body.extend(properties(self.version, &self.properties));
        body.extend(text(&self.client));
        if let Some(will) = &self.will {
            body.extend(properties(self.version, &will.properties));
            body.extend(text(&will.topic));
            body.extend(text(&will.payload));
        }
        [&self.username, &self.password].into_iter().flatten().for_each(|part| body.extend(text(part)));
        frame(0x10, &body)
    }

    /// Keeps the session for a minute after the connection, and takes one up that is there.
    pub(crate) fn kept(mut self) -> Self {
        self.clean = false;
        self.with(&long(id::SESSION_EXPIRY, 60))
    }

    /// Adds a property; 3.1.1 has none.
    pub(crate) fn with(mut self, property: &[u8]) -> Self {
        self.properties.extend(property);
        self
    }

    pub(crate) fn will(mut self, topic: &str, payload: &str) -> Self {
        self.will = Some(Will { topic: topic.into(), payload: payload.into(), ..Will::default() });
        self
    }
}

/// A PUBLISH, sent or received.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    /// 0 at QoS 0.
    pub(crate) packet: u16,
    pub(crate) properties: Vec<u8>,
}

impl std::fmt::Debug for Publish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        write!(
            f,
            "PUBLISH {:?} to {:?}, QoS {}, id {}",
            text(&self.payload),
            text(&self.topic),
            self.qos,
            self.packet
        )?;
        let properties = &self.properties;
        write!(f, "{}{}", if self.dup { ", DUP" } else { "" }, if self.retain { ", retained" } else { "" })?;
        if properties.is_empty() { Ok(()) } else { write!(f, ", properties {properties:02x?}") }
    }
}

impl Publish {
    pub(crate) fn new(topic: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, qos: u8) -> Self {
        let (topic, payload) = (topic.as_ref().to_vec(), payload.as_ref().to_vec());
        Self { topic, payload, qos, packet: u16::from(qos > 0), ..Self::default() }
    }

    pub(crate) fn packet(mut self, packet: u16) -> Self {
        self.packet = packet;
        self
    }

    pub(crate) fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    pub(crate) fn dup(mut self) -> Self {
        self.dup = true;
        self
    }

    pub(crate) fn with(mut self, property: &[u8]) -> Self {
        self.properties.extend(property);
        self
    }

    pub(crate) fn bytes(&self, version: Version) -> Vec<u8> {
        let mut body = text(&self.topic);
        if self.qos > 0 {
            body.extend(self.packet.to_be_bytes());
        }
        body.extend(properties(version, &self.properties));
        body.extend(&self.payload);
        frame(0x30 | u8::from(self.dup) << 3 | self.qos << 1 | u8::from(self.retain), &body)
    }

    pub(crate) fn says(&self, payload: &str) -> bool {
        self.payload == payload.as_bytes()
    }
}

/// SUBSCRIBE with filters and their options bytes.
pub(crate) fn subscribe(version: Version, packet: u16, filters: &[(&str, u8)], with: &[u8]) -> Vec<u8> {
    let mut body = packet.to_be_bytes().to_vec();
    body.extend(properties(version, with));
    filters.iter().for_each(|(filter, options)| body.extend([text(filter), vec![*options]].concat()));
    frame(0x82, &body)
}

pub(crate) fn unsubscribe(version: Version, packet: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = packet.to_be_bytes().to_vec();
    body.extend(properties(version, &[]));
    filters.iter().for_each(|filter| body.extend(text(filter)));
    frame(0xa2, &body)
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP by its first byte, without a reason.
pub(crate) fn ack(first: u8, packet: u16) -> Vec<u8> {
    frame(first, &packet.to_be_bytes())
}

/// First bytes of the four acknowledgements.
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;
pub(crate) const PINGREQ: [u8; 2] = [0xc0, 0];
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];
