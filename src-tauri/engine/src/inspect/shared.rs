//! What a session's task and whoever asks it share: filters and publications as they are wanted, and how it stands.

use super::job::Job;
use super::replay::Replay;
use crate::mqtt::session::Standing;
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;

/// How a filter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterState {
    /// To be subscribed to.
    Wanted,
    /// SUBSCRIBE is out.
    Asked,
    /// SUBACK came.
    Granted(Qos),
    /// SUBACK or the link said no, in words.
    Refused(String),
    /// UNSUBSCRIBE is out.
    Leaving,
}

/// A filter of a session.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The filter.
    pub filter: Arc<str>,
    /// QoS asked for.
    pub qos: Qos,
    /// How it stands.
    pub state: FilterState,
    /// Publications that wait for answers through it; a person's own filter has none.
    pub users: u32,
    /// A person asked for it.
    pub asked: bool,
}

impl Filter {
    /// Whether anybody wants it.
    pub(super) fn needed(&self) -> bool {
        self.asked || self.users > 0
    }
}

/// One session of the inspector, as its task and whoever asks it see it.
pub struct Shared {
    /// Opened for messages of ours only.
    pub(super) fleeting: bool,
    /// The replay it was opened for.
    pub(super) replay: Option<Arc<Replay>>,
    inner: Mutex<Inner>,
    /// Something is wanted that was not before.
    pub(super) woken: Notify,
    /// Messages that came, and their bytes.
    pub(super) received: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Messages that came and are not in the feed: too large for the connection or for the feed's budget.
    pub(super) lost: AtomicU64,
}

pub(super) struct Inner {
    pub(super) filters: Vec<Filter>,
    // Written by whoever publishes, at most `MOST_JOBS`; taken by the task. Full: refused in words.
    pub(super) jobs: VecDeque<Arc<Job>>,
    pub(super) running: Vec<Arc<Job>>,
    pub(super) standing: Standing,
    pub(super) since: SystemTime,
    pub(super) version: Option<MqttVersion>,
    pub(super) client_id: String,
}

/// Publications under way in one session.
pub(super) const MOST_JOBS: usize = 8;

impl Shared {
    pub(super) fn new(filters: Vec<(Arc<str>, Qos)>, fleeting: bool) -> Self {
        let wanted = |(filter, qos)| Filter { filter, qos, state: FilterState::Wanted, users: 0, asked: true };
        let inner = Inner {
            filters: filters.into_iter().map(wanted).collect(),
            jobs: VecDeque::new(),
            running: vec![],
            standing: Standing::Connecting,
            since: SystemTime::now(),
            version: None,
            client_id: String::new(),
        };
        Self {
            fleeting,
            replay: None,
            inner: Mutex::new(inner),
            woken: Notify::new(),
            received: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// For a replay only.
    pub(super) fn replaying(replay: Arc<Replay>) -> Self {
        Self { replay: Some(replay), ..Self::new(vec![], true) }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is no connection: the broker has none of the subscriptions.
    pub(super) fn restarted(&self) {
        for filter in &mut self.inner().filters {
            filter.state = FilterState::Wanted;
        }
    }

    /// Has the task ask for a filter; for a person when `asked`, else for a publication's answers.
    pub(super) fn want(&self, filter: &Arc<str>, qos: Qos, asked: bool) {
        let mut inner = self.inner();
        match inner.filters.iter_mut().find(|known| known.filter == *filter) {
            Some(known) => {
                // Asking again heals a refusal; an answer's filter takes no QoS from a person's.
                let other_qos = known.qos != qos && (asked || !known.needed());
                if other_qos || matches!(known.state, FilterState::Refused(_)) {
                    known.qos = qos;
                    if known.state != FilterState::Leaving {
                        known.state = FilterState::Wanted;
                    }
                }
                known.asked |= asked;
                known.users += u32::from(!asked);
            }
            None => {
                let (filter, users) = (filter.clone(), u32::from(!asked));
                inner.filters.push(Filter { filter, qos, state: FilterState::Wanted, users, asked });
            }
        }
        drop(inner);
        self.woken.notify_one();
    }

    /// Has the task give a filter up, unless somebody else needs it. Whether it was there.
    pub(super) fn give_up(&self, filter: &str, asked: bool) -> bool {
        let mut inner = self.inner();
        let Some(known) = inner.filters.iter_mut().find(|known| *known.filter == *filter) else { return false };
        let was = if asked { std::mem::take(&mut known.asked) } else { known.users > 0 };
        known.users -= u32::from(!asked && was);
        drop(inner);
        self.woken.notify_one();
        was
    }

    /// Ends whatever is being published, with this reason.
    pub(super) fn end_jobs(&self, why: &str) {
        let inner = self.inner();
        for job in inner.jobs.iter().chain(&inner.running) {
            job.fail(why.to_owned());
        }
        drop(inner);
        if let Some(replay) = &self.replay {
            replay.fail(why);
        }
    }

    /// It can't even begin: whatever was to be published ends. Whether it was opened for that only.
    pub(crate) fn abandoned(&self, why: &str) -> bool {
        self.end_jobs(why);
        self.fleeting
    }

    pub(super) fn stand(&self, standing: Standing) {
        let mut inner = self.inner();
        if inner.standing != standing {
            inner.since = SystemTime::now();
            inner.standing = standing;
        }
    }

    /// Messages that came, and those of them that are not in the feed.
    pub fn counts(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}
