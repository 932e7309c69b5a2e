//! The front: every client that comes to us, whether for the embedded broker or through a tap to somebody else's, passes
//! here.
//!
//! It accepts, terminates TLS and WebSocket, limits, forwards the bytes first and parses a copy into events: what the Live
//! Inspector shows is what was on the wire, refusals and malformed packets included. It knows nothing of sessions, routing
//! or accounts; whoever does tells it through [`Connections`].

mod connection;
mod events;
mod faults;
pub mod framing;
mod gate;
mod goodbye;
mod held;
mod limits;
mod listener;
mod mirror;
mod opening;
pub mod packet;
pub mod parser;
mod saved;
mod sight;
mod table;
mod target;
mod tls;
mod words;

pub use faults::{ActiveFault, Faults};
pub use goodbye::Goodbye;
pub use limits::{Meter, Turned, Turns};
pub use opening::Listen;
pub use saved::listen;
pub use table::{ConnectionInfo, Connections};
pub use target::{Attempt, Target};
pub use tls::{ClientCertificates, ListenerTlsError, server_config};

use crate::feed::Feed;
use listener::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Bytes of a packet that are kept to be shown, when nothing else is said.
pub const KEEP: usize = 64 * 1024;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the broker.
    FromClient,
    /// From the broker to the client.
    ToClient,
}

impl Way {
    /// The other way.
    pub fn back(self) -> Self {
        match self {
            Self::FromClient => Self::ToClient,
            Self::ToClient => Self::FromClient,
        }
    }
}

/// What a front does besides forwarding.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether packets are read and shown; without it only connections are.
    pub parse: bool,
    /// Whether PINGREQ and PINGRESP are events; they are counted in any case.
    pub pings: bool,
    /// Whether it does what its broker leaves undone: a client whose connection is ended gets a DISCONNECT that says why,
    /// when that is known, one that said DISCONNECT is closed, and what the broker should turn away is turned away here.
    /// A stranger's broker is not spoken for.
    pub completes: bool,
    /// Bytes of a packet that are kept to be shown.
    pub keep: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { parse: true, pings: false, completes: false, keep: KEEP }
    }
}

/// What a front needs to know before it starts.
pub struct FrontConfig {
    /// The source of its events.
    pub name: Arc<str>,
    /// Where events go.
    pub feed: Feed,
    /// How clients come in.
    pub listen: Listen,
    /// Where their bytes go.
    pub target: Target,
    /// What they may do; fronts that share it share the limits.
    pub meter: Arc<Meter>,
    /// What else is done.
    pub policy: Policy,
    /// Where its connections are listed; several fronts may share a list.
    pub connections: Connections,
    /// Faults that people press for its clients, where they can.
    pub faults: Option<Faults>,
}

/// A running front. Dropping it ends it without goodbyes; [`Front::stop`] is the orderly way.
pub struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
    // The accepting task, which joins those of its connections.
    tasks: JoinSet<()>,
}

impl Front {
    /// Starts a front on a bound listener; it accepts when this returns. Its tasks run on the current runtime.
    pub fn start(config: FrontConfig, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            words: Arc::from(format!("{} on {address}", config.listen.words())),
            source: config.name,
            feed: config.feed,
            listen: config.listen,
            address,
            target: config.target,
            meter: config.meter,
            policy: config.policy,
            connections: config.connections,
            faults: config.faults,
            opening: Default::default(),
            turns: Default::default(),
            backlog: Default::default(),
            stop: CancellationToken::new(),
            farewell: OnceLock::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listener::accept(listener, shared.clone()));
        Ok(Self { address, shared, tasks })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its connections, and those of fronts that share its list.
    pub fn connections(&self) -> &Connections {
        &self.shared.connections
    }

    /// Clients that its limits turned away or cut so far.
    pub fn turns(&self) -> &Turns {
        &self.shared.turns
    }

    /// Waits until it no longer accepts.
    pub async fn finished(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Stops accepting, tells every client goodbye, and returns when the last event is recorded.
    pub async fn stop(mut self, goodbye: Goodbye) {
        let _ = self.shared.farewell.set(goodbye);
        self.shared.stop.cancel();
        self.finished().await;
    }
}
