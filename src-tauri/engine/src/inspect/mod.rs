//! Sessions of the inspector: a look at any saved broker without a relay, and messages that a person publishes.
//!
//! [`Sessions`] holds what is wanted: which sessions, their filters, their messages. The supervisor runs a unit for each;
//! the unit ([`Task`]) does what is wanted and notes how it stands. A session has a client id of its own and leaves nothing
//! behind at the broker. It ends when it is closed or with the app; one that was opened for a message only ends with that.
//! Everything that comes is recorded in the feed. This module knows nothing of relays and queues.

mod answers;
mod ask;
mod job;
mod publishing;
mod replay;
mod replaying;
mod shared;
mod task;
mod view;

pub use ask::SessionError;
pub(crate) use ask::check_message;
pub use job::{Job, JobState, Pair};
pub use replay::{Replay, Replayed};
pub use shared::{Filter, FilterState, Shared};
pub use task::{Task, open};
pub(crate) use view::{progress, sessions};

use crate::mqtt::own_id::own_id;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::id::BrokerId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most sessions at once, those for single messages included.
const MOST_SESSIONS: usize = 32;
/// Replays under way at once, and finished ones that can still be asked after.
const MOST_REPLAYS: usize = 4;
/// Finished publications that can still be asked after.
const REMEMBERED: usize = 64;

/// Everything a session depends on, besides what is wanted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPlan {
    /// The broker's name, for events.
    pub broker_name: String,
    /// Where to connect to, under a client id of its own.
    pub connection: Connection,
    /// With what.
    pub secrets: BrokerSecrets,
    /// Largest packet taken, bytes.
    pub max_packet: u32,
}

/// A session that is wanted.
#[derive(Clone)]
pub struct Wanted {
    /// At which broker.
    pub broker_id: BrokerId,
    /// For one message only; not listed.
    pub fleeting: bool,
    random: u16,
    shared: Arc<Shared>,
}

impl Wanted {
    /// The client id it begins with where the broker has no saved one.
    pub(crate) fn base_id(&self) -> String {
        "relayscope".into()
    }

    /// The saved connection as this session uses it: its own client id, a clean session, no will.
    pub(crate) fn own(&self, connection: Connection) -> Connection {
        let client_id = own_id(&connection.client_id, "look", self.random);
        Connection { client_id, clean_start: true, session_expiry: 0, will: None, ..connection }
    }
}

/// The sessions that are wanted, and what was published lately.
#[derive(Default)]
pub struct Sessions(Mutex<State>);

#[derive(Default)]
struct State {
    last_session: u32,
    last_job: u32,
    wanted: BTreeMap<u32, Wanted>,
    jobs: BTreeMap<u32, Arc<Job>>,
    last_replay: u32,
    replays: BTreeMap<u32, replay::Running>,
}

impl Sessions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions that are wanted, by number.
    pub fn wanted(&self) -> Vec<(u32, Wanted)> {
        self.state().wanted.iter().map(|(number, wanted)| (*number, wanted.clone())).collect()
    }

    /// What a session and whoever asks it share.
    pub fn shared(&self, number: u32) -> Option<Arc<Shared>> {
        self.state().wanted.get(&number).map(|wanted| wanted.shared.clone())
    }

    fn one(&self, number: u32) -> Option<Wanted> {
        self.state().wanted.get(&number).cloned()
    }

    /// Wants a session; `None` when there are too many.
    fn add(&self, broker_id: BrokerId, fleeting: bool, shared: Arc<Shared>) -> Option<u32> {
        let mut state = self.state();
        if state.wanted.len() >= MOST_SESSIONS {
            return None;
        }
        state.last_session += 1;
        let number = state.last_session;
        state.wanted.insert(number, Wanted { broker_id, fleeting, random: rand::random(), shared });
        Some(number)
    }

    /// Gives a session up. Whether it was wanted.
    pub fn close(&self, number: u32) -> bool {
        let gone = self.state().wanted.remove(&number);
        if let Some(wanted) = &gone {
            wanted.shared.end_jobs("The session was closed.");
        }
        gone.is_some()
    }

    fn number_job(&self, make: impl FnOnce(u32) -> Job) -> Arc<Job> {
        let mut state = self.state();
        state.last_job += 1;
        let job = Arc::new(make(state.last_job));
        state.jobs.insert(job.number, job.clone());
        let mut over = state.jobs.len().saturating_sub(REMEMBERED);
        state.jobs.retain(|_, job| {
            let goes = over > 0 && job.is_done();
            over -= usize::from(goes);
            !goes
        });
        job
    }

    /// A publication, under way or of late.
    pub fn job(&self, number: u32) -> Option<Arc<Job>> {
        self.state().jobs.get(&number).cloned()
    }

    /// Numbers a replay and remembers it; `None` when too many are under way. Of those that ended, the newest are kept.
    fn number_replay(&self, make: impl FnOnce(u32) -> Replay) -> Option<replay::Running> {
        let mut state = self.state();
        if state.replays.values().filter(|running| !running.replay.is_done()).count() >= MOST_REPLAYS {
            return None;
        }
        state.last_replay += 1;
        let number = state.last_replay;
        let replay = Arc::new(make(number));
        let running = replay::Running { shared: Arc::new(Shared::replaying(replay.clone())), replay };
        state.replays.insert(number, running.clone());
        // Their messages are held in memory.
        state.replays.retain(|at, running| *at + MOST_REPLAYS as u32 > number || !running.replay.is_done());
        Some(running)
    }

    fn replay(&self, number: u32) -> Option<replay::Running> {
        self.state().replays.get(&number).cloned()
    }

    /// Replays that changed since the last call.
    pub(crate) fn changed_replays(&self) -> Vec<Arc<Replay>> {
        let state = self.state();
        state.replays.values().map(|running| &running.replay).filter(|replay| replay.take_changed()).cloned().collect()
    }

    /// Publications that changed since the last call.
    pub(crate) fn changed_jobs(&self) -> Vec<Arc<Job>> {
        self.state().jobs.values().filter(|job| job.take_changed()).cloned().collect()
    }
}
