//! A session with a broker: connects, subscribes, hands messages on, acknowledges what was stored, publishes; connects
//! again when the connection falls. One task, and nothing slow is awaited in it.
//!
//! Invariants: an acknowledgement goes out only in the epoch (connection) its message came in; a message of an older
//! epoch is sent again by the broker. When messages can't be handed on, QoS 0 is dropped and counted, and for QoS 1 and 2
//! the connection is given up until there is room, so that the broker keeps them. What was published counts as sent only
//! on the broker's acknowledgement. Knows nothing of relays and queues.

use super::link::{self, Arrived, Link, Polled, Requests};
use super::words::Failure;
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use bytes::Bytes;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

// Sender: this task. Receiver: the relay's uplink. Full: see the module's invariants. One slot per message that an MQTT 5
// broker may have on its way.
const ARRIVALS: usize = 65_536;
// Bytes of payload that may wait for the uplink.
const ARRIVAL_BYTES: usize = 32 * 1024 * 1024;
// Sender: the uplink, one group per commit. Receiver: this task. Full: the uplink waits.
const ACKS: usize = 64;
// Sender: the downlink endpoint. Receiver: this task. Full: the endpoint answers that the broker is away.
const COMMANDS: usize = 1_024;
// Filters in one SUBSCRIBE packet.
const SUBSCRIBE_CHUNK: usize = 50;
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
// After a refusal that only a person can mend: rarely, so that it heals when they mend it at the broker.
const REFUSED_RETRY: Duration = Duration::from_secs(60);

/// What a session needs to know.
pub struct SessionConfig {
    /// Who it is for, for events: the relay's name.
    pub name: Arc<str>,
    /// The broker's name, for events.
    pub broker: Arc<str>,
    /// Where to connect to.
    pub connection: Connection,
    /// With what.
    pub secrets: BrokerSecrets,
    /// What to subscribe to.
    pub filters: Vec<(Arc<str>, Qos)>,
    /// Filters that an earlier run left in the broker's session and that are no longer wanted.
    pub stale_filters: Vec<Arc<str>>,
    /// Where events go.
    pub feed: Feed,
}

/// A message on its way to the uplink.
#[derive(Debug)]
pub struct Received {
    /// Its identity.
    pub message_id: MessageId,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// When it came.
    pub at: SystemTime,
    /// What to acknowledge once it is stored; `None` with QoS 0.
    pub ack: Option<AckToken>,
    /// It was stored in an earlier epoch; only the acknowledgement is still owed.
    pub already_stored: bool,
}

/// The right to acknowledge one message, in one epoch.
#[derive(Clone, Copy, Debug)]
pub struct AckToken {
    epoch: u64,
    packet_id: u16,
    qos: Qos,
    digest: u64,
}

/// A message to publish.
pub struct Publication {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Told once the broker acknowledged it (QoS 0: once it was written), or why it did not.
    pub done: oneshot::Sender<Result<(), String>>,
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// On its way, first time.
    Connecting,
    /// Connected and subscribed as far as the broker allows.
    Connected,
    /// Not connected; tries again.
    Retrying(Failure),
    /// Refused; only an edit or the broker's keeper can mend it.
    Refused(Failure),
    /// The queue takes no messages; connects again when it does.
    Blocked,
}

/// A session's state, as watched by others.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: SystemTime,
    /// Each filter with the QoS granted or the refusal in words; empty until answered.
    pub grants: Vec<(Arc<str>, Result<Qos, String>)>,
}

/// The outer ends of a running session.
pub struct Session {
    /// Messages, in the order of arrival.
    pub arrivals: mpsc::Receiver<Received>,
    /// Groups of acknowledgements, in the order of arrival.
    pub acks: mpsc::Sender<Vec<AckToken>>,
    /// Messages to publish.
    pub commands: mpsc::Sender<Publication>,
    /// State.
    pub state: watch::Receiver<SessionState>,
    /// To be told of payload bytes that left `arrivals`.
    pub backlog: Backlog,
    /// QoS 0 messages dropped because nothing could take them.
    pub dropped: Arc<AtomicU64>,
}

