//! Who may connect, publish and subscribe: TagoIO's rules. The user name is any, a device token is the password, and what
//! the token allows is asked for at every publish and subscription, not remembered from the CONNECT.

use super::clients::{Client, Right};
use super::hooks::Desk;
use super::owners::Owner;
use super::server::TOPIC_ALIASES;
use super::words;
use crate::feed::event::Kind;
use crate::fingerprint::Fingerprint;
use crate::front::Goodbye;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::Permission;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::HookResult;
use rmqtt::session::Session;
use rmqtt::types::{AuthResult, ConnectInfo, Publish, PublishAclResult, Subscribe, SubscribeAclResult};
use std::sync::atomic::Ordering;

/// The user name TagoIO's own broker asks for.
const USERNAME: &str = "Token";

/// What rmqtt's codec lets pass and the specification does not (MQTT-3.3.2-2, 3.3.2-9, 3.3.2-14, 3.3.4-6, 4.7.3-2): the
/// reason code of MQTT 5, and words.
fn malformed(publish: &Publish) -> Option<(u8, &'static str)> {
    const WRONG: [char; 3] = ['+', '#', '\0'];
    if publish.topic.contains(WRONG) {
        return Some((0x90, "a topic has no wildcards and no null character"));
    }
    let properties = publish.properties.as_ref()?;
    if properties.response_topic.as_ref().is_some_and(|topic| topic.contains(WRONG)) {
        Some((0x90, "a response topic has no wildcards and no null character"))
    } else if !properties.subscription_ids.is_empty() {
        Some((0x82, "a client sends no subscription identifiers"))
    } else if properties.topic_alias.is_some_and(|alias| alias.get() > TOPIC_ALIASES) {
        Some((0x94, "the topic alias is above the maximum"))
    } else {
        None
    }
}

impl Desk {
    /// By what right a CONNECT may pass, or why not.
    pub(super) fn right(&self, info: &ConnectInfo) -> Result<Right, String> {
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
        if account.is_expired() {
            return Err(format!("the token “{}” …{} has expired", account.name, account.last5));
        }
        if account.permission == Permission::Read && info.last_will().is_some() {
            let (name, last5) = (&account.name, &account.last5);
            return Err(format!("the token “{name}” …{last5} only allows subscribing, and a last will is a publish"));
        }
        Ok(Right::Token { fingerprint, account })
    }

    /// Notes that a client is using its token, or did until now.
    pub(super) fn uses_token(&self, client: &Client) {
        if let Right::Token { account, .. } = &client.right {
            self.accounts.mark_used(account.token_id);
        }
    }

    /// Whether a session of this owner may be kept, or go on.
    pub(super) fn accepts(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Internal => true,
            Owner::Token { token, device } => {
                self.accounts.by_id(*token).is_some_and(|account| !account.is_expired() && account.device() == *device)
            }
        }
    }

    pub(super) fn authenticate(&self, info: &ConnectInfo) -> AuthResult {
        match self.right(info) {
            Ok(right) => {
                let owner = match &right {
                    Right::Token { account, .. } => {
                        self.accounts.mark_used(account.token_id);
                        Owner::Token { token: account.token_id, device: account.device() }
                    }
                    Right::Internal | Right::Gone => Owner::Internal,
                };
                self.tell(info.id(), |connections, peer| {
                    connections.knows(peer, words::who(&right));
                    if matches!(right, Right::Internal) {
                        connections.exempts(peer);
                    }
                });
                if let Some(other) = info.username().filter(|name| name[..] != *USERNAME) {
                    let text = format!("the username “{other}” is accepted here; TagoIO asks for {USERNAME}");
                    self.record(info.id(), Kind::Note { failure: false, text });
                }
                self.owners.arrives(info.id(), owner);
                AuthResult::Allow(false, None)
            }
            Err(reason) => {
                // TagoIO answers 5 to MQTT 3 and 0x86 to MQTT 5; rmqtt makes these of these two results.
                let result = match info.proto_ver() {
                    5 => AuthResult::BadUsernameOrPassword,
                    _ => AuthResult::NotAuthorized,
                };
                self.totals.refusals.fetch_add(1, Ordering::Relaxed);
                self.tell(info.id(), |connections, peer| connections.refuses(peer, reason));
                result
            }
        }
    }

    /// What a connection may do now. The table of accounts decides, not the moment of the CONNECT.
    fn permission(&self, session: &Session) -> Option<Permission> {
        match &self.clients.get(&session.id)?.right {
            Right::Internal => Some(Permission::Full),
            Right::Gone => None,
            Right::Token { fingerprint, .. } => self
                .accounts
                .find(fingerprint)
                .filter(|account| !account.is_expired())
                .map(|account| account.permission),
        }
    }

    pub(super) fn may_publish(&self, session: &Session, publish: &Publish) -> Option<HookResult> {
        if let Some((code, wrong)) = malformed(publish) {
            self.tell(&session.id, |connections, peer| {
                connections.cut_peer(peer, Goodbye::new(code, wrong));
            });
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

    pub(super) fn may_subscribe(&self, session: &Session, subscribe: &Subscribe) -> Option<HookResult> {
        let group = subscribe.opts.shared_group();
        if group.is_some() && subscribe.opts.no_local() == Some(true) {
            // MQTT-3.8.3-4 of 5.0.
            self.tell(&session.id, |connections, peer| {
                connections.cut_peer(peer, Goodbye::new(0x82, "no local with a shared subscription"));
            });
            let failure = SubscribeAclResult::new_failure(SubscribeAckReason::UnspecifiedError);
            return Some(HookResult::SubscribeAclResult(failure));
        }
        let no_group = group.is_some_and(|group| group.is_empty() || group.contains(['+', '#']));
        if no_group || subscribe.topic_filter.contains('\0') {
            let failure = SubscribeAclResult::new_failure(SubscribeAckReason::TopicFilterInvalid);
            return Some(HookResult::SubscribeAclResult(failure));
        }
        if matches!(self.permission(session), Some(Permission::Full | Permission::Read)) {
            return None;
        }
        let (filter, reason) = (words::filter(subscribe), "the token does not allow subscribing".to_owned());
        self.tell(&session.id, |connections, peer| connections.refuses_filter(peer, filter, reason));
        Some(HookResult::SubscribeAclResult(SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)))
    }
}
