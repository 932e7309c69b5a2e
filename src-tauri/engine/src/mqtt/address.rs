//! A broker's host as sockets and TLS want it, and the whole address that a WebSocket wants.

use relayscope_domain::broker::Connection;

/// The host without the brackets of an IPv6 address, as sockets and TLS want it.
pub fn bare_host(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// The host as it stands before `:port`, an IPv6 address in brackets.
pub fn bracketed_host(host: &str) -> String {
    let bare = bare_host(host);
    if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() }
}

/// `ws://host:port/path`, or `wss://…`, for the request that opens a WebSocket.
pub fn websocket_url(connection: &Connection) -> String {
    let scheme = if connection.transport.is_tls() { "wss" } else { "ws" };
    format!("{scheme}://{}:{}{}", bracketed_host(&connection.host), connection.port, connection.path)
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
