//! What rmqtt asks and tells: who may connect, publish and subscribe, and what only the broker knows of its clients.
//!
//! What passes on the wire is told by the front before the broker; here it is told why: who is let in or refused, which
//! filter is refused, why a connection ends. Wills and drops are events of their own.
//!
//! Hooks run inside the session they are about, so none of them waits for anything: tables are in memory, and recording
//! an event never blocks.

use super::accounts::Accounts;
use super::budgets::Budgets;
use super::clients::{Client, Clients, Right, Totals};
use super::disk::Disk;
use super::drops::Drops;
use super::owners::Owners;
use super::promises::Promises;
use super::size;
use super::words;
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use crate::fingerprint::Fingerprint;
use crate::front::Connections;
use async_trait::async_trait;
use relayscope_domain::broker::RetainMode;
use rmqtt::hook::{Handler, HookResult, Parameter, Register, ReturnType, Type};
use rmqtt::session::Session;
use rmqtt::types::{ConnectInfo, From, FromType, Id, Publish, Reason, To};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use tokio::sync::Notify;

/// What the hooks share with [`super::EmbeddedBroker`].
pub(super) struct Desk {
    pub(super) source: Arc<str>,
    pub(super) feed: Feed,
    pub(super) accounts: Accounts,
    pub(super) internal: Fingerprint,
    pub(super) clients: Clients,
    /// The clients' connections, where what is known here is told.
    pub(super) connections: Connections,
    pub(super) drops: Drops,
    pub(super) budgets: Budgets,
    pub(super) owners: Owners,
    pub(super) promises: Promises,
    pub(super) totals: Totals,
    pub(super) retain: RetainMode,
    /// Where sessions and messages are kept; `None` keeps nothing.
    pub(super) disk: Option<Disk>,
    /// Wakes the watch on the accounts when a client slipped in with a token that was just removed.
    pub(super) revoked: Notify,
}

/// Registers the hooks; they take effect at once.
pub(super) async fn register(desk: &Arc<Desk>, register: &dyn Register) {
    let kinds = [
        Type::ClientAuthenticate,
        Type::ClientConnected,
        Type::ClientDisconnected,
        Type::SessionTerminated,
        Type::ClientSubscribeCheckAcl,
        Type::MessagePublishCheckAcl,
        Type::SessionSubscribed,
        Type::SessionUnsubscribed,
        Type::MessagePublish,
        Type::MessageDropped,
        Type::MessageAcked,
        Type::OfflineMessage,
    ];
    for kind in kinds {
        register.add(kind, Box::new(Hooks(desk.clone()))).await;
    }
    register.start().await;
}

struct Hooks(Arc<Desk>);

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, parameter: &Parameter, earlier: Option<HookResult>) -> ReturnType {
        let desk = &self.0;
        let answer = match parameter {
            Parameter::ClientAuthenticate(info) => Some(HookResult::AuthResult(desk.authenticate(info))),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => desk.may_subscribe(session, subscribe),
            Parameter::MessagePublishCheckAcl(session, publish) => desk.may_publish(session, publish),
            Parameter::ClientConnected(session) => {
                desk.connected(session).await;
                None
            }
            Parameter::ClientDisconnected(session, reason) => {
                desk.disconnected(session, reason).await;
                None
            }
            Parameter::SessionTerminated(session, _) => {
                desk.session_ended(&session.id).await;
                None
            }
            Parameter::SessionSubscribed(session, _) => {
                desk.keep_subscriptions(session).await;
                None
            }
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                desk.promises.unsubscribed(&session.id.client_id, &unsubscribe.topic_filter);
                desk.keep_subscriptions(session).await;
                None
            }
            Parameter::MessagePublish(_, from, publish) => {
                desk.will(from, publish);
                None
            }
            Parameter::MessageDropped(to, from, publish, reason) => {
                desk.dropped(to.as_ref(), from, publish, reason);
                if let Some(to) = to {
                    desk.let_go(&to.client_id, publish).await;
                }
                None
            }
            Parameter::MessageAcked(session, _, publish) => {
                desk.let_go(&session.id.client_id, publish).await;
                None
            }
            Parameter::OfflineMessage(session, from, publish) => {
                desk.keep_queued(&session.id.client_id, from, publish).await;
                None
            }
            _ => None,
        };
        match answer {
            Some(answer) => (false, Some(answer)),
            None => (true, earlier),
        }
    }
}

