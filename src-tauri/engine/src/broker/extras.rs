//! Two small parts rmqtt leaves to its host: where retained messages are kept (in memory, until the broker stops) and who
//! of a shared subscription gets the next message (in turn, those who are connected first).

use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::context::ServerContext;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::subscribe::SharedSubscription;
use rmqtt::types::{ClientId, Id, IsOnline, NodeId, Retain, SharedGroup, SubscriptionIdentifier, SubscriptionOptions};
use rmqtt::types::{TopicFilter, TopicName};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Retained messages in memory.
pub(super) struct Retained(DefaultRetainStorage);

impl Retained {
    pub(super) fn new() -> Self {
        Self(DefaultRetainStorage::new())
    }
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    async fn set(&self, topic: &TopicName, retain: Retain, expiry: Option<Duration>) -> Result<()> {
        // Zero is our setting for "never"; the storage would take it for "at once".
        self.0.set_with_timeout(topic, retain, expiry.filter(|expiry| !expiry.is_zero())).await
    }

    async fn get(&self, filter: &TopicFilter) -> Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.0.count().await
    }

    async fn max(&self) -> isize {
        self.0.max().await
    }
}

type Member = (NodeId, ClientId, SubscriptionOptions, Option<Vec<SubscriptionIdentifier>>, Option<IsOnline>);

/// Deals messages of shared subscriptions out in turn.
#[derive(Default)]
pub(super) struct Turns(AtomicUsize);

#[async_trait]
impl SharedSubscription for Turns {
    fn is_supported(&self) -> bool {
        true
    }

    async fn choice(
        &self,
        _scx: &ServerContext,
        _group: &SharedGroup,
        _publisher: &Id,
        _topic: &TopicName,
        members: &[Member],
    ) -> Option<(usize, IsOnline)> {
        if members.is_empty() {
            return None;
        }
        let first = self.0.fetch_add(1, Ordering::Relaxed) % members.len();
        let in_turn = || (first..members.len()).chain(0..first);
        match in_turn().find(|at| members[*at].4 == Some(true)) {
            Some(online) => Some((online, true)),
            None => Some((first, false)),
        }
    }
}
