//! Where the specification of MQTT says what a detail of an event is. Sections are those of MQTT 5.0 (OASIS Standard,
//! 7 March 2019); 3.1.1 has most of them under the same numbers.

use super::event::Kind;

/// The section of a detail of an event; none for what MQTT does not know.
pub(super) fn of(kind: &Kind, label: &str) -> Option<&'static str> {
    let section = match (kind, label) {
        (Kind::Refused { code: Some(0..0x80), .. }, "Code") => "MQTT 3.1.1 §3.2.2.3",
        (Kind::Refused { .. }, "Code") => "MQTT 5.0 §3.2.2.2",
        (Kind::Connected { .. }, "Session present") => "MQTT 5.0 §3.2.2.1.1",
        (Kind::Connected { .. }, "Will message") => "MQTT 5.0 §3.1.2.5",
        (Kind::Subscribed { .. } | Kind::Unsubscribed { .. }, "Filter") => "MQTT 5.0 §4.7",
        (Kind::Subscribed { .. }, "QoS asked for") => "MQTT 5.0 §3.8.3.1",
        (Kind::Subscribed { .. }, "QoS granted" | "Refused") => "MQTT 5.0 §3.9.3",
        (Kind::Publish { .. }, label) => return publish(label),
        (Kind::Disconnected { .. }, "Reason") => "MQTT 5.0 §3.14.2.1",
        _ => return None,
    };
    Some(section)
}

fn publish(label: &str) -> Option<&'static str> {
    Some(match label {
        "Topic" => "MQTT 5.0 §3.3.2.1",
        "QoS" => "MQTT 5.0 §3.3.1.2",
        "Retained" => "MQTT 5.0 §3.3.1.3",
        "Duplicate" => "MQTT 5.0 §3.3.1.1",
        "Packet id" => "MQTT 5.0 §3.3.2.2",
        "Payload format indicator" | "Payload format" => "MQTT 5.0 §3.3.2.3.2",
        "Message expiry interval" | "Message expiry" => "MQTT 5.0 §3.3.2.3.3",
        "Topic alias" => "MQTT 5.0 §3.3.2.3.4",
        "Response topic" => "MQTT 5.0 §3.3.2.3.5",
        "Correlation data" => "MQTT 5.0 §3.3.2.3.6",
        "Subscription identifier" => "MQTT 5.0 §3.3.2.3.8",
        "Content type" => "MQTT 5.0 §3.3.2.3.9",
        other if other.starts_with("User property") => "MQTT 5.0 §3.3.2.3.7",
        _ => return None,
    })
}
