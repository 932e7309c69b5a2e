//! What runs right now, for those who need to reach it: the real addresses of brokers and the stand-in, the handles of
//! relays, each unit's status. Written by units and the supervisor, read by everybody; it decides nothing.

use crate::broker::{Accounts, EmbeddedBroker};
use crate::chart::Chart;
use crate::findings::Findings;
use crate::fingerprint::Fingerprint;
use crate::inspect::Sessions;
use crate::platform::{Platform, PlatformTokens};
use crate::recordings::Recordings;
use crate::relay::Handles;
use crate::relay::meter::Meter;
use crate::relay::profile::Profile;
use crate::tap::TapAt;
use relayscope_domain::id::{BrokerId, RelayId, TapId};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::Notify;

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKey {
    /// The local stand-in for TagoIO.
    Platform,
    /// An embedded broker.
    Broker(BrokerId),
    /// A relay.
    Relay(RelayId),
    /// A tap.
    Tap(TapId),
    /// The downlink endpoint on a port.
    Endpoint(u16),
    /// A session of the inspector, by its number.
    Session(u32),
    /// The demo's devices.
    Simulator,
    /// Records the feed on disk.
    History,
    /// Ticks: views, status, last use of tokens.
    Janitor,
}

/// How a unit stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum UnitStatus {
    /// Not wanted.
    #[default]
    Stopped,
    /// On its way.
    Starting,
    /// Works.
    Running {
        /// Since when.
        since: SystemTime,
    },
    /// Fell; is started again.
    Backoff {
        /// When.
        until: SystemTime,
        /// Why it fell.
        reason: String,
    },
    /// Only an edit can mend it.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A running embedded broker.
#[derive(Clone)]
pub struct BrokerAt {
    /// Its real address.
    pub address: SocketAddr,
    /// The broker.
    pub broker: Arc<EmbeddedBroker>,
}

/// A running relay.
#[derive(Clone)]
pub struct RelayAt {
    /// What is reachable of it.
    pub handles: Handles,
}

/// The client certificate with which an endpoint is tested from inside. It never leaves the process.
pub struct Probe {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// A listening downlink endpoint.
#[derive(Clone)]
pub struct EndpointAt {
    /// Its real address.
    pub address: SocketAddr,
    /// How others reach it, without a path.
    pub url: String,
    /// With client certificates: the one it is tested with.
    pub probe: Option<Arc<Probe>>,
}

/// The registry of what runs.
#[derive(Default)]
pub struct Runtime {
    /// Who may connect to embedded brokers.
    pub accounts: Accounts,
    /// Whom the stand-in takes data from.
    pub platform_tokens: PlatformTokens,
    /// The inspector's sessions: those that are wanted, and what they do.
    pub sessions: Sessions,
    /// Recordings that were read from files.
    pub recordings: Recordings,
    /// What was found in what clients do.
    pub findings: Findings,
    /// The chart of the inspector.
    pub(crate) chart: Chart,
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Default)]
struct State {
    status: BTreeMap<UnitKey, UnitStatus>,
    brokers: HashMap<BrokerId, BrokerAt>,
    platform: Option<Arc<Platform>>,
    relays: HashMap<RelayId, RelayAt>,
    taps: HashMap<TapId, TapAt>,
    endpoints: HashMap<u16, EndpointAt>,
    meters: HashMap<RelayId, Arc<Meter>>,
    profiles: HashMap<Fingerprint, Arc<Profile>>,
    restarts: Vec<UnitKey>,
}

