//! What is remembered of each client: when it connected and was pushed out, how often it sends, what is not acknowledged.

use super::MINUTE;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Clients that are remembered; past it the one that was met first goes.
const CLIENTS: usize = 4_096;
/// Unacknowledged messages of a client.
const INFLIGHT: usize = 256;
/// Open connections of a client id.
const OPEN: usize = 16;
/// Moments that are remembered.
const MOMENTS: usize = 32;
/// Messages of a connection before its rhythm is judged.
const RHYTHM: usize = 6;

/// When something happened, lately.
#[derive(Debug, Default)]
pub(super) struct Moments(VecDeque<(i64, u64)>);

impl Moments {
    pub(super) fn add(&mut self, at: i64, event: u64) {
        if self.0.len() == MOMENTS {
            self.0.pop_front();
        }
        self.0.push_back((at, event));
    }

    /// How often within the minute before `now`, and the events.
    pub(super) fn recent(&self, now: i64) -> (usize, Vec<u64>) {
        let events: Vec<u64> = self.0.iter().filter(|(at, _)| now - at < MINUTE).map(|(_, event)| *event).collect();
        (events.len(), events)
    }
}

/// A message on its way: connection, whether the client sent it, packet identifier.
type Flight = (u64, bool, u16);

/// One client id.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) keep_alive: u16,
    pub(super) connects: Moments,
    pub(super) takeovers: Moments,
    open: Vec<u64>,
    sent_at: VecDeque<i64>,
    judged: bool,
    inflight: BTreeMap<Flight, (i64, u64)>,
}

impl Client {
    /// Another connection begins: its rhythm is not known yet.
    pub(super) fn begin(&mut self, keep_alive: u16) {
        self.keep_alive = keep_alive;
        self.sent_at.clear();
        self.judged = false;
    }

    /// Whether a connection of this client id is open.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// A connection was accepted.
    pub(super) fn opened(&mut self, connection: u64) {
        if self.open.len() == OPEN {
            self.open.remove(0);
        }
        self.open.push(connection);
    }

    pub(super) fn closed(&mut self, connection: u64) {
        self.open.retain(|open| *open != connection);
        self.inflight.retain(|(of, ..), _| *of != connection);
    }

    pub(super) fn sent(&mut self, flight: Flight, seen: (i64, u64)) {
        if self.inflight.len() < INFLIGHT {
            self.inflight.entry(flight).or_insert(seen);
        }
    }

    pub(super) fn acknowledged(&mut self, flight: Flight) {
        self.inflight.remove(&flight);
    }

    /// The client sent a message. Once for a connection, when it sends less often than its keep-alive: the seconds
    /// between two messages (the median) and how many PINGREQs that makes.
    pub(super) fn published(&mut self, at: i64) -> Option<(i64, i64)> {
        if self.judged || self.keep_alive == 0 {
            return None;
        }
        self.sent_at.push_back(at);
        if self.sent_at.len() <= RHYTHM {
            return None;
        }
        self.judged = true;
        let mut gaps: Vec<i64> =
            self.sent_at.iter().zip(self.sent_at.iter().skip(1)).map(|(one, next)| next - one).collect();
        gaps.sort_unstable();
        let median = gaps.get(gaps.len() / 2).copied().unwrap_or_default() / 1_000;
        let keep_alive = i64::from(self.keep_alive);
        (median >= 2 * keep_alive).then_some((median, median / keep_alive))
    }
}

/// All clients of a source.
#[derive(Debug, Default)]
pub(super) struct Table {
    clients: HashMap<String, Client>,
    order: VecDeque<String>,
}

impl Table {
    pub(super) fn of(&mut self, id: &str) -> &mut Client {
        if !self.clients.contains_key(id) {
            if self.order.len() >= CLIENTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.clients.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        self.clients.entry(id.to_owned()).or_default()
    }

    /// Messages sent before `before` and not acknowledged; each is told once.
    pub(super) fn overdue(&mut self, before: i64) -> Vec<(String, u64, i64, u64)> {
        let mut overdue = vec![];
        for (id, client) in &mut self.clients {
            client.inflight.retain(|(connection, ..), (at, event)| {
                let late = *at <= before;
                if late {
                    overdue.push((id.clone(), *connection, *at, *event));
                }
                !late
            });
        }
        overdue
    }
}
