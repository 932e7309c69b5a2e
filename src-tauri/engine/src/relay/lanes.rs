//! Who may be sent next: one lane per ordering key, at most one request of a lane under way, lanes in turn. A lane that
//! waits for another try holds no slot and little memory: what follows in it is left on disk and read again later. Pure:
//! time comes in as an argument, reading is the caller's.

#[cfg(test)]
mod tests;

use crate::queue::Entry;
use relayscope_domain::delivery::Order;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

// Entries of a waiting lane that stay in memory.
const KEPT: usize = 16;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What keeps its order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Messages of a topic.
    Topic(Arc<str>),
    /// One message alone.
    Alone(i64),
}

/// An entry in memory, and the place of its arrival while it has one there.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) entry: Entry,
    pub(super) slot: Option<u64>,
}

/// What goes out in one request.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) key: Key,
    /// One or more, of one topic, in order.
    pub(super) held: Vec<Held>,
}

pub(super) struct Lanes {
    order: Order,
    // Entries in one request, at most.
    batch: usize,
    lanes: HashMap<Key, Lane>,
    ready: VecDeque<Key>,
    // Waiting lanes by the time of their next try; the number tells equal times apart.
    waiting: BTreeMap<(Instant, u64), Key>,
    next_number: u64,
    held: usize,
    bytes: u64,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Held>,
    busy: bool,
    waits: Option<(Instant, u64)>,
    // First and last entry that were left on disk. While there are any, new ones are left there too, to keep the order.
    on_disk: Option<(i64, i64)>,
    // Entries that go one by one, because a request with several of them was refused.
    singly: usize,
}

/// Entries of a topic that were left on disk and are wanted now: after the first number, up to and including the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) topic: Arc<str>,
    pub(super) after: i64,
    pub(super) upto: i64,
}

impl Lanes {
    pub(super) fn new(order: Order, batch: u16) -> Self {
        Self {
            order,
            batch: batch.max(1).into(),
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            next_number: 0,
            held: 0,
            bytes: 0,
        }
    }

    /// Entries in memory, those under way not counted, and their bytes.
    pub(super) fn held(&self) -> (usize, u64) {
        (self.held, self.bytes)
    }

    fn key(&self, entry: &Entry) -> Key {
        match self.order {
            Order::Topic => Key::Topic(entry.message.topic.clone()),
            Order::None => Key::Alone(entry.id),
        }
    }

    fn took(&mut self, held: &Held) {
        self.held += 1;
        self.bytes += held.entry.message.cost();
    }

    fn gave(&mut self, held: &Held) {
        self.held -= 1;
        self.bytes -= held.entry.message.cost();
    }

