//! What every kept session still has to get, beside rmqtt's own copies: its QoS 1 and 2 messages until they are
//! acknowledged, and its subscriptions while it moves from one connection to the next.
//!
//! rmqtt loses messages of a session that moves: the one in hand when a write fails, and those that reach the session
//! behind the order to give way. Here they are found missing and put back. A message has a number, its ticket, which
//! rmqtt carries through its queues in a field that has no meaning after routing. The module knows nothing of the disk.

use rmqtt::inflight::{MomentStatus, OutInflightMessage};
use rmqtt::session::OfflineInfo;
use rmqtt::types::{From, Publish, Subscriptions};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far a sent message is, with its packet id.
pub(super) type Sent = (NonZeroU16, MomentStatus);

/// A message a session was promised.
#[derive(Clone)]
pub(super) struct Promise {
    pub(super) from: From,
    pub(super) publish: Publish,
    /// Set when it was sent before the session last moved.
    pub(super) sent: Option<Sent>,
    /// Whether rmqtt has it.
    handed: bool,
}

#[derive(Default)]
struct Promised {
    messages: BTreeMap<i64, Promise>,
    /// Subscriptions with which the session last moved, but for those ended since.
    subscriptions: Subscriptions,
    /// Taken from one connection, and not yet with the next: what comes meanwhile waits here.
    moving: bool,
}

/// The promises by client id. An entry lives as long as the client's session.
pub(super) struct Promises {
    next: AtomicI64,
    sessions: Mutex<HashMap<Box<str>, Promised>>,
}

/// The number a message carries, once it has one.
pub(super) fn ticket(publish: &Publish) -> Option<i64> {
    publish.target_clientid.as_ref()?.parse().ok()
}

