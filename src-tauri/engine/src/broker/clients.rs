//! The clients that are connected now, as the hooks saw them come and go.
//!
//! One entry per client id: a connection that takes over replaces the entry, and the late goodbye of the old connection
//! leaves it alone.

use super::accounts::Account;
use crate::fingerprint::Fingerprint;
use rmqtt::types::Id;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// By what right a client is connected.
#[derive(Clone)]
pub(super) enum Right {
    /// With a device token.
    Token { fingerprint: Fingerprint, account: Arc<Account> },
    /// As a part of Relayscope.
    Internal,
    /// With a token that was removed between its CONNECT and now; it is about to be cut.
    Gone,
}

impl Right {
    pub(super) fn token_name(&self) -> &str {
        match self {
            Self::Token { account, .. } => &account.name,
            Self::Internal => "Relayscope",
            Self::Gone => "",
        }
    }
}

/// What happened since the broker started.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) connects: AtomicU64,
    pub(super) refusals: AtomicU64,
    pub(super) dropped: AtomicU64,
    /// When somebody last looked, what was counted then, and the rates up to then.
    last: Mutex<Option<Sample>>,
}

type Sample = (Instant, [u64; 4], (f64, f64));

/// Between two measurements of a rate.
const RATE_EVERY: Duration = Duration::from_millis(800);

impl Totals {
    /// All counts; `traffic` is what the fronts counted.
    pub(super) fn read(&self, traffic: [u64; 4]) -> Counters {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let rates = match *last {
            Some((at, _, rates)) if at.elapsed() < RATE_EVERY => rates,
            Some((at, before, _)) => {
                let seconds = at.elapsed().as_secs_f64();
                let rate = |which: usize| traffic[which].saturating_sub(before[which]) as f64 / seconds;
                (rate(0), rate(2))
            }
            None => (0.0, 0.0),
        };
        if last.as_ref().is_none_or(|(at, ..)| at.elapsed() >= RATE_EVERY) {
            *last = Some((Instant::now(), traffic, rates));
        }
        Counters {
            traffic,
            rates,
            connects: self.connects.load(Ordering::Relaxed),
            refusals: self.refusals.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

/// What a broker counted since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Messages and bytes from clients, messages and bytes to them, as they were on the wire.
    pub traffic: [u64; 4],
    /// Publishes taken and delivered per second, since the last look.
    pub rates: (f64, f64),
    /// Connections let in.
    pub connects: u64,
    /// Connections refused.
    pub refusals: u64,
    /// Messages lost on the way to a client.
    pub dropped: u64,
}

/// One connected client.
pub(super) struct Client {
    pub(super) id: Id,
    /// The client id as events carry it.
    pub(super) name: Arc<str>,
    pub(super) right: Right,
    /// MQTT protocol level: 3, 4 or 5.
    pub(super) level: u8,
    pub(super) since: SystemTime,
    /// Keep-alive as the client asked for it, seconds.
    pub(super) keep_alive: u16,
    /// Topic, QoS and flags of its last will, in words.
    pub(super) will: Option<String>,
}

impl Client {
    /// Whether its id, its token's name or its address holds a text in lower case.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let address = self.id.remote_addr.map(|address| address.to_string()).unwrap_or_default();
        [&*self.name, self.right.token_name(), &address].iter().any(|field| field.to_lowercase().contains(text))
    }
}

/// All connected clients by client id.
#[derive(Default)]
pub(super) struct Clients {
    table: RwLock<HashMap<Box<str>, Arc<Client>>>,
}

impl Clients {
    pub(super) fn insert(&self, client: Arc<Client>) {
        let key = Box::from(&*client.name);
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(key, client);
    }

    /// Removes the connection `id`, unless another one with the same client id took over.
    pub(super) fn remove(&self, id: &Id) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.get(&id.client_id[..]).is_some_and(|client| same_connection(&client.id, id)) {
            table.remove(&id.client_id[..]);
        }
    }

    /// The connection `id`, if it is the current one of its client id.
    pub(super) fn get(&self, id: &Id) -> Option<Arc<Client>> {
        self.by_name(&id.client_id).filter(|client| same_connection(&client.id, id))
    }

    pub(super) fn by_name(&self, client_id: &str) -> Option<Arc<Client>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(client_id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Client>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn count(&self) -> usize {
        self.table.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// rmqtt's own comparison takes the user name in; the socket's address and the time of its handshake suffice.
fn same_connection(one: &Id, other: &Id) -> bool {
    one.remote_addr == other.remote_addr && one.create_time == other.create_time
}
