//! rmqtt's server and the front before it in a runtime of their own: binding, the tasks beside them, and the end.
//!
//! Everything of rmqtt runs on this runtime. When it is dropped no task is left, and after the reference cycle inside
//! rmqtt's context is cut no memory is.

use super::BrokerError;
use super::clients::Client;
use super::disk::{Change, Found, Writer};
use super::doors::{self, Doors, Shared};
use super::drops::FLUSH_EVERY;
use super::farewell;
use super::fitting::Fitting;
use super::hooks::{self, Desk};
use super::restore::{self, Restored};
use super::retained::Retained;
use super::sessions::Sessions;
use super::turns::Turns;
use crate::front::{Goodbye, Meter};
use futures_util::FutureExt;
use futures_util::future::join_all;
use relayscope_domain::broker::Embedded;
use relayscope_domain::id::ListenerId;
use relayscope_domain::secret::Secret;
use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::router::DefaultRouter;
use rmqtt::server::MqttServer;
use rmqtt::shared::DefaultShared;
use rmqtt::types::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Unacknowledged messages per client.
const INFLIGHT: NonZeroU16 = match NonZeroU16::new(256) {
    Some(number) => number,
    None => NonZeroU16::MIN,
};
/// The longest packet there is (MQTT 5.0 section 2.1.4).
const LONGEST_PACKET: u32 = 268_435_460;
/// Topic aliases each side of a connection may use.
pub(super) const TOPIC_ALIASES: u16 = 32;
/// How long a connection to the private port may take to say whose it is.
const INTRODUCTION: Duration = Duration::from_secs(2);
/// How long clients get to be told goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A running rmqtt.
pub(super) struct Server {
    /// Where clients come in.
    pub(super) doors: Arc<Doors>,
    /// Cancelled when the broker no longer accepts clients.
    pub(super) finished: CancellationToken,
    pub(super) retained: Retained,
    pub(super) restored: Restored,
    scx: ServerContext,
    desk: Arc<Desk>,
    /// `None` only once the server was stopped.
    parts: Option<Parts>,
}

struct Parts {
    runtime: Runtime,
    /// The accepting task, the flushing of drops, the watch on the accounts and the doors that are tried again.
    tasks: JoinSet<()>,
    /// Writes what is kept; it ends last.
    writer: JoinSet<()>,
}

struct Launched {
    scx: ServerContext,
    doors: Arc<Doors>,
    finished: CancellationToken,
    retained: Retained,
    restored: Restored,
    writer: JoinSet<()>,
}

/// What the file of the last run needs and holds; nothing when nothing is kept.
#[derive(Default)]
pub(super) struct Keeping {
    pub(super) writer: Option<Writer>,
    pub(super) found: Found,
}

/// What it listens with.
pub(super) struct Plan {
    pub(super) settings: Embedded,
    pub(super) keys: BTreeMap<ListenerId, Secret>,
    /// How long a client may take nothing of a packet before it is disconnected.
    pub(super) stuck: Duration,
}

