//! rmqtt's server and the front before it in a runtime of their own: binding, the tasks beside them, and the end.
//!
//! Everything of rmqtt runs on this runtime. When it is dropped no task is left, and after the reference cycle inside
//! rmqtt's context is cut no memory is.

use super::BrokerError;
use super::clients::{Client, Right};
use super::drops::FLUSH_EVERY;
use super::extras::{Retained, Turns};
use super::hooks::{self, Desk};
use super::sessions::Sessions;
use crate::front::{Front, FrontConfig, Goodbye, Listen, Policy, Target};
use futures_util::FutureExt;
use relayscope_domain::limits::Limits;
use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::router::DefaultRouter;
use rmqtt::server::MqttServer;
use rmqtt::shared::DefaultShared;
use rmqtt::types::Id;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Ports tried after the one asked for.
const MORE_PORTS: u16 = 50;
/// Unacknowledged messages per client.
const INFLIGHT: NonZeroU16 = match NonZeroU16::new(256) {
    Some(number) => number,
    None => NonZeroU16::MIN,
};
/// Largest packet.
const MAX_PACKET: u32 = 16 * 1024 * 1024;
/// How long a client may take nothing of a packet before it is disconnected.
const STUCK: Duration = Duration::from_secs(30);
/// How long a connection to the private port may take to say whose it is.
const INTRODUCTION: Duration = Duration::from_millis(250);
/// Bytes of a packet that are kept to be shown.
const KEEP: usize = 1 << 20;
/// How long clients get to be told goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A running rmqtt.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    /// Cancelled when the broker no longer accepts clients.
    pub(super) finished: CancellationToken,
    scx: ServerContext,
    desk: Arc<Desk>,
    /// `None` only once the server was stopped.
    parts: Option<Parts>,
}

struct Parts {
    runtime: Runtime,
    front: Front,
    /// The accepting task, the flushing of drops and the watch on the accounts.
    tasks: JoinSet<()>,
}

impl Server {
    pub(super) async fn start(port: u16, desk: Arc<Desk>) -> Result<Self, BrokerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("embedded-broker")
            .enable_all()
            .build()
            .map_err(BrokerError::Runtime)?;
        let handle = runtime.handle().clone();
        let started = handle.spawn(async move {
            let mut tasks = JoinSet::new();
            launch(port, &desk, &mut tasks).await.map(|(scx, front, finished)| (scx, front, finished, desk, tasks))
        });
        match started.await.map_err(|error| BrokerError::Setup(error.to_string())) {
            Ok(Ok((scx, front, finished, desk, tasks))) => {
                let addr = front.address();
                Ok(Self { addr, finished, scx, desk, parts: Some(Parts { runtime, front, tasks }) })
            }
            Ok(Err(error)) | Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    fn handle(&self) -> Option<&Handle> {
        self.parts.as_ref().map(|parts| parts.runtime.handle())
    }

    /// The filters of a session, sorted.
    pub(super) async fn subscriptions(&self, id: &Id) -> Vec<String> {
        let entry = self.scx.extends.shared().await.entry(id.clone());
        let found = entry.subscriptions().await.unwrap_or_default();
        let mut filters: Vec<String> = found
            .iter()
            .map(|found| match found.opts.shared_group() {
                Some(group) => format!("$share/{group}/{}", found.topic),
                None => found.topic.to_string(),
            })
            .collect();
        filters.sort();
        filters
    }

    /// Disconnects a client; it hears the goodbye, and its session ends.
    pub(super) async fn cut(&self, client: Arc<Client>, goodbye: Goodbye) -> bool {
        let Some(handle) = self.handle() else { return false };
        handle.spawn(cut(self.scx.clone(), self.desk.clone(), client, goodbye)).await.unwrap_or(false)
    }

    pub(super) async fn stop(mut self) {
        let Some(Parts { runtime, front, mut tasks }) = self.parts.take() else { return };
        let (scx, desk) = (self.scx.clone(), self.desk.clone());
        let goodbyes = runtime.spawn(async move {
            front.stop(Goodbye::stopped("the broker was stopped")).await;
            tasks.shutdown().await;
            let mut cuts = JoinSet::new();
            for client in desk.clients.all() {
                cuts.spawn(cut(scx.clone(), desk.clone(), client, Goodbye::stopped("the broker was stopped")));
            }
            let _ = tokio::time::timeout(GOODBYE, async {
                while cuts.join_next().await.is_some() {}
                // The goodbye of a session comes a moment after it was cut.
                while desk.clients.count() > 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
            .await;
        });
        let _ = goodbyes.await;
        // A runtime may not be dropped where one runs.
        let _ = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(GOODBYE)).await;
        release(&self.scx).await;
        self.desk.drops.flush(&self.desk.source, &self.desk.feed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Parts { runtime, front, tasks }) = self.parts.take() {
            drop((front, tasks));
            runtime.shutdown_background();
            // Nobody can wait here; a lock that is held just now keeps some memory, nothing else.
            let _ = release(&self.scx).now_or_never();
        }
    }
}

/// Cuts the cycle context → sessions and router → context.
async fn release(scx: &ServerContext) {
    *scx.extends.shared_mut().await = Box::new(DefaultShared::new(None));
    *scx.extends.router_mut().await = Box::new(DefaultRouter::new(None));
}

async fn launch(
    port: u16,
    desk: &Arc<Desk>,
    tasks: &mut JoinSet<()>,
) -> Result<(ServerContext, Front, CancellationToken), BrokerError> {
    let public = listen(port).await?;
    let setup = |error: rmqtt::Error| BrokerError::Setup(error.to_string());
    let private = options().bind().and_then(|listener| listener.tcp()).map_err(setup)?;
    let target = private.local_addr().map_err(setup)?;
    // The busy check would leave a loop behind and refuses clients when other programs load the machine.
    let scx = ServerContext::new().busy_check_enable(false).build().await;
    *scx.extends.retain_mut().await = Box::new(Retained::new());
    *scx.extends.shared_subscription_mut().await = Box::new(Turns::default());
    *scx.extends.shared_mut().await = Box::new(Sessions::new(&scx, desk.budgets.clone()));
    hooks::register(desk, &*scx.extends.hook_mgr().register()).await;

    let finished = CancellationToken::new();
    let server = MqttServer::new(scx.clone()).listener_by_id(private, 1).build();
    let end = finished.clone().drop_guard();
    tasks.spawn(async move {
        // Cancels `finished` however this task ends.
        let _end = end;
        if let Err(error) = server.run().await {
            tracing::error!(%error, "The embedded broker ended.");
        }
    });
    tasks.spawn(flush_drops(desk.clone()));
    tasks.spawn(cut_revoked(scx.clone(), desk.clone(), desk.accounts.replaced()));
    let front = FrontConfig {
        name: desk.source.clone(),
        feed: desk.feed.clone(),
        listen: Listen::tcp(None),
        target: Target::local(target, true),
        limits: Limits::default(),
        policy: Policy { completes: true, keep: KEEP, ..Policy::default() },
        connections: desk.connections.clone(),
    };
    let front = Front::start(front, public).map_err(|error| BrokerError::Setup(error.to_string()))?;
    Ok((scx, front, finished))
}

async fn listen(port: u16) -> Result<TcpListener, BrokerError> {
    let last = if port == 0 { 0 } else { port.saturating_add(MORE_PORTS) };
    for candidate in port..=last {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, candidate));
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(BrokerError::Listen { address, source }),
        }
    }
    Err(BrokerError::NoFreePort { first: port, last })
}

