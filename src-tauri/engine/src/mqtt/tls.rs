//! TLS towards a broker: what is trusted, what is shown, and what a failure means in words.
//!
//! [`client_config`] builds the one configuration that sessions and the connection test share; it names the ring
//! provider explicitly and never touches the process-wide default. Whom it trusts is decided in `verifier`.
//!
//! TLS always gets the broker's host. [`Tls::server_name`] therefore changes the name the
//! certificate is checked against; the name sent in the handshake (SNI) stays the host.

mod verifier;

pub(crate) use verifier::{Trust, trusting};

use relayscope_domain::broker::{Certificate, Tls};
use relayscope_domain::secret::Secret;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, Error, RootCertStore};
use std::sync::{Arc, Mutex, PoisonError};

/// Why no TLS configuration could be made. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The system's certificate authorities can't be read.
    #[error(
        "This system offers no certificate authorities ({0}). Install them (package ca-certificates), or choose your own."
    )]
    NoRoots(String),
    /// The own certificate authority is no use.
    #[error("The file of the certificate authority can't be used: {0}")]
    Ca(String),
    /// The client certificate is no use.
    #[error("The client certificate can't be used: {0}")]
    ClientCert(String),
    /// The client key is missing or no use.
    #[error("The client key can't be used: {0}")]
    ClientKey(String),
    /// The key belongs to another certificate.
    #[error("The client key does not belong to the client certificate. Choose the two files that were made together.")]
    KeyMismatch,
    /// The name to check against is none.
    #[error("“{0}” is neither a host name nor an address; correct the server name.")]
    ServerName(String),
    /// rustls refused the configuration.
    #[error("failed to prepare TLS")]
    Rustls(#[from] Error),
}

/// The certificates a server presented, leaf first; filled during the handshake, also when it fails.
#[derive(Clone, Debug, Default)]
pub struct Presented(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Presented {
    fn keep(&self, chain: Vec<CertificateDer<'static>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chain;
    }

    /// What was presented so far, readable certificates only.
    pub fn certificates(&self) -> Vec<Certificate> {
        let chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chain.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    }
}

/// The provider of all cryptography here.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The system's certificate authorities. Single unreadable ones are left out; none at all is an error.
pub fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none is installed".to_owned(), ToString::to_string);
        return Err(TlsError::NoRoots(why));
    }
    Ok(roots)
}

/// The TLS configuration of a connection.
pub fn client_config(tls: &Tls, client_key: Option<&Secret>) -> Result<Arc<ClientConfig>, TlsError> {
    build(tls, client_key, None)
}

/// As [`client_config`], and keeps the chain that the server presents.
pub fn probing_config(tls: &Tls, client_key: Option<&Secret>) -> Result<(Arc<ClientConfig>, Presented), TlsError> {
    let presented = Presented::default();
    Ok((build(tls, client_key, Some(presented.clone()))?, presented))
}

fn build(tls: &Tls, client_key: Option<&Secret>, presented: Option<Presented>) -> Result<Arc<ClientConfig>, TlsError> {
    let (roots, own) = match &tls.ca {
        Some(pem) => own_roots(pem)?,
        None => (system_roots()?, Vec::new()),
    };
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| TlsError::Ca(error.to_string()))?;
    let name = match tls.server_name.as_deref() {
        Some(name) => Some(ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))?),
        None => None,
    };
    let builder = trusting(Trust::Authorities { inner, own, own_ca: tls.ca.is_some(), name, presented })?;
    let mut config = match &tls.client_cert {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = ders(pem).map_err(TlsError::ClientCert)?;
            let key = client_key.ok_or_else(|| {
                TlsError::ClientKey("none is stored; choose the key of the client certificate.".into())
            })?;
            let key = private_key(key).map_err(TlsError::ClientKey)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                Error::InconsistentKeys(_) => TlsError::KeyMismatch,
                Error::General(text) => TlsError::ClientKey(text),
                other => TlsError::ClientCert(other.to_string()),
            })?
        }
    };
    config.alpn_protocols = tls.alpn.iter().map(|name| name.clone().into_bytes()).collect();
    Ok(Arc::new(config))
}

/// The certificates of a PEM text; the error says what is wrong with it.
pub(crate) fn ders(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    // The domain's reader first: it has the words.
    relayscope_domain::broker::certificates(pem)?;
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|der| der.map(CertificateDer::into_owned))
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not readable PEM.".to_owned())
}

/// The private key of a PEM text; the error says what is wrong with it.
pub(crate) fn private_key(pem: &Secret) -> Result<PrivateKeyDer<'static>, String> {
    relayscope_domain::broker::check_key(pem.expose())?;
    PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| "it is not readable PEM.".to_owned())
}

fn own_roots(pem: &str) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), TlsError> {
    let own = ders(pem).map_err(TlsError::Ca)?;
    let mut roots = RootCertStore::empty();
    for der in &own {
        roots.add(der.clone()).map_err(|error| TlsError::Ca(error.to_string()))?;
    }
    Ok((roots, own))
}
