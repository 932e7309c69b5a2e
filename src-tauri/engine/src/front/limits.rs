//! Limits, counted: who is over one gets to know by a reason code, and the feed by how much. Fronts that share a meter
//! share their limits.

use relayscope_domain::listener::BrokerLimits;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

const SLOTS: usize = 60;

/// A limit that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What is limited, in words.
    pub what: &'static str,
    /// How much is allowed.
    pub limit: u64,
    /// How much there was.
    pub reached: u64,
    /// Reason code of MQTT 5 (section 2.4).
    pub code: u8,
}

/// Counts against limits.
#[derive(Debug)]
pub struct Meter {
    limits: BrokerLimits,
    /// Connections that are open.
    open: AtomicUsize,
    begin: Instant,
    connects: Window,
    publishes: Window,
    receives: Window,
}

impl Meter {
    /// A meter that has seen nothing yet.
    pub fn new(limits: BrokerLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: AtomicUsize::new(0),
            begin: Instant::now(),
            connects: Window::default(),
            publishes: Window::default(),
            receives: Window::default(),
        })
    }

    /// Counts an open connection for as long as the answer lives.
    pub(super) fn opens(self: &Arc<Self>) -> Open {
        Open { others: self.open.fetch_add(1, Ordering::Relaxed), meter: self.clone() }
    }

    /// What is counted against.
    pub(crate) fn limits(&self) -> &BrokerLimits {
        &self.limits
    }

    /// A connection comes while `open` others are open.
    pub(super) fn connect(&self, open: usize) -> Result<(), Excess> {
        if let Some(limit) = self.limits.connections.filter(|limit| open >= *limit as usize) {
            let reached = open as u64 + 1;
            return Err(Excess { what: "connections at the same time", limit: limit.into(), reached, code: 0x97 });
        }
        self.count(&self.connects, self.limits.connections_per_minute, "connections in a minute", 0x9f)
    }

    /// A PUBLISH comes from a client.
    pub(super) fn publish(&self) -> Result<(), Excess> {
        self.count(&self.publishes, self.limits.publishes_per_minute, "messages from clients in a minute", 0x96)
    }

    /// A PUBLISH goes to a client.
    pub(super) fn receive(&self) -> Result<(), Excess> {
        self.count(&self.receives, self.limits.receives_per_minute, "messages to clients in a minute", 0x97)
    }

    /// A packet of so many bytes comes.
    pub(super) fn packet(&self, bytes: usize) -> Result<(), Excess> {
        within(self.limits.packet_bytes, bytes, "bytes of a packet", 0x95)
    }

    /// A client has so many subscriptions.
    pub(super) fn subscriptions(&self, count: usize) -> Result<(), Excess> {
        within(self.limits.subscriptions, count, "subscriptions of a client", 0x97)
    }

    /// So many bytes wait for a client that does not read.
    pub(super) fn waiting(&self, bytes: usize) -> Result<(), Excess> {
        within(self.limits.slow_reader_bytes, bytes, "bytes that wait for a client that does not read", 0x97)
    }

    fn count(&self, window: &Window, limit: Option<u32>, what: &'static str, code: u8) -> Result<(), Excess> {
        let Some(limit) = limit else { return Ok(()) };
        let reached = window.add(self.begin.elapsed().as_secs(), limit);
        if reached <= u64::from(limit) { Ok(()) } else { Err(Excess { what, limit: limit.into(), reached, code }) }
    }
}

/// Clients that were turned away or cut by a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// Refused when they came.
    pub refused: u64,
    /// Cut later.
    pub cut: u64,
}

impl std::ops::Add for Turned {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { refused: self.refused + more.refused, cut: self.cut + more.cut }
    }
}

/// Counts [`Turned`]; clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<[AtomicU64; 2]>);

impl Turns {
    pub(super) fn refused(&self) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn cut(&self) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> Turned {
        let [refused, cut] = [0, 1].map(|at: usize| self.0[at].load(Ordering::Relaxed));
        Turned { refused, cut }
    }
}

/// An open connection.
pub(super) struct Open {
    /// How many others were open when it came.
    pub(super) others: usize,
    meter: Arc<Meter>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.meter.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn within(limit: Option<u32>, reached: usize, what: &'static str, code: u8) -> Result<(), Excess> {
    match limit {
        Some(limit) if reached > limit as usize => {
            Err(Excess { what, limit: limit.into(), reached: reached as u64, code })
        }
        _ => Ok(()),
    }
}

/// What happened in the last sixty seconds.
#[derive(Debug)]
struct Window(Mutex<Slots>);

#[derive(Debug)]
struct Slots {
    second: u64,
    counts: [u32; SLOTS],
    total: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self(Mutex::new(Slots { second: 0, counts: [0; SLOTS], total: 0 }))
    }
}

impl Window {
    /// Counts one more in this second and returns how many there would be. What is over `limit` is not counted, so that
    /// whoever is turned away does not turn others away.
    fn add(&self, second: u64, limit: u32) -> u64 {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = second.saturating_sub(slots.second).min(SLOTS as u64);
        for step in 1..=passed {
            let at = ((slots.second + step) % SLOTS as u64) as usize;
            slots.total -= u64::from(std::mem::take(&mut slots.counts[at]));
        }
        slots.second = slots.second.max(second);
        let reached = slots.total + 1;
        if reached <= u64::from(limit) {
            let at = (slots.second % SLOTS as u64) as usize;
            slots.counts[at] += 1;
            slots.total = reached;
        }
        reached
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_after_a_minute() {
        let window = Window::default();
        assert_eq!((window.add(0, 2), window.add(30, 2), window.add(59, 2)), (1, 2, 3));
        assert_eq!(window.add(60, 2), 2, "the first is a minute old");
        assert_eq!(window.add(61, 2), 3);
        assert_eq!(window.add(100, 2), 2);
        assert_eq!(window.add(10_000, 2), 1, "a long silence");
        assert_eq!(window.add(9_999, 2), 2, "a second that was asked for late");
    }

    #[test]
    fn each_limit_has_its_code() {
        let all = BrokerLimits {
            connections: Some(1),
            connections_per_minute: Some(1),
            publishes_per_minute: Some(1),
            receives_per_minute: Some(1),
            packet_bytes: Some(1),
            subscriptions: Some(1),
            slow_reader_bytes: Some(1),
            ..BrokerLimits::UNLIMITED
        };
        let meter = Meter::new(all);
        meter.connect(0).unwrap();
        meter.publish().unwrap();
        meter.receive().unwrap();
        let codes = [
            meter.connect(1),
            meter.connect(0),
            meter.publish(),
            meter.receive(),
            meter.packet(2),
            meter.subscriptions(2),
            meter.waiting(2),
        ];
        let codes = codes.map(|result| result.unwrap_err()).map(|excess| (excess.code, excess.limit, excess.reached));
        assert_eq!(codes.map(|(_, limit, reached)| (limit, reached)), [(1, 2); 7]);
        assert_eq!(codes.map(|(code, ..)| code), [0x97, 0x9f, 0x96, 0x97, 0x95, 0x97, 0x97]);
        let none = Meter::new(BrokerLimits::UNLIMITED);
        assert!(none.connect(9_999).is_ok() && none.packet(usize::MAX).is_ok() && none.publish().is_ok());
    }
}
