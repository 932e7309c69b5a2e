//! Findings: patterns in what clients do that mostly mean trouble, each with the events that show it.
//!
//! [`Detectors`] are told what a front saw, one event after the other, and keep what they need in bounded memory: past a
//! number of clients, connections or topics the oldest are forgotten. They know nothing of where events come from.

mod clients;
#[cfg(test)]
mod tests;
mod topics;

use clients::{Client, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use topics::Unheard;
use ts_rs::TS;

/// Findings of one source; past it the one that was seen last the longest time ago goes.
const FINDINGS: usize = 200;
/// Events kept as evidence, the newest.
const EVIDENCE: usize = 8;
/// Milliseconds.
const MINUTE: i64 = 60_000;
/// Connections with one client id that pushed each other out, a minute.
const TAKEOVERS: usize = 3;
/// CONNECTs of one client, a minute.
const CONNECTS: usize = 6;
/// Milliseconds without a PUBACK.
const UNACKNOWLEDGED: i64 = 20_000;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// Two clients push each other out.
    ClientIdTwice,
    /// A client connects again and again.
    ReconnectLoop,
    /// A client sends less often than its keep-alive asks for.
    ShortKeepAlive,
    /// A message was sent again.
    Retransmission,
    /// A QoS 1 message was not acknowledged.
    Unacknowledged,
    /// A client asked for everything.
    SubscribesAll,
    /// A topic that no connected client receives.
    NobodyReceives,
}

/// A pattern with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The client's id.
    pub client: String,
    /// Unix milliseconds of the first event.
    pub since: i64,
    /// Of the last.
    pub last: i64,
    /// How often.
    pub count: u64,
    /// What is the case.
    pub sentence: String,
    /// What to do about it.
    pub advice: String,
    /// Numbers of the newest events that show it.
    pub events: Vec<u64>,
}

/// An event of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Unix milliseconds.
    pub at: i64,
    /// Its number.
    pub event: u64,
    /// The connection's number.
    pub connection: u64,
    /// Client id.
    pub client: &'a str,
    /// What happened.
    pub what: What<'a>,
}

/// What happened on a connection.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// CONNECT, with its keep-alive in seconds.
    Connect(u16),
    /// A successful CONNACK.
    Connected,
    /// PUBLISH.
    Publish {
        /// Whether the client sent it.
        from_client: bool,
        /// Topic.
        topic: &'a str,
        /// 0, 1 or 2.
        qos: u8,
        /// Duplicate flag.
        dup: bool,
        /// For QoS 1 and 2.
        packet_id: Option<u16>,
    },
    /// PUBACK.
    Acknowledged {
        /// Whether the client had sent the PUBLISH.
        from_client: bool,
        /// Of which PUBLISH.
        packet_id: u16,
    },
    /// A filter was granted.
    Subscribed(&'a str),
    /// The broker ended it because nothing came within the keep-alive.
    KeepAlivePassed,
    /// The socket was closed.
    Closed,
}

/// The detectors of one source.
#[derive(Debug)]
pub struct Detectors {
    clients: Table,
    unheard: Option<Unheard>,
    found: BTreeMap<(FindingKind, String), Finding>,
}

impl Detectors {
    /// Detectors that saw nothing yet. `sees_all`: every delivery of the broker passes them, so that a topic which nobody
    /// receives can be told.
    pub fn new(sees_all: bool) -> Self {
        Self { clients: Table::default(), unheard: sees_all.then(Unheard::default), found: BTreeMap::new() }
    }

