//! Packets to events of one connection, from its first moment to its last.
//!
//! What it remembers of a client is bounded: questions that wait for their answer up to a number, beyond which answers are
//! shown without their question. Knows nothing of sockets.

use super::Way;
use super::goodbye::Goodbye;
use super::limits::{Excess, Meter};
use super::packet::{Ack, ConnAck, Connect, Fact, Packet, Publish};
use super::parser::{Seen, Unreadable};
use super::table::{Live, version};
use super::words;
use crate::feed::Feed;
use crate::feed::event::{Ack as AckKind, Direction, Event, Facts, Kind};
use crate::mqtt::words as codes;
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Unacknowledged PUBLISHes that are remembered in each direction.
const INFLIGHT: usize = 4_096;
/// SUBSCRIBEs and UNSUBSCRIBEs that are remembered.
const QUESTIONS: usize = 64;

/// When bytes were read.
pub(super) type Moment = (SystemTime, Instant);

/// What a client asked for with its CONNECT.
struct Greeting {
    version: Option<MqttVersion>,
    last5: String,
    will: bool,
    who: String,
    rest: String,
}

/// Packets that were forwarded and not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Missed {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) at: Moment,
    /// How the socket ended, in words.
    pub(super) cause: String,
    /// Why, when somebody decided it.
    pub(super) goodbye: Option<Goodbye>,
    /// The limit that was passed.
    pub(super) excess: Option<Excess>,
    pub(super) missed: Missed,
}

/// Tells the life of one connection.
pub(super) struct Story {
    feed: Feed,
    source: Arc<str>,
    client: Arc<str>,
    live: Arc<Live>,
    meter: Arc<Meter>,
    pings: bool,
    greeting: Option<Greeting>,
    answered: bool,
    ended: bool,
    asked: Option<Instant>,
    subscribing: HashMap<u16, Vec<(Arc<str>, Qos)>>,
    unsubscribing: HashMap<u16, Vec<Arc<str>>>,
    inflight: [HashMap<u16, (Instant, Arc<str>)>; 2],
    // The same topic mostly comes again.
    topic: Arc<str>,
}

/// Who is told as the sender.
fn direction(way: Way) -> Direction {
    match way {
        Way::FromClient => Direction::In,
        Way::ToClient => Direction::ToClient,
    }
}

impl Story {
    pub(super) fn new(feed: Feed, source: Arc<str>, live: Arc<Live>, meter: Arc<Meter>, pings: bool) -> Self {
        Self {
            feed,
            source,
            client: Arc::from(live.peer.to_string()),
            live,
            meter,
            pings,
            greeting: None,
            answered: false,
            ended: false,
            asked: None,
            subscribing: HashMap::new(),
            unsubscribing: HashMap::new(),
            inflight: Default::default(),
            topic: Arc::from(""),
        }
    }

    /// Something that happened besides packets.
    pub(super) fn tell(&self, at: Moment, kind: Kind) {
        self.feed.record(Event::seen(&self.source, &self.client, self.live.id, at, kind));
    }

    /// A packet passed.
    pub(super) fn packet(&mut self, way: Way, at: Moment, seen: Seen) {
        let Seen { size, missing, packet } = seen;
        match packet {
            Ok(Packet::Connect(connect)) => self.connect(at, *connect),
            Ok(Packet::ConnAck(ack)) => self.connack(at, *ack),
            Ok(Packet::Publish(publish)) => self.publish(way, at, *publish, missing),
            Ok(Packet::Ack(ack)) => self.acknowledged(way, at, ack),
            Ok(Packet::Subscribe(id, filters)) => {
                if self.subscribing.len() < QUESTIONS {
                    let filters = filters.into_iter().map(|(filter, qos)| (Arc::from(filter), qos));
                    self.subscribing.insert(id, filters.collect());
                }
            }
            Ok(Packet::SubAck(id, answers)) => self.suback(at, id, &answers),
            Ok(Packet::Unsubscribe(id, filters)) => {
                if self.unsubscribing.len() < QUESTIONS {
                    self.unsubscribing.insert(id, filters.into_iter().map(Arc::from).collect());
                }
            }
            Ok(Packet::UnsubAck(id, answers)) => self.unsuback(at, id, &answers),
            Ok(Packet::PingRequest) => {
                self.asked = Some(at.1);
                self.ping(at, false, None);
            }
            Ok(Packet::PingResponse) => {
                let took = self.asked.take().map(|asked| at.1.saturating_duration_since(asked));
                self.ping(at, true, took);
            }
            Ok(Packet::Disconnect(code, facts)) => self.disconnect(way, at, code, &facts),
            Ok(Packet::Auth(code, facts)) => {
                let text = format!("AUTH from {}: {}", words::sender(way), with_facts(codes::reason(code), &facts));
                self.tell(at, Kind::Note { failure: false, text });
            }
            Err(Unreadable { reason, bytes }) => {
                self.tell(at, Kind::Malformed { direction: direction(way), bytes, size, reason });
            }
        }
    }

