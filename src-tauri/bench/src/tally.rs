//! What arrived: each message once, twice, late, out of order, damaged or not at all. Knows neither HTTP nor MQTT.

use crate::histogram::Histogram;
use crate::payload::{self, Stamp};
use crate::{clock, payload::find};
use serde::{Deserialize, Serialize};

/// A message that took longer than this counts as late: the backlog of a fault is gone with the last of them.
const LATE: u64 = 500_000_000;

/// Counts one run.
#[derive(Default)]
pub struct Tally {
    run: u32,
    size: usize,
    lanes: Vec<Lane>,
    seen: Seen,
    latency: Histogram,
}

/// The figures of a run so far. Times are nanoseconds of the monotonic clock, 0 when it did not happen.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Different messages.
    pub distinct: u64,
    /// Messages that had come before.
    pub duplicates: u64,
    /// Messages that came for the first time after a later one of their topic.
    pub disorder: u64,
    /// Bodies that are not what was published, or name another topic.
    pub corrupt: u64,
    /// Messages of another run.
    pub foreign: u64,
    /// Requests that were refused on purpose.
    pub refused: u64,
    /// The first message.
    pub first: u64,
    /// The latest message.
    pub last: u64,
    /// The first message after the last mark.
    pub first_after_mark: u64,
    /// The latest message that was late.
    pub last_late: u64,
    /// When the last mark was set.
    pub mark: u64,
    /// Publish to request, nanoseconds.
    pub p50: u64,
    /// The same, 99 of 100.
    pub p99: u64,
    /// The same, the longest.
    pub max: u64,
}

#[derive(Default)]
struct Lane {
    seen: Vec<u64>,
    next: u32,
}

impl Tally {
    /// An empty tally of messages of `size` bytes.
    pub fn new(run: u32, topics: u32, size: usize) -> Self {
        let lanes = (0..topics).map(|_| Lane::default()).collect();
        Self { run, size, lanes, ..Self::default() }
    }

    /// Counts all messages of a body.
    pub fn body(&mut self, body: &[u8]) {
        let (mut from, mut count) = (0, 0);
        while let Some((stamp, end)) = find(body, from, self.size) {
            from = end;
            count += 1;
            match stamp {
                Some(stamp) => self.message(stamp, body),
                None => self.seen.corrupt += 1,
            }
        }
        if count == 0 {
            self.seen.corrupt += 1;
        }
    }

    /// A request that was refused on purpose.
    pub fn refuse(&mut self) {
        self.seen.refused += 1;
    }

    /// From now on the next message is the first after a fault.
    pub fn mark(&mut self) {
        self.seen.mark = clock::now();
        self.seen.first_after_mark = 0;
    }

    /// The figures so far.
    pub fn seen(&self) -> Seen {
        let (p50, p99, max) = (self.latency.at(0.5), self.latency.at(0.99), self.latency.max());
        Seen { p50, p99, max, ..self.seen.clone() }
    }

    /// The numbers below `total` of topic 0 that did not come, at most `limit` of them.
    pub fn missing(&self, total: u32, limit: usize) -> Vec<u32> {
        let seen = self.lanes.first().map_or(&[][..], |lane| &lane.seen);
        let came = |seq: &u32| seen.get((seq / 64) as usize).is_some_and(|word| word >> (seq % 64) & 1 == 1);
        (0..total).filter(|seq| !came(seq)).take(limit).collect()
    }

    fn message(&mut self, stamp: Stamp, body: &[u8]) {
        if stamp.run != self.run {
            self.seen.foreign += 1;
            return;
        }
        let other = payload::named_topic(body).is_some_and(|named| named != stamp.topic);
        let Some(lane) = self.lanes.get_mut(stamp.topic as usize).filter(|_| !other) else {
            self.seen.corrupt += 1;
            return;
        };
        let (word, bit) = ((stamp.seq / 64) as usize, 1_u64 << (stamp.seq % 64));
        if word >= lane.seen.len() {
            lane.seen.resize(word + 1, 0);
        }
        if lane.seen[word] & bit != 0 {
            self.seen.duplicates += 1;
            return;
        }
        lane.seen[word] |= bit;
        if stamp.seq < lane.next {
            self.seen.disorder += 1;
        }
        lane.next = lane.next.max(stamp.seq + 1);
        self.time(stamp.at);
    }

    fn time(&mut self, at: u64) {
        let now = clock::now();
        let took = now.saturating_sub(at);
        self.latency.add(took);
        let seen = &mut self.seen;
        seen.distinct += 1;
        seen.last = now;
        if seen.first == 0 {
            seen.first = now;
        }
        if seen.mark > 0 && seen.first_after_mark == 0 {
            seen.first_after_mark = now;
        }
        if took > LATE {
            seen.last_late = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(run: u32, topic: u32, seq: u32) -> Vec<u8> {
        let (mut payload, mut body) = (Vec::new(), Vec::new());
        payload::write(&mut payload, Stamp { run, topic, seq, at: clock::now() }, 200);
        crate::http::tagoio_body(&mut body, payload::topic(topic).as_bytes(), &payload, 1);
        body
    }

    #[test]
    fn loss_repetition_order_and_damage_are_told_apart() {
        let mut tally = Tally::new(3, 2, 200);
        for (topic, seq) in [(0, 0), (0, 2), (0, 1), (0, 1), (1, 0)] {
            tally.body(&body(3, topic, seq));
        }
        tally.body(&body(4, 0, 3));
        tally.body(b"{}");
        let mut damaged = body(3, 1, 1);
        damaged[100] = b'#';
        tally.body(&damaged);
        let seen = tally.seen();
        assert_eq!((seen.distinct, seen.duplicates, seen.disorder), (4, 1, 1));
        assert_eq!((seen.corrupt, seen.foreign), (2, 1));
        assert_eq!(tally.missing(5, 10), [3, 4]);
    }
}
