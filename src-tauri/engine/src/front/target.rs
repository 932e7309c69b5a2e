//! Where a front forwards to, and the PROXY protocol (version 2) that tells the target who is really connected.

use crate::mqtt::dial::{Dial, Stream};
use crate::mqtt::tls::TlsError;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Where a front forwards to.
#[derive(Clone, Debug)]
pub struct Target {
    way: TargetWay,
    proxy: bool,
    last: Arc<Mutex<Option<Attempt>>>,
}

/// How the last attempt to reach a target ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When.
    pub at: SystemTime,
    /// Or why not, in words.
    pub result: Result<(), String>,
}

#[derive(Clone, Debug)]
enum TargetWay {
    Plain(SocketAddr),
    Dialled(Arc<Dial>),
}

impl Target {
    /// A listener on this computer. `proxy`: it is told the client's address by the PROXY protocol.
    pub fn local(address: SocketAddr, proxy: bool) -> Self {
        Self { way: TargetWay::Plain(address), proxy, last: Arc::default() }
    }

    /// A saved broker, over whatever it speaks. The connection's client id, user and will are not used: clients bring
    /// theirs.
    pub fn broker(connection: &Connection, secrets: &BrokerSecrets, proxy: bool) -> Result<Self, TlsError> {
        let way = TargetWay::Dialled(Arc::new(Dial::new(connection, secrets)?));
        Ok(Self { way, proxy, last: Arc::default() })
    }

    /// How it was found the last time; clones share this.
    pub fn last(&self) -> Option<Attempt> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a connection for a client, or says in words why there is none.
    pub(super) async fn open(&self, client: SocketAddr, met_at: SocketAddr) -> Result<Box<dyn Stream>, String> {
        let opened = self.connect(client, met_at).await;
        let attempt = Attempt { at: SystemTime::now(), result: opened.as_ref().map(|_| ()).map_err(Clone::clone) };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(attempt);
        opened
    }

    async fn connect(&self, client: SocketAddr, met_at: SocketAddr) -> Result<Box<dyn Stream>, String> {
        let header = if self.proxy { proxy_header(client, met_at) } else { vec![] };
        match &self.way {
            TargetWay::Plain(address) => {
                let connect = async {
                    let mut stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    // One piece right after connecting: the target reads it before it accepts anybody else.
                    stream.write_all(&header).await?;
                    Ok::<_, std::io::Error>(stream)
                };
                Ok(Box::new(connect.await.map_err(|error| format!("{address} can't be reached: {error}"))?))
            }
            TargetWay::Dialled(dial) => dial.open(&header).await.map_err(|failure| failure.words),
        }
    }
}

/// The header (specification of 2020, section 2.2): who connected to whom.
fn proxy_header(client: SocketAddr, met_at: SocketAddr) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    match (client.ip(), met_at.ip()) {
        (IpAddr::V4(source), IpAddr::V4(here)) => {
            header.extend([0x11, 0, 12]);
            header.extend(source.octets());
            header.extend(here.octets());
        }
        (source, here) => {
            let six = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            header.extend([0x21, 0, 36]);
            header.extend(six(source).octets());
            header.extend(six(here).octets());
        }
    }
    header.extend(client.port().to_be_bytes());
    header.extend(met_at.port().to_be_bytes());
    header
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_header_names_both_ends() {
        let header = proxy_header("10.1.2.3:258".parse().unwrap(), "127.0.0.1:1883".parse().unwrap());
        assert_eq!(header[..12], *b"\r\n\r\n\0\r\nQUIT\n");
        assert_eq!(header[12..], [0x21, 0x11, 0, 12, 10, 1, 2, 3, 127, 0, 0, 1, 1, 2, 0x07, 0x5b]);
        let mixed = proxy_header("[::1]:5".parse().unwrap(), "127.0.0.1:1883".parse().unwrap());
        assert_eq!((mixed.len(), mixed[13], mixed[15]), (16 + 36, 0x21, 36));
    }
}
