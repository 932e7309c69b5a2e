//! Who may be sent next: one lane per topic, at most one request of a lane under way, lanes in turn. A lane that waits
//! for another try holds no slot and little memory: what follows in it is left on disk and read again later. Pure: time
//! comes in as an argument, reading is the caller's.

use crate::queue::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

// Entries of a waiting lane that stay in memory.
const KEPT: usize = 16;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Topic = Arc<str>;

#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<Topic, Lane>,
    ready: VecDeque<Topic>,
    // Waiting lanes by the time of their next try; the number tells equal times apart.
    waiting: BTreeMap<(Instant, u64), Topic>,
    next_number: u64,
    held: usize,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Entry>,
    busy: bool,
    waits: Option<(Instant, u64)>,
    // First and last entry that were left on disk. While there are any, new ones are left there too, to keep the order.
    on_disk: Option<(i64, i64)>,
}

/// Entries of a lane that were left on disk and are wanted now: after the first number, up to and including the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) topic: Topic,
    pub(super) after: i64,
    pub(super) upto: i64,
}

impl Lanes {
    /// Entries in memory.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes an entry that was read in the order of its number.
    pub(super) fn add(&mut self, entry: Entry) {
        let topic = entry.message.topic.clone();
        let lane = self.lanes.entry(topic.clone()).or_default();
        let leave = lane.on_disk.is_some() || (lane.waits.is_some() && lane.queue.len() >= KEPT);
        if leave {
            let first = lane.on_disk.map_or(entry.id, |(first, _)| first);
            lane.on_disk = Some((first, entry.id));
            return;
        }
        lane.queue.push_back(entry);
        self.held += 1;
        if lane.queue.len() == 1 && !lane.busy && lane.waits.is_none() {
            self.ready.push_back(topic);
        }
    }

    /// The next entry to send; its lane is busy until [`Lanes::done`], [`Lanes::again`] or [`Lanes::wait`].
    pub(super) fn next(&mut self) -> Option<Entry> {
        while let Some(topic) = self.ready.pop_front() {
            if let Some(lane) = self.lanes.get_mut(&topic)
                && !lane.busy
                && lane.waits.is_none()
                && let Some(entry) = lane.queue.front()
            {
                lane.busy = true;
                return Some(entry.clone());
            }
        }
        None
    }

    /// Whether [`Lanes::next`] would give one.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The head of the lane is settled for good.
    pub(super) fn done(&mut self, topic: &Topic) -> Option<Wanted> {
        let lane = self.lanes.get_mut(topic)?;
        lane.busy = false;
        let gone = lane.queue.pop_front();
        self.held -= usize::from(gone.is_some());
        if !lane.queue.is_empty() {
            self.ready.push_back(topic.clone());
            return None;
        }
        match lane.on_disk {
            Some((first, last)) => Some(Wanted { topic: topic.clone(), after: first - 1, upto: last }),
            None => {
                self.lanes.remove(topic);
                None
            }
        }
    }

    /// Entries that were wanted arrived; `whole` when nothing of the range is left on disk.
    pub(super) fn arrived(&mut self, wanted: &Wanted, entries: Vec<Entry>, whole: bool) {
        let lane = self.lanes.entry(wanted.topic.clone()).or_default();
        let last = entries.last().map(|entry| entry.id);
        let end = lane.on_disk.map_or(wanted.upto, |(_, end)| end);
        let read = if whole { wanted.upto } else { last.unwrap_or(wanted.upto) };
        lane.on_disk = (read < end).then_some((read + 1, end));
        for entry in entries {
            lane.queue.push_back(entry);
            self.held += 1;
        }
        if lane.queue.is_empty() {
            self.lanes.remove(&wanted.topic);
        } else if !lane.busy && lane.waits.is_none() {
            self.ready.push_back(wanted.topic.clone());
        }
    }

    /// The head is to be sent again as soon as anything may be sent.
    pub(super) fn again(&mut self, topic: &Topic) {
        if let Some(lane) = self.lanes.get_mut(topic) {
            lane.busy = false;
            if let Some(head) = lane.queue.front_mut() {
                head.attempts += 1;
                self.ready.push_front(topic.clone());
            }
        }
    }

