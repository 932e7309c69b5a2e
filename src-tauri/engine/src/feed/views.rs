//! The open views and what pages ask of them. Nothing here holds the ring's lock while it looks at events.

use super::detail;
use super::event::Event;
use super::filter::compile;
use super::ring::{Ring, Segment};
use super::topics::Branch;
use super::view::{self, Arranged, View};
use super::{Feed, Usage, lock, row, unix_millis};
use crate::api::wire::{
    Anchor, ConnectionRow, ConnectionRows, ConnectionRowsRequest, ConnectionsRequest, Look, RateChart, RateRequest,
    Row, Rows, StepRequest, Stepped, TitledRow, TitledRows, TopicRow, TopicRows, TopicsRequest, ViewFrame,
};
use relayscope_domain::filter::Filter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

/// The most rows a page may ask for at once.
const MAX_ROWS: usize = 1_000;
/// The most spans of a rate chart.
const MAX_BUCKETS: usize = 3_600;

/// Seconds of a span that a rate chart chooses from, to show everything kept.
const SPANS: [u32; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];
const LONGEST_SPAN: u32 = 86_400;

#[derive(Default)]
pub(super) struct Views {
    open: BTreeMap<u32, Arc<Mutex<View>>>,
    next: u32,
    last_tick_seq: u64,
    last_tick: Option<Instant>,
    rate: f64,
    /// Segments below this number have their index.
    pub(super) indexed: u64,
}

impl Views {
    /// None yet; the first one has the number after `last`.
    pub(super) fn after(last: u32) -> Self {
        Self { next: last, ..Self::default() }
    }

    fn measure(&mut self, newest: u64, now: Instant) {
        if let Some(seconds) = self.last_tick.map(|last| now.duration_since(last).as_secs_f64()).filter(|s| *s > 0.0) {
            let instant_rate = (newest - self.last_tick_seq) as f64 / seconds;
            // About one second of smoothing at ten ticks a second.
            self.rate += (instant_rate - self.rate) * 0.2;
            if self.rate < 0.05 {
                self.rate = 0.0;
            }
        }
        self.last_tick = Some(now);
        self.last_tick_seq = newest;
    }
}

impl Feed {
    /// Opens a view, or gives an open one another filter. What is recorded already is looked at by
    /// [`Feed::look_behind`], which is called next, and once.
    pub fn open(&self, view: Option<u32>, filter: &Filter, look: Look) -> ViewFrame {
        let filter = compile(filter);
        let mut views = lock(&self.inner.views);
        let number = view.unwrap_or_else(|| {
            views.next += 1;
            views.next
        });
        let (segments, next_seq) = {
            let ring = self.ring();
            (ring.since(0), ring.next_seq())
        };
        let mut fresh = View::new(filter, look, segments, next_seq);
        if let Some(old) = views.open.get(&number) {
            fresh.inherit(&lock(old));
        }
        let frame = self.told(fresh.frame(number), views.rate, self.usage());
        views.open.insert(number, Arc::new(Mutex::new(fresh)));
        frame
    }

    /// Looks through what was recorded before the view was opened, the newest first, until `deadline` if there is one.
    /// Blocks; ends early when the view is closed or gets another filter. Whether there is nothing left to do.
    pub fn look_behind(&self, number: u32, deadline: Option<Instant>) -> bool {
        let Some(shared) = self.view(number) else { return true };
        loop {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            let (filter, next) = {
                let mut view = lock(&shared);
                let first_seq = self.ring().first_seq();
                (view.filter.clone(), view.next_behind(first_seq))
            };
            let Some((segment, from, to)) = next else { return true };
            let found = view::look_through(&filter, segment, from, to);
            if !self.view(number).is_some_and(|current| Arc::ptr_eq(&current, &shared)) {
                return true;
            }
            let first_seq = self.ring().first_seq();
            lock(&shared).take_behind(found, from, first_seq);
        }
    }

    fn view(&self, number: u32) -> Option<Arc<Mutex<View>>> {
        lock(&self.inner.views).open.get(&number).cloned()
    }

    /// Brings a view up to date and does something with it.
    fn with_view<T>(&self, number: u32, act: impl FnOnce(&mut View) -> T) -> Option<T> {
        let shared = self.view(number)?;
        let mut view = lock(&shared);
        self.catch_up(&mut view);
        Some(act(&mut view))
    }

    fn catch_up(&self, view: &mut View) {
        let (segments, first_seq, next_seq) = {
            let ring = self.ring();
            let new = ring.next_seq() > view.scanned();
            (if new { ring.since(view.scanned()) } else { vec![] }, ring.first_seq(), ring.next_seq())
        };
        view.catch_up(segments, first_seq, next_seq);
    }

