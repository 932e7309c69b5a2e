//! What should run, computed from the configuration and from what is up already. A plan holds everything that a unit's
//! behaviour depends on: when two plans are equal, the unit need not be touched.

use super::profiles;
use crate::broker::Account;
use crate::configuration::DemoRecord;
use crate::endpoint::{EndpointPlan, EndpointRelay};
use crate::fingerprint::Fingerprint;
use crate::inspect::SessionPlan;
use crate::platform::PlatformToken;
use crate::runtime::{Runtime, UnitKey};
use crate::store::{EndpointRecord, Store, StoreError, StoredToken};
use crate::tap::TapPlan;
use relayscope_domain::broker::{Broker, BrokerSecrets, BrokerSpec, Connection, Embedded, Tls, Transport};
use relayscope_domain::id::{ListenerId, TokenId};
use relayscope_domain::message::MqttVersion;
use relayscope_domain::relay::Relay;
use relayscope_domain::secret::Secret;
use relayscope_domain::settings::HistorySettings;
use relayscope_domain::token::{Region, TokenKind};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

/// Everything a unit depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    Platform,
    Broker(Box<BrokerPlan>),
    Relay(Box<RelayPlan>),
    Tap(Box<TapPlan>),
    Endpoint(Box<EndpointPlan>),
    Session(Box<SessionPlan>),
    Simulator { broker: SocketAddr, devices: Vec<(String, Secret)> },
    History(HistorySettings),
    Janitor,
}

/// Everything an embedded broker depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BrokerPlan {
    pub(crate) name: String,
    pub(crate) settings: Embedded,
    pub(crate) keys: BTreeMap<ListenerId, Secret>,
}

/// Everything a relay depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RelayPlan {
    pub(crate) relay: Relay,
    pub(crate) broker_name: String,
    pub(crate) connection: Connection,
    pub(crate) max_packet: u32,
    pub(crate) secrets: BrokerSecrets,
    pub(crate) url: String,
    pub(crate) network_token: Secret,
    pub(crate) authorization: Secret,
    pub(crate) profile: Fingerprint,
}

/// What should run, and whom brokers and the stand-in let in.
pub(crate) struct Desired {
    pub(crate) plans: BTreeMap<UnitKey, Plan>,
    accounts: Vec<(Fingerprint, Account)>,
    platform_tokens: Vec<(Fingerprint, PlatformToken)>,
}

impl Desired {
    /// Hands over the tables of tokens. Equal tables are handed over again: that is cheap and changes nothing.
    pub(crate) fn apply_tables(&self, runtime: &Runtime) {
        runtime.accounts.replace(self.accounts.iter().cloned());
        runtime.platform_tokens.replace(self.platform_tokens.iter().cloned());
    }
}

/// Computes what should run.
pub(crate) async fn load(store: &Store, runtime: &Runtime) -> Result<Desired, StoreError> {
    let brokers = store.brokers().await?;
    let relays = store.relays().await?;
    let tokens: HashMap<TokenId, StoredToken> =
        store.tokens_with_values().await?.into_iter().map(|stored| (stored.token.id, stored)).collect();
    let demo: Option<DemoRecord> = store.value("demo").await?;
    let mut plans = BTreeMap::from([(UnitKey::Janitor, Plan::Janitor)]);

    for broker in &brokers {
        if let BrokerSpec::Embedded(embedded) = &broker.spec
            && embedded.enabled
        {
            let keys = store.broker_secrets(broker.id).await?.listener_keys;
            let plan = BrokerPlan { name: broker.name.clone(), settings: embedded.clone(), keys };
            plans.insert(UnitKey::Broker(broker.id), Plan::Broker(Box::new(plan)));
        }
    }
    let history = store.settings().await?.history;
    if history.enabled {
        plans.insert(UnitKey::History, Plan::History(history));
    }
    if relays.iter().any(|relay| relay.region == Region::Local) {
        plans.insert(UnitKey::Platform, Plan::Platform);
    }
    let profiles = profiles::of(&relays, &tokens);
    for relay in relays.iter().filter(|relay| relay.enabled) {
        let Some(broker) = brokers.iter().find(|broker| broker.id == relay.broker_id) else { continue };
        let Some(profile) = profiles.get(&relay.id) else { continue };
        if let Some(plan) = relay_plan(store, runtime, relay, broker, &tokens, *profile).await? {
            plans.insert(UnitKey::Relay(relay.id), Plan::Relay(Box::new(plan)));
        }
    }
    plans.extend(taps(store, &brokers).await?);
    plans.extend(endpoints(store.endpoint().await?, &relays, &tokens, runtime));
    if let Some(demo) = demo.filter(|demo| demo.running)
        && let Some(at) = runtime.broker(demo.broker_id)
    {
        let devices = demo.devices.iter().filter_map(|id| tokens.get(id));
        let devices = devices.map(|stored| (stored.token.name.clone(), stored.value.clone())).collect();
        plans.insert(UnitKey::Simulator, Plan::Simulator { broker: at.address, devices });
    }
    plans.extend(sessions(store, runtime, &brokers).await?);
    Ok(Desired { plans, accounts: accounts(&tokens), platform_tokens: platform_tokens(&tokens) })
}

async fn taps(store: &Store, brokers: &[Broker]) -> Result<Vec<(UnitKey, Plan)>, StoreError> {
    let mut plans = vec![];
    for tap in store.taps().await?.into_iter().filter(|tap| tap.enabled) {
        let Some(broker) = brokers.iter().find(|broker| broker.id == tap.broker_id) else { continue };
        let BrokerSpec::External(connection) = &broker.spec else { continue };
        let plan = TapPlan {
            key: store.tap_key(tap.id).await?,
            connection: (**connection).clone(),
            secrets: store.broker_secrets(broker.id).await?,
            tap,
        };
        plans.push((UnitKey::Tap(plan.tap.id), Plan::Tap(Box::new(plan))));
    }
    Ok(plans)
}

