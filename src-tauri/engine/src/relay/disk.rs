//! The pump's storing half: what arrived becomes places, lanes and groups; groups are written one after the other; what
//! was left on disk is read again when there is room for it.

use super::admit::Admission;
use super::intake::Patience;
use super::lanes::Held;
use super::meter::End;
use super::pump::{Asked, Pump};
use crate::feed::event::{Event, Kind};
use crate::feed::unix_millis;
use crate::mqtt::session::Received;
use crate::queue::{Entry, Gone, Group, Incoming, Page, QueueError};
use relayscope_domain::delivery::WhenFull;
use std::time::{Duration, Instant};

// Messages in memory that wait to be sent. Arrivals: a burst goes through without being read again from disk.
const HELD: usize = 20_480;
const HELD_BYTES: u64 = 12 * 1024 * 1024;
// Below this more are read from disk: enough to keep every request busy, little enough to stay small.
const LOW: usize = 2_048;
const LOW_BYTES: u64 = 2 * 1024 * 1024;
// Messages in one transaction, at most.
const GROUP: usize = 4_096;
// With so many messages on their way a broker may be waiting for acknowledgements: the smallest usual window is 10.
const FEW: usize = 10;
// Nothing came for so long: what waits is written. Much shorter when a broker may be waiting.
const QUIET: Duration = Duration::from_millis(5);
const STALLED: Duration = Duration::from_millis(1);
// What has only to be deleted or counted up waits this long for company.
const SETTLING: Duration = Duration::from_millis(25);
const RETRY: Duration = Duration::from_millis(500);
// Counts alone are written this often; they belong to messages that are gone. A process that is killed loses those since
// then, and its ledger balances all the same (`queue::Group`).
const COUNTS: Duration = Duration::from_millis(500);

impl Pump {
    /// Takes messages in the order of arrival.
    pub(super) async fn arrived(&mut self, arrived: &mut Vec<Received>) {
        let first = self.ties.queue.reserve(arrived.len());
        let now = Instant::now();
        let (mut kept, mut filtered, mut dropped) = (0, 0, 0);
        for (id, received) in (first..).zip(arrived.drain(..)) {
            let bytes = Received::cost(received.payload.len() + received.topic.len());
            if received.already_stored || received.copy {
                self.intake.push_settled(received.ack, bytes, now);
                continue;
            }
            let left_out = match self.ties.admit.admit(&received, &mut self.group.retained).await {
                Ok(Admission::Relay) if self.ties.rules.when_full == WhenFull::DropNewest && self.room() == 0 => {
                    dropped += 1;
                    Some("the queue's budget is used up, and its rule drops what comes".to_owned())
                }
                Ok(Admission::Relay) => None,
                Ok(Admission::LeaveOut(why)) => {
                    filtered += 1;
                    Some(why.to_owned())
                }
                // What is not known is forwarded: twice is better than never.
                Err(error) => {
                    self.ties.meter.trouble(error.to_string(), "A retained message may be forwarded once more.");
                    None
                }
            };
            if let Some(reason) = left_out {
                let kind = Kind::Dropped { topic: received.topic.clone(), count: 1, reason };
                self.ties.feed.record(Event::now(&self.ties.broker, &self.ties.name, Some(received.message_id), kind));
                self.intake.push_settled(received.ack, bytes, now);
                continue;
            }
            kept += 1;
            self.keep(id, received, bytes, now);
        }
        self.group.filtered += filtered;
        self.group.dropped += dropped;
        self.ties.meter.received(kept, filtered, dropped);
    }

    fn keep(&mut self, id: i64, received: Received, bytes: usize, now: Instant) {
        let message = Incoming {
            message_id: received.message_id,
            topic: received.topic,
            payload: received.payload,
            qos: received.qos,
            retain: received.retain,
            received_at: unix_millis(received.at),
        };
        let place = self.intake.push(id, message.clone(), received.ack, bytes, now);
        if self.behind {
            return;
        }
        self.cursor = id;
        let entry = Entry { id, message, attempts: 0, first_try_at: None };
        self.lanes.add(Held { entry, slot: Some(place) });
        if self.is_crowded() {
            // From here on messages are read from disk when their turn comes.
            self.behind = true;
        }
    }

    /// What is left of the budget when all that came is stored, bytes.
    fn room(&self) -> u64 {
        self.unused().saturating_sub(self.intake.pending())
    }

