//! rmqtt's session table with two corrections, found by measuring (see `tests/engine/broker_load.rs`).
//!
//! 1. A client that reconnects while its former session is being cleared away is refused by rmqtt, because the reply of
//!    the dying session is cancelled. Here that moment is waited out.
//! 2. rmqtt hands messages to a session through an unbounded channel, so one client that stops reading takes all memory.
//!    Here each session has a budget of messages and bytes: a message is charged when it is handed over and credited when
//!    its last copy is freed, wherever that happens. What is over budget is reported as dropped.
//!
//! Everything else passes through unchanged.

use async_trait::async_trait;
use bytes::Bytes;
use rmqtt::Result;
use rmqtt::context::ServerContext;
use rmqtt::session::Session;
use rmqtt::shared::{DefaultShared, Entry, RetainLoadCallback, Shared};
use rmqtt::types::{
    ClientId, ForwardedCount, ForwardedRecipients, From, Id, IsAdmin, MsgID, NodeId, OfflineSession, Publish, Reason,
    SessionStatus, SubRelations, SubRelationsMap, SubsSearchParams, SubsSearchResult, Subscribe, SubscribeReturn, To,
    TopicFilter, Tx, Unsubscribe,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Messages a session may have waiting: rmqtt's own queue of [`super::QUEUE`] and what is on its way to it.
const MAX_MESSAGES: usize = super::QUEUE + 10_000;
/// Bytes a session may have waiting.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Memory of a waiting message besides its payload, measured roughly.
const OVERHEAD: usize = 400;
/// How long a dying session is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(3);

/// What a session has waiting.
#[derive(Default)]
struct Budget {
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
    fn charge(self: &Arc<Self>, payload: &Bytes) -> Option<Bytes> {
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
    fn of(&self, client_id: &ClientId) -> Arc<Budget> {
        if let Some(budget) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(client_id) {
            return budget.clone();
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(client_id.clone()).or_default().clone()
    }

    /// Ends the budget of a session; returns how many messages still wait and are lost with it.
    pub(super) fn end(&self, client_id: &ClientId) -> usize {
        let ended = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(client_id);
        ended.map_or(0, |budget| budget.messages.load(Ordering::Relaxed))
    }
}

type Undelivered = Vec<(To, From, Publish, Reason)>;

/// The corrected session table.
pub(super) struct Sessions {
    inner: DefaultShared,
    scx: ServerContext,
    budgets: Budgets,
}

impl Sessions {
    pub(super) fn new(scx: &ServerContext, budgets: Budgets) -> Self {
        Self { inner: DefaultShared::new(Some(scx.clone())), scx: scx.clone(), budgets }
    }
}

#[async_trait]
impl Shared for Sessions {
    fn entry(&self, id: Id) -> Box<dyn Entry> {
        Box::new(PatientEntry(self.inner.entry(id)))
    }

    fn exist(&self, client_id: &str) -> bool {
        self.inner.exist(client_id)
    }

    async fn forwards(
        &self,
        msg_id: Option<MsgID>,
        from: From,
        publish: Publish,
    ) -> std::result::Result<ForwardedCount, (ForwardedCount, Undelivered)> {
        if publish.target_clientid.is_some() {
            return self.inner.forwards(msg_id, from, publish).await;
        }
        let mut relations: SubRelationsMap =
            match self.scx.extends.router().await.matches(from.id.clone(), &publish.topic).await {
                Ok(relations) => relations,
                Err(error) => {
                    tracing::warn!(%error, "A message could not be matched against the subscriptions.");
                    return Ok(0);
                }
            };
        let node: NodeId = self.scx.node.id();
        let (mut sent, mut undelivered) = (0, vec![]);
        for relation in relations.remove(&node).unwrap_or_default() {
            let receiver = relation.1.clone();
            let mut copy = publish.clone();
            match self.budgets.of(&receiver).charge(&copy.payload) {
                Some(payload) => copy.payload = payload,
                None => {
                    let reason = Reason::from_static("slow consumer: too much waits for it already");
                    undelivered.push((To::from(node, receiver), from.clone(), publish.clone(), reason));
                    continue;
                }
            }
            match self.inner.forwards_to(from.clone(), &copy, vec![relation], msg_id).await {
                Ok(receivers) => sent += receivers.len(),
                Err((receivers, errors)) => {
                    sent += receivers.len();
                    undelivered.extend(errors);
                }
            }
        }
        if undelivered.is_empty() { Ok(sent) } else { Err((sent, undelivered)) }
    }

    async fn forwards_and_get_shareds(
        &self,
        from: From,
        publish: Publish,
    ) -> std::result::Result<(SubRelationsMap, ForwardedRecipients), (ForwardedRecipients, Undelivered)> {
        self.inner.forwards_and_get_shareds(from, publish).await
    }

    async fn forwards_to(
        &self,
        from: From,
        publish: &Publish,
        relations: SubRelations,
        msg_id: Option<MsgID>,
    ) -> std::result::Result<ForwardedRecipients, (ForwardedRecipients, Undelivered)> {
        self.inner.forwards_to(from, publish, relations, msg_id).await
    }

    fn iter(&self) -> Box<dyn Iterator<Item = Box<dyn Entry>> + Sync + Send + '_> {
        self.inner.iter()
    }

    fn random_session(&self) -> Option<Session> {
        self.inner.random_session()
    }

    async fn session_status(&self, client_id: &str) -> Option<SessionStatus> {
        self.inner.session_status(client_id).await
    }

    async fn client_states_count(&self) -> usize {
        self.inner.client_states_count().await
    }

    fn sessions_count(&self) -> usize {
        self.inner.sessions_count()
    }

    async fn query_subscriptions(&self, query: &SubsSearchParams) -> Vec<SubsSearchResult> {
        self.inner.query_subscriptions(query).await
    }

    async fn subscriptions_count(&self) -> usize {
        self.inner.subscriptions_count().await
    }

    async fn retain_load_with(
        &self,
        filter: &TopicFilter,
        callback: Arc<dyn RetainLoadCallback>,
    ) -> Result<Vec<(NodeId, MsgID)>> {
        self.inner.retain_load_with(filter, callback).await
    }
}

/// An entry that waits for a dying session instead of failing.
struct PatientEntry(Box<dyn Entry>);

#[async_trait]
impl Entry for PatientEntry {
    async fn try_lock(&self) -> Result<Box<dyn Entry>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.try_lock().await {
                Ok(entry) => return Ok(Box::new(Self(entry))),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn kick(&mut self, clean: bool, clear_subscriptions: bool, by_admin: IsAdmin) -> Result<OfflineSession> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.kick(clean, clear_subscriptions, by_admin).await {
                Ok(OfflineSession::Exist(Some(mut left))) => {
                    // rmqtt takes them from the end (MQTT-4.4.0-1 and 4.6.0-6 want their order).
                    left.inflight_messages.reverse();
                    return Ok(OfflineSession::Exist(Some(left)));
                }
                Ok(session) => return Ok(session),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn id(&self) -> Id {
        self.0.id()
    }

    fn id_same(&self) -> Option<bool> {
        self.0.id_same()
    }

    async fn set(&mut self, session: Session, tx: Tx) -> Result<()> {
        self.0.set(session, tx).await
    }

    async fn remove(&mut self) -> Result<Option<(Session, Tx)>> {
        self.0.remove().await
    }

    async fn remove_with(&mut self, id: &Id) -> Result<Option<(Session, Tx)>> {
        self.0.remove_with(id).await
    }

    async fn online(&self) -> bool {
        self.0.online().await
    }

    async fn is_connected(&self) -> bool {
        self.0.is_connected().await
    }

    fn session(&self) -> Option<Session> {
        self.0.session()
    }

    fn exist(&self) -> bool {
        self.0.exist()
    }

    fn tx(&self) -> Option<Tx> {
        self.0.tx()
    }

    async fn subscribe(&self, subscribe: &Subscribe) -> Result<SubscribeReturn> {
        self.0.subscribe(subscribe).await
    }

    async fn unsubscribe(&self, unsubscribe: &Unsubscribe) -> Result<bool> {
        self.0.unsubscribe(unsubscribe).await
    }

    async fn publish(&self, from: From, publish: Publish) -> std::result::Result<(), (From, Publish, Reason)> {
        self.0.publish(from, publish).await
    }

    async fn subscriptions(&self) -> Option<Vec<SubsSearchResult>> {
        self.0.subscriptions().await
    }
}
