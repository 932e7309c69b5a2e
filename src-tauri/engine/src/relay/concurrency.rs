//! How many requests may be under way: found out by measuring. One more with each success while requests wait and answers
//! stay quick; fewer when answers show that requests queue; half as many after a 429 or a time-out. Time comes in as an
//! argument.
//!
//! What an answer takes when nothing is in its way is measured with few requests under way, and again every ten seconds:
//! measured among many, it would be taken for slow by nature, and their number would creep up.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

const FIRST: f64 = 16.0;
// Up to here slow answers do not hold it back: a distant destination is slow by nature.
const FREE: f64 = 64.0;
// Answers that take this many times as long as alone, and some milliseconds, waited in a queue, there or here.
const SLOWER: f64 = 2.0;
const SLACK: Duration = Duration::from_millis(4);
const QUICK: Duration = Duration::from_millis(8);
// Several failures of one moment cut once.
const ONCE: Duration = Duration::from_secs(1);
// Answers that are looked at together.
const ROUND: u32 = 64;
// So long what an answer takes alone is taken as known: routes change.
const KNOWN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Concurrency {
    limit: f64,
    most: f64,
    // Before the first cut one success adds one; afterwards a round of successes does.
    starting: bool,
    cut: Option<Instant>,
    average: f64,
    // Answers of this round, and the seconds they took together.
    round: (u32, f64),
    queueing: bool,
    // Seconds that an answer takes alone, and since when that is known.
    alone: f64,
    known: Option<Instant>,
    // Answers that say nothing: their requests went out under another limit.
    pass: u32,
    // While only few requests are made to see what one takes alone: the limit to go back to.
    back: Option<f64>,
}

impl Concurrency {
    pub(super) fn new(most: u16) -> Self {
        let most = f64::from(most.max(1));
        Self {
            limit: FIRST.min(most),
            most,
            starting: true,
            cut: None,
            average: 0.0,
            round: (0, 0.0),
            queueing: false,
            alone: f64::INFINITY,
            known: None,
            pass: 0,
            back: None,
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
        if self.pass > 0 {
            self.pass -= 1;
        } else {
            self.round = (self.round.0 + 1, self.round.1 + took);
        }
        if self.round.0 >= ROUND {
            let (count, sum) = std::mem::take(&mut self.round);
            self.rounded(sum / f64::from(count), now);
        }
        if wanted && self.back.is_none() && (self.limit < FREE || !self.queueing) {
            self.limit = (self.limit + if self.starting { 1.0 } else { 1.0 / self.limit }).min(self.most);
        }
    }

    /// A round of answers took `mean` seconds each.
    fn rounded(&mut self, mean: f64, now: Instant) {
        // In the first round it was few for the most part.
        let few = self.back.is_some() || self.limit <= FREE || self.known.is_none();
        let stale = self.known.is_none_or(|since| now.duration_since(since) > KNOWN);
        if few && stale {
            (self.alone, self.known) = (mean, Some(now));
        }
        if let Some(back) = self.back.take() {
            self.limit = back;
            return;
        }
        self.alone = self.alone.min(mean);
        let bound = self.alone * SLOWER + SLACK.as_secs_f64();
        self.queueing = mean > bound;
        if self.limit <= FREE {
            return;
        }
        let under_way = self.limit as u32;
        if self.queueing {
            // As many as are answered in that time at this rate.
            self.limit = (self.limit * (bound / mean).max(0.5)).max(FREE);
            self.starting = false;
            self.pass = under_way;
        } else if stale && !few {
            self.back = Some(self.limit);
            self.limit = FREE;
            self.pass = under_way;
        }
    }

    /// The destination is asked for too much.
    pub(super) fn overloaded(&mut self, now: Instant) {
        if self.cut.is_none_or(|cut| now.duration_since(cut) > ONCE) {
            let limit = self.back.take().unwrap_or(self.limit);
            self.limit = (limit / 2.0).max(1.0);
            self.starting = false;
            self.cut = Some(now);
        }
    }
}
