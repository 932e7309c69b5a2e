//! What people ask of the inspector's sessions: open, add and remove filters, close, publish. Everything is checked here,
//! all problems at once; doing it is the tasks' business.

use super::job::Job;
use super::replay::{Replay, Replayed};
use super::shared::{MOST_JOBS, Shared};
use super::{MOST_REPLAYS, Wanted, view};
use crate::Engine;
use crate::api::wire::{
    MessageCheck, PublishProgress, PublishRequest, ReplayAct, ReplayPace, ReplayProgress, SessionDraft,
    SessionFilterRequest, SessionView, SessionsFrame,
};
use crate::configuration::ChangeError;
use crate::runtime::UnitKey;
use crate::store::StoreError;
use relayscope_domain::broker::{Broker, BrokerSpec};
use relayscope_domain::decode::encode;
use relayscope_domain::id::BrokerId;
use relayscope_domain::problem::Problems;
use relayscope_domain::publish::{self, MessageDraft, PayloadSource, Repeat};
use relayscope_domain::topic;
use std::sync::Arc;
use std::time::Duration;

/// Most filters of one session.
const MOST_FILTERS: usize = 100;

/// Why something could not be done with a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What was entered is not valid.
    #[error(transparent)]
    Invalid(#[from] ChangeError),
    /// It is not open.
    #[error("This session was closed meanwhile.")]
    Closed,
    /// It never had that filter.
    #[error("The session does not have this filter any more.")]
    NoFilter,
    /// As many as there may be.
    #[error("So many sessions are open that no other can be: close one first.")]
    TooMany,
    /// As many as there may be.
    #[error("{MOST_JOBS} messages are being published there already: wait for one to end, or cancel it.")]
    Busy,
    /// As many as there may be.
    #[error("{MOST_REPLAYS} replays are under way already: wait for one to end, or cancel it.")]
    Replays,
    /// That number was never given out, or long ago.
    #[error("Nothing is known of this publication any more.")]
    Forgotten,
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Invalid(error.into())
    }
}

impl Engine {
    /// Opens a session; it connects by itself.
    pub(crate) async fn open_session(&self, draft: &SessionDraft) -> Result<SessionView, SessionError> {
        let mut problems = Problems::default();
        if draft.broker_id.is_none() {
            problems.add("brokerId", "Choose a broker.");
        }
        if draft.filters.is_empty() {
            problems.add("filters", "Enter at least one filter, such as plant/#.");
        }
        if draft.filters.len() > MOST_FILTERS {
            problems.add("filters", format!("A session has at most {MOST_FILTERS} filters."));
        }
        for (at, one) in draft.filters.iter().enumerate() {
            check_filter(&format!("filters.{at}.filter"), &one.filter, draft.everything, &mut problems);
            if draft.filters[..at].iter().any(|other| other.filter == one.filter) {
                problems.add(format!("filters.{at}.filter"), "This filter stands here twice.");
            }
        }
        problems.finish(()).map_err(ChangeError::Invalid)?;
        let Some(broker_id) = draft.broker_id else { return Err(SessionError::Closed) };
        self.store.broker(broker_id).await?;
        let filters = draft.filters.iter().map(|one| (Arc::from(one.filter.as_str()), one.qos)).collect();
        let number = self.want_session(broker_id, false, Arc::new(Shared::new(filters, false)))?;
        self.session_view(number).await
    }

    fn want_session(&self, broker_id: BrokerId, fleeting: bool, shared: Arc<Shared>) -> Result<u32, SessionError> {
        let number = self.runtime.sessions.add(broker_id, fleeting, shared).ok_or(SessionError::TooMany)?;
        self.runtime.wanted();
        Ok(number)
    }

    fn open_one(&self, number: u32) -> Result<Wanted, SessionError> {
        self.runtime.sessions.one(number).filter(|wanted| !wanted.fleeting).ok_or(SessionError::Closed)
    }

    /// Adds a filter, or asks for another QoS, over the connection there is.
    pub(crate) async fn add_session_filter(&self, asked: &SessionFilterRequest) -> Result<SessionView, SessionError> {
        let wanted = self.open_one(asked.number)?;
        let mut problems = Problems::default();
        check_filter("filter", &asked.filter, asked.everything, &mut problems);
        if wanted.shared.inner().filters.len() >= MOST_FILTERS {
            problems.add("filter", format!("A session has at most {MOST_FILTERS} filters."));
        }
        problems.finish(()).map_err(ChangeError::Invalid)?;
        wanted.shared.want(&asked.filter.as_str().into(), asked.qos, true);
        self.session_view(asked.number).await
    }

    /// Gives a filter up, over the connection there is.
    pub(crate) async fn remove_session_filter(&self, number: u32, filter: &str) -> Result<SessionView, SessionError> {
        if !self.open_one(number)?.shared.give_up(filter, true) {
            return Err(SessionError::NoFilter);
        }
        self.session_view(number).await
    }

    /// Ends a session.
    pub(crate) fn close_session(&self, number: u32) -> Result<(), SessionError> {
        self.open_one(number)?;
        self.runtime.sessions.close(number);
        self.runtime.wanted();
        Ok(())
    }

    async fn session_view(&self, number: u32) -> Result<SessionView, SessionError> {
        let wanted = self.open_one(number)?;
        let name = self.store.broker(wanted.broker_id).await.map(|broker| broker.name).unwrap_or_default();
        Ok(view::session(number, &wanted, &name, &self.runtime.status(UnitKey::Session(number))))
    }