impl Server {
    pub(super) async fn start(plan: Plan, desk: Arc<Desk>, kept: Keeping) -> Result<Self, BrokerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("embedded-broker")
            .enable_all()
            .build()
            .map_err(BrokerError::Runtime)?;
        let handle = runtime.handle().clone();
        let started = handle.spawn(async move {
            let mut tasks = JoinSet::new();
            launch(&plan, &desk, kept, &mut tasks).await.map(|launched| (launched, desk, tasks))
        });
        match started.await.map_err(|error| BrokerError::Setup(error.to_string())) {
            Ok(Ok((Launched { scx, doors, finished, retained, restored, writer }, desk, tasks))) => {
                let parts = Some(Parts { runtime, tasks, writer });
                Ok(Self { doors, finished, retained, restored, scx, desk, parts })
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

    /// The filters of a session with the QoS granted, sorted.
    pub(super) async fn subscriptions(&self, id: &Id) -> Vec<(String, u8)> {
        let entry = self.scx.extends.shared().await.entry(id.clone());
        let found = entry.subscriptions().await.unwrap_or_default();
        let mut filters: Vec<(String, u8)> = found
            .iter()
            .map(|found| match found.opts.shared_group() {
                Some(group) => (format!("$share/{group}/{}", found.topic), found.opts.qos().value()),
                None => (found.topic.to_string(), found.opts.qos().value()),
            })
            .collect();
        filters.sort();
        filters
    }

    /// How many sessions there are.
    pub(super) async fn sessions(&self) -> usize {
        self.scx.extends.shared().await.iter().count()
    }

    /// Messages of a session that were sent and not acknowledged, and that wait.
    pub(super) async fn waiting(&self, id: &Id) -> (usize, usize) {
        let entry = self.scx.extends.shared().await.entry(id.clone());
        let Some(session) = entry.session() else { return (0, 0) };
        let inflight = session.out_inflight().read().await.len();
        (inflight, self.desk.budgets.waiting(&id.client_id).saturating_sub(inflight))
    }

    /// Disconnects a client; it hears the goodbye, and its session ends.
    pub(super) async fn cut(&self, client: Arc<Client>, goodbye: Goodbye) -> bool {
        let Some(handle) = self.handle() else { return false };
        let cut = farewell::cut(self.scx.clone(), self.desk.clone(), client, goodbye);
        handle.spawn(cut).await.unwrap_or(false)
    }

    pub(super) async fn stop(mut self) {
        let Some(Parts { runtime, mut tasks, mut writer }) = self.parts.take() else { return };
        let (scx, desk, doors) = (self.scx.clone(), self.desk.clone(), self.doors.clone());
        let goodbyes = runtime.spawn(async move {
            tasks.shutdown().await;
            let _ = tokio::time::timeout(GOODBYE, async {
                farewell::all(&scx, &desk).await;
                // Whoever has no session, and whoever came meanwhile.
                join_all(doors.take().into_iter().map(|front| front.stop(farewell::stopped()))).await;
                // The goodbye of a session comes a moment after it was cut.
                while desk.clients.count() > 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
            .await;
            if let Some(disk) = &desk.disk {
                let closed = async {
                    disk.change(Change::Close).await;
                    writer.join_next().await;
                };
                let _ = tokio::time::timeout(GOODBYE, closed).await;
            }
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
        if let Some(Parts { runtime, tasks, writer }) = self.parts.take() {
            drop((self.doors.take(), tasks, writer));
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
    plan: &Plan,
    desk: &Arc<Desk>,
    kept: Keeping,
    tasks: &mut JoinSet<()>,
) -> Result<Launched, BrokerError> {
    let doors = doors::bind_all(&plan.settings, &plan.keys, desk).await?;
    let setup = |error: rmqtt::Error| BrokerError::Setup(error.to_string());
    let (mut ports, mut private) = (vec![], BTreeMap::new());
    for size in packet_sizes(&plan.settings) {
        let port = options(size, plan.stuck).bind().and_then(|listener| listener.tcp()).map_err(setup)?;
        private.insert(size, port.local_addr().map_err(setup)?);
        ports.push(port);
    }
    // The busy check would leave a loop behind and refuses clients when other programs load the machine.
    let scx = ServerContext::new().busy_check_enable(false).build().await;
    let retained = Retained::new(desk.clone());
    *scx.extends.retain_mut().await = Box::new(retained.clone());
    *scx.extends.fitter_mgr_mut().await = Box::new(Fitting);
    *scx.extends.shared_subscription_mut().await = Box::new(Turns::new(desk.clone()));
    *scx.extends.shared_mut().await = Box::new(Sessions::new(&scx, desk.clone(), retained.clone()));
    hooks::register(desk, &*scx.extends.hook_mgr().register()).await;

    let mut writer = JoinSet::new();
    if let Some(run) = kept.writer {
        writer.spawn(run.run(desk.source.clone(), desk.feed.clone()));
    }
    let Found { sessions, messages, retained: rows } = kept.found;
    retained.restore(rows).await.map_err(|error| BrokerError::Setup(error.to_string()))?;
    let found = Found { sessions, messages, retained: vec![] };
    let config = ports.first().map(|port| port.cfg.clone()).ok_or_else(|| BrokerError::Setup("no port".into()))?;
    let restored = restore::sessions(&scx, desk, config, found).await;

    let finished = CancellationToken::new();
    let server = MqttServer::new(scx.clone());
    let server = (1..).zip(ports).fold(server, |server, (number, port)| server.listener_by_id(port, number)).build();
    let end = finished.clone().drop_guard();
    tasks.spawn(async move {
        // Cancels `finished` however this task ends.
        let _end = end;
        if let Err(error) = server.run().await {
            tracing::error!(%error, "The embedded broker ended.");
        }
    });
    tasks.spawn(flush_drops(desk.clone()));
    tasks.spawn(farewell::revoked(scx.clone(), desk.clone(), desk.accounts.replaced()));
    let doors = Doors::open(doors, Shared { desk: desk.clone(), meter: Meter::new(plan.settings.limits), private })?;
    tasks.spawn(doors.clone().reopen());
    Ok(Launched { scx, doors, finished, retained, restored, writer })
}

/// The sizes packets may have at the listeners: rmqtt tells each client the one of its port.
fn packet_sizes(settings: &Embedded) -> BTreeSet<Option<u32>> {
    let own = settings.listeners.iter().filter_map(|listener| listener.limits);
    own.chain([settings.limits]).map(|limits| limits.packet_bytes).collect()
}

/// What rmqtt listens with: a port of its own choice that only the front is told of.
fn options(packet_bytes: Option<u32>, stuck: Duration) -> Builder {
    Builder::new()
        .name("embedded")
        .laddr(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        // The front says who is connected; whoever else comes by says nothing and is not waited for.
        .proxy_protocol(true)
        .proxy_protocol_timeout(INTRODUCTION)
        .nodelay(true)
        .send_timeout(stuck)
        .allow_anonymous(false)
        .max_packet_size(packet_bytes.unwrap_or(LONGEST_PACKET))
        .max_inflight(INFLIGHT)
        .max_mqueue_len(super::QUEUE)
        .max_topic_aliases(TOPIC_ALIASES)
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
