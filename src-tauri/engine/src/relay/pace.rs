//! Pace inside the plan's clock minute: what is left of the allowance is spread over what is left of the minute, with a
//! small burst. Minutes are anchored to the wall clock once and then counted by the monotonic one, so that a clock that is
//! set does not matter. Time comes in as an argument.

use super::meter::Quota;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MINUTE: Duration = Duration::from_secs(60);
// Of the allowance: what may go at once.
const BURST: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Pace {
    limit: u32,
    allowance: u32,
    used: u32,
    tokens: f64,
    minute: Instant,
    refilled: Instant,
    // Whether requests waited for it lately.
    waited: bool,
}

impl Pace {
    /// `limit` requests a minute are the plan's, `allowance` ours.
    pub(super) fn new(limit: u32, allowance: u32, now: Instant, wall: SystemTime) -> Self {
        let into =
            Duration::from_millis((wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() % 60_000) as u64);
        let minute = now.checked_sub(into).unwrap_or(now);
        // What an earlier run used of this minute is not known: at most what was due until now.
        let used = (f64::from(allowance) * into.as_secs_f64() / 60.0) as u32;
        let mut pace = Self { limit, allowance, used, tokens: 0.0, minute, refilled: now, waited: false };
        pace.tokens = pace.burst().min(f64::from(allowance - used));
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
        self.waited = true;
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
        self.used += 1;
        self.tokens -= 1.0;
    }

    /// How the minute stands.
    pub(super) fn quota(&mut self, now: Instant) -> Quota {
        self.refill(now);
        let resets_at = SystemTime::now() + (self.minute + MINUTE).saturating_duration_since(now);
        let pacing = std::mem::take(&mut self.waited);
        Quota { limit: self.limit, allowance: self.allowance, used: self.used, resets_at, pacing }
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
        let mut pace = Pace::new(1_000, 900, begin, UNIX_EPOCH + Duration::from_secs(600));
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
    fn it_starts_in_the_middle_of_a_minute_as_if_it_had_been_at_work() {
        let begin = Instant::now() + Duration::from_secs(100);
        let mut pace = Pace::new(600, 600, begin, UNIX_EPOCH + Duration::from_secs(630));
        let quota = pace.quota(begin);
        assert_eq!((quota.used, quota.pacing), (300, false));
        assert!(run(&mut pace, begin, 30.0).len() <= 300);
        assert!(pace.quota(begin + Duration::from_secs(29)).pacing);
    }

    #[test]
    fn one_a_minute_is_possible() {
        let begin = Instant::now();
        let mut pace = Pace::new(1, 1, begin, UNIX_EPOCH);
        assert_eq!(run(&mut pace, begin, 121.0).len(), 3);
    }
}
