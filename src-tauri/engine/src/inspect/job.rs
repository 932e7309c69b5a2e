//! One publication: a message, how often it is sent, and what came of it so far. The task writes it, pages read it.

use bytes::Bytes;
use relayscope_domain::publish::{Outgoing, Repeat};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Requests whose answers are looked for and shown; of more, the oldest are forgotten.
const PAIRS: usize = 200;

/// A publication.
#[derive(Debug)]
pub struct Job {
    /// Its number.
    pub number: u32,
    /// The broker's name.
    pub broker: String,
    /// What is sent.
    pub message: Outgoing,
    /// How often.
    pub repeat: Repeat,
    state: Mutex<JobState>,
    changed: AtomicBool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct JobState {
    /// Messages handed to the connection.
    pub sent: u32,
    /// Of these, written (QoS 0) or acknowledged (QoS 1 and 2).
    pub taken: u32,
    /// Of these, those that nobody subscribes to, as the broker said.
    pub unheard: u32,
    /// Why it ended before its time.
    pub failure: Option<String>,
    /// A person ended it.
    pub cancelled: bool,
    /// Whether MQTT 5 is spoken, once that is known.
    pub v5: Option<bool>,
    /// Nothing more will happen.
    pub done: bool,
    /// Requests and their answers, oldest first.
    pub pairs: VecDeque<Pair>,
    /// Answers that fit no request that is known.
    pub strays: u32,
}

/// A request, and its answer.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Correlation data.
    pub correlation: Bytes,
    /// When the request was handed to the connection.
    pub at: SystemTime,
    /// The same on the clock that only goes forward.
    pub(super) instant: Instant,
    /// The first answer.
    pub answer: Option<Answered>,
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub struct Answered {
    /// From the request to here.
    pub took: Duration,
    /// Payload.
    pub payload: Bytes,
    /// Whether it carried the correlation data; else it was taken for the oldest request.
    pub correlated: bool,
}

impl Job {
    pub(super) fn new(number: u32, broker: String, message: Outgoing, repeat: Repeat) -> Self {
        let state = Mutex::new(JobState::default());
        Self { number, broker, message, repeat, state, changed: AtomicBool::new(true) }
    }

    fn lock(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands.
    pub fn state(&self) -> JobState {
        self.lock().clone()
    }

    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.lock().done
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&JobState) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut JobState)) {
        change(&mut self.lock());
        self.changed.store(true, Ordering::Release);
    }

    /// Ends it, unless it has ended.
    pub(super) fn fail(&self, why: String) {
        self.change(|state| {
            if !state.done {
                state.failure = Some(why);
                state.done = true;
            }
        });
    }

    /// A person ends it.
    pub fn cancel(&self) {
        self.change(|state| {
            state.cancelled |= !state.done;
            state.done = true;
        });
    }

    pub(super) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    /// Whether answers are waited for.
    pub fn asks(&self) -> Option<Arc<str>> {
        self.message.properties.response_topic.as_deref().map(Into::into)
    }

    pub(super) fn requested(&self, correlation: Bytes) {
        let pair = Pair { correlation, at: SystemTime::now(), instant: Instant::now(), answer: None };
        self.change(|state| {
            if state.pairs.len() == PAIRS {
                state.pairs.pop_front();
            }
            state.pairs.push_back(pair);
        });
    }
}
