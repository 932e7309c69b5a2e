//! A replay: recorded messages that are published again, how fast, and what came of it so far. The task writes it, pages
//! read it and hold it, let it go on, step or end it.

use super::shared::Shared;
use crate::api::wire::{ReplayAct, ReplayPace, ReplayProgress, Tone};
use bytes::Bytes;
use relayscope_domain::message::Qos;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Refusals that are told in words; all are counted.
const TOLD: usize = 20;

/// A message as it was recorded.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Since the first one.
    pub after: Duration,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker retains it.
    pub retain: bool,
    /// MQTT 5 properties in words.
    pub properties: Vec<(String, String)>,
}

/// Recorded messages that are published again.
pub struct Replay {
    /// Its number.
    pub number: u32,
    /// The broker's name.
    pub broker: String,
    /// How fast.
    pub pace: ReplayPace,
    /// The messages, in their order.
    pub messages: Box<[Replayed]>,
    state: Mutex<State>,
    changed: AtomicBool,
}

/// How its connection stands.
#[derive(Clone, Debug, Default)]
pub(super) enum Way {
    /// There was none yet.
    #[default]
    New,
    /// It is there.
    Open,
    /// It is there, and nothing that is waited for comes.
    Silent,
    /// It fell, and why; the replay goes on with the next one.
    Fallen(String),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Messages handed to the connection or refused by it.
    pub(super) sent: usize,
    pub(super) taken: u32,
    pub(super) unheard: u32,
    /// How often a message was published once more, because its connection fell before it was taken.
    pub(super) again: u32,
    pub(super) refused: u32,
    refusals: Vec<String>,
    pub(super) way: Way,
    pub(super) paused: bool,
    /// Step by step: how many a person let go.
    pub(super) let_go: usize,
    cancelled: bool,
    failure: Option<String>,
    pub(super) done: bool,
}

impl Replay {
    pub(super) fn new(number: u32, broker: String, pace: ReplayPace, messages: Box<[Replayed]>) -> Self {
        let state = Mutex::new(State::default());
        Self { number, broker, pace, messages, state, changed: AtomicBool::new(true) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.store(true, Ordering::Release);
    }

    pub(super) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.lock().done
    }

    pub(super) fn refuse(&self, at: usize, why: &str) {
        let topic = self.messages.get(at).map_or("", |message| &*message.topic);
        self.change(|state| {
            state.refused += 1;
            if state.refusals.len() < TOLD {
                state.refusals.push(format!("{topic} (message {}): {why}", at + 1));
            }
        });
    }

    pub(super) fn fail(&self, why: &str) {
        self.change(|state| {
            if !state.done {
                state.failure = Some(why.to_owned());
                state.done = true;
            }
        });
    }

    /// Does what a person asks for.
    pub(super) fn act(&self, act: ReplayAct) {
        self.change(|state| match act {
            ReplayAct::Pause => state.paused = !state.done,
            ReplayAct::Resume => state.paused = false,
            ReplayAct::Step => state.let_go = (state.sent + 1).min(self.messages.len()),
            ReplayAct::Cancel => {
                state.cancelled |= !state.done;
                state.done = true;
            }
        });
    }

    /// How it stands, for pages.
    pub(crate) fn progress(&self) -> ReplayProgress {
        let state = self.lock().clone();
        let (words, tone) = self.words(&state);
        let messages = self.messages.len() as u32;
        ReplayProgress {
            number: self.number,
            broker: self.broker.clone(),
            pace: self.pace,
            messages,
            sent: state.sent as u32,
            taken: state.taken,
            refused: state.refused,
            next: self.messages.get(state.sent).filter(|_| !state.done).map(|message| message.topic.to_string()),
            refusals: state.refusals,
            paused: state.paused,
            done: state.done,
            words,
            tone,
        }
    }

    fn words(&self, state: &State) -> (String, Tone) {
        let all = self.messages.len();
        let taken = format!("{} of {all} published", state.taken);
        if let Some(why) = &state.failure {
            return (format!("{why} {taken}."), Tone::Bad);
        }
        if state.cancelled {
            return (format!("Cancelled: {taken}."), Tone::Warn);
        }
        if state.done {
            let mut words = format!("Done: {taken}");
            for (count, what) in [
                (state.refused, "refused"),
                (state.unheard, "with no matching subscribers"),
                (state.again, "sent once more after the connection fell"),
            ] {
                if count > 0 {
                    words.push_str(&format!(", {count} {what}"));
                }
            }
            let tone = if state.refused > 0 { Tone::Warn } else { Tone::Ok };
            return (format!("{words}."), tone);
        }
        match (&state.way, state.paused) {
            (Way::New, _) => ("Connecting.".to_owned(), Tone::Idle),
            (Way::Fallen(why), _) => {
                let goes_on = if state.paused { "Paused" } else { "It goes on when the broker is back" };
                (format!("The connection fell: {why}. {goes_on}: {taken}."), Tone::Warn)
            }
            (_, true) => (format!("Paused: {taken}."), Tone::Idle),
            (Way::Silent, _) => (format!("Waits for the broker, which acknowledges nothing: {taken}."), Tone::Warn),
            _ if self.pace == ReplayPace::Steps && state.sent == state.let_go => {
                (format!("Waits for a step: {taken}."), Tone::Idle)
            }
            _ => (format!("{taken}."), Tone::Idle),
        }
    }
}

/// A replay, and the session that does it.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) replay: Arc<Replay>,
    pub(super) shared: Arc<Shared>,
}
