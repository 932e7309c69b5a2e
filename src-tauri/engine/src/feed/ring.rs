//! The ring: events in segments that grow and are dropped as a whole.
//!
//! Readers take the segments they want under a short lock and read them without it: an event, once written, never
//! changes. Whoever records waits for an append at most, never for a reader. Bytes are counted as the allocator gives
//! them out, of events, slots and indexes alike. Knows nothing of views.

use super::event::Event;
use relayscope_domain::id::MessageId;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// Events of a full segment. More make fewer segments to look through, fewer make a shorter pause when one is dropped.
pub(super) const SLOTS: usize = 1_024;
/// Slots of a segment whose events are large.
const LEAST_SLOTS: usize = 8;
/// Into how many segments a budget is divided at least, so that dropping one is felt by nobody.
const PARTS: usize = 64;

/// Events that follow each other.
pub(super) struct Segment {
    /// Number of its first event.
    pub(super) first: u64,
    slots: Box<[OnceLock<Event>]>,
    // Of each event with a message: the id's mark above, the slot in the lowest 16 bits; sorted. Made once it is full.
    index: OnceLock<Box<[u64]>>,
}

impl Segment {
    fn new(first: u64, slots: usize) -> Self {
        Self { first, slots: (0..slots).map(|_| OnceLock::new()).collect(), index: OnceLock::new() }
    }

    /// Its events, oldest first, as far as they are written.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.slots.iter().map_while(OnceLock::get)
    }

    /// The event in a slot.
    pub(super) fn get(&self, slot: usize) -> Option<&Event> {
        self.slots.get(slot)?.get()
    }

    /// Slots of the events of a message, in their order; `full` says that nothing will be added.
    fn of_message(&self, id: MessageId, full: bool) -> Vec<usize> {
        let holds = |slot: &usize| self.get(*slot).is_some_and(|event| event.message_id == Some(id));
        if !full {
            return (0..self.slots.len()).take_while(|slot| self.get(*slot).is_some()).filter(holds).collect();
        }
        let index = self.index();
        let from = index.partition_point(|entry| *entry < mark(id));
        let marked = index[from..].iter().take_while(|entry| *entry & !0xffff == mark(id));
        marked.map(|entry| (entry & 0xffff) as usize).filter(holds).collect()
    }

    /// The index of its messages.
    pub(super) fn index(&self) -> &[u64] {
        self.index.get_or_init(|| {
            let ids = self.events().enumerate().filter_map(|(slot, event)| Some((slot, event.message_id?)));
            let mut entries: Vec<u64> = ids.map(|(slot, id)| mark(id) | slot as u64).collect();
            entries.sort_unstable();
            entries.into()
        })
    }
}

/// The low 48 bits of an id, which are random, above 16 bits for the slot.
fn mark(id: MessageId) -> u64 {
    (id.0.as_u128() as u64) << 16
}

/// All segments. The last one is being filled.
pub(super) struct Ring {
    segments: VecDeque<(Arc<Segment>, usize)>,
    // Events in the last segment, and the bytes they hold besides their slots.
    filled: usize,
    next_seq: u64,
    bytes: usize,
    budget: usize,
    // Bytes that views hold.
    beside: usize,
    not_taken: u64,
    // Before the first event.
    base: u64,
}

impl Ring {
    /// A ring whose first event has the number after `base`.
    pub(super) fn new(budget: usize, base: u64) -> Self {
        let segments = VecDeque::new();
        Self { segments, filled: 0, next_seq: base + 1, bytes: 0, budget, beside: 0, not_taken: 0, base }
    }

