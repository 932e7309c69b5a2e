//! One view: a filter, and where the events are that it selects. Knows nothing of locks or pages.
//!
//! What was recorded before the view was opened lies [`View::behind`] it and is looked through segment by segment, the
//! newest first; what is recorded later is caught up with. Rows are kept by segment, two bytes each, so that eviction is
//! one step and is counted.

use super::connections::Connections;
use super::event::Event;
use super::ring::{SLOTS, Segment};
use super::topics::Topics;
use crate::api::wire::{Look, ViewFrame};
use relayscope_domain::filter::{Compiled, Outcome, Subject};
use std::collections::VecDeque;
use std::sync::Arc;

/// What happened in a second, whatever time a filter asks for: the chart of rates shows what is around a span as well.
#[derive(Clone, Copy)]
struct Second {
    // Unix seconds.
    at: i64,
    rows: u32,
    // Of these, what went wrong.
    failed: u32,
}

/// Rows of one segment, or of a part of it.
struct Chunk {
    first: u64,
    // Ascending.
    slots: Box<[u16]>,
    // As they follow each other.
    seconds: Box<[Second]>,
    // Rows by node of the topic tree.
    nodes: Box<[(u32, u32)]>,
}

/// What the rows are arranged as, besides as a list.
pub(super) enum Arranged {
    Feed,
    Topics(Box<Topics>),
    Connections(Box<Connections>),
}

pub(super) struct View {
    pub(super) filter: Arc<Compiled>,
    pub(super) arranged: Arranged,
    chunks: VecDeque<Chunk>,
    rows: usize,
    // Recorded before the view was opened and not looked at yet, oldest first.
    behind: VecDeque<Arc<Segment>>,
    // Events in them when the view was opened.
    looked: u64,
    to_look: u64,
    // Events from here on are to be caught up with.
    scanned: u64,
    // Events below this number were cleared away.
    begin: u64,
    // While paused: rows at and above this number wait.
    frozen_at: Option<u64>,
    // Rows that were evicted.
    gone: u64,
    last_frame: Option<ViewFrame>,
}

/// A segment's events that a filter selects.
pub(super) struct Found {
    segment: Arc<Segment>,
    // Slots that were looked at.
    from: usize,
    to: usize,
    slots: Vec<u16>,
    seconds: Vec<Second>,
}

/// Looks through the events of a segment that are numbered from `from` to before `to`.
pub(super) fn look_through(filter: &Compiled, segment: Arc<Segment>, from: u64, to: u64) -> Found {
    let from = from.saturating_sub(segment.first) as usize;
    let to = (to.saturating_sub(segment.first) as usize).min(SLOTS);
    let timed = filter.asks_for_time();
    let (mut slots, mut seconds) = (vec![], vec![]);
    for (slot, event) in segment.events().enumerate().take(to).skip(from) {
        if filter.is_empty() || filter.selects_some_time(event) {
            count(&mut seconds, event);
            if !timed || filter.selects(event) {
                slots.push(slot as u16);
            }
        }
    }
    Found { from, to, slots, seconds, segment }
}

fn count(seconds: &mut Vec<Second>, event: &Event) {
    let at = Subject::at(event).div_euclid(1_000);
    let failed = u32::from(matches!(event.outcome(), Some(Outcome::Failed | Outcome::Lost | Outcome::Retry)));
    match seconds.last_mut() {
        Some(last) if last.at == at => {
            last.rows += 1;
            last.failed += failed;
        }
        _ => seconds.push(Second { at, rows: 1, failed }),
    }
}

impl View {
    /// A view of everything that `segments` hold below `next_seq`, and of what comes then.
    pub(super) fn new(filter: Compiled, look: Look, segments: Vec<Arc<Segment>>, next_seq: u64) -> Self {
        let first = segments.first().map_or(next_seq, |segment| segment.first);
        Self {
            filter: Arc::new(filter),
            arranged: match look {
                Look::Feed => Arranged::Feed,
                Look::Topics => Arranged::Topics(Box::default()),
                Look::Connections => Arranged::Connections(Box::default()),
            },
            chunks: VecDeque::new(),
            rows: 0,
            behind: segments.into(),
            looked: 0,
            to_look: next_seq - first,
            scanned: next_seq,
            begin: 0,
            frozen_at: None,
            gone: 0,
            last_frame: None,
        }
    }

    /// Takes over what a change of filter must not change: what was cleared, and the pause.
    pub(super) fn inherit(&mut self, old: &Self) {
        self.begin = old.begin;
        self.frozen_at = old.frozen_at;
        // What came during the pause is caught up with, so that it waits.
        self.scanned = self.scanned.min(old.frozen_at.unwrap_or(u64::MAX)).max(self.begin);
        let wanted = self.begin..self.scanned;
        self.behind.retain(|segment| segment.first + SLOTS as u64 > wanted.start && segment.first < wanted.end);
        self.to_look = self.behind.front().map_or(0, |segment| wanted.end - segment.first.max(wanted.start));
    }

