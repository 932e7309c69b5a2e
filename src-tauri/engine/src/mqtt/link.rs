//! One connection to a broker, MQTT 3.1.1 or 5, spoken to in one vocabulary; after an error the next poll connects again.
//!
//! The only place where sockets to brokers are read. One read takes what there is, and many acknowledgements go out in one
//! write: what is to be sent collects until there is nothing more to read. Knows nothing of relays, queues or events.
//!
//! What the broker sent and did not get an acknowledgement for is void with the connection, and so is what we published
//! and it did not acknowledge; the caller hears of both. Only QoS 2 identifiers of ours outlive a connection, so that a
//! message that comes after can't be taken for one that came before.

mod choice;
mod connect;
mod framing;
mod incoming;
mod lull;
mod outgoing;
pub(super) mod prompt;
mod up;

use super::failure::Failure;
use super::tls;
use bytes::Bytes;
use choice::Choice;
use connect::{Broken, Established, Plan};
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::message::{MqttVersion, Qos};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use up::Up;

pub use outgoing::Unsent;

/// Largest packet taken when nothing else is said, bytes.
pub const MAX_PACKET: u32 = 16 * 1024 * 1024;

/// Messages the broker may send before it waits for acknowledgements (MQTT 5 Receive Maximum).
pub const RECEIVE_MAXIMUM: u16 = 65_535;

/// What polling yields.
#[derive(Debug)]
pub enum Polled {
    /// CONNACK with success.
    Connected {
        /// The version that is spoken: 3.1.1 or 5.
        version: MqttVersion,
        /// Whether the broker had kept the session.
        session_present: bool,
        /// What an MQTT 5 broker tells of itself.
        limits: Option<Box<Limits>>,
    },
    /// The broker would not speak MQTT 5; the next connection asks for 3.1.1. In words.
    FellBack(String),
    /// PUBLISH.
    Publish(Arrived),
    /// A PUBLISH over the limit was skipped. It is owed the same acknowledgement as any other.
    Oversized {
        /// Topic.
        topic: Arc<str>,
        /// QoS.
        qos: Qos,
        /// Packet identifier; 0 with QoS 0.
        packet_id: u16,
        /// Size of the packet.
        bytes: usize,
    },
    /// SUBACK: one answer per filter.
    SubAck(u16, Vec<Result<Qos, String>>),
    /// UNSUBACK, or why the broker kept the subscription.
    UnsubAck(u16, Result<(), String>),
    /// So many QoS 0 messages of ours, in order, have been written to the socket.
    Written(usize),
    /// PUBACK or PUBCOMP, or why the broker did not take the message.
    Published(u16, Result<Taken, Untaken>),
    /// PUBREL: the broker knows that the QoS 2 message was taken, and may use its identifier again.
    Released(u16),
    /// DISCONNECT was written by us, and the broker has closed the connection.
    Left,
}

/// The broker's refusal of a message of ours (MQTT 5.0 sections 3.4.2.1, 3.5.2.1 and 3.7.2.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Untaken {
    /// Reason code, 0x80 or above.
    pub code: u8,
    /// The code and what the broker said besides, in words.
    pub words: String,
}

/// What an MQTT 5 broker tells of itself in CONNACK (MQTT 5.0 section 3.2.2.3); `None` where it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Receive Maximum.
    pub receive_maximum: Option<u16>,
    /// Maximum Packet Size, bytes.
    pub packet_bytes: Option<u32>,
    /// Maximum QoS.
    pub qos: Option<u8>,
    /// Whether messages can be retained.
    pub retain: bool,
    /// Whether filters may have wildcards.
    pub wildcards: bool,
    /// Whether subscriptions may have identifiers.
    pub identifiers: bool,
    /// Whether subscriptions can be shared.
    pub shared: bool,
    /// Server Keep Alive, seconds.
    pub keep_alive: Option<u16>,
    /// Assigned Client Identifier.
    pub client_id: Option<String>,
    /// Reason String.
    pub reason: Option<String>,
}

impl Limits {
    /// Of a broker that says nothing, as with MQTT 3.1.1.
    pub fn unknown() -> Self {
        Self {
            receive_maximum: None,
            packet_bytes: None,
            qos: None,
            retain: true,
            wildcards: true,
            identifiers: false,
            shared: true,
            keep_alive: None,
            client_id: None,
            reason: None,
        }
    }
}

/// What a broker says of a message that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taken {
    /// Nothing more.
    #[default]
    Yes,
    /// Nobody subscribes to the topic (MQTT 5.0 sections 3.4.2.1 and 3.5.2.1, 0x10). A broker need not say so.
    Unheard,
}

/// A PUBLISH as it came.
#[derive(Debug)]
pub struct Arrived {
    /// Topic.
    pub topic: Arc<str>,
    /// Payload.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Duplicate flag.
    pub dup: bool,
    /// Packet identifier; 0 with QoS 0.
    pub packet_id: u16,
    /// MQTT 5 properties, in words.
    pub properties: Vec<(String, String)>,
    /// Correlation Data as it came (MQTT 5); the properties have it in words.
    pub correlation: Option<Bytes>,
    /// Identifiers of the subscriptions it came for (MQTT 5).
    pub subscriptions: Vec<u32>,
}

type Connecting = Pin<Box<dyn Future<Output = Result<Established, Broken>> + Send>>;