impl Runtime {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something came up, went away or is to be restarted.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }

    pub(crate) fn set(&self, key: UnitKey, status: UnitStatus) {
        self.state().status.insert(key, status);
    }

    pub(crate) fn retain(&self, keep: impl Fn(&UnitKey) -> bool) {
        self.state().status.retain(|key, _| keep(key));
    }

    pub(crate) fn gone(&self, key: UnitKey) {
        let mut state = self.state();
        match key {
            UnitKey::Platform => state.platform = None,
            UnitKey::Broker(id) => drop(state.brokers.remove(&id)),
            UnitKey::Relay(id) => drop(state.relays.remove(&id)),
            UnitKey::Tap(id) => drop(state.taps.remove(&id)),
            UnitKey::Endpoint(port) => drop(state.endpoints.remove(&port)),
            UnitKey::Session(_) | UnitKey::Simulator | UnitKey::History | UnitKey::Janitor => {}
        }
    }

    fn running(&self, key: UnitKey, insert: impl FnOnce(&mut State)) {
        let mut state = self.state();
        insert(&mut state);
        state.status.insert(key, UnitStatus::Running { since: SystemTime::now() });
        drop(state);
        self.moved.notify_one();
    }

    pub(crate) fn broker_runs(&self, id: BrokerId, at: BrokerAt) {
        self.running(UnitKey::Broker(id), |state| drop(state.brokers.insert(id, at)));
    }

    pub(crate) fn platform_runs(&self, platform: Arc<Platform>) {
        self.running(UnitKey::Platform, |state| state.platform = Some(platform));
    }

    pub(crate) fn relay_runs(&self, id: RelayId, at: RelayAt) {
        self.running(UnitKey::Relay(id), |state| drop(state.relays.insert(id, at)));
    }

    pub(crate) fn tap_runs(&self, id: TapId, at: TapAt) {
        self.running(UnitKey::Tap(id), |state| drop(state.taps.insert(id, at)));
    }

    pub(crate) fn endpoint_runs(&self, port: u16, at: EndpointAt) {
        self.running(UnitKey::Endpoint(port), |state| drop(state.endpoints.insert(port, at)));
    }

    pub(crate) fn runs(&self, key: UnitKey) {
        self.running(key, |_| {});
    }

    pub(crate) fn take_restarts(&self) -> Vec<UnitKey> {
        std::mem::take(&mut self.state().restarts)
    }

    /// Has the supervisor look again at what is wanted.
    pub(crate) fn wanted(&self) {
        self.moved.notify_one();
    }

    /// Has a unit stopped to its end and started again.
    pub fn restart(&self, key: UnitKey) {
        self.state().restarts.push(key);
        self.moved.notify_one();
    }

    /// How a unit stands.
    pub fn status(&self, key: UnitKey) -> UnitStatus {
        self.state().status.get(&key).cloned().unwrap_or_default()
    }

    /// A running embedded broker.
    pub fn broker(&self, id: BrokerId) -> Option<BrokerAt> {
        self.state().brokers.get(&id).cloned()
    }

    /// The running stand-in.
    pub fn platform(&self) -> Option<Arc<Platform>> {
        self.state().platform.clone()
    }

    /// A running relay.
    pub fn relay(&self, id: RelayId) -> Option<RelayAt> {
        self.state().relays.get(&id).cloned()
    }

    /// A running tap.
    pub fn tap(&self, id: TapId) -> Option<TapAt> {
        self.state().taps.get(&id).cloned()
    }

    /// A listening downlink endpoint.
    pub fn endpoint(&self, port: u16) -> Option<EndpointAt> {
        self.state().endpoints.get(&port).cloned()
    }

    /// The counters of a relay; they outlive its restarts.
    pub fn meter(&self, id: RelayId) -> Arc<Meter> {
        self.state().meters.entry(id).or_default().clone()
    }

    /// The minute of a TagoIO profile; it outlives the relays that use it.
    pub fn profile(&self, profile: Fingerprint) -> Arc<Profile> {
        let new = || Profile::new(Instant::now(), SystemTime::now());
        self.state().profiles.entry(profile).or_insert_with(new).clone()
    }

    /// Forgets the counters of a deleted relay.
    pub fn forget_meter(&self, id: RelayId) {
        self.state().meters.remove(&id);
    }
}
