//! How many requests may be under way: found out by measuring. One more with each success while requests wait and answers
//! stay quick; half as many after a 429 or a time-out. Time comes in as an argument.

use std::time::{Duration, Instant};

const FIRST: f64 = 16.0;
// Up to here slow answers do not hold it back: a distant destination is slow by nature.
const FREE: f64 = 64.0;
// Answers that take this many times the quickest, and some milliseconds, come from a queue on the other side.
const SLOWER: f64 = 1.5;
const SLACK: Duration = Duration::from_millis(2);
const QUICK: Duration = Duration::from_millis(8);
// Several failures of one moment cut once.
const ONCE: Duration = Duration::from_secs(1);
// The quickest answer is forgotten after one to two of these: routes change.
const WINDOW: Duration = Duration::from_secs(1);
// Of fewer answers the quickest says little about the others.
const ENOUGH: u32 = 64;

#[derive(Debug)]
pub(super) struct Concurrency {
    limit: f64,
    most: f64,
    // Before the first cut one success adds one; afterwards a round of successes does.
    starting: bool,
    cut: Option<Instant>,
    average: f64,
    quickest: f64,
    quickest_now: f64,
    answers_now: u32,
    window: Option<Instant>,
}

impl Concurrency {
    pub(super) fn new(most: u16) -> Self {
        let most = f64::from(most.max(1));
        let quickest = f64::INFINITY;
        let limit = FIRST.min(most);
        Self {
            limit,
            most,
            starting: true,
            cut: None,
            average: 0.0,
            quickest,
            quickest_now: quickest,
            answers_now: 0,
            window: None,
        }
    }

    /// Requests allowed at once.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Whether answers take so little time that it is worth waiting for one.
    pub(super) fn is_quick(&self) -> bool {
        self.average < QUICK.as_secs_f64()
    }

    /// A request was answered well. `wanted` says whether it held others up.
    pub(super) fn answered(&mut self, took: Duration, wanted: bool, now: Instant) {
        let took = took.as_secs_f64();
        self.average = if self.average == 0.0 { took } else { self.average + (took - self.average) / 32.0 };
        self.quickest_now = self.quickest_now.min(took);
        self.answers_now += 1;
        if self.window.is_none_or(|begun| now.duration_since(begun) > WINDOW) {
            let enough = std::mem::take(&mut self.answers_now) >= ENOUGH;
            let quickest = std::mem::replace(&mut self.quickest_now, f64::INFINITY);
            self.quickest = if enough { quickest } else { f64::INFINITY };
            self.window = Some(now);
        }
        let quickest = if self.answers_now < ENOUGH { self.quickest } else { self.quickest.min(self.quickest_now) };
        let queueing = self.average > quickest * SLOWER + SLACK.as_secs_f64();
        if wanted && (self.limit < FREE || !queueing) {
            self.limit = (self.limit + if self.starting { 1.0 } else { 1.0 / self.limit }).min(self.most);
        }
    }

    /// The destination is asked for too much.
    pub(super) fn overloaded(&mut self, now: Instant) {
        if self.cut.is_none_or(|cut| now.duration_since(cut) > ONCE) {
            self.limit = (self.limit / 2.0).max(1.0);
            self.starting = false;
            self.cut = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_while_wanted_and_is_cut_once_a_moment() {
        let now = Instant::now();
        let mut at_once = Concurrency::new(500);
        assert_eq!(at_once.limit(), 16);
        for _ in 0..100 {
            at_once.answered(Duration::from_millis(50), false, now);
        }
        assert_eq!(at_once.limit(), 16, "nobody waited");
        for _ in 0..1_000 {
            at_once.answered(Duration::from_millis(50), true, now);
        }
        assert_eq!(at_once.limit(), 500);
        at_once.overloaded(now);
        at_once.overloaded(now);
        assert_eq!(at_once.limit(), 250);
        for _ in 0..249 {
            at_once.answered(Duration::from_millis(50), true, now);
        }
        assert_eq!(at_once.limit(), 250, "carefully after a cut");
        at_once.answered(Duration::from_millis(50), true, now);
        at_once.answered(Duration::from_millis(50), true, now);
        assert_eq!(at_once.limit(), 251);
        assert_eq!(Concurrency::new(4).limit(), 4);
    }

    #[test]
    fn answers_that_grow_slower_hold_it_back() {
        let now = Instant::now();
        let mut at_once = Concurrency::new(2_000);
        for step in 0..2_000u64 {
            // Each request more makes all slower: the other side has no more to give.
            at_once.answered(Duration::from_micros(500 + 100 * at_once.limit() as u64), true, now);
            assert!(at_once.limit() < 200, "{step}");
        }
    }
}
