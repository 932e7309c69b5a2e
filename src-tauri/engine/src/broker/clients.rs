//! The clients that are connected now, as the hooks saw them come and go.
//!
//! One entry per client id: a connection that takes over replaces the entry, and the late goodbye of the old connection
//! leaves it alone.

use super::accounts::Account;
use crate::fingerprint::Fingerprint;
use rmqtt::types::Id;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

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

/// One connected client.
pub(super) struct Client {
    pub(super) id: Id,
    /// The client id as events carry it.
    pub(super) name: Arc<str>,
    pub(super) right: Right,
    /// MQTT protocol level: 3, 4 or 5.
    pub(super) level: u8,
    pub(super) since: SystemTime,
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