impl Desk {
    pub(super) fn record(&self, id: &Id, kind: Kind) {
        let name = self.clients.get(id).map_or_else(|| Arc::from(&id.client_id[..]), |client| client.name.clone());
        self.feed.record(Event::now(&self.source, &name, None, kind));
    }

    /// Tells the front about a connection; it is known by its client's address.
    pub(super) fn tell(&self, id: &Id, what: impl FnOnce(&Connections, SocketAddr)) {
        if let Some(peer) = id.remote_addr {
            what(&self.connections, peer);
        }
    }

    async fn connected(&self, session: &Session) {
        let Ok(info) = session.connect_info().await else { return };
        // The table may have been replaced since the CONNECT was let in, after those to be cut were looked for.
        let right = self.right(&info).unwrap_or(Right::Gone);
        let gone = matches!(right, Right::Gone);
        let kept = !session.fitter.session_expiry_interval(None).is_zero()
            && !matches!(&*info, ConnectInfo::V3(_, connect) if connect.clean_session);
        self.owners.settle(&session.id, kept);
        let session_present = session.session_present().await.unwrap_or(false);
        if !session_present {
            self.promises.end(&session.id.client_id);
        }
        self.keep_session(session, &info, session_present).await;
        self.clients.insert(Arc::new(Client {
            id: session.id.clone(),
            name: Arc::from(&session.id.client_id[..]),
            right,
            level: info.proto_ver(),
            keep_alive: info.keep_alive(),
            will: info.last_will().map(|will| words::will(&will)),
            since: SystemTime::now(),
        }));
        if info.clean_start() {
            // The client asked for its former session to be thrown away, messages included.
            self.budgets.end(&session.id.client_id);
        }
        let largest = match &*info {
            ConnectInfo::V5(_, connect) => {
                let alias = if connect.topic_alias_max > 0 { size::TOPIC_ALIAS } else { 0 };
                connect.max_packet_size.map(|bytes| bytes.get().saturating_sub(alias).max(1))
            }
            ConnectInfo::V3(..) => None,
        };
        self.budgets.takes_up_to(&session.id.client_id, largest);
        self.totals.connects.fetch_add(1, Ordering::Relaxed);
        if gone {
            self.revoked.notify_one();
        }
    }

    async fn disconnected(&self, session: &Session, reason: &Reason) {
        let id = &session.id;
        if let Some(goodbye) = words::ended(reason) {
            self.tell(id, |connections, peer| connections.ends(peer, goodbye));
        }
        let taken_over = words::is_kick(reason);
        if let Some(client) = self.clients.get(id) {
            self.uses_token(&client);
        }
        self.clients.remove(id);
        // Of a session that is kicked, who kicked it has the queue.
        if !taken_over {
            self.keep_queue(session).await;
        }
    }

    /// A last will passes no front.
    pub(super) fn will(&self, from: &From, publish: &Publish) {
        if !matches!(from.typ(), FromType::LastWill) {
            return;
        }
        let kind = Kind::Publish {
            direction: Direction::In,
            topic: Arc::from(&publish.topic[..]),
            payload: publish.payload.clone(),
            qos: words::qos(publish.qos),
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id.map(Into::into),
            properties: words::properties(publish),
            will: true,
            cut_from: None,
        };
        self.record(&from.id, kind);
    }

    fn dropped(&self, to: Option<&To>, from: &From, publish: &Publish, reason: &Reason) {
        let who = to.map_or(&from.id.client_id, |to| &to.client_id);
        self.totals.dropped.fetch_add(1, Ordering::Relaxed);
        self.drops.add(who, &publish.topic, 1, words::dropped(reason));
    }

    /// rmqtt reports what its queue loses with a session, but not what was still on its way to the queue.
    pub(super) async fn session_ended(&self, id: &Id) {
        // Before the promises, which hold what is counted here.
        let lost = self.budgets.end(&id.client_id);
        if self.clients.by_name(&id.client_id).is_none_or(|client| client.id == *id) {
            self.promises.end(&id.client_id);
            self.owners.forget(&id.client_id);
            if let Some(disk) = &self.disk {
                disk.session_gone(&id.client_id).await;
            }
        }
        if lost > 0 {
            self.totals.dropped.fetch_add(lost as u64, Ordering::Relaxed);
            self.drops.add(&id.client_id, "", lost as u64, "the session ended with messages undelivered".to_owned());
        }
    }
}
