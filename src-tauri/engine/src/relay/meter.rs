//! What a relay counts and how it stands, for the status pages read at any time. Written by the relay's parts, after
//! their commits; the numbers are the database's own, loaded at the start.

use crate::mqtt::session::SessionState;
use relayscope_domain::relay::Ledger;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

// Deliveries that the median is taken of.
const SAMPLE: usize = 64;

/// Counters and state of one relay.
#[derive(Default)]
pub struct Meter {
    received: AtomicU64,
    delivered: AtomicU64,
    waiting: AtomicI64,
    in_flight: AtomicU64,
    dead: AtomicI64,
    dropped: AtomicU64,
    filtered: AtomicU64,
    // Rows counted at the start minus what the ledger said of them: not zero is a finding.
    mismatch: AtomicI64,
    loaded: AtomicBool,
    bytes: AtomicI64,
    full: AtomicBool,
    // Written by whoever pauses; watched by the worker.
    paused: watch::Sender<bool>,
    request_limit: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<watch::Receiver<SessionState>>,
    session_dropped: Option<Arc<AtomicU64>>,
    oversized: Option<Arc<AtomicU64>>,
    destination: Destination,
    quota: Option<Quota>,
    // By `Write`: a small write may succeed while a large one does not.
    storage: [Option<(String, SystemTime)>; 2],
    last_error: Option<Trouble>,
    // Microseconds of the last deliveries, oldest first.
    took: VecDeque<u32>,
}

/// What is written to the queue.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// Messages that came.
    Arrivals,
    /// What became of them.
    Settlements,
}

/// How the path to the destination stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Destination {
    /// Nothing was sent yet.
    #[default]
    Unknown,
    /// The last attempt was taken.
    Working {
        /// Since when.
        since: SystemTime,
    },
    /// It is waited for.
    Waiting {
        /// Why.
        reason: String,
        /// Since when.
        since: SystemTime,
        /// Until the next try.
        until: SystemTime,
    },
    /// The credentials are refused: nothing is sent but a rare probe.
    Paused {
        /// Why.
        reason: String,
        /// Since when.
        since: SystemTime,
    },
}

/// A relay's share of the plan's clock minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Requests per minute that the plan allows.
    pub limit: u32,
    /// Requests per minute that this relay makes at most.
    pub allowance: u32,
    /// Requests made in this minute.
    pub used: u32,
    /// When the minute ends.
    pub resets_at: SystemTime,
    /// Whether requests wait for the pace.
    pub pacing: bool,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// What and why.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// When.
    pub at: SystemTime,
}

