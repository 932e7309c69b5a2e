//! Where the embedded broker listens and how much it takes: listeners, limits, and the presets of TagoIO's plans.
//!
//! Private keys travel beside a [`Listener`] and never inside it. How limits are counted is not known here.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use ts_rs::TS;

/// Seconds a new connection has to send its CONNECT, unless set otherwise.
pub const FIRST_PACKET_SECONDS: u32 = 10;
/// Largest MQTT packet, bytes, unless set otherwise.
pub const PACKET_BYTES: u32 = 16 * 1024 * 1024;

/// How much is taken: at one listener, or at those together that have no limits of their own. `None` is no limit; a minute
/// is the last sixty seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerLimits {
    /// Connections at the same time.
    pub connections: Option<u32>,
    /// New connections per minute.
    pub connections_per_minute: Option<u32>,
    /// Seconds from accepting a connection to its whole CONNECT.
    pub first_packet_seconds: u32,
    /// Publishes taken from all clients per minute.
    pub publishes_per_minute: Option<u32>,
    /// Publishes delivered to all clients per minute.
    pub receives_per_minute: Option<u32>,
    /// Largest packet, bytes.
    pub packet_bytes: Option<u32>,
    /// Subscriptions of one client.
    pub subscriptions: Option<u32>,
    /// Bytes that may wait for one client that does not read; without a limit its broker is made to wait instead.
    pub slow_reader_bytes: Option<u32>,
}

impl BrokerLimits {
    /// Only the time for the first packet is limited.
    pub const UNLIMITED: Self = Self {
        connections: None,
        connections_per_minute: None,
        first_packet_seconds: FIRST_PACKET_SECONDS,
        publishes_per_minute: None,
        receives_per_minute: None,
        packet_bytes: None,
        subscriptions: None,
        slow_reader_bytes: None,
    };
}

impl Default for BrokerLimits {
    fn default() -> Self {
        LimitPreset::None.limits()
    }
}

/// Known sets of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LimitPreset {
    /// Only what keeps a broken client from harming others.
    #[default]
    None,
    /// TagoIO's Free plan.
    Free,
    /// TagoIO's Starter plan.
    Starter,
    /// TagoIO's Scale plan.
    Scale,
}

impl LimitPreset {
    /// All of them, loosest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Free, Self::Starter, Self::Scale];

    /// Its numbers: publishes, receives and connections per minute of a profile (docs.tago.io, *Rate limits and hard
    /// limits*). TagoIO names no limit of simultaneous connections, subscriptions, packet size
    /// or waiting bytes.
    pub fn limits(self) -> BrokerLimits {
        let (messages, connections) = match self {
            Self::None => (None, None),
            Self::Free => (Some(250), Some(20)),
            Self::Starter => (Some(5_000), Some(100)),
            Self::Scale => (Some(15_000), Some(200)),
        };
        BrokerLimits {
            connections_per_minute: connections,
            publishes_per_minute: messages,
            receives_per_minute: messages,
            packet_bytes: Some(PACKET_BYTES),
            ..BrokerLimits::UNLIMITED
        }
    }

    /// Its numbers for people, line by line.
    pub fn words(self) -> Vec<String> {
        let limits = self.limits();
        let minute = [
            (limits.connections_per_minute, "new connections a minute"),
            (limits.publishes_per_minute, "publishes a minute"),
            (limits.receives_per_minute, "deliveries a minute"),
        ];
        let mut lines: Vec<String> =
            minute.into_iter().filter_map(|(number, what)| number.map(|number| format!("{number} {what}"))).collect();
        if lines.is_empty() {
            lines.push("Only what keeps a broken client from harming others".to_owned());
        }
        lines.extend(limits.packet_bytes.map(|bytes| format!("Packets of {} MB at most", bytes >> 20)));
        lines.push(format!("{} s from connecting to the first packet", limits.first_packet_seconds));
        lines
    }

    /// The preset that has exactly these numbers.
    pub fn of(limits: &BrokerLimits) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.limits() == *limits)
    }
}

/// One more place where an embedded broker listens, besides its plain TCP port on 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its identity; its private key is kept under it.
    pub id: crate::id::ListenerId,
    /// How bytes travel.
    pub transport: crate::broker::Transport,
    /// Address; the unspecified one is every address of this computer.
    #[ts(type = "string")]
    pub address: IpAddr,
    /// TCP port.
    pub port: u16,
    /// With TLS: the certificate chain (PEM), leaf first.
    pub certificate: Option<String>,
    /// With TLS: whether clients show a certificate.
    pub client_certificates: ClientCertificates,
    /// With client certificates: their authorities (PEM).
    pub client_ca: Option<String>,
    /// Its own limits, counted for it alone; without them it shares those of the broker.
    #[serde(default)]
    pub limits: Option<BrokerLimits>,
}

/// Whether a TLS listener asks clients for a certificate. A device token is asked for all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ClientCertificates {
    /// Not asked for.
    #[default]
    Off,
    /// Asked for; a client without one is let in.
    Optional,
    /// A client without one is refused.
    Required,
}

impl Listener {
    /// Whether only programs of this computer reach it.
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_was_saved_without_limits_shares_those_of_its_broker() {
        let saved = r#"{"id":"00000000-0000-0000-0000-000000000001","transport":"tcp","address":"127.0.0.1","port":1884,
            "certificate":null,"clientCertificates":"off","clientCa":null}"#;
        assert_eq!(serde_json::from_str::<Listener>(saved).unwrap().limits, None);
    }

    #[test]
    fn presets_say_their_numbers() {
        let starter = ["100 new connections a minute", "5000 publishes a minute", "5000 deliveries a minute"];
        let all = ["Packets of 16 MB at most", "10 s from connecting to the first packet"];
        assert_eq!(LimitPreset::Starter.words(), [&starter[..], &all].concat());
        let none = LimitPreset::None.words();
        assert!(none[0].starts_with("Only") && none[1..] == all);
    }

    #[test]
    fn presets_are_told_by_their_numbers() {
        for preset in LimitPreset::ALL {
            assert_eq!(LimitPreset::of(&preset.limits()), Some(preset));
        }
        let own = BrokerLimits { subscriptions: Some(10), ..LimitPreset::Free.limits() };
        assert_eq!(LimitPreset::of(&own), None);
        assert_eq!(serde_json::from_str::<BrokerLimits>("{}").unwrap(), BrokerLimits::default());
    }
}