    /// What is left of the budget, bytes.
    fn unused(&self) -> u64 {
        (u64::from(self.ties.rules.queue_megabytes) * 1_000_000).saturating_sub(self.ties.meter.bytes())
    }

    fn is_crowded(&self) -> bool {
        let (held, bytes) = self.lanes.held();
        held >= HELD || bytes >= HELD_BYTES
    }

    fn has_room(&self) -> bool {
        let (held, bytes) = self.lanes.held();
        held < LOW && bytes < LOW_BYTES
    }

    /// Begins to write what has to be written, unless something is being written or there is still time: while the
    /// destination is quick, a message delivered before its turn need not be written at all.
    pub(super) fn start_writing(&mut self) {
        let now = Instant::now();
        self.write_at = None;
        if self.writing.is_some() || self.write_again.is_some_and(|at| now < at) {
            return;
        }
        self.write_again = None;
        let stops = self.ties.meter.is_full() && self.ties.rules.when_full == WhenFull::Stop && !self.stopping;
        let quiet =
            if self.intake.len() < FEW && self.working && self.concurrency.is_quick() { QUIET } else { STALLED };
        let patience = if self.working { Patience::LONG } else { Patience::SHORT };
        let arrived = if stops { None } else { self.intake.due(patience, quiet, now) };
        let settled = self.group.is_settling() || !self.group.retained.is_empty();
        // People look at dead letters: they wait for nothing.
        let wait = if self.group.dead.is_empty() { SETTLING } else { Duration::ZERO };
        let settled = settled.then(|| *self.settling.get_or_insert(now) + wait);
        match arrived.into_iter().chain(settled).min() {
            Some(at) if at > now && !self.stopping => return self.write_at = Some(at),
            None if self.group.is_empty() || (now < self.counted + COUNTS && !self.stopping) => return,
            _ => {}
        }
        if !stops {
            let spare = (!self.stopping && !self.intake.is_quiet(quiet, now)).then_some(patience);
            let room = if self.ties.rules.when_full == WhenFull::Stop { self.unused() } else { u64::MAX };
            self.group.arrived = self.intake.take_unwritten(GROUP, room, spare, now);
        }
        if self.group.is_empty() {
            // All of them are on their way.
            self.write_at = Some(now + STALLED);
            return;
        }
        self.settling = None;
        self.counted = now;
        let (group, queue, relay) = (std::mem::take(&mut self.group), self.ties.queue.clone(), self.ties.relay);
        self.writing = Some(Box::pin(async move {
            let result = queue.commit(relay, &group).await;
            (group, result)
        }));
    }

    /// A group was written, or not.
    pub(super) fn wrote(&mut self, group: Group, result: Result<(), QueueError>) {
        match result {
            Ok(()) => {
                self.intake.written();
                self.ties.admit.remembered(&group.retained);
                self.ties.meter.stored(group.bytes_delta());
                // Counted when they can be listed; until then they wait.
                self.ties.meter.ended(End::Dead, group.dead.len() as u64);
                self.note_deleted(&group);
                for (entry, message) in group.arrived {
                    let kind = Kind::Queued { topic: message.topic, entry };
                    self.ties.feed.record(Event::now(
                        &self.ties.broker,
                        &self.ties.name,
                        Some(message.message_id),
                        kind,
                    ));
                }
                self.tries = 0;
                if std::mem::take(&mut self.told_failure) {
                    self.note(false, "Messages are stored again.".into());
                }
                self.budget();
            }
            Err(error) => {
                let text = error.to_string();
                let spared = self.intake.not_written();
                self.group = merged(group, std::mem::take(&mut self.group), &spared);
                self.ties.meter.storage_failed(&text);
                self.write_again = Some(Instant::now() + RETRY);
                self.tries += 1;
                if !std::mem::replace(&mut self.told_failure, true) {
                    tracing::error!(relay = %self.ties.relay, %error, "The queue can't be written; acknowledgements wait.");
                    self.note(true, text);
                }
            }
        }
    }

