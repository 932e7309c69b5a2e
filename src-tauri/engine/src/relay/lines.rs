//! The relay's connections to its destination: a task each, made when wanted, used last-in first-out so that few stay
//! warm, let go when idle for a while. Which parcel goes when is not known here.

use super::lanes::Parcel;
use crate::destination::Delivery;
use crate::destination::tagoio::TagoIo;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

// An idle connection is closed after this long; servers do the same.
const IDLE: Duration = Duration::from_secs(55);
// New connections at once: a server that is met by hundreds in one moment leaves some of them unheard for a second.
const OPENING: usize = 32;

/// A request to be made.
struct Job {
    parcel: Parcel,
    body: Bytes,
}

/// A request that ended.
pub(super) struct Done {
    pub(super) line: usize,
    pub(super) parcel: Parcel,
    pub(super) delivery: Delivery,
}

pub(super) struct Lines {
    destination: TagoIo,
    // Sender: `send`. Receiver: the line's task. Never full: a line has one request at a time.
    jobs: Vec<mpsc::Sender<Job>>,
    // Free lines, the one used last at the end.
    free: Vec<(usize, Instant)>,
    // Slots of lines that have ended.
    ended: Vec<usize>,
    // Lines whose first request is under way.
    opening: BTreeSet<usize>,
    busy: usize,
    done: mpsc::Sender<Done>,
    tasks: JoinSet<()>,
}

impl Lines {
    /// Lines to `destination`, `most` at once; ended requests come out of the receiver.
    // Sender: the lines' tasks. Receiver: the pump. Never full: it has room for one of each line.
    pub(super) fn new(destination: TagoIo, most: u16) -> (Self, mpsc::Receiver<Done>) {
        let (done, out) = mpsc::channel(usize::from(most.max(1)));
        let lines = Self {
            destination,
            jobs: vec![],
            free: vec![],
            ended: vec![],
            opening: BTreeSet::new(),
            busy: 0,
            done,
            tasks: JoinSet::new(),
        };
        (lines, out)
    }

    /// Requests under way.
    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    /// Whether a request can go out now.
    pub(super) fn has_room(&self) -> bool {
        !self.free.is_empty() || self.opening.len() < OPENING
    }

    /// Sends a parcel on a free line, or a new one; gives it back when no line takes it.
    pub(super) fn send(&mut self, parcel: Parcel, body: Bytes) -> Result<(), Parcel> {
        let line = match self.free.pop() {
            Some((line, _)) => line,
            None => self.open(),
        };
        match self.jobs[line].try_send(Job { parcel, body }) {
            Ok(()) => {
                self.busy += 1;
                Ok(())
            }
            Err(refused) => {
                // Its task fell; the next parcel gets another.
                self.opening.remove(&line);
                self.ended.push(line);
                Err(refused.into_inner().parcel)
            }
        }
    }

    /// A request ended: its line is free.
    pub(super) fn freed(&mut self, line: usize, now: Instant) {
        self.busy -= 1;
        self.opening.remove(&line);
        self.free.push((line, now));
    }

    /// Closes lines that nobody needed for a while.
    pub(super) fn trim(&mut self, now: Instant) {
        let idle = self.free.iter().take_while(|(_, since)| now.duration_since(*since) > IDLE).count();
        for (line, _) in self.free.drain(..idle) {
            // Its task ends when nobody can send to it.
            self.jobs[line] = mpsc::channel(1).0;
            self.ended.push(line);
        }
        while self.tasks.try_join_next().is_some() {}
    }

    fn open(&mut self) -> usize {
        let (jobs, jobs_out) = mpsc::channel(1);
        let line = self.ended.pop().unwrap_or(self.jobs.len());
        match self.jobs.get_mut(line) {
            Some(slot) => *slot = jobs,
            None => self.jobs.push(jobs),
        }
        self.opening.insert(line);
        self.tasks.spawn(run(self.destination.clone(), jobs_out, self.done.clone(), line));
        line
    }
}

async fn run(destination: TagoIo, mut jobs: mpsc::Receiver<Job>, done: mpsc::Sender<Done>, line: usize) {
    let mut connection = destination.line();
    loop {
        let job = tokio::select! {
            biased;
            job = jobs.recv() => job,
            () = connection.closed() => continue,
        };
        let Some(Job { parcel, body }) = job else { return };
        let delivery = connection.deliver(body).await;
        if done.send(Done { line, parcel, delivery }).await.is_err() {
            return;
        }
    }
}
