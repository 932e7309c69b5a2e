//! MQTT packets in one vocabulary, whatever their version, and how rmqtt-codec's are put into it.
//!
//! A password does not get beyond this file: of a CONNECT's password at most the last five characters are kept.

use crate::mqtt::properties::{
    CONTENT_TYPE, CORRELATION, EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC, SUBSCRIPTION, TOPIC_ALIAS, correlation_words,
    user_name,
};
use bytes::Bytes;
use relayscope_domain::message::Qos;
use relayscope_domain::secret::Secret;
use rmqtt_codec::types::{Publish as CodecPublish, QoS};
use rmqtt_codec::{v3, v5};

/// A name and a value, in words.
pub type Fact = (String, String);

/// Longest binary value that is shown in full, bytes.
const SHOWN: usize = 64;

/// What a packet says.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    /// CONNECT.
    Connect(Box<Connect>),
    /// CONNACK.
    ConnAck(Box<ConnAck>),
    /// PUBLISH.
    Publish(Box<Publish>),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack(Ack),
    /// SUBSCRIBE: filters with the QoS asked for.
    Subscribe(u16, Vec<(String, Qos)>),
    /// SUBACK: a code for each filter.
    SubAck(u16, Vec<u8>),
    /// UNSUBSCRIBE.
    Unsubscribe(u16, Vec<String>),
    /// UNSUBACK: a code for each filter, none before MQTT 5.
    UnsubAck(u16, Vec<u8>),
    /// PINGREQ.
    PingRequest,
    /// PINGRESP.
    PingResponse,
    /// DISCONNECT.
    Disconnect(u8, Vec<Fact>),
    /// AUTH.
    Auth(u8, Vec<Fact>),
}

/// A CONNECT without its password.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// 3, 4 or 5.
    pub level: u8,
    /// May be empty.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// The last five characters of the password when it is long enough to be a token.
    pub last5: String,
    /// Clean start, or clean session.
    pub clean_start: bool,
    /// Seconds; 0 is none.
    pub keep_alive: u16,
    /// The last will.
    pub will: Option<Will>,
    /// MQTT 5 properties in words.
    pub properties: Vec<Fact>,
}

/// A last will.
#[derive(Clone, Debug, PartialEq)]
pub struct Will {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Whether it is retained.
    pub retain: bool,
}

/// A CONNACK.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnAck {
    /// 0 is success.
    pub code: u8,
    /// Whether the session was kept.
    pub session_present: bool,
    /// A client id the broker chose.
    pub assigned: Option<String>,
    /// A keep-alive the broker insists on, seconds.
    pub keep_alive: Option<u16>,
    /// Limits and other properties in words.
    pub properties: Vec<Fact>,
}

/// A PUBLISH.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Empty when only an alias was sent.
    pub topic: String,
    /// MQTT 5 topic alias.
    pub alias: Option<u16>,
    /// Payload, or its beginning.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Duplicate flag.
    pub dup: bool,
    /// For QoS 1 and 2.
    pub packet_id: Option<u16>,
    /// MQTT 5 properties in words.
    pub properties: Vec<Fact>,
}

pub use crate::feed::event::Ack as AckKind;

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Ack {
    /// Which.
    pub kind: AckKind,
    /// Of which PUBLISH.
    pub packet_id: u16,
    /// 0 before MQTT 5.
    pub code: u8,
    /// Reason string and user properties.
    pub properties: Vec<Fact>,
}

impl Ack {
    fn plain(kind: AckKind, packet_id: u16) -> Packet {
        Packet::Ack(Self { kind, packet_id, code: 0, properties: vec![] })
    }
}

pub(super) fn qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn last5(password: Option<&Bytes>) -> String {
    let text = password.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(|text| Secret::new(text).last5()).unwrap_or_default()
}

/// A list of facts under construction.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn maybe(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn seconds(&mut self, name: &str, value: Option<impl ToString>) {
        self.maybe(name, value.map(|seconds| format!("{} s", seconds.to_string())));
    }

    fn binary(&mut self, name: &str, value: Option<&Bytes>) {
        let Some(data) = value else { return };
        let shown = &data[..data.len().min(SHOWN)];
        let mut text: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        if shown.len() < data.len() {
            text.push_str(&format!("… ({} bytes)", data.len()));
        }
        self.add(name, text);
    }

    fn user(&mut self, properties: &v5::UserProperties) {
        for (name, value) in properties {
            self.add(name, value);
        }
    }
}

