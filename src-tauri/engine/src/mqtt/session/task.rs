//! The session's one task: polls, hands messages on, offers rumqttc what waits.

use super::super::link::{Arrived, Limits, Link, MAX_PACKET, Polled, Requests};
use super::super::words::Failure;
use super::{AckToken, Backlog, COMMANDS, Publication, Received, SessionConfig, SessionState, Standing};
use crate::feed::event::{Direction, Event, Kind};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

// Bytes of payload that may wait for the uplink.
pub(super) const ARRIVAL_BYTES: usize = 32 * 1024 * 1024;
// Filters in one SUBSCRIBE packet.
const SUBSCRIBE_CHUNK: usize = 50;
const TELL_DROPPED: Duration = Duration::from_millis(500);
const FIRST_RETRY: Duration = Duration::from_millis(100);

pub(super) struct Task {
    pub(super) config: SessionConfig,
    pub(super) requests: Requests,
    pub(super) arrivals: mpsc::Sender<Received>,
    pub(super) state: watch::Sender<SessionState>,
    pub(super) backlog: Backlog,
    pub(super) dropped: Arc<AtomicU64>,
    pub(super) epoch: u64,
    pub(super) connected: bool,
    pub(super) resumed: bool,
    pub(super) granted_once: bool,
    pub(super) retry: Duration,
    pub(super) last_failure: Option<Failure>,
    // Acknowledgements that rumqttc had no room for yet.
    pub(super) owed: VecDeque<AckToken>,
    // Stored, and the broker may send it again under the same packet identifier: its acknowledgement never left, or, with
    // QoS 2, the broker has not released it yet.
    pub(super) stored: HashMap<u16, u64>,
    pub(super) to_subscribe: VecDeque<Vec<(Arc<str>, Qos)>>,
    // SUBSCRIBEs handed over, in order; their packet identifiers come with Polled::Subscribing.
    pub(super) subscribing: VecDeque<Vec<(Arc<str>, Qos)>>,
    pub(super) subscribed: HashMap<u16, Vec<(Arc<str>, Qos)>>,
    pub(super) to_publish: VecDeque<Publication>,
    pub(super) publishing: VecDeque<(Qos, oneshot::Sender<Result<(), String>>)>,
    pub(super) published: HashMap<u16, oneshot::Sender<Result<(), String>>>,
    // What the broker said in its DISCONNECT, for the event of the end.
    pub(super) farewell: Option<String>,
    // Dropped messages that no event told of yet, and when the last one did.
    untold: (u64, Instant),
}

impl Task {
    pub(super) fn new(
        config: SessionConfig,
        requests: Requests,
        arrivals: mpsc::Sender<Received>,
        state: watch::Sender<SessionState>,
        backlog: Backlog,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self {
            config,
            requests,
            arrivals,
            state,
            backlog,
            dropped,
            epoch: 1,
            connected: false,
            resumed: false,
            granted_once: false,
            retry: FIRST_RETRY,
            last_failure: None,
            owed: VecDeque::new(),
            stored: HashMap::new(),
            to_subscribe: VecDeque::new(),
            subscribing: VecDeque::new(),
            subscribed: HashMap::new(),
            to_publish: VecDeque::new(),
            publishing: VecDeque::new(),
            published: HashMap::new(),
            farewell: None,
            untold: (0, Instant::now()),
        }
    }

    pub(super) async fn run(
        mut self,
        mut link: Link,
        mut acks: mpsc::Receiver<Vec<AckToken>>,
        mut commands: mpsc::Receiver<Publication>,
        stop: CancellationToken,
    ) {
        while !stop.is_cancelled() {
            let outcome = {
                let mut polled = pin!(link.poll());
                loop {
                    self.hand_over();
                    tokio::select! {
                        biased;
                        () = stop.cancelled(), if !self.connected => return,
                        Some(group) = acks.recv() => self.take_acks(group),
                        outcome = &mut polled => break outcome,
                        Some(publication) = commands.recv(), if self.to_publish.len() < COMMANDS => self.take_publication(publication),
                        () = stop.cancelled(), if self.connected => break Ok(Polled::Other),
                    }
                }
            };
            match outcome {
                Ok(Polled::Connected { session_present, limits }) => {
                    if session_present {
                        link.expect_releases();
                    }
                    self.connected(session_present, limits.as_deref());
                }
                Ok(Polled::Publish(arrived)) => {
                    if !self.arrived(*arrived) {
                        link.cut();
                        self.blocked(&mut acks, &stop).await;
                    }
                }
                Ok(other) => self.other(other),
                Err(failure) => self.fallen(failure, &mut acks, &stop).await,
            }
        }
        self.leave(&mut link, &mut acks).await;
    }

