//! One connection to a broker through rumqttc, MQTT 3.1.1 or 5, spoken to in one vocabulary.
//!
//! The only place that calls `poll()`. [`Requests`] is apart from [`Link`], so that acknowledgements can be handed over
//! while a poll is under way: a poll is never dropped half-done. Knows nothing of relays, queues or events.
//!
//! rumqttc 0.25.1 has traps that are dealt with here: keep-alive 0 is refused (the longest interval is used instead),
//! a topic alias maximum must never be offered, a PUBREL of a resumed session ends in an error unless the packet
//! identifier was seen before (see [`Link::expect_releases`]), and a PUBREC outlives its connection.

use super::words::{self, Failure};
use super::{address, tls};
use bytes::Bytes;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::message::{MqttVersion, Qos};
use rumqttc::{Outgoing, v5};
use std::sync::Arc;
use std::time::Duration;

/// Largest packet taken or sent, bytes.
pub const MAX_PACKET: u32 = 16 * 1024 * 1024;

/// Messages the broker may send before it waits for acknowledgements (MQTT 5 Receive Maximum).
pub const RECEIVE_MAXIMUM: u16 = 65_535;

// Sender: the session's task. Receiver: rumqttc's event loop, in the same task. Full: the session keeps what it has and
// offers it again after the next poll.
const REQUESTS: usize = 512;

/// What polling yields.
#[derive(Debug)]
pub enum Polled {
    /// CONNACK with success.
    Connected {
        /// Whether the broker had kept the session.
        session_present: bool,
        /// What an MQTT 5 broker tells of itself.
        limits: Option<Box<Limits>>,
    },
    /// PUBLISH.
    Publish(Box<Arrived>),
    /// SUBACK: one answer per filter.
    SubAck(u16, Vec<Result<Qos, String>>),
    /// UNSUBACK.
    UnsubAck,
    /// SUBSCRIBE was written under this packet identifier.
    Subscribing(u16),
    /// PUBLISH was written; 0 for QoS 0.
    Publishing(u16),
    /// PUBACK or PUBCOMP, or why the broker did not take the message.
    Published(u16, Result<(), String>),
    /// PUBREL: the broker knows that the QoS 2 message was taken, and may use its identifier again.
    Released(u16),
    /// DISCONNECT by the broker, with its reason.
    Disconnect(String),
    /// DISCONNECT was written by us.
    Left,
    /// Anything else.
    Other,
}

/// What an MQTT 5 broker tells of itself in CONNACK (MQTT 5.0 section 3.2.2.3); `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Whether subscriptions can be shared.
    pub shared: bool,
    /// Server Keep Alive, seconds.
    pub keep_alive: Option<u16>,
    /// Assigned Client Identifier.
    pub client_id: Option<String>,
    /// Reason String.
    pub reason: Option<String>,
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
}

/// The polled half.
pub enum Link {
    /// MQTT 3.1.1.
    V4(Box<rumqttc::EventLoop>),
    /// MQTT 5.
    V5(Box<v5::EventLoop>),
}

/// The requesting half.
#[derive(Clone)]
pub enum Requests {
    /// MQTT 3.1.1.
    V4(rumqttc::AsyncClient),
    /// MQTT 5.
    V5(v5::AsyncClient),
}

/// The queue to rumqttc is full; offer it again after the next poll.
#[derive(Debug)]
pub struct Full;

