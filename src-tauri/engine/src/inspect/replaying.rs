//! The replay of a session at work: when the next message is due, whose acknowledgement came.

use super::replay::Replay;
use super::task::Task;
use crate::api::wire::ReplayPace;
use crate::feed::event::{Direction, Kind};
use crate::mqtt::link::{Taken, Unsent, Untaken};
use crate::mqtt::properties;
use crate::mqtt::words::Failure;
use relayscope_domain::message::Qos;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection and an acknowledgement are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Replaying {
    replay: Arc<Replay>,
    // Places of messages: QoS 0, until written; QoS 1 and 2, until acknowledged.
    writing: VecDeque<usize>,
    published: HashMap<u16, usize>,
    // Time that passed in the recording before `since`; it stands still while there is no `since`.
    passed: Duration,
    since: Option<Instant>,
    // There was no room: not again before something came.
    held: bool,
    // When something last happened that was waited for.
    moved: Instant,
    fallen: Option<String>,
}

impl Replaying {
    pub(super) fn new(replay: Arc<Replay>) -> Self {
        Self {
            replay,
            writing: VecDeque::new(),
            published: HashMap::new(),
            passed: Duration::ZERO,
            since: None,
            held: false,
            moved: Instant::now(),
            fallen: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.replay.is_done()
    }

    pub(super) fn room(&mut self) {
        self.held = false;
    }

    pub(super) fn connected(&mut self) {
        self.moved = Instant::now();
        self.replay.change(|state| state.connected = true);
    }

    /// Something was written; it is told in the order of the messages.
    pub(super) fn written(&mut self, count: usize) {
        let count = count.min(self.writing.len());
        self.writing.drain(..count);
        self.moved = Instant::now();
        self.replay.change(|state| state.taken += count as u32);
    }

    pub(super) fn published(&mut self, id: u16, result: Result<Taken, Untaken>) {
        let Some(at) = self.published.remove(&id) else { return };
        self.moved = Instant::now();
        match result {
            Ok(taken) => self.replay.change(|state| {
                state.taken += 1;
                state.unheard += u32::from(taken == Taken::Unheard);
            }),
            Err(why) => self.replay.refuse(at, &why.words),
        }
    }

    pub(super) fn fell(&mut self, failure: &Failure) {
        let began = self.replay.look(|state| state.connected);
        if began {
            let waiting = self.writing.len() + self.published.len();
            let unknown = if waiting > 0 {
                format!(" Of {waiting} nobody knows whether the broker has them.")
            } else {
                String::new()
            };
            self.replay.fail(&format!("The connection fell: {}.{unknown}", failure.words.trim_end_matches('.')));
        } else if failure.fatal {
            self.replay.fail(format!("{} {}", failure.words, failure.advice).trim());
        }
        self.fallen = Some(failure.words.clone());
    }

    /// The time in the recording follows the clock, unless it is held.
    fn run_clock(&mut self, now: Instant, runs: bool) {
        match (self.since, runs) {
            (None, true) => self.since = Some(now),
            (Some(since), false) => {
                self.passed += now.duration_since(since);
                self.since = None;
            }
            _ => {}
        }
    }

    /// When a message is due; `None` when only a person or something else can let it go.
    fn due_at(&self, at: usize, let_go: usize) -> Option<Instant> {
        let since = self.since?;
        let after = self.replay.messages.get(at)?.after;
        match self.replay.pace {
            ReplayPace::Once => Some(since + after.saturating_sub(self.passed)),
            ReplayPace::Tenfold => Some(since + (after / 10).saturating_sub(self.passed)),
            ReplayPace::Most => Some(since),
            ReplayPace::Steps => (at < let_go).then_some(since),
        }
    }

    fn waits(&self) -> bool {
        self.held || !self.writing.is_empty() || !self.published.is_empty()
    }

    /// When something is to be done although nothing comes.
    pub(super) fn due(&self) -> Option<Instant> {
        let (sent, let_go, connected) = self.replay.look(|state| (state.sent, state.let_go, state.connected));
        let next = if self.held { None } else { self.due_at(sent, let_go) };
        let patience = (!connected || self.waits()).then(|| self.moved + PATIENCE);
        next.into_iter().chain(patience).min()
    }
}

impl Task {
    /// Publishes what is due of the replay, and ends it when it is done.
    pub(super) fn replay(&mut self) {
        let Some(mut replaying) = self.replaying.take() else { return };
        let replay = replaying.replay.clone();
        let now = Instant::now();
        let paused = replay.look(|state| state.paused);
        replaying.run_clock(now, self.connected && !paused);
        loop {
            let (sent, let_go, done) = replay.look(|state| (state.sent, state.let_go, state.done));
            let is_due = replaying.due_at(sent, let_go).is_some_and(|due| due <= now);
            if done || !self.connected || replaying.held || !is_due {
                break;
            }
            self.send_again(&mut replaying, sent);
        }
        let sent = replay.look(|state| state.sent);
        if sent == replay.messages.len() && !replaying.waits() {
            replay.change(|state| state.done = true);
        } else if (!self.connected || replaying.waits()) && replaying.moved + PATIENCE <= now {
            let seconds = PATIENCE.as_secs();
            replay.fail(&match (&replaying.fallen, self.connected) {
                (_, true) => format!("The broker did not acknowledge for {seconds} seconds."),
                (Some(why), false) => {
                    let why = why.trim_end_matches('.');
                    format!("There was no connection to the broker for {seconds} seconds: {why}.")
                }
                (None, false) => format!("There was no connection to the broker for {seconds} seconds."),
            });
        }
        self.replaying = Some(replaying);
    }

    fn send_again(&mut self, replaying: &mut Replaying, at: usize) {
        let replay = replaying.replay.clone();
        let Some(message) = replay.messages.get(at) else { return };
        let properties = properties::encode(&message.properties);
        match self.link.publish(&message.topic, &message.payload, message.qos, message.retain, &properties) {
            Ok(id) => {
                if !replaying.waits() {
                    // From now on an acknowledgement is waited for.
                    replaying.moved = Instant::now();
                }
                match message.qos {
                    Qos::AtMostOnce => replaying.writing.push_back(at),
                    Qos::AtLeastOnce | Qos::ExactlyOnce => drop(replaying.published.insert(id, at)),
                }
                self.record(Kind::Publish {
                    direction: Direction::Out,
                    topic: message.topic.clone(),
                    payload: message.payload.clone(),
                    qos: message.qos,
                    retain: message.retain,
                    dup: false,
                    packet_id: (id != 0).then_some(id),
                    properties: message.properties.clone(),
                    will: false,
                    cut_from: None,
                });
            }
            Err(Unsent::Full) => {
                replaying.held = true;
                return;
            }
            Err(Unsent::Refused(why)) => replay.refuse(at, &why),
        }
        replay.change(|state| state.sent = at + 1);
    }
}
