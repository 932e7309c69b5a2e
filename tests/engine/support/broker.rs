//! An embedded broker with accounts, and clients for it.

use super::eventually;
use super::wire::Connect;
use relayscope_domain::broker::Embedded;
use relayscope_domain::id::TokenId;
use relayscope_domain::token::Permission;
use relayscope_engine::broker::{Account, Accounts, BrokerConfig, EmbeddedBroker, STUCK};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::{Event, Kind};
use relayscope_engine::fingerprint::Fingerprint;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event as MqttEvent, EventLoop, MqttOptions};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Command;

/// A device token that allows everything.
pub const FULL: &str = "11111111-2222-4333-8444-5555555aaaaa";
/// One that allows subscribing.
pub const READ: &str = "11111111-2222-4333-8444-5555555bbbbb";
/// One that allows publishing.
pub const WRITE: &str = "11111111-2222-4333-8444-5555555ccccc";

/// The account of a token.
pub fn account(name: &str, token: &str, permission: Permission) -> (Fingerprint, Account) {
    let last5 = token[token.len() - 5..].to_owned();
    let account = Account {
        // The same token is the same saved token, whenever the table is made.
        token_id: TokenId(token.parse().unwrap()),
        name: name.to_owned(),
        serial: None,
        permission,
        expires_at: None,
        last5,
    };
    (Fingerprint::of(token.as_bytes()), account)
}

/// The three accounts above.
pub fn accounts() -> Accounts {
    let accounts = Accounts::default();
    accounts.replace([
        account("all", FULL, Permission::Full),
        account("reader", READ, Permission::Read),
        account("writer", WRITE, Permission::Write),
    ]);
    accounts
}

/// A decent CONNECT.
pub fn connect<'a>(level: u8, client_id: &'a str, password: Option<&'a str>) -> Connect<'a> {
    Connect { level, client_id, username: Some("Token"), password, keep_alive: 60, ..Default::default() }
}

/// A broker and its events.
pub struct Rig {
    pub broker: EmbeddedBroker,
    pub feed: Feed,
    pub accounts: Accounts,
    settings: Embedded,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(Embedded { port: 0, ..Embedded::default() }, None).await
    }

    /// With these settings, and a file for what is kept.
    pub async fn with(settings: Embedded, database: Option<&Path>) -> Self {
        Self::patient(settings, database, STUCK).await
    }

    /// With a patience of its own for clients that take nothing.
    pub async fn patient(settings: Embedded, database: Option<&Path>, stuck: Duration) -> Self {
        let (feed, accounts) = (Feed::new(256 << 20), accounts());
        let config = BrokerConfig::forgetful("test", settings.clone(), feed.clone(), accounts.clone());
        let config = BrokerConfig { database: database.map(Path::to_owned), stuck, ..config };
        Self { broker: EmbeddedBroker::start(config).await.unwrap(), feed, accounts, settings }
    }

    /// Stops the broker and starts it again with the same file and the same tokens.
    pub async fn restart(self, database: &Path) -> Self {
        let Self { broker, feed, accounts, settings } = self;
        broker.stop().await;
        let config = BrokerConfig::forgetful("test", settings.clone(), feed.clone(), accounts.clone());
        let config = BrokerConfig { database: Some(database.to_owned()), ..config };
        Self { broker: EmbeddedBroker::start(config).await.unwrap(), feed, accounts, settings }
    }

    pub fn addr(&self) -> SocketAddr {
        self.broker.addr()
    }

    /// The first event of a client that `pick` accepts.
    pub async fn event<T>(&self, what: &str, client: &str, mut pick: impl FnMut(&Kind) -> Option<T>) -> T {
        let mut find = |event: &Event| (&*event.client == client).then(|| pick(&event.kind)).flatten();
        eventually(what, async || self.feed.events().iter().find_map(&mut find)).await
    }

    /// Why a client was disconnected.
    pub async fn goodbye(&self, client: &str) -> (String, bool) {
        let pick = |kind: &Kind| match kind {
            Kind::Disconnected { reason, clean, .. } => Some((reason.clone(), *clean)),
            _ => None,
        };
        self.event("a disconnect", client, pick).await
    }

    /// Why a client was refused, and with which code.
    pub async fn refusal(&self, client: &str) -> (Option<u8>, String) {
        let pick = |kind: &Kind| match kind {
            Kind::Refused { code, reason } => Some((*code, reason.clone())),
            _ => None,
        };
        self.event("a refusal", client, pick).await
    }

    /// Messages reported as dropped, with the last reason.
    pub fn dropped(&self) -> (u64, String) {
        self.feed.events().iter().fold((0, String::new()), |so_far, event| match &event.kind {
            Kind::Dropped { count, reason, .. } => (so_far.0 + count, reason.clone()),
            _ => so_far,
        })
    }

    /// Runs `mosquitto_pub` or `mosquitto_sub` against the broker; returns what it wrote.
    pub async fn mosquitto(&self, program: &str, token: &str, arguments: &[&str]) -> std::process::Output {
        let port = self.addr().port().to_string();
        let base = ["-h", "127.0.0.1", "-p", &port, "-u", "Token", "-P", token];
        super::soon(program, Command::new(program).args(base).args(arguments).kill_on_drop(true).output())
            .await
            .unwrap()
    }
}

