//! Leaving a busy connection alone for a millisecond between reads: one read then takes many packets, and whoever reads
//! wakes once for all of them. Nothing comes later than that millisecond or two, and a quiet connection is read at once.
//!
//! A broker that sends only so many messages ahead of their acknowledgements would be slowed down by it. Its reads all
//! bring the same number, and then there is no lull for a second.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

// The timer has milliseconds, and rounds up.
const LULL: Duration = Duration::from_millis(1);
// Packets by which a rate is told, and in what time they must come: 2,000 a second.
const FEW: u32 = 4;
const STRETCH: Duration = Duration::from_millis(2);
// After so many lulls that brought the same.
const ALIKE: u32 = 8;
const OFF: Duration = Duration::from_secs(1);

/// When to read and when not to.
pub(super) struct Lull {
    // Since when packets are counted.
    begun: Instant,
    packets: u32,
    rest: Pin<Box<Sleep>>,
    resting: bool,
    last: u32,
    alike: u32,
    off_until: Instant,
}

impl Lull {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            packets: 0,
            rest: Box::pin(sleep(Duration::ZERO)),
            resting: false,
            last: 0,
            alike: 0,
            off_until: now,
        }
    }

    /// A packet was taken out of what was read.
    pub(super) fn packet(&mut self) {
        self.packets = self.packets.saturating_add(1);
    }

    /// Everything that was read has been taken out, and there was no more: rests if much came.
    pub(super) fn emptied(&mut self) {
        let now = Instant::now();
        let since = now - self.begun;
        if self.is_much(since) {
            self.resting = self.goes_on(now);
            if self.resting {
                self.rest.as_mut().reset(now + LULL);
            }
        } else if since < STRETCH {
            return;
        }
        (self.begun, self.packets) = (now, 0);
    }

    fn is_much(&self, since: Duration) -> bool {
        self.packets >= FEW && since <= STRETCH * (self.packets / FEW)
    }

    /// Whether what comes is not held up by resting.
    fn goes_on(&mut self, now: Instant) -> bool {
        self.alike = if self.packets == self.last { self.alike + 1 } else { 0 };
        self.last = self.packets;
        if self.alike >= ALIKE {
            self.alike = 0;
            self.off_until = now + OFF;
        }
        now >= self.off_until
    }

    /// Whether nothing is to be read yet; the task is woken when that ends.
    pub(super) fn rests(&mut self, cx: &mut Context<'_>) -> bool {
        self.resting = self.resting && self.rest.as_mut().poll(cx) == Poll::Pending;
        self.resting
    }
}
