//! The relay's one loop: takes what arrived, sends what may be sent, has written what must be, acknowledges what is safe.
//! It waits for nothing itself: arrivals, answers, the disk's writes and reads are all awaited together.
//!
//! Requests do not wait for the disk: a message that was delivered before its group began is only counted. Only an
//! acknowledgement without a delivery waits for the commit.

use super::admit::Admit;
use super::concurrency::Concurrency;
use super::gate::Gate;
use super::intake::Intake;
use super::lanes::{Lanes, Wanted};
use super::lines::{Done, Lines};
use super::meter::Meter;
use super::profile::Share;
use crate::alarm;
use crate::destination::tagoio::TagoIo;
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::mqtt::session::{AckToken, Backlog, Received};
use crate::queue::{Gone, Group, Page, Queue, QueueError};
use relayscope_domain::delivery::{Rules, WhenFull};
use relayscope_domain::id::{MessageId, RelayId};
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

// Answers handled in one turn, and arrivals: few while few wait, so that requests are not held up by them.
const TURN: usize = 1_024;
const FEW: usize = 128;
const FEW_WAIT: usize = 6_144;
const TICK: Duration = Duration::from_millis(250);

/// What a pump belongs to and works with.
pub(super) struct Ties {
    pub(super) relay: RelayId,
    pub(super) name: Arc<str>,
    pub(super) broker: Arc<str>,
    pub(super) path: Arc<str>,
    pub(super) rules: Rules,
    pub(super) destination: TagoIo,
    pub(super) queue: Queue,
    pub(super) feed: Feed,
    pub(super) meter: Arc<Meter>,
    pub(super) share: Share,
    pub(super) admit: Admit,
    pub(super) backlog: Backlog,
}

pub(super) type Writing = Pin<Box<dyn Future<Output = (Group, Result<(), QueueError>)> + Send>>;
pub(super) type Dropping = Pin<Box<dyn Future<Output = Result<Vec<Gone>, QueueError>> + Send>>;
pub(super) type Checking = Pin<Box<dyn Future<Output = Result<i64, QueueError>> + Send>>;
pub(super) type Reading = Pin<Box<dyn Future<Output = (Asked, Result<Page, QueueError>)> + Send>>;

/// What is being read from the queue.
pub(super) enum Asked {
    /// The next entries of all lanes below this number.
    Page(i64),
    /// Entries of one lane.
    Lane(Wanted),
    /// Entries that were put into the queue again.
    Requeued,
}

pub(super) struct Pump {
    pub(super) ties: Ties,
    pub(super) acks: Option<mpsc::Sender<Vec<AckToken>>>,
    pub(super) intake: Intake,
    pub(super) lanes: Lanes,
    pub(super) gate: Gate,
    pub(super) concurrency: Concurrency,
    pub(super) lines: Lines,
    // Acknowledgements that the session had no room for yet.
    pub(super) owed: Vec<AckToken>,
    // What the next group will have besides arrivals.
    pub(super) group: Group,
    pub(super) writing: Option<Writing>,
    // When what is not written yet is to be, unless it is delivered by then.
    pub(super) write_at: Option<Instant>,
    // Since when the next group has something to delete.
    pub(super) settling: Option<Instant>,
    // After a write that failed: when it is tried again.
    pub(super) write_again: Option<Instant>,
    pub(super) reading: Option<Reading>,
    // Whether that is a page: until it came, what is in memory stays there, so that both meet without a gap.
    pub(super) reading_page: bool,
    pub(super) read_again: Option<Instant>,
    pub(super) wanted: Vec<Wanted>,
    // Everything up to this number was handed to the lanes.
    pub(super) cursor: i64,
    // Whether there is more on disk than was handed to the lanes: arrivals stay on disk until it was read.
    pub(super) behind: bool,
    // With a rule that drops the oldest, reading begins anew: numbers in requests, or done with and not deleted yet.
    pub(super) under_way: Option<HashSet<i64>>,
    // Of these: deleted, as far as a read that begins now is concerned.
    pub(super) deleted: Vec<i64>,
    // Whether entries were put into the queue again (their numbers are below zero), and up to where they were read.
    pub(super) requeued: bool,
    pub(super) requeued_upto: i64,
    // Messages in requests under way.
    pub(super) in_flight: usize,
    // When counts alone were last written, and when the ledger was last checked.
    pub(super) counted: Instant,
    pub(super) checking: Option<Checking>,
    pub(super) check_at: Instant,
    // The oldest messages are being looked for, to be dropped.
    pub(super) dropping: Option<Dropping>,
    // When the pace lets the next request go.
    pub(super) pace_at: Option<Instant>,
    // Since when the destination stands as it does.
    pub(super) since: SystemTime,
    pub(super) working: bool,
    // Wall and monotonic clock at the start, and how far the wall clock was set since, seconds.
    pub(super) clock: (SystemTime, Instant),
    pub(super) clock_set: i64,
    pub(super) stopping: bool,
    pub(super) told_full: bool,
    pub(super) told_failure: bool,
    pub(super) tries: u32,
}

