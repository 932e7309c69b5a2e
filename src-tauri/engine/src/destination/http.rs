//! HTTP towards TagoIO: what relays' own connections and the client for occasional questions have in common.
//!
//! TLS is rustls with ring and the system's authorities, as towards brokers. No redirects (a token must not travel to
//! another host), no proxy from the environment, and bounded times.

use crate::mqtt::tls;
use crate::mqtt::words::{self, Failure};
use std::time::Duration;

/// How long a connection may take to come up.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a whole request may take.
pub const TOTAL_TIME: Duration = Duration::from_secs(10);

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("failed to prepare the HTTP client")]
pub struct HttpError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// How we call ourselves.
pub const USER_AGENT: &str = concat!("Relayscope/", env!("CARGO_PKG_VERSION"));

/// TLS towards TagoIO. Without readable system authorities it still serves the local stand-in; `https` then fails with
/// an unknown issuer.
pub fn tls_config() -> Result<rustls::ClientConfig, HttpError> {
    let roots = tls::system_roots().unwrap_or_else(|error| {
        tracing::warn!(%error, "No certificate authorities; https can't be used.");
        rustls::RootCertStore::empty()
    });
    Ok(rustls::ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Makes the client.
pub fn http_client() -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config()?)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIME)
        .timeout(TOTAL_TIME)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| HttpError(error.into()))
}

/// A socket's error on the way to a destination, in words.
pub(super) fn explain_io(error: &std::io::Error) -> String {
    // The words were made for brokers.
    words::from_io(error).words.replace("broker", "server")
}

/// A request that got no answer, in words. Never names the address's query or headers.
pub fn explain(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        let words = if error.is_connect() { "No connection in time." } else { "No answer in time." };
        return Failure::passing(words, "Check the network, and whether a firewall stands between.");
    }
    if let Some(mut found) = words::from_source(error) {
        // The words were made for brokers.
        found.words = found.words.replace("broker", "server");
        found.advice = found.advice.replace("broker", "server");
        return found;
    }
    if error.is_builder() {
        return Failure::fatal(
            "The address or the token can't be sent.",
            "Check the address, and paste the token again.",
        );
    }
    if error.is_body() || error.is_decode() {
        return Failure::passing("The answer broke off.", "The network or the server is overloaded.");
    }
    Failure::passing("The request failed on the way.", "Check the network.")
}
