//! Whose each session is, connected or kept, and with it who sees whose topics.
//!
//! With a topic scope per device a message reaches only sessions of the publisher's device, and Relayscope's own; a
//! session is never taken over by another device. With a shared scope all belong to all.

use crate::fingerprint::Fingerprint;
use relayscope_domain::broker::TopicScope;
use relayscope_domain::id::TokenId;
use rmqtt::types::Id;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Handshakes remembered between authentication and session at once.
const ARRIVING: usize = 10_000;
/// The space of retained messages that everybody sees.
pub(super) const COMMON: &str = "all";

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Owner {
    /// Relayscope's own.
    Internal,
    /// A device's.
    Token {
        /// Its token.
        token: TokenId,
        /// Tokens of one device share its topics.
        device: String,
    },
}

struct Owned {
    owner: Owner,
    /// Whether it is kept when its client goes.
    kept: bool,
}

type Handshake = (Option<SocketAddr>, i64);

/// The owners of all sessions.
pub(super) struct Owners {
    scope: TopicScope,
    sessions: RwLock<HashMap<Box<str>, Owned>>,
    /// Let in, and not a session yet.
    arriving: Mutex<HashMap<Handshake, Owner>>,
}

impl Owners {
    pub(super) fn new(scope: TopicScope) -> Self {
        Self { scope, sessions: RwLock::default(), arriving: Mutex::default() }
    }

    /// Whether all belong to all.
    pub(super) fn is_shared(&self) -> bool {
        self.scope == TopicScope::Shared
    }

    /// Notes who is behind a CONNECT that was let in.
    pub(super) fn arrives(&self, id: &Id, owner: Owner) {
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        if arriving.len() >= ARRIVING {
            // Of handshakes that came to nothing.
            arriving.clear();
        }
        arriving.insert((id.remote_addr, id.create_time), owner);
    }

    /// Makes the session of a connection its owner's.
    pub(super) fn settle(&self, id: &Id, kept: bool) -> Option<Owner> {
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = arriving.remove(&(id.remote_addr, id.create_time))?;
        self.restore(&id.client_id, owner.clone(), kept);
        Some(owner)
    }

    /// Notes the owner of a session that is there already.
    pub(super) fn restore(&self, client_id: &str, owner: Owner, kept: bool) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(client_id.into(), Owned { owner, kept });
    }

    pub(super) fn forget(&self, client_id: &str) {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).remove(client_id);
    }

    pub(super) fn of(&self, client_id: &str) -> Option<Owner> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.get(client_id).map(|owned| owned.owner.clone())
    }

    /// Whether the session is kept when its client goes.
    pub(super) fn is_kept(&self, client_id: &str) -> bool {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.get(client_id).is_some_and(|owned| owned.kept)
    }

    /// Whether a connection may go on with the session kept under its client id.
    pub(super) fn may_resume(&self, id: &Id) -> bool {
        if self.scope == TopicScope::Shared {
            return true;
        }
        let arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        match (arriving.get(&(id.remote_addr, id.create_time)), self.of(&id.client_id)) {
            (Some(Owner::Token { device, .. }), Some(Owner::Token { device: other, .. })) => *device == other,
            (Some(Owner::Internal), Some(Owner::Internal)) | (_, None) => true,
            _ => false,
        }
    }

    /// Whether what one session publishes is for the other to see.
    pub(super) fn sees(&self, publisher: &str, receiver: &str) -> bool {
        if self.scope == TopicScope::Shared {
            return true;
        }
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        match (sessions.get(publisher).map(|it| &it.owner), sessions.get(receiver).map(|it| &it.owner)) {
            (Some(Owner::Internal), _) | (_, Some(Owner::Internal)) => true,
            (Some(Owner::Token { device, .. }), Some(Owner::Token { device: other, .. })) => device == other,
            (None, _) | (_, None) => false,
        }
    }

    /// Where the retained messages of a session lie: one level of a topic.
    pub(super) fn space(&self, client_id: &str) -> Arc<str> {
        match (self.scope, self.of(client_id)) {
            (TopicScope::PerDevice, Some(Owner::Token { device, .. })) => space_of(&device),
            (TopicScope::Shared, _) | (_, Some(Owner::Internal) | None) => COMMON.into(),
        }
    }

    /// Whether retained messages of a space are for a session to see.
    pub(super) fn sees_space(&self, space: &str, receiver: &str) -> bool {
        self.scope == TopicScope::Shared
            || space == COMMON
            || matches!(self.of(receiver), Some(Owner::Internal))
            || *self.space(receiver) == *space
    }
}

fn space_of(device: &str) -> Arc<str> {
    Fingerprint::of(device.as_bytes()).short().into()
}
