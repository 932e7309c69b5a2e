//! The task of a session: connects, subscribes to what is wanted, records what comes, publishes. Nothing slow is awaited
//! in it, and it hands nothing on but events, so that nothing it reads can be dropped for want of room.

use super::SessionPlan;
use super::publishing::Publishing;
use super::replaying::Replaying;
use super::shared::{FilterState, Shared};
use crate::alarm;
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use crate::mqtt::link::{Arrived, Link, Polled, Unsent};
use crate::mqtt::session::Standing;
use crate::mqtt::tls::TlsError;
use crate::mqtt::words::Failure;
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

// Messages taken one after the other before anything else is looked at.
const BATCH: usize = 256;
// Messages a second from which on they are taken many at a time: nobody can read them one by one.
const BUSY: u32 = 2_000;
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
// After a refusal that only a person can mend.
const REFUSED_RETRY: Duration = Duration::from_secs(60);
// For the last acknowledgements and DISCONNECT.
const GOODBYE: Duration = Duration::from_secs(1);

/// The one task of a session: polls its connection, keeps its filters subscribed, publishes and replays.
pub struct Task {
    pub(super) plan: SessionPlan,
    pub(super) shared: Arc<Shared>,
    pub(super) link: Link,
    pub(super) publishing: Publishing,
    pub(super) replaying: Option<Replaying>,
    pub(super) connected: bool,
    feed: Feed,
    broker: Arc<str>,
    client: Arc<str>,
    fleeting: bool,
    retry: Duration,
    retry_at: Option<Instant>,
    last_failure: Option<Failure>,
    // Acknowledgements the link had no room for yet.
    owed: VecDeque<(u16, Qos)>,
    // SUBSCRIBE and UNSUBSCRIBE packets that were not answered yet.
    subscribing: HashMap<u16, (Arc<str>, Qos)>,
    leaving: HashMap<u16, Arc<str>>,
}

/// Prepares a session; nothing is sent before [`Task::run`].
pub fn open(plan: SessionPlan, shared: Arc<Shared>, feed: Feed) -> Result<Task, TlsError> {
    let link = Link::new(&plan.connection, &plan.secrets, plan.max_packet)?.unhurried(BUSY);
    let client = plan.connection.client_id.clone();
    shared.inner().client_id.clone_from(&client);
    shared.restarted();
    Ok(Task {
        broker: plan.broker_name.as_str().into(),
        client: client.into(),
        fleeting: shared.fleeting,
        replaying: shared.replay.clone().map(Replaying::new),
        plan,
        shared,
        link,
        publishing: Publishing::default(),
        connected: false,
        feed,
        retry: FIRST_RETRY,
        retry_at: None,
        last_failure: None,
        owed: VecDeque::new(),
        subscribing: HashMap::new(),
        leaving: HashMap::new(),
    })
}

impl Task {
    /// Runs until `stop`, or until what it was opened for is done.
    pub async fn run(mut self, stop: &CancellationToken) {
        let mut stopped = pin!(stop.cancelled());
        let shared = self.shared.clone();
        loop {
            self.hand_over();
            let replayed = self.replaying.as_ref().is_none_or(Replaying::is_done);
            if self.fleeting && replayed && self.publishing.is_idle() && self.shared.inner().jobs.is_empty() {
                break;
            }
            let replay = self.replaying.as_ref().and_then(Replaying::due);
            let wake = [self.retry_at, self.publishing.due(), replay].into_iter().flatten().min();
            let polled = tokio::select! {
                biased;
                () = &mut stopped => break,
                () = shared.woken.notified() => continue,
                polled = self.link.poll(), if self.retry_at.is_none() => polled,
                () = alarm::until(wake) => {
                    if self.retry_at.is_some_and(|at| at <= Instant::now()) {
                        self.retry_at = None;
                    }
                    continue;
                }
            };
            self.take(polled);
        }
        self.shared.end_jobs("The session was closed.");
        self.leave().await;
    }

