//! Where clients come in: a socket and a front for the plain port on 127.0.0.1 and for every listener. All lead to rmqtt's
//! one private port, and share limits and the list of connections.

use super::BrokerError;
use super::hooks::Desk;
use crate::feed::event::{Event, Kind};
use crate::front::{self, Front, FrontConfig, Listen, Meter, Policy, Target};
use relayscope_domain::broker::{Embedded, Transport};
use relayscope_domain::id::ListenerId;
use relayscope_domain::secret::Secret;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Ports tried after the one asked for.
const MORE_PORTS: u16 = 50;
/// Bytes of a packet that are kept to be shown.
const KEEP: usize = 1 << 20;

/// Where a broker listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listening {
    /// How bytes travel.
    pub transport: Transport,
    /// Address and real port.
    pub address: SocketAddr,
}

/// A bound socket.
pub(super) struct Door {
    pub(super) at: Listening,
    listen: Listen,
    socket: TcpListener,
}

/// Binds the plain port first, then the listeners.
pub(super) async fn bind(
    settings: &Embedded,
    keys: &BTreeMap<ListenerId, Secret>,
    desk: &Desk,
) -> Result<Vec<Door>, BrokerError> {
    let plain = (Transport::Tcp, IpAddr::from(Ipv4Addr::LOCALHOST), settings.port, Listen::tcp(None));
    let mut wanted = vec![plain];
    for listener in &settings.listeners {
        let listen = front::listen(listener, keys.get(&listener.id));
        let listen = listen.map_err(|source| BrokerError::Tls { port: listener.port, source })?;
        wanted.push((listener.transport, listener.address, listener.port, listen));
    }
    let mut doors = vec![];
    for (transport, address, port, listen) in wanted {
        let socket = socket(address, port).await?;
        let address = socket.local_addr().map_err(|error| BrokerError::Setup(error.to_string()))?;
        if port != 0 && address.port() != port {
            let text =
                format!("port {port} is taken by another program; {} listens on {} instead", listen.words(), address);
            desk.feed.record(Event::now(&desk.source, &"".into(), None, Kind::Note { failure: false, text }));
        }
        doors.push(Door { at: Listening { transport, address }, listen, socket });
    }
    Ok(doors)
}

async fn socket(address: IpAddr, port: u16) -> Result<TcpListener, BrokerError> {
    let last = if port == 0 { 0 } else { port.saturating_add(MORE_PORTS) };
    for candidate in port..=last {
        match crate::bind::bind(address, candidate).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(source) => {
                return Err(BrokerError::Listen { address: SocketAddr::new(address, candidate), source });
            }
        }
    }
    Err(BrokerError::NoFreePort { first: port, last })
}

/// Starts a front at each door; clients come in from now on.
pub(super) fn open(
    doors: Vec<Door>,
    target: SocketAddr,
    settings: &Embedded,
    desk: &Desk,
) -> Result<Vec<Front>, BrokerError> {
    let meter = Meter::new(settings.limits);
    let start = |Door { listen, socket, .. }: Door| {
        let config = FrontConfig {
            name: desk.source.clone(),
            feed: desk.feed.clone(),
            listen,
            target: Target::local(target, true),
            meter: Arc::clone(&meter),
            policy: Policy { completes: true, keep: KEEP, ..Policy::default() },
            connections: desk.connections.clone(),
            faults: None,
        };
        Front::start(config, socket).map_err(|error| BrokerError::Setup(error.to_string()))
    };
    doors.into_iter().map(start).collect()
}