/// Prepares a connection; nothing is sent before the first poll.
pub fn prepare(connection: &Connection, secrets: &BrokerSecrets) -> Result<(Link, Requests), tls::TlsError> {
    let host = address::library_host(connection);
    let keep_alive =
        Duration::from_secs(if connection.keep_alive == 0 { 65_535 } else { connection.keep_alive.into() });
    let transport = address::library_transport(connection, secrets.client_key.as_ref())?;
    let login = match (&connection.username, &secrets.password) {
        (None, None) => None,
        // 3.1.1 knows no password without a user name (MQTT-3.1.2-22).
        (None, Some(_)) if connection.version == MqttVersion::V311 => None,
        (name, password) => {
            Some((name.clone().unwrap_or_default(), password.as_ref().map_or("", |secret| secret.expose()).to_owned()))
        }
    };
    Ok(match connection.version {
        MqttVersion::V311 => {
            let mut options = rumqttc::MqttOptions::new(&connection.client_id, host, connection.port);
            options
                .set_keep_alive(keep_alive)
                .set_clean_session(connection.clean_start)
                .set_max_packet_size(MAX_PACKET as usize, MAX_PACKET as usize)
                .set_transport(transport)
                .set_manual_acks(true)
                .set_inflight(100);
            if let Some((name, password)) = login {
                options.set_credentials(name, password);
            }
            if let Some(will) = &connection.will {
                let (qos, payload) = (v4_qos(will.qos), will.payload.as_bytes());
                options.set_last_will(rumqttc::LastWill::new(&will.topic, payload, qos, will.retain));
            }
            let (client, mut events) = rumqttc::AsyncClient::new(options, REQUESTS);
            let mut network = rumqttc::NetworkOptions::new();
            network.set_tcp_nodelay(true);
            network.set_connection_timeout(10);
            events.set_network_options(network);
            (Link::V4(Box::new(events)), Requests::V4(client))
        }
        MqttVersion::V5 => {
            let mut options = v5::MqttOptions::new(&connection.client_id, host, connection.port);
            options
                .set_keep_alive(keep_alive)
                .set_clean_start(connection.clean_start)
                .set_transport(transport)
                .set_manual_acks(true)
                .set_connection_timeout(10)
                .set_outgoing_inflight_upper_limit(100);
            options.set_connect_properties(v5::mqttbytes::v5::ConnectProperties {
                session_expiry_interval: Some(connection.session_expiry).filter(|seconds| *seconds > 0),
                receive_maximum: Some(RECEIVE_MAXIMUM),
                max_packet_size: Some(MAX_PACKET),
                topic_alias_max: None,
                request_response_info: None,
                request_problem_info: None,
                user_properties: vec![],
                authentication_method: None,
                authentication_data: None,
            });
            if let Some((name, password)) = login {
                options.set_credentials(name, password);
            }
            if let Some(will) = &connection.will {
                let payload = will.payload.as_bytes();
                options.set_last_will(v5::mqttbytes::v5::LastWill::new(
                    &will.topic,
                    payload,
                    v5_qos(will.qos),
                    will.retain,
                    None,
                ));
            }
            let mut network = rumqttc::NetworkOptions::new();
            network.set_tcp_nodelay(true);
            options.set_network_options(network);
            let (client, events) = v5::AsyncClient::new(options, REQUESTS);
            (Link::V5(Box::new(events)), Requests::V5(client))
        }
    })
}

impl Link {
    /// Waits for what happens next. After an error the next call connects again. Must not be dropped half-done.
    pub async fn poll(&mut self) -> Result<Polled, Failure> {
        let polled = match self {
            Self::V4(events) => events.poll().await.map(from_v4).map_err(|error| words::from_v4(&error)),
            Self::V5(events) => events.poll().await.map(from_v5).map_err(|error| words::from_v5(&error)),
        };
        if polled.is_err() {
            self.forget_acknowledgements();
        }
        polled
    }

    /// Gives up the connection without DISCONNECT; the broker keeps what was not acknowledged.
    pub fn cut(&mut self) {
        match self {
            Self::V4(events) => events.clean(),
            Self::V5(events) => events.clean(),
        }
        self.forget_acknowledgements();
    }

    /// What was handed over and not written: on the next connection it would answer messages that come again, twice.
    /// rumqttc drops PUBACK itself, and not PUBREC.
    fn forget_acknowledgements(&mut self) {
        match self {
            Self::V4(events) => events.pending.retain(|request| !matches!(request, rumqttc::Request::PubRec(_))),
            Self::V5(events) => events.pending.retain(|request| !matches!(request, v5::Request::PubRec(_))),
        }
    }

    /// To be called on CONNACK with a session present: has PUBREL answered with PUBCOMP whatever its packet identifier.
    /// rumqttc forgets received QoS 2 identifiers at a disconnect and would take their PUBREL for a protocol error.
    pub fn expect_releases(&mut self) {
        for packet_id in 1..=u16::MAX {
            match self {
                Self::V4(events) => {
                    let mut seen = rumqttc::Publish::new("", rumqttc::QoS::ExactlyOnce, vec![]);
                    seen.pkid = packet_id;
                    // With manual acknowledgements nothing is sent; only the identifier is noted.
                    let _ = events.state.handle_incoming_packet(rumqttc::Packet::Publish(seen));
                    events.state.events.pop_back();
                }
                Self::V5(events) => {
                    let mut seen =
                        v5::mqttbytes::v5::Publish::new("", v5::mqttbytes::QoS::ExactlyOnce, Bytes::new(), None);
                    seen.pkid = packet_id;
                    let _ = events.state.handle_incoming_packet(v5::mqttbytes::v5::Packet::Publish(seen));
                    events.state.events.pop_back();
                }
            }
        }
    }
}

