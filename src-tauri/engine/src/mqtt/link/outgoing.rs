//! What goes to the broker: packets collect in one buffer that is written at once; every packet identifier of ours is kept
//! until its exchange has ended. Acknowledgements and PUBLISH are written by hand here; `requests` has
//! SUBSCRIBE and UNSUBSCRIBE.

mod requests;

pub(super) use requests::codec_qos;

use super::Limits;
use bytes::{Buf, BufMut, BytesMut};
use relayscope_domain::message::Qos;
use relayscope_domain::topic;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::num::NonZeroU16;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

// Bytes that may wait to be written before messages, and before anything else, is refused with `Full`.
const FULL_FOR_MESSAGES: usize = 256 * 1024;
const FULL: usize = 1024 * 1024;
// So much is written although there is more to read.
const DUE: usize = 16 * 1024;
// A buffer that grew beyond this is given back once it was written.
const LARGE: usize = 512 * 1024;
// Messages of ours on their way at once, whatever the broker allows: they wait here otherwise, and there.
const WINDOW_V5: u16 = 1_000;
// MQTT 3.1.1 knows no Receive Maximum.
const WINDOW_V3: u16 = 100;
// The largest remaining length (MQTT 5.0 section 1.5.5).
const LARGEST: usize = 268_435_455;

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// There is no room at the moment, or no connection; offer it again after the next poll.
    Full,
    /// The broker would not take it; why, in words.
    Refused(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for PUBACK.
    Ack,
    /// Waits for PUBREC.
    Rec,
    /// PUBREL was sent, waits for PUBCOMP.
    Comp,
    /// As `Comp`, for a message of an earlier connection that nobody asks after any more.
    Orphan,
    /// Waits for SUBACK or UNSUBACK.
    Answer,
}

pub(super) struct Outgoing {
    v5: bool,
    limits: Limits,
    window: usize,
    buffer: BytesMut,
    // Whether something was written that the stream may still hold.
    unflushed: bool,
    last: u16,
    stages: HashMap<u16, Stage>,
    messages: usize,
    // Bytes ever put in and ever written, and where in that stream each QoS 0 message ends.
    put: u64,
    written: u64,
    ends: VecDeque<u64>,
    leaving: bool,
}

impl Outgoing {
    /// `unreleased` are QoS 2 messages of earlier connections of this session, whose PUBREL or PUBCOMP never came.
    pub(super) fn new(v5: bool, limits: Limits, last: u16, unreleased: &[u16]) -> Self {
        let window = if v5 { limits.receive_maximum.unwrap_or(u16::MAX).min(WINDOW_V5) } else { WINDOW_V3 };
        let mut new = Self {
            v5,
            limits,
            window: window.into(),
            buffer: BytesMut::new(),
            unflushed: false,
            last,
            stages: HashMap::new(),
            messages: 0,
            put: 0,
            written: 0,
            ends: VecDeque::new(),
            leaving: false,
        };
        for id in unreleased {
            // Settles the identifier: a broker that holds the message passes it on now, others answer all the same.
            new.four(0x62, *id);
            new.stages.insert(*id, Stage::Orphan);
            new.messages += 1;
        }
        new
    }

    /// The last packet identifier given out, and QoS 2 messages that have not ended.
    pub(super) fn left(&self) -> (u16, Vec<u16>) {
        let open =
            |(id, stage): (&u16, &Stage)| matches!(stage, Stage::Rec | Stage::Comp | Stage::Orphan).then_some(*id);
        (self.last, self.stages.iter().filter_map(open).collect())
    }

    fn room(&self, bound: usize) -> Result<(), Unsent> {
        if self.buffer.len() > bound || self.leaving { Err(Unsent::Full) } else { Ok(()) }
    }

    fn four(&mut self, first: u8, id: u16) {
        if self.leaving {
            // Nothing comes after DISCONNECT (MQTT-3.14.4-2).
            return;
        }
        let [high, low] = id.to_be_bytes();
        self.buffer.put_slice(&[first, 2, high, low]);
        self.put += 4;
    }