    /// Some packets were forwarded and not looked at.
    pub(super) fn missed(&self, at: Moment, Missed { packets, bytes }: Missed) {
        let text = format!(
            "{packets} packets ({bytes} B) were forwarded without being shown: they came faster than they could be read"
        );
        self.tell(at, Kind::Note { failure: true, text });
    }

    /// Tells that a limit was passed, and has the connection cut.
    fn over(&self, at: Moment, excess: Excess) {
        let Excess { what, limit, reached, .. } = excess;
        self.tell(at, Kind::OverLimit { what: what.into(), limit, reached });
        self.live.cut(Goodbye::over(&excess));
    }

    fn connect(&mut self, at: Moment, connect: Connect) {
        if self.greeting.is_some() {
            let text = "a second CONNECT on the same connection (a protocol error)".to_owned();
            return self.tell(at, Kind::Note { failure: true, text });
        }
        if !connect.client_id.is_empty() {
            self.client = Arc::from(connect.client_id.as_str());
        }
        {
            let mut known = self.live.known();
            known.client_id.clone_from(&connect.client_id);
            known.username = connect.username.clone().unwrap_or_default();
            known.keep_alive = connect.keep_alive;
            known.will = connect.will.as_ref().map(|will| will.topic.clone());
        }
        let version = version(connect.level);
        let who = words::who(&connect);
        let rest = words::rest(&connect, self.live.peer.ip());
        let detail = Arc::from(format!("{who} · {rest}"));
        let facts = words::connect_facts(&connect);
        let will = connect.will.as_ref().map(|will| will.payload.clone());
        self.tell(at, Kind::Connect { version, facts, detail, will });
        self.greeting = Some(Greeting { version, last5: connect.last5, will: connect.will.is_some(), who, rest });
    }

    fn connack(&mut self, at: Moment, ack: ConnAck) {
        if self.answered {
            return;
        }
        self.answered = true;
        if let Some(id) = ack.assigned.as_deref() {
            self.client = Arc::from(id);
            id.clone_into(&mut self.live.known().client_id);
        }
        if let Some(seconds) = ack.keep_alive {
            self.live.known().keep_alive = seconds;
        }
        let (who, refused) = {
            let mut remarks = self.live.remarks();
            (remarks.who.take(), remarks.refused.take())
        };
        if ack.code != 0 {
            self.ended = true;
            let reason = refused.unwrap_or_else(|| {
                let code = if self.live.level() == 5 { codes::reason(ack.code) } else { codes::connack_v4(ack.code) };
                with_facts(code, &ack.properties)
            });
            return self.tell(at, Kind::Refused { code: Some(ack.code), reason });
        }
        let Some(greeting) = &self.greeting else { return };
        let who = who.as_deref().unwrap_or(&greeting.who);
        let mut facts = ack.properties;
        facts.extend(ack.assigned.map(|id| ("assigned client id".to_owned(), id)));
        let kind = Kind::Connected {
            version: greeting.version,
            session_present: ack.session_present,
            will: greeting.will,
            token_last5: greeting.last5.clone(),
            detail: format!("{who} · {}", greeting.rest),
            facts: Facts::from(facts),
        };
        self.tell(at, kind);
    }

    fn publish(&mut self, way: Way, at: Moment, publish: Publish, missing: usize) {
        if *self.topic != *publish.topic {
            self.topic = Arc::from(publish.topic.as_str());
        }
        let inflight = &mut self.inflight[way as usize];
        if let Some(id) = publish.packet_id
            && inflight.len() < INFLIGHT
        {
            inflight.insert(id, (at.1, self.topic.clone()));
        }
        let cut_from = (missing > 0).then(|| publish.payload.len() + missing);
        let kind = Kind::Publish {
            direction: direction(way),
            topic: self.topic.clone(),
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id,
            properties: publish.properties,
            will: false,
            cut_from,
        };
        self.tell(at, kind);
    }

