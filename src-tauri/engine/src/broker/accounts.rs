//! Who may connect: device tokens by the SHA-256 of their value, so no token lies in memory in the clear.
//!
//! The table is a handle shared by every embedded broker; whoever keeps the tokens replaces it as a whole. Brokers look
//! at it for every CONNECT and every permission question, and are woken when it was replaced, to cut off clients whose
//! token went away. It knows nothing of connections.

use crate::fingerprint::Fingerprint;
use relayscope_domain::id::TokenId;
use relayscope_domain::token::Permission;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
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
    /// Last five characters of the value.
    pub last5: String,
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
    /// permission is another one.
    pub fn replace(&self, accounts: impl IntoIterator<Item = (Fingerprint, Account)>) {
        let table = accounts.into_iter().map(|(fingerprint, account)| (fingerprint, Arc::new(account))).collect();
        *self.shared.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// Tokens accepted since the last call, for the store's `last used`.
    pub fn take_used(&self) -> Vec<TokenId> {
        self.shared.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    /// The account of a token.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Account>> {
        self.shared.table.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    pub(super) fn mark_used(&self, token_id: TokenId) {
        self.shared.used.lock().unwrap_or_else(PoisonError::into_inner).insert(token_id);
    }

    pub(super) fn replaced(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }
}
