//! What rmqtt asks and tells: who may connect, publish and subscribe, and every event of every client.
//!
//! Hooks run inside the session they are about, so none of them waits for anything: tables are in memory, and recording
//! an event never blocks.

use super::accounts::Accounts;
use super::budgets::Budgets;
use super::clients::{Client, Clients, Right, Totals, Traffic};
use super::disk::Disk;
use super::drops::Drops;
use super::owners::Owners;
use super::words;
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use crate::fingerprint::Fingerprint;
use async_trait::async_trait;
use relayscope_domain::broker::RetainMode;
use rmqtt::hook::{Handler, HookResult, Parameter, Register, ReturnType, Type};
use rmqtt::session::Session;
use rmqtt::types::{ConnectInfo, From, FromType, Id, Publish, Reason, Subscribe, To};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use tokio::sync::Notify;

/// What the hooks share with [`super::EmbeddedBroker`].
pub(super) struct Desk {
    pub(super) source: Arc<str>,
    pub(super) feed: Feed,
    pub(super) accounts: Accounts,
    pub(super) internal: Fingerprint,
    pub(super) clients: Clients,
    pub(super) drops: Drops,
    pub(super) budgets: Budgets,
    pub(super) owners: Owners,
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
        Type::SessionSubscribed,
        Type::SessionUnsubscribed,
        Type::MessagePublishCheckAcl,
        Type::MessagePublish,
        Type::MessageDropped,
        Type::MessageDelivered,
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
            Parameter::MessagePublishCheckAcl(session, _) => desk.may_publish(session),
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
            Parameter::SessionSubscribed(session, subscribe) => {
                desk.subscribed(session, subscribe);
                desk.keep_subscriptions(session).await;
                None
            }
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                let filter = match &unsubscribe.shared_group {
                    Some(group) => format!("$share/{group}/{}", unsubscribe.topic_filter),
                    None => unsubscribe.topic_filter.to_string(),
                };
                desk.record(&session.id, Kind::Unsubscribed { filter: filter.into() });
                desk.keep_subscriptions(session).await;
                None
            }
            Parameter::MessagePublish(_, from, publish) => {
                desk.published(from, publish);
                None
            }
            Parameter::MessageDropped(to, from, publish, reason) => {
                desk.dropped(to.as_ref(), from, publish, reason);
                if let Some(to) = to {
                    desk.let_go(&to.client_id, publish).await;
                }
                None
            }
            Parameter::MessageDelivered(session, _, publish) => {
                desk.delivered(&session.id, publish);
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

    async fn connected(&self, session: &Session) {
        let Ok(info) = session.connect_info().await else { return };
        // The table may have been replaced since the CONNECT was let in, after those to be cut were looked for.
        let right = self.right(&info).unwrap_or(Right::Gone);
        let gone = matches!(right, Right::Gone);
        let detail = words::connection(&info, &right);
        let session_present = session.session_present().await.unwrap_or(false);
        let kind = Kind::Connected {
            version: words::version(info.proto_ver()),
            session_present,
            will: info.last_will().is_some(),
            token_last5: right.last5().to_owned(),
            detail,
        };
        let name: Arc<str> = Arc::from(&session.id.client_id[..]);
        let kept = !session.fitter.session_expiry_interval(None).is_zero()
            && !matches!(&*info, ConnectInfo::V3(_, connect) if connect.clean_session);
        self.owners.settle(&session.id, kept);
        self.keep_session(session, &info, session_present).await;
        self.clients.insert(Arc::new(Client {
            id: session.id.clone(),
            name: name.clone(),
            right,
            level: info.proto_ver(),
            keep_alive: info.keep_alive(),
            will: info.last_will().map(|will| words::will(&will)),
            traffic: Traffic::default(),
            since: SystemTime::now(),
            cut_because: OnceLock::new(),
        }));
        if info.clean_start() {
            // The client asked for its former session to be thrown away, messages included.
            self.budgets.end(&session.id.client_id);
        }
        self.totals.connects.fetch_add(1, Ordering::Relaxed);
        self.feed.record(Event::now(&self.source, &name, None, kind));
        if gone {
            self.revoked.notify_one();
        }
    }

    async fn disconnected(&self, session: &Session, reason: &Reason) {
        let id = &session.id;
        let client = self.clients.get(id);
        let taken_over = words::is_kick(reason);
        let (reason, clean) = words::disconnected(reason, client.as_deref());
        self.record(id, Kind::Disconnected { reason, clean });
        self.clients.remove(id);
        // Of a session that is kicked, who kicked it has the queue.
        if !taken_over {
            self.keep_queue(session).await;
        }
    }

    fn subscribed(&self, session: &Session, subscribe: &Subscribe) {
        // Every QoS is granted as it was asked for.
        let qos = words::qos(subscribe.opts.qos());
        let filter = words::filter(subscribe).into();
        self.record(&session.id, Kind::Subscribed { filter, requested: qos, granted: Ok(qos) });
    }

    /// Every publish of every client passes here, wills included.
    pub(super) fn published(&self, from: &From, publish: &Publish) {
        self.totals.traffic.took(publish.payload.len());
        if let Some(client) = self.clients.get(&from.id) {
            client.traffic.took(publish.payload.len());
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
            will: matches!(from.typ(), FromType::LastWill),
        };
        self.record(&from.id, kind);
    }

    fn dropped(&self, to: Option<&To>, from: &From, publish: &Publish, reason: &Reason) {
        let who = to.map_or(&from.id.client_id, |to| &to.client_id);
        self.totals.dropped.fetch_add(1, Ordering::Relaxed);
        self.drops.add(who, &publish.topic, 1, words::dropped(reason));
    }

    fn delivered(&self, id: &Id, publish: &Publish) {
        self.totals.traffic.gave(publish.payload.len());
        if let Some(client) = self.clients.get(id) {
            client.traffic.gave(publish.payload.len());
        }
    }

    /// rmqtt reports what its queue loses with a session, but not what was still on its way to the queue.
    pub(super) async fn session_ended(&self, id: &Id) {
        if self.clients.by_name(&id.client_id).is_none_or(|client| client.id == *id) {
            self.owners.forget(&id.client_id);
            if let Some(disk) = &self.disk {
                disk.session_gone(&id.client_id).await;
            }
        }
        let lost = self.budgets.end(&id.client_id);
        if lost > 0 {
            self.totals.dropped.fetch_add(lost as u64, Ordering::Relaxed);
            self.drops.add(&id.client_id, "", lost as u64, "the session ended with messages undelivered".to_owned());
        }
    }
}
