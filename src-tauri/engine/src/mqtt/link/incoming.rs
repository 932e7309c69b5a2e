//! What a broker's packets mean. PUBLISH is read by hand, its payload not copied; everything else goes through
//! rmqtt-codec, with a new codec for each packet, because one that met an error stays inside the bad packet.

use super::super::properties::{
    CONTENT_TYPE, CORRELATION, EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC, correlation_words, user_name,
};
use super::super::words;
use super::framing::{Frame, Malformed, malformed, qos_of, variable};
use super::{Arrived, Polled, Taken, Untaken};
use bytes::{Buf, Bytes, BytesMut};
use relayscope_domain::message::Qos;
use rmqtt_codec::{v3, v5};
use std::hash::BuildHasher;
use std::sync::Arc;
use tokio_util::codec::Decoder as _;

/// A packet of the broker that something has to be done about, or only told.
#[derive(Debug)]
pub(super) enum Incoming {
    /// Only to be told.
    Told(Polled),
    /// A PUBLISH of ours has ended, well or badly.
    Settled(u16, Result<Taken, Untaken>),
    /// PUBREC: to be answered with PUBREL, unless it is a refusal.
    Received(u16, Result<Taken, Untaken>),
    /// PUBREL: to be answered with PUBCOMP.
    Release(u16),
    /// SUBACK or UNSUBACK: the packet identifier is free.
    Answered(u16, Polled),
    /// PINGRESP.
    Alive,
    /// DISCONNECT (MQTT 5): its code and words.
    Goodbye(u8, Option<String>),
}

/// Reads packets of one connection.
pub(super) struct Decoder {
    v5: bool,
    topics: Topics,
}

impl Decoder {
    pub(super) fn new(v5: bool) -> Self {
        Self { v5, topics: Topics::new() }
    }

    pub(super) fn decode(&mut self, frame: Frame) -> Result<Incoming, Malformed> {
        match frame {
            Frame::Skipped(head) => Ok(Incoming::Told(Polled::Oversized {
                topic: head.topic.into(),
                qos: head.qos,
                packet_id: head.packet_id,
                bytes: head.bytes,
            })),
            Frame::Whole(frame, header) => match frame[0] {
                first @ 0x30..=0x3f => {
                    let mut body = frame.freeze();
                    body.advance(header);
                    self.publish(first, body).map(|arrived| Incoming::Told(Polled::Publish(arrived)))
                }
                first => {
                    // The short form of the four acknowledgements, by far the most frequent.
                    if let (true, 0x40 | 0x50 | 0x62 | 0x70, Some(id)) =
                        (frame.len() == 4, first, frame.last_chunk::<2>().map(|two| u16::from_be_bytes(*two)))
                        && id != 0
                    {
                        return Ok(match first {
                            0x50 => Incoming::Received(id, Ok(Taken::Yes)),
                            0x62 => Incoming::Release(id),
                            _ => Incoming::Settled(id, Ok(Taken::Yes)),
                        });
                    }
                    if self.v5 { other_v5(frame) } else { other_v3(frame) }
                }
            },
        }
    }

    fn publish(&mut self, first: u8, mut body: Bytes) -> Result<Arrived, Malformed> {
        let qos = qos_of(first)?;
        let size = body.first_chunk::<2>().map(|two| usize::from(u16::from_be_bytes(*two)));
        let name =
            size.and_then(|size| body.get(2..2 + size)).ok_or_else(|| malformed("a PUBLISH that ends in its topic"))?;
        let taken = 2 + name.len();
        let topic = self.topics.get(name)?;
        body.advance(taken);
        let packet_id = if qos == Qos::AtMostOnce {
            0
        } else {
            match body.try_get_u16() {
                Ok(0) => return Err(malformed("the packet identifier 0")),
                Ok(id) => id,
                Err(_) => return Err(malformed("a PUBLISH without its packet identifier")),
            }
        };
        let (mut properties, mut subscriptions, mut correlation) = (vec![], vec![], None);
        if self.v5 {
            let found = take_variable(&mut body)?;
            if found > body.len() {
                return Err(malformed("properties longer than their packet"));
            }
            let mut source = body.split_to(found);
            while source.has_remaining() {
                // A property that comes twice is a protocol error of the broker's; the last one counts.
                if let Some(data) = property(&mut source, &mut properties, &mut subscriptions)? {
                    correlation = Some(data);
                }
            }
        }
        Ok(Arrived {
            topic,
            payload: body,
            qos,
            retain: first & 1 != 0,
            dup: first & 8 != 0,
            packet_id,
            properties,
            correlation,
            subscriptions,
        })
    }
}

fn take_variable(source: &mut Bytes) -> Result<usize, Malformed> {
    let (value, taken) = variable(source)?.ok_or_else(|| malformed("a PUBLISH that ends in its properties"))?;
    source.advance(taken);
    Ok(value)
}

fn take_bytes(source: &mut Bytes) -> Result<Bytes, Malformed> {
    let short = || malformed("a PUBLISH that ends in a property");
    let size = usize::from(source.try_get_u16().map_err(|_| short())?);
    if size > source.len() { Err(short()) } else { Ok(source.split_to(size)) }
}

