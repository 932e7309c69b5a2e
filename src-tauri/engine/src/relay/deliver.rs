//! The pump's sending half: which parcel goes now, and what an answer means for its lane, the gate, and the ledger.

use super::gate::Refusal;
use super::intake::Stood;
use super::lanes::{Held, Key, Parcel};
use super::lines::Done;
use super::meter::{Destination, End};
use super::pump::Pump;
use crate::destination::{Delivery, Outcome};
use crate::feed::event::Kind;
use crate::feed::{iso, unix_millis};
use crate::queue::{Attempted, Dead, Gone};
use bytes::Bytes;
use relayscope_domain::mapping::Sample;
use std::time::{Duration, Instant, SystemTime};

const HOUR: i64 = 3_600_000;

impl Pump {
    /// Sends what may be sent now.
    pub(super) fn send(&mut self) {
        self.pace_at = None;
        if self.stopping || self.ties.meter.is_paused() {
            return;
        }
        let now = Instant::now();
        self.lanes.wake(now);
        while self.lines.has_room() && self.gate.room(self.lines.busy(), self.concurrency.limit(), now) > 0 {
            if self.lanes.has_ready()
                && let Err(at) = self.ties.share.ready(now)
            {
                self.pace_at = Some(at);
                return;
            }
            let Some(parcel) = self.lanes.next() else { return };
            let Some(mut parcel) = self.without_expired(parcel) else { continue };
            let first_try_at = self.now();
            for held in &mut parcel.held {
                held.entry.first_try_at.get_or_insert(first_try_at);
            }
            let body = self.body(&parcel.held);
            if self.ties.rules.dry_run {
                self.show(parcel, &body);
                continue;
            }
            let count = parcel.held.len();
            let places: Vec<u64> = parcel.held.iter().filter_map(|held| held.slot).collect();
            let ids = parcel.held.iter().map(|held| held.entry.id).collect::<Vec<_>>();
            match self.lines.send(parcel, body) {
                Ok(()) => {
                    places.into_iter().for_each(|place| self.intake.sent(place));
                    if let Some(busy) = &mut self.under_way {
                        busy.extend(ids);
                    }
                    self.in_flight += count;
                    self.gate.sent();
                    self.ties.share.spent();
                }
                Err(parcel) => self.lanes.unsent(parcel),
            }
        }
    }

    fn body(&self, held: &[Held]) -> Bytes {
        let extras = self.ties.destination.extras();
        let words: Vec<(String, String)> = held
            .iter()
            .map(|held| {
                let message = &held.entry.message;
                let at = if extras.received_at { iso(message.received_at) } else { String::new() };
                (at, if extras.message_id { message.message_id.to_string() } else { String::new() })
            })
            .collect();
        self.ties.destination.body(held.iter().zip(&words).map(|(held, (received_at, message_id))| {
            let message = &held.entry.message;
            let (topic, payload) = (&*message.topic, &message.payload[..]);
            Sample {
                topic,
                payload,
                qos: message.qos,
                retain: message.retain,
                received_at,
                message_id,
                relay: &self.ties.name,
            }
        }))
    }

    /// Leaves out of a parcel what is too old; nothing when that was all.
    fn without_expired(&mut self, mut parcel: Parcel) -> Option<Parcel> {
        let Some(hours) = self.ties.rules.max_age_hours else { return Some(parcel) };
        let oldest = self.now() - i64::from(hours) * HOUR;
        let (kept, old): (Vec<Held>, Vec<Held>) =
            parcel.held.into_iter().partition(|held| held.entry.message.received_at >= oldest);
        let reason = format!("older than {hours} h, the relay's age limit");
        for held in old {
            self.finish(&held, End::Dropped);
            let topic = held.entry.message.topic.clone();
            let kind = Kind::Dropped { topic, count: 1, reason: reason.clone() };
            self.record(Some(held.entry.message.message_id), kind);
        }
        if kept.is_empty() {
            self.lane_done(parcel.key);
            return None;
        }
        parcel.held = kept;
        Some(parcel)
    }

