//! Sockets that listen, and in words why one could not be had: whose the port is, and which one is free.

mod owner;

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Ports looked at for a free one.
const MORE_PORTS: u16 = 50;

/// Why an address can't be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In words, a part of a sentence: `port 8883 is taken by mosquitto (process 1234); 8884 is free`.
    pub words: String,
    /// With a port that is taken: the next one that is free.
    pub free: Option<u16>,
}

impl Refusal {
    /// As a sentence of its own.
    pub(crate) fn sentence(&self) -> String {
        let mut letters = self.words.trim_end_matches('.').chars();
        let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }
}

/// Listens. Every address of this computer means both IP versions where the system offers that with one socket.
pub(crate) async fn bind(address: IpAddr, port: u16) -> Result<TcpListener> {
    // On Windows one socket serves one IP version.
    let address = if address.is_unspecified() && cfg!(windows) { Ipv4Addr::UNSPECIFIED.into() } else { address };
    match TcpListener::bind((address, port)).await {
        Err(error) if address.is_unspecified() && error.kind() != ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

/// Why binding this address failed with `error`.
pub(crate) async fn refusal(address: SocketAddr, error: &Error) -> Refusal {
    let port = address.port();
    let (words, free) = match error.kind() {
        ErrorKind::AddrInUse => {
            let free = free_port(address).await;
            let more = free.map(|free| format!("; {free} is free")).unwrap_or_default();
            (format!("port {port} is taken by {}{more}", owner(address).await), free)
        }
        ErrorKind::AddrNotAvailable => (format!("{} is no address of this computer now", address.ip()), None),
        ErrorKind::PermissionDenied => {
            (format!("the system reserves port {port} for its administrator; choose one above 1023"), None)
        }
        _ => (format!("{address} can't be listened on: {error}"), None),
    };
    Refusal { words, free }
}

/// Whose a port is, in words.
async fn owner(address: SocketAddr) -> String {
    let found = tokio::task::spawn_blocking(move || owner::of(address)).await;
    found.ok().flatten().unwrap_or_else(|| "another program".to_owned())
}

/// The next port that is free at this address.
pub(crate) async fn free_port(address: SocketAddr) -> Option<u16> {
    for port in address.port().saturating_add(1)..=address.port().saturating_add(MORE_PORTS) {
        if bind(address.ip(), port).await.is_ok() {
            return Some(port);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_says_why_and_what_is_free() {
        let taken = bind(Ipv4Addr::LOCALHOST.into(), 0).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address.ip(), address.port()).await.unwrap_err();
        let Refusal { words, free } = refusal(address, &error).await;
        let free = free.unwrap();
        assert!(bind(address.ip(), free).await.is_ok());
        let whose = if cfg!(target_os = "linux") { "Relayscope itself" } else { "another program" };
        assert_eq!(words, format!("port {} is taken by {whose}; {free} is free", address.port()));
        // An address for documentation (RFC 5737).
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 1883));
        let error = bind(elsewhere.ip(), 1883).await.unwrap_err();
        assert_eq!(refusal(elsewhere, &error).await.words, "192.0.2.1 is no address of this computer now");
        let low = refusal(SocketAddr::from(([127, 0, 0, 1], 80)), &ErrorKind::PermissionDenied.into()).await;
        assert!(low.words.ends_with("choose one above 1023") && low.free.is_none());
    }
}