pub(super) fn from_v3(packet: v3::Packet) -> Packet {
    match packet {
        v3::Packet::Connect(connect) => Packet::Connect(Box::new(Connect {
            level: connect.protocol.level(),
            client_id: connect.client_id.to_string(),
            username: connect.username.as_ref().map(ToString::to_string),
            last5: last5(connect.password.as_ref()),
            clean_start: connect.clean_session,
            keep_alive: connect.keep_alive,
            will: connect.last_will.map(|will| Will {
                topic: will.topic.to_string(),
                payload: Bytes::copy_from_slice(&will.message),
                qos: qos(will.qos),
                retain: will.retain,
            }),
            properties: vec![],
        })),
        v3::Packet::ConnectAck(ack) => Packet::ConnAck(Box::new(ConnAck {
            code: ack.return_code.into(),
            session_present: ack.session_present,
            assigned: None,
            keep_alive: None,
            properties: vec![],
        })),
        v3::Packet::Publish(publish) => from_publish(*publish),
        v3::Packet::PublishAck { packet_id } => Ack::plain(AckKind::PubAck, packet_id.get()),
        v3::Packet::PublishReceived { packet_id } => Ack::plain(AckKind::PubRec, packet_id.get()),
        v3::Packet::PublishRelease { packet_id } => Ack::plain(AckKind::PubRel, packet_id.get()),
        v3::Packet::PublishComplete { packet_id } => Ack::plain(AckKind::PubComp, packet_id.get()),
        v3::Packet::Subscribe { packet_id, topic_filters } => {
            let filters = topic_filters.iter().map(|(filter, asked)| (filter.to_string(), qos(*asked)));
            Packet::Subscribe(packet_id.get(), filters.collect())
        }
        v3::Packet::SubscribeAck { packet_id, status } => {
            let codes = status.iter().map(|code| match code {
                v3::SubscribeReturnCode::Success(granted) => granted.value(),
                v3::SubscribeReturnCode::Failure => 0x80,
            });
            Packet::SubAck(packet_id.get(), codes.collect())
        }
        v3::Packet::Unsubscribe { packet_id, topic_filters } => {
            Packet::Unsubscribe(packet_id.get(), topic_filters.iter().map(ToString::to_string).collect())
        }
        v3::Packet::UnsubscribeAck { packet_id } => Packet::UnsubAck(packet_id.get(), vec![]),
        v3::Packet::PingRequest => Packet::PingRequest,
        v3::Packet::PingResponse => Packet::PingResponse,
        v3::Packet::Disconnect => Packet::Disconnect(0, vec![]),
    }
}

pub(super) fn from_v5(packet: v5::Packet) -> Packet {
    match packet {
        v5::Packet::Connect(connect) => from_connect(*connect),
        v5::Packet::ConnectAck(ack) => from_connack(*ack),
        v5::Packet::Publish(publish) => from_publish(*publish),
        v5::Packet::PublishAck(ack) => from_ack(AckKind::PubAck, ack),
        v5::Packet::PublishReceived(ack) => from_ack(AckKind::PubRec, ack),
        v5::Packet::PublishRelease(ack) => from_ack2(AckKind::PubRel, ack),
        v5::Packet::PublishComplete(ack) => from_ack2(AckKind::PubComp, ack),
        v5::Packet::Subscribe(subscribe) => {
            let filters = subscribe.topic_filters.iter().map(|(filter, asked)| (filter.to_string(), qos(asked.qos)));
            Packet::Subscribe(subscribe.packet_id.get(), filters.collect())
        }
        v5::Packet::SubscribeAck(ack) => {
            Packet::SubAck(ack.packet_id.get(), ack.status.iter().map(|code| u8::from(*code)).collect())
        }
        v5::Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.topic_filters.iter().map(ToString::to_string).collect();
            Packet::Unsubscribe(unsubscribe.packet_id.get(), filters)
        }
        v5::Packet::UnsubscribeAck(ack) => {
            Packet::UnsubAck(ack.packet_id.get(), ack.status.iter().map(|code| u8::from(*code)).collect())
        }
        v5::Packet::PingRequest => Packet::PingRequest,
        v5::Packet::PingResponse => Packet::PingResponse,
        v5::Packet::Disconnect(disconnect) => {
            let mut facts = Facts::default();
            facts.maybe("reason", disconnect.reason_string);
            facts.seconds("session expiry", disconnect.session_expiry_interval_secs);
            facts.maybe("server reference", disconnect.server_reference);
            facts.user(&disconnect.user_properties);
            Packet::Disconnect(disconnect.reason_code.into(), facts.0)
        }
        v5::Packet::Auth(auth) => {
            let mut facts = Facts::default();
            facts.maybe("method", auth.auth_method);
            facts.maybe("reason", auth.reason_string);
            facts.user(&auth.user_properties);
            Packet::Auth(auth.reason_code.into(), facts.0)
        }
    }
}

fn from_ack(kind: AckKind, ack: v5::PublishAck) -> Packet {
    let mut facts = Facts::default();
    facts.maybe("reason", ack.reason_string);
    facts.user(&ack.properties);
    Packet::Ack(Ack { kind, packet_id: ack.packet_id.get(), code: ack.reason_code.into(), properties: facts.0 })
}