    /// The next segment to look through, with the first and the last number (not included) that count.
    pub(super) fn next_behind(&mut self, first_seq: u64) -> Option<(Arc<Segment>, u64, u64)> {
        while let Some(segment) = if self.forward() { self.behind.pop_front() } else { self.behind.pop_back() } {
            if segment.first >= first_seq {
                return Some((segment, self.begin, self.scanned));
            }
        }
        self.looked = self.to_look;
        None
    }

    /// Lives are told in their order, so they are read from the oldest event on.
    fn forward(&self) -> bool {
        matches!(self.arranged, Arranged::Connections(_))
    }

    /// Takes in what was found in a segment that lay behind, unless it was evicted or cleared away since.
    pub(super) fn take_behind(&mut self, found: Found, begin: u64, first_seq: u64) {
        self.looked = (self.looked + (found.to - found.from) as u64).min(self.to_look);
        if found.segment.first < first_seq || begin != self.begin {
            return;
        }
        if let Some(chunk) = self.keep(found, false) {
            if self.forward() { self.chunks.push_back(chunk) } else { self.chunks.push_front(chunk) }
        }
        if self.behind.is_empty() {
            self.looked = self.to_look;
        }
    }

    /// Takes rows in; what is deferred is arranged when the view is resumed.
    fn keep(&mut self, found: Found, deferred: bool) -> Option<Chunk> {
        let nodes = if deferred { vec![] } else { self.arrange(&found) };
        let Found { segment, slots, seconds, .. } = found;
        if seconds.is_empty() {
            return None;
        }
        self.rows += slots.len();
        Some(Chunk { first: segment.first, slots: slots.into(), seconds: seconds.into(), nodes: nodes.into() })
    }

    fn arrange(&mut self, found: &Found) -> Vec<(u32, u32)> {
        let Found { segment, from, to, slots, .. } = found;
        match &mut self.arranged {
            Arranged::Feed => return vec![],
            Arranged::Topics(topics) => {
                return topics.add(slots.iter().filter_map(|slot| segment.get(*slot as usize)));
            }
            Arranged::Connections(connections) => connections.add(segment, *from..*to, slots),
        }
        vec![]
    }

    /// Arranges what came while the view was paused. `segments` hold everything from `at` on.
    fn arrange_deferred(&mut self, segments: Vec<Arc<Segment>>, at: u64) {
        for segment in segments {
            let first = segment.first;
            let is_of = |chunk: &Chunk| {
                chunk.first == first && chunk.slots.first().is_some_and(|slot| first + u64::from(*slot) >= at)
            };
            let parts = self.chunks.iter().filter(|chunk| is_of(chunk));
            let slots = parts.flat_map(|chunk| chunk.slots.iter().copied()).collect();
            let from = at.saturating_sub(first) as usize;
            let to = self.scanned.saturating_sub(first) as usize;
            let nodes = self.arrange(&Found { segment, from, to, slots, seconds: vec![] });
            if let Some(chunk) = self.chunks.iter_mut().rfind(|chunk| is_of(chunk)) {
                chunk.nodes = nodes.into();
            }
        }
    }

    /// Forgets what was evicted and looks at what came. `segments` hold everything from [`View::scanned`] on.
    pub(super) fn catch_up(&mut self, segments: Vec<Arc<Segment>>, first_seq: u64, next_seq: u64) {
        self.evict(first_seq);
        if self.forward() && !self.behind.is_empty() {
            return;
        }
        for segment in segments {
            let found = look_through(&self.filter, segment, self.scanned.max(self.begin), next_seq);
            if let Some(chunk) = self.keep(found, self.frozen_at.is_some()) {
                self.chunks.push_back(chunk);
            }
        }
        self.scanned = self.scanned.max(next_seq);
    }

    fn evict(&mut self, first_seq: u64) {
        while let Some(chunk) = self.chunks.pop_front_if(|chunk| chunk.first < first_seq) {
            self.rows -= chunk.slots.len();
            self.gone += chunk.slots.len() as u64;
            if let Arranged::Topics(topics) = &mut self.arranged {
                topics.remove(&chunk.nodes);
            }
        }
        if let Arranged::Connections(connections) = &mut self.arranged {
            connections.evict(first_seq);
        }
    }

    /// Events from this number on are still to be looked at.
    pub(super) fn scanned(&self) -> u64 {
        self.scanned
    }

