//! Topics that are published on and delivered to nobody.

use super::MINUTE;
use std::collections::{HashMap, VecDeque};

/// Topics that are remembered; past it the one that was met first goes.
const TOPICS: usize = 4_096;
/// Messages on a topic before it is judged.
const MESSAGES: u64 = 10;

#[derive(Debug)]
struct Topic {
    since: i64,
    count: u64,
    heard: bool,
}

/// Topics and whether anybody got their messages.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    topics: HashMap<String, Topic>,
    order: VecDeque<String>,
}

impl Unheard {
    /// A message came. How many there were, when there were enough within a minute or more and nobody got one.
    pub(super) fn published(&mut self, name: &str, at: i64) -> Option<u64> {
        if let Some(topic) = self.topics.get_mut(name) {
            topic.count += 1;
            let enough = topic.count >= MESSAGES && at - topic.since >= MINUTE;
            return (enough && !topic.heard).then_some(topic.count);
        }
        if self.order.len() >= TOPICS
            && let Some(oldest) = self.order.pop_front()
        {
            self.topics.remove(&oldest);
        }
        self.order.push_back(name.to_owned());
        self.topics.insert(name.to_owned(), Topic { since: at, count: 1, heard: false });
        None
    }

    /// A message went to somebody.
    pub(super) fn delivered(&mut self, name: &str) {
        if let Some(topic) = self.topics.get_mut(name) {
            topic.heard = true;
        }
    }
}
