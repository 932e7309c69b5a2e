//! Where clients come in: a socket and a front for the plain port on 127.0.0.1 and for every listener. All lead to rmqtt's
//! private ports and share the list of connections; what has no limits of its own shares the broker's.
//!
//! A listener that can't listen leaves the others alone: it says why, and is tried again.

use super::BrokerError;
use super::hooks::Desk;
use crate::bind::{Refusal, bind, refusal};
use crate::feed::event::{Event, Kind};
use crate::front::{self, Front, FrontConfig, Listen, Meter, Policy, Target, Turned};
use relayscope_domain::broker::{Certificate, Embedded, Transport, certificates};
use relayscope_domain::id::ListenerId;
use relayscope_domain::listener::BrokerLimits;
use relayscope_domain::secret::Secret;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// Ports tried after the plain one asked for.
const MORE_PORTS: u16 = 50;
/// Bytes of a packet that are kept to be shown.
const KEEP: usize = 1 << 20;
/// How often a listener that could not have its address tries again.
const AGAIN: Duration = Duration::from_secs(3);

/// Where a broker listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The saved listener; the plain port is none.
    pub id: Option<ListenerId>,
    /// How bytes travel.
    pub transport: Transport,
    /// Address and real port; while it does not listen, those wanted.
    pub address: SocketAddr,
    /// Why it does not listen.
    pub trouble: Option<Refusal>,
    /// With TLS: the certificate it shows.
    pub certificate: Option<Certificate>,
    /// Clients that its limits turned away or cut since the broker started.
    pub turned: Turned,
}

impl Listening {
    /// Why it does not listen, or why clients refuse its certificate at `now`, Unix seconds.
    pub fn problem(&self, now: i64) -> Option<String> {
        let certificate = || self.certificate.as_ref()?.refused_at(now);
        self.trouble.as_ref().map(Refusal::sentence).or_else(certificate)
    }
}

/// One place to come in.
pub(super) struct Door {
    id: Option<ListenerId>,
    transport: Transport,
    address: SocketAddr,
    limits: Option<BrokerLimits>,
    certificate: Option<Certificate>,
    // `None`: its certificate or key is no use, and trying again would not help.
    listen: Option<Listen>,
    state: State,
}

enum State {
    /// Bound, and not open yet.
    Bound(TcpListener),
    Open(Front),
    Shut(Refusal),
}

/// Binds the listeners, then the plain port: that one makes way.
pub(super) async fn bind_all(
    settings: &Embedded,
    keys: &BTreeMap<ListenerId, Secret>,
    desk: &Desk,
) -> Result<Vec<Door>, BrokerError> {
    let mut doors = vec![];
    for listener in &settings.listeners {
        let address = SocketAddr::new(listener.address, listener.port);
        let listen = front::listen(listener, keys.get(&listener.id)).map_err(|error| crate::causes::chain(&error));
        let (listen, state) = match listen {
            Ok(listen) => (Some(listen), bound(address).await.map_or_else(State::Shut, State::Bound)),
            Err(words) => (None, State::Shut(Refusal { words, free: None })),
        };
        let chain = listener.certificate.as_deref().and_then(|pem| certificates(pem).ok()).unwrap_or_default();
        let door = Door {
            id: Some(listener.id),
            transport: listener.transport,
            address,
            limits: listener.limits,
            certificate: chain.into_iter().next(),
            listen,
            state,
        };
        if let State::Shut(Refusal { words, .. }) = &door.state {
            desk.notes(true, format!("{} does not listen on {address}: {words}", transport(door.transport)));
        }
        doors.push(door);
    }
    let plain = plain(settings.port, desk).await?;
    let address = plain.local_addr().map_err(|error| BrokerError::Setup(error.to_string()))?;
    let door = Door {
        id: None,
        transport: Transport::Tcp,
        address,
        limits: None,
        certificate: None,
        listen: Some(Listen::tcp(None)),
        state: State::Bound(plain),
    };
    doors.insert(0, door);
    Ok(doors)
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Ws => "WebSocket",
        Transport::Wss => "WebSocket over TLS",
    }
}

async fn bound(address: SocketAddr) -> Result<TcpListener, Refusal> {
    match bind(address.ip(), address.port()).await {
        Ok(socket) => Ok(socket),
        Err(error) => Err(refusal(address, &error).await),
    }
}

