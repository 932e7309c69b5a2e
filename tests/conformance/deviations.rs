//! What each broker is known to do otherwise. A case that fails must stand here, and what stands here must fail.

use super::packet::Version::{self, V3, V5};

/// Version, statement, reason.
pub(crate) type Deviation = (Version, &'static str, &'static str);

/// The embedded broker.
pub(crate) const EMBEDDED: &[Deviation] = &[];

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
