//! Faults that people press for the clients of a front: which are active, for whom, and what they make of bytes.
//!
//! They live in memory only: none is active after a restart. Without any, a connection looks at one number when bytes
//! come. Knows nothing of sockets; `held` keeps what is to come later.

use super::events::Moment;
use super::framing::Walker;
use super::table::{Connections, Live};
use super::{Goodbye, Way};
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use bytes::{Bytes, BytesMut};
use relayscope_domain::fault::Fault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Faults that are active at the same time.
const ACTIVE: usize = 64;

/// A fault that waits for its packet, or lasts.
#[derive(Clone, Debug)]
pub struct ActiveFault {
    /// Its number, to lift it.
    pub number: u64,
    /// Client id; `None` is every client.
    pub client: Option<String>,
    /// What is done.
    pub fault: Fault,
    /// When it was pressed.
    pub since: SystemTime,
    /// When it ends by itself.
    pub until: Option<Instant>,
}

/// The faults of a front; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    // Grows with every change; 0 until the first fault.
    version: AtomicU64,
    active: Mutex<Vec<ActiveFault>>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<ActiveFault>> {
        let mut active = self.0.active.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        active.retain(|fault| fault.until.is_none_or(|until| until > now));
        active
    }

    fn changed(&self) -> u64 {
        self.0.version.fetch_add(1, Ordering::Release) + 1
    }

    /// Presses one; what is to be cut is cut at once. Past a number of active ones the oldest ends.
    pub fn press(&self, fault: Fault, client: Option<String>, connections: &Connections) {
        if fault == Fault::Cut {
            for info in connections.list() {
                if client.as_ref().is_none_or(|client| *client == info.client_id) {
                    connections.cut(info.id, Goodbye::severed("fault: the connection was cut"));
                }
            }
            return;
        }
        let until = match fault {
            Fault::Stall(seconds) => Some(Instant::now() + Duration::from_secs(seconds.into())),
            _ => None,
        };
        let mut active = self.lock();
        // A second delay for the same client takes the place of the first.
        let same = |other: &ActiveFault| {
            std::mem::discriminant(&other.fault) == std::mem::discriminant(&fault) && other.client == client
        };
        active.retain(|other| matches!(fault, Fault::Refuse(_) | Fault::DropPubAck) || !same(other));
        if active.len() == ACTIVE {
            active.remove(0);
        }
        active.push(ActiveFault { number: self.changed(), client, fault, since: SystemTime::now(), until });
    }

    /// Lifts one, or all. Returns what was lifted.
    pub fn lift(&self, number: Option<u64>) -> Vec<ActiveFault> {
        let mut active = self.lock();
        let (lifted, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut *active)
            .into_iter()
            .partition(|fault| number.is_none_or(|wanted| wanted == fault.number));
        *active = stay;
        self.changed();
        lifted
    }

    /// All that are active, in the order they were pressed.
    pub fn list(&self) -> Vec<ActiveFault> {
        self.lock().clone()
    }

    /// Takes one out that waits for its packet.
    fn claim(&self, client: &str, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut active = self.lock();
        let at = active.iter().position(|active| wanted(active.fault) && is_for(active, client))?;
        let fault = active.remove(at).fault;
        self.changed();
        Some(fault)
    }

    /// Whether this CONNECT is to be refused, and with what.
    pub(super) fn refusal(&self, first: &[u8]) -> Option<Goodbye> {
        if self.0.version.load(Ordering::Acquire) == 0 {
            return None;
        }
        let client = client_id(first).unwrap_or_default();
        match self.claim(&client, |fault| matches!(fault, Fault::Refuse(_)))? {
            Fault::Refuse(code) => {
                Some(Goodbye::new(code, format!("fault: this CONNECT was refused with 0x{code:02x}")))
            }
            _ => None,
        }
    }
}

fn is_for(fault: &ActiveFault, client: &str) -> bool {
    fault.client.as_deref().is_none_or(|wanted| wanted == client)
}

