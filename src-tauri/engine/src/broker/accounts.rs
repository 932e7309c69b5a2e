//! Who may connect: device tokens by the SHA-256 of their value, so no token lies in memory in the clear.
//!
//! The table is a handle shared by every embedded broker; whoever keeps the tokens replaces it as a whole. Brokers look
//! at it for every CONNECT and every permission question, and are woken when it was replaced, to cut off clients whose
//! token went away. It knows nothing of connections.

use crate::feed::unix_millis;
use crate::fingerprint::Fingerprint;
use relayscope_domain::id::TokenId;
use relayscope_domain::token::Permission;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// A device token that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The saved token.
    pub token_id: TokenId,
    /// What people call it.
    pub name: String,
    /// The device's serial.
    pub serial: Option<String>,
    /// What it allows.
    pub permission: Permission,
    /// When it stops being valid, Unix milliseconds.
    pub expires_at: Option<i64>,
    /// Last five characters of the value.
    pub last5: String,
}

impl Account {
    /// Whether it stopped being valid before now.
    pub fn is_expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= unix_millis(SystemTime::now()))
    }

    /// Whose topics it may see with a scope per device: tokens of one serial belong to one device.
    pub(super) fn device(&self) -> String {
        match &self.serial {
            Some(serial) => format!("serial {serial}"),
            None => format!("token {}", self.token_id),
        }
    }
}

/// The table of device tokens; clones share it.
#[derive(Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

struct Shared {
    table: RwLock<HashMap<Fingerprint, Arc<Account>>>,
    /// At most one entry per saved token, so it needs no other bound.
    used: Mutex<HashSet<TokenId>>,
    /// Holds one value: [`Accounts::replace`] sends, each broker receives. A late receiver sees only the newest number,
    /// which is all it needs.
    version: watch::Sender<u64>,
}

impl Default for Accounts {
    fn default() -> Self {
        let shared = Shared { table: RwLock::default(), used: Mutex::default(), version: watch::Sender::new(0) };
        Self { shared: Arc::new(shared) }
    }
}

impl Accounts {
    /// Replaces the whole table. Every running broker at once disconnects the clients whose token is gone or whose
    /// permission or device is another one.
    pub fn replace(&self, accounts: impl IntoIterator<Item = (Fingerprint, Account)>) {
        let table = accounts.into_iter().map(|(fingerprint, account)| (fingerprint, Arc::new(account))).collect();
        *self.shared.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// Tokens used since the last call, for the store's `last used`: to connect, and until the end of a connection.
    pub fn take_used(&self) -> Vec<TokenId> {
        self.shared.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    /// When the next token expires: the time until then, at least nothing.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        let now = unix_millis(SystemTime::now());
        let table = self.shared.table.read().unwrap_or_else(PoisonError::into_inner);
        let next = table.values().filter_map(|account| account.expires_at).filter(|at| *at > now).min()?;
        // One millisecond more: by then it is past.
        Some(Duration::from_millis((next - now).unsigned_abs() + 1))
    }

    /// The account of a token, expired or not.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Account>> {
        self.shared.table.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    /// The account of a saved token.
    pub(super) fn by_id(&self, token: TokenId) -> Option<Arc<Account>> {
        let table = self.shared.table.read().unwrap_or_else(PoisonError::into_inner);
        table.values().find(|account| account.token_id == token).cloned()
    }

    pub(super) fn mark_used(&self, token_id: TokenId) {
        self.shared.used.lock().unwrap_or_else(PoisonError::into_inner).insert(token_id);
    }

    pub(super) fn replaced(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }
}
