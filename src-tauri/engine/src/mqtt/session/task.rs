//! The session's one task: polls, hands messages on, sends what is owed and what is to be published.

use super::super::link::{Arrived, Limits, Link, Polled};
use super::super::words::Failure;
use super::copies::Copies;
use super::grants::noteworthy;
use super::holding::room;
use super::ids::Ids;
use super::subscriptions::{Filter, Subscribe, divide, packets};
use super::{AckToken, Backlog, COMMANDS, ONLINE, Publication, Received, SessionConfig, SessionState, Standing};
use crate::alarm;
use crate::feed::event::{Direction, Event, Kind};
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

// Bytes of payload that may wait for the uplink.
pub(super) const ARRIVAL_BYTES: usize = 32 * 1024 * 1024;
const TELL_DROPPED: Duration = Duration::from_millis(500);
const FIRST_RETRY: Duration = Duration::from_millis(100);
// Messages taken one after the other before acknowledgements are looked at.
const BATCH: usize = 256;

type Done = oneshot::Sender<Result<(), super::Unpublished>>;

pub(super) struct Task {
    pub(super) config: SessionConfig,
    pub(super) link: Link,
    pub(super) arrivals: mpsc::Sender<Received>,
    pub(super) state: watch::Sender<SessionState>,
    pub(super) backlog: Backlog,
    dropped: Arc<AtomicU64>,
    oversized: Arc<AtomicU64>,
    pub(super) epoch: u64,
    pub(super) connected: bool,
    pub(super) resumed: bool,
    pub(super) granted_once: bool,
    round: u32,
    pub(super) retry: Duration,
    pub(super) last_failure: Option<Failure>,
    ids: Ids,
    // When what is being read now came.
    now: SystemTime,
    hasher: foldhash::quality::RandomState,
    pub(super) copies: Copies,
    // Number of the last token given out, and of the last one that came back; the tokens between, oldest first.
    given: u64,
    pub(super) back: u64,
    pub(super) away: VecDeque<AckToken>,
    // Acknowledgements that the link had no room for yet.
    pub(super) owed: VecDeque<AckToken>,
    // Of messages that were too large, until the acknowledgements of all before them came: the order is MQTT's.
    pub(super) in_turn: VecDeque<AckToken>,
    // Stored or about to be, and the broker may send it again under the same packet identifier: its acknowledgement never
    // left, or, with QoS 2, the broker has not released it yet.
    pub(super) stored: HashMap<u16, u64>,
    pub(super) to_subscribe: VecDeque<Subscribe>,
    // SUBSCRIBEs sent, by packet identifier.
    pub(super) subscribed: HashMap<u16, Vec<Filter>>,
    // To be published on the status topic.
    pub(super) to_say: Option<&'static str>,
    pub(super) said_offline: bool,
    pub(super) to_publish: VecDeque<Publication>,
    // QoS 0, until written; QoS 1 and 2, until acknowledged.
    pub(super) writing: VecDeque<Done>,
    pub(super) published: HashMap<u16, Option<Done>>,
    // Nothing is read until then at the latest: too much waits for the uplink.
    pub(super) held_until: Option<Instant>,
    // Whether a QoS 0 message came over this connection: brokers do not keep those for a slow reader.
    pub(super) has_qos_0: bool,
    // Dropped messages that no event told of yet, and when the last one did.
    untold: (u64, Instant),
}

impl Task {
    pub(super) fn new(
        config: SessionConfig,
        link: Link,
        arrivals: mpsc::Sender<Received>,
        state: watch::Sender<SessionState>,
        backlog: Backlog,
        [dropped, oversized]: [Arc<AtomicU64>; 2],
    ) -> Self {
        Self {
            config,
            link,
            arrivals,
            state,
            backlog,
            dropped,
            oversized,
            epoch: 1,
            connected: false,
            resumed: false,
            granted_once: false,
            round: 0,
            retry: FIRST_RETRY,
            last_failure: None,
            ids: Ids::new(),
            now: SystemTime::now(),
            hasher: foldhash::quality::RandomState::default(),
            copies: Copies::default(),
            given: 0,
            back: 0,
            away: VecDeque::new(),
            owed: VecDeque::new(),
            in_turn: VecDeque::new(),
            stored: HashMap::new(),
            to_subscribe: VecDeque::new(),
            subscribed: HashMap::new(),
            to_say: None,
            said_offline: false,
            to_publish: VecDeque::new(),
            writing: VecDeque::new(),
            published: HashMap::new(),
            held_until: None,
            has_qos_0: false,
            untold: (0, Instant::now()),
        }
    }

