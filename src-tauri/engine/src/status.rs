//! How everything stands, in words: built from the configuration, the registry and the meters about twice a second, and
//! pushed to pages by the janitor. It changes nothing but the tokens' time of last use.

mod forecast;
mod taps;
mod words;

pub(crate) use words::{grouped, unit as unit_words};

use crate::api::wire::{
    BrokerStatus, ChartFrame, Frame, LastError, PlatformStatus, QueueUse, RelayStatus, SessionsFrame, StatusSnapshot,
    Totals,
};
use crate::configuration::DemoRecord;
use crate::feed::{Feed, unix_millis};
use crate::inspect;
use crate::queue::Queue;
use crate::relay::meter::Meter;
use crate::runtime::{Runtime, UnitKey};
use crate::store::{Store, StoreError};
use relayscope_domain::broker::{Broker, BrokerSpec};
use relayscope_domain::id::RelayId;
use relayscope_domain::relay::Relay;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
// Ticks between two snapshots, and between two writes of the tokens' last use.
const SNAPSHOT: u32 = 5;
const TOUCH: u32 = 100;
// Ticks between two looks at the inspector's sessions.
const SESSIONS: u32 = 2;
// Ticks between two purges of discarded dead letters: two minutes. The first is at the start.
const PURGE: u32 = 1_200;
const SPARK: usize = 60;

/// Rates, from one snapshot to the next.
#[derive(Default)]
pub(crate) struct Rates {
    relays: HashMap<RelayId, RelayRate>,
    taps: taps::TapRates,
}

struct RelayRate {
    at: Instant,
    received: u64,
    delivered: u64,
    rate_in: f64,
    rate_out: f64,
    spark: VecDeque<f32>,
    spark_at: Instant,
    spark_delivered: u64,
    // The most that waited since there last was no backlog.
    highest: u64,
}

impl Rates {
    fn update(&mut self, id: RelayId, received: u64, delivered: u64, waiting: u64) -> &RelayRate {
        let now = Instant::now();
        let rate = self.relays.entry(id).or_insert_with(|| RelayRate {
            at: now,
            received,
            delivered,
            rate_in: 0.0,
            rate_out: 0.0,
            spark: VecDeque::from(vec![0.0; SPARK]),
            spark_at: now,
            spark_delivered: delivered,
            highest: 0,
        });
        rate.highest = if waiting == 0 { 0 } else { rate.highest.max(waiting) };
        let seconds = now.duration_since(rate.at).as_secs_f64();
        // A second's worth at least, so that a rate of one message a second does not flicker.
        if seconds >= 0.95 {
            rate.rate_in = received.saturating_sub(rate.received) as f64 / seconds;
            rate.rate_out = delivered.saturating_sub(rate.delivered) as f64 / seconds;
            (rate.at, rate.received, rate.delivered) = (now, received, delivered);
        }
        let since = now.duration_since(rate.spark_at).as_secs_f64();
        if since >= 0.95 {
            rate.spark.pop_front();
            rate.spark.push_back((delivered.saturating_sub(rate.spark_delivered) as f64 / since) as f32);
            (rate.spark_at, rate.spark_delivered) = (now, delivered);
        }
        rate
    }
}

/// Everything that changes by itself.
pub(crate) async fn snapshot(
    store: &Store,
    queue: &Queue,
    feed: &Feed,
    runtime: &Runtime,
    data_dir: &Path,
    rates: &mut Rates,
) -> Result<StatusSnapshot, StoreError> {
    let brokers = store.brokers().await?;
    let mut relays = vec![];
    let all = store.relays().await?;
    rates.relays.retain(|id, _| all.iter().any(|relay| relay.id == *id));
    for relay in all {
        relays.push(relay_status(&relay, &brokers, queue, runtime, rates).await);
    }
    let broker_states = brokers.iter().map(|broker| broker_status(broker, &relays, runtime)).collect();
    let taps = taps::status(store, &brokers, runtime, &mut rates.taps).await?;
    let demo: Option<DemoRecord> = store.value("demo").await?;
    let usage = feed.usage();
    let platform = runtime.platform();
    Ok(StatusSnapshot {
        totals: Totals {
            // Not `sum`: that of nothing is minus zero.
            rate_in: relays.iter().fold(0.0, |sum, relay| sum + relay.rate_in),
            rate_out: relays.iter().fold(0.0, |sum, relay| sum + relay.rate_out),
            waiting: relays.iter().map(|relay| relay.ledger.waiting + relay.ledger.in_flight).sum(),
            oldest_waiting_at: relays.iter().filter_map(|relay| relay.oldest_waiting_at).min(),
            dead: relays.iter().map(|relay| relay.ledger.dead).sum(),
            feed_bytes: usage.bytes,
            feed_budget: usage.budget,
            disk_bytes: disk_bytes(data_dir),
        },
        relays,
        brokers: broker_states,
        taps,
        platform: PlatformStatus {
            state: words::unit(&runtime.status(UnitKey::Platform), "not needed"),
            url: platform.as_ref().map(|platform| platform.url()),
            stored: platform.as_ref().map_or(0, |platform| platform.stored()),
            devices: platform.as_ref().map_or(0, |platform| platform.device_count()),
        },
        demo: DemoRecord::status(demo.as_ref(), runtime),
    })
}

