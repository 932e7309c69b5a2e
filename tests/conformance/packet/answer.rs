//! What a broker's bytes mean. Strict: a packet that is not exactly as the specification says is a failure of the broker.

use super::{PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Version};
use crate::suite::Check;

/// What a broker sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connack {
        flags: u8,
        code: u8,
        properties: Vec<u8>,
    },
    Publish(Publish),
    /// First byte, packet id, reason, properties.
    Ack(u8, u16, u8, Vec<u8>),
    Suback {
        packet: u16,
        codes: Vec<u8>,
        properties: Vec<u8>,
    },
    Unsuback {
        packet: u16,
        codes: Vec<u8>,
        properties: Vec<u8>,
    },
    Pingresp,
    Disconnect {
        reason: u8,
        properties: Vec<u8>,
    },
    Auth,
}

/// Reads bytes from the front; every step may find too few.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Check<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or("the broker's packet ends too early")?;
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Check<u8> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Check<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn text(&mut self) -> Check<&'a [u8]> {
        let length = self.short()?;
        self.take(length.into())
    }

    fn variable(&mut self) -> Check<usize> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            value |= usize::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return if byte == 0 && shift > 0 {
                    Err("a length in more bytes than needed".into())
                } else {
                    Ok(value)
                };
            }
            shift += 7;
            if shift > 21 {
                return Err("a length of more than four bytes".into());
            }
        }
    }

    fn properties(&mut self, version: Version) -> Check<Vec<u8>> {
        if version == Version::V3 {
            return Ok(vec![]);
        }
        let length = self.variable()?;
        Ok(self.take(length)?.to_vec())
    }

    fn all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }
}

impl Packet {
    /// The meaning of a whole packet's first byte and body.
    pub(crate) fn decode(version: Version, first: u8, body: &[u8]) -> Check<Self> {
        let mut rest = Rest(body);
        let packet = match first {
            0x20 => Self::Connack {
                flags: rest.byte()?,
                code: rest.byte()?,
                // A refusal of the version comes in the broker's own.
                properties: if rest.0.is_empty() { vec![] } else { rest.properties(version)? },
            },
            0x30..=0x3f => {
                let topic = rest.text()?.to_vec();
                let qos = first >> 1 & 3;
                let packet = if qos > 0 { rest.short()? } else { 0 };
                let properties = rest.properties(version)?;
                let (retain, dup) = (first & 1 > 0, first & 8 > 0);
                Self::Publish(Publish { topic, payload: rest.all(), qos, retain, dup, packet, properties })
            }
            PUBACK | PUBREC | PUBREL | PUBCOMP => {
                let packet = rest.short()?;
                let reason = if rest.0.is_empty() { 0 } else { rest.byte()? };
                let properties = if rest.0.is_empty() { vec![] } else { rest.properties(version)? };
                Self::Ack(first, packet, reason, properties)
            }
            0x90 => {
                let (packet, properties) = (rest.short()?, rest.properties(version)?);
                Self::Suback { packet, codes: rest.all(), properties }
            }
            0xb0 => {
                let (packet, properties) = (rest.short()?, rest.properties(version)?);
                Self::Unsuback { packet, codes: rest.all(), properties }
            }
            0xd0 => Self::Pingresp,
            0xe0 if version == Version::V5 => {
                let reason = if rest.0.is_empty() { 0 } else { rest.byte()? };
                let properties = if rest.0.is_empty() { vec![] } else { rest.properties(version)? };
                Self::Disconnect { reason, properties }
            }
            0xf0 if version == Version::V5 => {
                rest.all();
                Self::Auth
            }
            other => return Err(format!("the broker sent a packet that begins with {other:#04x}")),
        };
        if rest.0.is_empty() { Ok(packet) } else { Err(format!("bytes after the end of {packet:?}")) }
    }
}

/// The properties of a packet, decoded: identifier and value, numbers as big-endian bytes, pairs as two texts.
pub(crate) fn read_properties(bytes: &[u8]) -> Check<Vec<(u8, Vec<u8>)>> {
    let (mut rest, mut found) = (Rest(bytes), vec![]);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let value = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => rest.take(1)?.to_vec(),
            0x13 | 0x21 | 0x22 | 0x23 => rest.take(2)?.to_vec(),
            0x02 | 0x11 | 0x18 | 0x27 => rest.take(4)?.to_vec(),
            0x0b => (rest.variable()? as u32).to_be_bytes().to_vec(),
            0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => rest.text()?.to_vec(),
            0x26 => [rest.text()?, b"=", rest.text()?].concat(),
            other => return Err(format!("property {other:#04x} is not known")),
        };
        found.push((id, value));
    }
    Ok(found)
}

/// The values of one property, in order.
pub(crate) fn all(bytes: &[u8], id: u8) -> Check<Vec<Vec<u8>>> {
    Ok(read_properties(bytes)?.into_iter().filter(|(found, _)| *found == id).map(|(_, value)| value).collect())
}

/// The value of a numeric property.
pub(crate) fn number(bytes: &[u8], id: u8) -> Check<Option<u32>> {
    let value = all(bytes, id)?.into_iter().next();
    Ok(value.map(|value| value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))))
}