/// A connection, or the way to one.
pub struct Link {
    plan: Arc<Plan>,
    choice: Choice,
    state: State,
    // The last packet identifier given out, and QoS 2 messages of ours that have not ended, of connections before.
    last_id: u16,
    unreleased: Vec<u16>,
    // Packets a second.
    unhurried: Option<u32>,
}

enum State {
    Away,
    Connecting(Connecting),
    Up(Box<Up>),
}

impl Link {
    /// Prepares a connection; nothing is sent before the first poll. `max_packet` is the largest packet taken, bytes.
    pub fn new(connection: &Connection, secrets: &BrokerSecrets, max_packet: u32) -> Result<Self, tls::TlsError> {
        let plan = Plan::new(connection, secrets, max_packet)?;
        Ok(Self {
            choice: Choice::new(plan.wanted()),
            plan: Arc::new(plan),
            state: State::Away,
            // A broker may remember identifiers of an earlier run.
            last_id: rand::random(),
            unreleased: vec![],
            unhurried: None,
        })
    }

    /// Takes what comes in fewer and larger reads while more than `rate` packets a second come, a millisecond or two later
    /// each.
    pub fn unhurried(mut self, rate: u32) -> Self {
        self.unhurried = Some(rate);
        self
    }

    /// Waits for what happens next. May be dropped at any moment and called again; nothing is lost.
    pub async fn poll(&mut self) -> Result<Polled, Failure> {
        loop {
            match &mut self.state {
                State::Away => {
                    self.state = State::Connecting(Box::pin(self.plan.clone().establish(self.choice.version())));
                }
                State::Connecting(connecting) => {
                    let outcome = connecting.as_mut().await;
                    return self.connected(outcome);
                }
                State::Up(up) => {
                    let event = match up.next() {
                        Some(event) => event,
                        None => match up.turn().await {
                            Ok(()) => continue,
                            Err(failure) => Err(failure),
                        },
                    };
                    return self.seen(event);
                }
            }
        }
    }

    /// What has come already, without waiting.
    pub fn ready(&mut self) -> Option<Result<Polled, Failure>> {
        let State::Up(up) = &mut self.state else { return None };
        let event = up.next()?;
        Some(self.seen(event))
    }

    /// The connection has ended with some events.
    fn seen(&mut self, event: Result<Polled, Failure>) -> Result<Polled, Failure> {
        if matches!(event, Err(_) | Ok(Polled::Left)) {
            self.cut();
        }
        event
    }

    fn connected(&mut self, outcome: Result<Established, Broken>) -> Result<Polled, Failure> {
        self.state = State::Away;
        let established = match outcome {
            Ok(established) => established,
            Err(Broken { failure, silent }) => {
                return match self.choice.failed(&failure, silent) {
                    Some(words) => Ok(Polled::FellBack(words)),
                    None => Err(failure),
                };
            }
        };
        self.choice.worked();
        let version = self.choice.version();
        let (session_present, limits) = (established.session_present, established.limits.clone());
        if !session_present {
            self.unreleased.clear();
        }
        let up = Up::new(established, version, self.last_id, &self.unreleased, self.unhurried);
        self.state = State::Up(Box::new(up));
        Ok(Polled::Connected { version, session_present, limits })
    }

    /// Reads nothing while held, so that the broker keeps what it has; goes on writing. A new connection is not held.
    pub fn hold(&mut self, held: bool) {
        if let State::Up(up) = &mut self.state {
            up.held = held;
        }
    }

    /// Whether a failure may be due to the version asked for, and polling again may end otherwise.
    pub fn undecided(&self) -> bool {
        self.choice.undecided()
    }

    /// Gives up the connection without DISCONNECT; the broker keeps what was not acknowledged.
    pub fn cut(&mut self) {
        if let State::Up(up) = &self.state {
            (self.last_id, self.unreleased) = up.left();
        }
        self.state = State::Away;
    }

    /// PUBACK for QoS 1, PUBREC for QoS 2.
    pub fn acknowledge(&mut self, packet_id: u16, qos: Qos) -> Result<(), Unsent> {
        self.up()?.out.acknowledge(packet_id, qos)
    }

    /// SUBSCRIBE with each filter's own QoS; returns its packet identifier. `resumed` keeps an MQTT 5 broker from sending
    /// retained messages again. `identifier` comes back with each message (MQTT 5).
    pub fn subscribe(
        &mut self,
        filters: &[(Arc<str>, Qos)],
        resumed: bool,
        identifier: Option<NonZeroU32>,
    ) -> Result<u16, Unsent> {
        self.up()?.out.subscribe(filters, resumed, identifier)
    }

    /// UNSUBSCRIBE; returns its packet identifier.
    pub fn unsubscribe(&mut self, filter: &str) -> Result<u16, Unsent> {
        self.up()?.out.unsubscribe(filter)
    }

    /// PUBLISH; returns its packet identifier, 0 with QoS 0. What the broker said it would not take is refused in words.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        qos: Qos,
        retain: bool,
        properties: &[u8],
    ) -> Result<u16, Unsent> {
        self.up()?.out.publish(topic, payload, qos, retain, properties)
    }

    /// DISCONNECT; [`Polled::Left`] comes once the broker has closed the connection.
    pub fn disconnect(&mut self) -> Result<(), Unsent> {
        self.up()?.out.disconnect();
        Ok(())
    }

    fn up(&mut self) -> Result<&mut Up, Unsent> {
        match &mut self.state {
            State::Up(up) => Ok(up),
            State::Away | State::Connecting(_) => Err(Unsent::Full),
        }
    }
}