/// The plain port, or the next free one.
async fn plain(port: u16, desk: &Desk) -> Result<TcpListener, BrokerError> {
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let last = if port == 0 { 0 } else { port.saturating_add(MORE_PORTS) };
    for candidate in port..=last {
        match bind(here, candidate).await {
            Ok(listener) if candidate == port => return Ok(listener),
            Ok(listener) => {
                desk.notes(false, format!("port {port} is taken; TCP listens on {here}:{candidate} instead"));
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(source) => return Err(BrokerError::Listen { address: SocketAddr::new(here, candidate), source }),
        }
    }
    Err(BrokerError::NoFreePort { first: port, last })
}

/// All of them, while the broker runs.
pub(super) struct Doors {
    doors: Mutex<Vec<Door>>,
    shared: Shared,
}

/// What their fronts have in common.
pub(super) struct Shared {
    pub(super) desk: Arc<Desk>,
    /// The broker's limits.
    pub(super) meter: Arc<Meter>,
    /// rmqtt's private port for each size a packet may have.
    pub(super) private: BTreeMap<Option<u32>, SocketAddr>,
}

impl Doors {
    /// Starts a front at each door that is bound; clients come in from now on.
    pub(super) fn open(bound: Vec<Door>, shared: Shared) -> Result<Arc<Self>, BrokerError> {
        let mut doors = vec![];
        for mut door in bound {
            if let State::Bound(socket) = door.state {
                let front = front(&door.listen, door.limits, socket, &shared);
                door.state = State::Open(front.map_err(|error| BrokerError::Setup(error.to_string()))?);
            }
            doors.push(door);
        }
        Ok(Arc::new(Self { doors: Mutex::new(doors), shared }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it listens: the plain port first, then the listeners in their order.
    pub(super) fn listening(&self) -> Vec<Listening> {
        self.lock().iter().map(Door::listening).collect()
    }

    /// Tries those again that could not have their address, for as long as it is polled.
    pub(super) async fn reopen(self: Arc<Self>) {
        loop {
            tokio::time::sleep(AGAIN).await;
            let shut = |(at, door): (usize, &Door)| {
                let again = matches!(door.state, State::Shut(_)) && door.listen.is_some();
                again.then_some((at, door.address))
            };
            let wanted: Vec<_> = self.lock().iter().enumerate().filter_map(shut).collect();
            for (at, address) in wanted {
                let result = bound(address).await;
                self.settle(at, result);
            }
        }
    }

    fn settle(&self, at: usize, result: Result<TcpListener, Refusal>) {
        let mut doors = self.lock();
        let Some(door) = doors.get_mut(at) else { return };
        door.state = match result {
            Err(refusal) => State::Shut(refusal),
            Ok(socket) => match front(&door.listen, door.limits, socket, &self.shared) {
                Ok(front) => {
                    let text = format!("{} listens on {} now", transport(door.transport), front.address());
                    self.shared.desk.notes(false, text);
                    State::Open(front)
                }
                Err(error) => State::Shut(Refusal { words: error.to_string(), free: None }),
            },
        };
    }

    /// Takes the fronts out, to be stopped.
    pub(super) fn take(&self) -> Vec<Front> {
        let doors = std::mem::take(&mut *self.lock());
        let open = |door: Door| match door.state {
            State::Open(front) => Some(front),
            State::Bound(_) | State::Shut(_) => None,
        };
        doors.into_iter().filter_map(open).collect()
    }
}

impl Door {
    fn listening(&self) -> Listening {
        let (address, trouble, turned) = match &self.state {
            State::Open(front) => (front.address(), None, front.turns().read()),
            State::Shut(refusal) => (self.address, Some(refusal.clone()), Turned::default()),
            State::Bound(_) => (self.address, None, Turned::default()),
        };
        let (id, transport, certificate) = (self.id, self.transport, self.certificate.clone());
        Listening { id, transport, address, trouble, certificate, turned }
    }
}

fn front(
    listen: &Option<Listen>,
    limits: Option<BrokerLimits>,
    socket: TcpListener,
    shared: &Shared,
) -> std::io::Result<Front> {
    let meter = limits.map_or_else(|| shared.meter.clone(), Meter::new);
    let private = shared.private.get(&meter.limits().packet_bytes);
    let (Some(listen), Some(private)) = (listen.clone(), private) else {
        return Err(ErrorKind::NotFound.into());
    };
    let config = FrontConfig {
        name: shared.desk.source.clone(),
        feed: shared.desk.feed.clone(),
        listen,
        target: Target::local(*private, true),
        meter,
        policy: Policy { completes: true, keep: KEEP, ..Policy::default() },
        connections: shared.desk.connections.clone(),
        faults: None,
    };
    Front::start(config, socket)
}

impl Desk {
    fn notes(&self, failure: bool, text: String) {
        self.feed.record(Event::now(&self.source, &"".into(), None, Kind::Note { failure, text }));
    }
}
