//! What a broker says to a session: which filters it granted, and what it tells of itself.

use super::super::link::{Limits, MAX_PACKET};
use super::subscriptions::{Filter, divide};
use super::task::Task;
use crate::feed::event::Kind;
use relayscope_domain::message::Qos;

impl Task {
    pub(super) fn granted(&mut self, filters: Vec<Filter>, answers: Vec<Result<Qos, String>>) {
        for ((filter, requested), granted) in filters.into_iter().zip(answers) {
            self.record(Kind::Subscribed { filter: filter.clone(), requested, granted: granted.clone() });
            self.state.send_modify(|state| state.grants.push((filter, granted)));
        }
        if self.to_subscribe.is_empty() && self.subscribed.is_empty() {
            self.granted_once = true;
            self.grant_covered();
        }
    }

    /// A filter that another covers has what that one was granted.
    fn grant_covered(&self) {
        let (_, covered) = divide(&self.config.filters);
        self.state.send_modify(|state| {
            for one in covered {
                if state.grants.iter().any(|(filter, _)| *filter == one.filter.0) {
                    continue;
                }
                let granted =
                    state.grants.iter().find(|(filter, _)| *filter == one.by).map(|(_, granted)| match granted {
                        Ok(qos) => Ok((*qos).min(one.filter.1)),
                        Err(why) => Err(format!("covered by “{}”, which was refused: {why}", one.by)),
                    });
                state.grants.extend(granted.map(|granted| (one.filter.0, granted)));
            }
        });
    }
}

/// What of a broker's limits is worth a word in the feed: what differs from what was asked for.
pub(super) fn noteworthy(limits: &Limits, keep_alive: u16) -> Vec<String> {
    let mut words = vec![];
    words.extend(limits.client_id.as_ref().map(|id| format!("assigned client id {id}")));
    let other = limits.keep_alive.filter(|seconds| *seconds != keep_alive);
    words.extend(other.map(|seconds| format!("the broker sets keep-alive {seconds} s")));
    words.extend(limits.qos.map(|qos| format!("at most QoS {qos}")));
    let smaller = limits.packet_bytes.filter(|bytes| *bytes < MAX_PACKET);
    words.extend(smaller.map(|bytes| format!("packets up to {bytes} B")));
    words.extend(limits.reason.clone());
    words
}
