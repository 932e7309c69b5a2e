//! Events as the MQTT packets they tell of, in streams: one for each connection, made up where an event knows none.
//!
//! Events are shown twice: [`Streams::learn`] finds out what is spoken on each stream, where its client is, and what
//! can't be written; [`Streams::packets`] gives the packets. What nobody saw and a reader of packets needs (a CONNECT, a
//! packet identifier) is made, and marked so. Knows nothing of files.

use crate::feed::event::{Ack, ConnectionId, Direction, Event, Kind};
use crate::mqtt::properties;
use crate::mqtt::wire::{self, Connect, Level, Publish, Will};
use bytes::Bytes;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// A packet on its way.
pub(super) struct Packet {
    /// Whether the client sends it.
    pub(super) to_broker: bool,
    pub(super) bytes: Bytes,
    /// What of it is made, in words.
    pub(super) made: Option<&'static str>,
}

/// What happens to a stream.
pub(super) enum Step {
    /// The TCP connection begins, from this address when it is known.
    Begin(Option<SocketAddr>),
    Packet(Packet),
    /// The TCP connection ends.
    End,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Socket(ConnectionId),
    Name(Arc<str>, Arc<str>),
}

#[derive(Default)]
struct Stream {
    level: Level,
    peer: Option<SocketAddr>,
    /// Its number while it is open.
    open: Option<usize>,
    greeted: bool,
    answered: bool,
    last_id: u16,
}

/// What can't be written as a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Events that are no packets.
    pub(super) others: u64,
    /// Packets of which only the beginning was kept, or not even their topic.
    pub(super) cut: u64,
}

/// All streams.
#[derive(Default)]
pub(super) struct Streams {
    known: HashMap<Key, Stream>,
    begun: usize,
    pub(super) left_out: LeftOut,
}

fn key(event: &Event) -> Key {
    match event.connection {
        Some(connection) => Key::Socket(connection),
        None => Key::Name(event.source.clone(), event.client.clone()),
    }
}

fn level(version: Option<MqttVersion>) -> Level {
    match version {
        None => Level::V31,
        Some(MqttVersion::V5) => Level::V5,
        Some(MqttVersion::V311 | MqttVersion::Auto) => Level::V311,
    }
}

/// Whether the client of the stream is us: what comes in is what a broker sent.
fn is_ours(event: &Event) -> bool {
    event.connection.is_none() && matches!(event.origin, SourceKind::Session | SourceKind::Relay)
}

fn to_broker(event: &Event, direction: Direction) -> bool {
    match direction {
        Direction::In => !is_ours(event),
        Direction::Out => true,
        Direction::ToClient => false,
    }
}

/// What an event is in packets.
enum Seen {
    Packet,
    /// Of which only a part is known.
    Cut,
    /// The beginning or the end of a connection.
    Socket,
    Other,
}

fn seen(kind: &Kind) -> Seen {
    match kind {
        Kind::Publish { cut_from: Some(_), .. } => Seen::Cut,
        Kind::Publish { topic, .. } if topic.is_empty() => Seen::Cut,
        Kind::Malformed { bytes, size, .. } if bytes.len() < *size => Seen::Cut,
        Kind::Connect { .. }
        | Kind::Connected { .. }
        | Kind::Refused { code: Some(_), .. }
        | Kind::Subscribed { .. }
        | Kind::Unsubscribed { .. }
        | Kind::Publish { .. }
        | Kind::Acknowledged { .. }
        | Kind::Ping { .. }
        | Kind::Malformed { .. }
        | Kind::Disconnected { .. } => Seen::Packet,
        Kind::Accepted { .. } | Kind::Closed { .. } => Seen::Socket,
        Kind::Secured { .. }
        | Kind::Refused { code: None, .. }
        | Kind::OverLimit { .. }
        | Kind::Queued { .. }
        | Kind::Delivered { .. }
        | Kind::DryRun { .. }
        | Kind::Retry { .. }
        | Kind::DeadLetter { .. }
        | Kind::Dropped { .. }
        | Kind::Note { .. } => Seen::Other,
    }
}

impl Streams {
    /// Looks at an event the first time.
    pub(super) fn learn(&mut self, event: &Event) {
        match seen(&event.kind) {
            Seen::Other => return self.left_out.others += 1,
            Seen::Cut => return self.left_out.cut += 1,
            Seen::Packet | Seen::Socket => {}
        }
        let stream = self.known.entry(key(event)).or_default();
        if let Kind::Accepted { .. } = event.kind {
            // Before its CONNECT a client is called by its address.
            stream.peer = event.client.parse().ok();
        }
        match &event.kind {
            Kind::Connect { version, .. } | Kind::Connected { version, .. } => stream.level = level(*version),
            Kind::Publish { properties, .. } if !properties.is_empty() => stream.level = Level::V5,
            _ => {}
        }
    }

    /// How many connections were begun.
    pub(super) fn count(&self) -> usize {
        self.begun
    }

    /// What an event does to its stream, step by step, with the stream's number.
    pub(super) fn packets(&mut self, event: &Event, mut step: impl FnMut(usize, Step)) {
        let kind = seen(&event.kind);
        if !matches!(kind, Seen::Packet | Seen::Socket) {
            return;
        }
        let key = key(event);
        let Some(stream) = self.known.get_mut(&key) else { return };
        let closes = matches!(event.kind, Kind::Closed { .. });
        let number = match stream.open {
            Some(number) => number,
            // The end of something of which nothing is shown.
            None if closes || matches!(event.kind, Kind::Disconnected { clean: false, .. }) => return,
            None => {
                let number = self.begun;
                self.begun += 1;
                stream.open = Some(number);
                (stream.greeted, stream.answered) = (false, false);
                step(number, Step::Begin(stream.peer));
                number
            }
        };
        let mut out = vec![];
        stream.told(event, &mut out);
        for packet in out {
            step(number, Step::Packet(packet));
        }
        let ends = matches!(event.kind, Kind::Disconnected { .. } | Kind::Refused { .. });
        let ours_ended = event.connection.is_none() && ends;
        if closes || ours_ended {
            step(number, Step::End);
            stream.open = None;
        }
    }
}