    pub(super) async fn run(
        mut self,
        mut acks: mpsc::Receiver<Vec<AckToken>>,
        mut commands: mpsc::Receiver<Publication>,
        stop: CancellationToken,
    ) {
        let mut stopped = pin!(stop.cancelled());
        loop {
            self.hand_over();
            self.hold();
            let held_until = self.held_until;
            let polled = tokio::select! {
                biased;
                () = &mut stopped => break,
                () = room(&self.arrivals, &self.backlog), if held_until.is_some() => {
                    self.held_until = None;
                    self.link.hold(false);
                    continue;
                }
                () = alarm::until(held_until) => {
                    self.blocked(&mut acks, &stop).await;
                    continue;
                }
                Some(group) = acks.recv() => {
                    self.take_acks(group);
                    continue;
                }
                Some(publication) = commands.recv(), if self.to_publish.len() < COMMANDS => {
                    self.take_publication(publication);
                    continue;
                }
                polled = self.link.poll() => polled,
            };
            // One look at the clock for all that one read brought.
            self.now = SystemTime::now();
            self.ids.at(self.now);
            self.take(polled, &mut acks, &stop).await;
        }
        self.leave(&mut acks).await;
    }

    /// Takes an event, and what came with it in the same read.
    async fn take(
        &mut self,
        mut polled: Result<Polled, Failure>,
        acks: &mut mpsc::Receiver<Vec<AckToken>>,
        stop: &CancellationToken,
    ) {
        for more in (0..BATCH).rev() {
            match polled {
                Ok(Polled::Publish(arrived)) => {
                    if !self.arrived(arrived) {
                        return self.blocked(acks, stop).await;
                    }
                }
                Ok(other) => self.other(other),
                Err(failure) => return self.fallen(failure, acks, stop).await,
            }
            // An event that was taken out must be looked at: none is taken out after the last turn.
            match if more > 0 && !self.is_crowded() { self.link.ready() } else { None } {
                Some(next) => polled = next,
                None => return,
            }
        }
    }

