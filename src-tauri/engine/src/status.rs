//! How everything stands, in words: built from the configuration, the registry and the meters whenever it is asked for. It
//! changes nothing; `janitor` asks about twice a second and pushes it to pages.

mod forecast;
mod janitor;
mod rates;
mod taps;
mod words;

pub(crate) use janitor::Janitor;
pub(crate) use rates::Rates;
pub(crate) use words::{grouped, unit as unit_words};

use crate::api::wire::{BrokerStatus, LastError, PlatformStatus, QueueUse, RelayStatus, StatusSnapshot, Totals};
use crate::configuration::DemoRecord;
use crate::feed::unix_millis;
use crate::queue::Queue;
use crate::relay::meter::Meter;
use crate::runtime::{Runtime, UnitKey};
use crate::store::StoreError;
use crate::world::World;
use relayscope_domain::broker::{Broker, BrokerSpec};
use relayscope_domain::relay::Relay;
use std::path::Path;
use std::sync::Arc;

/// Everything that changes by itself.
pub(crate) async fn snapshot(world: &World, rates: &mut Rates) -> Result<StatusSnapshot, StoreError> {
    let World { store, queue, feed, runtime, data_dir, .. } = world;
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
        meter.load_first(ledger, rows, bytes);
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