    /// Takes an event, and what came with it in the same read.
    fn take(&mut self, mut polled: Result<Polled, Failure>) {
        self.publishing.room();
        if let Some(replaying) = &mut self.replaying {
            replaying.room();
        }
        for more in (0..BATCH).rev() {
            match polled {
                Ok(polled) => self.other(polled),
                Err(failure) => return self.fallen(failure),
            }
            // An event that was taken out must be looked at: none is taken out after the last turn.
            match if more > 0 { self.link.ready() } else { None } {
                Some(next) => polled = next,
                None => return,
            }
        }
    }

    fn other(&mut self, polled: Polled) {
        match polled {
            Polled::Connected { version, session_present, .. } => self.connected(version, session_present),
            Polled::FellBack(text) => drop(self.record(Kind::Note { failure: false, text })),
            Polled::Publish(arrived) => self.arrived(arrived),
            Polled::Oversized { topic, qos, packet_id, bytes } => self.oversized(topic, qos, packet_id, bytes),
            Polled::SubAck(id, answers) => {
                if let (Some((filter, qos)), Some(answer)) = (self.subscribing.remove(&id), answers.into_iter().next())
                {
                    self.granted(&filter, qos, answer);
                }
            }
            Polled::UnsubAck(id, answer) => self.left(id, answer),
            // A session that was opened for a replay publishes nothing else.
            Polled::Written(count) => match &mut self.replaying {
                Some(replaying) => replaying.written(count),
                None => self.publishing.written(count),
            },
            Polled::Published(id, result) => match &mut self.replaying {
                Some(replaying) => replaying.published(id, result),
                None => self.publishing.published(id, result),
            },
            Polled::Released(_) | Polled::Left => {}
        }
    }

    fn connected(&mut self, version: MqttVersion, session_present: bool) {
        self.connected = true;
        self.retry = FIRST_RETRY;
        self.last_failure = None;
        let detail = format!("client id {} · inspector session · clean session", self.client);
        self.record(Kind::Connected {
            version: Some(version),
            session_present,
            will: false,
            token_last5: String::new(),
            detail,
            facts: Box::default(),
        });
        self.shared.inner().version = Some(version);
        self.shared.stand(Standing::Connected);
        self.publishing.speaks(version);
        if let Some(replaying) = &mut self.replaying {
            replaying.connected();
        }
    }

