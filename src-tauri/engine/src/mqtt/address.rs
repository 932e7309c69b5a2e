//! Where the MQTT library connects to: it wants a host for TCP and TLS, and a whole address for WebSocket.

use crate::mqtt::tls::{self, TlsError};
use relayscope_domain::broker::{Connection, Transport};
use relayscope_domain::secret::Secret;

/// The host without the brackets of an IPv6 address, as sockets and TLS want it.
pub fn bare_host(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// The host as it stands before `:port`, an IPv6 address in brackets.
pub fn bracketed_host(host: &str) -> String {
    let bare = bare_host(host);
    if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() }
}

/// What `MqttOptions::new` takes as host: `ws://host:port/path` for WebSocket, the bare host otherwise.
pub fn library_host(connection: &Connection) -> String {
    let scheme = match connection.transport {
        Transport::Tcp | Transport::Tls => return bare_host(&connection.host).to_owned(),
        Transport::Ws => "ws",
        Transport::Wss => "wss",
    };
    format!("{scheme}://{}:{}{}", bracketed_host(&connection.host), connection.port, connection.path)
}

/// The MQTT library's transport, with TLS prepared when the connection speaks it.
pub fn library_transport(connection: &Connection, client_key: Option<&Secret>) -> Result<rumqttc::Transport, TlsError> {
    let tls = || tls::client_config(&connection.tls, client_key).map(rumqttc::TlsConfiguration::Rustls);
    Ok(match connection.transport {
        Transport::Tcp => rumqttc::Transport::Tcp,
        Transport::Tls => rumqttc::Transport::tls_with_config(tls()?),
        Transport::Ws => rumqttc::Transport::Ws,
        Transport::Wss => rumqttc::Transport::wss_with_config(tls()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_version_6_are_bracketed_where_needed() {
        for (host, bare, bracketed) in [
            ("::1", "::1", "[::1]"),
            ("[::1]", "::1", "[::1]"),
            ("a.example", "a.example", "a.example"),
            ("1.2.3.4", "1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!((bare_host(host), bracketed_host(host).as_str()), (bare, bracketed));
        }
    }
}