    /// Dry run: the request is shown and goes nowhere.
    fn show(&mut self, parcel: Parcel, body: &[u8]) {
        let request = self.ties.destination.request_words(body);
        for held in &parcel.held {
            let topic = held.entry.message.topic.clone();
            self.record(Some(held.entry.message.message_id), Kind::DryRun { topic, request: request.clone() });
            self.finish(held, End::LeftOut);
        }
        self.lane_done(parcel.key);
    }

    /// Requests ended.
    pub(super) fn ended(&mut self, ended: &mut Vec<Done>) {
        let now = Instant::now();
        for Done { line, parcel, delivery } in ended.drain(..) {
            self.lines.freed(line, now);
            self.in_flight -= parcel.held.len();
            self.outcome(parcel, delivery, now);
        }
    }

    fn outcome(&mut self, parcel: Parcel, delivery: Delivery, now: Instant) {
        let Delivery { outcome, status, took, answer } = delivery;
        match outcome {
            Outcome::Delivered => {
                self.answered(now);
                self.concurrency.answered(took, self.lanes.has_ready(), now);
                self.ties.meter.took(took);
                for held in &parcel.held {
                    let (topic, attempt) = (held.entry.message.topic.clone(), held.entry.attempts + 1);
                    let (status, answer) = (status.unwrap_or(200), answer.clone());
                    let kind = Kind::Delivered { topic, status, took, attempt, answer };
                    self.record(Some(held.entry.message.message_id), kind);
                    self.finish(held, End::Delivered);
                }
                self.lane_done(parcel.key);
            }
            Outcome::Reject { reason } => {
                self.answered(now);
                if parcel.held.len() > 1 {
                    // One of them is bad: one by one it is found out which.
                    self.failed_places(&parcel);
                    return self.lanes.singly(parcel);
                }
                self.bury(parcel, status, &answer, reason);
            }
            Outcome::Retry { after, reason, everyone } => {
                if status == Some(429) || (everyone && status.is_none()) {
                    self.concurrency.overloaded(now);
                }
                if let Some(given_up) = self.given_up(&parcel, everyone, &reason) {
                    self.gate.failed(Refusal { everyone, said: status.is_some(), after }, now);
                    return self.bury(parcel, status, &answer, given_up);
                }
                self.retry(parcel, Retry { after, reason, everyone, status, took }, now);
            }
            Outcome::Refused { reason } => {
                let until = self.gate.refused(now);
                if !matches!(self.ties.meter.destination(), Destination::Paused { .. }) {
                    self.since = SystemTime::now();
                }
                self.working = false;
                self.ties.meter.set_destination(Destination::Paused { reason: reason.clone(), since: self.since });
                let advice = "Replace the token or the authorization; the relay then goes on by itself.";
                self.ties.meter.trouble(reason.clone(), advice);
                self.told_retry(&parcel, status, took, &reason, until, now);
                self.lanes.again(parcel);
            }
        }
    }

    fn retry(&mut self, parcel: Parcel, retry: Retry, now: Instant) {
        let Retry { after, reason, everyone, status, took } = retry;
        let closed = self.gate.failed(Refusal { everyone, said: status.is_some(), after }, now);
        self.ties.meter.trouble(reason.clone(), "It is tried again by itself; nothing is lost.");
        if let Some(until) = closed {
            if status == Some(429) {
                self.ties.share.refused(until, now);
            }
            self.waiting(&reason, SystemTime::now() + until.saturating_duration_since(now));
            self.told_retry(&parcel, status, took, &reason, until, now);
            self.lanes.again(parcel);
        } else {
            let heads: Vec<Held> = parcel.held.clone();
            let until = self.lanes.wait(parcel, after, now);
            let parcel = Parcel { key: Key::Alone(0), held: heads };
            self.told_retry(&parcel, status, took, &reason, until, now);
        }
    }

    /// Notes a failed attempt, in the feed and for the disk.
    fn told_retry(
        &mut self,
        parcel: &Parcel,
        status: Option<u16>,
        took: Duration,
        reason: &str,
        until: Instant,
        now: Instant,
    ) {
        let next = SystemTime::now() + until.saturating_duration_since(now);
        self.failed_places(parcel);
        for held in &parcel.held {
            let attempt = held.entry.attempts + 1;
            let topic = held.entry.message.topic.clone();
            let kind = Kind::Retry { topic, status, took, attempt, reason: reason.to_owned(), next };
            self.record(Some(held.entry.message.message_id), kind);
            if self.intake.is_stored(held.slot) {
                let first_try_at = held.entry.first_try_at.unwrap_or_else(|| self.now());
                self.group.attempted.push(Attempted { id: held.entry.id, attempts: attempt, first_try_at });
            }
        }
    }