    /// Takes an entry in the order of its number; `false` when it was left to be read from disk later.
    pub(super) fn add(&mut self, held: Held) -> bool {
        let key = self.key(&held.entry);
        let lane = self.lanes.entry(key.clone()).or_default();
        if lane.on_disk.is_some() || (lane.waits.is_some() && lane.queue.len() >= KEPT) {
            let first = lane.on_disk.map_or(held.entry.id, |(first, _)| first);
            lane.on_disk = Some((first, held.entry.id));
            return false;
        }
        let first = lane.queue.is_empty() && !lane.busy && lane.waits.is_none();
        self.took(&held);
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.queue.push_back(held);
        }
        if first {
            self.ready.push_back(key);
        }
        true
    }

    /// Takes an entry that was put into the queue again: before all that waits, behind others of its kind (their numbers
    /// are below zero).
    pub(super) fn add_first(&mut self, held: Held) {
        let key = self.key(&held.entry);
        self.took(&held);
        let lane = self.lanes.entry(key.clone()).or_default();
        let at = lane.queue.iter().position(|other| other.entry.id > held.entry.id).unwrap_or(lane.queue.len());
        lane.queue.insert(at, held);
        if lane.queue.len() == 1 && !lane.busy && lane.waits.is_none() {
            self.ready.push_back(key);
        }
    }

    /// The next request; its lane is busy until [`Lanes::done`], [`Lanes::again`] or [`Lanes::wait`].
    pub(super) fn next(&mut self) -> Option<Parcel> {
        while let Some(key) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            if lane.busy || lane.waits.is_some() || lane.queue.is_empty() {
                continue;
            }
            let count = if lane.singly > 0 { 1 } else { self.batch.min(lane.queue.len()) };
            lane.singly = lane.singly.saturating_sub(1);
            lane.busy = true;
            let held: Vec<Held> = lane.queue.drain(..count).collect();
            held.iter().for_each(|held| self.gave(held));
            return Some(Parcel { key, held });
        }
        None
    }

    /// Whether [`Lanes::next`] would give one.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// What was under way in the lane is settled for good.
    pub(super) fn done(&mut self, key: Key) -> Option<Wanted> {
        let lane = self.lanes.get_mut(&key)?;
        lane.busy = false;
        if !lane.queue.is_empty() {
            self.ready.push_back(key);
            return None;
        }
        match (lane.on_disk, &key) {
            (Some((first, last)), Key::Topic(topic)) => {
                Some(Wanted { topic: topic.clone(), after: first - 1, upto: last })
            }
            _ => {
                self.lanes.remove(&key);
                None
            }
        }
    }

    /// Entries that were wanted arrived; `whole` when nothing of the range is left on disk.
    pub(super) fn arrived(&mut self, wanted: &Wanted, entries: Vec<Entry>, whole: bool) {
        let key = Key::Topic(wanted.topic.clone());
        let lane = self.lanes.entry(key.clone()).or_default();
        let last = entries.last().map(|entry| entry.id);
        let end = lane.on_disk.map_or(wanted.upto, |(_, end)| end);
        let read = if whole { wanted.upto } else { last.unwrap_or(wanted.upto) };
        lane.on_disk = (read < end).then_some((read + 1, end));
        let entries: Vec<Held> = entries.into_iter().map(|entry| Held { entry, slot: None }).collect();
        lane.queue.extend(entries.iter().cloned());
        let (empty, free) = (lane.queue.is_empty(), !lane.busy && lane.waits.is_none());
        entries.iter().for_each(|held| self.took(held));
        if empty {
            self.lanes.remove(&key);
        } else if free {
            self.ready.push_back(key);
        }
    }

    /// Puts messages back to the front of their lane; `attempts` is how many were made meanwhile.
    fn put_back(&mut self, parcel: Parcel, attempts: u32) -> Key {
        let Parcel { key, held } = parcel;
        held.iter().for_each(|held| self.took(held));
        let lane = self.lanes.entry(key.clone()).or_default();
        lane.busy = false;
        for mut held in held.into_iter().rev() {
            held.entry.attempts += attempts;
            lane.queue.push_front(held);
        }
        key
    }

    /// It was not sent after all: it is next again.
    pub(super) fn unsent(&mut self, parcel: Parcel) {
        let key = self.put_back(parcel, 0);
        self.ready.push_front(key);
    }

    /// It is to be sent again as soon as anything may be sent.
    pub(super) fn again(&mut self, parcel: Parcel) {
        let key = self.put_back(parcel, 1);
        self.ready.push_front(key);
    }

    /// A request with several was refused: they are sent one by one, so that only the bad one is given up.
    pub(super) fn singly(&mut self, parcel: Parcel) {
        let count = parcel.held.len();
        let key = self.put_back(parcel, 1);
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.singly = count;
        }
        self.ready.push_front(key);
    }

    /// It is to be sent again after a wait of its own; returns until when.
    pub(super) fn wait(&mut self, parcel: Parcel, after: Option<Duration>, now: Instant) -> Instant {
        let key = self.put_back(parcel, 1);
        let Some(lane) = self.lanes.get_mut(&key) else { return now };
        let attempts = lane.queue.front().map_or(1, |head| head.entry.attempts);
        let wait = after.unwrap_or_else(|| {
            (FIRST_WAIT * 2u32.saturating_pow(attempts.saturating_sub(1).min(12))).min(LONGEST_WAIT)
        });
        let at = (now + wait, self.next_number);
        self.next_number += 1;
        lane.waits = Some(at);
        // What is behind the head goes back to disk, so that many waiting lanes hold little.
        if lane.queue.len() > KEPT {
            let left = lane.queue.split_off(KEPT);
            let first = left.front().map_or(0, |held| held.entry.id);
            let last = lane.on_disk.map_or_else(|| left.back().map_or(0, |held| held.entry.id), |(_, last)| last);
            lane.on_disk = Some((first, last));
            left.iter().for_each(|held| self.gave(held));
        }
        self.waiting.insert(at, key);
        at.0
    }

    /// Forgets all that is not under way: it is read from disk again from its beginning.
    pub(super) fn forget(&mut self) {
        self.lanes.retain(|_, lane| {
            *lane = Lane { busy: lane.busy, ..Lane::default() };
            lane.busy
        });
        self.ready.clear();
        self.waiting.clear();
        (self.held, self.bytes) = (0, 0);
    }

    /// Lanes whose wait is over become ready.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((at, key)) = self.waiting.first_key_value().map(|(at, key)| (*at, key.clone())) {
            if at.0 > now {
                return;
            }
            self.waiting.remove(&at);
            self.wake_one(key);
        }
    }

    /// The destination is back: nobody has to wait any longer.
    pub(super) fn wake_all(&mut self) {
        for (_, key) in std::mem::take(&mut self.waiting) {
            self.wake_one(key);
        }
    }

    fn wake_one(&mut self, key: Key) {
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.waits = None;
            self.ready.push_back(key);
        }
    }

    /// When the next waiting lane becomes ready.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(at, _)| at.0)
    }
}
