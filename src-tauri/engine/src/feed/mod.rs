//! The feed: every event of the process in one byte-bounded ring, and views of it.
//!
//! `record()` never waits for a page. A view holds the numbers of the rows its filter selects; a page asks for the rows
//! it can see. The feed knows nothing of MQTT sessions, relays or windows.

pub mod event;

use event::Event;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Events kept; the oldest go first.
const KEPT: usize = 100_000;

/// The ring of events.
#[derive(Clone, Default)]
pub struct Feed {
    ring: Arc<Mutex<VecDeque<Event>>>,
}

impl Feed {
    /// Adds an event; never waits.
    pub fn record(&self, event: Event) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() >= KEPT {
            ring.pop_front();
        }
        ring.push_back(event);
    }

    /// Events kept.
    pub fn len(&self) -> usize {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies of all events kept, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
