//! What rmqtt asks and tells: who may connect, publish and subscribe, and every event of every client.
//!
//! Hooks run inside the session they are about, so none of them waits for anything: tables are in memory, and recording
//! an event never blocks.

use super::accounts::Accounts;
use super::clients::{Client, Clients, Right};
use super::drops::Drops;
use super::sessions::Budgets;
use super::words;
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use crate::fingerprint::Fingerprint;
use async_trait::async_trait;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::Permission;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, Register, ReturnType, Type};
use rmqtt::session::Session;
use rmqtt::types::{AuthResult, ConnectInfo, From, FromType, Id, Publish, PublishAclResult, Reason, Subscribe};
use rmqtt::types::{SubscribeAclResult, To};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use tokio::sync::Notify;

/// The user name TagoIO's own broker asks for.
const USERNAME: &str = "Token";

/// What the hooks share with [`super::EmbeddedBroker`].
pub(super) struct Desk {
    pub(super) source: Arc<str>,
    pub(super) feed: Feed,
    pub(super) accounts: Accounts,
    pub(super) internal: Fingerprint,
    pub(super) clients: Clients,
    pub(super) drops: Drops,
    pub(super) budgets: Budgets,
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
                desk.disconnected(&session.id, reason);
                None
            }
            Parameter::SessionTerminated(session, _) => {
                desk.session_ended(&session.id);
                None
            }
            Parameter::SessionSubscribed(session, subscribe) => {
                desk.subscribed(session, subscribe);
                None
            }
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                let filter = match &unsubscribe.shared_group {
                    Some(group) => format!("$share/{group}/{}", unsubscribe.topic_filter),
                    None => unsubscribe.topic_filter.to_string(),
                };
                desk.record(&session.id, Kind::Unsubscribed { filter: filter.into() });
                None
            }
            Parameter::MessagePublish(_, from, publish) => {
                desk.published(from, publish);
                None
            }
            Parameter::MessageDropped(to, from, publish, reason) => {
                desk.dropped(to.as_ref(), from, publish, reason);
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

/// What rmqtt's codec lets pass and the specification does not (MQTT-3.3.2-2, 3.3.2-14, 3.3.4-6, 4.7.3-2).
fn malformed(publish: &Publish) -> Option<&'static str> {
    const WRONG: [char; 3] = ['+', '#', '\0'];
    let properties = publish.properties.as_ref();
    if publish.topic.contains(WRONG) {
        Some("A topic has no wildcards and no null character.")
    } else if properties.and_then(|some| some.response_topic.as_ref()).is_some_and(|topic| topic.contains(WRONG)) {
        Some("A response topic has no wildcards and no null character.")
    } else if properties.is_some_and(|some| !some.subscription_ids.is_empty()) {
        Some("A client sends no subscription identifiers.")
    } else {
        None
    }
}

impl Desk {
    fn record(&self, id: &Id, kind: Kind) {
        let name = self.clients.get(id).map_or_else(|| Arc::from(&id.client_id[..]), |client| client.name.clone());
        self.feed.record(Event::now(&self.source, &name, None, kind));
    }

    /// By what right a CONNECT may pass, or why not.
    fn right(&self, info: &ConnectInfo) -> Result<Right, String> {
        if info.id().client_id.contains('\0') {
            return Err("the client id has a null character".to_owned());
        }
        if info.username().is_none_or(|name| name.is_empty()) {
            return Err(format!("no username: any is accepted, TagoIO's is {USERNAME}"));
        }
        let Some(password) = info.password().filter(|password| !password.is_empty()) else {
            return Err("no password: it must be a device token".to_owned());
        };
        let fingerprint = Fingerprint::of(password);
        if fingerprint == self.internal {
            return Ok(Right::Internal);
        }
        let Some(account) = self.accounts.find(&fingerprint) else {
            let token = std::str::from_utf8(password).map(Secret::new);
            return Err(match token.map(|token| token.last5()) {
                Ok(last5) if !last5.is_empty() => format!("unknown token …{last5}"),
                _ => "unknown token".to_owned(),
            });
        };
        if account.permission == Permission::Read && info.last_will().is_some() {
            let (name, last5) = (&account.name, &account.last5);
            return Err(format!("the token “{name}” …{last5} only allows subscribing, and a last will is a publish"));
        }
        Ok(Right::Token { fingerprint, account })
    }

    /// Whether the token of a CONNECT is still one of ours.
    pub(super) fn knows(&self, info: &ConnectInfo) -> bool {
        let fingerprint = info.password().map(|password| Fingerprint::of(password));
        fingerprint.is_some_and(|token| token == self.internal || self.accounts.find(&token).is_some())
    }