    fn connected(&mut self, version: MqttVersion, session_present: bool, limits: Option<&Limits>) {
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
            version: Some(version),
            session_present,
            will: connection.will.is_some() || self.config.status_topic.is_some(),
            token_last5: String::new(),
            detail: detail.join(" · "),
            facts: Box::default(),
        });
        self.state.send_modify(|state| state.version = Some(version));
        self.set(Standing::Connected);
        self.to_say = self.config.status_topic.is_some().then_some(ONLINE);
        let (wanted, covered) = divide(&self.config.filters);
        for filter in std::mem::take(&mut self.config.stale_filters) {
            if session_present && self.link.unsubscribe(&filter).is_ok() {
                self.record(Kind::Unsubscribed { filter });
            }
        }
        // A kept session still has the subscriptions that were granted before.
        if session_present && self.granted_once {
            return;
        }
        if self.round == 0 {
            for one in &covered {
                // An earlier version subscribed to each filter; the broker would send copies.
                let again = wanted.iter().any(|(filter, _)| *filter == one.filter.0);
                if session_present && !again {
                    let _ = self.link.unsubscribe(&one.filter.0);
                }
                self.note(
                    false,
                    format!("“{}” needs no subscription of its own: “{}” brings its messages.", one.filter.0, one.by),
                );
            }
        }
        self.round += 1;
        self.state.send_modify(|state| state.grants.clear());
        self.to_subscribe = packets(&wanted, limits).into();
    }

    fn token(&mut self, packet_id: u16, qos: Qos, digest: u64) -> AckToken {
        AckToken { epoch: self.epoch, number: self.given, packet_id, qos, digest }
    }

    /// Hands a message on; `false` when it could not be and the broker has to keep it.
    fn arrived(&mut self, arrived: Arrived) -> bool {
        let size = Received::cost(arrived.payload.len() + arrived.topic.len());
        let full = self.backlog.bytes() + size > ARRIVAL_BYTES && self.backlog.bytes() > 0;
        // This task is the only sender: a slot that is free now is free below.
        if full || self.arrivals.capacity() == 0 {
            if arrived.qos == Qos::AtMostOnce {
                self.drop_one();
                return true;
            }
            return false;
        }
        self.has_qos_0 |= arrived.qos == Qos::AtMostOnce;
        let message_id = self.ids.next();
        let ack = (arrived.qos != Qos::AtMostOnce).then(|| {
            self.given += 1;
            let digest = self.digest(&arrived.topic, &arrived.payload);
            self.token(arrived.packet_id, arrived.qos, digest)
        });
        // Whatever it is, it takes the identifier's place.
        let known = ack.and_then(|token| self.stored.remove(&token.packet_id));
        let already_stored = arrived.dup && known.is_some() && known == ack.map(|token| token.digest);
        self.away.extend(ack);
        let copy = self.copies.is_copy(&arrived);
        self.tell_dropped(Duration::ZERO);
        self.backlog.add(size);
        if !already_stored && !copy {
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
                cut_from: None,
            };
            self.config.feed.record(Event::now(&self.config.broker, &self.config.name, Some(message_id), kind));
        }
        let received = Received {
            message_id,
            topic: arrived.topic,
            payload: arrived.payload,
            qos: arrived.qos,
            retain: arrived.retain,
            at: self.now,
            ack,
            already_stored,
            copy,
            round: self.round,
        };
        // Fails when the uplink has gone with the relay: nothing is acknowledged, the broker keeps it.
        self.arrivals.try_send(received).is_ok()
    }

    /// A message that was not taken because of its size: counted, told, and acknowledged when its turn comes.
    fn skipped(&mut self, topic: Arc<str>, qos: Qos, packet_id: u16, bytes: usize) {
        self.oversized.fetch_add(1, Ordering::Relaxed);
        let most = self.config.max_packet;
        let reason = format!(
            "its packet has {bytes} bytes, and the settings allow {most}; acknowledged, so that the broker does not send it again"
        );
        self.record(Kind::Dropped { topic, count: 1, reason });
        if qos != Qos::AtMostOnce {
            // Number of the last token before it: none of its own, which nobody would bring back.
            let token = self.token(packet_id, qos, 0);
            self.in_turn.push_back(token);
            self.take_turns();
        }
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

    /// Everything but messages and failures.
    pub(super) fn other(&mut self, polled: Polled) {
        match polled {
            Polled::Connected { version, session_present, limits } => {
                self.connected(version, session_present, limits.as_deref());
            }
            Polled::FellBack(words) => self.note(false, words),
            Polled::Oversized { topic, qos, packet_id, bytes } => self.skipped(topic, qos, packet_id, bytes),
            Polled::SubAck(packet_id, answers) => {
                let filters = self.subscribed.remove(&packet_id).unwrap_or_default();
                self.granted(filters, answers);
            }
            Polled::Written(count) => {
                for done in self.writing.drain(..count.min(self.writing.len())) {
                    let _ = done.send(Ok(()));
                }
            }
            Polled::Published(packet_id, result) => match self.published.remove(&packet_id) {
                Some(Some(done)) => drop(done.send(result.map(drop).map_err(Into::into))),
                Some(None) => {
                    if let Err(why) = result {
                        self.note(true, format!("The broker did not take the message on the status topic: {why}."));
                    }
                }
                None => {}
            },
            Polled::Released(packet_id) => drop(self.stored.remove(&packet_id)),
            Polled::Publish(_) | Polled::UnsubAck(..) | Polled::Left => {}
        }
    }

    fn digest(&self, topic: &str, payload: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        topic.hash(&mut hasher);
        payload.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn note(&self, failure: bool, text: String) {
        self.record(Kind::Note { failure, text });
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
}
