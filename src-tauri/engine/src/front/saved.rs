//! Saved listeners as fronts listen: with TLS their certificate, their key, and what they ask of clients.

use super::opening::Listen;
use super::tls::{self, ListenerTlsError, server_config};
use relayscope_domain::listener::{ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use rustls::ServerConfig;
use std::sync::Arc;

/// The server's side of TLS for a listener; `None` when it speaks none.
fn server(listener: &Listener, key: Option<&Secret>) -> Result<Option<Arc<ServerConfig>>, ListenerTlsError> {
    if !listener.transport.is_tls() {
        return Ok(None);
    }
    let key = key.ok_or_else(|| ListenerTlsError::Key("none is stored; choose it again.".into()))?;
    let authorities = || listener.client_ca.clone().unwrap_or_default();
    let clients = match listener.client_certificates {
        ClientCertificates::Off => tls::ClientCertificates::Off,
        ClientCertificates::Optional => tls::ClientCertificates::Optional(authorities()),
        ClientCertificates::Required => tls::ClientCertificates::Required(authorities()),
    };
    server_config(listener.certificate.as_deref().unwrap_or_default(), key, &clients).map(Some)
}

/// How clients come in at a saved listener.
pub fn listen(listener: &Listener, key: Option<&Secret>) -> Result<Listen, ListenerTlsError> {
    let tls = server(listener, key)?;
    Ok(if listener.transport.is_ws() { Listen::websocket(tls) } else { Listen::tcp(tls) })
}