impl Pump {
    /// A pump that gives its acknowledgements to `acks`, and where answers to its requests come from.
    pub(super) fn new(ties: Ties, acks: mpsc::Sender<Vec<AckToken>>) -> (Self, mpsc::Receiver<Done>) {
        let rules = &ties.rules;
        let last = ties.queue.reserve(0) - 1;
        let (now, wall) = (Instant::now(), SystemTime::now());
        let (lines, answers) = Lines::new(ties.destination.clone(), rules.requests);
        let pump = Self {
            acks: Some(acks),
            intake: Intake::new(last),
            lanes: Lanes::new(rules.order, rules.batch),
            gate: Gate::default(),
            concurrency: Concurrency::new(rules.requests),
            lines,
            owed: vec![],
            group: Group::default(),
            writing: None,
            write_at: None,
            settling: None,
            write_again: None,
            reading: None,
            reading_page: false,
            read_again: None,
            wanted: vec![],
            cursor: i64::MIN,
            behind: true,
            under_way: (rules.when_full == WhenFull::DropOldest).then(HashSet::new),
            deleted: vec![],
            requeued: false,
            requeued_upto: i64::MIN,
            in_flight: 0,
            counted: now,
            checking: None,
            check_at: now,
            dropping: None,
            pace_at: None,
            since: wall,
            working: false,
            clock: (wall, now),
            clock_set: 0,
            stopping: false,
            told_full: false,
            told_failure: false,
            tries: 0,
            ties,
        };
        (pump, answers)
    }

