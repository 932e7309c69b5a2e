//! Each kind of unit from its start to its end: what it is started with, what it tells the registry, how it stops.

use super::Ended;
use super::desired::{BrokerPlan, Plan, RelayPlan};
use super::profiles;
use crate::broker::{BrokerConfig, EmbeddedBroker, STUCK, broker_db, forget_kept};
use crate::causes::chain;
use crate::configuration::paused_key;
use crate::destination::tagoio::TagoIo;
use crate::endpoint::{self, EndpointError, EndpointPlan, Reach};
use crate::feed::history::HistoryError;
use crate::inspect::{self, SessionPlan};
use crate::mqtt::session::SessionConfig;
use crate::platform::{self, Platform, PlatformConfig};
use crate::relay::{self, RelayConfig, RelayError};
use crate::runtime::{BrokerAt, RelayAt, UnitKey};
use crate::simulator::{SimulatedDevice, Simulator};
use crate::status::Janitor;
use crate::store::{Store, StoreError};
use crate::tap::{Tap, TapError, TapPlan};
use crate::world::World;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::BrokerId;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) async fn run(world: World, key: UnitKey, plan: Plan, stop: CancellationToken) -> Ended {
    match (key, plan) {
        (UnitKey::Broker(id), Plan::Broker(plan)) => broker(world, id, *plan, stop).await,
        (_, Plan::Relay(plan)) => relay(world, *plan, stop).await,
        (_, Plan::Tap(plan)) => tap(world, *plan, stop).await,
        (UnitKey::Endpoint(port), Plan::Endpoint(plan)) => endpoint(world, port, *plan, stop).await,
        (UnitKey::Session(number), Plan::Session(plan)) => session(world, number, *plan, stop).await,
        (_, Plan::Platform) => platform(world, stop).await,
        (key, Plan::Simulator { broker, devices }) => {
            let devices: Vec<SimulatedDevice> =
                devices.into_iter().map(|(client_id, token)| SimulatedDevice { client_id, token }).collect();
            let Ok(devices) = <[SimulatedDevice; 3]>::try_from(devices) else {
                return Ended::Failed("The demo's devices are not complete; remove the demo and try it again.".into());
            };
            let simulator = Simulator::start(broker, devices, stop.clone());
            world.runtime.runs(key);
            stop.cancelled().await;
            simulator.stop().await;
            Ended::Stopped
        }
        (key, Plan::History(settings)) => {
            world.runtime.runs(key);
            match world.history.record(&world.feed, &settings, &stop).await {
                Ok(()) => Ended::Stopped,
                Err(error @ HistoryError::Disk(_)) => Ended::Failed(chain(&error)),
                Err(error) => Ended::Fell(chain(&error)),
            }
        }
        (key, Plan::Janitor) => {
            world.runtime.runs(key);
            Janitor::new(world).run(stop).await;
            Ended::Stopped
        }
        (key, plan) => Ended::Failed(format!("{key:?} can't run {plan:?}.")),
    }
}

async fn broker(world: World, id: BrokerId, plan: BrokerPlan, stop: CancellationToken) -> Ended {
    let BrokerPlan { name, settings, keys } = plan;
    let kept = broker_db(&world.data_dir, id);
    if !settings.persist {
        // What an earlier run kept must not come back one day.
        forget_kept(&kept);
    }
    let config = BrokerConfig {
        name: name.as_str().into(),
        database: settings.persist.then(|| kept.clone()),
        settings,
        keys,
        feed: world.feed.of(SourceKind::Broker),
        accounts: world.runtime.accounts.clone(),
        stuck: STUCK,
    };
    let broker = match EmbeddedBroker::start(config).await {
        Ok(broker) => Arc::new(broker),
        Err(error) => return Ended::Fell(chain(&error)),
    };
    world.runtime.broker_runs(id, BrokerAt { address: broker.addr(), broker: broker.clone() });
    let died = tokio::select! {
        () = stop.cancelled() => false,
        () = broker.finished() => true,
    };
    world.runtime.gone(UnitKey::Broker(id));
    if let Some(broker) = sole(broker).await {
        broker.stop().await;
    }
    if matches!(world.store.broker(id).await, Err(StoreError::NotFound)) {
        forget_kept(&kept);
    }
    if died { Ended::Fell(format!("The embedded broker “{name}” ended.")) } else { Ended::Stopped }
}

async fn tap(world: World, plan: TapPlan, stop: CancellationToken) -> Ended {
    let id = plan.tap.id;
    let name = plan.tap.name.clone();
    let mut tap = match Tap::start(plan, world.feed.of(SourceKind::Tap)).await {
        Ok(tap) => tap,
        Err(error @ TapError::Listen(_)) => return Ended::Fell(chain(&error)),
        Err(error @ (TapError::Listener(_) | TapError::Target(_))) => return Ended::Failed(chain(&error)),
    };
    world.runtime.tap_runs(id, tap.at().clone());
    let died = tokio::select! {
        () = stop.cancelled() => false,
        () = tap.finished() => true,
    };
    world.runtime.gone(UnitKey::Tap(id));
    tap.stop().await;
    if died { Ended::Fell(format!("The tap “{name}” ended.")) } else { Ended::Stopped }
}