    /// Begins to read what there is room for, unless something is being read.
    pub(super) fn start_reading(&mut self) {
        if self.reading.is_some() || self.stopping || self.read_again.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.read_again = None;
        self.forget_deleted();
        let (queue, relay, stored) = (self.ties.queue.clone(), self.ties.relay, self.intake.boundary());
        if let Some(at) = self.wanted.iter().position(|wanted| wanted.upto < stored) {
            let wanted = self.wanted.swap_remove(at);
            self.reading = Some(Box::pin(async move {
                let result = queue.lane(relay, &wanted.topic, wanted.after, wanted.upto).await;
                (Asked::Lane(wanted), result)
            }));
        } else if !self.has_room() {
            // Later, and then enough to be worth a read.
        } else if self.requeued {
            // What is put into the queue again from now on is told anew.
            self.requeued = false;
            let after = self.requeued_upto;
            self.reading = Some(Box::pin(async move {
                let result = queue.entries_between(relay, after, -1).await;
                (Asked::Requeued, result)
            }));
        } else if self.behind {
            let after = self.cursor;
            self.reading_page = true;
            self.reading = Some(Box::pin(async move {
                let result = queue.entries_between(relay, after, stored - 1).await;
                (Asked::Page(stored), result)
            }));
        }
    }

    /// Entries were read, or not.
    pub(super) fn read(&mut self, asked: Asked, result: Result<Page, QueueError>) {
        let Page { entries, whole } = match result {
            Ok(page) => page,
            Err(error) => {
                self.ties.meter.trouble(error.to_string(), "Nothing is lost; reading is tried again.");
                self.read_again = Some(Instant::now() + RETRY);
                self.reading_page = false;
                match asked {
                    Asked::Lane(wanted) => self.wanted.push(wanted),
                    Asked::Requeued => self.requeued = true,
                    Asked::Page(_) => {}
                }
                return;
            }
        };
        match asked {
            Asked::Lane(wanted) => self.lanes.arrived(&wanted, entries, whole),
            Asked::Requeued => {
                self.requeued |= !whole;
                for entry in entries {
                    self.requeued_upto = self.requeued_upto.max(entry.id);
                    self.lanes.add_first(Held { entry, slot: None });
                }
            }
            Asked::Page(stored) => {
                self.reading_page = false;
                for entry in entries {
                    self.cursor = entry.id;
                    if entry.id < 0 {
                        self.requeued_upto = self.requeued_upto.max(entry.id);
                    }
                    if self.under_way.as_ref().is_none_or(|busy| !busy.contains(&entry.id)) {
                        self.lanes.add(Held { entry, slot: None });
                    }
                }
                if whole {
                    self.catch_up(stored);
                }
            }
        }
    }

    /// Everything below `stored` was read from disk. What came since is in memory: with it the lanes are up to date.
    fn catch_up(&mut self, stored: i64) {
        self.behind = false;
        let from = stored.max(self.cursor.saturating_add(1));
        let unsent = self.intake.unsent_from(from).map(|(place, id, message)| {
            let entry = Entry { id, message: message.clone(), attempts: 0, first_try_at: None };
            Held { entry, slot: Some(place) }
        });
        for held in unsent.collect::<Vec<_>>() {
            if self.is_crowded() {
                self.behind = true;
                return;
            }
            self.cursor = held.entry.id;
            self.lanes.add(held);
        }
        self.cursor = self.cursor.max(stored - 1);
    }
}

/// A group that was not written, with what came since. What of it was delivered meanwhile without being stored is only
/// counted.
fn merged(failed: Group, since: Group, spared: &[i64]) -> Group {
    let mut all = failed;
    // They are fresh again and come with a later group.
    all.arrived.clear();
    let (mut passed, mut filtered, mut dropped) = (0, 0, 0);
    let unstored = |list: Vec<Gone>, count: &mut u64| -> Vec<Gone> {
        let (never, stored): (Vec<Gone>, Vec<Gone>) = list.into_iter().partition(|gone| spared.contains(&gone.id));
        *count += never.len() as u64;
        stored
    };
    all.delivered.extend(unstored(since.delivered, &mut passed));
    all.left_out.extend(unstored(since.left_out, &mut filtered));
    all.expired.extend(unstored(since.expired, &mut dropped));
    all.passed += since.passed + passed;
    all.filtered += since.filtered + filtered;
    all.dropped += since.dropped + dropped;
    all.attempted.extend(since.attempted);
    all.attempted.retain(|attempted| !spared.contains(&attempted.id));
    all.dead.extend(since.dead);
    for dead in &mut all.dead {
        dead.stored &= !spared.contains(&dead.entry.id);
    }
    all.retained.extend(since.retained);
    all
}