/// One for each port that relays take downlinks on.
fn endpoints(
    record: EndpointRecord,
    relays: &[Relay],
    tokens: &HashMap<TokenId, StoredToken>,
    runtime: &Runtime,
) -> impl Iterator<Item = (UnitKey, Plan)> {
    let mut ports: BTreeMap<u16, Vec<EndpointRelay>> = BTreeMap::new();
    for relay in relays.iter().filter(|relay| relay.enabled) {
        let Some(port) = relay.downlink_port else { continue };
        ports.entry(port).or_default().push(EndpointRelay {
            id: relay.id,
            name: relay.name.clone(),
            url: url_of(relay, runtime),
            network_token: tokens.get(&relay.network_token_id).map(|stored| stored.value.clone()),
        });
    }
    ports.into_iter().map(move |(port, relays)| {
        let plan = EndpointPlan { record: record.clone(), relays };
        (UnitKey::Endpoint(port), Plan::Endpoint(Box::new(plan)))
    })
}

/// Those of the inspector. One waits, and says so, while its broker is deleted or does not run.
async fn sessions(store: &Store, runtime: &Runtime, brokers: &[Broker]) -> Result<Vec<(UnitKey, Plan)>, StoreError> {
    let mut plans = vec![];
    for (number, wanted) in runtime.sessions.wanted() {
        let Some(broker) = brokers.iter().find(|broker| broker.id == wanted.broker_id) else { continue };
        let Some((connection, secrets)) = way(store, runtime, broker, &wanted.base_id()).await? else { continue };
        let connection = wanted.own(connection);
        let max_packet = store.settings().await?.packet_bytes();
        let plan = SessionPlan { broker_name: broker.name.clone(), connection, secrets, max_packet };
        plans.push((UnitKey::Session(number), Plan::Session(Box::new(plan))));
    }
    Ok(plans)
}

/// How a broker is reached: with its saved connection, or inside under `client_id`. `None` while it does not run.
async fn way(
    store: &Store,
    runtime: &Runtime,
    broker: &Broker,
    client_id: &str,
) -> Result<Option<(Connection, BrokerSecrets)>, StoreError> {
    Ok(match &broker.spec {
        BrokerSpec::External(connection) => Some(((**connection).clone(), store.broker_secrets(broker.id).await?)),
        BrokerSpec::Embedded(_) => runtime.broker(broker.id).map(|at| {
            let password = Some(at.broker.internal_token().clone());
            let secrets = BrokerSecrets { password, client_key: None, ..Default::default() };
            (inside(client_id.to_owned(), at.address), secrets)
        }),
    })
}

fn url_of(relay: &Relay, runtime: &Runtime) -> Option<String> {
    relay.region.url().or_else(|| runtime.platform().map(|platform| platform.url()))
}

/// `None` while something it needs is not up yet.
async fn relay_plan(
    store: &Store,
    runtime: &Runtime,
    relay: &Relay,
    broker: &Broker,
    tokens: &HashMap<TokenId, StoredToken>,
    profile: Fingerprint,
) -> Result<Option<RelayPlan>, StoreError> {
    let Some(url) = url_of(relay, runtime) else { return Ok(None) };
    let client_id = format!("relayscope-{}", &relay.id.to_string()[..8]);
    let Some((mut connection, secrets)) = way(store, runtime, broker, &client_id).await? else { return Ok(None) };
    if matches!(broker.spec, BrokerSpec::External(_)) {
        connection.client_id.push_str(&store.client_suffix(relay.id).await?);
    }
    let value = |id: TokenId| tokens.get(&id).map(|stored| stored.value.clone());
    let (Some(network_token), Some(authorization)) = (value(relay.network_token_id), value(relay.authorization_id))
    else {
        return Ok(None);
    };
    Ok(Some(RelayPlan {
        relay: relay.clone(),
        broker_name: broker.name.clone(),
        connection,
        max_packet: store.settings().await?.packet_bytes(),
        secrets,
        url,
        network_token,
        authorization,
        profile,
    }))
}

/// How our clients reach our own broker.
fn inside(client_id: String, address: SocketAddr) -> Connection {
    Connection {
        host: address.ip().to_string(),
        port: address.port(),
        transport: Transport::Tcp,
        path: String::new(),
        version: MqttVersion::V5,
        client_id,
        username: Some("Token".into()),
        keep_alive: 30,
        clean_start: false,
        session_expiry: 24 * 3_600,
        will: None,
        tls: Tls::default(),
    }
}

fn accounts(tokens: &HashMap<TokenId, StoredToken>) -> Vec<(Fingerprint, Account)> {
    let devices = tokens.values().filter(|stored| stored.token.kind == TokenKind::Device);
    devices
        .map(|stored| {
            let account = Account {
                token_id: stored.token.id,
                name: stored.token.name.clone(),
                serial: stored.token.serial.clone(),
                permission: stored.token.permission,
                expires_at: stored.token.expires_at,
                last5: stored.token.last5.clone(),
            };
            (Fingerprint::of(stored.value.expose().as_bytes()), account)
        })
        .collect()
}

fn platform_tokens(tokens: &HashMap<TokenId, StoredToken>) -> Vec<(Fingerprint, PlatformToken)> {
    let local = tokens.values().filter(|stored| stored.token.region == Region::Local);
    local
        .map(|stored| {
            let token = PlatformToken { kind: stored.token.kind, id: stored.token.id, name: stored.token.name.clone() };
            (Fingerprint::of(stored.value.expose().as_bytes()), token)
        })
        .collect()
}