fn of_client(bytes: Bytes) -> Packet {
    Packet { to_broker: true, bytes, made: None }
}

fn of_broker(bytes: Bytes) -> Packet {
    Packet { to_broker: false, bytes, made: None }
}

impl Stream {
    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    /// A reader needs a CONNECT to know which MQTT is spoken, and by whom.
    fn greet(&mut self, event: &Event, answer: bool, out: &mut Vec<Packet>) {
        if !std::mem::replace(&mut self.greeted, true) {
            let connect = Connect { client_id: &event.client, clean_start: true, ..Connect::default() };
            let made = Some("This CONNECT was not seen: it is made, so that the version and the client id are known.");
            out.push(Packet { made, ..of_client(wire::connect(self.level, &connect)) });
        }
        if answer && !std::mem::replace(&mut self.answered, true) {
            let made = Some("This CONNACK was not seen: it is made.");
            out.push(Packet { made, ..of_broker(wire::connack(self.level, false, 0)) });
        }
    }

    fn told(&mut self, event: &Event, out: &mut Vec<Packet>) {
        match &event.kind {
            Kind::Connect { facts, will, .. } => {
                self.greeted = true;
                out.push(connect(self.level, event, facts, will.as_deref()));
            }
            Kind::Connected { session_present, .. } => {
                self.greet(event, false, out);
                self.answered = true;
                out.push(of_broker(wire::connack(self.level, *session_present, 0)));
            }
            Kind::Refused { code: Some(code), .. } => {
                self.greet(event, false, out);
                self.answered = true;
                out.push(of_broker(wire::connack(self.level, false, *code)));
            }
            Kind::Malformed { direction, bytes, .. } => {
                out.push(Packet { to_broker: to_broker(event, *direction), bytes: bytes.clone(), made: None });
            }
            Kind::Accepted { .. } | Kind::Closed { .. } | Kind::Disconnected { clean: false, .. } => {}
            Kind::Disconnected { .. } => out.push(of_client(wire::disconnect())),
            other => {
                self.greet(event, true, out);
                self.session(event, other, out);
            }
        }
    }

    /// What comes between CONNACK and DISCONNECT.
    fn session(&mut self, event: &Event, kind: &Kind, out: &mut Vec<Packet>) {
        const MADE_ID: &str = "The packet identifier is made.";
        let level = self.level;
        match kind {
            Kind::Publish { direction, topic, payload, qos, retain, dup, packet_id, properties, .. } => {
                let made = (*qos != Qos::AtMostOnce && packet_id.is_none()).then_some(MADE_ID);
                let packet_id = packet_id.unwrap_or_else(|| if made.is_some() { self.next_id() } else { 0 });
                let properties = properties::encode(properties);
                let (qos, retain, dup) = (*qos, *retain, *dup);
                let bytes = wire::publish(level, &Publish { topic, payload, qos, retain, dup, packet_id, properties });
                out.push(Packet { to_broker: to_broker(event, *direction), bytes, made });
            }
            Kind::Acknowledged { direction, ack, packet_id, code, .. } => {
                let number = match ack {
                    Ack::PubAck => 4,
                    Ack::PubRec => 5,
                    Ack::PubRel => 6,
                    Ack::PubComp => 7,
                };
                let bytes = wire::acknowledgement(level, number, *packet_id, *code);
                out.push(Packet { to_broker: to_broker(event, *direction), bytes, made: None });
            }
            Kind::Subscribed { filter, requested, granted } => {
                let id = self.next_id();
                let code = granted.as_ref().map_or(0x80, |granted| u8::from(*granted));
                let made = Some(MADE_ID);
                out.push(Packet { made, ..of_client(wire::subscribe(level, id, filter, *requested)) });
                out.push(Packet { made, ..of_broker(wire::suback(level, id, code)) });
            }
            Kind::Unsubscribed { filter } => {
                let id = self.next_id();
                let made = Some(MADE_ID);
                out.push(Packet { made, ..of_client(wire::unsubscribe(level, id, filter)) });
                out.push(Packet { made, ..of_broker(wire::unsuback(level, id)) });
            }
            Kind::Ping { answer, .. } => {
                let bytes = wire::ping(*answer);
                out.push(Packet { to_broker: !answer, bytes, made: None });
            }
            _ => {}
        }
    }
}

/// A CONNECT from what its event says in words.
fn connect(level: Level, event: &Event, facts: &[(String, String)], will: Option<&[u8]>) -> Packet {
    let fact = |name: &str| facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let number = |value: Option<&str>| value.and_then(|value| value.split(' ').next()?.parse::<u16>().ok());
    let will = will.zip(fact("will topic")).map(|(payload, topic)| Will {
        topic,
        payload,
        qos: number(fact("will QoS")).and_then(|qos| Qos::try_from(qos as u8).ok()).unwrap_or_default(),
        retain: fact("will retained") == Some("yes"),
    });
    let told = Connect {
        client_id: fact("client id").unwrap_or(&event.client),
        username: fact("user name"),
        clean_start: fact("clean start") == Some("yes"),
        keep_alive: number(fact("keep-alive")).unwrap_or_default(),
        will,
    };
    let made = fact("password ending").map(|_| "The password is left out.");
    Packet { made, ..of_client(wire::connect(level, &told)) }
}