    /// Events recorded, and those of them that are no longer kept.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.next_seq - 1 - self.base, self.first_seq() - 1 - self.base)
    }

    /// Appends an event, unless it alone would take half of the budget: that is counted. Gives back what is to be
    /// dropped once the lock is given up.
    pub(super) fn push(&mut self, mut event: Event) -> Vec<Arc<Segment>> {
        let heap = event.heap();
        if heap > self.budget / 2 {
            self.not_taken += 1;
            return vec![];
        }
        // 8: its entry in the index.
        let cost = heap + if event.message_id.is_some() { 8 } else { 0 };
        let has_room = self.segments.back().is_some_and(|(segment, bytes)| {
            self.filled < segment.slots.len() && (self.filled == 0 || bytes + cost <= self.budget / PARTS)
        });
        if !has_room {
            self.begin(cost);
        }
        event.seq = self.next_seq;
        self.next_seq += 1;
        self.bytes += cost;
        if let Some((segment, bytes)) = self.segments.back_mut() {
            *bytes += cost;
            // The slot is free: `filled` counts those that were written.
            let _ = segment.slots[self.filled].set(event);
            self.filled += 1;
        }
        self.evict()
    }

    /// Begins a segment, with as many slots as its bytes will probably be enough for.
    fn begin(&mut self, cost: usize) {
        let each = cost.max(64) + size_of::<OnceLock<Event>>();
        let slots = (self.budget / PARTS / each).clamp(LEAST_SLOTS, SLOTS);
        let bytes = slots * size_of::<OnceLock<Event>>();
        self.segments.push_back((Arc::new(Segment::new(self.next_seq, slots)), bytes));
        self.bytes += bytes;
        self.filled = 0;
    }

    fn evict(&mut self) -> Vec<Arc<Segment>> {
        let limit = self.budget.saturating_sub(self.beside).max(self.budget / 4);
        let mut gone = vec![];
        while self.bytes > limit && self.segments.len() > 1 {
            let Some((segment, bytes)) = self.segments.pop_front() else { break };
            self.bytes -= bytes;
            gone.push(segment);
        }
        gone
    }

    /// Changes the budget; a smaller one evicts at once.
    pub(super) fn set_budget(&mut self, budget: usize) -> Vec<Arc<Segment>> {
        self.budget = budget;
        self.evict()
    }

    /// Says how many bytes views hold: they are part of the budget.
    pub(super) fn set_beside(&mut self, bytes: usize) -> Vec<Arc<Segment>> {
        self.beside = bytes;
        self.evict()
    }

    /// Number of the oldest event kept.
    pub(super) fn first_seq(&self) -> u64 {
        self.segments.front().map_or(self.next_seq, |(segment, _)| segment.first)
    }

    /// Number of the next event.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Bytes held, those of views included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.beside
    }

    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// Events that were too large for the budget.
    pub(super) fn not_taken(&self) -> u64 {
        self.not_taken
    }

    /// The segments that hold events from `seq` on, oldest first.
    pub(super) fn since(&self, seq: u64) -> Vec<Arc<Segment>> {
        let from = self.segments.partition_point(|(segment, _)| segment.first <= seq).saturating_sub(1);
        self.segments.range(from..).map(|(segment, _)| segment.clone()).collect()
    }

    /// Where an event is.
    pub(super) fn find(&self, seq: u64) -> Option<(Arc<Segment>, usize)> {
        let at = self.segments.partition_point(|(segment, _)| segment.first <= seq).checked_sub(1)?;
        let segment = &self.segments[at].0;
        let slot = (seq - segment.first) as usize;
        segment.get(slot).is_some().then(|| (segment.clone(), slot))
    }
}

/// Copies of a message's events among segments that follow each other, oldest first. The last segment may still grow.
pub(super) fn journey(segments: &[Arc<Segment>], id: MessageId) -> Vec<Event> {
    let last = segments.len().saturating_sub(1);
    let of = |(at, segment): (usize, &Arc<Segment>)| {
        let slots = segment.of_message(id, at < last);
        slots.into_iter().filter_map(|slot| segment.get(slot).cloned()).collect::<Vec<_>>()
    };
    segments.iter().enumerate().flat_map(of).collect()
}