async fn relay_status(
    relay: &Relay,
    brokers: &[Broker],
    queue: &Queue,
    runtime: &Runtime,
    rates: &mut Rates,
) -> RelayStatus {
    let meter = runtime.meter(relay.id);
    if !meter.is_loaded()
        && let (Ok(ledger), Ok(rows), Ok(bytes)) =
            (queue.ledger(relay.id).await, queue.count(relay.id).await, queue.bytes(relay.id).await)
    {
        meter.load(ledger, rows, bytes);
    }
    let (ledger, mismatch) = meter.ledger();
    let rate = rates.update(relay.id, ledger.received, ledger.delivered, ledger.waiting);
    let (rate_in, rate_out, highest) = (rate.rate_in, rate.rate_out, rate.highest);
    let sparkline = rate.spark.iter().copied().collect();
    let unit = runtime.status(UnitKey::Relay(relay.id));
    let endpoint = relay.downlink_port.map(|port| runtime.status(UnitKey::Endpoint(port)));
    let session = runtime.relay(relay.id).map(|at| at.handles.session.borrow().clone());
    let broker = brokers.iter().find(|broker| broker.id == relay.broker_id);
    let standing = words::RelayStanding {
        relay,
        unit: &unit,
        endpoint: endpoint.as_ref(),
        session: session.as_ref(),
        meter: &meter,
        waiting: ledger.waiting,
    };
    let oldest = if ledger.waiting + ledger.in_flight > 0 { queue.oldest(relay.id).await.ok().flatten() } else { None };
    RelayStatus {
        id: relay.id,
        name: relay.name.clone(),
        enabled: relay.enabled,
        state: standing.state(),
        broker_name: broker.map_or_else(String::new, |broker| broker.name.clone()),
        broker: standing.broker(),
        broker_detail: broker.map_or_else(String::new, words::broker_detail),
        filters: relay.mappings.iter().filter(|mapping| mapping.enabled).count() as u32,
        destination_name: relay.region.words(),
        destination: standing.destination(),
        destination_detail: meter
            .median_took()
            .map_or_else(String::new, |took| format!("p50 {}", crate::feed::took_words(took))),
        ledger_difference: ledger.difference() + mismatch,
        ledger,
        rate_in,
        rate_out,
        sparkline,
        oldest_waiting_at: oldest,
        queue: QueueUse {
            bytes: meter.bytes(),
            budget: u64::from(relay.rules.queue_megabytes) * 1_000_000,
            full: meter.is_full(),
        },
        quota: meter.quota().map(|quota| forecast::quota(&quota, rate_in)),
        drain: forecast::drain(ledger.waiting, highest, rate_in, rate_out),
        requests: ledger.in_flight as u32,
        request_limit: meter.request_limit(),
        oversized: meter.oversized(),
        paused: meter.is_paused(),
        version_advice: standing.version_advice(),
        last_error: last_error(&meter, &standing),
        downlink: relay.downlink_port.and_then(|port| runtime.endpoint(port)).map(|at| format!("{}/publish", at.url)),
    }
}

fn last_error(meter: &Arc<Meter>, standing: &words::RelayStanding<'_>) -> Option<LastError> {
    if let Some((message, advice, since)) = standing.trouble() {
        return Some(LastError { message, advice, at: unix_millis(since), current: true });
    }
    meter.last_error().map(|trouble| LastError {
        message: trouble.message,
        advice: trouble.advice,
        at: unix_millis(trouble.at),
        current: false,
    })
}

fn broker_status(broker: &Broker, relays: &[RelayStatus], runtime: &Runtime) -> BrokerStatus {
    match &broker.spec {
        BrokerSpec::Embedded(embedded) => {
            let at = runtime.broker(broker.id);
            let state = words::unit(&runtime.status(UnitKey::Broker(broker.id)), "stopped");
            let listening = at.as_ref().map(|at| at.broker.listening()).unwrap_or_default();
            BrokerStatus {
                id: broker.id,
                state: words::with_listeners(state, &listening),
                address: at
                    .as_ref()
                    .map_or_else(|| format!("127.0.0.1:{}", embedded.port), |at| at.address.to_string()),
                clients: at.map(|at| at.broker.client_count() as u32),
            }
        }
        BrokerSpec::External(connection) => BrokerStatus {
            id: broker.id,
            state: words::external(relays.iter().filter(|relay| relay.enabled && relay.broker_name == broker.name)),
            address: format!("{}:{}", connection.host, connection.port),
            clients: None,
        },
    }
}