/// A rumqttc client whose event loop runs in a task.
pub struct Mqtt {
    pub client: AsyncClient,
    inbox: Arc<Mutex<Inbox>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Inbox {
    connected: u32,
    session_present: bool,
    granted: VecDeque<SubscribeReasonCode>,
    published: Vec<Publish>,
    acks: Vec<u8>,
    ended: Option<String>,
}

/// Options for a client with a token.
pub fn options(addr: SocketAddr, client_id: &str, token: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, addr.ip().to_string(), addr.port());
    options.set_credentials("Token", token);
    options.set_max_packet_size(Some(20_000_000));
    options.set_outgoing_inflight_upper_limit(200);
    options
}

impl Mqtt {
    /// Connects; the client does not connect again.
    pub async fn connect(options: MqttOptions) -> Self {
        let (client, events) = AsyncClient::new(options, 100);
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let task = tokio::spawn(receive(events, inbox.clone()));
        let client = Self { client, inbox, task };
        client.wait("CONNACK", |inbox| (inbox.connected > 0).then_some(())).await;
        client
    }

    async fn wait<T>(&self, what: &str, mut look: impl FnMut(&mut Inbox) -> Option<T>) -> T {
        eventually(what, async || look(&mut self.inbox.lock().unwrap())).await
    }

    /// Subscribes and returns the broker's answer.
    pub async fn subscribe(&self, filter: &str, qos: QoS) -> SubscribeReasonCode {
        self.client.subscribe(filter, qos).await.unwrap();
        self.wait("SUBACK", |inbox| inbox.granted.pop_front()).await
    }

    /// Waits for the `count`th message; returns all.
    pub async fn messages(&self, count: usize) -> Vec<Publish> {
        self.wait("messages", |inbox| (inbox.published.len() >= count).then(|| inbox.published.clone())).await
    }

    /// How many messages came so far.
    pub fn received(&self) -> usize {
        self.inbox.lock().unwrap().published.len()
    }

    /// Reason codes of PUBACKs, once there are `count`.
    pub async fn acks(&self, count: usize) -> Vec<u8> {
        self.wait("PUBACKs", |inbox| (inbox.acks.len() >= count).then(|| inbox.acks.clone())).await
    }

    /// Whether the broker had kept the session.
    pub fn session_present(&self) -> bool {
        self.inbox.lock().unwrap().session_present
    }

    /// Waits for the end of the connection.
    pub async fn end(&self) -> String {
        self.wait("the end of the connection", |inbox| inbox.ended.clone()).await
    }

    /// Breaks the connection.
    pub fn abort(self) {
        self.task.abort();
    }
}

async fn receive(mut events: EventLoop, inbox: Arc<Mutex<Inbox>>) {
    loop {
        let event = events.poll().await;
        let mut inbox = inbox.lock().unwrap();
        match event {
            Ok(MqttEvent::Incoming(Packet::ConnAck(ack))) => {
                inbox.connected += 1;
                inbox.session_present = ack.session_present;
            }
            Ok(MqttEvent::Incoming(Packet::SubAck(ack))) => inbox.granted.extend(ack.return_codes),
            Ok(MqttEvent::Incoming(Packet::Publish(publish))) => inbox.published.push(publish),
            Ok(MqttEvent::Incoming(Packet::PubAck(ack))) => inbox.acks.push(ack.reason as u8),
            Ok(MqttEvent::Outgoing(rumqttc::Outgoing::Disconnect)) => {
                inbox.ended = Some("goodbye".to_owned());
                return;
            }
            Ok(_) => {}
            Err(error) => {
                inbox.ended = Some(error.to_string());
                return;
            }
        }
    }
}
