//! TLS of a listener: certificate and key from memory, client certificates off, optional or required. TLS 1.2 and 1.3.

use crate::mqtt::tls::provider;
use relayscope_domain::broker::certificates;
use relayscope_domain::listener::{ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;

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

/// The server's side of TLS for a listener; `None` when it speaks none.
pub fn server(listener: &Listener, key: Option<&Secret>) -> Result<Option<Arc<ServerConfig>>, ListenerTlsError> {
    if !listener.transport.is_tls() {
        return Ok(None);
    }
    let chain = chain(listener.certificate.as_deref().unwrap_or_default()).map_err(ListenerTlsError::Certificate)?;
    let key = key.ok_or_else(|| ListenerTlsError::Key("none is stored; choose it again.".into()))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| ListenerTlsError::Key("it is not readable PEM.".into()))?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match listener.client_certificates {
        ClientCertificates::Off => builder.with_no_client_auth(),
        asked @ (ClientCertificates::Optional | ClientCertificates::Required) => {
            let roots = roots(listener.client_ca.as_deref().unwrap_or_default())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match asked {
                ClientCertificates::Optional => verifier.allow_unauthenticated(),
                ClientCertificates::Off | ClientCertificates::Required => verifier,
            };
            let verifier = verifier.build().map_err(|error| ListenerTlsError::ClientCa(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => ListenerTlsError::KeyMismatch,
        other => ListenerTlsError::Rustls(other),
    })?;
    Ok(Some(Arc::new(config)))
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates(pem)?;
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|der| der.map(CertificateDer::into_owned))
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not readable PEM.".to_owned())
}

fn roots(pem: &str) -> Result<Arc<RootCertStore>, ListenerTlsError> {
    let mut roots = RootCertStore::empty();
    for authority in chain(pem).map_err(ListenerTlsError::ClientCa)? {
        roots.add(authority).map_err(|error| ListenerTlsError::ClientCa(error.to_string()))?;
    }
    Ok(Arc::new(roots))
}
