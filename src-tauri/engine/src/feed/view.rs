//! One view: a filter, and the numbers of the events it selects. Knows nothing of time, locks or pages.

use super::event::{Event, Kind};
use super::row;
use crate::api::wire::{KindGroup, ViewFilter, ViewFrame};
use std::collections::VecDeque;

pub(super) struct View {
    kinds: Vec<KindGroup>,
    needle: String,
    rows: VecDeque<u64>,
    // Every event below this number was looked at.
    scanned: u64,
    // Events below this number were cleared away.
    begin: u64,
    // While paused: rows at and above this number wait.
    frozen_at: Option<u64>,
    last_frame: Option<ViewFrame>,
}

impl View {
    pub(super) fn new(filter: &ViewFilter) -> Self {
        Self {
            kinds: filter.kinds.clone(),
            needle: filter.text.trim().to_lowercase(),
            rows: VecDeque::new(),
            scanned: 0,
            begin: 0,
            frozen_at: None,
            last_frame: None,
        }
    }

    /// Takes over what a change of filter must not change: what was cleared, and the pause.
    pub(super) fn inherit(&mut self, old: &Self) {
        self.begin = old.begin;
        self.frozen_at = old.frozen_at;
    }

    pub(super) fn catch_up(&mut self, events: &VecDeque<Event>, first_seq: u64, next_seq: u64) {
        while self.rows.front().is_some_and(|seq| *seq < first_seq) {
            self.rows.pop_front();
        }
        let from = self.scanned.max(self.begin).max(first_seq);
        for event in events.iter().skip((from - first_seq) as usize) {
            if self.selects(event) {
                self.rows.push_back(event.seq);
            }
        }
        self.scanned = next_seq;
    }

    fn selects(&self, event: &Event) -> bool {
        if !self.kinds.is_empty() && !self.kinds.iter().any(|chip| row::is_in(&event.kind, *chip)) {
            return false;
        }
        if self.needle.is_empty() {
            return true;
        }
        let has = |text: &str| contains(text.as_bytes(), &self.needle);
        has(&event.client)
            || has(&event.source)
            || has(row::topic(&event.kind))
            || has(row::word(&event.kind))
            || match &event.kind {
                Kind::Publish { payload, .. } => contains(payload, &self.needle),
                other => has(&row::preview(other)),
            }
    }

    pub(super) fn visible(&self) -> usize {
        match self.frozen_at {
            Some(at) => self.rows.partition_point(|seq| *seq < at),
            None => self.rows.len(),
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.rows.len() - self.visible()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.frozen_at.is_some()
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        match (paused, self.frozen_at) {
            (true, None) => self.frozen_at = Some(self.scanned),
            (false, Some(_)) => self.frozen_at = None,
            (true, Some(_)) | (false, None) => {}
        }
    }

    pub(super) fn clear(&mut self, next_seq: u64) {
        self.rows.clear();
        self.begin = next_seq;
        self.scanned = next_seq;
        if self.frozen_at.is_some() {
            self.frozen_at = Some(next_seq);
        }
    }

    /// Numbers of visible rows, newest first.
    pub(super) fn newest(&self, from: usize, count: usize) -> impl Iterator<Item = u64> + '_ {
        let end = self.visible().saturating_sub(from);
        let begin = end.saturating_sub(count);
        self.rows.range(begin..end).rev().copied()
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

/// Whether `haystack` contains `needle`, which is in lower case. ASCII letters match in either case in any bytes; other
/// letters match in either case in UTF-8 text.
fn contains(haystack: &[u8], needle: &str) -> bool {
    if needle.is_ascii() {
        let needle = needle.as_bytes();
        return haystack.len() >= needle.len()
            && haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle));
    }
    std::str::from_utf8(haystack).is_ok_and(|text| text.to_lowercase().contains(needle))
}
