//! The rows of a view by connection: one client's life, from its connect line to its end.
//!
//! What a front saw belongs to the life of its socket, by the number of the connection. Where only a client's name is
//! known, a life begins when the client is connected or refused, or with the first row that is kept of it, and ends when it
//! is refused or disconnected; while a socket's client is connected, what is told of it by name belongs to that life. Lives
//! are read in their order, also from events that the filter hides. Only lives with rows are told. Knows events and
//! numbers, no pages.

use super::event::{ConnectionId, Event, Kind};
use super::ring::Segment;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// Whose life it is.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    /// A socket's.
    Socket(ConnectionId),
    /// Somebody's, by source and client.
    Name(Arc<str>, Arc<str>),
}

impl Who {
    fn named(event: &Event) -> Self {
        Self::Name(event.source.clone(), event.client.clone())
    }
}

/// One client's life.
pub(super) struct Life {
    who: Who,
    pub(super) source: Arc<str>,
    pub(super) client: Arc<str>,
    /// Its connect line, also when the filter hides it.
    pub(super) begun: Option<u64>,
    /// Its last line.
    pub(super) ended: Option<u64>,
    rows: VecDeque<u64>,
}

/// All lives.
#[derive(Default)]
pub(super) struct Connections {
    // In the order in which they began.
    lives: BTreeMap<u32, Life>,
    open: HashMap<Who, u32>,
    next: u32,
    with_rows: usize,
    rows: usize,
}

fn begins(event: &Event) -> bool {
    matches!(event.kind, Kind::Connected { .. } | Kind::Refused { .. })
}

fn ends(event: &Event) -> bool {
    match event.connection {
        Some(_) => matches!(event.kind, Kind::Closed { .. }),
        None => matches!(event.kind, Kind::Disconnected { .. } | Kind::Refused { .. }),
    }
}

impl Connections {
    /// Reads a part of a segment; `rows` are the slots in it that the filter selects.
    pub(super) fn add(&mut self, segment: &Segment, part: Range<usize>, rows: &[u16]) {
        let mut rows = rows.iter().peekable();
        for slot in part {
            let Some(event) = segment.get(slot) else { return };
            let is_row = rows.next_if(|row| usize::from(**row) == slot).is_some();
            if is_row || begins(event) || ends(event) {
                self.live(event, is_row);
            }
        }
    }

    fn live(&mut self, event: &Event, is_row: bool) {
        let who = event.connection.map_or_else(|| Who::named(event), Who::Socket);
        let id = match self.open.get(&who).copied() {
            Some(id) if event.connection.is_some() || !begins(event) => id,
            // The end of something nothing is known of.
            None if !is_row && !begins(event) => return,
            open => {
                if let Some(id) = open {
                    self.close(id);
                }
                self.begin(who.clone(), event)
            }
        };
        if event.connection.is_some() && matches!(event.kind, Kind::Connected { .. }) {
            self.open.insert(Who::named(event), id);
        }
        if let Some(life) = self.lives.get_mut(&id) {
            if event.connection.is_some() {
                // Its name is known from its CONNECT on.
                life.client = event.client.clone();
            }
            if begins(event) {
                life.begun.get_or_insert(event.seq);
            }
            if is_row {
                self.with_rows += usize::from(life.rows.is_empty());
                self.rows += 1;
                life.rows.push_back(event.seq);
            }
            if ends(event) {
                life.ended = Some(event.seq);
                let name = Who::Name(life.source.clone(), life.client.clone());
                self.open.remove(&life.who);
                if self.open.get(&name) == Some(&id) {
                    self.open.remove(&name);
                }
                self.close(id);
            }
        }
    }

    fn begin(&mut self, who: Who, event: &Event) -> u32 {
        let id = self.next;
        self.next += 1;
        let (source, client) = (event.source.clone(), event.client.clone());
        let life = Life { who: who.clone(), source, client, begun: None, ended: None, rows: VecDeque::new() };
        self.lives.insert(id, life);
        self.open.insert(who, id);
        id
    }

