//! The replay of a session at work: when the next message is due, whose acknowledgement came.
//!
//! A connection that falls holds the replay. With the next one, what had not been taken goes out once more, in its order,
//! before anything new: nothing is lost, and the broker may get twice what was on its way. A person can end it meanwhile.

use super::replay::{Replay, Way};
use super::task::Task;
use crate::api::wire::ReplayPace;
use crate::feed::event::{Direction, Kind};
use crate::mqtt::link::{Taken, Unsent, Untaken};
use crate::mqtt::properties;
use crate::mqtt::words::Failure;
use relayscope_domain::message::Qos;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the first connection is waited for, and an acknowledgement before it is said that none comes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections one after the other that may fall without a message being taken: with the first of these messages, the
/// broker would cut every further one as well.
const FRUITLESS: u32 = 3;

/// A replay on its way: which messages went out and were not taken, and where the recording's time stands.
pub(super) struct Replaying {
    replay: Arc<Replay>,
    // Places of messages: QoS 0, until written; QoS 1 and 2, until acknowledged.
    writing: VecDeque<usize>,
    published: HashMap<u16, usize>,
    // Places of those that were on their way when a connection fell.
    again: BTreeSet<usize>,
    // Connections that fell since something was taken, with messages on their way.
    fruitless: u32,
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
            again: BTreeSet::new(),
            fruitless: 0,
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
        self.replay.change(|state| state.way = Way::Open);
    }

    /// Messages were taken, or refused.
    fn moves(&mut self) {
        self.moved = Instant::now();
        self.fruitless = 0;
        self.replay.change(|state| state.way = Way::Open);
    }

    /// Something was written; it is told in the order of the messages.
    pub(super) fn written(&mut self, count: usize) {
        let count = count.min(self.writing.len());
        self.writing.drain(..count);
        self.moves();
        self.replay.change(|state| state.taken += count as u32);
    }

    pub(super) fn published(&mut self, id: u16, result: Result<Taken, Untaken>) {
        let Some(at) = self.published.remove(&id) else { return };
        self.moves();
        match result {
            Ok(taken) => self.replay.change(|state| {
                state.taken += 1;
                state.unheard += u32::from(taken == Taken::Unheard);
            }),
            Err(why) => self.replay.refuse(at, &why.words),
        }
    }

    pub(super) fn fell(&mut self, failure: &Failure) {
        let why = failure.words.trim_end_matches('.');
        self.fallen = Some(why.to_owned());
        self.held = false;
        if !(self.writing.is_empty() && self.published.is_empty()) {
            self.fruitless += 1;
        }
        self.again.extend(self.writing.drain(..).chain(self.published.drain().map(|(_, at)| at)));
        if failure.fatal {
            self.replay.fail(format!("{} {}", failure.words, failure.advice).trim());
        } else if let (FRUITLESS.., Some(at)) = (self.fruitless, self.again.first()) {
            let topic = self.replay.messages.get(*at).map_or("", |message| &*message.topic);
            self.replay.fail(&format!(
                "The connection fell {FRUITLESS} times before the broker took “{topic}” (message {}): {why}. It may be \
                 more than the broker allows.",
                at + 1
            ));
        } else {
            self.replay.change(|state| {
                if !matches!(state.way, Way::New) {
                    state.way = Way::Fallen(why.to_owned());
                }
            });
        }
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

    /// When the next message is due, and which; `None` when only a person or something else can let it go.
    fn next(&self) -> Option<(usize, Instant)> {
        let since = self.since.filter(|_| !self.held)?;
        if let Some(at) = self.again.first() {
            // It was due before.
            return Some((*at, since));
        }
        let (at, let_go) = self.replay.look(|state| (state.sent, state.let_go));
        let after = self.replay.messages.get(at)?.after;
        let due = match self.replay.pace {
            ReplayPace::Once => since + after.saturating_sub(self.passed),
            ReplayPace::Tenfold => since + (after / 10).saturating_sub(self.passed),
            ReplayPace::Most => since,
            ReplayPace::Steps if at < let_go => since,
            ReplayPace::Steps => return None,
        };
        Some((at, due))
    }

    fn waits(&self) -> bool {
        self.held || !self.writing.is_empty() || !self.published.is_empty()
    }

    /// Whether something is waited for, and nobody was told yet that it does not come.
    fn is_patient(&self) -> bool {
        self.replay.look(|state| match state.way {
            Way::New => true,
            Way::Open => self.waits(),
            Way::Silent | Way::Fallen(_) => false,
        })
    }

    /// When something is to be done although nothing comes.
    pub(super) fn due(&self) -> Option<Instant> {
        let patience = self.is_patient().then(|| self.moved + PATIENCE);
        self.next().map(|(_, due)| due).into_iter().chain(patience).min()
    }

    /// Nothing came for too long: the end before the first connection, afterwards only something to be said.
    fn lose_patience(&self) {
        if self.replay.look(|state| !matches!(state.way, Way::New)) {
            return self.replay.change(|state| state.way = Way::Silent);
        }
        let why = self.fallen.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        self.replay.fail(&format!("There was no connection to the broker for {} seconds{why}.", PATIENCE.as_secs()));
    }
}

impl Task {
    /// Publishes what is due of the replay, and ends it when it is done.
    pub(super) fn replay(&mut self) {
        let Some(mut replaying) = self.replaying.take() else { return };
        let replay = replaying.replay.clone();
        let now = Instant::now();
        let (paused, ended) = replay.look(|state| (state.paused, state.done));
        replaying.run_clock(now, self.connected && !paused && !ended);
        while let Some((at, due)) = replaying.next() {
            if due > now {
                break;
            }
            self.publish_recorded(&mut replaying, at);
        }
        let sent = replay.look(|state| state.sent);
        if sent == replay.messages.len() && replaying.again.is_empty() && !replaying.waits() {
            replay.change(|state| state.done = true);
        } else if replaying.is_patient() && replaying.moved + PATIENCE <= now {
            replaying.lose_patience();
        }
        self.replaying = Some(replaying);
    }

    fn publish_recorded(&mut self, replaying: &mut Replaying, at: usize) {
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
        let again = replaying.again.remove(&at);
        replay.change(|state| match again {
            true => state.again += 1,
            false => state.sent = at + 1,
        });
    }
}
