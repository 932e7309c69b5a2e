//! The broker inside Relayscope: what it promises, where it listens, and how its form is checked as a whole.
//!
//! That a key belongs to its certificate is the TLS library's to say; whether a port is free, the system's.

use super::limits::{LimitsDraft, check_limits};
use super::{BrokerSecrets, Transport, certificates, check_key, number};
use crate::endpoint::Listen;
use crate::id::ListenerId;
use crate::listener::{BrokerLimits, ClientCertificates, Listener};
use crate::problem::Problems;
use crate::secret::SecretDraft;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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
    /// How much it takes: at the plain port and at all listeners together that have no limits of their own.
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
    /// Limits of its own; nothing shares those of the broker.
    #[serde(default)]
    pub limits: Option<LimitsDraft>,
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
        limits: None,
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
        limits: saved.limits.as_ref().map(LimitsDraft::of),
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
    let address = problems
        .take(&field("address"), address(draft.listen, &draft.address))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let port = problems.take(&field("port"), port(&draft.port));
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
        limits: draft.limits.as_ref().map(|limits| check_limits(limits, &field("limits"), problems)),
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
                if let Some(message) = chain.first().and_then(|leaf| leaf.refused_at(now)) {
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

fn address(listen: Listen, address: &str) -> Result<IpAddr, String> {
    match listen {
        Listen::Loopback => Ok(Ipv4Addr::LOCALHOST.into()),
        Listen::All => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Listen::Address => crate::endpoint::own_address(address),
    }
}

fn port(text: &str) -> Result<u16, String> {
    number::<u16>(text, "port", 1, 65_535)
}

/// Where a form's listener would listen; nothing while that is not entered.
pub fn listening_at(listen: Listen, text: &str, port_text: &str) -> Option<SocketAddr> {
    Some(SocketAddr::new(address(listen, text).ok()?, port(port_text).ok()?))
}
