//! Sockets that listen.

use std::io::{ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr};
use tokio::net::TcpListener;

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