fn from_ack2(kind: AckKind, ack: v5::PublishAck2) -> Packet {
    let mut facts = Facts::default();
    facts.maybe("reason", ack.reason_string);
    facts.user(&ack.properties);
    Packet::Ack(Ack { kind, packet_id: ack.packet_id.get(), code: ack.reason_code.into(), properties: facts.0 })
}

fn from_connect(connect: v5::Connect) -> Packet {
    let mut facts = Facts::default();
    facts.seconds("session expiry", Some(connect.session_expiry_interval_secs).filter(|seconds| *seconds > 0));
    facts.maybe("receive maximum", connect.receive_max);
    facts.maybe("maximum packet size", connect.max_packet_size);
    facts.maybe("topic alias maximum", Some(connect.topic_alias_max).filter(|most| *most > 0));
    facts.maybe("authentication method", connect.auth_method);
    facts.maybe("problem information", (!connect.request_problem_info).then_some("not wanted"));
    facts.maybe("response information", connect.request_response_info.then_some("wanted"));
    facts.user(&connect.user_properties);
    if let Some(will) = &connect.last_will {
        facts.seconds("will delay", will.will_delay_interval_sec);
        facts.seconds("will expires after", will.message_expiry_interval);
        facts.maybe("will content type", will.content_type.clone());
        facts.maybe("will payload format", will.is_utf8_payload.map(|text| if text { "UTF-8 text" } else { "bytes" }));
        facts.maybe("will response topic", will.response_topic.clone());
        facts.binary("will correlation data", will.correlation_data.as_ref());
        for (name, value) in &will.user_properties {
            facts.add(&format!("will {name}"), value);
        }
    }
    Packet::Connect(Box::new(Connect {
        level: 5,
        client_id: connect.client_id.to_string(),
        username: connect.username.as_ref().map(ToString::to_string),
        last5: last5(connect.password.as_ref()),
        clean_start: connect.clean_start,
        keep_alive: connect.keep_alive,
        will: connect.last_will.map(|will| Will {
            topic: will.topic.to_string(),
            payload: Bytes::copy_from_slice(&will.message),
            qos: qos(will.qos),
            retain: will.retain,
        }),
        properties: facts.0,
    }))
}

fn from_connack(ack: v5::ConnectAck) -> Packet {
    let mut facts = Facts::default();
    facts.maybe("reason", ack.reason_string);
    facts.seconds("session expiry", ack.session_expiry_interval_secs);
    facts.maybe("receive maximum", Some(ack.receive_max.get()).filter(|most| *most < u16::MAX));
    facts.maybe("maximum QoS", Some(ack.max_qos.value()).filter(|most| *most < 2));
    facts.maybe("maximum packet size", ack.max_packet_size);
    facts.maybe("topic alias maximum", Some(ack.topic_alias_max).filter(|most| *most > 0));
    for (name, there) in [
        ("retain", ack.retain_available),
        ("wildcard subscriptions", ack.wildcard_subscription_available),
        ("subscription identifiers", ack.subscription_identifiers_available),
        ("shared subscriptions", ack.shared_subscription_available),
    ] {
        facts.maybe(name, (!there).then_some("not available"));
    }
    facts.seconds("server keep-alive", ack.server_keepalive_sec);
    facts.maybe("response information", ack.response_info);
    facts.maybe("server reference", ack.server_reference);
    facts.maybe("authentication method", ack.auth_method);
    facts.user(&ack.user_properties);
    Packet::ConnAck(Box::new(ConnAck {
        code: ack.reason_code.into(),
        session_present: ack.session_present,
        assigned: ack.assigned_client_id.map(|id| id.to_string()),
        keep_alive: ack.server_keepalive_sec,
        properties: facts.0,
    }))
}

fn from_publish(publish: CodecPublish) -> Packet {
    let mut facts = Facts::default();
    let mut alias = None;
    if let Some(given) = publish.properties {
        alias = given.topic_alias.map(|alias| alias.get());
        facts.maybe(CONTENT_TYPE, given.content_type);
        facts.maybe(PAYLOAD_FORMAT, given.is_utf8_payload.then_some("UTF-8 text"));
        facts.seconds(EXPIRY, given.message_expiry_interval);
        facts.maybe(RESPONSE_TOPIC, given.response_topic);
        facts.maybe(CORRELATION, given.correlation_data.as_deref().map(correlation_words));
        facts.maybe(TOPIC_ALIAS, alias);
        for id in given.subscription_ids {
            facts.add(SUBSCRIPTION, id);
        }
        for (name, value) in &given.user_properties {
            facts.add(&user_name(name), value);
        }
    }
    Packet::Publish(Box::new(Publish {
        topic: publish.topic.to_string(),
        alias,
        payload: publish.payload,
        qos: qos(publish.qos),
        retain: publish.retain,
        dup: publish.dup,
        packet_id: publish.packet_id.map(|id| id.get()),
        properties: facts.0,
    }))
}