    /// What a parcel carried is back in its lane.
    fn failed_places(&mut self, parcel: &Parcel) {
        if let Some(busy) = &mut self.under_way {
            for held in &parcel.held {
                busy.remove(&held.entry.id);
            }
        }
        for place in parcel.held.iter().filter_map(|held| held.slot) {
            self.intake.failed(place);
        }
    }

    /// Why a message is not tried again, when it is not. An outage for all is nobody's own failure: attempts do not count
    /// then, hours do.
    fn given_up(&self, parcel: &Parcel, everyone: bool, reason: &str) -> Option<String> {
        let head = &parcel.held.first()?.entry;
        if let Some(most) = self.ties.rules.attempts.filter(|most| !everyone && head.attempts + 1 >= *most) {
            return Some(format!("{reason}; given up after {most} attempts"));
        }
        let hours = self.ties.rules.give_up_hours?;
        let first = head.first_try_at.unwrap_or(head.message.received_at);
        (self.now() - first >= i64::from(hours) * HOUR).then(|| format!("{reason}; given up after {hours} h"))
    }

    fn bury(&mut self, parcel: Parcel, status: Option<u16>, answer: &str, reason: String) {
        let request = self.ties.destination.request_words(&self.body(&parcel.held));
        for held in parcel.held {
            let (topic, attempts) = (held.entry.message.topic.clone(), held.entry.attempts + 1);
            self.ties.meter.trouble(
                format!("A message to {topic} became a dead letter: {reason}."),
                "Look at it under Queue; the relay goes on with the others.",
            );
            let id = held.entry.message.message_id;
            self.record(Some(id), Kind::DeadLetter { topic, status, attempts, reason: reason.clone() });
            let stood = self.intake.finished(held.slot);
            let mut entry = held.entry;
            entry.attempts = attempts;
            self.group.dead.push(Dead {
                stored: stood != Stood::Nowhere,
                entry,
                reason: reason.clone(),
                status,
                answer: answer.to_owned(),
                request: request.clone(),
                died_at: unix_millis(SystemTime::now()),
            });
        }
        self.lane_done(parcel.key);
    }

    /// A message is done with: what stands on disk of it goes with the next group.
    fn finish(&mut self, held: &Held, end: End) {
        self.ties.meter.ended(end, 1);
        let gone = Gone { id: held.entry.id, cost: held.entry.message.cost() };
        match (self.intake.finished(held.slot), end) {
            (Stood::Nowhere, End::Delivered) => self.group.passed += 1,
            (Stood::Nowhere, End::LeftOut) => self.group.filtered += 1,
            (Stood::Nowhere, End::Dropped | End::Dead) => self.group.dropped += 1,
            // Its row is being written right now; the group that deletes it comes after.
            (Stood::Underway | Stood::OnDisk, End::Delivered) => self.group.delivered.push(gone),
            (Stood::Underway | Stood::OnDisk, End::LeftOut) => self.group.left_out.push(gone),
            (Stood::Underway | Stood::OnDisk, End::Dropped | End::Dead) => self.group.expired.push(gone),
        }
    }

    fn lane_done(&mut self, key: Key) {
        let wanted = self.lanes.done(key);
        self.wanted.extend(wanted);
    }

    fn answered(&mut self, now: Instant) {
        if self.gate.answered(now) {
            self.ties.share.taken();
            self.lanes.wake_all();
        }
        if !self.working {
            self.working = true;
            self.ties.meter.set_destination(Destination::Working { since: SystemTime::now() });
        }
    }

    pub(super) fn waiting(&mut self, reason: &str, until: SystemTime) {
        self.working = false;
        if !matches!(self.ties.meter.destination(), Destination::Waiting { .. }) {
            self.since = SystemTime::now();
        }
        self.ties.meter.set_destination(Destination::Waiting { reason: reason.to_owned(), since: self.since, until });
    }
}

struct Retry {
    after: Option<Duration>,
    reason: String,
    everyone: bool,
    status: Option<u16>,
    took: Duration,
}
