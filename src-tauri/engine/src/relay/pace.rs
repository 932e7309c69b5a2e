//! Pace inside the plan's clock minute: what is left of the allowance is spread over what is left of the minute, with a
//! small burst. Time comes in as an argument.

use std::time::{Duration, Instant};

/// What the platform counts by.
pub(super) const MINUTE: Duration = Duration::from_secs(60);
// Of the allowance: what may go at once.
const BURST: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Pace {
    allowance: u32,
    used: u32,
    tokens: f64,
    minute: Instant,
    refilled: Instant,
}

impl Pace {
    /// `allowance` requests a minute, of which `used` went in the one that began at `minute`.
    pub(super) fn new(allowance: u32, used: u32, minute: Instant, now: Instant) -> Self {
        let mut pace = Self { allowance, used, tokens: 0.0, minute, refilled: now };
        pace.tokens = pace.burst().min(f64::from(allowance.saturating_sub(used)));
        pace
    }

    fn burst(&self) -> f64 {
        (f64::from(self.allowance) * BURST).max(1.0)
    }

    fn refill(&mut self, now: Instant) {
        while now.duration_since(self.minute) >= MINUTE {
            self.minute += MINUTE;
            (self.used, self.tokens) = (0, self.burst());
            self.refilled = self.refilled.max(self.minute);
        }
        let left = MINUTE.saturating_sub(self.refilled.duration_since(self.minute)).as_secs_f64();
        let due = f64::from(self.allowance) - f64::from(self.used) - self.tokens;
        let part = now.duration_since(self.refilled).as_secs_f64() / left.max(0.001);
        self.tokens = (self.tokens + due.max(0.0) * part.min(1.0)).min(self.burst());
        self.refilled = now;
    }

    /// Whether a request may go now; if not, when.
    pub(super) fn ready(&mut self, now: Instant) -> Result<(), Instant> {
        self.refill(now);
        if self.tokens >= 1.0 && self.used < self.allowance {
            return Ok(());
        }
        let ends = self.minute + MINUTE;
        let due = f64::from(self.allowance.saturating_sub(self.used)) - self.tokens;
        if self.used >= self.allowance || due <= 0.0 {
            return Err(ends);
        }
        let left = ends.saturating_duration_since(now).as_secs_f64();
        let wait = (1.0 - self.tokens) / due * left;
        // A little later than computed, so that it is true then.
        Err((now + Duration::from_secs_f64(wait.min(left)) + Duration::from_millis(1)).min(ends))
    }

    /// A request went out.
    pub(super) fn spent(&mut self) {
        self.used = self.used.saturating_add(1);
        self.tokens -= 1.0;
    }

    /// Nothing goes at once until it is due.
    pub(super) fn drained(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
    }

    /// Requests that may still go in this minute.
    pub(super) fn left(&mut self, now: Instant) -> u32 {
        self.refill(now);
        self.allowance.saturating_sub(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as soon as allowed for `seconds`; returns the seconds at which requests went.
    fn run(pace: &mut Pace, begin: Instant, seconds: f64) -> Vec<f64> {
        let (mut now, mut sent) = (begin, vec![]);
        while now.duration_since(begin).as_secs_f64() < seconds {
            match pace.ready(now) {
                Ok(()) => {
                    pace.spent();
                    sent.push(now.duration_since(begin).as_secs_f64());
                }
                Err(at) => now = at.max(now + Duration::from_micros(1)),
            }
        }
        sent
    }

    #[test]
    fn a_full_minute_is_used_up_evenly_and_never_exceeded() {
        let begin = Instant::now();
        let mut pace = Pace::new(900, 0, begin, begin);
        let sent = run(&mut pace, begin, 180.0);
        for minute in 0..3 {
            let within = |from: f64, to: f64| sent.iter().filter(|at| (from..to).contains(*at)).count();
            let start = f64::from(minute) * 60.0;
            let count = within(start, start + 60.0);
            assert!((850..=900).contains(&count), "{count} in minute {minute}");
            assert!(within(start + 50.0, start + 60.0) > 80, "the end of the minute is not silent");
        }
        assert!(sent.iter().filter(|at| **at < 1.0).count() <= 110, "the burst is small");
    }

    #[test]
    fn what_was_used_before_counts() {
        let begin = Instant::now() + Duration::from_secs(100);
        let mut pace = Pace::new(600, 300, begin - Duration::from_secs(30), begin);
        assert!(run(&mut pace, begin, 30.0).len() <= 300);
        let mut used_up = Pace::new(600, 700, begin, begin);
        assert_eq!((used_up.ready(begin), used_up.left(begin)), (Err(begin + MINUTE), 0));
    }

    #[test]
    fn drained_it_goes_on_without_a_burst() {
        let begin = Instant::now();
        let mut pace = Pace::new(600, 0, begin, begin);
        pace.drained(begin + Duration::from_secs(1));
        assert!(pace.ready(begin + Duration::from_secs(1)).is_err());
        let sent = run(&mut pace, begin + Duration::from_secs(1), 59.0).len();
        assert!((595..=600).contains(&sent), "{sent}: the whole minute is still used");
    }

    #[test]
    fn one_a_minute_is_possible() {
        let begin = Instant::now();
        let mut pace = Pace::new(1, 0, begin, begin);
        assert_eq!(run(&mut pace, begin, 121.0).len(), 3);
    }
}