/// The client id of a CONNECT (MQTT 5.0 section 3.1).
pub(super) fn client_id(packet: &[u8]) -> Option<String> {
    let header = super::framing::Header::read(packet).ok()??;
    let body = packet.get(header.size..)?;
    let text = |at: usize| -> Option<(usize, &[u8])> {
        let length = usize::from(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
        Some((at + 2 + length, body.get(at + 2..at + 2 + length)?))
    };
    let (level_at, _) = text(0)?;
    // Level, flags and keep-alive.
    let mut at = level_at + 4;
    if *body.get(level_at)? & 0x7f == 5 {
        let mut length = 0;
        for (step, byte) in body.get(at..)?.iter().take(4).enumerate() {
            length |= usize::from(byte & 127) << (7 * step);
            if byte & 128 == 0 {
                at += step + 1;
                break;
            }
        }
        at += length;
    }
    text(at).map(|(_, id)| String::from_utf8_lossy(id).into_owned())
}

/// What the active faults together do to the bytes of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) delay: Duration,
    pub(super) stalled_until: Option<Instant>,
    /// Bytes a second.
    pub(super) rate: Option<u32>,
    pub(super) drops: bool,
}

impl Effect {
    /// Whether bytes do not go on at once.
    pub(super) fn holds(&self) -> bool {
        !self.delay.is_zero() || self.stalled_until.is_some() || self.rate.is_some()
    }
}

/// How one connection looks at the faults of its front.
pub(super) struct Eye {
    faults: Faults,
    feed: Feed,
    source: Arc<str>,
    client: String,
    seen: u64,
    effect: Effect,
    // Bytes of a dropped packet that are still to come.
    skip: usize,
}

impl Eye {
    pub(super) fn new(faults: Faults, feed: Feed, source: Arc<str>, first: &[u8]) -> Box<Self> {
        let client = client_id(first).unwrap_or_default();
        Box::new(Self { faults, feed, source, client, seen: 0, effect: Effect::default(), skip: 0 })
    }

    /// What holds now.
    pub(super) fn look(&mut self, live: &Live) -> Effect {
        let version = self.faults.0.version.load(Ordering::Acquire);
        if version != self.seen {
            self.read(version, live);
        }
        if self.effect.stalled_until.is_some_and(|until| until <= Instant::now()) {
            self.effect.stalled_until = None;
        }
        self.effect
    }

    fn read(&mut self, version: u64, live: &Live) {
        if self.client.is_empty() {
            // The broker may have chosen one.
            self.client = live.known().client_id.clone();
        }
        let mut effect = Effect::default();
        for active in self.faults.lock().iter().filter(|active| is_for(active, &self.client)) {
            match active.fault {
                Fault::Delay(milliseconds) => {
                    effect.delay = effect.delay.max(Duration::from_millis(milliseconds.into()));
                }
                Fault::Stall(_) => effect.stalled_until = effect.stalled_until.max(active.until),
                Fault::Bandwidth(rate) => effect.rate = Some(effect.rate.map_or(rate, |other| other.min(rate))),
                Fault::DropPubAck => effect.drops = true,
                Fault::Refuse(_) | Fault::Cut => {}
            }
        }
        self.effect = effect;
        // Without a name it is looked at again with the next bytes.
        self.seen = if self.client.is_empty() { 0 } else { version };
    }

    /// What is left of bytes from the broker when its next PUBACK is to be dropped.
    pub(super) fn thin(&mut self, live: &Live, way: Way, walker: &Walker, at: Moment, chunk: Bytes) -> Bytes {
        if way == Way::FromClient || (self.skip == 0 && !self.look(live).drops) {
            return chunk;
        }
        let skipped = self.skip.min(chunk.len());
        self.skip -= skipped;
        let chunk = chunk.slice(skipped..);
        if self.skip > 0 || !self.effect.drops {
            return chunk;
        }
        let mut probe = walker.clone();
        let mut length = 0;
        let walked = probe.walk(&chunk, |header| {
            length = header.packet();
            header.kind() != 4
        });
        // One whose header came in two parts is on its way already; the next one is dropped.
        let Some(begin) = walked.stopped.filter(|_| !probe.is_lost()) else { return chunk };
        if self.faults.claim(&self.client, |fault| fault == Fault::DropPubAck).is_none() {
            return chunk;
        }
        let end = (begin + length).min(chunk.len());
        self.skip = begin + length - end;
        let body = begin + 2;
        let id = chunk.get(body..body + 2).map_or(0, |id| u16::from_be_bytes([id[0], id[1]]));
        self.tell(live, at, format!("fault: the PUBACK of packet {id} was dropped"));
        let mut rest = BytesMut::with_capacity(chunk.len());
        rest.extend_from_slice(&chunk[..begin]);
        rest.extend_from_slice(&chunk[end..]);
        rest.freeze()
    }

