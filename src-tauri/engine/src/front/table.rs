//! The connections that are open now: what is known of each, its counts, and what others have to say about it.
//!
//! The forwarding counts, the parser fills in what a client says of itself. Whoever knows why a client was refused or let
//! in (the embedded broker's hooks) says so by the client's address, before the broker's answer passes the front.

use super::goodbye::Goodbye;
use crate::feed::event::ConnectionId;
use relayscope_domain::message::MqttVersion;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Instant, SystemTime};
use tokio::sync::Notify;

/// Remarks about filters that may wait for their SUBACK.
const FILTERS: usize = 256;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// Its number.
    pub id: ConnectionId,
    /// Client id; empty until it said one or got one.
    pub client_id: String,
    /// User name it gave.
    pub username: String,
    /// Where it comes from.
    pub address: SocketAddr,
    /// `TCP`, `TLS` and so on, and where it came in.
    pub listener: Arc<str>,
    /// MQTT protocol level; `None` until its CONNECT came.
    pub level: Option<u8>,
    /// When it came.
    pub since: SystemTime,
    /// Messages and bytes from it.
    pub received: (u64, u64),
    /// Messages and bytes to it.
    pub sent: (u64, u64),
    /// PINGREQs.
    pub pings: u64,
    /// Seconds; 0 is none.
    pub keep_alive: u16,
    /// Topic of its last will.
    pub will: Option<String>,
    /// Its filters and the QoS granted, sorted.
    pub subscriptions: BTreeMap<String, u8>,
}

impl ConnectionInfo {
    /// Protocol version; `None` for MQTT 3.1 and before the CONNECT.
    pub fn version(&self) -> Option<MqttVersion> {
        self.level.and_then(version)
    }
}

/// The version of a protocol level; `None` for MQTT 3.1.
pub(super) fn version(level: u8) -> Option<MqttVersion> {
    match level {
        4 => Some(MqttVersion::V311),
        5 => Some(MqttVersion::V5),
        _ => None,
    }
}

/// Messages and bytes of one direction.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) messages: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl Count {
    pub(super) fn both(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// What a client said of itself.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) client_id: String,
    pub(super) username: String,
    pub(super) keep_alive: u16,
    pub(super) will: Option<String>,
    pub(super) subscriptions: BTreeMap<String, u8>,
}

/// What others say about a connection.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) who: Option<String>,
    pub(super) refused: Option<String>,
    pub(super) filters: HashMap<String, String>,
    pub(super) ended: Option<Goodbye>,
    /// Of each filter of an UNSUBSCRIBE that the broker looked at, in order: whether there was a subscription.
    pub(super) unsubscribed: VecDeque<bool>,
}

/// One connection, as its forwarding, its parser and others share it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) id: ConnectionId,
    pub(super) peer: SocketAddr,
    pub(super) listener: Arc<str>,
    pub(super) at: (SystemTime, Instant),
    level: AtomicU8,
    pub(super) received: Count,
    pub(super) sent: Count,
    pub(super) pings: AtomicU64,
    known: Mutex<Known>,
    remarks: Mutex<Remarks>,
    // Set once by whoever cuts it; its forwarding task is woken.
    cut: OnceLock<Goodbye>,
    wake: Notify,
    // Wakes whoever waits for a remark on the end.
    explained: Notify,
    // Whether limits are not for it.
    exempt: AtomicBool,
}

impl Live {
    pub(super) fn new(peer: SocketAddr, listener: Arc<str>) -> Self {
        Self {
            id: ConnectionId::next(),
            peer,
            listener,
            at: (SystemTime::now(), Instant::now()),
            level: AtomicU8::new(0),
            received: Count::default(),
            sent: Count::default(),
            pings: AtomicU64::new(0),
            known: Mutex::default(),
            remarks: Mutex::default(),
            cut: OnceLock::new(),
            wake: Notify::new(),
            explained: Notify::new(),
            exempt: AtomicBool::new(false),
        }
    }

    pub(super) fn level(&self) -> u8 {
        self.level.load(Ordering::Relaxed)
    }

    pub(super) fn set_level(&self, level: u8) {
        self.level.store(level, Ordering::Relaxed);
    }

    pub(super) fn is_exempt(&self) -> bool {
        self.exempt.load(Ordering::Relaxed)
    }

    fn traffic(&self) -> [u64; 4] {
        let ((messages_in, bytes_in), (messages_out, bytes_out)) = (self.received.both(), self.sent.both());
        [messages_in, bytes_in, messages_out, bytes_out]
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    pub(super) fn remarks(&self) -> MutexGuard<'_, Remarks> {
        lock(&self.remarks)
    }

    /// Asks for its end; the first one who does is heard.
    pub(super) fn cut(&self, goodbye: Goodbye) -> bool {
        let first = self.cut.set(goodbye).is_ok();
        self.wake.notify_one();
        first
    }

    /// Waits until somebody wants its end.
    pub(super) async fn cut_wanted(&self) -> Goodbye {
        loop {
            if let Some(goodbye) = self.cut.get() {
                return goodbye.clone();
            }
            self.wake.notified().await;
        }
    }