    fn acknowledged(&mut self, way: Way, at: Moment, ack: Ack) {
        // PUBREL comes from whoever published, the others from whoever received.
        let publisher = if ack.kind == AckKind::PubRel { way } else { way.back() };
        let inflight = &mut self.inflight[publisher as usize];
        let last = matches!(ack.kind, AckKind::PubAck | AckKind::PubComp) || ack.code >= 0x80;
        let found = if last { inflight.remove(&ack.packet_id) } else { inflight.get(&ack.packet_id).cloned() };
        let (took, topic) = match found {
            Some((sent, topic)) => (Some(at.1.saturating_duration_since(sent)), topic),
            None => (None, Arc::from("")),
        };
        let reason = with_facts(words::acknowledged(ack.kind, ack.code), &ack.properties);
        let (code, packet_id) = (ack.code, ack.packet_id);
        let kind =
            Kind::Acknowledged { direction: direction(way), ack: ack.kind, packet_id, topic, code, reason, took };
        self.tell(at, kind);
    }

    fn suback(&mut self, at: Moment, id: u16, answers: &[u8]) {
        let v5 = self.live.level() == 5;
        for ((filter, requested), code) in self.subscribing.remove(&id).unwrap_or_default().into_iter().zip(answers) {
            let remark = self.live.remarks().filters.remove(&*filter);
            let granted = match Qos::try_from(*code) {
                Ok(qos) => {
                    self.live.known().subscriptions.insert(filter.to_string(), *code);
                    Ok(qos)
                }
                Err(_) => {
                    Err(remark.unwrap_or_else(|| if v5 { codes::suback_v5(*code) } else { codes::suback_v4(*code) }))
                }
            };
            self.tell(at, Kind::Subscribed { filter, requested, granted });
        }
        let count = self.live.known().subscriptions.len();
        if let Err(excess) = self.meter.subscriptions(count)
            && !self.live.is_exempt()
        {
            self.over(at, excess);
        }
    }

    fn unsuback(&mut self, at: Moment, id: u16, answers: &[u8]) {
        for (number, filter) in self.unsubscribing.remove(&id).unwrap_or_default().into_iter().enumerate() {
            match answers.get(number) {
                Some(code) if *code >= 0x80 => {
                    let text = format!("{filter} was not unsubscribed: {}", codes::reason(*code));
                    self.tell(at, Kind::Note { failure: true, text });
                }
                _ => {
                    self.live.known().subscriptions.remove(&*filter);
                    self.tell(at, Kind::Unsubscribed { filter });
                }
            }
        }
    }

    fn ping(&self, at: Moment, answer: bool, took: Option<std::time::Duration>) {
        if self.pings {
            self.tell(at, Kind::Ping { answer, took });
        }
    }

    fn disconnect(&mut self, way: Way, at: Moment, code: u8, facts: &[Fact]) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let by = words::sender(way);
        let (reason, clean) = match (way, code) {
            (Way::FromClient, 0) => (format!("{by} sent DISCONNECT"), true),
            _ => (with_facts(format!("{by} sent DISCONNECT with reason {}", codes::reason(code)), facts), false),
        };
        self.tell(at, Kind::Disconnected { code: Some(code).filter(|_| self.live.level() == 5), reason, clean });
    }

    /// The socket is closed.
    pub(super) fn finish(&mut self, ending: Ending) {
        let Ending { at, cause, goodbye, excess, missed } = ending;
        if missed.packets > 0 {
            self.missed(at, missed);
        }
        if let Some(Excess { what, limit, reached, .. }) = excess {
            self.tell(at, Kind::OverLimit { what: what.into(), limit, reached });
        }
        for (filter, requested) in std::mem::take(&mut self.subscribing).into_values().flatten() {
            let granted = Err("not answered".to_owned());
            self.tell(at, Kind::Subscribed { filter, requested, granted });
        }
        let code = goodbye.as_ref().map(|goodbye| goodbye.code).filter(|code| *code != 0);
        let reason = goodbye.map_or_else(|| cause.clone(), |goodbye| goodbye.words.into_owned());
        match (&self.greeting, self.answered) {
            _ if self.ended => {}
            (None, _) => {}
            (Some(_), true) => self.tell(at, Kind::Disconnected { code, reason: reason.clone(), clean: false }),
            (Some(_), false) => self.tell(at, Kind::Refused { code: None, reason: reason.clone() }),
        }
        let kind = Kind::Closed {
            cause: if self.greeting.is_some() { cause } else { reason },
            lasted: at.1.saturating_duration_since(self.live.at.1),
            received: self.live.received.both(),
            sent: self.live.sent.both(),
            pings: self.live.pings.load(std::sync::atomic::Ordering::Relaxed),
        };
        self.tell(at, kind);
    }
}

fn with_facts(mut words: String, facts: &[Fact]) -> String {
    for (name, value) in facts {
        let name = if name == "reason" { String::new() } else { format!("{name} ") };
        words.push_str(&format!(": {name}{value}"));
    }
    words
}
