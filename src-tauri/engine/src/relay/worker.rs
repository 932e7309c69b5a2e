//! From the queue to the destination: claims entries, delivers with at most one request per topic under way, settles.
//! What is claimed is bounded; what waits stays on disk. A failing topic never slows the others; a failing destination is
//! asked by one probe at a time.

use super::gate::Gate;
use super::lanes::{Lanes, Wanted};
use super::meter::{Destination, Meter};
use crate::destination::tagoio::TagoIo;
use crate::destination::{Delivery, Outcome};
use crate::feed::event::{Event, Kind};
use crate::feed::{Feed, unix_millis};
use crate::queue::{Entry, Queue, Settlement};
use relayscope_domain::id::RelayId;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Requests under way at once.
const REQUESTS: usize = 50;
// Entries in memory: below the first number another page is read.
const LOW: usize = 512;
const PAGE: u32 = 512;
const READ_RETRY: Duration = Duration::from_millis(500);

pub(super) struct Worker {
    relay: RelayId,
    path: Arc<str>,
    destination: TagoIo,
    queue: Queue,
    feed: Feed,
    meter: Arc<Meter>,
    pushed: Arc<Notify>,
    settlements: mpsc::Sender<Settlement>,
    lanes: Lanes,
    gate: Gate,
    // Everything up to this number was read.
    cursor: i64,
    unread: bool,
    wanted: Vec<Wanted>,
    since: SystemTime,
}

