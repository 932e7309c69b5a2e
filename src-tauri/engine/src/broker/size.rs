//! How many bytes a PUBLISH of MQTT 5 has on the wire (section 3.3), before it is encoded.

use rmqtt::types::{Publish, QoS};

/// Bytes of a variable byte integer (section 1.5.5).
fn variable(number: usize) -> usize {
    match number {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}

/// Bytes a topic alias adds (section 3.3.2.3.4).
pub(super) const TOPIC_ALIAS: u32 = 3;

/// Bytes of a whole PUBLISH without a topic alias.
pub(super) fn publish(publish: &Publish) -> usize {
    let mut properties = 0;
    if let Some(given) = &publish.properties {
        let text = |length: Option<usize>| length.map_or(0, |length| 3 + length);
        properties += if given.is_utf8_payload { 2 } else { 0 };
        properties += if given.message_expiry_interval.is_some() { 5 } else { 0 };
        properties += text(given.content_type.as_ref().map(|it| it.len()));
        properties += text(given.response_topic.as_ref().map(|it| it.len()));
        properties += text(given.correlation_data.as_ref().map(|it| it.len()));
        properties += given.user_properties.iter().map(|(name, value)| 5 + name.len() + value.len()).sum::<usize>();
        properties += given.subscription_ids.iter().map(|id| 1 + variable(id.get() as usize)).sum::<usize>();
    }
    let packet_id = if publish.qos == QoS::AtMostOnce { 0 } else { 2 };
    let rest = 2 + publish.topic.len() + packet_id + variable(properties) + properties + publish.payload.len();
    1 + variable(rest) + rest
}
