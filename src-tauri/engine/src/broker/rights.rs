//! Who may connect, publish and subscribe: TagoIO's rules. The user name is any, a device token is the password, and what
//! the token allows is asked for at every publish and subscription, not remembered from the CONNECT.

use super::clients::Right;
use super::hooks::Desk;
use super::owners::Owner;
use super::words;
use crate::feed::event::Kind;
use crate::fingerprint::Fingerprint;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::Permission;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::HookResult;
use rmqtt::session::Session;
use rmqtt::types::{AuthResult, ConnectInfo, PublishAclResult, Subscribe, SubscribeAclResult};
use std::sync::atomic::Ordering;

/// The user name TagoIO's own broker asks for.
const USERNAME: &str = "Token";

impl Desk {
    /// By what right a CONNECT may pass, or why not.
    pub(super) fn right(&self, info: &ConnectInfo) -> Result<Right, String> {
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

    pub(super) fn may_publish(&self, session: &Session) -> Option<HookResult> {
        let result = match self.permission(session) {
            Some(Permission::Full | Permission::Write) => PublishAclResult::allow(),
            Some(Permission::Read) | None => {
                PublishAclResult::rejected(false, Some("The token does not allow publishing.".into()))
            }
        };
        Some(HookResult::PublishAclResult(result))
    }

    pub(super) fn may_subscribe(&self, session: &Session, subscribe: &Subscribe) -> Option<HookResult> {
        if matches!(self.permission(session), Some(Permission::Full | Permission::Read)) {
            return None;
        }
        let (filter, reason) = (words::filter(subscribe), "the token does not allow subscribing".to_owned());
        self.tell(&session.id, |connections, peer| connections.refuses_filter(peer, filter, reason));
        Some(HookResult::SubscribeAclResult(SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)))
    }
}