impl Worker {
    #[allow(clippy::too_many_arguments, reason = "one call, in the unit that wires its parts")]
    pub(super) fn new(
        relay: RelayId,
        path: Arc<str>,
        destination: TagoIo,
        queue: Queue,
        feed: Feed,
        meter: Arc<Meter>,
        pushed: Arc<Notify>,
        settlements: mpsc::Sender<Settlement>,
    ) -> Self {
        Self {
            relay,
            path,
            destination,
            queue,
            feed,
            meter,
            pushed,
            settlements,
            lanes: Lanes::default(),
            gate: Gate::default(),
            cursor: 0,
            unread: true,
            wanted: vec![],
            since: SystemTime::now(),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut requests: JoinSet<(Entry, Delivery)> = JoinSet::new();
        let mut pauses = self.meter.pauses();
        while !stop.is_cancelled() {
            let readable = self.read().await;
            self.lanes.wake(Instant::now());
            self.send(&mut requests);
            let timer =
                [self.lanes.wakes_at(), self.gate.opens_at().filter(|_| requests.is_empty() && self.lanes.has_ready())];
            let wake = timer.into_iter().flatten().min();
            tokio::select! {
                biased;
                Some(finished) = requests.join_next() => {
                    if let Ok((entry, delivery)) = finished {
                        self.finished(entry, delivery).await;
                    }
                }
                () = self.pushed.notified() => self.unread = true,
                Ok(()) = pauses.changed() => {}
                () = sleep_until(wake) => {}
                () = tokio::time::sleep(READ_RETRY), if !readable => {}
                () = stop.cancelled() => {}
                () = tokio::task::yield_now(), if readable && self.has_room() => {}
            }
            self.meter.set_in_flight(requests.len());
        }
        // A request that is under way may have been taken already: its answer is waited for.
        while let Some(finished) = requests.join_next().await {
            if let Ok((entry, delivery)) = finished {
                self.finished(entry, delivery).await;
            }
        }
        self.meter.set_in_flight(0);
    }

    /// Reads what there is room for; `false` when the queue could not be read.
    async fn read(&mut self) -> bool {
        while let Some(wanted) = self.wanted.last() {
            match self.queue.lane(self.relay, &wanted.topic, wanted.after, wanted.upto, PAGE).await {
                Ok(entries) => {
                    let whole = entries.len() < PAGE as usize;
                    self.lanes.arrived(wanted, entries, whole);
                    self.wanted.pop();
                }
                Err(error) => return self.unreadable(&error),
            }
        }
        // One page at a time: between pages what was delivered is settled and what is ready is sent.
        if self.has_room() {
            match self.queue.entries_after(self.relay, self.cursor, PAGE).await {
                Ok(entries) => {
                    self.unread = entries.len() == PAGE as usize;
                    self.cursor = entries.last().map_or(self.cursor, |entry| entry.id);
                    entries.into_iter().for_each(|entry| self.lanes.add(entry));
                }
                Err(error) => return self.unreadable(&error),
            }
        }
        true
    }

    fn has_room(&self) -> bool {
        self.unread && self.lanes.held() < LOW
    }

    fn unreadable(&self, error: &crate::queue::QueueError) -> bool {
        self.meter.trouble(error.to_string(), "Nothing is lost; reading is tried again.");
        false
    }

    fn send(&mut self, requests: &mut JoinSet<(Entry, Delivery)>) {
        while !self.meter.is_paused() && self.gate.room(requests.len(), REQUESTS, Instant::now()) > 0 {
            let Some(entry) = self.lanes.next() else { return };
            self.gate.sent();
            let destination = self.destination.clone();
            requests.spawn(async move {
                let delivery =
                    destination.deliver(&entry.message.topic, &entry.message.payload, entry.message.qos).await;
                (entry, delivery)
            });
        }
    }

    async fn finished(&mut self, entry: Entry, delivery: Delivery) {
        let topic = entry.message.topic.clone();
        let attempt = entry.attempts + 1;
        let Delivery { outcome, status, took, answer } = delivery;
        match outcome {
            Outcome::Delivered => {
                self.answered();
                self.meter.took(took);
                let event =
                    Kind::Delivered { topic: topic.clone(), status: status.unwrap_or(200), took, attempt, answer };
                self.record(&entry, event);
                self.settle(Settlement::Delivered { id: entry.id }).await;
                self.wanted.extend(self.lanes.done(&topic));
            }
            Outcome::Reject { reason } => {
                self.answered();
                self.meter.trouble(
                    format!("A message to {topic} became a dead letter: {reason}."),
                    "Look at it under Queue; the relay goes on with the others.",
                );
                self.record(
                    &entry,
                    Kind::DeadLetter { topic: topic.clone(), status, attempts: attempt, reason: reason.clone() },
                );
                let died_at = unix_millis(SystemTime::now());
                let entry = Box::new(Entry { attempts: attempt, ..entry });
                self.settle(Settlement::Dead { entry, reason, status, answer, died_at }).await;
                self.wanted.extend(self.lanes.done(&topic));
            }
            Outcome::Retry { after, reason, everyone } => {
                let now = Instant::now();
                let closed = self.gate.failed(everyone, after, now);
                let next = match closed {
                    Some(until) => {
                        self.lanes.again(&topic);
                        until
                    }
                    None => self.lanes.wait(&topic, after, now),
                };
                let next = SystemTime::now() + next.saturating_duration_since(now);
                if closed.is_some() {
                    self.waiting(&reason, next);
                }
                self.meter.trouble(reason.clone(), "It is tried again by itself; nothing is lost.");
                self.record(&entry, Kind::Retry { topic, status, took, attempt, reason, next });
                self.settle(Settlement::Attempted { id: entry.id, attempts: attempt }).await;
            }
            Outcome::Refused { reason } => {
                let now = Instant::now();
                let next = SystemTime::now() + self.gate.refused(now).saturating_duration_since(now);
                self.lanes.again(&topic);
                if !matches!(self.meter.destination(), Destination::Paused { .. }) {
                    self.since = SystemTime::now();
                }
                self.meter.set_destination(Destination::Paused { reason: reason.clone(), since: self.since });
                self.meter.trouble(
                    reason.clone(),
                    "Replace the token or the authorization; the relay then goes on by itself.",
                );
                self.record(&entry, Kind::Retry { topic, status, took, attempt, reason, next });
                self.settle(Settlement::Attempted { id: entry.id, attempts: attempt }).await;
            }
        }
    }

    fn answered(&mut self) {
        if self.gate.answered() {
            self.lanes.wake_all();
        }
        if !matches!(self.meter.destination(), Destination::Working { .. }) {
            self.meter.set_destination(Destination::Working { since: SystemTime::now() });
        }
    }

    fn waiting(&mut self, reason: &str, until: SystemTime) {
        if !matches!(self.meter.destination(), Destination::Waiting { .. }) {
            self.since = SystemTime::now();
        }
        self.meter.set_destination(Destination::Waiting { reason: reason.to_owned(), since: self.since, until });
    }

    async fn settle(&self, settlement: Settlement) {
        // An error means that the settler has gone with the relay; the entry stays and is delivered again.
        let _ = self.settlements.send(settlement).await;
    }

    fn record(&self, entry: &Entry, kind: Kind) {
        self.feed.record(Event::now(&self.path, &self.path, Some(entry.message.message_id), kind));
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
