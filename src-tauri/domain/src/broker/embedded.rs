//! The broker inside Relayscope: what it promises, where it listens, and how its form is checked as a whole.
//!
//! That a key belongs to its certificate is the TLS library's to say; whether a port is free, the system's.

use super::{BrokerSecrets, Transport, certificates, check_key, number};
use crate::endpoint::{Listen, out_of_date};
use crate::id::ListenerId;
use crate::listener::{BrokerLimits, ClientCertificates, LimitPreset, Listener};
use crate::problem::Problems;
use crate::secret::SecretDraft;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ts_rs::TS;

/// The port of MQTT over TCP (IANA).
const PORT: u16 = 1883;
/// Listeners besides the plain one.
const MAX_LISTENERS: usize = 16;

/// The embedded broker. Its plain TCP port is always on 127.0.0.1; listeners may be elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Embedded {
    /// TCP port on 127.0.0.1 that is wanted; the next free one is taken when it is in use, and shown.
    pub port: u16,
    /// Whether it runs.
    pub enabled: bool,
    /// Who gets what others publish.
    pub scope: TopicScope,
    /// Whether it keeps retained messages.
    pub retain: RetainMode,
    /// Whether sessions, their queued messages and retained messages survive a restart.
    pub persist: bool,
    /// How much it takes.
    pub limits: BrokerLimits,
    /// Where it listens besides.
    pub listeners: Vec<Listener>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self {
            port: PORT,
            enabled: true,
            scope: TopicScope::Shared,
            retain: RetainMode::On,
            persist: true,
            limits: BrokerLimits::default(),
            listeners: vec![],
        }
    }
}

/// Who gets what a device publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TopicScope {
    /// Every client that subscribes, as at any broker.
    #[default]
    Shared,
    /// Only clients of the same device, as in TagoCore; and Relayscope's own relays.
    PerDevice,
}

/// What becomes of retained messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RetainMode {
    /// The last one of each topic is kept, as the specification says.
    #[default]
    On,
    /// None is kept, as at TagoIO; MQTT 5 clients are told with *Retain Available 0*.
    TagoIo,
}

/// What the form of the embedded broker holds. Numbers are texts, as typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedDraft {
    /// Who gets what others publish.
    pub scope: TopicScope,
    /// Whether it keeps retained messages.
    pub retain: RetainMode,
    /// Whether sessions and messages survive a restart.
    pub persist: bool,
    /// How much it takes.
    pub limits: LimitsDraft,
    /// Where it listens besides.
    pub listeners: Vec<ListenerDraft>,
}

/// Which limits are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LimitsChoice {
    /// None but those that keep a broken client from harming others.
    #[default]
    None,
    /// TagoIO's Free plan.
    Free,
    /// TagoIO's Starter plan.
    Starter,
    /// TagoIO's Scale plan.
    Scale,
    /// The numbers of the form.
    Own,
}

/// The limits in the form; an empty text is no limit. Only [`LimitsChoice::Own`] reads them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LimitsDraft {
    /// Which.
    pub choice: LimitsChoice,
    /// Connections at the same time.
    pub connections: String,
    /// New connections per minute.
    pub connections_per_minute: String,
    /// Seconds to the first packet.
    pub first_packet_seconds: String,
    /// Publishes taken per minute.
    pub publishes_per_minute: String,
    /// Publishes delivered per minute.
    pub receives_per_minute: String,
    /// Largest packet, bytes.
    pub packet_bytes: String,
    /// Subscriptions of one client.
    pub subscriptions: String,
    /// Bytes waiting for one client that does not read.
    pub slow_reader_bytes: String,
}

/// One listener in the form. Certificates are the contents of the chosen files.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ListenerDraft {
    /// Its identity; the page keeps it.
    pub id: ListenerId,
    /// How bytes travel.
    pub transport: Transport,
    /// Where it listens.
    pub listen: Listen,
    /// With [`Listen::Address`]: the address.
    pub address: String,
    /// TCP port.
    pub port: String,
    /// Confirms that other computers may reach it.
    pub exposed: bool,
    /// PEM of the certificate chain.
    pub certificate: String,
    /// PEM of its private key.
    pub key: SecretDraft,
    /// Whether clients show a certificate.
    pub client_certificates: ClientCertificates,
    /// PEM of the authorities of client certificates.
    pub client_ca: String,
}

/// A new listener's form: TLS, reachable from other computers.
pub fn default_listener(id: ListenerId) -> ListenerDraft {
    ListenerDraft {
        id,
        transport: Transport::Tls,
        listen: Listen::All,
        address: String::new(),
        port: "8883".into(),
        exposed: false,
        certificate: String::new(),
        key: SecretDraft::Keep,
        client_certificates: ClientCertificates::Off,
        client_ca: String::new(),
    }
}

