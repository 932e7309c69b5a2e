//! A saved broker: the embedded one, or a connection to somebody else's.
//!
//! [`BrokerDraft`] is what the form holds (texts as typed); [`check`] turns it into a [`Broker`] or into every problem
//! at its field. Secrets travel beside the broker, as [`BrokerSecrets`], and never inside it.

use crate::id::{BrokerId, ListenerId};
use crate::message::{MqttVersion, Qos};
use crate::secret::SecretDraft;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

mod check;
mod embedded;
mod limits;
mod pem;
#[cfg(test)]
mod tests;
pub use check::{check, check_host, number};
pub use embedded::{Embedded, EmbeddedDraft, ListenerDraft, RetainMode, TopicScope, default_listener, listening_at};
pub(crate) use embedded::{check_listener, listener_draft};
pub(crate) use limits::check_limits;
pub use limits::{LimitsChoice, LimitsDraft};
pub use pem::{Certificate, certificates, check_key};

/// A saved broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Broker {
    /// Its identity; survives renaming.
    pub id: BrokerId,
    /// What people call it; unique among brokers.
    pub name: String,
    /// Where it is.
    pub spec: BrokerSpec,
}

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum BrokerSpec {
    /// Runs inside Relayscope.
    Embedded(Embedded),
    /// Runs elsewhere; we are its client.
    External(Box<Connection>),
}

/// How to reach an external broker, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Host name or address, without scheme and port.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TCP, TLS, WebSocket or secure WebSocket.
    pub transport: Transport,
    /// Path of the WebSocket endpoint, with its leading slash; unused otherwise.
    pub path: String,
    /// Protocol version.
    pub version: MqttVersion,
    /// Client identifier; two clients with the same one push each other out.
    pub client_id: String,
    /// User name; `None` sends none.
    pub username: Option<String>,
    /// Seconds; 0 switches keep-alive off.
    pub keep_alive: u16,
    /// Clean start (MQTT 5) or clean session (3.1.1).
    pub clean_start: bool,
    /// Seconds that the broker keeps the session after a disconnect (MQTT 5).
    pub session_expiry: u32,
    /// Last will.
    pub will: Option<Will>,
    /// TLS details; unused on plain transports.
    pub tls: Tls,
}

/// How bytes travel to the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    /// Plain TCP.
    #[default]
    Tcp,
    /// TLS over TCP.
    Tls,
    /// MQTT over WebSocket.
    Ws,
    /// MQTT over WebSocket over TLS.
    Wss,
}

impl Transport {
    /// Whether TLS is spoken.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether WebSocket is spoken.
    pub fn is_ws(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

/// A last will (MQTT 5.0 section 3.1.2.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Will {
    /// Topic.
    pub topic: String,
    /// Payload as text.
    pub payload: String,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker retains it.
    pub retain: bool,
}

/// What TLS trusts and shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Own certificate authorities (PEM); `None` trusts the system's.
    pub ca: Option<String>,
    /// Client certificate chain (PEM). Its key is in [`BrokerSecrets`].
    pub client_cert: Option<String>,
    /// Application protocols to offer (RFC 7301).
    pub alpn: Vec<String>,
    /// Name the broker's certificate must carry, when it is not the host.
    pub server_name: Option<String>,
}

/// The secrets of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerSecrets {
    /// Password.
    pub password: Option<crate::secret::Secret>,
    /// Private key of the client certificate (PEM).
    pub client_key: Option<crate::secret::Secret>,
    /// Private keys of an embedded broker's listeners (PEM).
    pub listener_keys: BTreeMap<ListenerId, crate::secret::Secret>,
}

/// What the broker form holds. Numbers are texts, as typed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerDraft {
    /// `None` makes a new broker.
    pub id: Option<BrokerId>,
    /// Name.
    pub name: String,
    /// `true` for the embedded broker; then only `name`, `port`, `enabled` and `inside` count.
    pub embedded: bool,
    /// The embedded broker's settings.
    pub inside: EmbeddedDraft,
    /// Whether the embedded broker runs.
    pub enabled: bool,
    /// Host.
    pub host: String,
    /// Port.
    pub port: String,
    /// Transport.
    pub transport: Transport,
    /// WebSocket path.
    pub path: String,
    /// Protocol version.
    pub version: MqttVersion,
    /// Client identifier.
    pub client_id: String,
    /// User name; empty sends none.
    pub username: String,
    /// Password.
    pub password: SecretDraft,
    /// Keep-alive, seconds.
    pub keep_alive: String,
    /// Clean start.
    pub clean_start: bool,
    /// Session expiry, seconds.
    pub session_expiry: String,
    /// Last will, or none.
    pub will: Option<Will>,
    /// TLS details.
    pub tls: TlsDraft,
}

/// The TLS part of the broker form. Certificates are the contents of the chosen files.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TlsDraft {
    /// `true` trusts only `ca`.
    pub own_ca: bool,
    /// PEM of the certificate authorities.
    pub ca: String,
    /// PEM of the client certificate chain; empty shows none.
    pub client_cert: String,
    /// PEM of its private key.
    pub client_key: SecretDraft,
    /// Protocols, separated by commas.
    pub alpn: String,
    /// Server name; empty takes the host.
    pub server_name: String,
}

/// The default client identifier: `relayscope-` and eight characters made from `random`.
pub fn default_client_id(random: u64) -> String {
    format!("relayscope-{:08x}", random as u32)
}
