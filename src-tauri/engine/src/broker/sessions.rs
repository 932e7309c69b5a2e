//! rmqtt's session table with two corrections, found by measuring (see `tests/engine/broker_load.rs`), and two rules of
//! ours: who sees whose messages ([`super::owners`]), and that a message for a kept session whose client is away is on the
//! disk before its publisher is answered ([`super::keep`]).
//!
//! 1. A client that reconnects while its former session is being cleared away is refused by rmqtt, because the reply of
//!    the dying session is cancelled. Here that moment is waited out.
//! 2. rmqtt hands messages to a session through an unbounded channel, so one client that stops reading takes all memory.
//!    Here each session has a budget of messages and bytes, and every message that goes into the channel is charged: what
//!    is published ([`Sessions::forwards`]; over budget it is reported as dropped), what is retained (over a part of the
//!    budget its loading waits for the reader), what a session left behind (charged before, never more than the budget).
//!    The rest of what rmqtt sends through it is one order for each packet of the client, which waits for the answer.
//!
//! Everything else passes through unchanged.

use super::hooks::Desk;
use super::keep::Kept;
use super::promises::ticket;
use super::retained::Retained;
use async_trait::async_trait;
use relayscope_domain::topic;
use rmqtt::Result;
use rmqtt::context::ServerContext;
use rmqtt::inflight::MomentStatus;
use rmqtt::session::{OfflineInfo, Session};
use rmqtt::shared::{DefaultShared, Entry, RetainLoadCallback, Shared};
use rmqtt::types::{
    ClientId, ForwardedCount, ForwardedRecipients, From, Id, IsAdmin, Message, MsgID, NodeId, OfflineSession, Publish,
    QoS, Reason, SessionStatus, SubRelation, SubRelations, SubRelationsMap, SubsSearchParams, SubsSearchResult,
    Subscribe, SubscribeReturn, To, TopicFilter, Tx, Unsubscribe,
};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a dying session is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at it, or at a reader.
const PAUSE: Duration = Duration::from_millis(3);

/// Why a message is left out that the client's maximum packet size forbids (MQTT-3.1.2-24 and -25 of 5.0).
const TOO_LARGE: &str = "larger than the client's maximum packet size";

/// Why a message is left out when the budget is used up.
const SLOW: &str = "slow consumer: too much waits for it already";

type Undelivered = Vec<(To, From, Publish, Reason)>;

/// The corrected session table.
pub(super) struct Sessions {
    inner: DefaultShared,
    scx: ServerContext,
    desk: Arc<Desk>,
    retained: Retained,
}

impl Sessions {
    pub(super) fn new(scx: &ServerContext, desk: Arc<Desk>, retained: Retained) -> Self {
        Self { inner: DefaultShared::new(Some(scx.clone())), scx: scx.clone(), desk, retained }
    }

    /// Hands a message to one session. For one that is kept it may also wait until the session has moved.
    fn hand_over(&self, from: &From, copy: Publish, receiver: &ClientId) -> std::result::Result<(), Reason> {
        let send = |from: From, copy: Publish| {
            self.inner.tx(receiver).is_some_and(|(tx, _)| tx.unbounded_send(Message::Forward(from, copy)).is_ok())
        };
        if ticket(&copy).is_some() {
            self.desk.promises.promise(receiver, from.clone(), copy, send);
            return Ok(());
        }
        if send(from.clone(), copy) { Ok(()) } else { Err(Reason::from_static("the client has disconnected")) }
    }

    /// The QoS at which a receiver gets a message: of an MQTT 5 client's overlapping filters the highest counts
    /// (MQTT-3.3.4-2), and rmqtt hands over but one.
    async fn highest(&self, publish: &Publish, (_, receiver, options, _, group): &SubRelation) -> QoS {
        let own = options.qos();
        let id = Id::from(self.scx.node.id(), receiver.clone());
        let several = !options.is_v3() && group.is_none();
        let Some(session) = several.then(|| self.inner.entry(id).session()).flatten() else { return own };
        let Ok(subscriptions) = session.subscriptions().await else { return own };
        let all = subscriptions.read().await;
        let matching = all.iter().filter(|(filter, options)| {
            options.qos() > own && options.shared_group().is_none() && topic::matches(filter, &publish.topic)
        });
        publish.qos.less_value(matching.map(|(_, options)| options.qos()).max().unwrap_or(own))
    }
}

/// A message as one subscription gets it.
fn addressed(publish: &Publish, (.., options, ids, _): &SubRelation) -> Publish {
    let mut copy = publish.clone();
    copy.dup = false;
    copy.packet_id = None;
    copy.qos = copy.qos.less_value(options.qos());
    copy.retain = copy.retain && options.retain_as_published() == Some(true);
    if let Some(ids) = ids {
        copy.properties.get_or_insert_default().subscription_ids.clone_from(ids);
    }
    copy
}

