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
    // Read as one: a ledger that is read between two of its numbers would not balance.
    counts: Mutex<Counts>,
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

#[derive(Clone, Copy, Default)]
struct Counts {
    received: u64,
    delivered: u64,
    // Those in requests included.
    waiting: i64,
    in_flight: u64,
    dead: i64,
    dropped: u64,
    filtered: u64,
}

#[derive(Default)]
struct State {
    session: Option<watch::Receiver<SessionState>>,
    session_dropped: Option<Arc<AtomicU64>>,
    oversized: Option<Arc<AtomicU64>>,
    destination: Destination,
    quota: Option<Quota>,
    storage: Option<(String, SystemTime)>,
    last_error: Option<Trouble>,
    // Microseconds of the last deliveries, oldest first.
    took: VecDeque<u32>,
}

/// How a message that waited came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The destination took it.
    Delivered,
    /// A rule left it out.
    LeftOut,
    /// A rule gave it up.
    Dropped,
    /// It became a dead letter.
    Dead,
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
    /// Requests per minute that all relays of the profile make at most together, when a plan is set.
    pub share: Option<u32>,
    /// Requests per minute that this relay makes at most.
    pub allowance: u32,
    /// Requests it made in this minute.
    pub used: u32,
    /// Requests that other relays of the profile made in this minute.
    pub others: u32,
    /// Requests that may still go in this minute.
    pub left: u32,
    /// Relays at work for the profile, this one included.
    pub relays: usize,
    /// When the minute ends.
    pub resets_at: SystemTime,
    /// Whether requests wait for the pace.
    pub pacing: bool,
    /// Whether the platform refused the profile as a whole.
    pub held: bool,
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
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the database says, how many rows there are (waiting, dead), and the bytes that wait.
    pub fn load(&self, ledger: Ledger, rows: (u64, u64), bytes: u64) {
        self.take_over(&mut self.counts(), ledger, rows, bytes);
    }

    /// As [`Meter::load`], for whoever looks while the relay does not run. Nothing when it has begun to count meanwhile: what
    /// was read is older.
    pub fn load_first(&self, ledger: Ledger, rows: (u64, u64), bytes: u64) {
        let mut counts = self.counts();
        if !self.is_loaded() {
            self.take_over(&mut counts, ledger, rows, bytes);
        }
    }

    fn take_over(&self, counts: &mut Counts, ledger: Ledger, rows: (u64, u64), bytes: u64) {
        self.bytes.store(bytes as i64, Ordering::Relaxed);
        *counts = Counts {
            received: ledger.received,
            delivered: ledger.delivered,
            waiting: rows.0 as i64,
            in_flight: 0,
            dead: rows.1 as i64,
            dropped: ledger.dropped,
            filtered: ledger.filtered,
        };
        let mismatch = rows.0 as i64 - ledger.waiting as i64 + rows.1 as i64 - ledger.dead as i64;
        self.mismatch.store(mismatch, Ordering::Relaxed);
        self.loaded.store(true, Ordering::Relaxed);
    }

    /// Whether the numbers are the database's; from then on the relay's parts keep them.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Connects the session's own state.
    pub fn attach(&self, session: watch::Receiver<SessionState>, dropped: Arc<AtomicU64>, oversized: Arc<AtomicU64>) {
        let mut state = self.state();
        state.session = Some(session);
        state.session_dropped = Some(dropped);
        state.oversized = Some(oversized);
        state.destination = Destination::Unknown;
        // The new run finds out for itself.
        state.storage = None;
    }

    /// Messages came: some are kept to be delivered, some were left out by a rule, some given up by a rule.
    pub fn received(&self, kept: u64, filtered: u64, dropped: u64) {
        let mut counts = self.counts();
        counts.received += kept + filtered + dropped;
        counts.waiting += kept as i64;
        counts.filtered += filtered;
        counts.dropped += dropped;
    }

    /// Messages that waited came to an end.
    pub fn ended(&self, end: End, count: u64) {
        let mut counts = self.counts();
        counts.waiting -= count as i64;
        match end {
            End::Delivered => counts.delivered += count,
            End::LeftOut => counts.filtered += count,
            End::Dropped => counts.dropped += count,
            End::Dead => counts.dead += count as i64,
        }
    }

    /// Messages moved by a person: dead letters, waiting messages, dropped ones, and the bytes that wait.
    pub fn moved(&self, dead: i64, waiting: i64, dropped: i64, bytes: i64) {
        let mut counts = self.counts();
        counts.dead += dead;
        counts.waiting += waiting;
        counts.dropped = counts.dropped.saturating_add_signed(dropped);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The disk takes writes; the bytes that wait changed.
    pub fn stored(&self, bytes: i64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.state().storage = None;
    }

    /// Whether the queue's budget is used up.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// The disk does not take writes.
    pub fn storage_failed(&self, message: &str) {
        let now = SystemTime::now();
        let mut state = self.state();
        state.storage.get_or_insert_with(|| (message.to_owned(), now));
        let advice =
            "Free space or mend the disk; intake goes on by itself, and the broker keeps what was not acknowledged.";
        state.last_error = Some(Trouble { message: message.to_owned(), advice: advice.to_owned(), at: now });
    }

    /// Rows in the database against what was counted: not zero is a finding.
    pub fn checked(&self, mismatch: i64) {
        self.mismatch.store(mismatch, Ordering::Relaxed);
    }

    /// The plan's minute, and how many requests may be under way.
    pub fn set_pace(&self, quota: Option<Quota>, request_limit: usize) {
        self.request_limit.store(u32::try_from(request_limit).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.state().quota = quota;
    }

    /// Since when the disk does not take writes, and why.
    pub fn storage(&self) -> Option<(String, SystemTime)> {
        self.state().storage.clone()
    }

    /// Messages in requests under way.
    pub fn set_in_flight(&self, count: usize) {
        self.counts().in_flight = count as u64;
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
        let counts = *self.counts();
        let held = counts.waiting.max(0) as u64;
        let in_flight = counts.in_flight.min(held);
        let ledger = Ledger {
            received: counts.received + lost_qos0,
            delivered: counts.delivered,
            waiting: held - in_flight,
            in_flight,
            dead: counts.dead.max(0) as u64,
            dropped: counts.dropped + lost_qos0,
            filtered: counts.filtered,
        };
        (ledger, self.mismatch.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_relay_began_to_count_does_not_replace_its_counts() {
        let (meter, before) = (Meter::default(), Ledger { received: 5, delivered: 5, ..Ledger::default() });
        meter.load(before, (0, 0), 0);
        meter.received(3, 0, 0);
        meter.load_first(before, (0, 0), 0);
        meter.ended(End::Delivered, 3);
        let (ledger, mismatch) = meter.ledger();
        assert_eq!((ledger.received, ledger.delivered, ledger.difference(), mismatch), (8, 8, 0, 0), "{ledger:?}");
    }
}