impl Requests {
    /// PUBACK for QoS 1, PUBREC for QoS 2.
    pub fn acknowledge(&self, packet_id: u16, qos: Qos) -> Result<(), Full> {
        match self {
            Self::V4(client) => {
                let mut publish = rumqttc::Publish::new("", v4_qos(qos), vec![]);
                publish.pkid = packet_id;
                client.try_ack(&publish).map_err(|_| Full)
            }
            Self::V5(client) => {
                let mut publish = v5::mqttbytes::v5::Publish::new("", v5_qos(qos), Bytes::new(), None);
                publish.pkid = packet_id;
                client.try_ack(&publish).map_err(|_| Full)
            }
        }
    }

    /// SUBSCRIBE with each filter's own QoS. `resumed` keeps an MQTT 5 broker from sending retained messages again.
    pub fn subscribe(&self, filters: &[(Arc<str>, Qos)], resumed: bool) -> Result<(), Full> {
        match self {
            Self::V4(client) => {
                let filters =
                    filters.iter().map(|(filter, qos)| rumqttc::SubscribeFilter::new(filter.to_string(), v4_qos(*qos)));
                client.try_subscribe_many(filters).map_err(|_| Full)
            }
            Self::V5(client) => {
                use v5::mqttbytes::v5::{Filter, RetainForwardRule};
                let filters = filters.iter().map(|(filter, qos)| {
                    let mut one = Filter::new(filter.to_string(), v5_qos(*qos));
                    // Retained messages keep their flag, so that the feed shows them as what they are.
                    one.preserve_retain = true;
                    // Shared subscriptions never get retained messages; MQTT 5.0 section 3.8.3.1.
                    if resumed {
                        one.retain_forward_rule = RetainForwardRule::OnNewSubscribe;
                    }
                    one
                });
                client.try_subscribe_many(filters).map_err(|_| Full)
            }
        }
    }

    /// UNSUBSCRIBE.
    pub fn unsubscribe(&self, filter: &str) -> Result<(), Full> {
        match self {
            Self::V4(client) => client.try_unsubscribe(filter).map_err(|_| Full),
            Self::V5(client) => client.try_unsubscribe(filter).map_err(|_| Full),
        }
    }

    /// PUBLISH.
    pub fn publish(&self, topic: &str, payload: Bytes, qos: Qos, retain: bool) -> Result<(), Full> {
        match self {
            Self::V4(client) => client.try_publish(topic, v4_qos(qos), retain, payload).map_err(|_| Full),
            Self::V5(client) => client.try_publish(topic, v5_qos(qos), retain, payload).map_err(|_| Full),
        }
    }

    /// DISCONNECT.
    pub fn disconnect(&self) -> Result<(), Full> {
        match self {
            Self::V4(client) => client.try_disconnect().map_err(|_| Full),
            Self::V5(client) => client.try_disconnect().map_err(|_| Full),
        }
    }
}

fn v4_qos(qos: Qos) -> rumqttc::QoS {
    match qos {
        Qos::AtMostOnce => rumqttc::QoS::AtMostOnce,
        Qos::AtLeastOnce => rumqttc::QoS::AtLeastOnce,
        Qos::ExactlyOnce => rumqttc::QoS::ExactlyOnce,
    }
}

fn v5_qos(qos: Qos) -> v5::mqttbytes::QoS {
    match qos {
        Qos::AtMostOnce => v5::mqttbytes::QoS::AtMostOnce,
        Qos::AtLeastOnce => v5::mqttbytes::QoS::AtLeastOnce,
        Qos::ExactlyOnce => v5::mqttbytes::QoS::ExactlyOnce,
    }
}

fn outgoing(outgoing: &Outgoing) -> Polled {
    match outgoing {
        Outgoing::Publish(packet_id) => Polled::Publishing(*packet_id),
        Outgoing::Subscribe(packet_id) => Polled::Subscribing(*packet_id),
        Outgoing::Disconnect => Polled::Left,
        _ => Polled::Other,
    }
}

fn from_v4(event: rumqttc::Event) -> Polled {
    use rumqttc::{Packet, QoS, SubscribeReasonCode};
    let qos = |qos: QoS| Qos::try_from(qos as u8).unwrap_or_default();
    match event {
        rumqttc::Event::Outgoing(event) => outgoing(&event),
        rumqttc::Event::Incoming(packet) => match packet {
            Packet::ConnAck(connack) => Polled::Connected { session_present: connack.session_present, limits: None },
            Packet::PubRel(release) => Polled::Released(release.pkid),
            Packet::Publish(publish) => Polled::Publish(Box::new(Arrived {
                topic: publish.topic.into(),
                payload: publish.payload,
                qos: qos(publish.qos),
                retain: publish.retain,
                dup: publish.dup,
                packet_id: publish.pkid,
                properties: vec![],
            })),
            Packet::SubAck(suback) => Polled::SubAck(
                suback.pkid,
                suback
                    .return_codes
                    .iter()
                    .map(|code| match code {
                        SubscribeReasonCode::Success(granted) => Ok(qos(*granted)),
                        refused @ SubscribeReasonCode::Failure => {
                            Err(words::suback_v4(words::suback_code_v4(*refused)))
                        }
                    })
                    .collect(),
            ),
            Packet::UnsubAck(_) => Polled::UnsubAck,
            Packet::PubAck(puback) => Polled::Published(puback.pkid, Ok(())),
            Packet::PubComp(pubcomp) => Polled::Published(pubcomp.pkid, Ok(())),
            Packet::Disconnect => Polled::Disconnect("by the broker".into()),
            _ => Polled::Other,
        },
    }
}

