//! Reading events of the history a page at a time, so that large payloads are never many in memory at once.

use super::HistoryError;
use super::stored::Stored;
use super::table::{Found, Table};
use crate::feed::filter::instant;
use relayscope_domain::filter::Filter;
use std::collections::HashMap;

/// Events that are read at once, at most.
pub(super) const EVENTS: usize = 500;
/// Bytes of payload that are read at once, at most; a larger payload is read alone.
pub(crate) const BYTES: u64 = 8_000_000;

/// The events that a filter may select, newest first.
pub(super) struct Candidates<'a> {
    table: &'a Table,
    filter: &'a Filter,
    before: i64,
    /// Found and not read yet, newest first.
    found: Vec<Found>,
    /// No others are to be found.
    last: bool,
}

impl<'a> Candidates<'a> {
    /// Those before number `before`.
    pub(super) fn before(table: &'a Table, filter: &'a Filter, before: i64) -> Self {
        Self { table, filter, before, found: vec![], last: false }
    }

    /// Whether all were read.
    pub(super) fn is_done(&self) -> bool {
        self.last && self.found.is_empty()
    }

    /// The next page, newest first; an empty one says nothing about whether there are others.
    pub(super) async fn next(&mut self) -> Result<Vec<Stored>, HistoryError> {
        if self.found.is_empty() && !self.last {
            self.found = self.table.candidates(self.filter, instant, self.before, EVENTS).await?;
            self.last = self.found.len() < EVENTS;
            self.before = self.found.last().map_or(self.before, |one| one.id);
        }
        let rest = self.found.split_off(fitting(self.found.iter().map(|one| one.bytes)));
        let ids: Vec<i64> = std::mem::replace(&mut self.found, rest).iter().map(|one| one.id).collect();
        let mut page = self.table.events(&ids).await?;
        page.reverse();
        Ok(page)
    }
}

/// The first of these events, oldest first and as far as they are kept, and how many of the numbers they are.
pub(super) async fn first(table: &Table, ids: &[i64]) -> Result<(Vec<Stored>, usize), HistoryError> {
    let ids = &ids[..ids.len().min(EVENTS)];
    let sizes: HashMap<i64, u64> = table.sizes(ids).await?.into_iter().map(|one| (one.id, one.bytes)).collect();
    let count = fitting(ids.iter().map(|id| sizes.get(id).copied().unwrap_or(0)));
    Ok((table.events(&ids[..count]).await?, count))
}

/// How many payloads of these sizes, in bytes, make a page: at least one of them.
fn fitting(sizes: impl Iterator<Item = u64>) -> usize {
    let mut bytes = 0;
    let fits = |(at, size): &(usize, u64)| {
        bytes += size;
        *at == 0 || bytes <= BYTES
    };
    sizes.enumerate().take_while(fits).count()
}
