//! A tap: a front before somebody else's broker. What clients and the broker say to each other passes unchanged, and is
//! shown; only faults that a person presses change it.
//!
//! Who may start one and where it listens is decided elsewhere; what bytes mean is the front's to know.

use crate::bind::{Refusal, bind, refusal};
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::front::{
    self, ActiveFault, Connections, Faults, Front, FrontConfig, Goodbye, ListenerTlsError, Meter, Policy, Target, Turns,
};
use crate::mqtt::tls::TlsError;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::fault::Fault;
use relayscope_domain::secret::Secret;
use relayscope_domain::tap as saved;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Everything a tap depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct TapPlan {
    /// As it is saved.
    pub tap: saved::Tap,
    /// The private key of its listener.
    pub key: Option<Secret>,
    /// How the broker behind it is reached.
    pub connection: Connection,
    /// What that needs.
    pub secrets: BrokerSecrets,
}

/// Why a tap does not run.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The port can't be had.
    #[error("{}", .0.words)]
    Listen(Refusal),
    /// Its certificate or key is none.
    #[error("failed to use the listener's certificate")]
    Listener(#[source] ListenerTlsError),
    /// What is saved of the broker can't be used for TLS.
    #[error("failed to prepare TLS to the broker")]
    Target(#[source] TlsError),
}

/// What others reach of a running tap.
#[derive(Clone)]
pub struct TapAt {
    /// Where it listens.
    pub address: SocketAddr,
    /// Who is connected.
    pub connections: Connections,
    /// The broker behind it.
    pub target: Target,
    /// Clients that its limits turned away or cut.
    pub turns: Turns,
    source: Arc<str>,
    feed: Feed,
    faults: Faults,
}

impl TapAt {
    /// Presses a fault, for one client or all.
    pub fn press(&self, fault: Fault, client: Option<String>) {
        let text = format!("fault pressed: {}", fault.words());
        self.tell(client.as_deref(), text);
        self.faults.press(fault, client, &self.connections);
    }

    /// Lifts a fault by its number, or all.
    pub fn lift(&self, number: Option<u64>) {
        for ActiveFault { client, fault, .. } in self.faults.lift(number) {
            self.tell(client.as_deref(), format!("fault lifted: {}", fault.words()));
        }
    }

    /// The faults that are active.
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.faults.list()
    }

    fn tell(&self, client: Option<&str>, text: String) {
        let client = Arc::from(client.unwrap_or("every client"));
        self.feed.record(Event::now(&self.source, &client, None, Kind::Note { failure: false, text }));
    }
}

/// A running tap.
pub struct Tap {
    front: Front,
    at: TapAt,
}

impl Tap {
    /// Starts one; it accepts when this returns.
    pub async fn start(plan: TapPlan, feed: Feed) -> Result<Self, TapError> {
        let TapPlan { tap, key, connection, secrets } = plan;
        let listen = front::listen(&tap.listener, key.as_ref()).map_err(TapError::Listener)?;
        let target = Target::broker(&connection, &secrets, tap.proxy).map_err(TapError::Target)?;
        let address = SocketAddr::new(tap.listener.address, tap.listener.port);
        let socket = match bind(address.ip(), address.port()).await {
            Ok(socket) => socket,
            Err(error) => return Err(TapError::Listen(refusal(address, &error).await)),
        };
        let source: Arc<str> = tap.name.as_str().into();
        let (connections, faults) = (Connections::default(), Faults::default());
        let config = FrontConfig {
            name: source.clone(),
            feed: feed.clone(),
            listen,
            target: target.clone(),
            meter: Meter::new(tap.limits),
            policy: Policy::default(),
            connections: connections.clone(),
            faults: Some(faults.clone()),
        };
        let failed = |error: io::Error| TapError::Listen(Refusal { words: error.to_string(), free: None });
        let front = Front::start(config, socket).map_err(failed)?;
        let (address, turns) = (front.address(), front.turns().clone());
        let at = TapAt { address, connections, target, turns, source, feed, faults };
        Ok(Self { front, at })
    }

    /// What others reach of it.
    pub fn at(&self) -> &TapAt {
        &self.at
    }

    /// Waits until it no longer accepts.
    pub async fn finished(&mut self) {
        self.front.finished().await;
    }

    /// Stops accepting and disconnects its clients.
    pub async fn stop(self) {
        self.front.stop(Goodbye::stopped("the tap was stopped")).await;
    }
}