/// The size of the databases, write-ahead logs included.
fn disk_bytes(data_dir: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(data_dir) else { return 0 };
    let databases = files.flatten().filter(|file| file.file_name().to_string_lossy().contains(".db"));
    databases.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// The unit that ticks.
pub(crate) struct Janitor {
    data_dir: PathBuf,
    store: Store,
    queue: Queue,
    feed: Feed,
    runtime: Arc<Runtime>,
    frames: broadcast::Sender<Frame>,
    rates: Rates,
    // What brokers answered to filters, as the pages last heard it: lists of relays show it.
    grants: Vec<(RelayId, usize)>,
    // The inspector's sessions as the pages last heard of them.
    sessions: SessionsFrame,
    // Values of the chart as the pages last heard of them.
    charted: u64,
    // Deliveries of each relay when its tokens were last noted as used.
    delivered: HashMap<RelayId, u64>,
}

impl Janitor {
    pub(crate) fn new(
        data_dir: PathBuf,
        store: Store,
        queue: Queue,
        feed: Feed,
        runtime: Arc<Runtime>,
        frames: broadcast::Sender<Frame>,
    ) -> Self {
        Self {
            data_dir,
            store,
            queue,
            feed,
            runtime,
            frames,
            rates: Rates::default(),
            grants: vec![],
            sessions: SessionsFrame { sessions: vec![] },
            charted: 0,
            delivered: HashMap::new(),
        }
    }

    /// Notes which tokens were used: by clients of embedded brokers, and by relays that delivered.
    async fn touch_tokens(&mut self) -> Result<(), StoreError> {
        let now = unix_millis(SystemTime::now());
        let mut used: Vec<_> = self.runtime.accounts.take_used().into_iter().map(|id| (id, now)).collect();
        for relay in self.store.relays().await? {
            let delivered = self.runtime.meter(relay.id).ledger().0.delivered;
            let before = self.delivered.insert(relay.id, delivered);
            if before.is_some_and(|before| delivered > before) {
                used.extend([(relay.network_token_id, now), (relay.authorization_id, now)]);
            }
        }
        self.store.touch_tokens(&used).await
    }

    /// Has pages read their lists again when a broker answered to filters.
    fn tell_grants(&mut self, status: &StatusSnapshot) {
        let answered = |relay: &RelayStatus| {
            let session = self.runtime.relay(relay.id)?.handles.session;
            let count = session.borrow().grants.len();
            Some((relay.id, count))
        };
        let grants: Vec<_> = status.relays.iter().filter_map(answered).collect();
        if grants != self.grants {
            self.grants = grants;
            let _ = self.frames.send(Frame::Config);
        }
    }

    /// Pushes what changed about the inspector's sessions and publications.
    async fn tell_sessions(&mut self) {
        match inspect::sessions(&self.store, &self.runtime).await {
            Ok(sessions) if self.sessions != sessions => {
                self.sessions.clone_from(&sessions);
                let _ = self.frames.send(Frame::Sessions(sessions));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "The sessions can't be read."),
        }
        for job in self.runtime.sessions.changed_jobs() {
            let _ = self.frames.send(Frame::Publish(inspect::progress(&job)));
        }
        for replay in self.runtime.sessions.changed_replays() {
            let _ = self.frames.send(Frame::Replay(replay.progress()));
        }
    }

    /// Has the chart read what came.
    async fn follow_chart(&mut self) {
        let chart = self.runtime.chart.clone();
        if chart.is_empty() {
            return;
        }
        if let Err(error) = chart.renew(&self.store).await {
            tracing::warn!(%error, "The decoders can't be read.");
        }
        let feed = self.feed.clone();
        // Ended only with the process.
        let Ok(count) = tokio::task::spawn_blocking(move || chart.look(&feed)).await else { return };
        if count != self.charted {
            self.charted = count;
            let _ = self.frames.send(Frame::Chart(ChartFrame { count }));
        }
    }

    /// Ticks until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count = 0u32;
        let mut seen = 0;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            seen = self.runtime.findings.look(&self.feed, seen);
            // Nobody listening is no failure.
            let recording = self.runtime.recordings.open();
            for view in self.feed.tick().into_iter().chain(recording.iter().flat_map(|one| one.feed().tick())) {
                let _ = self.frames.send(Frame::View(view));
            }
            self.follow_chart().await;
            if count.is_multiple_of(SESSIONS) {
                self.tell_sessions().await;
            }
            if count.is_multiple_of(SNAPSHOT) && self.frames.receiver_count() > 0 {
                match snapshot(&self.store, &self.queue, &self.feed, &self.runtime, &self.data_dir, &mut self.rates)
                    .await
                {
                    Ok(status) => {
                        self.tell_grants(&status);
                        let _ = self.frames.send(Frame::Status(Box::new(status)));
                    }
                    Err(error) => tracing::warn!(%error, "The status can't be read."),
                }
            }
            if count.is_multiple_of(TOUCH)
                && let Err(error) = self.touch_tokens().await
            {
                tracing::warn!(%error, "The tokens' last use can't be written.");
            }
            if count.is_multiple_of(PURGE) {
                let before = unix_millis(SystemTime::now()) - crate::letters::UNDO.as_millis() as i64;
                if let Err(error) = self.queue.purge_discarded(before).await {
                    tracing::warn!(%error, "Discarded dead letters can't be cleared away.");
                }
            }
            count = count.wrapping_add(1);
        }
    }
}
