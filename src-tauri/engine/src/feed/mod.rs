//! The feed: every event of the process in one ring bounded in bytes, and views of it.
//!
//! [`Feed::record`] never waits for a page: it takes a lock for one append, and nobody holds that lock while looking
//! through events. A view holds the places of the rows its filter selects and is brought up to date by [`Feed::tick`]; a
//! page asks for the rows it can see. What was evicted or not taken is a number, never silence. The feed knows nothing of
//! sessions, relays or windows.

pub mod event;

mod base64;
mod connections;
mod detail;
pub(crate) mod export;
mod fields;
mod filter;
pub mod history;
pub(crate) mod line;
mod payload;
mod published;
mod ring;
mod row;
mod sections;
mod topics;
mod view;
mod views;

pub use detail::detail;
pub(crate) use payload::preview as payload_preview;
pub use payload::view_of as payload_view;
pub use published::{Place, Published};
pub(crate) use row::took_words;
pub use row::{clock, iso, row, unix_millis};

use crate::api::wire::{EventDetail, Row, ViewFrame};
use event::Event;
use relayscope_domain::filter::SourceKind;
use ring::{Ring, Segment};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use views::Views;

/// A cheap handle to the one feed of the process.
#[derive(Clone)]
pub struct Feed {
    inner: Arc<Inner>,
    // What kind of part records with this handle.
    origin: SourceKind,
}

struct Inner {
    ring: Mutex<Ring>,
    views: Mutex<Views>,
    // Written by `tick` only; read by whoever follows the feed. Holds the number of the newest event.
    changed: watch::Sender<u64>,
}

/// What the feed holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Bytes held, those of views included.
    pub bytes: u64,
    /// Bytes allowed.
    pub budget: u64,
    /// Events recorded since the start.
    pub recorded: u64,
    /// Events no longer kept.
    pub evicted: u64,
    /// Events that were too large for the budget and never kept.
    pub not_taken: u64,
}

/// Numbers that one feed gives to events; a page's numbers are exact up to 8,191 times as many.
const EVENTS: u64 = 1 << 40;
/// Numbers that one feed gives to views.
const VIEWS: u32 = 1 << 19;

/// The recording an event belongs to; 0 for the feed of the process.
pub fn recording_of_event(seq: u64) -> u32 {
    // The first event of a feed has the number 1.
    u32::try_from(seq.saturating_sub(1) / EVENTS).unwrap_or(u32::MAX)
}