#[async_trait]
impl Shared for Sessions {
    fn entry(&self, id: Id) -> Box<dyn Entry> {
        Box::new(PatientEntry { inner: self.inner.entry(id), desk: self.desk.clone(), left: None })
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
            let mut copy = addressed(&publish, &relation);
            if copy.qos < publish.qos {
                copy.qos = self.highest(&publish, &relation).await;
            }
            let budget = self.desk.budgets.of(&receiver);
            if !budget.takes(&copy) {
                undelivered.push((To::from(node, receiver), from.clone(), copy, Reason::from_static(TOO_LARGE)));
                continue;
            }
            match budget.charge(&copy.payload) {
                Some(payload) => copy.payload = payload,
                None => {
                    let reason = Reason::from_static(SLOW);
                    undelivered.push((To::from(node, receiver), from.clone(), publish.clone(), reason));
                    continue;
                }
            }
            self.desk.keep_copy(&mut kept, &from, &mut copy, &receiver).await;
            match self.hand_over(&from, copy, &receiver) {
                Ok(()) => sent += 1,
                Err(reason) => undelivered.push((To::from(node, receiver), from.clone(), publish.clone(), reason)),
            }
        }
        self.desk.keep_rest(kept).await;
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
        self.retained.load(filter, &callback).await
    }
}

/// An entry that waits for a dying session instead of failing.
struct PatientEntry {
    inner: Box<dyn Entry>,
    desk: Arc<Desk>,
    /// What a session left that was taken from its connection, until it is with the next.
    left: Option<OfflineInfo>,
}

impl PatientEntry {
    /// Keeps what a session left, and returns it without: rmqtt hands it to the new connection in a way that loses all
    /// of it when that ends at once.
    fn carry(&mut self, mut left: OfflineInfo) -> OfflineInfo {
        let (id, created_at) = (left.id.clone(), left.created_at);
        self.desk.promises.complete(&id.client_id, &mut left);
        self.left = Some(left);
        let (subscriptions, offline_messages, inflight_messages) = Default::default();
        OfflineInfo { id, subscriptions, offline_messages, inflight_messages, created_at }
    }
}

/// Gives a session what its former connection left, before anybody else gives it something: first what was sent, in its
/// order and with its packet ids (MQTT-4.4.0-1), then what waited.
async fn resume(session: &Session, tx: &Tx, left: OfflineInfo) -> Result<()> {
    let queue = |from, publish| {
        // What is over the queue goes the way on which rmqtt drops and says so.
        if let Err((from, publish)) = session.deliver_queue().push((from, publish)) {
            let _ = tx.unbounded_send(Message::Forward(from, publish));
        }
    };
    let sent = left.inflight_messages.iter().map(|message| &message.publish);
    let highest =
        sent.chain(left.offline_messages.iter().map(|(_, publish)| publish)).filter_map(|it| it.packet_id).max();
    let mut inflight = session.out_inflight().write().await;
    inflight.advance_next_id(highest.map_or(0, NonZeroU16::get));
    for mut message in left.inflight_messages {
        if message.status == MomentStatus::UnComplete {
            inflight.push_back(message.clone());
            let _ = tx.unbounded_send(Message::SendRerelease(message));
        } else {
            message.publish.dup = true;
            queue(message.from, message.publish);
        }
    }
    drop(inflight);
    left.offline_messages.into_iter().for_each(|(from, publish)| queue(from, publish));
    for (filter, options) in &left.subscriptions {
        session.scx.extends.router().await.add(filter, session.id.clone(), options.clone()).await?;
    }
    session.subscriptions_extend(left.subscriptions).await
}

#[async_trait]
impl Entry for PatientEntry {
    async fn try_lock(&self) -> Result<Box<dyn Entry>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.inner.try_lock().await {
                Ok(inner) => return Ok(Box::new(Self { inner, desk: self.desk.clone(), left: None })),
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
                Ok(OfflineSession::Exist(Some(left))) => return Ok(OfflineSession::Exist(Some(self.carry(left)))),
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
        if let Some(left) = self.left.take() {
            resume(&session, &tx, left).await?;
        }
        self.inner.set(session.clone(), tx.clone()).await?;
        let send = |from, publish| tx.unbounded_send(Message::Forward(from, publish)).is_ok();
        self.desk.promises.arrived(&session.id.client_id, send);
        Ok(())
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
        let found = self.inner.unsubscribe(unsubscribe).await?;
        // rmqtt's UNSUBACK says success in any case; the front corrects it.
        self.desk.tell(&self.inner.id(), |connections, peer| connections.unsubscribes(peer, found));
        Ok(found)
    }

    /// Retained messages come this way.
    async fn publish(&self, from: From, mut publish: Publish) -> std::result::Result<(), (From, Publish, Reason)> {
        let receiver = self.inner.id().client_id.clone();
        if !self.desk.owners.sees_space(from.id.username_ref(), &receiver) {
            return Ok(());
        }
        let budget = self.desk.budgets.of(&receiver);
        if !budget.takes(&publish) {
            return Err((from, publish, Reason::from_static(TOO_LARGE)));
        }
        if !budget.has_pace() {
            // Without a connection nobody reads, and the whole budget may be used.
            let Some(_waits) = budget.waits() else { return Err((from, publish, Reason::from_static(SLOW))) };
            while !budget.has_pace() && self.desk.clients.by_name(&receiver).is_some() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        match budget.charge(&publish.payload) {
            Some(payload) => publish.payload = payload,
            None => return Err((from, publish, Reason::from_static(SLOW))),
        }
        if self.desk.number(&receiver, &mut publish).is_none() {
            return self.inner.publish(from, publish).await;
        }
        let tx = self.inner.tx();
        let send = |from, publish| tx.is_some_and(|tx| tx.unbounded_send(Message::Forward(from, publish)).is_ok());
        self.desk.promises.promise(&receiver, from, publish, send);
        Ok(())
    }

    async fn subscriptions(&self) -> Option<Vec<SubsSearchResult>> {
        self.inner.subscriptions().await
    }
}
