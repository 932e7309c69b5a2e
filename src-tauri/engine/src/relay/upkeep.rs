//! What the pump does a few times a second: the queue's budget, the ledger's check, the clock, room given back.

use super::meter::End;
use super::pump::{Checking, Pump};
use crate::feed::event::Kind;
use crate::feed::unix_millis;
use crate::queue::{Gone, Group, QueueError};
use relayscope_domain::delivery::WhenFull;
use std::time::{Duration, Instant, SystemTime};

// Entries are compared with the ledger this often; a large queue seldom, because that counts its rows.
const CHECK: Duration = Duration::from_secs(15);
const LARGE: u64 = 50_000;
const CHECK_LARGE: Duration = Duration::from_secs(600);
// The wall clock may run apart from the monotonic one by this much before it counts as set.
const DRIFT: i64 = 60;

impl Pump {
    /// A few times a second: what has no event of its own.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        self.lines.trim(now);
        self.ties.meter.set_pace(self.ties.share.quota(now), self.concurrency.limit());
        self.held_back(now);
        self.budget();
        self.mind_the_clock();
        self.check();
    }

    /// Unix milliseconds that no setting of the clock moves while the relay runs.
    pub(super) fn now(&self) -> i64 {
        unix_millis(self.clock.0 + self.clock.1.elapsed())
    }

    /// Says so when the refusal that holds requests back was another relay's.
    fn held_back(&mut self, now: Instant) {
        let others = self.gate.opens_at().is_none() && self.lanes.has_ready();
        if let Some(until) = self.ties.share.held(now).filter(|_| others) {
            let reason = "TagoIO answered a relay of the same profile with 429 (too many requests)";
            self.waiting(reason, SystemTime::now() + until.saturating_duration_since(now));
        }
    }

    /// Whether the budget is used up, and what follows.
    pub(super) fn budget(&mut self) {
        let budget = u64::from(self.ties.rules.queue_megabytes) * 1_000_000;
        let bytes = self.ties.meter.bytes();
        // Full at the budget, no longer full a twentieth below, so that it does not flicker.
        let full = bytes >= if self.ties.meter.is_full() { budget - budget / 20 } else { budget };
        self.ties.meter.set_full(full);
        if full != self.told_full {
            self.told_full = full;
            let text = if full { self.full_words() } else { "The queue has room again.".to_owned() };
            self.note(full, text);
        }
        if full && self.ties.rules.when_full == WhenFull::DropOldest {
            self.start_dropping(bytes.saturating_sub(budget - budget / 10));
        }
    }

    fn full_words(&self) -> String {
        let what = match self.ties.rules.when_full {
            WhenFull::Stop => "nothing more is acknowledged, the broker keeps it",
            WhenFull::DropOldest => "the oldest messages are dropped",
            WhenFull::DropNewest => "what comes is dropped",
        };
        format!("The queue's budget of {} MB is used up: {what}.", self.ties.rules.queue_megabytes)
    }

    /// Has the oldest messages looked for whose costs reach `bytes`.
    fn start_dropping(&mut self, bytes: u64) {
        if self.dropping.is_some() || self.writing.is_some() || !self.group.is_empty() {
            return;
        }
        let busy = self.under_way.clone().unwrap_or_default();
        let (queue, relay) = (self.ties.queue.clone(), self.ties.relay);
        // What is in memory still has its place; it is left alone.
        let below = self.intake.first().unwrap_or(i64::MAX);
        self.dropping = Some(Box::pin(async move { queue.oldest_worth(relay, bytes, below, &busy).await }));
    }

    /// The oldest messages were found: they go, and the lanes are read anew.
    pub(super) fn drop_oldest(&mut self, found: Result<Vec<Gone>, QueueError>) {
        let oldest = match found {
            Ok(oldest) => oldest,
            Err(error) => {
                return self.ties.meter.trouble(error.to_string(), "Nothing is dropped before it can be read.");
            }
        };
        let busy = self.under_way.get_or_insert_default();
        let oldest: Vec<Gone> = oldest.into_iter().filter(|gone| !busy.contains(&gone.id)).collect();
        if oldest.is_empty() {
            return;
        }
        busy.extend(oldest.iter().map(|gone| gone.id));
        let count = oldest.len() as u64;
        self.group.expired.extend(oldest);
        self.ties.meter.ended(End::Dropped, count);
        let reason = "the queue's budget is used up, and its rule drops the oldest".to_owned();
        self.record(None, Kind::Dropped { topic: "".into(), count, reason });
        self.lanes.forget();
        self.wanted.clear();
        // What is being read was asked for by lanes that are forgotten.
        (self.reading, self.reading_page) = (None, false);
        (self.cursor, self.behind) = (i64::MIN, true);
    }

    /// Rows that a group deleted are forgotten by the next read.
    pub(super) fn note_deleted(&mut self, group: &Group) {
        if self.under_way.is_some() {
            let gone = group.delivered.iter().chain(&group.left_out).chain(&group.expired).map(|gone| gone.id);
            self.deleted.extend(gone.chain(group.dead.iter().map(|dead| dead.entry.id)));
        }
    }

    /// A read begins: what was deleted before it can't come back with it.
    pub(super) fn forget_deleted(&mut self) {
        if let Some(busy) = &mut self.under_way {
            for id in self.deleted.drain(..) {
                busy.remove(&id);
            }
        }
    }

    /// Has the ledger compared with the rows, now and then.
    fn check(&mut self) {
        let now = Instant::now();
        if now < self.check_at || self.checking.is_some() {
            return;
        }
        let waiting = self.ties.meter.ledger().0.waiting;
        self.check_at = now + if waiting > LARGE { CHECK_LARGE } else { CHECK };
        let (queue, relay) = (self.ties.queue.clone(), self.ties.relay);
        let checking: Checking = Box::pin(async move {
            let difference = queue.difference(relay).await?;
            queue.give_back().await?;
            Ok(difference)
        });
        self.checking = Some(checking);
    }

    /// The ledger was compared with the rows.
    pub(super) fn checked(&mut self, result: Result<i64, QueueError>) {
        match result {
            Ok(0) => self.ties.meter.checked(0),
            Ok(difference) => {
                self.ties.meter.checked(difference);
                self.note(true, format!("The queue's ledger and its rows differ by {difference}: please report this."));
            }
            Err(error) => {
                self.ties.meter.trouble(error.to_string(), "Nothing is lost; the ledger is checked again later.")
            }
        }
    }

    /// Says when the clock was set; nothing here depends on it.
    fn mind_the_clock(&mut self) {
        let expected = self.now() / 1_000;
        let set = unix_millis(SystemTime::now()) / 1_000 - expected;
        if (set - self.clock_set).abs() > DRIFT {
            let moved = set - self.clock_set;
            let direction = if moved > 0 { "forward" } else { "back" };
            self.note(
                false,
                format!("The system's clock was set {direction} by {} s; nothing waits for it.", moved.abs()),
            );
            self.clock_set = set;
        }
    }
}