async fn platform(world: World, stop: CancellationToken) -> Ended {
    let config = PlatformConfig {
        port: 0,
        tokens: world.runtime.platform_tokens.clone(),
        db_path: world.data_dir.join("bucket.db"),
        keep: platform::KEEP,
    };
    let platform = match Platform::start(config).await {
        Ok(platform) => Arc::new(platform),
        Err(error) => return Ended::Fell(chain(&error)),
    };
    world.runtime.platform_runs(platform.clone());
    let died = tokio::select! {
        () = stop.cancelled() => false,
        () = platform.finished() => true,
    };
    world.runtime.gone(UnitKey::Platform);
    if let Some(platform) = sole(platform).await {
        platform.stop().await;
    }
    if died { Ended::Fell("The local stand-in ended.".into()) } else { Ended::Stopped }
}

/// The thing itself once nobody else looks at it; looks are short.
async fn sole<T>(mut shared: Arc<T>) -> Option<T> {
    for _ in 0..100 {
        match Arc::try_unwrap(shared) {
            Ok(own) => return Some(own),
            Err(still) => shared = still,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

async fn relay(world: World, plan: RelayPlan, stop: CancellationToken) -> Ended {
    let RelayPlan { relay, broker_name, connection, max_packet, secrets, url, network_token, authorization, profile } =
        plan;
    let rules = relay.rules.clone();
    let timeout = Duration::from_secs(rules.timeout_seconds.into());
    let destination = match TagoIo::new(&url, &network_token, &authorization, rules.metadata, timeout) {
        Ok(destination) => destination,
        Err(error) => return Ended::Failed(chain(&error)),
    };
    let filters: Vec<_> = relay
        .mappings
        .iter()
        .filter(|mapping| mapping.enabled)
        .map(|mapping| (Arc::<str>::from(mapping.filter.as_str()), mapping.qos))
        .collect();
    let stale_filters = match stale(&world.store, &relay, &filters).await {
        Ok(stale) => stale,
        Err(error) => return Ended::Fell(chain(&error)),
    };
    match world.store.value(&paused_key(relay.id)).await {
        Ok(paused) => world.runtime.meter(relay.id).pause(paused.unwrap_or(false)),
        Err(error) => return Ended::Fell(chain(&error)),
    }
    let shared = world.runtime.profile(profile);
    if let Err(error) = profiles::recall(&world.store, profile, &shared).await {
        return Ended::Fell(chain(&error));
    }
    let name: Arc<str> = relay.name.as_str().into();
    let config = RelayConfig {
        id: relay.id,
        name: name.clone(),
        path: format!("{name} → {}", relay.region.words()).into(),
        session: SessionConfig {
            name,
            broker: broker_name.as_str().into(),
            connection,
            secrets,
            filters,
            stale_filters,
            max_packet,
            status_topic: rules.status_topic.as_deref().map(Into::into),
            feed: world.feed.of(SourceKind::Relay),
        },
        destination,
        rules,
        queue: world.queue.clone(),
        feed: world.feed.of(SourceKind::Relay),
        meter: world.runtime.meter(relay.id),
        profile: shared.clone(),
    };
    let (runtime, id) = (world.runtime.clone(), relay.id);
    let started = move |handles| runtime.relay_runs(id, RelayAt { handles });
    let running = relay::run(config, stop, started);
    match profiles::kept_while(&world.store, profile, &shared, running).await {
        Ok(()) => Ended::Stopped,
        Err(RelayError::Tls(error)) => Ended::Failed(chain(&error)),
        Err(error) => Ended::Fell(chain(&error)),
    }
}

async fn session(world: World, number: u32, plan: SessionPlan, stop: CancellationToken) -> Ended {
    let Some(shared) = world.runtime.sessions.shared(number) else {
        stop.cancelled().await;
        return Ended::Stopped;
    };
    match inspect::open(plan, shared.clone(), world.feed.of(SourceKind::Session)) {
        Ok(task) => {
            world.runtime.runs(UnitKey::Session(number));
            task.run(&stop).await;
        }
        Err(error) => {
            let why = chain(&error);
            if !shared.abandoned(&why) {
                return Ended::Failed(why);
            }
        }
    }
    if !stop.is_cancelled() {
        // It was opened for one message only.
        world.runtime.sessions.close(number);
        world.runtime.wanted();
        stop.cancelled().await;
    }
    Ended::Stopped
}

/// Filters that an earlier run subscribed to and this one does not. What this one subscribes to is noted for the next.
async fn stale(
    store: &Store,
    relay: &relayscope_domain::relay::Relay,
    filters: &[(Arc<str>, relayscope_domain::message::Qos)],
) -> Result<Vec<Arc<str>>, StoreError> {
    let key = format!("subscribed/{}", relay.id);
    let mut known: Vec<String> = store.value(&key).await?.unwrap_or_default();
    let stale = known.iter().filter(|old| !filters.iter().any(|(filter, _)| **filter == ***old));
    let stale: Vec<Arc<str>> = stale.map(|old| old.as_str().into()).collect();
    let wanted: Vec<String> = filters.iter().map(|(filter, _)| filter.to_string()).collect();
    if known != wanted {
        known = wanted;
        store.set_value_quietly(&key, &known).await?;
    }
    Ok(stale)
}

async fn endpoint(world: World, port: u16, plan: EndpointPlan, stop: CancellationToken) -> Ended {
    let reach =
        Reach { runtime: world.runtime, queue: world.queue, feed: world.feed.of(SourceKind::Relay), http: world.http };
    match endpoint::serve(port, plan, reach, stop).await {
        Ok(()) => Ended::Stopped,
        Err(error @ (EndpointError::Listen { .. } | EndpointError::Address { .. })) => Ended::Fell(chain(&error)),
        Err(error @ (EndpointError::NoToken | EndpointError::Tls(_))) => Ended::Failed(chain(&error)),
    }
}