    fn arrived(&mut self, arrived: Arrived) {
        if arrived.qos != Qos::AtMostOnce {
            self.owed.push_back((arrived.packet_id, arrived.qos));
        }
        self.publishing.arrived(&arrived);
        self.shared.received.fetch_add(1, Ordering::Relaxed);
        self.shared.bytes.fetch_add(arrived.payload.len() as u64, Ordering::Relaxed);
        let taken = self.record(Kind::Publish {
            direction: Direction::In,
            topic: arrived.topic,
            payload: arrived.payload,
            qos: arrived.qos,
            retain: arrived.retain,
            dup: arrived.dup,
            packet_id: (arrived.qos != Qos::AtMostOnce).then_some(arrived.packet_id),
            properties: arrived.properties,
            will: false,
            cut_from: None,
        });
        if !taken {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn oversized(&mut self, topic: Arc<str>, qos: Qos, packet_id: u16, bytes: usize) {
        if qos != Qos::AtMostOnce {
            self.owed.push_back((packet_id, qos));
        }
        self.shared.received.fetch_add(1, Ordering::Relaxed);
        self.shared.lost.fetch_add(1, Ordering::Relaxed);
        let most = self.plan.max_packet;
        let reason = format!("its packet has {bytes} bytes, and the settings allow {most}");
        self.record(Kind::Dropped { topic, count: 1, reason });
    }

    /// Gives the link whatever waits. Ends at the first thing it has no room for.
    fn hand_over(&mut self) {
        let begun = std::mem::take(&mut self.shared.inner().jobs);
        for job in begun {
            self.publishing.begin(job, &self.shared);
        }
        if self.connected {
            while let Some((id, qos)) = self.owed.front() {
                if self.link.acknowledge(*id, *qos).is_err() {
                    return;
                }
                self.owed.pop_front();
            }
        }
        self.filters();
        self.publish();
        self.replay();
        let running = self.publishing.jobs();
        self.shared.inner().running = running;
    }

    /// Brings the subscriptions in line with what is wanted.
    fn filters(&mut self) {
        let shared = self.shared.clone();
        let mut inner = shared.inner();
        let mut refused = vec![];
        for filter in inner.filters.iter_mut().filter(|_| self.connected) {
            match (&filter.state, filter.needed()) {
                (FilterState::Wanted, true) => {
                    match self.link.subscribe(&[(filter.filter.clone(), filter.qos)], false, None) {
                        Ok(id) => {
                            self.subscribing.insert(id, (filter.filter.clone(), filter.qos));
                            filter.state = FilterState::Asked;
                        }
                        Err(Unsent::Full) => break,
                        Err(Unsent::Refused(why)) => refused.push((filter.filter.clone(), filter.qos, why)),
                    }
                }
                (FilterState::Granted(_), false) => match self.link.unsubscribe(&filter.filter) {
                    Ok(id) => {
                        self.leaving.insert(id, filter.filter.clone());
                        filter.state = FilterState::Leaving;
                    }
                    Err(_) => break,
                },
                _ => {}
            }
        }
        inner
            .filters
            .retain(|filter| filter.needed() || !matches!(filter.state, FilterState::Wanted | FilterState::Refused(_)));
        drop(inner);
        for (filter, qos, why) in refused {
            self.granted(&filter, qos, Err(why));
        }
    }

    fn granted(&mut self, filter: &Arc<str>, requested: Qos, answer: Result<Qos, String>) {
        self.record(Kind::Subscribed { filter: filter.clone(), requested, granted: answer.clone() });
        let mut inner = self.shared.inner();
        if let Some(known) = inner.filters.iter_mut().find(|known| known.filter == *filter)
            && matches!(known.state, FilterState::Asked | FilterState::Wanted)
            && known.qos == requested
        {
            known.state = answer.map_or_else(FilterState::Refused, FilterState::Granted);
        }
    }

    fn left(&mut self, id: u16, answer: Result<(), String>) {
        let Some(filter) = self.leaving.remove(&id) else { return };
        match answer {
            Ok(()) => drop(self.record(Kind::Unsubscribed { filter: filter.clone() })),
            Err(why) => {
                let text = format!("The broker did not give “{filter}” up: {why}. Its messages may still come.");
                self.record(Kind::Note { failure: true, text });
            }
        }
        let mut inner = self.shared.inner();
        if let Some(known) = inner.filters.iter_mut().find(|known| known.filter == filter) {
            // Wanted again meanwhile, or taken away at the next look.
            known.state = FilterState::Wanted;
        }
    }

    fn fallen(&mut self, failure: Failure) {
        if std::mem::take(&mut self.connected) {
            self.record(Kind::Disconnected { code: None, reason: failure.words.clone(), clean: false });
        } else if self.last_failure.as_ref() != Some(&failure) {
            // The same failure again and again is one event.
            self.record(Kind::Refused { code: failure.code, reason: failure.words.clone() });
        }
        self.owed.clear();
        self.subscribing.clear();
        self.leaving.clear();
        self.shared.restarted();
        self.publishing.fell(&failure);
        if let Some(replaying) = &mut self.replaying {
            replaying.fell(&failure);
        }
        let wait = if failure.fatal {
            self.shared.stand(Standing::Refused(failure.clone()));
            REFUSED_RETRY
        } else {
            self.shared.stand(Standing::Retrying(failure.clone()));
            let wait = self.retry;
            self.retry = (self.retry * 2).min(LONGEST_RETRY);
            wait.mul_f64(rand::random_range(0.7..1.0))
        };
        self.last_failure = Some(failure);
        self.retry_at = Some(Instant::now() + wait);
    }

    async fn leave(&mut self) {
        if !self.connected {
            return;
        }
        while let Some((id, qos)) = self.owed.pop_front() {
            let _ = self.link.acknowledge(id, qos);
        }
        let goodbye = async {
            if self.link.disconnect().is_ok() {
                while !matches!(self.link.poll().await, Err(_) | Ok(Polled::Left)) {}
            }
        };
        // Late or not, the socket closes with the session.
        let _late = tokio::time::timeout(GOODBYE, goodbye).await;
        self.record(Kind::Disconnected { code: None, reason: "the session was closed".into(), clean: true });
    }

    pub(super) fn record(&self, kind: Kind) -> bool {
        self.feed.record(Event::now(&self.broker, &self.client, None, kind))
    }
}
