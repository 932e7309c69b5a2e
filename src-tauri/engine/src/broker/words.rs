//! rmqtt's values in words: why a session ended, why a message was dropped, what a PUBLISH carried besides its payload.

use super::clients::{Client, Right};
use relayscope_domain::message::{MqttVersion, Qos};
use rmqtt::codec::v5::PublishAckReason;
use rmqtt::types::{ConnectInfo, Disconnect, LastWill, Publish, QoS, Reason, Subscribe};

/// Longest correlation data shown in full, bytes.
const CORRELATION_SHOWN: usize = 64;

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

/// What is worth knowing of a new connection.
pub(super) fn connection(info: &ConnectInfo, right: &Right) -> String {
    let mut parts = vec![match right {
        Right::Token { account, .. } => format!("token “{}” …{}", account.name, account.last5),
        Right::Internal => "Relayscope itself".to_owned(),
        Right::Gone => "token removed meanwhile".to_owned(),
    }];
    parts.push(match info.keep_alive() {
        0 => "no keep-alive".to_owned(),
        seconds => format!("keep-alive {seconds} s"),
    });
    parts.push(if info.clean_start() { "clean start".to_owned() } else { "session kept".to_owned() });
    if let Some(will) = info.last_will() {
        parts.push(format!("will on {}", will_topic(&will)));
    }
    if let Some(address) = info.ipaddress() {
        parts.push(format!("from {address}"));
    }
    parts.join(" · ")
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
        add("content type", kind.to_string());
    }
    if given.is_utf8_payload {
        add("payload format", "UTF-8 text".to_owned());
    }
    if let Some(seconds) = given.message_expiry_interval {
        add("expires after", format!("{seconds} s"));
    }
    if let Some(topic) = &given.response_topic {
        add("response topic", topic.to_string());
    }
    if let Some(data) = &given.correlation_data {
        let shown = &data[..data.len().min(CORRELATION_SHOWN)];
        let mut text: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        if shown.len() < data.len() {
            text.push_str(&format!("… ({} bytes)", data.len()));
        }
        add("correlation data", text);
    }
    if let Some(alias) = given.topic_alias {
        add("topic alias", alias.to_string());
    }
    for (name, value) in &given.user_properties {
        add(name, value.to_string());
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

/// Why a session ended, and whether it ended as intended.
pub(super) fn disconnected(reason: &Reason, client: Option<&Client>) -> (String, bool) {
    let reasons = match reason {
        Reason::Reasons(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    // rmqtt lists what came first and last: a DISCONNECT is followed by the close of the connection, and it is what counts.
    let goodbye = reasons.iter().find_map(|reason| match reason {
        Reason::ConnectDisconnect(packet) => Some(packet),
        _ => None,
    });
    if let Some(packet) = goodbye {
        return match packet {
            Some(Disconnect::V5(packet)) if u8::from(packet.reason_code) != 0 => {
                let code = u8::from(packet.reason_code);
                let text = packet.reason_string.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
                (format!("the client sent DISCONNECT with reason 0x{code:02X}{text}"), false)
            }
            _ => ("the client sent DISCONNECT".to_owned(), true),
        };
    }
    let words = reasons.first().map_or_else(|| NO_GOODBYE.to_owned(), |reason| end(reason, client));
    (words, false)
}

const NO_GOODBYE: &str = "the connection was closed without DISCONNECT";

fn end(reason: &Reason, client: Option<&Client>) -> String {
    match reason {
        Reason::ConnectRemoteClose => NO_GOODBYE.to_owned(),
        Reason::ConnectKeepaliveTimeout => match client.map(|client| client.keep_alive) {
            Some(seconds) => format!("nothing came within one and a half times the keep-alive of {seconds} s"),
            None => "nothing came within one and a half times the keep-alive".to_owned(),
        },
        Reason::ConnectKicked(by_us) => {
            let because = client.and_then(|client| client.cut_because.get()).copied();
            because.map(str::to_owned).unwrap_or_else(|| match by_us {
                true => "disconnected by Relayscope".to_owned(),
                false => "taken over by a new connection with the same client id".to_owned(),
            })
        }
        Reason::ConnectReadWriteTimeout => "the client stopped reading or writing".to_owned(),
        Reason::ConnectReadWriteError => "the connection broke".to_owned(),
        Reason::ProtocolError(text) => format!("protocol error: {text}"),
        Reason::Error(text) => format!("the connection broke: {text}"),
        Reason::MqttError(error) => format!("protocol error: {error}"),
        other => format!("ended by the broker: {other}"),
    }
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
        | Reason::Reasons(_) => {
            format!("the session ended with messages undelivered: {}", disconnected(reason, None).0)
        }
        other => other.to_string(),
    }
}
