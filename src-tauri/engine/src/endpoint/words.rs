//! What is said of the endpoint to people.

use relayscope_domain::endpoint::{EndpointAccess, EndpointSettings, EndpointTls};

/// Said wherever the unsafe mode is on and counts.
pub(crate) const UNSAFE: &str = "Unsafe mode: the endpoint listens beyond this computer without full protection. Whoever reaches it can publish to your broker.";

/// What protects the endpoint, in words.
pub(crate) fn protection(settings: &EndpointSettings) -> String {
    let tls = match settings.tls {
        EndpointTls::Off => "Plain HTTP",
        EndpointTls::SelfSigned => "HTTPS with a certificate made here",
        EndpointTls::Own => "HTTPS with your certificate",
    };
    let access = match settings.access {
        EndpointAccess::Open => "no token asked for",
        EndpointAccess::Bearer => "a bearer token is asked for",
        EndpointAccess::ClientCertificate => "a client certificate is asked for",
    };
    format!("{tls}; {access}.")
}