    /// All sessions a person opened.
    pub(crate) async fn sessions(&self) -> Result<SessionsFrame, StoreError> {
        view::sessions(&self.store, &self.runtime).await
    }

    /// Publishes a message through a session, or over a connection of its own.
    pub(crate) async fn publish(&self, asked: &PublishRequest) -> Result<PublishProgress, SessionError> {
        let mut problems = vec![];
        if asked.broker_id.is_none() {
            let mut none = Problems::default();
            none.add("brokerId", "Choose a broker.");
            problems.extend(none.into_vec());
        }
        let message = publish::check(&asked.message).map_err(|found| problems.extend(found)).ok();
        let repeat = match &asked.repeat {
            Some(draft) => publish::check_repeat(draft).map_err(|found| problems.extend(found)).ok(),
            None => Some(Repeat { count: 1, every: Duration::ZERO }),
        };
        let (Some(broker_id), Some(message), Some(repeat)) = (asked.broker_id, message, repeat) else {
            return Err(ChangeError::Invalid(problems).into());
        };
        let broker = self.store.broker(broker_id).await?;
        self.check_runs(&broker)?;
        let broker = broker.name;
        let open = asked.session.map(|number| self.open_one(number)).transpose()?;
        let open = open.filter(|wanted| wanted.broker_id == broker_id);
        let shared = open.map_or_else(|| Arc::new(Shared::new(vec![], true)), |wanted| wanted.shared);
        let job = {
            let mut inner = shared.inner();
            if inner.jobs.len() + inner.running.len() >= MOST_JOBS {
                return Err(SessionError::Busy);
            }
            let job = self.runtime.sessions.number_job(|number| Job::new(number, broker, message, repeat));
            inner.jobs.push_back(job.clone());
            job
        };
        if shared.fleeting {
            if let Err(error) = self.want_session(broker_id, true, shared) {
                job.fail(error.to_string());
                return Err(error);
            }
        } else {
            shared.woken.notify_one();
        }
        Ok(view::progress(&job))
    }

    /// Whether something can be published to a broker at all.
    pub(crate) fn check_runs(&self, broker: &Broker) -> Result<(), SessionError> {
        if matches!(broker.spec, BrokerSpec::Embedded(_)) && self.runtime.broker(broker.id).is_none() {
            return Err(ChangeError::at("brokerId", "This broker does not run. Start it first.").into());
        }
        Ok(())
    }

    /// Publishes recorded messages again, over a connection of their own.
    pub(crate) fn replay(
        &self,
        broker_id: BrokerId,
        broker: String,
        pace: ReplayPace,
        messages: Box<[Replayed]>,
    ) -> Result<ReplayProgress, SessionError> {
        let sessions = &self.runtime.sessions;
        let running = sessions.number_replay(|number| Replay::new(number, broker, pace, messages));
        let running = running.ok_or(SessionError::Replays)?;
        if let Err(error) = self.want_session(broker_id, true, running.shared.clone()) {
            running.replay.fail(&error.to_string());
            return Err(error);
        }
        Ok(running.replay.progress())
    }

    /// How a replay stands.
    pub(crate) fn replay_progress(&self, number: u32) -> Result<ReplayProgress, SessionError> {
        self.runtime.sessions.replay(number).map(|running| running.replay.progress()).ok_or(SessionError::Forgotten)
    }

    /// Holds a replay, lets it go on, step, or ends it.
    pub(crate) fn act_on_replay(&self, number: u32, act: ReplayAct) -> Result<ReplayProgress, SessionError> {
        let running = self.runtime.sessions.replay(number).ok_or(SessionError::Forgotten)?;
        running.replay.act(act);
        running.shared.woken.notify_one();
        Ok(running.replay.progress())
    }

    /// How a publication stands.
    pub(crate) fn publication(&self, number: u32) -> Result<PublishProgress, SessionError> {
        self.runtime.sessions.job(number).map(|job| view::progress(&job)).ok_or(SessionError::Forgotten)
    }

    /// Ends a publication.
    pub(crate) fn cancel_publication(&self, number: u32) -> Result<PublishProgress, SessionError> {
        let job = self.runtime.sessions.job(number).ok_or(SessionError::Forgotten)?;
        job.cancel();
        for (_, wanted) in self.runtime.sessions.wanted() {
            wanted.shared.woken.notify_one();
        }
        Ok(view::progress(&job))
    }
}

/// What is wrong with a message, while it is typed.
pub(crate) fn check_message(draft: &MessageDraft) -> MessageCheck {
    let typed = draft.source != PayloadSource::File;
    let payload = encode::encode(draft.source.form(), &draft.payload);
    let (mistake, size) = match payload {
        Ok(bytes) => (None, Some(bytes.len() as u64)),
        Err(mistake) => (Some(mistake).filter(|_| typed), None),
    };
    MessageCheck { problems: publish::check(draft).err().unwrap_or_default(), mistake, size }
}

fn check_filter(field: &str, filter: &str, everything: bool, problems: &mut Problems) {
    if problems.take(field, topic::check_filter(filter)).is_some() && topic::takes_everything(filter) && !everything {
        let why = "This takes everything the broker has, which may be very much. Name a level, such as plant/#, or say \
                   that everything is meant.";
        problems.add(field, why);
    }
}