/// Payload bytes between the session and the uplink.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// Notes bytes that were taken out.
    pub fn taken(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Prepares a session; the future is its task and must be polled by the owner until `stop` is cancelled.
pub fn open(
    config: SessionConfig,
    stop: CancellationToken,
) -> Result<(Session, impl Future<Output = ()> + Send), super::tls::TlsError> {
    let (link, requests) = link::prepare(&config.connection, &config.secrets)?;
    let (arrivals_in, arrivals) = mpsc::channel(ARRIVALS);
    let (acks, acks_out) = mpsc::channel(ACKS);
    let (commands, commands_out) = mpsc::channel(COMMANDS);
    let (state_in, state) =
        watch::channel(SessionState { standing: Standing::Connecting, since: SystemTime::now(), grants: vec![] });
    let backlog = Backlog::default();
    let dropped = Arc::new(AtomicU64::new(0));
    let session =
        Session { arrivals, acks, commands, state, backlog: backlog.clone(), dropped: dropped.clone() };
    let task = Task {
        config,
        requests,
        arrivals: arrivals_in,
        state: state_in,
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
    };
    Ok((session, task.run(link, acks_out, commands_out, stop)))
}

struct Task {
    config: SessionConfig,
    requests: Requests,
    arrivals: mpsc::Sender<Received>,
    state: watch::Sender<SessionState>,
    backlog: Backlog,
    dropped: Arc<AtomicU64>,
    epoch: u64,
    connected: bool,
    resumed: bool,
    granted_once: bool,
    retry: Duration,
    last_failure: Option<Failure>,
    // Acknowledgements that rumqttc had no room for yet.
    owed: VecDeque<AckToken>,
    // Stored, but its acknowledgement never left: the broker will send it again under the same packet identifier.
    stored: HashMap<u16, u64>,
    to_subscribe: VecDeque<Vec<(Arc<str>, Qos)>>,
    // SUBSCRIBEs handed over, in order; their packet identifiers come with Polled::Subscribing.
    subscribing: VecDeque<Vec<(Arc<str>, Qos)>>,
    subscribed: HashMap<u16, Vec<(Arc<str>, Qos)>>,
    to_publish: VecDeque<Publication>,
    publishing: VecDeque<(Qos, oneshot::Sender<Result<(), String>>)>,
    published: HashMap<u16, oneshot::Sender<Result<(), String>>>,
    // What the broker said in its DISCONNECT, for the event of the end.
    farewell: Option<String>,
}

impl Task {
    async fn run(
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
                    self.connected(session_present, &limits);
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
    fn hand_over(&mut self) {
        if !self.connected {
            return;
        }
        while let Some(token) = self.owed.front() {
            if self.requests.acknowledge(token.packet_id, token.qos).is_err() {
                return;
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

    fn take_acks(&mut self, group: Vec<AckToken>) {
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

    fn connected(&mut self, session_present: bool, limits: &[String]) {
        self.connected = true;
        self.resumed = session_present;
        self.retry = FIRST_RETRY;
        self.last_failure = None;
        if !session_present {
            self.stored.clear();
        }
        let connection = &self.config.connection;
        let mut detail = vec![format!("client id {}", connection.client_id), format!("keep-alive {} s", connection.keep_alive)];
        detail.extend(connection.will.as_ref().map(|will| format!("will {} = “{}”", will.topic, will.payload)));
        detail.extend(limits.iter().cloned());
        self.record(Kind::Connected {
            version: Some(connection.version),
            session_present,
            will: connection.will.is_some(),
            token_last5: String::new(),
            detail: detail.join(" · "),
        });
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
        let digest = digest(&arrived.topic, &arrived.payload);
        let message_id = MessageId(uuid::Uuid::now_v7());
        let already_stored = arrived.qos != Qos::AtMostOnce
            && arrived.dup
            && self.stored.remove(&arrived.packet_id) == Some(digest);
        let ack = (arrived.qos != Qos::AtMostOnce).then_some(AckToken {
            epoch: self.epoch,
            packet_id: arrived.packet_id,
            qos: arrived.qos,
            digest,
        });
        let full = self.backlog.bytes() + size > ARRIVAL_BYTES && self.backlog.bytes() > 0;
        let permit = if full { None } else { self.arrivals.try_reserve().ok() };
        let Some(permit) = permit else {
            if arrived.qos == Qos::AtMostOnce {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                self.record(Kind::Dropped {
                    topic: arrived.topic,
                    count: 1,
                    reason: "QoS 0, and the queue is behind; QoS 1 would have been kept by the broker".into(),
                });
                return true;
            }
            return false;
        };
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
        permit.send(Received {
            message_id,
            topic: arrived.topic,
            payload: arrived.payload,
            qos: arrived.qos,
            retain: arrived.retain,
            at: SystemTime::now(),
            ack,
            already_stored,
        });
        true
    }

    fn other(&mut self, polled: Polled) {
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
            Polled::Disconnect(reason) => self.farewell = Some(reason),
            Polled::Connected { .. } | Polled::Publish(_) | Polled::UnsubAck | Polled::Other => {}
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

    /// Ends the epoch: whatever belonged to the connection is void.
    fn end_epoch(&mut self, why: &str) {
        self.epoch += 1;
        self.connected = false;
        for token in self.owed.drain(..) {
            self.stored.insert(token.packet_id, token.digest);
        }
        self.to_subscribe.clear();
        self.subscribing.clear();
        self.subscribed.clear();
        let waiting = self.to_publish.drain(..).map(|publication| publication.done);
        let flying = self.publishing.drain(..).map(|(_, done)| done).chain(self.published.drain().map(|(_, done)| done));
        for done in waiting.chain(flying) {
            let _ = done.send(Err(format!("The connection to the broker fell before it acknowledged: {why}")));
        }
    }

    async fn fallen(&mut self, failure: Failure, acks: &mut mpsc::Receiver<Vec<AckToken>>, stop: &CancellationToken) {
        let was_connected = self.connected;
        self.end_epoch(&failure.words);
        if was_connected {
            let reason = self.farewell.take().map_or_else(|| failure.words.clone(), |said| format!("{said}; {}", failure.words));
            self.record(Kind::Disconnected { reason, clean: false });
        } else if self.last_failure.as_ref() != Some(&failure) {
            // The same failure again and again is one event.
            self.record(Kind::Refused { code: failure.code, reason: failure.words.clone() });
        }
        let wait = if failure.fatal {
            self.set(Standing::Refused(failure.clone()));
            REFUSED_RETRY
        } else {
            self.set(Standing::Retrying(failure.clone()));
            let wait = self.retry;
            self.retry = (self.retry * 2).min(LONGEST_RETRY);
            // Jitter, so that many relays do not come back in step.
            wait.mul_f64(rand::random_range(0.7..1.0))
        };
        self.last_failure = Some(failure);
        self.wait(wait, acks, stop).await;
    }

    /// Stays away from the broker until the uplink has taken half of what waits.
    async fn blocked(&mut self, acks: &mut mpsc::Receiver<Vec<AckToken>>, stop: &CancellationToken) {
        self.end_epoch("the queue is behind");
        self.record(Kind::Disconnected {
            reason: "by Relayscope: the queue takes no more messages for now; the broker keeps them".into(),
            clean: false,
        });
        self.set(Standing::Blocked);
        while !stop.is_cancelled()
            && (self.backlog.bytes() > ARRIVAL_BYTES / 2 || self.arrivals.capacity() < ARRIVALS / 2)
        {
            self.wait(Duration::from_millis(50), acks, stop).await;
        }
    }

    /// Waits, and takes acknowledgements meanwhile, so that the uplink never stands still.
    async fn wait(&mut self, time: Duration, acks: &mut mpsc::Receiver<Vec<AckToken>>, stop: &CancellationToken) {
        let until = tokio::time::Instant::now() + time;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = stop.cancelled() => return,
                Some(group) = acks.recv() => self.take_acks(group),
            }
        }
    }

    /// Sends the acknowledgements of what is being committed, then DISCONNECT; two seconds at most. The uplink closes the
    /// acknowledgement channel when it has nothing left.
    async fn leave(&mut self, link: &mut Link, acks: &mut mpsc::Receiver<Vec<AckToken>>) {
        if !self.connected {
            return;
        }
        // Nothing new is handed on from here: what the broker still sends stays its own.
        let deadline = Instant::now() + Duration::from_secs(2);
        let mut said_goodbye = false;
        let mut acks_open = true;
        while Instant::now() < deadline {
            self.hand_over();
            if !acks_open && self.owed.is_empty() && !said_goodbye {
                said_goodbye = self.requests.disconnect().is_ok();
            }
            let mut polled = pin!(link.poll());
            let outcome = loop {
                tokio::select! {
                    group = acks.recv(), if acks_open => match group {
                        Some(group) => { self.take_acks(group); self.hand_over(); }
                        None => {
                            acks_open = false;
                            if self.owed.is_empty() { said_goodbye = self.requests.disconnect().is_ok(); }
                        }
                    },
                    outcome = &mut polled => break Some(outcome),
                    () = tokio::time::sleep_until(deadline.into()) => break None,
                }
            };
            match outcome {
                Some(Ok(other)) => self.other(other),
                Some(Err(_)) | None => break,
            }
        }
        self.record(Kind::Disconnected { reason: "by Relayscope: the relay was stopped".into(), clean: true });
    }

    fn set(&self, standing: Standing) {
        self.state.send_modify(|state| {
            if state.standing != standing {
                state.since = SystemTime::now();
                state.standing = standing;
            }
        });
    }

    fn record(&self, kind: Kind) {
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

fn digest(topic: &str, payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    payload.hash(&mut hasher);
    hasher.finish()
}
