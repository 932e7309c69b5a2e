//! What each session has waiting, in messages and bytes: a message is charged when it is handed over and credited when its
//! last copy is freed, wherever that happens.

use bytes::Bytes;
use rmqtt::types::ClientId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Messages a session may have waiting: rmqtt's own queue of [`super::QUEUE`] and what is on its way to it.
const MAX_MESSAGES: usize = super::QUEUE + 10_000;
/// Bytes a session may have waiting.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Memory of a waiting message besides its payload, measured roughly.
const OVERHEAD: usize = 400;

/// What a session has waiting.
#[derive(Default)]
pub(super) struct Budget {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

/// A payload on its way to one session; frees its share of the budget with its last copy.
struct Charged {
    payload: Bytes,
    budget: Arc<Budget>,
}

impl Charged {
    fn cost(&self) -> usize {
        self.payload.len() + OVERHEAD
    }
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.payload
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.budget.messages.fetch_sub(1, Ordering::Relaxed);
        self.budget.bytes.fetch_sub(self.cost(), Ordering::Relaxed);
    }
}

impl Budget {
    /// Charges a payload, or says that the session has had enough. Concurrent senders may pass the limit by one each.
    pub(super) fn charge(self: &Arc<Self>, payload: &Bytes) -> Option<Bytes> {
        let full =
            self.messages.load(Ordering::Relaxed) >= MAX_MESSAGES || self.bytes.load(Ordering::Relaxed) >= MAX_BYTES;
        if full {
            return None;
        }
        let charged = Charged { payload: payload.clone(), budget: self.clone() };
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(charged.cost(), Ordering::Relaxed);
        Some(Bytes::from_owner(charged))
    }
}

/// The budgets by client id. An entry lives as long as the client's session.
#[derive(Clone, Default)]
pub(super) struct Budgets(Arc<RwLock<HashMap<ClientId, Arc<Budget>>>>);

impl Budgets {
    pub(super) fn of(&self, client_id: &ClientId) -> Arc<Budget> {
        if let Some(budget) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(client_id) {
            return budget.clone();
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(client_id.clone()).or_default().clone()
    }

    /// How many messages wait for a session.
    pub(super) fn waiting(&self, client_id: &str) -> usize {
        let budgets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        budgets.get(client_id).map_or(0, |budget| budget.messages.load(Ordering::Relaxed))
    }

    /// Ends the budget of a session; returns how many messages still wait and are lost with it.
    pub(super) fn end(&self, client_id: &ClientId) -> usize {
        let ended = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(client_id);
        ended.map_or(0, |budget| budget.messages.load(Ordering::Relaxed))
    }
}
