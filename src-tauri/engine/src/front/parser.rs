//! Reads a copy of what passes between a client and its broker: frames to packets, with a topic alias table for each
//! direction.
//!
//! Every frame meets a codec of its own, so a frame that can't be read spoils nothing but itself. Knows nothing of sockets
//! and events.

use super::Way;
use super::framing::{Endless, Frame, Framer};
use super::packet::{self, Packet};
use bytes::{BufMut, Bytes, BytesMut};
use rmqtt_codec::{v3, v5};
use std::collections::HashMap;
use tokio_util::codec::Decoder as _;

/// Bytes of an unreadable packet that are kept to be shown.
pub const SHOWN: usize = 256;
/// The same of a packet that may hold a password or another secret: its header, and of a CONNECT all before the client id.
const SHOWN_SECRET: usize = 12;
/// Bytes of topics that are remembered for aliases, in each direction.
const ALIASES: usize = 1 << 20;

/// A packet that passed.
#[derive(Debug)]
pub struct Seen {
    /// Its size on the wire.
    pub size: usize,
    /// Bytes at its end that were not kept.
    pub missing: usize,
    /// What it says, or why it can't be read.
    pub packet: Result<Packet, Unreadable>,
}

/// A packet that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, in words.
    pub reason: String,
    /// Its first bytes.
    pub bytes: Bytes,
}

/// Reads both directions of one connection.
pub struct Parser {
    level: Option<u8>,
    framers: [Framer; 2],
    aliases: [Aliases; 2],
    strange: bool,
}

#[derive(Default)]
struct Aliases {
    topics: HashMap<u16, String>,
    bytes: usize,
}

impl Parser {
    /// A parser that keeps at most `keep` bytes of a packet.
    pub fn new(keep: usize) -> Self {
        Self {
            level: None,
            framers: [Framer::new(keep), Framer::new(keep)],
            aliases: Default::default(),
            strange: false,
        }
    }

    /// Goes on at the beginning of a packet after some bytes were not handed over.
    pub fn restart(&mut self, way: Way) {
        self.framers[way as usize].restart();
    }

    /// Takes bytes of one direction; every packet that is complete goes to `each`.
    pub fn feed(&mut self, way: Way, bytes: &Bytes, mut each: impl FnMut(Seen)) {
        let mut framer = std::mem::replace(&mut self.framers[way as usize], Framer::new(0));
        framer.feed(bytes, |frame| each(self.read(way, frame, bytes)));
        self.framers[way as usize] = framer;
    }

