//! The embedded broker: rmqtt on a private loopback port behind a [front](crate::front), with device tokens for passwords.
//!
//! The front owns the public port, the limits and every event of what passes on the wire; it tells rmqtt each client's
//! address by the PROXY protocol. [`hooks`] decides who may do what and says why, [`sessions`] corrects rmqtt where it would
//! refuse a reconnect or fill the memory. Each broker has a tokio runtime of its own, which is dropped when it stops: rmqtt
//! spawns tasks that it never ends, so this is the only way to be sure that nothing outlives it. The module knows nothing
//! of relays, SQLite or pages.
//!
//! rmqtt's traits used here are public but not promised: its version is pinned, and `tests/engine/broker*.rs` tell what an
//! update broke.

mod accounts;
mod clients;
mod drops;
mod extras;
mod hooks;
mod server;
mod sessions;
mod words;

pub use accounts::{Account, Accounts};

use crate::feed::Feed;
use crate::fingerprint::Fingerprint;
use crate::front::{Connections, Goodbye};
use clients::Client;
use hooks::Desk;
use relayscope_domain::message::MqttVersion;
use relayscope_domain::secret::Secret;
use server::Server;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// Messages rmqtt queues for a session that is away or whose window is full.
const QUEUE: usize = 50_000;

/// What a broker needs to know before it starts.
pub struct BrokerConfig {
    /// Name of the saved broker; the source of its events.
    pub name: Arc<str>,
    /// Port on 127.0.0.1; 0 takes any. When it is taken, the next free one of the fifty after it is used.
    pub port: u16,
    /// Where events go.
    pub feed: Feed,
    /// Who may connect.
    pub accounts: Accounts,
}

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No thread for it.
    #[error("failed to start the threads of the embedded broker")]
    Runtime(#[source] std::io::Error),
    /// The port can't be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// All ports are taken.
    #[error("failed to find a free port: {first} to {last} are taken")]
    NoFreePort {
        /// First port tried.
        first: u16,
        /// Last port tried.
        last: u16,
    },
    /// rmqtt could not be set up.
    #[error("failed to set up the embedded broker: {0}")]
    Setup(String),
}

/// A connected client.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Client id.
    pub client_id: String,
    /// User name it gave.
    pub username: String,
    /// Name of the device token it used.
    pub token_name: String,
    /// Where it connects from.
    pub address: Option<SocketAddr>,
    /// Protocol version; `None` for MQTT 3.1.
    pub version: Option<MqttVersion>,
    /// When it connected.
    pub since: SystemTime,
    /// Its filters, sorted.
    pub subscriptions: Vec<String>,
}

/// A running broker. Dropping it stops it without goodbyes; [`EmbeddedBroker::stop`] is the orderly way.
pub struct EmbeddedBroker {
    server: Server,
    desk: Arc<Desk>,
    internal: Secret,
}

impl EmbeddedBroker {
    /// Starts a broker; it accepts clients when this returns.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        let internal = Secret::new(uuid::Uuid::new_v4().to_string());
        let desk = Arc::new(Desk {
            source: config.name,
            feed: config.feed,
            accounts: config.accounts,
            internal: Fingerprint::of(internal.expose().as_bytes()),
            clients: Default::default(),
            connections: Default::default(),
            drops: Default::default(),
            budgets: Default::default(),
            revoked: Default::default(),
        });
        let server = Server::start(config.port, desk.clone()).await?;
        Ok(Self { server, desk, internal })
    }

    /// Where it listens, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// The password of Relayscope's own clients, with any user name; new at each start.
    pub fn internal_token(&self) -> &Secret {
        &self.internal
    }

    /// How many clients are connected.
    pub fn client_count(&self) -> usize {
        self.desk.clients.count()
    }

    /// The connected clients, by client id.
    pub async fn clients(&self) -> Vec<ClientInfo> {
        let mut infos = vec![];
        for client in self.desk.clients.all() {
            infos.push(self.info(&client).await);
        }
        infos.sort_by(|one, other| one.client_id.cmp(&other.client_id));
        infos
    }

    async fn info(&self, client: &Client) -> ClientInfo {
        ClientInfo {
            client_id: client.name.to_string(),
            username: client.id.username.as_ref().map(|name| name.to_string()).unwrap_or_default(),
            token_name: client.right.token_name().to_owned(),
            address: client.id.remote_addr,
            version: words::version(client.level),
            since: client.since,
            subscriptions: self.server.subscriptions(&client.id).await,
        }
    }

    /// Disconnects a client at once; its session ends and its last will is published. Returns whether it was connected.
    pub async fn kick(&self, client_id: &str) -> bool {
        match self.desk.clients.by_name(client_id) {
            Some(client) => self.server.cut(client, Goodbye::by_hand("disconnected by a click in Relayscope")).await,
            None => false,
        }
    }

    /// The sockets that are open at its front, those that have not sent a CONNECT included.
    pub fn connections(&self) -> &Connections {
        &self.desk.connections
    }

    /// Ends when the broker no longer accepts clients, whether it was stopped or died.
    pub fn finished(&self) -> impl Future<Output = ()> + Send + use<> {
        let finished: CancellationToken = self.server.finished.clone();
        finished.cancelled_owned()
    }

    /// Stops accepting, disconnects every client (wills are published), and frees the port and all memory.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
