//! The embedded broker: rmqtt on a private loopback port behind [fronts](crate::front), with device tokens for passwords.
//!
//! The fronts own the public ports ([`doors`]), the limits and every event of what passes on the wire; they tell rmqtt each
//! client's address by the PROXY protocol. [`hooks`] decides who may do what and says why, [`sessions`] corrects rmqtt where
//! it would refuse a reconnect or fill the memory, [`disk`] keeps what sessions are promised. Each broker has a tokio runtime
//! of its own, which is dropped when it stops: rmqtt spawns tasks that it never ends, so this is the only way to be sure that
//! nothing outlives it. The module knows nothing of relays and pages.
//!
//! rmqtt's traits used here are public but not promised: its version is pinned, and `tests/engine/broker*.rs` tell what an
//! update broke.

mod accounts;
mod budgets;
mod clients;
mod disk;
mod doors;
mod drops;
mod farewell;
mod fitting;
mod hooks;
mod keep;
mod owners;
mod promises;
mod restore;
mod retained;
mod rights;
mod server;
mod sessions;
mod size;
mod turns;
mod words;

pub use accounts::{Account, Accounts};
pub use clients::Counters;
pub use doors::Listening;
pub use restore::Restored;
pub use retained::RetainedMessage;

use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::fingerprint::Fingerprint;
use crate::front::{Connections, Goodbye};
use crate::store::open::{OpenError, suffixed};
use clients::Client;
use disk::Disk;
use hooks::Desk;
use owners::Owners;
use promises::Promises;
use relayscope_domain::broker::Embedded;
use relayscope_domain::id::{BrokerId, ListenerId};
use relayscope_domain::message::MqttVersion;
use relayscope_domain::secret::Secret;
use rmqtt::retain::RetainStorage;
use server::{Keeping, Plan, Server};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Messages rmqtt queues for a session that is away or whose window is full.
const QUEUE: usize = 50_000;

/// How long a client may take nothing of a packet before it is disconnected.
pub const STUCK: Duration = Duration::from_secs(30);

/// Where a broker keeps sessions and messages.
pub fn broker_db(data_dir: &Path, id: BrokerId) -> PathBuf {
    data_dir.join(format!("broker-{}.db", &id.to_string()[..8]))
}

/// Removes what a broker kept; there may be nothing.
pub fn forget_kept(path: &Path) {
    for file in [path.to_owned(), suffixed(path, "-wal"), suffixed(path, "-shm")] {
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %file.display(), "What an embedded broker kept could not be removed.");
        }
    }
}

/// What a broker needs to know before it starts.
pub struct BrokerConfig {
    /// Name of the saved broker; the source of its events.
    pub name: Arc<str>,
    /// What it promises and where it listens. Port 0 takes any; when the plain port is taken, the next free one of the
    /// fifty after it is used.
    pub settings: Embedded,
    /// Private keys of its listeners (PEM).
    pub keys: BTreeMap<ListenerId, Secret>,
    /// Where sessions and messages are kept; `None` forgets them when it stops.
    pub database: Option<PathBuf>,
    /// Where events go.
    pub feed: Feed,
    /// Who may connect.
    pub accounts: Accounts,
    /// How long a client may take nothing of a packet before it is disconnected; [`STUCK`] unless there is a reason.
    pub stuck: Duration,
}

impl BrokerConfig {
    /// A broker that keeps nothing.
    pub fn forgetful(name: &str, settings: Embedded, feed: Feed, accounts: Accounts) -> Self {
        Self { name: name.into(), settings, keys: BTreeMap::new(), database: None, feed, accounts, stuck: STUCK }
    }
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
    /// The file of sessions and messages can't be opened.
    #[error("failed to open what the embedded broker keeps")]
    Disk(#[source] OpenError),
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
    /// Its filters, sorted, with the QoS granted.
    pub subscriptions: Vec<(String, u8)>,
    /// Keep-alive as asked for, seconds; 0 is none.
    pub keep_alive: u16,
    /// Its last will in words.
    pub will: Option<String>,
    /// Messages and bytes from it, and to it, as they were on the wire.
    pub traffic: [u64; 4],
    /// Messages sent and not acknowledged.
    pub inflight: usize,
    /// Messages that wait for it.
    pub queue: usize,
    /// Whether its session stays when it goes.
    pub kept: bool,
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
        let mut kept = Keeping::default();
        let mut disk = None;
        if let Some(path) = &config.database {
            let opened = Disk::open(path).await.map_err(BrokerError::Disk)?;
            for notice in opened.notices {
                tracing::warn!("{notice}");
                let kind = Kind::Note { failure: true, text: notice };
                config.feed.record(Event::now(&config.name, &"".into(), None, kind));
            }
            disk = Some(opened.disk);
            kept = Keeping { writer: Some(opened.writer), found: opened.found };
        }
        let desk = Arc::new(Desk {
            source: config.name,
            feed: config.feed,
            accounts: config.accounts,
            internal: Fingerprint::of(internal.expose().as_bytes()),
            clients: Default::default(),
            connections: Default::default(),
            drops: Default::default(),
            budgets: Default::default(),
            owners: Owners::new(config.settings.scope),
            promises: Promises::after(kept.found.last_ticket()),
            totals: Default::default(),
            retain: config.settings.retain,
            disk,
            revoked: Default::default(),
        });
        let plan = Plan { settings: config.settings, keys: config.keys, stuck: config.stuck };
        let server = Server::start(plan, desk.clone(), kept).await?;
        Ok(Self { server, desk, internal })
    }