impl EmbeddedDraft {
    /// The form of what is saved.
    pub fn of(saved: &Embedded) -> Self {
        Self {
            scope: saved.scope,
            retain: saved.retain,
            persist: saved.persist,
            limits: LimitsDraft::of(&saved.limits),
            listeners: saved.listeners.iter().map(listener_draft).collect(),
        }
    }
}

impl LimitsDraft {
    /// The form of what is saved.
    pub fn of(limits: &BrokerLimits) -> Self {
        let text = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            choice: match LimitPreset::of(limits) {
                Some(LimitPreset::None) => LimitsChoice::None,
                Some(LimitPreset::Free) => LimitsChoice::Free,
                Some(LimitPreset::Starter) => LimitsChoice::Starter,
                Some(LimitPreset::Scale) => LimitsChoice::Scale,
                None => LimitsChoice::Own,
            },
            connections: text(limits.connections),
            connections_per_minute: text(limits.connections_per_minute),
            first_packet_seconds: limits.first_packet_seconds.to_string(),
            publishes_per_minute: text(limits.publishes_per_minute),
            receives_per_minute: text(limits.receives_per_minute),
            packet_bytes: text(limits.packet_bytes),
            subscriptions: text(limits.subscriptions),
            slow_reader_bytes: text(limits.slow_reader_bytes),
        }
    }
}

/// The form of a saved listener.
pub(crate) fn listener_draft(saved: &Listener) -> ListenerDraft {
    let listen = match saved.address {
        address if address == Ipv4Addr::LOCALHOST => Listen::Loopback,
        address if address.is_unspecified() => Listen::All,
        _ => Listen::Address,
    };
    ListenerDraft {
        id: saved.id,
        transport: saved.transport,
        listen,
        address: if listen == Listen::Address { saved.address.to_string() } else { String::new() },
        port: saved.port.to_string(),
        // It was confirmed when it was saved.
        exposed: !saved.is_loopback(),
        certificate: saved.certificate.clone().unwrap_or_default(),
        key: SecretDraft::Keep,
        client_certificates: saved.client_certificates,
        client_ca: saved.client_ca.clone().unwrap_or_default(),
    }
}

pub(super) fn check(
    draft: &EmbeddedDraft,
    port: u16,
    enabled: bool,
    now: i64,
    stored: &BrokerSecrets,
    problems: &mut Problems,
) -> Embedded {
    if draft.listeners.len() > MAX_LISTENERS {
        problems.add("inside.listeners", format!("At most {MAX_LISTENERS} listeners."));
    }
    let mut listeners: Vec<Listener> = vec![];
    for (at, one) in draft.listeners.iter().enumerate() {
        let has_key = stored.listener_keys.contains_key(&one.id);
        let listener = check_listener(one, &format!("inside.listeners.{at}"), now, has_key, problems);
        if let Some(clash) = clash(&listener, port, &listeners) {
            problems.add(format!("inside.listeners.{at}.port"), clash);
        }
        listeners.push(listener);
    }
    Embedded {
        port,
        enabled,
        scope: draft.scope,
        retain: draft.retain,
        persist: draft.persist,
        limits: check_limits(&draft.limits, "inside.limits", problems),
        listeners,
    }
}

/// Two sockets can't have a port in common, unless their addresses are two.
fn clash(listener: &Listener, port: u16, earlier: &[Listener]) -> Option<String> {
    let overlap = |one: IpAddr, other: IpAddr| one == other || one.is_unspecified() || other.is_unspecified();
    if listener.port == port && overlap(listener.address, Ipv4Addr::LOCALHOST.into()) {
        return Some(format!("Port {port} is the one of 127.0.0.1 above; choose another."));
    }
    let other =
        earlier.iter().position(|other| other.port == listener.port && overlap(other.address, listener.address));
    other.map(|at| format!("Port {} is taken by listener {} above; choose another.", listener.port, at + 1))
}

