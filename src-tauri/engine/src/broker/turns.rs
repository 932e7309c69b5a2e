//! Who of a shared subscription gets the next message: in turn, those who are connected first.

use super::hooks::Desk;
use async_trait::async_trait;
use rmqtt::context::ServerContext;
use rmqtt::subscribe::SharedSubscription;
use rmqtt::types::{
    ClientId, Id, IsOnline, NodeId, SharedGroup, SubscriptionIdentifier, SubscriptionOptions, TopicName,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Member = (NodeId, ClientId, SubscriptionOptions, Option<Vec<SubscriptionIdentifier>>, Option<IsOnline>);

/// Deals messages of shared subscriptions out in turn.
pub(super) struct Turns {
    desk: Arc<Desk>,
    next: AtomicUsize,
}

impl Turns {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, next: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl SharedSubscription for Turns {
    fn is_supported(&self) -> bool {
        true
    }

    async fn choice(
        &self,
        _scx: &ServerContext,
        _group: &SharedGroup,
        publisher: &Id,
        _topic: &TopicName,
        members: &[Member],
    ) -> Option<(usize, IsOnline)> {
        let sees = |at: &usize| self.desk.owners.sees(&publisher.client_id, &members[*at].1);
        let those: Vec<usize> = (0..members.len()).filter(sees).collect();
        if those.is_empty() {
            return None;
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed) % those.len();
        let mut in_turn = those[first..].iter().chain(&those[..first]).copied();
        match in_turn.find(|at| members[*at].4 == Some(true)) {
            Some(online) => Some((online, true)),
            None => Some((those[first], false)),
        }
    }
}