fn take_text(source: &mut Bytes) -> Result<String, Malformed> {
    String::from_utf8(take_bytes(source)?.to_vec()).map_err(|_| malformed("a property that is not UTF-8"))
}

/// One property of a PUBLISH (MQTT 5.0 section 3.3.2.3) in words; the subscription identifiers apart, because they are our
/// own. Returns Correlation Data as it came.
fn property(
    source: &mut Bytes,
    properties: &mut Vec<(String, String)>,
    subscriptions: &mut Vec<u32>,
) -> Result<Option<Bytes>, Malformed> {
    let short = |_| malformed("a PUBLISH that ends in a property");
    let mut correlation = None;
    let (name, value) = match source.get_u8() {
        0x01 => {
            (PAYLOAD_FORMAT, if source.try_get_u8().map_err(short)? == 1 { "UTF-8 text" } else { "bytes" }.to_owned())
        }
        0x02 => (EXPIRY, format!("{} s", source.try_get_u32().map_err(short)?)),
        0x03 => (CONTENT_TYPE, take_text(source)?),
        0x08 => (RESPONSE_TOPIC, take_text(source)?),
        0x09 => {
            let data = take_bytes(source)?;
            let words = correlation_words(&data);
            correlation = Some(data);
            (CORRELATION, words)
        }
        0x0b => {
            subscriptions.push(u32::try_from(take_variable(source)?).unwrap_or(u32::MAX));
            return Ok(None);
        }
        0x23 => return Err(malformed("a topic alias, although none was offered")),
        0x26 => {
            let name = take_text(source)?;
            properties.push((user_name(&name), take_text(source)?));
            return Ok(None);
        }
        other => return Err(malformed(format!("the property 0x{other:02x} in a PUBLISH"))),
    };
    properties.push((name.to_owned(), value));
    Ok(correlation)
}

fn incomplete() -> Malformed {
    malformed("a packet shorter than it says")
}

fn unexpected(first: u8) -> Malformed {
    malformed(format!("a packet of kind {} that brokers don't send", first >> 4))
}

fn other_v3(mut frame: BytesMut) -> Result<Incoming, Malformed> {
    let first = frame[0];
    let (packet, _) =
        v3::Codec::new(0).decode(&mut frame).map_err(|error| malformed(error.to_string()))?.ok_or_else(incomplete)?;
    Ok(match packet {
        v3::Packet::PublishAck { packet_id } | v3::Packet::PublishComplete { packet_id } => {
            Incoming::Settled(packet_id.get(), Ok(Taken::Yes))
        }
        v3::Packet::PublishReceived { packet_id } => Incoming::Received(packet_id.get(), Ok(Taken::Yes)),
        v3::Packet::PublishRelease { packet_id } => Incoming::Release(packet_id.get()),
        v3::Packet::SubscribeAck { packet_id, status } => {
            let answers = status.into_iter().map(|status| match status {
                v3::SubscribeReturnCode::Success(qos) => Ok(Qos::try_from(qos.value()).unwrap_or_default()),
                v3::SubscribeReturnCode::Failure => Err(words::suback_v4(0x80)),
            });
            Incoming::Answered(packet_id.get(), Polled::SubAck(packet_id.get(), answers.collect()))
        }
        v3::Packet::UnsubscribeAck { packet_id } => {
            Incoming::Answered(packet_id.get(), Polled::UnsubAck(packet_id.get(), Ok(())))
        }
        v3::Packet::PingResponse => Incoming::Alive,
        _ => return Err(unexpected(first)),
    })
}

fn other_v5(mut frame: BytesMut) -> Result<Incoming, Malformed> {
    let first = frame[0];
    let (packet, _) = v5::Codec::new(0, 0)
        .decode(&mut frame)
        .map_err(|error| malformed(error.to_string()))?
        .ok_or_else(incomplete)?;
    let judged = |code: u8, text: Option<&str>| match code {
        0x80.. => {
            let reason = words::reason(code);
            Err(Untaken { code, words: text.map_or(reason.clone(), |text| format!("{reason} (“{text}”)")) })
        }
        0x10 => Ok(Taken::Unheard),
        _ => Ok(Taken::Yes),
    };
    Ok(match packet {
        v5::Packet::PublishAck(ack) => {
            Incoming::Settled(ack.packet_id.get(), judged(ack.reason_code.into(), ack.reason_string.as_deref()))
        }
        v5::Packet::PublishReceived(ack) => {
            Incoming::Received(ack.packet_id.get(), judged(ack.reason_code.into(), ack.reason_string.as_deref()))
        }
        v5::Packet::PublishComplete(ack) => {
            Incoming::Settled(ack.packet_id.get(), judged(ack.reason_code.into(), ack.reason_string.as_deref()))
        }
        v5::Packet::PublishRelease(release) => Incoming::Release(release.packet_id.get()),
        v5::Packet::SubscribeAck(ack) => {
            let answers = ack.status.into_iter().map(|status| {
                let code = u8::from(status);
                Qos::try_from(code).map_err(|_| words::suback_v5(code))
            });
            Incoming::Answered(ack.packet_id.get(), Polled::SubAck(ack.packet_id.get(), answers.collect()))
        }
        v5::Packet::UnsubscribeAck(ack) => {
            let refused = ack.status.iter().map(|status| u8::from(*status)).find(|code| *code >= 0x80);
            let answer = refused.map_or(Ok(()), |code| Err(words::reason(code)));
            Incoming::Answered(ack.packet_id.get(), Polled::UnsubAck(ack.packet_id.get(), answer))
        }
        v5::Packet::PingResponse => Incoming::Alive,
        v5::Packet::Disconnect(bye) => {
            Incoming::Goodbye(bye.reason_code.into(), bye.reason_string.map(|text| text.to_string()))
        }
        _ => return Err(unexpected(first)),
    })
}