    pub(super) fn waiting(&self) -> usize {
        let Some(at) = self.frozen_at else { return 0 };
        let mut waiting = 0;
        for chunk in self.chunks.iter().rev() {
            let frozen = chunk.slots.partition_point(|slot| chunk.first + u64::from(*slot) < at);
            waiting += chunk.slots.len() - frozen;
            if frozen > 0 {
                break;
            }
        }
        waiting
    }

    /// How many rows are shown.
    pub(super) fn visible(&self) -> usize {
        self.rows - self.waiting()
    }

    /// Where a pause began.
    pub(super) fn frozen_at(&self) -> Option<u64> {
        self.frozen_at
    }

    /// Freezes the view as it is.
    pub(super) fn pause(&mut self) {
        self.frozen_at.get_or_insert(self.scanned);
    }

    /// Goes on. `segments` hold everything from where the pause began.
    pub(super) fn resume(&mut self, segments: Vec<Arc<Segment>>) {
        if let Some(at) = self.frozen_at.take() {
            self.arrange_deferred(segments, at);
        }
    }

    pub(super) fn clear(&mut self, next_seq: u64) {
        self.chunks.clear();
        self.behind.clear();
        self.rows = 0;
        self.looked = self.to_look;
        self.begin = next_seq;
        self.scanned = next_seq;
        match &mut self.arranged {
            Arranged::Feed => {}
            Arranged::Topics(topics) => **topics = Topics::default(),
            Arranged::Connections(connections) => **connections = Connections::default(),
        }
        if self.frozen_at.is_some() {
            self.frozen_at = Some(next_seq);
        }
    }

    /// Numbers of visible rows, newest first.
    pub(super) fn newest(&self, from: usize, count: usize) -> Vec<u64> {
        let mut skip = from + self.waiting();
        let mut out = Vec::with_capacity(count);
        for chunk in self.chunks.iter().rev() {
            if skip >= chunk.slots.len() {
                skip -= chunk.slots.len();
                continue;
            }
            let slots = chunk.slots.iter().rev().skip(skip).take(count - out.len());
            out.extend(slots.map(|slot| chunk.first + u64::from(*slot)));
            skip = 0;
            if out.len() == count {
                break;
            }
        }
        out
    }

    /// How many visible rows are newer than an event.
    pub(super) fn place(&self, seq: u64) -> usize {
        let mut newer = 0;
        for chunk in self.chunks.iter().rev() {
            let older = chunk.slots.partition_point(|slot| chunk.first + u64::from(*slot) <= seq);
            newer += chunk.slots.len() - older;
            if older > 0 {
                break;
            }
        }
        newer.saturating_sub(self.waiting())
    }

    /// The second of its oldest row, whatever time the filter asks for.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.chunks.iter().find_map(|chunk| chunk.seconds.first()).map(|second| second.at)
    }

    /// Rows in each of `buckets` spans of `seconds` from second `from` on, and how many of them went wrong. What the filter
    /// says of time is left aside. While paused, those that wait count as well.
    pub(super) fn rate(&self, from: i64, seconds: u32, buckets: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut counts, mut failed) = (vec![0; buckets], vec![0; buckets]);
        for second in self.chunks.iter().flat_map(|chunk| chunk.seconds.iter()) {
            if let Ok(after) = usize::try_from(second.at - from) {
                let at = after / seconds.max(1) as usize;
                if let (Some(counts), Some(failed)) = (counts.get_mut(at), failed.get_mut(at)) {
                    *counts += second.rows;
                    *failed += second.failed;
                }
            }
        }
        (counts, failed)
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let of = |chunk: &Chunk| {
            // 48: three allocations.
            size_of::<Chunk>() + 48 + chunk.slots.len() * 2 + chunk.seconds.len() * 16 + chunk.nodes.len() * 8
        };
        let arranged = match &self.arranged {
            Arranged::Feed => 0,
            Arranged::Topics(topics) => topics.bytes(),
            Arranged::Connections(connections) => connections.bytes(),
        };
        self.chunks.iter().map(of).sum::<usize>() + arranged
    }

    /// What a page is told of it. What concerns the whole feed is filled in by the caller.
    pub(super) fn frame(&self, number: u32) -> ViewFrame {
        let waiting = self.waiting();
        ViewFrame {
            view: number,
            total: (self.rows - waiting) as u32,
            waiting: waiting as u32,
            paused: self.frozen_at.is_some(),
            looked: self.looked,
            to_look: self.to_look,
            gone: self.gone,
            recorded: 0,
            evicted: 0,
            not_taken: 0,
            rate: 0.0,
        }
    }

    /// Whether a page has to be told; remembers what it was told.
    pub(super) fn changed(&mut self, frame: &ViewFrame) -> bool {
        let changed = self.last_frame.as_ref() != Some(frame);
        if changed {
            self.last_frame = Some(frame.clone());
        }
        changed
    }
}
