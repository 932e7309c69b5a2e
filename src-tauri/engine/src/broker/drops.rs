//! Lost messages, counted: a flood of drops becomes one event per client and reason every half second.
//!
//! A slow reader can lose a hundred thousand messages a second; an event for each would push everything else out of the
//! feed. Nothing is held back when the broker stops.

use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often counts become events.
pub(super) const FLUSH_EVERY: Duration = Duration::from_millis(500);

struct Count {
    topic: Arc<str>,
    lost: u64,
}

/// Counts of lost messages by client and reason. At most one entry per client and reason in half a second.
#[derive(Default)]
pub(super) struct Drops {
    counts: Mutex<HashMap<(Box<str>, String), Count>>,
}

impl Drops {
    pub(super) fn add(&self, client: &str, topic: &str, lost: u64, reason: String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((Box::from(client), reason)).or_insert_with(|| Count { topic: topic.into(), lost: 0 });
        count.lost += lost;
        if &*count.topic != topic {
            count.topic = "".into();
        }
    }

    /// Turns what was counted into events.
    pub(super) fn flush(&self, source: &Arc<str>, feed: &Feed) {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        for ((client, reason), Count { topic, lost }) in counts {
            feed.record(Event::now(source, &Arc::from(client), None, Kind::Dropped { topic, count: lost, reason }));
        }
    }
}