    fn told(&self, mut frame: ViewFrame, rate: f64, usage: Usage) -> ViewFrame {
        frame.recorded = usage.recorded;
        frame.evicted = usage.evicted;
        frame.not_taken = usage.not_taken;
        frame.rate = rate;
        frame
    }

    fn frame_after(&self, number: u32, act: impl FnOnce(&mut View)) -> Option<ViewFrame> {
        let frame = self.with_view(number, |view| {
            act(view);
            view.frame(number)
        })?;
        let rate = lock(&self.inner.views).rate;
        Some(self.told(frame, rate, self.usage()))
    }

    /// How a view stands.
    pub fn frame(&self, number: u32) -> Option<ViewFrame> {
        self.frame_after(number, |_| {})
    }

    /// Forgets a view.
    pub fn close(&self, view: u32) {
        lock(&self.inner.views).open.remove(&view);
    }

    /// Freezes or resumes a view. Recording goes on.
    pub fn pause(&self, number: u32, paused: bool) -> Option<ViewFrame> {
        self.frame_after(number, |view| match (paused, view.frozen_at()) {
            (true, _) => view.pause(),
            (false, Some(at)) => view.resume(self.segments(at).0),
            (false, None) => {}
        })
    }

    /// Empties a view. The feed keeps everything.
    pub fn clear(&self, number: u32) -> Option<ViewFrame> {
        self.frame_after(number, |view| view.clear(self.ring().next_seq()))
    }

    /// Up to `count` rows of a view's list, newest first, passing over the first `from`; `None` when it is not open. The
    /// list begins with the newest row, or where it did when `anchor` was at its place, so that rows stay where they are
    /// while others come.
    pub fn rows(&self, number: u32, anchor: Option<Anchor>, from: usize, count: usize) -> Option<Rows> {
        let (total, newer, seqs) = self.with_view(number, |view| {
            let newer = anchor.map_or(0, |anchor| view.place(anchor.seq).saturating_sub(anchor.index as usize));
            (view.visible(), newer, view.newest(newer + from, count.min(MAX_ROWS)))
        })?;
        let rows = self.read(&seqs).into_iter().flatten().collect();
        Some(Rows { total: total as u32, newer: newer as u32, rows })
    }

    /// The row so many rows below another in a view's list, which begins as that of [`Feed::rows`]; `None` when the view is
    /// not open or has no rows.
    pub fn step(&self, request: &StepRequest) -> Option<Stepped> {
        self.with_view(request.view, |view| {
            let begins =
                request.anchor.map_or(0, |anchor| view.place(anchor.seq).saturating_sub(anchor.index as usize));
            let last = view.visible().saturating_sub(begins).min(request.most as usize).checked_sub(1)?;
            let index = match request.seq.map(|seq| view.place(seq).checked_sub(begins)) {
                Some(Some(here)) => here.saturating_add_signed(request.step as isize),
                // Nothing is selected, or what is newer than the list.
                Some(None) | None => 0,
            };
            let index = index.min(last);
            let seq = *view.newest(begins + index, 1).first()?;
            Some(Stepped { seq, index: index as u32 })
        })?
    }

    /// Numbers of the rows of a view, oldest first; `None` when it is not open.
    pub fn numbers(&self, number: u32) -> Option<Vec<u64>> {
        let mut seqs = self.with_view(number, |view| view.newest(0, view.visible()))?;
        seqs.reverse();
        Some(seqs)
    }

    /// Copies of events by their numbers, as far as they are kept; payloads are shared.
    pub fn copies(&self, seqs: &[u64]) -> Vec<Event> {
        let found = find_all(&self.ring(), seqs);
        found.iter().flatten().filter_map(|(segment, slot)| segment.get(*slot).cloned()).collect()
    }

    /// The lines of events, as far as they are kept.
    fn read(&self, seqs: &[u64]) -> Vec<Option<Row>> {
        let found = find_all(&self.ring(), seqs);
        let event = |(segment, slot): &(Arc<Segment>, usize)| segment.get(*slot).map(row);
        found.iter().map(|place| place.as_ref().and_then(event)).collect()
    }

    /// Rows of a view in each of the last spans of time.
    pub fn rate(&self, request: &RateRequest) -> Option<RateChart> {
        let buckets = (request.buckets as usize).clamp(1, MAX_BUCKETS);
        let now = unix_millis(SystemTime::now()).div_euclid(1_000);
        self.with_view(request.view, |view| {
            let kept = now - view.oldest().unwrap_or(now);
            let enough = |span: &&u32| i64::from(**span) * buckets as i64 > kept + i64::from(**span);
            let seconds = request.seconds.or(SPANS.iter().find(enough).copied()).unwrap_or(LONGEST_SPAN).max(1);
            // Spans begin at whole multiples, so that they stand still while time goes on.
            let span = i64::from(seconds);
            let from = (now.div_euclid(span) + 1 - buckets as i64) * span;
            let (counts, failed) = view.rate(from, seconds, buckets);
            let (since, until) = view.filter.span();
            RateChart { from: from * 1_000, seconds, counts, failed, since, until }
        })
    }