    /// Waits until somebody said why the broker ended it.
    pub(super) async fn explanation(&self) -> Goodbye {
        loop {
            if let Some(goodbye) = self.remarks().ended.clone() {
                return goodbye;
            }
            self.explained.notified().await;
        }
    }

    fn info(&self) -> ConnectionInfo {
        let known = self.known();
        ConnectionInfo {
            id: self.id,
            client_id: known.client_id.clone(),
            username: known.username.clone(),
            address: self.peer,
            listener: self.listener.clone(),
            level: Some(self.level()).filter(|level| *level > 0),
            since: self.at.0,
            received: self.received.both(),
            sent: self.sent.both(),
            pings: self.pings.load(Ordering::Relaxed),
            keep_alive: known.keep_alive,
            will: known.will.clone(),
            subscriptions: known.subscriptions.clone(),
        }
    }
}

/// The open connections of one or more fronts; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<RwLock<Table>>);

#[derive(Debug, Default)]
struct Table {
    by_id: BTreeMap<ConnectionId, Arc<Live>>,
    by_peer: HashMap<SocketAddr, Arc<Live>>,
    // What went over connections that are closed.
    gone: [u64; 4],
}

fn add(sum: [u64; 4], more: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|at| sum[at] + more[at])
}

impl Connections {
    pub(super) fn add(&self, live: &Arc<Live>) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.by_id.insert(live.id, live.clone());
        table.by_peer.insert(live.peer, live.clone());
    }

    pub(super) fn remove(&self, live: &Live) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if table.by_id.remove(&live.id).is_some() {
            table.gone = add(table.gone, live.traffic());
        }
        // The system may have given the address to another connection already.
        if table.by_peer.get(&live.peer).is_some_and(|other| other.id == live.id) {
            table.by_peer.remove(&live.peer);
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Live>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.values().cloned().collect()
    }

    fn get(&self, id: ConnectionId) -> Option<Arc<Live>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    fn by_address(&self, peer: SocketAddr) -> Option<Arc<Live>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_peer.get(&peer).cloned()
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.len()
    }

    /// Messages and bytes from all clients so far, messages and bytes to them.
    pub fn traffic(&self) -> [u64; 4] {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.by_id.values().fold(table.gone, |sum, live| add(sum, live.traffic()))
    }

    /// As [`Connections::traffic`], of the connection from this address.
    pub fn traffic_of(&self, peer: SocketAddr) -> Option<[u64; 4]> {
        self.by_address(peer).map(|live| live.traffic())
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Vec<ConnectionInfo> {
        self.all().iter().map(|live| live.info()).collect()
    }

    /// The connection from this address.
    pub fn of(&self, peer: SocketAddr) -> Option<ConnectionInfo> {
        self.by_address(peer).map(|live| live.info())
    }

    /// Ends a connection: the client gets the reason code, the feed the words. Returns whether it was open and nobody
    /// else had asked for its end.
    pub fn cut(&self, id: ConnectionId, goodbye: Goodbye) -> bool {
        self.get(id).is_some_and(|live| live.cut(goodbye))
    }

    /// As [`Connections::cut`], by the client's address.
    pub fn cut_peer(&self, peer: SocketAddr, goodbye: Goodbye) -> bool {
        self.by_address(peer).is_some_and(|live| live.cut(goodbye))
    }

    /// Says who is behind an address; shown with its CONNACK.
    pub fn knows(&self, peer: SocketAddr, who: String) {
        if let Some(live) = self.by_address(peer) {
            live.remarks().who = Some(who);
        }
    }

    /// Says that nothing is limited for whoever is behind an address from now on.
    pub fn exempts(&self, peer: SocketAddr) {
        if let Some(live) = self.by_address(peer) {
            live.exempt.store(true, Ordering::Relaxed);
        }
    }

    /// Says why a client is about to be refused; shown with its CONNACK.
    pub fn refuses(&self, peer: SocketAddr, reason: String) {
        if let Some(live) = self.by_address(peer) {
            live.remarks().refused = Some(reason);
        }
    }

    /// Says why a filter is about to be refused; shown with its SUBACK.
    pub fn refuses_filter(&self, peer: SocketAddr, filter: String, reason: String) {
        let Some(live) = self.by_address(peer) else { return };
        let mut remarks = live.remarks();
        if remarks.filters.len() < FILTERS {
            remarks.filters.insert(filter, reason);
        }
    }

    /// Says whether there was a subscription that an UNSUBSCRIBE of MQTT 5 ends, filter by filter, before its UNSUBACK.
    pub fn unsubscribes(&self, peer: SocketAddr, found: bool) {
        if let Some(live) = self.by_address(peer).filter(|live| live.level() == 5) {
            live.remarks().unsubscribed.push_back(found);
        }
    }

    /// Says why the broker ends a connection, for its client and for people; the first one who does is heard.
    pub fn ends(&self, peer: SocketAddr, goodbye: Goodbye) {
        if let Some(live) = self.by_address(peer) {
            live.remarks().ended.get_or_insert(goodbye);
            live.explained.notify_one();
        }
    }
}