impl Promises {
    /// Numbers begin after the highest one in use.
    pub(super) fn after(ticket: i64) -> Self {
        Self { next: AtomicI64::new(ticket + 1), sessions: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Promised>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a message the next number.
    pub(super) fn number(&self, publish: &mut Publish) -> i64 {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        publish.target_clientid = Some(ticket.to_string().into());
        ticket
    }

    /// Promises a message and hands it over with `send`, which says whether that worked. What can't be handed over just
    /// now is when the session has moved.
    pub(super) fn promise(
        &self,
        client_id: &str,
        from: From,
        publish: Publish,
        send: impl FnOnce(From, Publish) -> bool,
    ) {
        let Some(ticket) = ticket(&publish) else { return };
        let mut sessions = self.lock();
        let promised = sessions.entry(client_id.into()).or_default();
        let handed = !promised.moving && send(from.clone(), publish.clone());
        promised.messages.insert(ticket, Promise { from, publish, sent: None, handed });
    }

    /// Notes a message of the last run that rmqtt has already.
    pub(super) fn restore(&self, client_id: &str, from: From, publish: Publish, sent: Option<Sent>) {
        let Some(ticket) = ticket(&publish) else { return };
        let mut sessions = self.lock();
        let promised = sessions.entry(client_id.into()).or_default();
        promised.messages.insert(ticket, Promise { from, publish, sent, handed: true });
    }

    /// A message was acknowledged, or given up.
    pub(super) fn done(&self, client_id: &str, ticket: i64) {
        if let Some(promised) = self.lock().get_mut(client_id) {
            promised.messages.remove(&ticket);
        }
    }

    /// A message, while it is owed.
    pub(super) fn get(&self, client_id: &str, ticket: i64) -> Option<Promise> {
        self.lock().get(client_id)?.messages.get(&ticket).cloned()
    }

    /// All that is owed to a session, in order.
    pub(super) fn owed(&self, client_id: &str) -> Vec<(i64, Promise)> {
        let sessions = self.lock();
        let messages = sessions.get(client_id).map(|promised| &promised.messages);
        messages.into_iter().flatten().map(|(ticket, promise)| (*ticket, promise.clone())).collect()
    }

    /// The session ended.
    pub(super) fn end(&self, client_id: &str) {
        self.lock().remove(client_id);
    }

    /// The session ended a subscription.
    pub(super) fn unsubscribed(&self, client_id: &str, filter: &str) {
        if let Some(promised) = self.lock().get_mut(client_id) {
            promised.subscriptions.retain(|(own, _)| own != filter);
        }
    }

    /// The subscriptions of a session that has just moved; `own` are those it has on its new connection.
    pub(super) fn subscriptions(&self, client_id: &str, mut own: Subscriptions) -> Subscriptions {
        if let Some(promised) = self.lock().get(client_id) {
            add_missing(&mut own, &promised.subscriptions);
        }
        own
    }

    /// Puts back what a session should have left and did not. From here to [`Promises::arrived`] messages for it wait.
    pub(super) fn complete(&self, client_id: &str, left: &mut OfflineInfo) {
        let mut sessions = self.lock();
        let promised = sessions.entry(client_id.into()).or_default();
        promised.moving = true;
        add_missing(&mut left.subscriptions, &promised.subscriptions);
        promised.subscriptions.clone_from(&left.subscriptions);
        let mut there = HashSet::new();
        for message in &left.inflight_messages {
            let Some(ticket) = ticket(&message.publish) else { continue };
            there.insert(ticket);
            if let (Some(promise), Some(packet_id)) = (promised.messages.get_mut(&ticket), message.publish.packet_id) {
                promise.sent = Some((packet_id, message.status));
            }
        }
        there.extend(left.offline_messages.iter().filter_map(|(_, publish)| ticket(publish)));
        let mut found = false;
        for (ticket, promise) in &mut promised.messages {
            promise.handed = true;
            if there.contains(ticket) {
                continue;
            }
            found = true;
            let Promise { from, publish, .. } = promise.clone();
            match promise.sent {
                Some((packet_id, status)) => {
                    let mut publish = publish;
                    publish.packet_id = Some(packet_id);
                    left.inflight_messages.push(OutInflightMessage::new(status, from, publish));
                }
                None => left.offline_messages.push_back((from, publish)),
            }
        }
        if found {
            in_order(left);
        }
    }

    /// The session is with its new connection: hands over what came while it moved.
    pub(super) fn arrived(&self, client_id: &str, send: impl Fn(From, Publish) -> bool) {
        let mut sessions = self.lock();
        let Some(promised) = sessions.get_mut(client_id) else { return };
        promised.moving = false;
        for promise in promised.messages.values_mut().filter(|promise| !promise.handed) {
            promise.handed = send(promise.from.clone(), promise.publish.clone());
        }
    }
}

fn add_missing(subscriptions: &mut Subscriptions, former: &Subscriptions) {
    for (filter, options) in former {
        if !subscriptions.iter().any(|(own, _)| own == filter) {
            subscriptions.push((filter.clone(), options.clone()));
        }
    }
}

/// Brings messages into the order of their numbers; those without one stay behind their predecessor.
fn in_order(left: &mut OfflineInfo) {
    left.inflight_messages.sort_by_key(|message| ticket(&message.publish));
    let mut last = 0;
    let mut numbered: Vec<(i64, (From, Publish))> = left
        .offline_messages
        .drain(..)
        .map(|(from, publish)| {
            let own = ticket(&publish);
            // Those put back stand at the end, all with a number.
            last = own.unwrap_or(last);
            (last, (from, publish))
        })
        .collect();
    numbered.sort_by_key(|(ticket, _)| *ticket);
    left.offline_messages.extend(numbered.into_iter().map(|(_, message)| message));
}

#[cfg(test)]
mod tests {
    use super::super::disk::MessageHead;
    use super::super::keep;
    use super::*;
    use bytes::Bytes;
    use rmqtt::types::Id;
    use std::cell::RefCell;

    const CLIENT: &str = "restless";

    fn id(client: &'static str) -> Id {
        Id::from(1, client.into())
    }

    /// While a session moves, the table still leads to its former connection. That may take a message and drop it, and one
    /// that goes to the new connection already would come before those that waited.
    #[test]
    fn what_comes_while_a_session_moves_is_handed_over_when_it_has_arrived_and_in_order() {
        let (promises, handed) = (Promises::after(0), RefCell::new(vec![]));
        let send = |_: From, publish: Publish| {
            handed.borrow_mut().extend(ticket(&publish));
            true
        };
        let promise = || {
            let head = MessageHead {
                topic: "m/n".to_owned(),
                qos: 1,
                retain: false,
                from: "publisher".to_owned(),
                created_at: None,
                properties: None,
            };
            let mut publish = keep::publish(&head, Bytes::new(), None);
            promises.number(&mut publish);
            promises.promise(CLIENT, From::from_custom(id("publisher")), publish, send);
        };
        promise();
        let (subscriptions, offline_messages, inflight_messages) = Default::default();
        let mut left =
            OfflineInfo { id: id(CLIENT), subscriptions, offline_messages, inflight_messages, created_at: 0 };
        promises.complete(CLIENT, &mut left);
        let put_back: Vec<_> = left.offline_messages.iter().map(|(_, publish)| ticket(publish)).collect();
        assert_eq!(put_back, [Some(1)], "the former connection had it, and lost it");
        promise();
        promise();
        assert_eq!(*handed.borrow(), [1], "they wait");
        promises.arrived(CLIENT, send);
        promise();
        assert_eq!(*handed.borrow(), [1, 2, 3, 4]);
        promises.arrived(CLIENT, send);
        assert_eq!(*handed.borrow(), [1, 2, 3, 4], "nothing is handed over twice");
    }
}