/// Checks one listener; `path` is where its fields lie in the draft.
pub(crate) fn check_listener(
    draft: &ListenerDraft,
    path: &str,
    now: i64,
    has_key: bool,
    problems: &mut Problems,
) -> Listener {
    let field = |name: &str| format!("{path}.{name}");
    let address = problems.take(&field("address"), address(draft)).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let port = problems.take(&field("port"), number::<u16>(&draft.port, "port", 1, 65_535));
    if !address.is_loopback() && !draft.exposed {
        problems.add(field("exposed"), "Other computers will reach this listener. Confirm that, or choose 127.0.0.1.");
    }
    let tls = draft.transport.is_tls();
    let asks = tls && draft.client_certificates != ClientCertificates::Off;
    if tls {
        check_certificate(draft, &field, now, has_key, problems);
    }
    if asks {
        if draft.client_ca.trim().is_empty() {
            problems.add(field("clientCa"), "Choose the certificate authority that issues the client certificates.");
        } else if let Err(message) = certificates(&draft.client_ca) {
            problems.add(field("clientCa"), message);
        }
    }
    Listener {
        id: draft.id,
        transport: draft.transport,
        address,
        port: port.unwrap_or_default(),
        certificate: tls.then(|| draft.certificate.clone()),
        client_certificates: if tls { draft.client_certificates } else { ClientCertificates::Off },
        client_ca: asks.then(|| draft.client_ca.clone()),
    }
}

fn check_certificate(
    draft: &ListenerDraft,
    field: &impl Fn(&str) -> String,
    now: i64,
    has_key: bool,
    problems: &mut Problems,
) {
    if draft.certificate.trim().is_empty() {
        problems.add(field("certificate"), "Choose the certificate that this listener shows.");
    } else {
        match certificates(&draft.certificate) {
            Err(message) => problems.add(field("certificate"), message),
            Ok(chain) => {
                if let Some(message) = chain.first().and_then(|leaf| out_of_date(leaf, now)) {
                    problems.add(field("certificate"), message);
                }
            }
        }
    }
    match &draft.key {
        SecretDraft::Set { value } => {
            if let Err(message) = check_key(value) {
                problems.add(field("key"), message);
            }
        }
        SecretDraft::Keep if has_key => {}
        SecretDraft::Keep | SecretDraft::Clear | SecretDraft::Generate => {
            problems.add(field("key"), "Choose the private key that belongs to the certificate.");
        }
    }
}

fn address(draft: &ListenerDraft) -> Result<IpAddr, String> {
    match draft.listen {
        Listen::Loopback => Ok(Ipv4Addr::LOCALHOST.into()),
        Listen::All => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Listen::Address => crate::endpoint::own_address(&draft.address),
    }
}

/// Checks limits; `path` is where their fields lie in the draft.
pub(crate) fn check_limits(draft: &LimitsDraft, path: &str, problems: &mut Problems) -> BrokerLimits {
    let preset = match draft.choice {
        LimitsChoice::None => LimitPreset::None,
        LimitsChoice::Free => LimitPreset::Free,
        LimitsChoice::Starter => LimitPreset::Starter,
        LimitsChoice::Scale => LimitPreset::Scale,
        LimitsChoice::Own => return own_limits(draft, path, problems),
    };
    preset.limits()
}

fn own_limits(draft: &LimitsDraft, path: &str, problems: &mut Problems) -> BrokerLimits {
    let mut optional = |field: &str, text: &str, what: &str, (min, max): (u64, u64)| {
        let number = if text.trim().is_empty() { Ok(None) } else { number::<u32>(text, what, min, max).map(Some) };
        problems.take(&format!("{path}.{field}"), number).flatten()
    };
    let connections = optional("connections", &draft.connections, "number of connections", (1, 100_000));
    let connections_per_minute =
        optional("connectionsPerMinute", &draft.connections_per_minute, "number of connections", (1, 1_000_000));
    let publishes_per_minute =
        optional("publishesPerMinute", &draft.publishes_per_minute, "number of publishes", (1, 100_000_000));
    let receives_per_minute =
        optional("receivesPerMinute", &draft.receives_per_minute, "number of messages", (1, 100_000_000));
    let subscriptions = optional("subscriptions", &draft.subscriptions, "number of subscriptions", (1, 100_000));
    let slow_reader_bytes = optional("slowReaderBytes", &draft.slow_reader_bytes, "number of bytes", (65_536, 1 << 30));
    let mut needed = |field: &str, text: &str, what: &str, min: u64, max: u64| {
        problems.take(&format!("{path}.{field}"), number::<u32>(text, what, min, max)).unwrap_or_default()
    };
    BrokerLimits {
        connections,
        connections_per_minute,
        first_packet_seconds: needed("firstPacketSeconds", &draft.first_packet_seconds, "time limit", 1, 300),
        publishes_per_minute,
        receives_per_minute,
        // 268,435,460: the longest packet there is (MQTT 5.0 section 2.1.4).
        packet_bytes: Some(needed("packetBytes", &draft.packet_bytes, "packet size", 128, 268_435_460)),
        subscriptions,
        slow_reader_bytes,
    }
}