    /// Runs until `stop` and everything that was received is safe.
    pub(super) async fn run(mut self, mut inputs: Inputs, stop: CancellationToken) {
        let (mut arrived, mut ended) = (Vec::with_capacity(TURN), Vec::with_capacity(TURN));
        let mut pauses = self.ties.meter.pauses();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.wake_at();
            tokio::select! {
                biased;
                (group, result) = poll(&mut self.writing) => self.wrote(group, result),
                (asked, result) = poll(&mut self.reading) => self.read(asked, result),
                difference = poll(&mut self.checking) => self.checked(difference),
                found = poll(&mut self.dropping) => self.drop_oldest(found),
                _ = inputs.answers.recv_many(&mut ended, TURN) => {}
                count = inputs.arrivals.recv_many(&mut arrived, FEW), if !self.stopping && self.intake.has_room() => {
                    if count == 0 { self.stop() }
                }
                () = inputs.requeued.notified() => self.requeued = true,
                Ok(()) = pauses.changed() => {}
                _ = ticks.tick() => self.tick(),
                () = alarm::until(wake) => {}
                () = stop.cancelled(), if !self.stopping => {
                    // What came before the stop is taken in; the session hands nothing on after it.
                    while inputs.arrivals.try_recv().map(|one| arrived.push(one)).is_ok() {}
                    self.stop();
                }
            }
            // Whatever woke it, both go on: neither may hold up the other.
            inputs.more(&mut ended, if self.stopping || !self.intake.has_room() { None } else { Some(&mut arrived) });
            self.ended(&mut ended);
            if !arrived.is_empty() {
                self.arrived(&mut arrived).await;
            }
            self.send();
            self.start_writing();
            self.release();
            self.start_reading();
            self.ties.meter.set_in_flight(self.in_flight);
            if self.stopping && self.is_over() {
                break;
            }
        }
        self.ties.meter.set_in_flight(0);
    }

    fn stop(&mut self) {
        self.stopping = true;
    }

    fn is_over(&self) -> bool {
        let written = self.writing.is_none() && self.group.is_empty() && self.intake.is_empty();
        // A stopping relay does not wait for a full disk for ever: what is not stored is the broker's.
        let gave_up = self.writing.is_none() && self.tries >= 4;
        self.lines.busy() == 0 && (written || gave_up)
    }

    /// When the next turn is due by itself. A time that nothing is done at must not be among these: the loop would spin.
    fn wake_at(&self) -> Option<Instant> {
        let mut times = [self.write_at, self.write_again, None, None, None];
        if !self.stopping {
            times[2] = self.read_again;
            if !self.ties.meter.is_paused() {
                let gate = self.gate.opens_at().filter(|_| self.lines.busy() == 0 && self.lanes.has_ready());
                times[3] = self.lanes.wakes_at();
                // A request that waits for its pace does so behind an open gate.
                times[4] = self.pace_at.or(gate);
            }
        }
        times.into_iter().flatten().min()
    }

    /// Gives acknowledgements to the session as far as it takes them.
    fn release(&mut self) {
        if !self.reading_page {
            let bytes = self.intake.release(&mut self.owed);
            self.ties.backlog.taken(bytes);
        }
        let Some(acks) = &self.acks else { return };
        if !self.owed.is_empty() {
            match acks.try_send(std::mem::take(&mut self.owed)) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(owed)) => self.owed = owed,
                // The session has gone: the broker will send these again.
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
        if self.stopping && self.owed.is_empty() && self.intake.is_empty() {
            // The session leaves once nothing more is to be acknowledged; answers may still come.
            self.acks = None;
        }
    }

    pub(super) fn record(&self, id: Option<MessageId>, kind: Kind) {
        self.ties.feed.record(Event::now(&self.ties.path, &self.ties.path, id, kind));
    }

    pub(super) fn note(&self, failure: bool, text: String) {
        self.record(None, Kind::Note { failure, text });
    }
}

/// Where a pump is fed from.
pub(super) struct Inputs {
    pub(super) arrivals: mpsc::Receiver<Received>,
    pub(super) answers: mpsc::Receiver<Done>,
    /// Sender: whoever puts entries into the queue besides. A stored permit is enough: all there is is read.
    pub(super) requeued: Arc<Notify>,
}

impl Inputs {
    /// Takes what is there besides, without waiting.
    fn more(&mut self, ended: &mut Vec<Done>, arrived: Option<&mut Vec<Received>>) {
        while ended.len() < TURN
            && let Ok(done) = self.answers.try_recv()
        {
            ended.push(done);
        }
        let most = if self.arrivals.len() < FEW_WAIT { FEW } else { TURN };
        if let Some(arrived) = arrived {
            while arrived.len() < most
                && let Ok(one) = self.arrivals.try_recv()
            {
                arrived.push(one);
            }
        }
    }
}

/// Waits for a future that may be there, and takes it away when it is done.
async fn poll<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(running) => {
            let result = running.await;
            *future = None;
            result
        }
        None => std::future::pending().await,
    }
}
