//! TLS of the endpoint: the server's configuration, the certificate made here, fingerprints.
//!
//! TLS 1.2 and 1.3; sessions are resumed from a cache in memory that ends with the endpoint, so that a changed authority
//! counts at once. With client certificates the chosen authorities are joined by one that lives in memory only and signed
//! nothing but the endpoint's own test ([`Probe`]): so the test walks the same way as everybody else.

use crate::mqtt::tls::{ders, private_key, provider};
use crate::runtime::Probe;
use crate::store::EndpointRecord;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use relayscope_domain::endpoint::{EndpointAccess, EndpointSettings, EndpointTls};
use relayscope_domain::secret::Secret;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

// Sessions that can be resumed; the oldest leave first.
const SESSIONS: usize = 1_024;
const SELF_SIGNED_DAYS: u64 = 730;
const PROBE_DAYS: u64 = 3_650;
const DAY: Duration = Duration::from_secs(86_400);

/// Why the endpoint has no TLS. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EndpointTlsError {
    /// The certificate is no use.
    #[error("The endpoint's certificate can't be used: {0}")]
    Certificate(String),
    /// The key is no use.
    #[error("The endpoint's key can't be used: {0}")]
    Key(String),
    /// The key belongs to another certificate.
    #[error("The key does not belong to the certificate. Choose the two files that were made together.")]
    KeyMismatch,
    /// The authority of client certificates is no use.
    #[error("The authority of the client certificates can't be used: {0}")]
    ClientCa(String),
    /// A certificate can't be made.
    #[error("failed to make a certificate")]
    Make(#[from] rcgen::Error),
    /// rustls refused the configuration.
    #[error("failed to prepare TLS for the endpoint")]
    Rustls(#[from] rustls::Error),
}

/// A certificate and its key (PEM).
pub(crate) struct Made {
    pub(crate) certificate: String,
    pub(crate) key: Secret,
}

fn valid_for(params: &mut CertificateParams, days: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // Clocks differ: valid since yesterday.
    params.not_before = epoch + now.saturating_sub(DAY);
    params.not_after = epoch + now + DAY * u32::try_from(days).unwrap_or(u32::MAX);
}

/// Makes a certificate that is signed by itself, for every name the endpoint is reached by.
pub(crate) fn self_signed(settings: &EndpointSettings) -> Result<Made, EndpointTlsError> {
    let mut params = CertificateParams::new(names(settings))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Relayscope endpoint");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid_for(&mut params, SELF_SIGNED_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Made { certificate: certificate.pem(), key: Secret::new(key.serialize_pem()) })
}

/// The names a certificate for the endpoint should carry.
pub(crate) fn names(settings: &EndpointSettings) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".into(), "::1".into()];
    if settings.address.is_unspecified() {
        names.push(own_address().to_string());
    } else {
        names.push(settings.address.to_string());
    }
    let public = settings.public.split_once("://").map_or(settings.public.as_str(), |(_, rest)| rest);
    let authority = public.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        // A URL's port; an address of version 6 has more colons or brackets.
        Some((host, _)) if !host.contains(':') || host.ends_with(']') => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if !host.is_empty() {
        names.push(host.to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The address this computer uses towards others; loopback when it has none. Nothing is sent.
pub(crate) fn own_address() -> std::net::IpAddr {
    let ask = || {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
        // Of the documentation network (RFC 5737): only the route is looked up.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    };
    ask().map_or(std::net::Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

/// SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` writes it.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The certificate and key in use; `None` without TLS.
pub(crate) fn in_use(record: &EndpointRecord) -> Option<(&str, Option<&Secret>)> {
    match record.settings.tls {
        EndpointTls::Off => None,
        EndpointTls::SelfSigned => {
            Some((record.self_signed.as_deref().unwrap_or_default(), record.secrets.self_signed_key.as_ref()))
        }
        EndpointTls::Own => {
            Some((record.settings.certificate.as_deref().unwrap_or_default(), record.secrets.key.as_ref()))
        }
    }
}

/// What the listener needs of TLS.
pub(crate) struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) probe: Option<Arc<Probe>>,
}

/// The server's configuration; `None` without TLS.
pub(crate) fn server(record: &EndpointRecord) -> Result<Option<ServerTls>, EndpointTlsError> {
    let Some((certificate, key)) = in_use(record) else { return Ok(None) };
    let certificates = ders(certificate).map_err(EndpointTlsError::Certificate)?;
    let key = key.ok_or_else(|| EndpointTlsError::Key("none is stored; choose it again.".into()))?;
    let key = private_key(key).map_err(EndpointTlsError::Key)?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let (builder, probe) = match record.settings.access {
        EndpointAccess::Open | EndpointAccess::Bearer => (builder.with_no_client_auth(), None),
        EndpointAccess::ClientCertificate => {
            let pem = record.settings.client_ca.as_deref().unwrap_or_default();
            let (verifier, probe) = client_verifier(pem)?;
            (builder.with_client_cert_verifier(verifier), Some(Arc::new(probe)))
        }
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => EndpointTlsError::KeyMismatch,
        rustls::Error::General(text) => EndpointTlsError::Key(text),
        other => EndpointTlsError::Certificate(other.to_string()),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(Some(ServerTls { config: Arc::new(config), probe }))
}

fn client_verifier(
    pem: &str,
) -> Result<(Arc<dyn rustls::server::danger::ClientCertVerifier>, Probe), EndpointTlsError> {
    let mut roots = RootCertStore::empty();
    for der in ders(pem).map_err(EndpointTlsError::ClientCa)? {
        roots.add(der).map_err(|error| EndpointTlsError::ClientCa(error.to_string()))?;
    }
    // Only the chosen authorities are named to clients.
    let hints = roots.subjects();
    let mut params = CertificateParams::new(vec!["test.relayscope.invalid".to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Relayscope endpoint test {}", uuid::Uuid::new_v4()));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    valid_for(&mut params, PROBE_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    roots.add(certificate.clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .clear_root_hint_subjects()
        .add_root_hint_subjects(hints)
        .build()
        .map_err(|error| EndpointTlsError::ClientCa(error.to_string()))?;
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|_| EndpointTlsError::Key("the test's own key is not readable.".into()))?;
    Ok((verifier, Probe { certificate, key }))
}
