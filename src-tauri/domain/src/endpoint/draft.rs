//! What the endpoint's form holds. Numbers are texts, as typed; certificates are the contents of the chosen files.

use super::{Acl, AclPattern, EndpointAccess, EndpointSettings, EndpointTls};
use crate::secret::SecretDraft;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where it listens, as chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Listen {
    /// 127.0.0.1.
    #[default]
    Loopback,
    /// Every address of this computer.
    All,
    /// The address that was entered.
    Address,
}

/// What the endpoint's form holds.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDraft {
    /// Where it listens.
    pub listen: Listen,
    /// With [`Listen::Address`]: the address.
    pub address: String,
    /// Name or address by which others reach it, or the URL of a tunnel; may be empty.
    pub public: String,
    /// TLS.
    pub tls: EndpointTls,
    /// PEM of the own certificate chain.
    pub certificate: String,
    /// PEM of its private key.
    pub key: SecretDraft,
    /// Who may ask.
    pub access: EndpointAccess,
    /// The bearer token: kept, or made anew.
    pub token: SecretDraft,
    /// PEM of the authorities of client certificates.
    pub client_ca: String,
    /// Allows what would be refused.
    #[serde(rename = "unsafe")]
    pub unsafe_mode: bool,
    /// Requests a second of one source address.
    pub rate: String,
    /// Connections at the same time.
    pub connections: String,
    /// Seconds for the headers, for the body, and for the broker's acknowledgement.
    pub patience: String,
    /// What `/acl` answers.
    pub acl: AclDraft,
}

/// The rule of `/acl` in the form.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AclDraft {
    /// Which rule.
    pub mode: AclMode,
    /// With [`AclMode::Patterns`]: the patterns.
    pub patterns: Vec<AclPattern>,
}

/// Rules of `/acl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AclMode {
    /// Every topic, as in the official relay.
    #[default]
    All,
    /// What a pattern allows.
    Patterns,
}

impl EndpointDraft {
    /// The form of what is saved.
    pub fn of(settings: &EndpointSettings) -> Self {
        let listen = match settings.address {
            address if address == std::net::Ipv4Addr::LOCALHOST => Listen::Loopback,
            address if address.is_unspecified() => Listen::All,
            _ => Listen::Address,
        };
        let (mode, patterns) = match &settings.acl {
            Acl::All => (AclMode::All, vec![]),
            Acl::Patterns { patterns } => (AclMode::Patterns, patterns.clone()),
        };
        Self {
            listen,
            address: if listen == Listen::Address { settings.address.to_string() } else { String::new() },
            public: settings.public.clone(),
            tls: settings.tls,
            certificate: settings.certificate.clone().unwrap_or_default(),
            key: SecretDraft::Keep,
            access: settings.access,
            token: SecretDraft::Keep,
            client_ca: settings.client_ca.clone().unwrap_or_default(),
            unsafe_mode: settings.unsafe_mode,
            rate: settings.rate.to_string(),
            connections: settings.connections.to_string(),
            patience: settings.patience.to_string(),
            acl: AclDraft { mode, patterns },
        }
    }
}