    fn authenticate(&self, info: &ConnectInfo) -> AuthResult {
        match self.right(info) {
            Ok(right) => {
                if let Right::Token { account, .. } = &right {
                    self.accounts.mark_used(account.token_id);
                }
                if let Some(other) = info.username().filter(|name| name[..] != *USERNAME) {
                    let text = format!("the username “{other}” is accepted here; TagoIO asks for {USERNAME}");
                    self.record(info.id(), Kind::Note { failure: false, text });
                }
                AuthResult::Allow(false, None)
            }
            Err(reason) => {
                // TagoIO answers 5 to MQTT 3 and 0x86 to MQTT 5; rmqtt makes these of these two results.
                let (code, result) = match info.proto_ver() {
                    5 => (0x86, AuthResult::BadUsernameOrPassword),
                    _ => (5, AuthResult::NotAuthorized),
                };
                self.record(info.id(), Kind::Refused { code: Some(code), reason });
                result
            }
        }
    }

    async fn connected(&self, session: &Session) {
        let Ok(info) = session.connect_info().await else { return };
        // The table may have been replaced since the CONNECT was let in, after those to be cut were looked for.
        let right = self.right(&info).unwrap_or(Right::Gone);
        let gone = matches!(right, Right::Gone);
        let detail = words::connection(&info, &right);
        let kind = Kind::Connected {
            version: words::version(info.proto_ver()),
            session_present: session.session_present().await.unwrap_or(false),
            will: info.last_will().is_some(),
            token_last5: right.last5().to_owned(),
            detail,
        };
        let name: Arc<str> = Arc::from(&session.id.client_id[..]);
        self.clients.insert(Arc::new(Client {
            id: session.id.clone(),
            name: name.clone(),
            right,
            level: info.proto_ver(),
            keep_alive: info.keep_alive(),
            since: SystemTime::now(),
            cut_because: OnceLock::new(),
        }));
        if info.clean_start() {
            // The client asked for its former session to be thrown away, messages included.
            self.budgets.end(&session.id.client_id);
        }
        self.feed.record(Event::now(&self.source, &name, None, kind));
        if gone {
            self.revoked.notify_one();
        }
    }

    fn disconnected(&self, id: &Id, reason: &Reason) {
        let client = self.clients.get(id);
        let (reason, clean) = words::disconnected(reason, client.as_deref());
        self.record(id, Kind::Disconnected { reason, clean });
        self.clients.remove(id);
    }

    /// What a connection may do now. The table of accounts decides, not the moment of the CONNECT.
    fn permission(&self, session: &Session) -> Option<Permission> {
        match &self.clients.get(&session.id)?.right {
            Right::Internal => Some(Permission::Full),
            Right::Gone => None,
            Right::Token { fingerprint, .. } => self.accounts.find(fingerprint).map(|account| account.permission),
        }
    }

    fn may_publish(&self, session: &Session, publish: &Publish) -> Option<HookResult> {
        if let Some(wrong) = malformed(publish) {
            return Some(HookResult::PublishAclResult(PublishAclResult::rejected(true, Some(wrong.into()))));
        }
        let result = match self.permission(session) {
            Some(Permission::Full | Permission::Write) => PublishAclResult::allow(),
            Some(Permission::Read) | None => {
                PublishAclResult::rejected(false, Some("The token does not allow publishing.".into()))
            }
        };
        Some(HookResult::PublishAclResult(result))
    }

    fn may_subscribe(&self, session: &Session, subscribe: &Subscribe) -> Option<HookResult> {
        let group = subscribe.opts.shared_group();
        let no_group = group.is_some_and(|group| group.is_empty() || group.contains(['+', '#']));
        if no_group || subscribe.topic_filter.contains('\0') {
            let failure = SubscribeAclResult::new_failure(SubscribeAckReason::TopicFilterInvalid);
            return Some(HookResult::SubscribeAclResult(failure));
        }
        if matches!(self.permission(session), Some(Permission::Full | Permission::Read)) {
            return None;
        }
        let granted = Err("the token does not allow subscribing".to_owned());
        let requested = words::qos(subscribe.opts.qos());
        self.record(&session.id, Kind::Subscribed { filter: words::filter(subscribe).into(), requested, granted });
        Some(HookResult::SubscribeAclResult(SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)))
    }

    fn subscribed(&self, session: &Session, subscribe: &Subscribe) {
        // Every QoS is granted as it was asked for.
        let qos = words::qos(subscribe.opts.qos());
        let filter = words::filter(subscribe).into();
        self.record(&session.id, Kind::Subscribed { filter, requested: qos, granted: Ok(qos) });
    }

    fn published(&self, from: &From, publish: &Publish) {
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
        self.drops.add(who, &publish.topic, 1, words::dropped(reason));
    }

    /// rmqtt reports what its queue loses with a session, but not what was still on its way to the queue.
    pub(super) fn session_ended(&self, id: &Id) {
        let lost = self.budgets.end(&id.client_id);
        if lost > 0 {
            self.drops.add(&id.client_id, "", lost as u64, "the session ended with messages undelivered".to_owned());
        }
    }
}
