//! TLS of a saved listener: its certificate, its key, and what it asks of clients.

use crate::front::{self, server_config};
use relayscope_domain::listener::{ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use rustls::ServerConfig;
use std::sync::Arc;

pub use crate::front::ListenerTlsError;

/// The server's side of TLS for a listener; `None` when it speaks none.
pub fn server(listener: &Listener, key: Option<&Secret>) -> Result<Option<Arc<ServerConfig>>, ListenerTlsError> {
    if !listener.transport.is_tls() {
        return Ok(None);
    }
    let key = key.ok_or_else(|| ListenerTlsError::Key("none is stored; choose it again.".into()))?;
    let authorities = || listener.client_ca.clone().unwrap_or_default();
    let clients = match listener.client_certificates {
        ClientCertificates::Off => front::ClientCertificates::Off,
        ClientCertificates::Optional => front::ClientCertificates::Optional(authorities()),
        ClientCertificates::Required => front::ClientCertificates::Required(authorities()),
    };
    server_config(listener.certificate.as_deref().unwrap_or_default(), key, &clients).map(Some)
}