    /// Offers rumqttc whatever waits. Ends at the first thing it has no room for, so that order is kept.
    pub(super) fn hand_over(&mut self) {
        if !self.connected {
            return;
        }
        while let Some(token) = self.owed.front() {
            if self.requests.acknowledge(token.packet_id, token.qos).is_err() {
                return;
            }
            if token.qos == Qos::ExactlyOnce {
                self.stored.insert(token.packet_id, token.digest);
            }
            self.owed.pop_front();
        }
        while let Some(filters) = self.to_subscribe.front() {
            if self.requests.subscribe(filters, self.resumed).is_err() {
                return;
            }
            self.subscribing.extend(self.to_subscribe.pop_front());
        }
        while let Some(next) = self.to_publish.front() {
            if next.done.is_closed() {
                // Whoever asked has given up waiting and was told so: it must not be sent behind their back.
                self.to_publish.pop_front();
                continue;
            }
            if self.requests.publish(&next.topic, next.payload.clone(), next.qos, next.retain).is_err() {
                return;
            }
            if let Some(sent) = self.to_publish.pop_front() {
                self.downlink_event(&sent);
                self.publishing.push_back((sent.qos, sent.done));
            }
        }
    }

    pub(super) fn take_acks(&mut self, group: Vec<AckToken>) {
        for token in group {
            if token.epoch == self.epoch && self.connected {
                self.owed.push_back(token);
            } else {
                self.stored.insert(token.packet_id, token.digest);
            }
        }
    }

    fn take_publication(&mut self, publication: Publication) {
        if self.connected {
            self.to_publish.push_back(publication);
        } else {
            let _ = publication.done.send(Err("The broker is away.".into()));
        }
    }

    fn connected(&mut self, session_present: bool, limits: Option<&Limits>) {
        self.connected = true;
        self.resumed = session_present;
        self.retry = FIRST_RETRY;
        self.last_failure = None;
        if !session_present {
            self.stored.clear();
        }
        let connection = &self.config.connection;
        let mut detail =
            vec![format!("client id {}", connection.client_id), format!("keep-alive {} s", connection.keep_alive)];
        detail.extend(connection.will.as_ref().map(|will| format!("will {} = “{}”", will.topic, will.payload)));
        detail.extend(limits.into_iter().flat_map(|limits| noteworthy(limits, connection.keep_alive)));
        self.record(Kind::Connected {
            version: Some(connection.version),
            session_present,
            will: connection.will.is_some(),
            token_last5: String::new(),
            detail: detail.join(" · "),
        });
        let version = self.config.connection.version;
        self.state.send_modify(|state| state.version = Some(version));
        self.set(Standing::Connected);
        for filter in std::mem::take(&mut self.config.stale_filters) {
            if session_present && self.requests.unsubscribe(&filter).is_ok() {
                self.record(Kind::Unsubscribed { filter });
            }
        }
        // A kept session still has the subscriptions that were granted before.
        if !(session_present && self.granted_once) {
            self.state.send_modify(|state| state.grants.clear());
            self.to_subscribe = self.config.filters.chunks(SUBSCRIBE_CHUNK).map(<[_]>::to_vec).collect();
        }
    }

    /// Hands a message on; `false` when it could not be and the broker has to keep it.
    fn arrived(&mut self, arrived: Arrived) -> bool {
        let size = arrived.payload.len() + arrived.topic.len();
        let message_id = MessageId(uuid::Uuid::now_v7());
        let ack = (arrived.qos != Qos::AtMostOnce).then(|| AckToken {
            epoch: self.epoch,
            packet_id: arrived.packet_id,
            qos: arrived.qos,
            digest: digest(&arrived.topic, &arrived.payload),
        });
        let already_stored =
            ack.is_some_and(|token| arrived.dup && self.stored.remove(&token.packet_id) == Some(token.digest));
        let full = self.backlog.bytes() + size > ARRIVAL_BYTES && self.backlog.bytes() > 0;
        // This task is the only sender: a slot that is free now is free below.
        if full || self.arrivals.capacity() == 0 {
            if arrived.qos == Qos::AtMostOnce {
                self.drop_one();
                return true;
            }
            return false;
        }
        self.tell_dropped(Duration::ZERO);
        self.backlog.add(size);
        if !already_stored {
            let kind = Kind::Publish {
                direction: Direction::In,
                topic: arrived.topic.clone(),
                payload: arrived.payload.clone(),
                qos: arrived.qos,
                retain: arrived.retain,
                dup: arrived.dup,
                packet_id: ack.map(|token| token.packet_id),
                properties: arrived.properties,
                will: false,
            };
            self.config.feed.record(Event::now(&self.config.broker, &self.config.name, Some(message_id), kind));
        }
        let received = Received {
            message_id,
            topic: arrived.topic,
            payload: arrived.payload,
            qos: arrived.qos,
            retain: arrived.retain,
            at: SystemTime::now(),
            ack,
            already_stored,
        };
        // Fails when the uplink has gone with the relay: nothing is acknowledged, the broker keeps it.
        self.arrivals.try_send(received).is_ok()
    }