    /// Children of a branch of a view's topic tree; of a view that is arranged otherwise, none.
    pub fn topics(&self, request: &TopicsRequest) -> Option<TopicRows> {
        let now = unix_millis(SystemTime::now());
        let count = (request.count as usize).min(MAX_ROWS);
        let branch = request.branch.as_deref();
        let (total, branches) = self.with_view(request.view, |view| match &view.arranged {
            Arranged::Topics(topics) => topics.children(branch, request.order, request.from as usize, count, now),
            Arranged::Feed | Arranged::Connections(_) => (0, vec![]),
        })?;
        let last = self.read(&branches.iter().map(|branch| branch.last.unwrap_or(0)).collect::<Vec<_>>());
        let rows = branches.into_iter().zip(last).map(|(child, last)| topic_row(branch, child, last)).collect();
        Some(TopicRows { total: total as u32, rows })
    }

    /// Lives of clients in a view, the newest first; of a view that is arranged otherwise, none.
    pub fn connections(&self, request: &ConnectionsRequest) -> Option<ConnectionRows> {
        let count = (request.count as usize).min(MAX_ROWS);
        let (total, mut rows, seqs) = self.with_view(request.view, |view| match &view.arranged {
            Arranged::Connections(connections) => {
                let (total, lives) = connections.list(request.from as usize, count);
                let seqs: Vec<u64> =
                    lives.iter().flat_map(|(_, life)| [life.begun.unwrap_or(0), life.newest().unwrap_or(0)]).collect();
                let row = |(connection, life): &(u32, &super::connections::Life)| ConnectionRow {
                    connection: *connection,
                    source: life.source.to_string(),
                    client: life.client.to_string(),
                    rows: life.len() as u32,
                    begun: None,
                    newest: None,
                    ended: life.ended.is_some(),
                };
                (total, lives.iter().map(row).collect::<Vec<_>>(), seqs)
            }
            Arranged::Feed | Arranged::Topics(_) => (0, vec![], vec![]),
        })?;
        let mut lines = self.read(&seqs).into_iter();
        for row in &mut rows {
            row.begun = lines.next().flatten();
            row.newest = lines.next().flatten();
        }
        Some(ConnectionRows { total: total as u32, rows })
    }

    /// Rows of one client's life, oldest first.
    pub fn connection_rows(&self, request: &ConnectionRowsRequest) -> Option<TitledRows> {
        let count = (request.count as usize).min(MAX_ROWS);
        let (total, seqs) = self.with_view(request.view, |view| match &view.arranged {
            Arranged::Connections(connections) => {
                let life = connections.life(request.connection)?;
                Some((life.len(), life.rows(request.from as usize, count)))
            }
            Arranged::Feed | Arranged::Topics(_) => None,
        })??;
        let found = find_all(&self.ring(), &seqs);
        let titled = |event: &Event| TitledRow { title: detail::title(&event.kind).to_owned(), row: row(event) };
        let rows = found.iter().flatten().filter_map(|(segment, slot)| segment.get(*slot)).map(titled);
        Some(TitledRows { total: total as u32, rows: rows.collect() })
    }

    /// Brings all views up to date. Gives back up to where segments have their index, the views that changed, and the
    /// bytes that views hold.
    pub(super) fn tick_views(&self, usage: Usage) -> (u64, Vec<ViewFrame>, usize) {
        let (open, rate, indexed) = {
            let mut views = lock(&self.inner.views);
            views.measure(usage.recorded, Instant::now());
            let open: Vec<_> = views.open.iter().map(|(number, view)| (*number, view.clone())).collect();
            (open, views.rate, views.indexed)
        };
        let mut frames = vec![];
        let mut bytes = 0;
        for (number, shared) in open {
            let mut view = lock(&shared);
            self.catch_up(&mut view);
            bytes += view.bytes();
            let frame = self.told(view.frame(number), rate, usage);
            if view.changed(&frame) {
                frames.push(frame);
            }
        }
        (indexed, frames, bytes)
    }
}

fn find_all(ring: &Ring, seqs: &[u64]) -> Vec<Option<(Arc<Segment>, usize)>> {
    seqs.iter().map(|seq| ring.find(*seq)).collect()
}

fn topic_row(branch: Option<&str>, child: Branch, last: Option<Row>) -> TopicRow {
    TopicRow {
        topic: branch.map_or_else(|| child.name.clone(), |branch| format!("{branch}/{}", child.name)),
        name: child.name,
        own: child.own,
        below: child.below,
        children: child.children,
        rate: child.rate,
        last_at: child.last_at,
        last,
        retained: child.retained,
    }
}
