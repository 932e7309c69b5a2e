//! TLS of a listener: certificate, key and client certificates from memory (TLS 1.2 and 1.3).

use crate::feed::event::Facts;
use crate::mqtt::tls::{ders, private_key, provider};
use relayscope_domain::broker::Certificate;
use relayscope_domain::secret::Secret;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ProtocolVersion, RootCertStore, ServerConfig, ServerConnection};
use std::sync::Arc;

// Sessions that can be resumed; the oldest leave first.
const SESSIONS: usize = 1_024;

/// What a listener asks of its clients; authorities as PEM.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    /// Nothing.
    Off,
    /// A certificate is checked when there is one.
    Optional(String),
    /// Nobody comes in without one.
    Required(String),
}

/// Why a listener has no TLS. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListenerTlsError {
    /// The certificate is no use.
    #[error("The listener's certificate can't be used: {0}")]
    Certificate(String),
    /// The key is no use.
    #[error("The listener's key can't be used: {0}")]
    Key(String),
    /// The key belongs to another certificate.
    #[error("The key does not belong to the certificate. Choose the two files that were made together.")]
    KeyMismatch,
    /// The authority of client certificates is no use.
    #[error("The authority of the client certificates can't be used: {0}")]
    ClientCa(String),
    /// rustls refused the configuration.
    #[error("failed to prepare TLS for the listener")]
    Rustls(#[from] rustls::Error),
}

/// The configuration of a listener. `certificate` is a chain as PEM.
pub fn server_config(
    certificate: &str,
    key: &Secret,
    clients: &ClientCertificates,
) -> Result<Arc<ServerConfig>, ListenerTlsError> {
    let chain = ders(certificate).map_err(ListenerTlsError::Certificate)?;
    let key = private_key(key).map_err(ListenerTlsError::Key)?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match clients {
        ClientCertificates::Off => builder.with_no_client_auth(),
        ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => {
            let mut roots = RootCertStore::empty();
            for der in ders(ca).map_err(ListenerTlsError::ClientCa)? {
                roots.add(der).map_err(|error| ListenerTlsError::ClientCa(error.to_string()))?;
            }
            let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            if matches!(clients, ClientCertificates::Optional(_)) {
                verifier = verifier.allow_unauthenticated();
            }
            let verifier = verifier.build().map_err(|error| ListenerTlsError::ClientCa(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => ListenerTlsError::KeyMismatch,
        rustls::Error::General(text) => ListenerTlsError::Key(text),
        other => ListenerTlsError::Certificate(other.to_string()),
    })?;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(Arc::new(config))
}

/// What was agreed in a handshake.
pub(super) fn facts(connection: &ServerConnection) -> Facts {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "unknown",
    };
    let mut facts = vec![("TLS".to_owned(), version.to_owned())];
    if let Some(name) = connection.server_name() {
        facts.push(("server name".to_owned(), name.to_owned()));
    }
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    let subject = shown.and_then(|der| Certificate::from_der(der).ok()).map(|certificate| certificate.subject);
    facts.push(("client certificate".to_owned(), subject.unwrap_or_else(|| "none".to_owned())));
    Facts::from(facts)
}