    fn tell(&self, live: &Live, at: Moment, text: String) {
        let client: Arc<str> =
            if self.client.is_empty() { live.peer.to_string().into() } else { self.client.as_str().into() };
        self.feed.record(Event::seen(&self.source, &client, live.id, at, Kind::Note { failure: false, text }));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn eye(faults: &Faults, client: &str) -> Box<Eye> {
        let mut eye = Eye::new(faults.clone(), Feed::new(1 << 20), "tap".into(), &[]);
        eye.client = client.into();
        eye
    }

    fn live() -> Live {
        Live::new("127.0.0.1:9".parse().unwrap(), "TCP".into())
    }

    #[test]
    fn the_client_id_of_every_version_is_found() {
        let v4 = b"\x10\x10\0\x04MQTT\x04\x02\0\x1e\0\x04pump";
        let v5 = b"\x10\x16\0\x04MQTT\x05\x02\0\x1e\x05\x11\0\0\0\x05\0\x04pump";
        assert_eq!(client_id(v4).as_deref(), Some("pump"));
        assert_eq!(client_id(v5).as_deref(), Some("pump"));
        assert_eq!(client_id(&v5[..15]), None);
    }

    #[test]
    fn effects_are_those_of_the_client_and_end() {
        let (faults, connections) = (Faults::default(), Connections::default());
        let (mut pump, mut fan, live) = (eye(&faults, "pump"), eye(&faults, "fan"), live());
        assert_eq!(pump.look(&live), Effect::default());
        faults.press(Fault::Delay(200), Some("pump".into()), &connections);
        faults.press(Fault::Bandwidth(1_000), None, &connections);
        assert_eq!((pump.look(&live).delay, pump.look(&live).rate), (Duration::from_millis(200), Some(1_000)));
        assert_eq!((fan.look(&live).delay, fan.look(&live).rate), (Duration::ZERO, Some(1_000)));
        faults.press(Fault::Delay(100), Some("pump".into()), &connections);
        assert_eq!(faults.list().len(), 2, "the second delay takes the place of the first");
        let number = faults.list()[0].number;
        assert_eq!(faults.lift(Some(number)).len(), 1);
        assert_eq!(fan.look(&live), Effect::default());
        faults.lift(None);
        assert!(faults.list().is_empty() && !pump.look(&live).holds());
    }

    #[test]
    fn the_next_puback_is_dropped_and_no_other_byte() {
        let (faults, connections) = (Faults::default(), Connections::default());
        let (mut eye, live) = (eye(&faults, "pump"), live());
        let at = (SystemTime::now(), Instant::now());
        let bytes = Bytes::from_static(b"\xd0\0\x40\x02\0\x07\x40\x02\0\x08");
        faults.press(Fault::DropPubAck, Some("pump".into()), &connections);
        assert_eq!(eye.thin(&live, Way::FromClient, &Walker::default(), at, bytes.clone()), bytes);
        let rest = eye.thin(&live, Way::ToClient, &Walker::default(), at, bytes.clone());
        assert_eq!(&rest[..], b"\xd0\0\x40\x02\0\x08");
        assert_eq!(eye.thin(&live, Way::ToClient, &Walker::default(), at, bytes.clone()), bytes, "only one");
        // One that comes in two parts.
        faults.press(Fault::DropPubAck, None, &connections);
        let walker = Walker::default();
        assert!(eye.thin(&live, Way::ToClient, &walker, at, bytes.slice(2..4)).is_empty());
        assert_eq!(&eye.thin(&live, Way::ToClient, &walker, at, bytes.slice(4..))[..], b"\x40\x02\0\x08");
    }

    #[test]
    fn the_next_connect_is_refused_once() {
        let (faults, connections) = (Faults::default(), Connections::default());
        let connect = b"\x10\x10\0\x04MQTT\x04\x02\0\x1e\0\x04pump";
        assert!(faults.refusal(connect).is_none());
        faults.press(Fault::Refuse(0x88), Some("fan".into()), &connections);
        assert!(faults.refusal(connect).is_none());
        faults.press(Fault::Refuse(0x87), Some("pump".into()), &connections);
        assert_eq!(faults.refusal(connect).unwrap().code, 0x87);
        assert!(faults.refusal(connect).is_none());
    }
}
