//! The feed: every event of the process in one byte-bounded ring, and views of it.
//!
//! [`Feed::record`] never waits for a page: it takes a short lock, appends, and evicts from the old end past the budget.
//! A view holds the numbers of the rows its filter selects and is brought up to date by [`Feed::tick`]; a page asks for
//! the rows it can see. What was evicted is a number, never silence. The feed knows nothing of sessions, relays or
//! windows.

pub mod event;

mod detail;
mod payload;
mod row;
mod view;

pub use detail::detail;
pub(crate) use payload::preview as payload_preview;
pub use payload::view_of as payload_view;
pub(crate) use row::took_words;
pub use row::{clock, iso, row, unix_millis};

use crate::api::wire::{EventDetail, Row, Rows, ViewFilter, ViewFrame};
use event::Event;
use relayscope_domain::id::MessageId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use view::View;

/// A cheap handle to the one feed of the process.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    ring: Mutex<Ring>,
    views: Mutex<Views>,
    // Written by `tick` only; read by whoever follows the feed. Holds the number of the newest event.
    changed: watch::Sender<u64>,
}

struct Ring {
    events: VecDeque<Event>,
    next_seq: u64,
    bytes: usize,
    budget: usize,
    evicted: u64,
}

#[derive(Default)]
struct Views {
    open: BTreeMap<u32, View>,
    next: u32,
    last_tick_seq: u64,
    last_tick: Option<std::time::Instant>,
    rate: f64,
}

/// What the feed holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Bytes held.
    pub bytes: u64,
    /// Bytes allowed.
    pub budget: u64,
    /// Events recorded since the start.
    pub recorded: u64,
    /// Events no longer kept.
    pub evicted: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics while it holds a lock; a poisoned one still holds whole data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ring {
    fn first_seq(&self) -> u64 {
        self.next_seq - self.events.len() as u64
    }

    fn get(&self, seq: u64) -> Option<&Event> {
        seq.checked_sub(self.first_seq()).and_then(|at| self.events.get(at as usize))
    }

    fn evict(&mut self) {
        while self.bytes > self.budget {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.cost();
            self.evicted += 1;
        }
    }
}

impl Feed {
    /// A feed that holds at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        let ring = Ring { events: VecDeque::new(), next_seq: 1, bytes: 0, budget, evicted: 0 };
        Self(Arc::new(Inner { ring: Mutex::new(ring), views: Mutex::default(), changed: watch::Sender::new(0) }))
    }

    /// Appends an event and gives it its number.
    pub fn record(&self, mut event: Event) {
        let mut ring = lock(&self.0.ring);
        event.seq = ring.next_seq;
        ring.next_seq += 1;
        ring.bytes += event.cost();
        ring.events.push_back(event);
        ring.evict();
    }

    /// Changes the budget; a smaller one evicts at once.
    pub fn set_budget(&self, budget: usize) {
        let mut ring = lock(&self.0.ring);
        ring.budget = budget;
        ring.evict();
        ring.events.shrink_to_fit();
    }

    /// What is held and what was given up.
    pub fn usage(&self) -> Usage {
        let ring = lock(&self.0.ring);
        Usage {
            bytes: ring.bytes as u64,
            budget: ring.budget as u64,
            recorded: ring.next_seq - 1,
            evicted: ring.evicted,
        }
    }

    /// The number of the newest event, published by [`Feed::tick`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Up to `max` rows after number `after`, oldest first, and how many in between are no longer kept.
    pub fn follow(&self, after: u64, max: usize) -> (Vec<Row>, u64) {
        let ring = lock(&self.0.ring);
        let first = ring.first_seq();
        let missed = first.saturating_sub(after + 1);
        let skip = (after + 1).saturating_sub(first) as usize;
        (ring.events.iter().skip(skip).take(max).map(row).collect(), missed)
    }

    /// Copies of all events kept, oldest first; payloads are shared.
    pub fn events(&self) -> Vec<Event> {
        lock(&self.0.ring).events.iter().cloned().collect()
    }

    /// The newest events of one client as one source saw it, newest first.
    pub fn of_client(&self, source: &str, client: &str, count: usize) -> Vec<Row> {
        let ring = lock(&self.0.ring);
        let its = |event: &&Event| &*event.client == client && &*event.source == source;
        ring.events.iter().rev().filter(its).take(count).map(row).collect()
    }

    /// Opens a view, or gives an open one another filter.
    pub fn open(&self, view: Option<u32>, filter: &ViewFilter) -> ViewFrame {
        let ring = lock(&self.0.ring);
        let mut views = lock(&self.0.views);
        let number = view.unwrap_or_else(|| {
            views.next += 1;
            views.next
        });
        let mut fresh = View::new(filter);
        if let Some(old) = views.open.get(&number) {
            fresh.inherit(old);
        }
        fresh.catch_up(&ring.events, ring.first_seq(), ring.next_seq);
        let rate = views.rate;
        views.open.insert(number, fresh);
        frame(number, &views.open[&number], &ring, rate)
    }

    /// Forgets a view.
    pub fn close(&self, view: u32) {
        lock(&self.0.views).open.remove(&view);
    }

    /// Freezes or resumes a view. Recording goes on.
    pub fn pause(&self, number: u32, paused: bool) -> Option<ViewFrame> {
        self.with_view(number, |view, ring| {
            view.catch_up(&ring.events, ring.first_seq(), ring.next_seq);
            view.set_paused(paused);
        })
    }

    /// Empties a view. The feed keeps everything.
    pub fn clear(&self, number: u32) -> Option<ViewFrame> {
        self.with_view(number, |view, ring| view.clear(ring.next_seq))
    }

    fn with_view(&self, number: u32, change: impl FnOnce(&mut View, &Ring)) -> Option<ViewFrame> {
        let ring = lock(&self.0.ring);
        let mut views = lock(&self.0.views);
        let rate = views.rate;
        let view = views.open.get_mut(&number)?;
        change(view, &ring);
        Some(frame(number, view, &ring, rate))
    }

    /// Rows of a view, newest first, passing over the `from` newest.
    pub fn rows(&self, number: u32, from: usize, count: usize) -> Option<Rows> {
        let ring = lock(&self.0.ring);
        let mut views = lock(&self.0.views);
        let view = views.open.get_mut(&number)?;
        view.catch_up(&ring.events, ring.first_seq(), ring.next_seq);
        let rows = view.newest(from, count).filter_map(|seq| ring.get(seq)).map(row).collect();
        Some(Rows { total: view.visible() as u32, rows })
    }

    /// Everything about one event; `None` when it is no longer kept.
    pub fn event(&self, seq: u64) -> Option<EventDetail> {
        let ring = lock(&self.0.ring);
        let event = ring.get(seq)?;
        let journey: Vec<&Event> = match event.message_id {
            Some(id) => journey(&ring, id),
            None => vec![],
        };
        Some(detail(event, &journey))
    }

    /// Brings views up to date and publishes the newest number. Called about ten times a second by the engine; returns
    /// the views that changed.
    pub fn tick(&self) -> Vec<ViewFrame> {
        let ring = lock(&self.0.ring);
        let mut views = lock(&self.0.views);
        let newest = ring.next_seq - 1;
        let now = std::time::Instant::now();
        if let Some(seconds) = views.last_tick.map(|last| now.duration_since(last).as_secs_f64()).filter(|s| *s > 0.0) {
            let instant_rate = (newest - views.last_tick_seq) as f64 / seconds;
            // About one second of smoothing at ten ticks a second.
            views.rate += (instant_rate - views.rate) * 0.2;
            if views.rate < 0.05 {
                views.rate = 0.0;
            }
        }
        views.last_tick = Some(now);
        views.last_tick_seq = newest;
        let rate = views.rate;
        let mut frames = vec![];
        for (number, view) in &mut views.open {
            view.catch_up(&ring.events, ring.first_seq(), ring.next_seq);
            let current = frame(*number, view, &ring, rate);
            if view.changed(&current) {
                frames.push(current);
            }
        }
        if *self.0.changed.borrow() != newest {
            self.0.changed.send_replace(newest);
        }
        frames
    }
}

