//! The HTTP endpoint's settings: where it listens, what protects it, what it allows; one for the whole app.
//!
//! [`EndpointDraft`] is what the form holds; [`check`] turns it into [`EndpointSettings`] or into every problem at its
//! field. Secrets travel beside the settings, as [`EndpointSecrets`]. That a key fits its certificate is the TLS library's
//! to say.

mod acl;
mod check;
mod draft;

pub use acl::{Acl, AclAccess, AclPattern, AclRequest, allows};
pub(crate) use check::own_address;
pub use check::{check, check_public, listens_on_loopback};
pub use draft::{AclDraft, AclMode, EndpointDraft, Listen};

use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use ts_rs::TS;

/// Requests a second that one source address may make, unless set otherwise.
pub const DEFAULT_RATE: u32 = 25_000;
/// Connections at the same time, unless set otherwise.
pub const DEFAULT_CONNECTIONS: u32 = 256;
/// Seconds for the headers, for the body, and for the broker's acknowledgement, unless set otherwise.
pub const DEFAULT_PATIENCE: u32 = 10;

/// How the endpoint listens and whom it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointSettings {
    /// Address; the unspecified one is every address of this computer. The port is the relay's.
    pub address: IpAddr,
    /// A host name or address by which others reach it, or the URL of a tunnel; empty when there is none.
    pub public: String,
    /// TLS.
    pub tls: EndpointTls,
    /// With [`EndpointTls::Own`]: the certificate chain (PEM), leaf first.
    pub certificate: Option<String>,
    /// Who may ask.
    pub access: EndpointAccess,
    /// With [`EndpointAccess::ClientCertificate`]: the authorities of client certificates (PEM).
    pub client_ca: Option<String>,
    /// Allows what would be refused: another address than loopback without TLS or without access control.
    #[serde(rename = "unsafe")]
    pub unsafe_mode: bool,
    /// Requests a second of one source address.
    pub rate: u32,
    /// Connections at the same time.
    pub connections: u32,
    /// Seconds for the headers, for the body, and for the broker's acknowledgement.
    pub patience: u32,
    /// What `/acl` answers.
    pub acl: Acl,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            public: String::new(),
            tls: EndpointTls::Off,
            certificate: None,
            access: EndpointAccess::Open,
            client_ca: None,
            unsafe_mode: false,
            rate: DEFAULT_RATE,
            connections: DEFAULT_CONNECTIONS,
            patience: DEFAULT_PATIENCE,
            acl: Acl::All,
        }
    }
}

impl EndpointSettings {
    /// Whether only programs of this computer reach it.
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }

    /// Whether the unsafe mode allows something that would be refused without it.
    pub fn is_unsafe(&self) -> bool {
        self.unsafe_mode && !self.is_loopback() && (self.tls == EndpointTls::Off || self.access == EndpointAccess::Open)
    }

    /// The address that others ask for `port`, without a path. `own` stands for every address of this computer.
    pub fn base_url(&self, port: u16, own: IpAddr) -> String {
        let scheme = if self.tls == EndpointTls::Off { "http" } else { "https" };
        if self.public.contains("://") {
            return self.public.trim_end_matches('/').to_owned();
        }
        let host = match (self.public.as_str(), self.address) {
            ("", address) if address.is_unspecified() => host_of(own),
            ("", address) => host_of(address),
            (name, _) => match name.parse::<IpAddr>() {
                Ok(address) => host_of(address),
                Err(_) => name.to_owned(),
            },
        };
        format!("{scheme}://{host}:{port}")
    }
}

/// An address as it stands in a URL (RFC 3986 section 3.2.2).
fn host_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// Where TLS comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EndpointTls {
    /// Plain HTTP.
    #[default]
    Off,
    /// A certificate made here.
    SelfSigned,
    /// A certificate of one's own.
    Own,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EndpointAccess {
    /// Everybody who reaches it.
    #[default]
    Open,
    /// Who knows the token.
    Bearer,
    /// Who has a certificate of a chosen authority.
    ClientCertificate,
}

/// The secrets of the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointSecrets {
    /// The bearer token.
    pub token: Option<Secret>,
    /// Private key of the own certificate (PEM).
    pub key: Option<Secret>,
    /// Private key of the certificate made here (PEM).
    pub self_signed_key: Option<Secret>,
}

#[cfg(test)]
mod tests;