    fn read(&mut self, way: Way, frame: Result<Frame, Endless>, chunk: &Bytes) -> Seen {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                let reason = format!("{error}: nothing after it can be read");
                let packet = Err(Unreadable { reason, bytes: self.shown(chunk, SHOWN_SECRET) });
                return Seen { size: chunk.len(), missing: 0, packet };
            }
        };
        let packet = self.decode(&frame).map(|packet| self.resolve(way, packet));
        // CONNECT and AUTH carry secrets.
        let secret = self.level.is_none() || matches!(frame.header.kind(), 1 | 15);
        let most = if secret { SHOWN_SECRET } else { SHOWN };
        let packet = packet.map_err(|reason| Unreadable { reason, bytes: self.shown(&frame.bytes, most) });
        // From here on a packet may be the rest of one that was longer than it said.
        self.strange |= secret && packet.is_err();
        Seen { size: frame.header.packet(), missing: frame.header.packet() - frame.bytes.len(), packet }
    }

    fn shown(&self, bytes: &Bytes, most: usize) -> Bytes {
        let most = if self.strange { 0 } else { most };
        Bytes::copy_from_slice(&bytes[..bytes.len().min(most)])
    }

    fn decode(&mut self, frame: &Frame) -> Result<Packet, String> {
        let head = frame.header.size;
        // A packet has its own memory, so that a kept payload holds nothing else; the codec wants some bytes behind it.
        let mut bytes = BytesMut::with_capacity(frame.bytes.len() + 8);
        match (frame.is_cut(), frame.header.kind()) {
            (false, _) => bytes.extend_from_slice(&frame.bytes),
            (true, 3) => {
                // What was kept is read as a whole PUBLISH with a shorter payload.
                bytes.put_u8(frame.header.first);
                put_length(&mut bytes, frame.bytes.len() - head);
                bytes.extend_from_slice(&frame.bytes[head..]);
            }
            (true, _) => return Err(format!("a packet of {} bytes is not read here", frame.header.packet())),
        }
        let connects = frame.header.kind() == 1 && self.level.is_none();
        let level = if connects { connect_level(&frame.bytes[head..]) } else { self.level };
        if connects && let Some(at) = level_at(&bytes[head..]) {
            // The highest bit marks a bridge (Mosquitto); the codec does not know it.
            bytes[head + at] &= 0x7f;
        }
        let short = || "the packet is shorter than what it should hold".to_owned();
        let packet = match level {
            Some(3 | 4) => {
                let decoded = v3::Codec::new(0).decode(&mut bytes).map_err(|error| error.to_string())?;
                packet::from_v3(decoded.ok_or_else(short)?.0)
            }
            Some(5) => {
                let decoded = v5::Codec::new(0, 0).decode(&mut bytes).map_err(|error| error.to_string())?;
                packet::from_v5(decoded.ok_or_else(short)?.0)
            }
            Some(other) => return Err(format!("protocol level {other} is not known")),
            None if connects => return Err("the CONNECT names no protocol".to_owned()),
            None => return Err("no CONNECT came before it".to_owned()),
        };
        if connects {
            self.level = level;
        }
        Ok(packet)
    }

    /// Puts the topic in the place of its alias (MQTT 5.0 section 3.3.2.3.4).
    fn resolve(&mut self, way: Way, packet: Packet) -> Packet {
        let Packet::Publish(mut publish) = packet else { return packet };
        let aliases = &mut self.aliases[way as usize];
        match publish.alias {
            Some(alias) if publish.topic.is_empty() => {
                publish.topic = match aliases.topics.get(&alias) {
                    Some(topic) => topic.clone(),
                    None => format!("(alias {alias} without a topic)"),
                };
            }
            Some(alias) => {
                let replaced = aliases.topics.get(&alias).map_or(0, String::len);
                if aliases.bytes + publish.topic.len() - replaced <= ALIASES {
                    aliases.bytes = aliases.bytes + publish.topic.len() - replaced;
                    aliases.topics.insert(alias, publish.topic.clone());
                }
            }
            None => {}
        }
        Packet::Publish(publish)
    }
}

/// The protocol level in a CONNECT's body, without the mark of a bridge.
pub fn connect_level(body: &[u8]) -> Option<u8> {
    level_at(body).map(|at| body[at] & 0x7f)
}

fn level_at(body: &[u8]) -> Option<usize> {
    let at = 2 + usize::from(u16::from_be_bytes(*body.first_chunk::<2>()?));
    (at < body.len()).then_some(at)
}

