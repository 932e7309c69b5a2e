//! rmqtt's values in words: why a session ended, why a message was dropped, what a PUBLISH carried besides its payload.

use super::clients::Right;
use crate::front::Goodbye;
use crate::mqtt::properties::{
    CONTENT_TYPE, CORRELATION, EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC, TOPIC_ALIAS, correlation_words, user_name,
};
use relayscope_domain::message::{MqttVersion, Qos};
use rmqtt::codec::v5::{PublishAckReason, ToReasonCode};
use rmqtt::types::{LastWill, Publish, QoS, Reason, Subscribe};

pub(super) fn version(level: u8) -> Option<MqttVersion> {
    match level {
        4 => Some(MqttVersion::V311),
        5 => Some(MqttVersion::V5),
        _ => None,
    }
}

pub(super) fn qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}

/// The filter as the client wrote it.
pub(super) fn filter(subscribe: &Subscribe) -> String {
    match subscribe.opts.shared_group() {
        Some(group) => format!("$share/{group}/{}", subscribe.topic_filter),
        None => subscribe.topic_filter.to_string(),
    }
}

/// As whom a client comes.
pub(super) fn who(right: &Right) -> String {
    match right {
        Right::Token { account, .. } => format!("token “{}” …{}", account.name, account.last5),
        Right::Internal => "Relayscope itself".to_owned(),
        Right::Gone => "token removed meanwhile".to_owned(),
    }
}

fn will_topic<'a>(will: &'a LastWill<'_>) -> &'a str {
    match will {
        LastWill::V3(will) => &will.topic,
        LastWill::V5(will) => &will.topic,
    }
}

/// A last will in one line.
pub(super) fn will(will: &LastWill<'_>) -> String {
    let (qos, bytes) = match will {
        LastWill::V3(will) => (will.qos, will.message.len()),
        LastWill::V5(will) => (will.qos, will.message.len()),
    };
    let retained = if will.retain() { " · retained" } else { "" };
    let delay = will.will_delay_interval().filter(|delay| !delay.is_zero());
    let delay = delay.map(|delay| format!(" · {} s later", delay.as_secs())).unwrap_or_default();
    format!("{} · QoS {} · {bytes} bytes{retained}{delay}", will_topic(will), qos.value())
}

/// The properties of an MQTT 5 PUBLISH.
pub(super) fn properties(publish: &Publish) -> Vec<(String, String)> {
    let Some(given) = publish.properties.as_ref() else { return vec![] };
    let mut words = vec![];
    let mut add = |name: &str, value: String| words.push((name.to_owned(), value));
    if let Some(kind) = &given.content_type {
        add(CONTENT_TYPE, kind.to_string());
    }
    if given.is_utf8_payload {
        add(PAYLOAD_FORMAT, "UTF-8 text".to_owned());
    }
    if let Some(seconds) = given.message_expiry_interval {
        add(EXPIRY, format!("{seconds} s"));
    }
    if let Some(topic) = &given.response_topic {
        add(RESPONSE_TOPIC, topic.to_string());
    }
    if let Some(data) = &given.correlation_data {
        add(CORRELATION, correlation_words(data));
    }
    if let Some(alias) = given.topic_alias {
        add(TOPIC_ALIAS, alias.to_string());
    }
    for (name, value) in &given.user_properties {
        add(&user_name(name), value.to_string());
    }
    words
}

/// Whether a session was ended by another connection or by us.
pub(super) fn is_kick(reason: &Reason) -> bool {
    match reason {
        Reason::ConnectKicked(_) => true,
        Reason::Reasons(all) => all.iter().any(|reason| matches!(reason, Reason::ConnectKicked(_))),
        _ => false,
    }
}

/// Why the broker ends a connection, when only it knows.
pub(super) fn ended(reason: &Reason) -> Option<Goodbye> {
    let reasons = match reason {
        Reason::Reasons(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    // rmqtt lists what came first and last; the close of the connection follows every other reason.
    reasons.iter().find_map(|reason| match reason {
        Reason::ConnectKicked(false) => {
            Some(Goodbye::new(0x8e, "taken over by a new connection with the same client id"))
        }
        Reason::InflightWindowFull => {
            Some(Goodbye::new(0x93, "more publishes without their acknowledgement than the receive maximum allows"))
        }
        Reason::ConnectReadWriteTimeout => Some(Goodbye::new(0x97, "the client stopped reading or writing")),
        Reason::ProtocolError(text) => Some(Goodbye::new(0x82, format!("protocol error: {text}"))),
        Reason::MqttError(error) => {
            Some(Goodbye::new(error.to_reason_code().into(), format!("protocol error: {error}")))
        }
        Reason::Error(text) => Some(Goodbye::new(0x80, format!("ended by the broker: {text}"))),
        Reason::SubscribeFailed(_) | Reason::UnsubscribeFailed(_) | Reason::SubscribeRefused => {
            Some(Goodbye::new(0x82, format!("ended by the broker: {reason}")))
        }
        _ => None,
    })
}

/// Why a message was dropped.
pub(super) fn dropped(reason: &Reason) -> String {
    match reason {
        Reason::MessageQueueFull => {
            "queue full: the client is away or too slow, and its queue holds no more".to_owned()
        }
        Reason::InflightWindowFull => "too many messages wait for the client's acknowledgement".to_owned(),
        Reason::MessageExpiration => "expired before it could be delivered".to_owned(),
        Reason::SessionExpiration => "the client's session expired".to_owned(),
        Reason::PublishResult(result) if result.reason_code == PublishAckReason::NotAuthorized => {
            "refused: the token does not allow publishing".to_owned()
        }
        Reason::Error(text) => text.to_string(),
        Reason::ConnectDisconnect(_)
        | Reason::ConnectRemoteClose
        | Reason::ConnectKicked(_)
        | Reason::ConnectKeepaliveTimeout
        | Reason::ConnectReadWriteError
        | Reason::ConnectReadWriteTimeout
        | Reason::Reasons(_) => match ended(reason) {
            Some(goodbye) => format!("the session ended with messages undelivered: {}", goodbye.words),
            None => "the session ended with messages undelivered".to_owned(),
        },
        other => other.to_string(),
    }
}
