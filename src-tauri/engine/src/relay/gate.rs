//! Whether anything may be sent: closes when everybody would fail, lets one probe through when the wait is over, and
//! opens when it is taken. Time comes in as an argument.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
// Failures in a row, on whatever lane, that count as a failing destination.
const IN_A_ROW: u32 = 20;
// A destination that took something this shortly before is not refusing everybody.
const MIXED: Duration = Duration::from_secs(2);
const STAYS_MIXED: Duration = Duration::from_secs(10);
// After refused credentials: a rare probe, in case it is mended over there.
const PAUSED: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Gate {
    closed_until: Option<Instant>,
    probing: bool,
    failures: u32,
    closings: u32,
    reopened: Option<Instant>,
    // Some are refused and some taken: each lane waits for itself.
    mixed_until: Option<Instant>,
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    /// Whether it would befall any other message as well.
    pub(super) everyone: bool,
    /// Whether there was an answer that said so; otherwise nobody answered.
    pub(super) said: bool,
    /// After which time the destination wants to be asked again, if it said so.
    pub(super) after: Option<Duration>,
}

impl Gate {
    /// How many requests may be under way now, given how many are and how many are allowed at all.
    pub(super) fn room(&self, in_flight: usize, limit: usize, now: Instant) -> usize {
        match self.closed_until {
            None => limit.saturating_sub(in_flight),
            Some(until) if now >= until && !self.probing && in_flight == 0 => 1,
            Some(_) => 0,
        }
    }

    /// A request goes out.
    pub(super) fn sent(&mut self) {
        if self.closed_until.is_some() {
            self.probing = true;
        }
    }

    /// Something was taken, or refused for its own sake: the destination is there. `true` when that opened the gate.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        self.failures = 0;
        self.closings = 0;
        self.probing = false;
        let opened = self.closed_until.take().is_some();
        if opened {
            self.reopened = Some(now);
        }
        opened
    }

    /// Whether the destination refuses some and takes others: it said no (`said`), shortly after it had taken something.
    fn is_mixed(&mut self, said: bool, now: Instant) -> bool {
        if said && self.reopened.is_some_and(|at| now.duration_since(at) < MIXED) {
            self.mixed_until = Some(now + STAYS_MIXED);
        }
        said && self.mixed_until.is_some_and(|until| now < until)
    }

    /// Something was not taken. Returns until when the gate is closed, when it is.
    pub(super) fn failed(&mut self, refusal: Refusal, now: Instant) -> Option<Instant> {
        let Refusal { everyone, said, after } = refusal;
        let everyone = everyone && !self.is_mixed(said, now);
        self.failures += 1;
        let was_probe = std::mem::take(&mut self.probing);
        if !everyone && self.failures < IN_A_ROW && self.closed_until.is_none() {
            return None;
        }
        // Requests that were under way together fail together: they close the gate once.
        if self.closed_until.is_none() || was_probe || (everyone && after.is_some()) {
            let wait = after.unwrap_or_else(|| (FIRST * 2u32.saturating_pow(self.closings.min(10))).min(LONGEST));
            let until = now + wait;
            self.closed_until = Some(self.closed_until.map_or(until, |closed| closed.max(until)));
            self.closings += 1;
        }
        self.closed_until
    }

    /// The credentials were refused.
    pub(super) fn refused(&mut self, now: Instant) -> Instant {
        self.probing = false;
        let until = now + PAUSED;
        self.closed_until = Some(until);
        until
    }

    /// When a closed gate lets a probe through.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.closed_until.filter(|_| !self.probing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY_THERE: Refusal = Refusal { everyone: true, said: false, after: None };
    const ONE_REFUSED: Refusal = Refusal { everyone: false, said: true, after: None };

    fn all_refused(seconds: u64) -> Refusal {
        Refusal { everyone: true, said: true, after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn one_probe_at_a_time_and_one_success_opens() {
        let now = Instant::now();
        let mut gate = Gate::default();
        assert_eq!(gate.room(10, 50, now), 40);
        let until = gate.failed(NOBODY_THERE, now).unwrap_or(now);
        assert_eq!(until, now + FIRST);
        assert_eq!(gate.failed(NOBODY_THERE, now), Some(until), "failing together closes once");
        assert_eq!(gate.room(0, 50, now), 0);
        assert_eq!(gate.room(0, 50, until), 1);
        assert_eq!(gate.room(3, 50, until), 0, "others are still under way");
        gate.sent();
        assert_eq!(gate.room(0, 50, until), 0);
        assert_eq!(gate.failed(NOBODY_THERE, until), Some(until + FIRST * 2));
        gate.sent();
        assert!(gate.answered(now));
        assert_eq!(gate.room(0, 50, now), 50);
    }

    #[test]
    fn one_bad_lane_does_not_close_it_but_a_failing_destination_does() {
        let now = Instant::now();
        let mut gate = Gate::default();
        for _ in 0..100 {
            assert_eq!(gate.failed(ONE_REFUSED, now), None);
            gate.answered(now);
        }
        for _ in 1..IN_A_ROW {
            assert_eq!(gate.failed(ONE_REFUSED, now), None);
        }
        assert!(gate.failed(ONE_REFUSED, now).is_some());
        let mut gate = Gate::default();
        assert_eq!(gate.failed(all_refused(8), now), Some(now + Duration::from_secs(8)));
        assert_eq!(gate.refused(now), now + PAUSED);
    }

    #[test]
    fn when_some_are_refused_and_others_taken_each_lane_waits_for_itself() {
        let now = Instant::now();
        let mut gate = Gate::default();
        assert!(gate.failed(all_refused(2), now).is_some());
        let later = now + Duration::from_secs(2);
        gate.sent();
        gate.answered(later);
        assert_eq!(gate.failed(all_refused(2), later), None);
        gate.answered(later);
        assert_eq!(gate.failed(all_refused(2), later + Duration::from_secs(5)), None);
        assert!(gate.failed(NOBODY_THERE, later).is_some(), "nobody there is nobody there");
        gate.answered(later + STAYS_MIXED);
        assert!(gate.failed(all_refused(2), later + STAYS_MIXED * 2).is_some());
    }
}