    /// All findings, the newest first.
    pub fn list(&self) -> Vec<Finding> {
        let mut list: Vec<_> = self.found.values().cloned().collect();
        list.sort_by_key(|finding| std::cmp::Reverse(finding.last));
        list
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Looks at an event.
    pub fn see(&mut self, seen: Seen<'_>) {
        match seen.what {
            What::Connect(keep_alive) => self.connect(seen, keep_alive),
            What::Connected => self.clients.of(seen.client).opened(seen.connection),
            What::Publish { from_client, topic, qos, dup, packet_id } => {
                if dup {
                    let client = seen.client;
                    let (sentence, why) = if from_client {
                        (
                            format!("{client} sent a message again (DUP), last on {topic}."),
                            "it got no acknowledgement in time: look at the link, and at the broker's load",
                        )
                    } else {
                        (
                            format!("{client} was sent a message again (DUP), last on {topic}."),
                            "it did not acknowledge in time: look at the link, and at what keeps the client busy",
                        )
                    };
                    self.find(FindingKind::Retransmission, seen, sentence, why, &[]);
                }
                if from_client {
                    self.published(seen, topic);
                } else if let Some(unheard) = &mut self.unheard {
                    unheard.delivered(topic);
                }
                if let (1, Some(id)) = (qos, packet_id) {
                    self.clients.of(seen.client).sent((seen.connection, from_client, id), (seen.at, seen.event));
                }
            }
            What::Acknowledged { from_client, packet_id } => {
                self.clients.of(seen.client).acknowledged((seen.connection, from_client, packet_id));
            }
            What::Subscribed(filter) if matches!(filter, "#" | "+/#") => {
                let sentence = format!("{} subscribes to everything ({filter}).", seen.client);
                let advice = "it gets every message of the broker: narrow the filter unless that is wanted";
                self.find(FindingKind::SubscribesAll, seen, sentence, advice, &[]);
            }
            What::Subscribed(_) => {}
            What::KeepAlivePassed => {
                let keep_alive = self.clients.of(seen.client).keep_alive;
                let sentence =
                    format!("{} was cut: nothing came within its keep-alive of {keep_alive} s.", seen.client);
                let advice = "let it send PINGREQ in time, or ask for a longer keep-alive when it sleeps";
                self.find(FindingKind::ShortKeepAlive, seen, sentence, advice, &[]);
            }
            What::Closed => self.clients.of(seen.client).closed(seen.connection),
        }
    }

    /// Looks at the clock: messages that were not acknowledged in time.
    pub fn tick(&mut self, now: i64) {
        for (client, connection, at, event) in self.clients.overdue(now - UNACKNOWLEDGED) {
            let sentence = format!("A QoS 1 message of {client} is not acknowledged after {} s.", (now - at) / 1_000);
            let advice = "the receiver may be stuck or the PUBACK lost; it is sent again at the next connection";
            let seen = Seen { at, event, connection, client: &client, what: What::Closed };
            self.find(FindingKind::Unacknowledged, seen, sentence, advice, &[]);
        }
    }

    fn connect(&mut self, seen: Seen<'_>, keep_alive: u16) {
        let name = seen.client;
        let client = self.clients.of(name);
        client.begin(keep_alive);
        client.connects.add(seen.at, seen.event);
        // The other one is closed in a moment, before or after the CONNACK.
        let pushes_out = client.is_open();
        if pushes_out {
            client.takeovers.add(seen.at, seen.event);
        }
        let (connects, tries) = client.connects.recent(seen.at);
        let (takeovers, pushes) = client.takeovers.recent(seen.at);
        if pushes_out && takeovers >= TAKEOVERS {
            let sentence = format!("{takeovers} connections with the client id {name} took over within a minute.");
            let advice = "two devices use the same client id and push each other out: give each its own";
            self.found.remove(&(FindingKind::ReconnectLoop, name.to_owned()));
            self.find(FindingKind::ClientIdTwice, seen, sentence, advice, &pushes);
        } else if connects >= CONNECTS && takeovers < TAKEOVERS - 1 {
            let sentence = format!("{name} connected {connects} times within a minute.");
            let advice =
                "look at how its connections end (refused, keep-alive, its own time-out), and let it wait longer";
            self.find(FindingKind::ReconnectLoop, seen, sentence, advice, &tries);
        }
    }

    fn published(&mut self, seen: Seen<'_>, topic: &str) {
        let client: &mut Client = self.clients.of(seen.client);
        if let Some((gap, pings)) = client.published(seen.at) {
            let keep_alive = client.keep_alive;
            let sentence = format!(
                "{} sends about every {gap} s, but its keep-alive is {keep_alive} s: about {pings} PINGREQs for each message.",
                seen.client
            );
            let advice = "a keep-alive longer than the time between messages saves data and battery";
            self.find(FindingKind::ShortKeepAlive, seen, sentence, advice, &[]);
        }
        let Some(unheard) = &mut self.unheard else { return };
        if let Some(count) = unheard.published(topic, seen.at) {
            let sentence =
                format!("{} published {count} messages on {topic}, and no connected client got one.", seen.client);
            let advice = "look for a mistyped topic or filter, or a subscriber that is away";
            self.find(FindingKind::NobodyReceives, seen, sentence, advice, &[]);
        }
    }

    fn find(&mut self, kind: FindingKind, seen: Seen<'_>, sentence: String, advice: &str, evidence: &[u64]) {
        let key = (kind, seen.client.to_owned());
        if !self.found.contains_key(&key) && self.found.len() >= FINDINGS {
            let oldest = self.found.iter().min_by_key(|(_, finding)| finding.last).map(|(key, _)| key.clone());
            oldest.map(|key| self.found.remove(&key));
        }
        let finding = self.found.entry(key).or_insert_with(|| Finding {
            kind,
            client: seen.client.to_owned(),
            since: seen.at,
            last: seen.at,
            count: 0,
            sentence: String::new(),
            advice: advice.to_owned(),
            events: vec![],
        });
        finding.count += 1;
        finding.last = finding.last.max(seen.at);
        finding.sentence = sentence;
        advice.clone_into(&mut finding.advice);
        for event in evidence.iter().chain([&seen.event]) {
            if !finding.events.contains(event) {
                finding.events.push(*event);
            }
        }
        let surplus = finding.events.len().saturating_sub(EVIDENCE);
        finding.events.drain(..surplus);
    }
}