/// What rmqtt listens with: a port of its own choice that only the front is told of.
fn options() -> Builder {
    Builder::new()
        .name("embedded")
        .laddr(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        // The front says who is connected; whoever else comes by says nothing and is not waited for.
        .proxy_protocol(true)
        .proxy_protocol_timeout(INTRODUCTION)
        .nodelay(true)
        .send_timeout(STUCK)
        .allow_anonymous(false)
        .max_packet_size(MAX_PACKET)
        .max_inflight(INFLIGHT)
        .max_mqueue_len(super::QUEUE)
        .max_topic_aliases(32)
        .session_expiry_interval(Duration::from_secs(24 * 60 * 60))
        // Zero: a message without an expiry of its own does not expire.
        .message_expiry_interval(Duration::ZERO)
        // Zero: no second PUBLISH on the same connection (MQTT-4.4.0-1); a relay may withhold its PUBACK for minutes.
        .message_retry_interval(Duration::ZERO)
}

async fn flush_drops(desk: Arc<Desk>) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    loop {
        ticks.tick().await;
        desk.drops.flush(&desk.source, &desk.feed);
    }
}

/// Disconnects clients whose token is gone or allows something else than when they connected.
async fn cut_revoked(scx: ServerContext, desk: Arc<Desk>, mut replaced: watch::Receiver<u64>) {
    loop {
        tokio::select! {
            changed = replaced.changed() => if changed.is_err() { return },
            () = desk.revoked.notified() => {}
        }
        let mut cuts = JoinSet::new();
        for client in desk.clients.all() {
            let goodbye = match &client.right {
                Right::Internal => continue,
                Right::Gone => Goodbye::new(0x87, "its token was removed"),
                Right::Token { fingerprint, account } => match desk.accounts.find(fingerprint) {
                    None => Goodbye::new(0x87, "its token was removed"),
                    Some(now) if now.permission != account.permission => {
                        Goodbye::by_hand("the permission of its token was changed")
                    }
                    Some(_) => continue,
                },
            };
            cuts.spawn(cut(scx.clone(), desk.clone(), client, goodbye));
        }
        while cuts.join_next().await.is_some() {}
        end_kept_sessions(&scx, &desk).await;
    }
}

/// Ends sessions that are kept for clients who are away and whose token is gone: they would only collect messages.
async fn end_kept_sessions(scx: &ServerContext, desk: &Desk) {
    let entries: Vec<_> = scx.extends.shared().await.iter().collect();
    for entry in entries {
        let Some(session) = entry.session() else { continue };
        if session.connected().await.unwrap_or(true) {
            continue;
        }
        let Ok(info) = session.connect_info().await else { continue };
        if desk.knows(&info) {
            continue;
        }
        let Ok(mut locked) = entry.try_lock().await else { continue };
        // rmqtt says nothing of what such a session leaves behind.
        desk.session_ended(&session.id);
        if let Err(error) = locked.kick(true, true, true).await {
            tracing::warn!(client_id = %session.id.client_id, %error, "A kept session could not be ended.");
        }
    }
}

async fn cut(scx: ServerContext, desk: Arc<Desk>, client: Arc<Client>, goodbye: Goodbye) -> bool {
    let said = client.id.remote_addr.is_some_and(|peer| desk.connections.cut_peer(peer, goodbye));
    let entry = scx.extends.shared().await.entry(client.id.clone());
    let Ok(mut entry) = entry.try_lock().await else { return said };
    if entry.id_same() != Some(true) {
        // Another connection took over in between, or the session ended with its connection.
        return said;
    }
    entry.kick(true, true, true).await.is_ok() || said
}
