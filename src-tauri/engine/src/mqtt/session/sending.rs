//! What the session sends: acknowledgements in their order, subscriptions, the status, messages of ours.

use super::super::link::Unsent;
use super::task::Task;
use super::{AckToken, Publication, Unpublished};
use crate::feed::event::{Direction, Event, Kind};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;

impl Task {
    /// Gives the link whatever waits. Ends at the first thing it has no room for, so that order is kept.
    pub(super) fn hand_over(&mut self) {
        if !self.connected {
            return;
        }
        while let Some(token) = self.owed.front() {
            if self.link.acknowledge(token.packet_id, token.qos).is_err() {
                return;
            }
            if token.qos == Qos::ExactlyOnce {
                self.stored.insert(token.packet_id, token.digest);
            }
            self.owed.pop_front();
        }
        if let (Some(words), Some(topic)) = (self.to_say, self.config.status_topic.clone()) {
            match self.link.publish(&topic, words.as_bytes(), Qos::AtLeastOnce, true, &[]) {
                Ok(id) => drop(self.published.insert(id, None)),
                Err(Unsent::Full) => return,
                Err(Unsent::Refused(why)) => {
                    self.note(true, format!("“{words}” can't be published on the status topic “{topic}”: {why}"));
                }
            }
            self.to_say = None;
        }
        while let Some(next) = self.to_subscribe.front() {
            match self.link.subscribe(&next.filters, self.resumed, next.identifier) {
                Ok(id) => {
                    if let Some(sent) = self.to_subscribe.pop_front() {
                        self.subscribed.insert(id, sent.filters);
                    }
                }
                Err(Unsent::Full) => return,
                Err(Unsent::Refused(why)) => {
                    let refused = self.to_subscribe.pop_front().map(|one| one.filters).unwrap_or_default();
                    let answers = vec![Err(why); refused.len()];
                    self.granted(refused, answers);
                }
            }
        }
        self.publish();
    }

    fn publish(&mut self) {
        while let Some(next) = self.to_publish.front() {
            // Whoever asked has given up waiting and was told so: it must not be sent behind their back.
            let sent = if next.done.is_closed() {
                None
            } else {
                match self.link.publish(&next.topic, &next.payload, next.qos, next.retain, &next.properties) {
                    Err(Unsent::Full) => return,
                    sent => Some(sent),
                }
            };
            let (Some(next), Some(sent)) = (self.to_publish.pop_front(), sent) else { continue };
            match sent {
                Ok(id) => {
                    self.downlink_event(&next);
                    match next.qos {
                        Qos::AtMostOnce => self.writing.push_back(next.done),
                        Qos::AtLeastOnce | Qos::ExactlyOnce => drop(self.published.insert(id, Some(next.done))),
                    }
                }
                Err(Unsent::Refused(why)) => drop(next.done.send(Err(Unpublished::Refused { code: None, why }))),
                Err(Unsent::Full) => {}
            }
        }
    }

    pub(super) fn take_acks(&mut self, group: Vec<AckToken>) {
        for token in group {
            self.back = self.back.max(token.number);
            // Of an older epoch: it is in `stored` since that ended.
            if token.epoch == self.epoch && self.connected {
                self.owed.push_back(token);
            }
            self.take_turns();
        }
        while self.away.pop_front_if(|token| token.number <= self.back).is_some() {}
    }

    /// Lets those acknowledgements go whose turn has come.
    pub(super) fn take_turns(&mut self) {
        while let Some(token) = self.in_turn.pop_front_if(|token| token.number <= self.back) {
            self.owed.push_back(token);
        }
    }

    pub(super) fn take_publication(&mut self, publication: Publication) {
        if self.connected {
            self.to_publish.push_back(publication);
        } else {
            let _ = publication.done.send(Err(Unpublished::Away("The broker is away.".into())));
        }
    }

    fn downlink_event(&self, sent: &Publication) {
        let kind = Kind::Publish {
            direction: Direction::Out,
            topic: sent.topic.as_str().into(),
            payload: sent.payload.clone(),
            qos: sent.qos,
            retain: sent.retain,
            dup: false,
            packet_id: None,
            properties: vec![],
            will: false,
            cut_from: None,
        };
        let id = MessageId(uuid::Uuid::now_v7());
        self.config.feed.record(Event::now(&self.config.broker, &self.config.name, Some(id), kind));
    }
}