    /// QoS 0 that nothing could take is counted at once and told twice a second.
    fn drop_one(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        self.untold.0 += 1;
        self.tell_dropped(TELL_DROPPED);
    }

    fn tell_dropped(&mut self, every: Duration) {
        let (count, told) = self.untold;
        if count > 0 && told.elapsed() >= every {
            self.untold = (0, Instant::now());
            let reason = "QoS 0, and the queue is behind; QoS 1 would have been kept by the broker".to_owned();
            self.record(Kind::Dropped { topic: "".into(), count, reason });
        }
    }

    pub(super) fn other(&mut self, polled: Polled) {
        match polled {
            Polled::Subscribing(packet_id) => {
                if let Some(filters) = self.subscribing.pop_front() {
                    self.subscribed.insert(packet_id, filters);
                }
            }
            Polled::SubAck(packet_id, answers) => self.granted(packet_id, answers),
            Polled::Publishing(packet_id) => match self.publishing.pop_front() {
                Some((Qos::AtMostOnce, done)) => {
                    let _ = done.send(Ok(()));
                }
                Some((_, done)) => {
                    self.published.insert(packet_id, done);
                }
                None => {}
            },
            Polled::Published(packet_id, result) => {
                if let Some(done) = self.published.remove(&packet_id) {
                    let _ = done.send(result);
                }
            }
            Polled::Released(packet_id) => drop(self.stored.remove(&packet_id)),
            Polled::Disconnect(reason) => self.farewell = Some(reason),
            Polled::Connected { .. } | Polled::Publish(_) | Polled::UnsubAck | Polled::Left | Polled::Other => {}
        }
    }

    fn granted(&mut self, packet_id: u16, answers: Vec<Result<Qos, String>>) {
        let filters = self.subscribed.remove(&packet_id).unwrap_or_default();
        for ((filter, requested), granted) in filters.into_iter().zip(answers) {
            self.record(Kind::Subscribed { filter: filter.clone(), requested, granted: granted.clone() });
            self.state.send_modify(|state| state.grants.push((filter, granted)));
        }
        if self.to_subscribe.is_empty() && self.subscribing.is_empty() && self.subscribed.is_empty() {
            self.granted_once = true;
        }
    }

    pub(super) fn set(&self, standing: Standing) {
        self.state.send_modify(|state| {
            if state.standing != standing {
                state.since = SystemTime::now();
                state.standing = standing;
            }
        });
    }

    pub(super) fn record(&self, kind: Kind) {
        self.config.feed.record(Event::now(&self.config.broker, &self.config.name, None, kind));
    }

    fn downlink_event(&self, sent: &Publication) {
        let kind = Kind::Publish {
            direction: Direction::Out,
            topic: sent.topic.as_str().into(),
            payload: sent.payload.clone(),
            qos: sent.qos,
            retain: sent.retain,
            dup: false,
            packet_id: None,
            properties: vec![],
            will: false,
        };
        let id = MessageId(uuid::Uuid::now_v7());
        self.config.feed.record(Event::now(&self.config.broker, &self.config.name, Some(id), kind));
    }
}

/// What of a broker's limits is worth a word in the feed: what differs from what was asked for.
fn noteworthy(limits: &Limits, keep_alive: u16) -> Vec<String> {
    let mut words = vec![];
    words.extend(limits.client_id.as_ref().map(|id| format!("assigned client id {id}")));
    let other = limits.keep_alive.filter(|seconds| *seconds != keep_alive);
    words.extend(other.map(|seconds| format!("the broker sets keep-alive {seconds} s")));
    words.extend(limits.qos.map(|qos| format!("at most QoS {qos}")));
    let smaller = limits.packet_bytes.filter(|bytes| *bytes < MAX_PACKET);
    words.extend(smaller.map(|bytes| format!("packets up to {bytes} B")));
    words.extend(limits.reason.clone());
    words
}

fn digest(topic: &str, payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    payload.hash(&mut hasher);
    hasher.finish()
}