fn from_v5(event: v5::Event) -> Polled {
    use v5::mqttbytes::QoS;
    use v5::mqttbytes::v5::{Packet, PubAckReason, PubCompReason};
    let qos = |qos: QoS| Qos::try_from(qos as u8).unwrap_or_default();
    match event {
        v5::Event::Outgoing(event) => outgoing(&event),
        v5::Event::Incoming(packet) => match packet {
            Packet::ConnAck(connack) => Polled::Connected {
                session_present: connack.session_present,
                limits: connack.properties.as_ref().map(limits),
            },
            Packet::PubRel(release) => Polled::Released(release.pkid),
            Packet::Publish(publish) => Polled::Publish(Box::new(Arrived {
                topic: String::from_utf8_lossy(&publish.topic).into(),
                payload: publish.payload,
                qos: qos(publish.qos),
                retain: publish.retain,
                dup: publish.dup,
                packet_id: publish.pkid,
                properties: publish.properties.as_ref().map(properties).unwrap_or_default(),
            })),
            Packet::SubAck(suback) => Polled::SubAck(
                suback.pkid,
                suback
                    .return_codes
                    .iter()
                    .map(|code| match code {
                        v5::mqttbytes::v5::SubscribeReasonCode::Success(granted) => Ok(qos(*granted)),
                        refused => Err(words::suback_v5(words::suback_code_v5(*refused))),
                    })
                    .collect(),
            ),
            Packet::UnsubAck(_) => Polled::UnsubAck,
            Packet::PubAck(puback) => Polled::Published(
                puback.pkid,
                match puback.reason {
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
                    refused => Err(words::reason(words::puback_code(refused))),
                },
            ),
            Packet::PubComp(pubcomp) => Polled::Published(
                pubcomp.pkid,
                match pubcomp.reason {
                    PubCompReason::Success => Ok(()),
                    refused => Err(format!("{refused:?}")),
                },
            ),
            Packet::Disconnect(disconnect) => Polled::Disconnect(disconnect_words(&disconnect)),
            _ => Polled::Other,
        },
    }
}

fn limits(found: &v5::mqttbytes::v5::ConnAckProperties) -> Box<Limits> {
    let available = |flag: Option<u8>| flag != Some(0);
    Box::new(Limits {
        receive_maximum: found.receive_max,
        packet_bytes: found.max_packet_size,
        qos: found.max_qos,
        retain: available(found.retain_available),
        wildcards: available(found.wildcard_subscription_available),
        shared: available(found.shared_subscription_available),
        keep_alive: found.server_keep_alive,
        client_id: found.assigned_client_identifier.clone(),
        reason: found.reason_string.clone().filter(|reason| !reason.is_empty()),
    })
}

/// The properties of an MQTT 5 PUBLISH (MQTT 5.0 section 3.3.2.3), name and value.
fn properties(properties: &v5::mqttbytes::v5::PublishProperties) -> Vec<(String, String)> {
    let mut out = vec![];
    let mut add = |name: &str, value: Option<String>| out.extend(value.map(|value| (name.to_owned(), value)));
    add(
        "Payload format",
        properties.payload_format_indicator.map(|format| if format == 1 { "UTF-8 text" } else { "bytes" }.into()),
    );
    add("Message expiry", properties.message_expiry_interval.map(|seconds| format!("{seconds} s")));
    add("Topic alias", properties.topic_alias.map(|alias| alias.to_string()));
    add("Response topic", properties.response_topic.clone());
    add(
        "Correlation data",
        properties.correlation_data.as_ref().map(|data| String::from_utf8_lossy(data).into_owned()),
    );
    add("Content type", properties.content_type.clone());
    for identifier in &properties.subscription_identifiers {
        add("Subscription identifier", Some(identifier.to_string()));
    }
    for (name, value) in &properties.user_properties {
        add(&format!("User property {name}"), Some(value.clone()));
    }
    out
}

fn disconnect_words(disconnect: &v5::mqttbytes::v5::Disconnect) -> String {
    let text = disconnect.properties.as_ref().and_then(|properties| properties.reason_string.as_deref());
    words::disconnected_v5(disconnect.reason_code as u8, text).words
}