/// The recording a view belongs to; 0 for the feed of the process.
pub fn recording_of_view(view: u32) -> u32 {
    view.saturating_sub(1) / VIEWS
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics while it holds a lock; a poisoned one still holds whole data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    /// A feed that holds at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self::apart(budget, 0)
    }

    /// A feed for a recording, whose events and views have numbers that no other feed has: [`recording_of_event`] and
    /// [`recording_of_view`] tell them apart. `recording` is 0 for the feed of the process.
    pub fn apart(budget: usize, recording: u32) -> Self {
        let ring = Ring::new(budget, u64::from(recording) * EVENTS);
        let views = Views::after(recording * VIEWS);
        let inner = Inner { ring: Mutex::new(ring), views: Mutex::new(views), changed: watch::Sender::new(0) };
        Self { inner: Arc::new(inner), origin: SourceKind::App }
    }

    /// The same feed, for a part of another kind to record with.
    pub fn of(&self, origin: SourceKind) -> Self {
        Self { inner: self.inner.clone(), origin }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        lock(&self.inner.ring)
    }

    /// Appends an event and gives it its number. `false` when it alone would take half of the budget: it was counted.
    pub fn record(&self, mut event: Event) -> bool {
        event.origin = self.origin;
        let mut ring = self.ring();
        let before = ring.not_taken();
        let gone = ring.push(event);
        let taken = ring.not_taken() == before;
        drop(ring);
        // Dropped without the lock.
        drop(gone);
        taken
    }

    /// Changes the budget; a smaller one evicts at once.
    pub fn set_budget(&self, budget: usize) {
        let gone = self.ring().set_budget(budget);
        drop(gone);
    }

    /// What is held and what was given up.
    pub fn usage(&self) -> Usage {
        let ring = self.ring();
        let (recorded, evicted) = ring.counts();
        Usage {
            bytes: ring.bytes() as u64,
            budget: ring.budget() as u64,
            recorded,
            evicted,
            not_taken: ring.not_taken(),
        }
    }

    /// The number of the newest event, published by [`Feed::tick`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Up to `max` rows after number `after`, oldest first, and how many in between are no longer kept.
    pub fn follow(&self, after: u64, max: usize) -> (Vec<Row>, u64) {
        let (events, missed) = self.after(after, max);
        (events.iter().map(row).collect(), missed)
    }

    /// Copies of up to `max` events after number `after`, oldest first, and how many before them are no longer kept.
    /// Payloads are shared.
    pub fn after(&self, after: u64, max: usize) -> (Vec<Event>, u64) {
        let (segments, first) = self.segments(after + 1);
        let events = segments.iter().flat_map(|segment| segment.events()).filter(|event| event.seq > after);
        (events.take(max).cloned().collect(), first.saturating_sub(after + 1))
    }

    /// Shows every event after number `after`, oldest first, and returns the number of the last one.
    pub(crate) fn visit(&self, after: u64, mut look: impl FnMut(&Event)) -> u64 {
        let (segments, _) = self.segments(after + 1);
        let events = segments.iter().flat_map(|segment| segment.events()).filter(|event| event.seq > after);
        events.fold(after, |_, event| {
            look(event);
            event.seq
        })
    }

    /// As [`Feed::visit`], until `look` says that it is enough.
    pub(crate) fn visit_while(&self, after: u64, mut look: impl FnMut(&Event) -> bool) -> u64 {
        let (segments, _) = self.segments(after + 1);
        let events = segments.iter().flat_map(|segment| segment.events()).filter(|event| event.seq > after);
        let mut last = after;
        for event in events {
            last = event.seq;
            if !look(event) {
                break;
            }
        }
        last
    }

    /// Copies of all events kept, oldest first; payloads are shared.
    pub fn events(&self) -> Vec<Event> {
        self.segments(0).0.iter().flat_map(|segment| segment.events()).cloned().collect()
    }

    /// The newest events of one client as one source saw it, newest first.
    pub fn of_client(&self, source: &str, client: &str, count: usize) -> Vec<Row> {
        let its = |event: &&Event| &*event.client == client && &*event.source == source;
        let (segments, _) = self.segments(0);
        segments
            .iter()
            .rev()
            .flat_map(|segment| {
                let mut events: Vec<&Event> = segment.events().collect();
                events.reverse();
                events
            })
            .filter(its)
            .take(count)
            .map(row)
            .collect()
    }

    /// Everything about one event; `None` when it is no longer kept.
    pub fn event(&self, seq: u64) -> Option<EventDetail> {
        let (segment, slot) = self.ring().find(seq)?;
        let event = segment.get(slot)?;
        let journey = match event.message_id {
            Some(id) => ring::journey(&self.segments(0).0, id),
            None => vec![],
        };
        Some(detail(event, &journey.iter().collect::<Vec<_>>()))
    }

    /// Segments from `seq` on, and the number of the oldest event kept.
    fn segments(&self, seq: u64) -> (Vec<Arc<Segment>>, u64) {
        let ring = self.ring();
        (ring.since(seq), ring.first_seq())
    }

    /// Brings views up to date and publishes the newest number. Called about ten times a second by the engine; returns
    /// the views that changed.
    pub fn tick(&self) -> Vec<ViewFrame> {
        let usage = self.usage();
        let (indexed, frames, bytes) = self.tick_views(usage);
        let (full, next_seq) = {
            let ring = self.ring();
            (ring.since(indexed), ring.next_seq())
        };
        // All but the last are full.
        for segment in full.iter().rev().skip(1) {
            segment.index();
        }
        lock(&self.inner.views).indexed = full.last().map_or(next_seq, |segment| segment.first);
        let gone = self.ring().set_beside(bytes);
        drop(gone);
        if *self.inner.changed.borrow() != usage.recorded {
            self.inner.changed.send_replace(usage.recorded);
        }
        frames
    }
}

#[cfg(test)]
mod tests;
