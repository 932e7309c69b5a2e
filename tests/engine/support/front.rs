//! A front before a real Mosquitto, or before a socket that does what a test wants.

use super::{eventually, soon};
use relayscope_domain::listener::BrokerLimits;
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::{Event, Kind};
use relayscope_engine::front::{Connections, Front, FrontConfig, Goodbye, Listen, Meter, Policy, Target};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// A front and its events.
pub struct FrontRig {
    pub front: Front,
    pub feed: Feed,
}

/// What a front is started with besides its target.
pub struct Setup {
    pub listen: Listen,
    pub limits: BrokerLimits,
    pub policy: Policy,
}

impl Default for Setup {
    fn default() -> Self {
        Self { listen: Listen::tcp(None), limits: BrokerLimits::UNLIMITED, policy: Policy::default() }
    }
}

impl FrontRig {
    pub async fn before(port: u16) -> Self {
        Self::start(port, Setup::default()).await
    }

    pub async fn limited(port: u16, limits: BrokerLimits) -> Self {
        Self::start(port, Setup { limits, ..Setup::default() }).await
    }

    pub async fn start(port: u16, setup: Setup) -> Self {
        Self::towards(Target::local(SocketAddr::from(([127, 0, 0, 1], port)), false), setup).await
    }

    pub async fn towards(target: Target, Setup { listen, limits, policy }: Setup) -> Self {
        let feed = Feed::new(256 << 20);
        let connections = Connections::default();
        let config = FrontConfig {
            name: "front".into(),
            feed: feed.clone(),
            listen,
            target,
            meter: Meter::new(limits),
            policy,
            connections,
            faults: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { front: Front::start(config, listener).unwrap(), feed }
    }

    pub fn addr(&self) -> SocketAddr {
        self.front.address()
    }

    /// The first event that `pick` accepts.
    pub async fn event<T>(&self, what: &str, pick: impl FnMut(&Kind) -> Option<T>) -> T {
        let mut pick = pick;
        eventually(what, async || self.feed.events().iter().find_map(|event| pick(&event.kind))).await
    }

    /// How the only connection's socket ended, once it did.
    pub async fn closed(&self) -> String {
        let pick = |kind: &Kind| match kind {
            Kind::Closed { cause, .. } => Some(cause.clone()),
            _ => None,
        };
        self.event("the end of a socket", pick).await
    }

    /// Why the client was disconnected.
    pub async fn goodbye(&self) -> String {
        let pick = |kind: &Kind| match kind {
            Kind::Disconnected { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        self.event("a disconnect", pick).await
    }

    /// Events of a kind, so far.
    pub fn all<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.feed.events().iter().filter_map(pick).collect()
    }

    pub async fn stop(self) -> Feed {
        soon("the end of the front", self.front.stop(Goodbye::stopped("the front was stopped"))).await;
        self.feed
    }
}