/// Topics seen of late, so that one that comes again needs no memory of its own. Each has one place it can be in.
struct Topics {
    slots: Vec<Option<Arc<str>>>,
    hasher: foldhash::fast::RandomState,
}

const SLOTS: usize = 2_048;
// Longer ones are not kept.
const KEPT: usize = 256;

impl Topics {
    fn new() -> Self {
        Self { slots: vec![None; SLOTS], hasher: foldhash::fast::RandomState::default() }
    }

    fn get(&mut self, name: &[u8]) -> Result<Arc<str>, Malformed> {
        let slot = self.hasher.hash_one(name) as usize % SLOTS;
        if let Some(known) = &self.slots[slot]
            && known.as_bytes() == name
        {
            return Ok(known.clone());
        }
        let text = std::str::from_utf8(name).map_err(|_| malformed("a topic that is not UTF-8"))?;
        if text.is_empty() || text.contains(['+', '#', '\0']) {
            return Err(malformed(format!("the topic “{}”", text.escape_default())));
        }
        let topic: Arc<str> = text.into();
        if name.len() <= KEPT {
            self.slots[slot] = Some(topic.clone());
        }
        Ok(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::super::framing::Framer;
    use super::*;

    fn decode(v5: bool, bytes: &[u8]) -> Result<Incoming, Malformed> {
        let mut framer = Framer::new(1 << 20);
        framer.room().extend_from_slice(bytes);
        let frame = framer.next()?.ok_or_else(incomplete)?;
        Decoder::new(v5).decode(frame)
    }

    #[test]
    fn a_publish_is_read_with_its_properties() {
        let body = b"\x00\x03a/b\x00\x07\x14\x01\x01\x02\x00\x00\x00\x3c\x0b\x05\x26\x00\x01k\x00\x01v\x03\x00\x01t{}";
        let mut packet = vec![0x3b, body.len() as u8];
        packet.extend(body);
        let Ok(Incoming::Told(Polled::Publish(arrived))) = decode(true, &packet) else { panic!("no PUBLISH") };
        assert_eq!((&*arrived.topic, &arrived.payload[..], arrived.packet_id), ("a/b", &b"{}"[..], 7));
        assert_eq!((arrived.qos, arrived.retain, arrived.dup), (Qos::AtLeastOnce, true, true));
        assert_eq!(arrived.subscriptions, [5]);
        let named: Vec<_> = arrived.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("Payload format", "UTF-8 text"),
            ("Message expiry", "60 s"),
            ("User property k", "v"),
            ("Content type", "t"),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn malformed_packets_are_named() {
        for (v5, bytes, words) in [
            (false, &[0x32, 3, 0, 1, b'a'][..], "without its packet identifier"),
            (false, &[0x32, 5, 0, 1, b'a', 0, 0], "identifier 0"),
            (false, &[0x30, 2, 0, 5], "ends in its topic"),
            (false, &[0x30, 3, 0, 1, b'#'], "the topic “#”"),
            (false, &[0x30, 3, 0, 1, 0xfe], "not UTF-8"),
            (true, &[0x30, 2, 0, 0], "the topic “”"),
            (true, &[0x30, 3, 0, 1, b'a'], "ends in its properties"),
            (true, &[0x30, 4, 0, 1, b'a', 9], "longer than their packet"),
            (true, &[0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1], "topic alias"),
            (true, &[0x30, 6, 0, 1, b'a', 2, 0x7f, 0], "property 0x7f"),
            (true, &[0x30, 6, 0, 1, b'a', 2, 0x02, 0], "ends in a property"),
            (false, &[0x10, 0], ""),
            (true, &[0xc0, 0], "kind 12"),
            (false, &[0x40, 2, 0, 0], ""),
            (true, &[0x00, 0], ""),
        ] {
            let error = decode(v5, bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{bytes:x?}: {error}");
        }
    }

    #[test]
    fn a_disconnect_without_a_reason_is_one() {
        assert!(matches!(decode(true, &[0xe0, 0]), Ok(Incoming::Goodbye(0, None))));
        assert!(matches!(decode(true, &[0xe0, 1, 0x8b]), Ok(Incoming::Goodbye(0x8b, None))));
    }

    #[test]
    fn a_topic_that_comes_again_is_the_same_memory() {
        let mut topics = Topics::new();
        let (one, other) = (topics.get(b"plant/1").unwrap(), topics.get(b"plant/1").unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }
}