fn journey(ring: &Ring, id: MessageId) -> Vec<&Event> {
    ring.events.iter().filter(|event| event.message_id == Some(id)).collect()
}

fn frame(number: u32, view: &View, ring: &Ring, rate: f64) -> ViewFrame {
    ViewFrame {
        view: number,
        total: view.visible() as u32,
        waiting: view.waiting() as u32,
        paused: view.is_paused(),
        recorded: ring.next_seq - 1,
        evicted: ring.evicted,
        rate,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::event::Kind;
    use super::*;
    use crate::api::wire::KindGroup;

    fn note(text: &str) -> Event {
        Event::now(&"s".into(), &"c".into(), None, Kind::Note { failure: false, text: text.into() })
    }

    fn previews(feed: &Feed, view: u32) -> Vec<String> {
        feed.rows(view, 0, 100).unwrap().rows.into_iter().map(|row| row.preview).collect()
    }

    #[test]
    fn a_view_selects_pauses_resumes_and_clears() {
        let feed = Feed::new(1 << 20);
        feed.record(note("alpha"));
        let view = feed.open(None, &ViewFilter { kinds: vec![], text: "A".into() }).view;
        feed.record(note("beta"));
        feed.record(note("xyz"));
        assert_eq!(previews(&feed, view), ["beta", "alpha"]);
        assert!(feed.pause(view, true).unwrap().paused);
        feed.record(note("gamma"));
        feed.tick();
        let frame = feed.pause(view, true).unwrap();
        assert_eq!((frame.total, frame.waiting), (2, 1));
        assert_eq!(previews(&feed, view), ["beta", "alpha"]);
        let frame = feed.pause(view, false).unwrap();
        assert_eq!((frame.total, frame.waiting), (3, 0));
        assert_eq!(feed.clear(view).unwrap().total, 0);
        feed.record(note("delta"));
        assert_eq!(previews(&feed, view), ["delta"]);
        let other = feed.open(None, &ViewFilter::default()).view;
        assert_eq!(feed.rows(other, 0, 100).unwrap().total, 5, "clearing a view loses nothing");
        let none = feed.open(None, &ViewFilter { kinds: vec![KindGroup::Publish], text: String::new() }).view;
        assert_eq!(feed.rows(none, 0, 100).unwrap().total, 0);
    }

    #[test]
    fn the_budget_holds_and_what_was_evicted_is_counted() {
        let feed = Feed::new(10_000);
        let view = feed.open(None, &ViewFilter::default()).view;
        for at in 0..1_000 {
            feed.record(note(&format!("event {at}")));
        }
        let usage = feed.usage();
        assert!(usage.bytes <= 10_000 && usage.bytes > 9_000, "{usage:?}");
        let rows = feed.rows(view, 0, 1_000).unwrap();
        assert_eq!(u64::from(rows.total) + usage.evicted, 1_000);
        assert_eq!(rows.rows[0].preview, "event 999");
        let (followed, missed) = feed.follow(0, 10_000);
        assert_eq!(followed.len() as u64 + missed, 1_000);
    }
}
