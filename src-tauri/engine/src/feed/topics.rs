//! The rows of a view as a tree of topics: how many, how often, the last of each branch.
//!
//! A node is a level; a topic with nothing kept any more is taken out. Knows events and numbers, no pages.

use super::event::{Event, Kind};
use super::filter::payload_of;
use super::row;
use crate::api::wire::TopicOrder;
use relayscope_domain::filter::Subject;
use std::collections::{BTreeMap, HashMap};

/// Over how many seconds a rate is taken: an event counts e times less after each.
const SPAN: f64 = 10.0;

const ROOT: u32 = 0;

/// One level of the tree.
#[derive(Default)]
pub(super) struct Node {
    pub(super) name: Box<str>,
    parent: u32,
    children: BTreeMap<Box<str>, u32>,
    // Rows of this very topic, and of it and everything below.
    own: u32,
    below: u32,
    // Events a second as of `last_at`, and the newest row: of this node and everything below.
    rate: f64,
    last_at: i64,
    // The newest row of this very topic, and whether it was retained.
    pub(super) last: Option<u64>,
    last_is_message: bool,
    pub(super) retained: bool,
}

/// The tree.
pub(super) struct Topics {
    nodes: Vec<Node>,
    free: Vec<u32>,
    // Characters of names, for the count of bytes.
    names: usize,
}

impl Default for Topics {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: vec![], names: 0 }
    }
}

/// What is shown of a branch.
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) own: u32,
    pub(super) below: u32,
    pub(super) children: u32,
    pub(super) rate: f64,
    pub(super) last_at: i64,
    pub(super) last: Option<u64>,
    pub(super) retained: bool,
}

impl Topics {
    /// Takes rows in; gives back how many came to which node, for [`Topics::remove`].
    pub(super) fn add<'a>(&mut self, events: impl Iterator<Item = &'a Event>) -> Vec<(u32, u32)> {
        let mut counts: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
        for event in events {
            // A subscription names a filter, not a topic; an acknowledgement is no message.
            let topic = match &event.kind {
                Kind::Subscribed { .. } | Kind::Unsubscribed { .. } | Kind::Acknowledged { .. } => "",
                kind => row::topic(kind),
            };
            if !topic.is_empty() {
                let node = self.place(topic);
                self.note(node, event);
                *counts.entry(node).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }

    fn place(&mut self, topic: &str) -> u32 {
        let mut at = ROOT;
        for level in topic.split('/') {
            at = match self.nodes[at as usize].children.get(level) {
                Some(child) => *child,
                None => self.begin(at, level),
            };
        }
        at
    }

    fn begin(&mut self, parent: u32, level: &str) -> u32 {
        let node = Node { name: level.into(), parent, ..Node::default() };
        let id = match self.free.pop() {
            Some(id) => {
                self.nodes[id as usize] = node;
                id
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        self.names += level.len();
        self.nodes[parent as usize].children.insert(level.into(), id);
        id
    }

    fn note(&mut self, leaf: u32, event: &Event) {
        let at = Subject::at(event);
        let node = &mut self.nodes[leaf as usize];
        node.own += 1;
        // The last message says more than what became of it.
        let is_message = payload_of(event).is_some();
        let newer = node.last.is_none_or(|last| last < event.seq);
        if (is_message && !node.last_is_message) || (is_message == node.last_is_message && newer) {
            node.last = Some(event.seq);
            node.last_is_message = is_message;
            node.retained = Subject::retained(event) == Some(true);
        }
        let mut id = leaf;
        loop {
            let node = &mut self.nodes[id as usize];
            node.below += 1;
            let after = (at - node.last_at) as f64 / 1_000.0;
            if node.below == 1 {
                (node.rate, node.last_at) = (1.0 / SPAN, at);
            } else if after >= 0.0 {
                node.rate = node.rate * (-after / SPAN).exp() + 1.0 / SPAN;
                node.last_at = at;
            } else {
                node.rate += (after / SPAN).exp() / SPAN;
            }
            if id == ROOT {
                return;
            }
            id = node.parent;
        }
    }

    /// Takes rows out again: the oldest ones.
    pub(super) fn remove(&mut self, counts: &[(u32, u32)]) {
        for (leaf, count) in counts {
            self.nodes[*leaf as usize].own -= count;
            let mut id = *leaf;
            loop {
                let node = &mut self.nodes[id as usize];
                node.below -= count;
                let parent = node.parent;
                if id == ROOT {
                    break;
                }
                if node.below == 0 {
                    let gone = std::mem::take(node);
                    self.names -= gone.name.len();
                    self.nodes[parent as usize].children.remove(&gone.name);
                    self.free.push(id);
                } else if node.own == 0 {
                    node.last = None;
                }
                id = parent;
            }
        }
    }

    fn find(&self, branch: &str) -> Option<&Node> {
        let mut at = &self.nodes[ROOT as usize];
        for level in branch.split('/') {
            at = &self.nodes[*at.children.get(level)? as usize];
        }
        Some(at)
    }

    /// Children of a branch (`None`: the top), and how many there are. Rates are as of `now`, Unix milliseconds.
    pub(super) fn children(
        &self,
        branch: Option<&str>,
        order: TopicOrder,
        from: usize,
        count: usize,
        now: i64,
    ) -> (usize, Vec<Branch>) {
        let node = match branch {
            None => Some(&self.nodes[ROOT as usize]),
            Some(branch) => self.find(branch),
        };
        let Some(node) = node else { return (0, vec![]) };
        let total = node.children.len();
        let of = |id: u32| &self.nodes[id as usize];
        let end = from.saturating_add(count).min(total);
        if from >= end {
            return (total, vec![]);
        }
        let ids: Vec<u32> = match order {
            TopicOrder::Name => node.children.values().copied().skip(from).take(end - from).collect(),
            TopicOrder::Rate => {
                window(node, from..end, |one, other| of(other).rate_at(now).total_cmp(&of(one).rate_at(now)))
            }
            TopicOrder::Time => window(node, from..end, |one, other| of(other).last_at.cmp(&of(one).last_at)),
        };
        (total, ids.into_iter().map(|id| of(id).shown(now)).collect())
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        // 56: the name twice, as an allocator gives it out, and its place among its parent's children.
        self.nodes.capacity() * size_of::<Node>() + (self.nodes.len() - self.free.len()) * 56 + self.names * 2
    }
}

/// The ids in a window of the ordered children. Only what stands before and in the window is put in order.
fn window(node: &Node, range: std::ops::Range<usize>, order: impl Fn(u32, u32) -> std::cmp::Ordering) -> Vec<u32> {
    let mut ids: Vec<u32> = node.children.values().copied().collect();
    let order = |one: &u32, other: &u32| order(*one, *other);
    if range.end < ids.len() {
        ids.select_nth_unstable_by(range.end, order);
        ids.truncate(range.end);
    }
    if range.start > 0 {
        ids.select_nth_unstable_by(range.start, order);
        ids.drain(..range.start);
    }
    ids.sort_by(order);
    ids
}

impl Node {
    fn rate_at(&self, now: i64) -> f64 {
        self.rate * (-((now - self.last_at).max(0) as f64) / 1_000.0 / SPAN).exp()
    }

    fn shown(&self, now: i64) -> Branch {
        Branch {
            name: self.name.to_string(),
            own: self.own,
            below: self.below,
            children: self.children.len() as u32,
            rate: self.rate_at(now),
            last_at: self.last_at,
            last: self.last,
            retained: self.retained,
        }
    }
}
