//! rmqtt's session table with two corrections, found by measuring (see `tests/engine/broker_load.rs`), and two rules of
//! ours: who sees whose messages ([`super::owners`]), and that a message for a kept session whose client is away is on the
//! disk before its publisher is answered ([`super::keep`]).
//!
//! 1. A client that reconnects while its former session is being cleared away is refused by rmqtt, because the reply of
//!    the dying session is cancelled. Here that moment is waited out.
//! 2. rmqtt hands messages to a session through an unbounded channel, so one client that stops reading takes all memory.
//!    Here each session has a budget of messages and bytes. What is over budget is reported as dropped.
//!
//! Everything else passes through unchanged.

use super::hooks::Desk;
use super::keep::Kept;
use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::context::ServerContext;
use rmqtt::session::Session;
use rmqtt::shared::{DefaultShared, Entry, RetainLoadCallback, Shared};
use rmqtt::types::{
    ForwardedCount, ForwardedRecipients, From, Id, IsAdmin, MsgID, NodeId, OfflineSession, Publish, Reason,
    SessionStatus, SubRelations, SubRelationsMap, SubsSearchParams, SubsSearchResult, Subscribe, SubscribeReturn, To,
    TopicFilter, Tx, Unsubscribe,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a dying session is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(3);

type Undelivered = Vec<(To, From, Publish, Reason)>;

/// The corrected session table.
pub(super) struct Sessions {
    inner: DefaultShared,
    scx: ServerContext,
    desk: Arc<Desk>,
}

impl Sessions {
    pub(super) fn new(scx: &ServerContext, desk: Arc<Desk>) -> Self {
        Self { inner: DefaultShared::new(Some(scx.clone())), scx: scx.clone(), desk }
    }
}

#[async_trait]
impl Shared for Sessions {
    fn entry(&self, id: Id) -> Box<dyn Entry> {
        Box::new(PatientEntry { inner: self.inner.entry(id), desk: self.desk.clone() })
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
        let (mut sent, mut undelivered, mut kept) = (0, vec![], Kept::default());
        for relation in relations.remove(&node).unwrap_or_default() {
            let receiver = relation.1.clone();
            if !self.desk.owners.sees(&from.id.client_id, &receiver) {
                continue;
            }
            let mut copy = publish.clone();
            match self.desk.budgets.of(&receiver).charge(&copy.payload) {
                Some(payload) => copy.payload = payload,
                None => {
                    let reason = Reason::from_static("slow consumer: too much waits for it already");
                    undelivered.push((To::from(node, receiver), from.clone(), publish.clone(), reason));
                    continue;
                }
            }
            self.desk.keep_copy(&mut kept, &from, &mut copy, &relation).await;
            match self.inner.forwards_to(from.clone(), &copy, vec![relation], msg_id).await {
                Ok(receivers) => sent += receivers.len(),
                Err((receivers, errors)) => {
                    sent += receivers.len();
                    undelivered.extend(errors);
                }
            }
        }
        self.desk.keep_rest(kept, &from, &publish).await;
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
struct PatientEntry {
    inner: Box<dyn Entry>,
    desk: Arc<Desk>,
}

#[async_trait]
impl Entry for PatientEntry {
    async fn try_lock(&self) -> Result<Box<dyn Entry>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.inner.try_lock().await {
                Ok(inner) => return Ok(Box::new(Self { inner, desk: self.desk.clone() })),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn kick(&mut self, clean: bool, clear_subscriptions: bool, by_admin: IsAdmin) -> Result<OfflineSession> {
        // What another device left here is not for this one.
        let strange = !by_admin && !clean && !self.desk.owners.may_resume(&self.inner.id());
        let (clean, clear_subscriptions) = (clean || strange, clear_subscriptions || strange);
        let until = Instant::now() + PATIENCE;
        loop {
            match self.inner.kick(clean, clear_subscriptions, by_admin).await {
                Ok(session) => return Ok(session),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn id(&self) -> Id {
        self.inner.id()
    }

    fn id_same(&self) -> Option<bool> {
        self.inner.id_same()
    }

    async fn set(&mut self, session: Session, tx: Tx) -> Result<()> {
        self.inner.set(session, tx).await
    }

    async fn remove(&mut self) -> Result<Option<(Session, Tx)>> {
        self.inner.remove().await
    }

    async fn remove_with(&mut self, id: &Id) -> Result<Option<(Session, Tx)>> {
        self.inner.remove_with(id).await
    }

    async fn online(&self) -> bool {
        self.inner.online().await
    }

    async fn is_connected(&self) -> bool {
        self.inner.is_connected().await
    }

    fn session(&self) -> Option<Session> {
        self.inner.session()
    }

    fn exist(&self) -> bool {
        self.inner.exist()
    }

    fn tx(&self) -> Option<Tx> {
        self.inner.tx()
    }

    async fn subscribe(&self, subscribe: &Subscribe) -> Result<SubscribeReturn> {
        self.inner.subscribe(subscribe).await
    }

    async fn unsubscribe(&self, unsubscribe: &Unsubscribe) -> Result<bool> {
        self.inner.unsubscribe(unsubscribe).await
    }

    /// Retained messages come this way.
    async fn publish(&self, from: From, mut publish: Publish) -> std::result::Result<(), (From, Publish, Reason)> {
        let receiver = self.inner.id().client_id.clone();
        if !self.desk.owners.sees_space(from.id.username_ref(), &receiver) {
            return Ok(());
        }
        self.desk.number(&receiver, &mut publish);
        self.inner.publish(from, publish).await
    }

    async fn subscriptions(&self) -> Option<Vec<SubsSearchResult>> {
        self.inner.subscriptions().await
    }
}
