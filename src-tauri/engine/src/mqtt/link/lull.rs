//! Leaving a busy connection alone for a millisecond between reads: one read then takes many packets, and whoever reads
//! wakes once for all of them. Nothing comes later than that millisecond or two, and a quiet connection is read at once.
//!
//! A broker that sends only so many messages ahead of their acknowledgements would be slowed down by it. Therefore the
//! rate with and without is compared again and again; where it makes a difference there is none for a second.

use std::time::{Duration, Instant};

// The timer has milliseconds, and rounds up.
const LULL: Duration = Duration::from_millis(1);
// Packets by which a rate is told.
const FEW: u32 = 4;
// How long a rate is measured at least, and how long what was found is held for true.
const TRIAL: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// When to read and when not to. The clock is the caller's.
pub(super) struct Lull {
    // Much is so many packets in this time.
    stretch: Duration,
    // Since when packets are counted to see whether much comes.
    begun: Instant,
    packets: u32,
    trial: Trial,
}

/// Whether resting holds anything up.
struct Trial {
    rests: bool,
    begun: Instant,
    until: Instant,
    packets: u32,
    // Packets a second without resting, as last measured.
    free: f64,
    // How long it is rested next time.
    next: Duration,
}

impl Lull {
    /// Rests while more than `rate` packets a second come.
    pub(super) fn new(now: Instant, rate: u32) -> Self {
        let trial = Trial { rests: false, begun: now, until: now + TRIAL, packets: 0, free: 0.0, next: TRIAL };
        Self { stretch: Duration::from_secs(1) * FEW / rate, begun: now, packets: 0, trial }
    }

    /// A packet was taken out of what was read.
    pub(super) fn packet(&mut self) {
        self.packets = self.packets.saturating_add(1);
        self.trial.packets = self.trial.packets.saturating_add(1);
    }

    /// Everything that was read has been taken out, and there was no more. Until when to rest, if much came.
    pub(super) fn emptied(&mut self, now: Instant) -> Option<Instant> {
        self.trial.look(now);
        let since = now - self.begun;
        let much = self.packets >= FEW && since <= self.stretch * (self.packets / FEW);
        if !much && since < self.stretch {
            return None;
        }
        (self.begun, self.packets) = (now, 0);
        (much && self.trial.rests).then_some(now + LULL)
    }
}

impl Trial {
    fn look(&mut self, now: Instant) {
        if now < self.until {
            return;
        }
        let rate = f64::from(self.packets) / (now - self.begun).as_secs_f64();
        let lasts = if !self.rests {
            self.free = rate;
            self.next
        } else if rate * 1.25 < self.free {
            self.next = TRIAL;
            LONGEST
        } else {
            self.next = (self.next * 2).min(LONGEST);
            TRIAL
        };
        *self = Self { rests: !self.rests, begun: now, until: now + lasts, packets: 0, ..*self };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads for three seconds from a broker; `sends` says how many packets it has sent so many microseconds after the
    /// last read. Gives packets and reads.
    fn read(sends: impl Fn(u128) -> u32) -> (u32, u32) {
        let begin = Instant::now();
        let (mut lull, mut rest, mut last) = (Lull::new(begin, 2_000), begin, begin);
        let (mut packets, mut reads) = (0, 0);
        for now in (0..30_000).map(|step| begin + Duration::from_micros(100) * step) {
            let sent = sends((now - last).as_micros());
            if now < rest || sent == 0 {
                continue;
            }
            (last, packets, reads) = (now, packets + sent, reads + 1);
            (0..sent).for_each(|_| lull.packet());
            rest = lull.emptied(now).unwrap_or(now);
        }
        (packets, reads)
    }

    #[test]
    fn a_busy_connection_is_read_less_often() {
        let (packets, reads) = read(|micros| (micros / 100) as u32);
        assert!(packets >= 29_900 && reads < packets / 5, "{reads} reads of {packets} packets");
    }

    #[test]
    fn a_quiet_connection_is_read_at_once() {
        let (packets, reads) = read(|micros| (micros / 1_000) as u32);
        assert_eq!(packets, reads);
    }

    #[test]
    fn a_broker_that_waits_for_acknowledgements_is_not_slowed_down() {
        let (packets, _) = read(|micros| if micros >= 100 { 20 } else { 0 });
        assert!(packets > 600_000 / 20 * 18, "{packets} of 600,000");
    }
}