    /// The head is to be sent again after a wait of its own; returns until when.
    pub(super) fn wait(&mut self, topic: &Topic, after: Option<Duration>, now: Instant) -> Instant {
        let Some(lane) = self.lanes.get_mut(topic) else { return now };
        lane.busy = false;
        let attempts = lane.queue.front_mut().map_or(0, |head| {
            head.attempts += 1;
            head.attempts
        });
        let wait = after.unwrap_or_else(|| {
            (FIRST_WAIT * 2u32.saturating_pow(attempts.saturating_sub(1).min(12))).min(LONGEST_WAIT)
        });
        let key = (now + wait, self.next_number);
        self.next_number += 1;
        lane.waits = Some(key);
        self.waiting.insert(key, topic.clone());
        // What is behind the head goes back to disk, so that many waiting lanes hold little.
        if lane.queue.len() > KEPT {
            let left = lane.queue.split_off(KEPT);
            self.held -= left.len();
            let first = left.front().map_or(0, |entry| entry.id);
            let last = lane.on_disk.map_or_else(|| left.back().map_or(0, |entry| entry.id), |(_, last)| last);
            lane.on_disk = Some((first, last));
        }
        key.0
    }

    /// Lanes whose wait is over become ready.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((key, topic)) = self.waiting.first_key_value().map(|(key, topic)| (*key, topic.clone())) {
            if key.0 > now {
                return;
            }
            self.waiting.remove(&key);
            if let Some(lane) = self.lanes.get_mut(&topic) {
                lane.waits = None;
                self.ready.push_back(topic);
            }
        }
    }

    /// The destination is back: nobody has to wait any longer.
    pub(super) fn wake_all(&mut self) {
        for (_, topic) in std::mem::take(&mut self.waiting) {
            if let Some(lane) = self.lanes.get_mut(&topic) {
                lane.waits = None;
                self.ready.push_back(topic);
            }
        }
    }

    /// When the next waiting lane becomes ready.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(key, _)| key.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Incoming;
    use relayscope_domain::id::MessageId;
    use relayscope_domain::message::Qos;

    fn entry(id: i64, topic: &str) -> Entry {
        let message = Incoming {
            message_id: MessageId(uuid::Uuid::nil()),
            topic: topic.into(),
            payload: bytes::Bytes::new(),
            qos: Qos::AtLeastOnce,
            retain: false,
            received_at: 0,
        };
        Entry { id, message, attempts: 0 }
    }

    fn next(lanes: &mut Lanes) -> Option<i64> {
        lanes.next().map(|entry| entry.id)
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut lanes = Lanes::default();
        for (id, topic) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
            lanes.add(entry(id, topic));
        }
        assert_eq!((next(&mut lanes), next(&mut lanes), next(&mut lanes)), (Some(1), Some(3), None));
        assert_eq!(lanes.done(&"a".into()), None);
        assert_eq!((next(&mut lanes), next(&mut lanes)), (Some(2), None));
        lanes.again(&"a".into());
        assert_eq!(lanes.next().map(|entry| (entry.id, entry.attempts)), Some((2, 1)));
        lanes.done(&"a".into());
        lanes.done(&"b".into());
        assert_eq!(next(&mut lanes), Some(4));
        lanes.done(&"a".into());
        assert_eq!((lanes.held(), lanes.lanes.len()), (0, 0));
    }

    #[test]
    fn a_waiting_lane_leaves_its_tail_on_disk_and_reads_it_in_order() {
        let now = Instant::now();
        let topic: Topic = "a".into();
        let mut lanes = Lanes::default();
        for id in 1..=40 {
            lanes.add(entry(id, "a"));
        }
        assert_eq!(next(&mut lanes), Some(1));
        let until = lanes.wait(&topic, None, now);
        assert_eq!((lanes.held(), until), (KEPT, now + FIRST_WAIT));
        for id in 41..=50 {
            lanes.add(entry(id, "a"));
        }
        assert_eq!((lanes.held(), next(&mut lanes)), (KEPT, None));
        lanes.wake(until);
        let mut sent = vec![];
        let mut wanted = None;
        while let Some(id) = next(&mut lanes) {
            sent.push(id);
            wanted = lanes.done(&topic);
        }
        let wanted = wanted.unwrap_or_else(|| unreachable!("the tail is on disk"));
        assert_eq!((wanted.after, wanted.upto), (KEPT as i64, 50));
        lanes.arrived(&wanted, (17..=30).map(|id| entry(id, "a")).collect(), false);
        lanes.add(entry(51, "a"));
        while let Some(id) = next(&mut lanes) {
            sent.push(id);
            if let Some(more) = lanes.done(&topic) {
                assert_eq!((more.after, more.upto), (30, 51));
                lanes.arrived(&more, (31..=51).map(|id| entry(id, "a")).collect(), true);
            }
        }
        assert_eq!(sent, (1..=51).collect::<Vec<_>>());
        assert!(lanes.lanes.is_empty());
    }
}