impl Meter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the database says, and how many rows there are: waiting, dead.
    pub fn load(&self, ledger: Ledger, rows: (u64, u64)) {
        self.received.store(ledger.received, Ordering::Relaxed);
        self.delivered.store(ledger.delivered, Ordering::Relaxed);
        self.waiting.store(rows.0 as i64, Ordering::Relaxed);
        self.dead.store(rows.1 as i64, Ordering::Relaxed);
        self.dropped.store(ledger.dropped, Ordering::Relaxed);
        self.filtered.store(ledger.filtered, Ordering::Relaxed);
        self.in_flight.store(0, Ordering::Relaxed);
        let mismatch = rows.0 as i64 - ledger.waiting as i64 + rows.1 as i64 - ledger.dead as i64;
        self.mismatch.store(mismatch, Ordering::Relaxed);
        self.loaded.store(true, Ordering::Relaxed);
    }

    /// Whether the numbers are the database's; from then on the relay's parts keep them.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Connects the session's own state.
    pub fn attach(&self, session: watch::Receiver<SessionState>, dropped: Arc<AtomicU64>) {
        let mut state = self.state();
        state.session = Some(session);
        state.session_dropped = Some(dropped);
        state.destination = Destination::Unknown;
        // The new run finds out for itself.
        state.storage = Default::default();
    }

    /// A group was committed.
    pub fn pushed(&self, stored: u64, filtered: u64) {
        self.received.fetch_add(stored + filtered, Ordering::Relaxed);
        self.waiting.fetch_add(stored as i64, Ordering::Relaxed);
        self.filtered.fetch_add(filtered, Ordering::Relaxed);
        self.state().storage[Write::Arrivals as usize] = None;
    }

    /// A group was settled.
    pub fn settled(&self, delivered: u64, dead: u64) {
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.dead.fetch_add(dead as i64, Ordering::Relaxed);
        self.waiting.fetch_sub((delivered + dead) as i64, Ordering::Relaxed);
        self.state().storage[Write::Settlements as usize] = None;
    }

    /// The disk does not take writes.
    pub fn storage_failed(&self, write: Write, message: &str) {
        let now = SystemTime::now();
        let mut state = self.state();
        state.storage[write as usize].get_or_insert_with(|| (message.to_owned(), now));
        let advice =
            "Free space or mend the disk; intake goes on by itself, and the broker keeps what was not acknowledged.";
        state.last_error = Some(Trouble { message: message.to_owned(), advice: advice.to_owned(), at: now });
    }

    /// Since when the disk does not take writes, and why.
    pub fn storage(&self) -> Option<(String, SystemTime)> {
        self.state().storage.iter().flatten().next().cloned()
    }

    /// Requests under way.
    pub fn set_in_flight(&self, count: usize) {
        self.in_flight.store(count as u64, Ordering::Relaxed);
    }

    /// How the path to the destination stands; `since` is kept while the words stay the same.
    pub fn set_destination(&self, destination: Destination) {
        self.state().destination = destination;
    }

    /// Notes an error for the card.
    pub fn trouble(&self, message: String, advice: &str) {
        self.state().last_error = Some(Trouble { message, advice: advice.to_owned(), at: SystemTime::now() });
    }

    /// Notes how long a delivery took.
    pub fn took(&self, took: Duration) {
        let mut state = self.state();
        if state.took.len() == SAMPLE {
            state.took.pop_front();
        }
        state.took.push_back(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// The median of the last deliveries.
    pub fn median_took(&self) -> Option<Duration> {
        let mut sample: Vec<u32> = self.state().took.iter().copied().collect();
        sample.sort_unstable();
        sample.get(sample.len() / 2).map(|micros| Duration::from_micros((*micros).into()))
    }

    /// Bytes that wait in the queue.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed).max(0) as u64
    }

    /// Whether the queue's budget is used up.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Whether a person paused the delivery.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Pauses or resumes the delivery.
    pub fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Whether the delivery is paused, as it changes.
    pub(super) fn pauses(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    /// Requests allowed at once right now.
    pub fn request_limit(&self) -> u32 {
        self.request_limit.load(Ordering::Relaxed)
    }

    /// The plan's minute, when a plan or a pace is set.
    pub fn quota(&self) -> Option<Quota> {
        self.state().quota.clone()
    }

    /// Messages that were skipped for their size.
    pub fn oversized(&self) -> u64 {
        self.state().oversized.as_ref().map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The destination's standing.
    pub fn destination(&self) -> Destination {
        self.state().destination.clone()
    }

    /// The session's state, while the relay runs.
    pub fn session(&self) -> Option<SessionState> {
        self.state().session.as_ref().map(|session| session.borrow().clone())
    }

    /// The last error.
    pub fn last_error(&self) -> Option<Trouble> {
        self.state().last_error.clone()
    }

    /// What became of every message, and how many are unaccounted for.
    pub fn ledger(&self) -> (Ledger, i64) {
        let lost_qos0 = self.state().session_dropped.as_ref().map_or(0, |count| count.load(Ordering::Relaxed));
        let held = self.waiting.load(Ordering::Relaxed).max(0) as u64;
        let in_flight = self.in_flight.load(Ordering::Relaxed).min(held);
        let ledger = Ledger {
            received: self.received.load(Ordering::Relaxed) + lost_qos0,
            delivered: self.delivered.load(Ordering::Relaxed),
            waiting: held - in_flight,
            in_flight,
            dead: self.dead.load(Ordering::Relaxed).max(0) as u64,
            dropped: self.dropped.load(Ordering::Relaxed) + lost_qos0,
            filtered: self.filtered.load(Ordering::Relaxed),
        };
        (ledger, self.mismatch.load(Ordering::Relaxed))
    }
}