fn put_length(bytes: &mut BytesMut, mut length: usize) {
    loop {
        let more = length >= 128;
        bytes.put_u8((length % 128) as u8 | if more { 128 } else { 0 });
        length /= 128;
        if !more {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relayscope_domain::message::Qos;

    const CONNECT_V5: &[u8] = &[
        0x10, 38, 0, 4, b'M', b'Q', b'T', b'T', 5, 0xc2, 0, 60, 0, 0, 1, b'c', 0, 5, b'T', b'o', b'k', b'e', b'n', 0,
        14, b's', b'e', b'c', b'r', b'e', b't', b'-', b't', b'o', b'k', b'-', b'a', b'b', b'c',
    ];

    fn read(parser: &mut Parser, way: Way, bytes: &[u8]) -> Vec<Seen> {
        let mut seen = vec![];
        parser.feed(way, &Bytes::copy_from_slice(bytes), |packet| seen.push(packet));
        seen
    }

    fn connected() -> Parser {
        let mut parser = Parser::new(1_000);
        let mut connect = CONNECT_V5.to_vec();
        connect[1] = connect.len() as u8 - 2;
        assert!(read(&mut parser, Way::FromClient, &connect)[0].packet.is_ok());
        parser
    }

    #[test]
    fn a_connect_leaves_five_characters_of_its_password() {
        let mut connect = CONNECT_V5.to_vec();
        connect[1] = connect.len() as u8 - 2;
        let seen = read(&mut Parser::new(1_000), Way::FromClient, &connect);
        let Ok(Packet::Connect(connect)) = &seen[0].packet else { panic!("{seen:?}") };
        assert_eq!((connect.level, connect.client_id.as_str(), connect.last5.as_str()), (5, "c", "k-abc"));
        assert!(!format!("{seen:?}").contains("secret"));
    }

    #[test]
    fn a_broken_connect_shows_nothing_of_its_password() {
        // It says less than it holds: the rest looks like packets.
        for length in 10..CONNECT_V5.len() as u8 - 2 {
            let mut connect = CONNECT_V5.to_vec();
            connect[1] = length;
            connect.extend([0; 200]);
            for seen in read(&mut Parser::new(1_000), Way::FromClient, &connect) {
                let shown = match seen.packet {
                    Err(unreadable) => unreadable.bytes,
                    Ok(packet) => format!("{packet:?}").into_bytes().into(),
                };
                assert!(!shown.windows(4).any(|part| part == b"secr" || part == b"tok-"), "{shown:?}");
            }
        }
    }

    #[test]
    fn an_unreadable_packet_is_told_and_the_next_is_read() {
        let mut parser = connected();
        // A PUBLISH whose topic is longer than the packet, a reserved type, a PINGREQ.
        let seen = read(&mut parser, Way::FromClient, &[0x30, 3, 0, 9, b'x', 0x00, 0, 0xc0, 0]);
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0].packet.as_ref().unwrap_err().bytes[..], [0x30, 3, 0, 9, b'x']);
        assert!(seen[1].packet.is_err());
        assert_eq!(seen[2].packet, Ok(Packet::PingRequest));
    }

    #[test]
    fn aliases_are_kept_for_each_direction() {
        let mut parser = connected();
        let with_topic = [0x30, 8, 0, 1, b't', 3, 0x23, 0, 7, b'x'];
        let without = [0x30, 7, 0, 0, 3, 0x23, 0, 7, b'y'];
        let topic = |seen: &[Seen]| match &seen[0].packet {
            Ok(Packet::Publish(publish)) => publish.topic.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(topic(&read(&mut parser, Way::FromClient, &with_topic)), "t");
        assert_eq!(topic(&read(&mut parser, Way::FromClient, &without)), "t");
        assert_eq!(topic(&read(&mut parser, Way::ToClient, &without)), "(alias 7 without a topic)");
    }

    #[test]
    fn a_large_publish_is_read_without_the_end_of_its_payload() {
        let mut parser = connected();
        let mut packet = vec![0x32, 0x8e, 0x27, 0, 1, b't', 0, 9, 0];
        packet.extend([5; 5_000]);
        packet.extend([0xc0, 0]);
        let seen = read(&mut parser, Way::FromClient, &packet[..4_000]);
        assert!(seen.is_empty());
        let seen = read(&mut parser, Way::FromClient, &packet[4_000..]);
        let Ok(Packet::Publish(publish)) = &seen[0].packet else { panic!("{:?}", seen[0]) };
        assert_eq!((publish.qos, publish.packet_id, publish.payload.len()), (Qos::AtLeastOnce, Some(9), 991));
        assert_eq!((seen[0].size, seen[0].missing, seen.len()), (5_009, 4_009, 2));
    }

    #[test]
    fn versions_are_told_apart() {
        let mut parser = Parser::new(100);
        let old = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c";
        let seen = read(&mut parser, Way::FromClient, old);
        assert!(matches!(&seen[0].packet, Ok(Packet::Connect(connect)) if connect.level == 3), "{seen:?}");
        assert_eq!(read(&mut parser, Way::FromClient, &[0xe0, 0])[0].packet, Ok(Packet::Disconnect(0, vec![])));
        let other = b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01c";
        let seen = read(&mut Parser::new(100), Way::FromClient, other);
        assert_eq!(seen[0].packet.as_ref().unwrap_err().reason, "protocol level 9 is not known");
        let seen = read(&mut Parser::new(100), Way::FromClient, &[0xc0, 0]);
        assert_eq!(seen[0].packet.as_ref().unwrap_err().reason, "no CONNECT came before it");
    }
}