    fn next_id(&mut self, stage: Stage) -> NonZeroU16 {
        // Far fewer are taken than there are.
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            if let (Some(id), false) = (NonZeroU16::new(self.last), self.stages.contains_key(&self.last)) {
                self.stages.insert(self.last, stage);
                return id;
            }
        }
    }

    /// PUBACK for QoS 1, PUBREC for QoS 2.
    pub(super) fn acknowledge(&mut self, id: u16, qos: Qos) -> Result<(), Unsent> {
        self.room(FULL)?;
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.four(0x40, id),
            Qos::ExactlyOnce => self.four(0x50, id),
        }
        Ok(())
    }

    /// PUBCOMP, for any PUBREL.
    pub(super) fn complete(&mut self, id: u16) {
        self.four(0x70, id);
    }

    /// PUBREC came. Whether the message has ended with it: a refusal.
    pub(super) fn received(&mut self, id: u16, refused: bool) -> bool {
        match self.stages.get(&id) {
            Some(Stage::Rec) if refused => {
                self.settled(id);
                true
            }
            // An identifier that is not known here is released all the same, so that the broker can forget it.
            _ if refused => false,
            stage => {
                if stage == Some(&Stage::Rec) {
                    self.stages.insert(id, Stage::Comp);
                }
                self.four(0x62, id);
                false
            }
        }
    }

    /// PUBACK or PUBCOMP came. Whether somebody waits for it.
    pub(super) fn settled(&mut self, id: u16) -> bool {
        match self.stages.get(&id) {
            None | Some(Stage::Answer) => false,
            Some(stage) => {
                let asked = *stage != Stage::Orphan;
                self.stages.remove(&id);
                self.messages -= 1;
                asked
            }
        }
    }

    /// SUBACK or UNSUBACK came.
    pub(super) fn answered(&mut self, id: u16) {
        if self.stages.get(&id) == Some(&Stage::Answer) {
            self.stages.remove(&id);
        }
    }

    pub(super) fn publish(
        &mut self,
        name: &str,
        payload: &[u8],
        qos: Qos,
        retain: bool,
        properties: &[u8],
    ) -> Result<u16, Unsent> {
        self.check(name, qos, retain)?;
        if !self.v5 && !properties.is_empty() {
            return Err(Unsent::Refused("The broker speaks MQTT 3.1.1, which has no properties.".into()));
        }
        let id = if qos == Qos::AtMostOnce { 0 } else { 2 };
        let mut head = [0; 4];
        let head = if self.v5 { variable(properties.len(), &mut head) } else { &[] };
        let length = 2 + name.len() + id + head.len() + properties.len() + payload.len();
        let whole = 1 + length + [128, 16_384, 2_097_152].iter().filter(|bound| length >= **bound).count() + 1;
        let most = self.limits.packet_bytes.map_or(LARGEST, |most| most as usize);
        if whole > most || length > LARGEST {
            let told =
                format!("The broker takes packets of at most {most} bytes, and this message makes one of {whole}.");
            return Err(Unsent::Refused(told));
        }
        self.room(FULL_FOR_MESSAGES)?;
        if qos != Qos::AtMostOnce && self.messages >= self.window {
            return Err(Unsent::Full);
        }
        self.buffer.reserve(whole);
        self.buffer.put_u8(0x30 | u8::from(qos) << 1 | u8::from(retain));
        self.buffer.put_slice(variable(length, &mut [0; 4]));
        self.buffer.put_u16(name.len() as u16);
        self.buffer.put_slice(name.as_bytes());
        let stage = match qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce => Some(Stage::Ack),
            Qos::ExactlyOnce => Some(Stage::Rec),
        };
        let id = stage.map_or(0, |stage| {
            self.messages += 1;
            self.next_id(stage).get()
        });
        if id != 0 {
            self.buffer.put_u16(id);
        }
        self.buffer.put_slice(head);
        self.buffer.put_slice(properties);
        self.buffer.put_slice(payload);
        self.put += whole as u64;
        if id == 0 {
            self.ends.push_back(self.put);
        }
        Ok(id)
    }

    fn check(&self, name: &str, qos: Qos, retain: bool) -> Result<(), Unsent> {
        topic::check_topic(name).map_err(Unsent::Refused)?;
        if let Some(most) = self.limits.qos.filter(|most| u8::from(qos) > *most) {
            return Err(Unsent::Refused(format!("The broker takes QoS {most} at most.")));
        }
        if retain && !self.limits.retain {
            return Err(Unsent::Refused("The broker keeps no retained messages.".into()));
        }
        Ok(())
    }

    pub(super) fn ping(&mut self) {
        self.buffer.put_slice(&[0xc0, 0]);
        self.put += 2;
    }

    /// DISCONNECT; nothing is taken after it.
    pub(super) fn disconnect(&mut self) {
        if !self.leaving {
            self.buffer.put_slice(&[0xe0, 0]);
            self.put += 2;
            self.leaving = true;
        }
    }

    /// Whether so much waits that it is written although there is more to read.
    pub(super) fn due(&self) -> bool {
        self.buffer.len() >= DUE
    }

    /// Bytes ever written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// How many QoS 0 messages, in order, have been written since the last call.
    pub(super) fn messages_written(&mut self) -> usize {
        let count = self.ends.iter().take_while(|end| **end <= self.written).count();
        self.ends.drain(..count);
        count
    }

    /// Whether DISCONNECT is out.
    pub(super) fn left_cleanly(&self) -> bool {
        self.leaving && self.buffer.is_empty() && !self.unflushed
    }

    /// Writes all that waits. Ready as soon as nothing does.
    pub(super) fn poll_write<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin + ?Sized,
    {
        while !self.buffer.is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, &self.buffer))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.buffer.advance(count);
            self.written += count as u64;
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut *stream).poll_flush(cx))?;
            self.unflushed = false;
            if self.buffer.capacity() > LARGE {
                self.buffer = BytesMut::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A Variable Byte Integer (MQTT 5.0 section 1.5.5); four bytes hold every length that a packet may have.
fn variable(mut value: usize, room: &mut [u8; 4]) -> &[u8] {
    let mut taken = 0;
    for slot in room.iter_mut() {
        taken += 1;
        *slot = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            break;
        }
        *slot |= 0x80;
    }
    &room[..taken]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(v5: bool, limits: Limits) -> Outgoing {
        Outgoing::new(v5, limits, 0, &[])
    }

    #[test]
    fn a_message_is_written_as_the_specification_says() {
        let mut out = outgoing(false, Limits::unknown());
        assert_eq!(out.publish("a/b", b"hi", Qos::AtLeastOnce, true, &[]), Ok(1));
        assert_eq!(&out.buffer[..], b"\x33\x09\x00\x03a/b\x00\x01hi");
        let mut out = outgoing(true, Limits::unknown());
        assert_eq!(out.publish("a", b"x", Qos::AtMostOnce, false, &[]), Ok(0));
        assert_eq!(&out.buffer[..], b"\x30\x05\x00\x01a\x00x");
        let before = out.buffer.len();
        out.publish("a", &[0; 200], Qos::AtMostOnce, false, &[]).unwrap();
        assert_eq!(out.buffer[before..before + 3], [0x30, 0xcc, 0x01]);
        assert_eq!(out.put, out.buffer.len() as u64);
    }

    #[test]
    fn what_the_broker_would_refuse_is_refused_here_in_words() {
        let limits = Limits { qos: Some(1), packet_bytes: Some(20), retain: false, ..Limits::unknown() };
        let mut out = outgoing(true, limits);
        for (name, payload, qos, retain, words) in [
            ("a", &[0; 30][..], Qos::AtMostOnce, false, "at most 20 bytes"),
            ("a", &[], Qos::ExactlyOnce, false, "QoS 1 at most"),
            ("a", &[], Qos::AtMostOnce, true, "no retained messages"),
            ("a/+", &[], Qos::AtMostOnce, false, "wildcard"),
        ] {
            let Err(Unsent::Refused(told)) = out.publish(name, payload, qos, retain, &[]) else {
                panic!("{words}: taken")
            };
            assert!(told.contains(words), "{told}");
        }
        assert!(out.buffer.is_empty() && out.stages.is_empty());
        // 20 bytes exactly.
        assert_eq!(out.publish("a", &[0; 12], Qos::AtLeastOnce, false, &[]), Ok(1));
    }

    #[test]
    fn the_window_is_kept_and_opens_again() {
        let mut out = outgoing(true, Limits { receive_maximum: Some(2), ..Limits::unknown() });
        assert_eq!(out.publish("a", b"", Qos::AtLeastOnce, false, &[]), Ok(1));
        assert_eq!(out.publish("a", b"", Qos::ExactlyOnce, false, &[]), Ok(2));
        assert_eq!(out.publish("a", b"", Qos::AtLeastOnce, false, &[]), Err(Unsent::Full));
        assert_eq!(out.publish("a", b"", Qos::AtMostOnce, false, &[]), Ok(0), "QoS 0 needs no window");
        assert!(!out.received(2, false) && !out.settled(77));
        assert_eq!(out.publish("a", b"", Qos::AtLeastOnce, false, &[]), Err(Unsent::Full));
        assert!(out.settled(2));
        assert_eq!(out.publish("a", b"", Qos::AtLeastOnce, false, &[]), Ok(3));
    }

    #[test]
    fn identifiers_in_use_are_passed_over() {
        let mut out = Outgoing::new(false, Limits::unknown(), u16::MAX - 1, &[1]);
        assert_eq!(&out.buffer[..], [0x62, 2, 0, 1], "what an earlier connection left is released");
        assert_eq!(out.publish("a", b"", Qos::AtLeastOnce, false, &[]), Ok(u16::MAX));
        assert_eq!(out.publish("a", b"", Qos::ExactlyOnce, false, &[]), Ok(2));
        assert!(!out.settled(1), "nobody waits for it");
        let (last, mut open) = out.left();
        open.sort_unstable();
        assert_eq!((last, open), (2, vec![2]));
    }
}
