//! What each session may get: no packet that is larger than its client takes, and no more waiting, in messages and bytes:
//! a message is charged when it is handed over and credited when its last copy is freed, wherever that happens.

use bytes::Bytes;
use rmqtt::types::{ClientId, Publish};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Messages a session may have waiting: rmqtt's own queue of [`super::QUEUE`] and what is on its way to it.
const MAX_MESSAGES: usize = super::QUEUE + 10_000;
/// Bytes a session may have waiting.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Retained messages are loaded for a connected client as it reads: no more while so much waits for it.
const PACE: (usize, usize) = (1_000, 8 * 1024 * 1024);
/// Subscriptions of a client whose retained messages may wait to be loaded.
const LOADS: usize = 256;
/// Memory of a waiting message besides its payload, measured roughly.
const OVERHEAD: usize = 400;

/// What a session has waiting.
#[derive(Default)]
pub(super) struct Budget {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// Subscriptions whose retained messages wait to be loaded.
    loads: AtomicUsize,
    /// The largest packet its client takes, bytes; 0 is any (MQTT 5.0 section 3.1.2.11.4).
    largest: AtomicUsize,
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

/// Retained messages of one subscription that wait to be loaded.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Budget {
    /// Whether the client takes a message.
    pub(super) fn takes(&self, publish: &Publish) -> bool {
        let largest = self.largest.load(Ordering::Relaxed);
        largest == 0 || super::size::publish(publish) <= largest
    }

    /// Whether retained messages may be loaded for it now.
    pub(super) fn has_pace(&self) -> bool {
        self.messages.load(Ordering::Relaxed) < PACE.0 && self.bytes.load(Ordering::Relaxed) < PACE.1
    }

    /// Lets a load wait for as long as the answer lives, unless too many do already.
    pub(super) fn waits(&self) -> Option<impl Sized> {
        let waits = Waits(&self.loads);
        (self.loads.fetch_add(1, Ordering::Relaxed) < LOADS).then_some(waits)
    }

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

    /// Notes the largest packet a client takes, which came with its CONNECT; `None` is any.
    pub(super) fn takes_up_to(&self, client_id: &ClientId, bytes: Option<u32>) {
        self.of(client_id).largest.store(bytes.map_or(0, |bytes| bytes as usize), Ordering::Relaxed);
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
