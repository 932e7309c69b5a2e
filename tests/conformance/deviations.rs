//! What each broker is known to do otherwise. A case that fails must stand here, and what stands here must fail.

use super::packet::Version::{self, V3, V5};

/// Version, statement, reason.
pub(crate) type Deviation = (Version, &'static str, &'static str);

const CODEC: &str = "rmqtt's codec does not check it";
const NO_GOODBYE: &str = "rmqtt closes the connection without a DISCONNECT";
const NULL: &str = "rmqtt's codec takes U+0000 for a letter";
const WILDCARD: &str = "rmqtt takes a PUBLISH to a topic with wildcards; nobody gets it";
const AFTER_GOODBYE: &str = "rmqtt reads on after DISCONNECT, until the client closes the connection";
const REVERSED: &str = "rmqtt sends what was not acknowledged again in reverse order";
const GROUP_NAME: &str = "rmqtt does not look at the name of a group";

/// The embedded broker.
pub(crate) const EMBEDDED: &[Deviation] = &[
    (V3, "MQTT-1.5.3-2", NULL),
    (V3, "MQTT-3.1.2-2", "rmqtt closes the connection without a CONNACK"),
    (V3, "MQTT-3.3.2-2", WILDCARD),
    (V3, "MQTT-3.8.3-4", CODEC),
    (V3, "MQTT-3.14.4-1", AFTER_GOODBYE),
    (V3, "MQTT-4.4.0-1", REVERSED),
    (V3, "MQTT-4.7.1-1", WILDCARD),
    (V3, "MQTT-4.7.3-2", NULL),
    (V5, "MQTT-1.5.4-2", NULL),
    (V5, "MQTT-3.1.2-8", "rmqtt drops the will also when DISCONNECT asks for it (reason 0x04)"),
    (V5, "MQTT-3.1.2-11", CODEC),
    (V5, "MQTT-3.1.2-13", CODEC),
    (V5, "MQTT-3.1.2-24", "rmqtt closes the connection instead of leaving the message out"),
    (V5, "MQTT-3.1.2-25", "rmqtt closes the connection instead of leaving the message out"),
    (V5, "MQTT-3.1.4-3", NO_GOODBYE),
    (V5, "MQTT-3.3.2-2", WILDCARD),
    (V5, "MQTT-3.3.2-9", "rmqtt drops the message and keeps the connection"),
    (V5, "MQTT-3.3.2-14", CODEC),
    (V5, "MQTT-3.3.4-2", "rmqtt takes the QoS of the first filter it finds, not the highest"),
    (V5, "MQTT-3.3.4-6", CODEC),
    (V5, "MQTT-3.3.4-7", NO_GOODBYE),
    (V5, "MQTT-3.8.3-4", CODEC),
    (V5, "MQTT-3.11.3-1", "rmqtt answers every filter with success, also one that was never subscribed to"),
    (V5, "MQTT-3.14.1-1", NO_GOODBYE),
    (V5, "MQTT-3.14.4-1", AFTER_GOODBYE),
    (V5, "MQTT-4.4.0-1", REVERSED),
    (V5, "MQTT-4.7.0-1", WILDCARD),
    (V5, "MQTT-4.7.3-2", NULL),
    (V5, "MQTT-4.8.2-1", GROUP_NAME),
    (V5, "MQTT-4.8.2-2", GROUP_NAME),
    (V5, "MQTT-4.13.2-1", AFTER_GOODBYE),
];

const TOLERANT: &str = "Mosquitto does not look at these bits";
const ODD_PACKET: &str = "Mosquitto takes answers from a client, as bridges send them";

/// Debian's Mosquitto 2.0.11.
pub(crate) const MOSQUITTO: &[Deviation] = &[
    (V3, "MQTT-2.2.2-2", TOLERANT),
    (V3, "MQTT-4.8.0-1", ODD_PACKET),
    (V5, "MQTT-2.1.3-1", TOLERANT),
    (V5, "MQTT-3.1.2-25", "a message that is too large keeps its place in the window"),
    (V5, "MQTT-3.1.4-3", "Mosquitto closes the connection without a DISCONNECT"),
    (V5, "MQTT-3.3.2-14", "Mosquitto does not look at the response topic"),
    (V5, "MQTT-3.3.4-6", "Mosquitto takes a subscription identifier from a client"),
    (V5, "MQTT-3.3.4-7", "Mosquitto answers PUBREC 0x97 and keeps the connection"),
    (V5, "MQTT-3.8.3-4", "Mosquitto takes no local with a shared subscription"),
    (V5, "MQTT-3.14.1-1", "Mosquitto closes the connection without a DISCONNECT"),
    (V5, "MQTT-4.8.2-1", "Mosquitto takes a group without a name"),
    (V5, "MQTT-4.8.2-2", "Mosquitto takes a group without a filter"),
    (V5, "MQTT-4.9.0-2", "Mosquitto sends one more than the window allows after an acknowledgement"),
    (V5, "MQTT-4.13.1-1", ODD_PACKET),
];