    /// What was there again when it started.
    pub fn restored(&self) -> Restored {
        self.server.restored
    }

    /// Retained messages that match a filter, by topic.
    pub async fn retained(&self, filter: &str) -> Vec<RetainedMessage> {
        self.server.retained.list(filter).await
    }

    /// Takes retained messages away; nobody is sent anything. Returns how many are gone.
    pub async fn clear_retained(&self, messages: &[RetainedMessage]) -> usize {
        let mut gone = 0;
        for message in messages {
            gone += usize::from(self.server.retained.clear(&message.space, &message.topic).await.is_ok());
        }
        gone
    }

    /// Puts retained messages back that were taken away. Returns how many are there again.
    pub async fn restore_retained(&self, messages: &[RetainedMessage]) -> usize {
        let mut back = 0;
        for message in messages {
            back += usize::from(self.server.retained.put_back(message).await.is_ok());
        }
        back
    }

    /// Its plain port on 127.0.0.1, the real one.
    pub fn addr(&self) -> SocketAddr {
        let plain = self.listening().first().map(|at| at.address);
        plain.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Where it listens: the plain port first, then the listeners in their order, those that failed among them.
    pub fn listening(&self) -> Vec<Listening> {
        self.server.doors.listening()
    }

    /// Whether one of its listeners has this port now.
    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.listening().iter().any(|at| at.trouble.is_none() && at.address.port() == port)
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

    /// A page of the connected clients whose id, token or address holds `text`, and how many those are.
    pub async fn clients_page(&self, text: &str, from: usize, count: usize) -> (usize, Vec<ClientInfo>) {
        let text = text.trim().to_lowercase();
        let mut clients = self.desk.clients.all();
        clients.retain(|client| text.is_empty() || client.mentions(&text));
        clients.sort_by(|one, other| one.name.cmp(&other.name));
        let total = clients.len();
        let mut infos = vec![];
        for client in clients.iter().skip(from).take(count) {
            infos.push(self.info(client).await);
        }
        (total, infos)
    }

    /// One connected client.
    pub async fn client(&self, client_id: &str) -> Option<ClientInfo> {
        let client = self.desk.clients.by_name(client_id)?;
        Some(self.info(&client).await)
    }

    /// How many sessions there are, those of clients that are away included.
    pub async fn session_count(&self) -> usize {
        self.server.sessions().await
    }

    /// How many retained messages there are.
    pub async fn retained_count(&self) -> usize {
        self.server.retained.count().await.max(0).unsigned_abs()
    }

    /// What it counted since it started.
    pub fn counters(&self) -> Counters {
        self.desk.totals.read(self.desk.connections.traffic())
    }

    async fn info(&self, client: &Client) -> ClientInfo {
        let (inflight, queue) = self.server.waiting(&client.id).await;
        ClientInfo {
            client_id: client.name.to_string(),
            username: client.id.username.as_ref().map(|name| name.to_string()).unwrap_or_default(),
            token_name: client.right.token_name().to_owned(),
            address: client.id.remote_addr,
            version: words::version(client.level),
            since: client.since,
            subscriptions: self.server.subscriptions(&client.id).await,
            keep_alive: client.keep_alive,
            will: client.will.clone(),
            traffic: client.id.remote_addr.and_then(|peer| self.desk.connections.traffic_of(peer)).unwrap_or_default(),
            inflight,
            queue,
            kept: self.desk.owners.is_kept(&client.name),
        }
    }

    /// Disconnects a client at once; its session ends and its last will is published. Returns whether it was connected.
    pub async fn kick(&self, client_id: &str) -> bool {
        match self.desk.clients.by_name(client_id) {
            Some(client) => self.server.cut(client, Goodbye::by_hand("disconnected by a click in Relayscope")).await,
            None => false,
        }
    }

    /// The sockets that are open at its fronts, those that have not sent a CONNECT included.
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