    /// A life to which nothing comes any more is kept for its rows only.
    fn close(&mut self, id: u32) {
        if self.lives.get(&id).is_some_and(|life| life.rows.is_empty()) {
            self.lives.remove(&id);
        }
    }

    /// Forgets rows below a number.
    pub(super) fn evict(&mut self, first_seq: u64) {
        let (open, with_rows, rows) = (&self.open, &mut self.with_rows, &mut self.rows);
        self.lives.retain(|id, life| {
            let before = life.rows.len();
            while life.rows.pop_front_if(|row| *row < first_seq).is_some() {}
            *rows -= before - life.rows.len();
            *with_rows -= usize::from(before > 0 && life.rows.is_empty());
            !life.rows.is_empty() || open.get(&life.who) == Some(id) && life.ended.is_none()
        });
    }

    /// Lives with rows, the newest first, and how many there are.
    pub(super) fn list(&self, from: usize, count: usize) -> (usize, Vec<(u32, &Life)>) {
        let listed = self.lives.iter().rev().filter(|(_, life)| !life.rows.is_empty());
        (self.with_rows, listed.skip(from).take(count).map(|(id, life)| (*id, life)).collect())
    }

    /// A life by its number.
    pub(super) fn life(&self, id: u32) -> Option<&Life> {
        self.lives.get(&id)
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        // 160: places in both maps, and the allocation of the rows.
        self.rows * 12 + self.lives.len() * (size_of::<Life>() + 160)
    }
}

impl Life {
    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Numbers of rows, oldest first.
    pub(super) fn rows(&self, from: usize, count: usize) -> Vec<u64> {
        self.rows.iter().skip(from).take(count).copied().collect()
    }

    /// Its newest row.
    pub(super) fn newest(&self) -> Option<u64> {
        self.rows.back().copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::wire::{ConnectionsRequest, Look};
    use crate::feed::Feed;
    use crate::feed::event::samples::connected;
    use relayscope_domain::filter::Filter;
    use std::time::{Duration, Instant, SystemTime};

    #[test]
    fn a_socket_has_one_life_whatever_its_client_is_called() {
        let feed = Feed::new(1 << 20);
        let seen = |connection, client: &str, kind| {
            let at = (SystemTime::now(), Instant::now());
            feed.record(Event::seen(&"s".into(), &client.into(), connection, at, kind));
        };
        // What the broker tells, which knows names only.
        let told = || {
            let kind = Kind::Note { failure: false, text: String::new() };
            feed.record(Event::now(&"s".into(), &"pump".into(), None, kind));
        };
        let accepted = || Kind::Accepted { listener: "TCP".into() };
        let (one, other) = (ConnectionId::next(), ConnectionId::next());
        seen(one, "127.0.0.1:5", accepted());
        seen(one, "pump", connected());
        told();
        // The same client on another socket, before the first is closed.
        seen(other, "127.0.0.1:6", accepted());
        seen(other, "pump", connected());
        seen(one, "pump", Kind::Disconnected { code: None, reason: String::new(), clean: false });
        let (received, sent) = ((0, 0), (0, 0));
        let closed = Kind::Closed { cause: String::new(), lasted: Duration::ZERO, received, sent, pings: 0 };
        seen(one, "pump", closed);
        told();
        let view = feed.open(None, &Filter::default(), Look::Connections).view;
        assert!(feed.look_behind(view, None));
        let found = feed.connections(&ConnectionsRequest { view, from: 0, count: 10 }).unwrap();
        let lives: Vec<_> = found.rows.iter().map(|row| (row.client.as_str(), row.rows, row.ended)).collect();
        assert_eq!(lives, [("pump", 3, false), ("pump", 5, true)]);
        assert!(found.rows.iter().all(|row| row.begun.as_ref().is_some_and(|begun| begun.kind == "connected")));
    }
}
