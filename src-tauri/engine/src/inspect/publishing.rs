//! The publications of a session at work: when the next message is due, whose acknowledgement came, whose answer.

use super::answers;
use super::job::Job;
use super::shared::{FilterState, Shared};
use super::task::Task;
use crate::feed::event::{Direction, Kind};
use crate::mqtt::link::{Arrived, Taken, Unsent, Untaken};
use crate::mqtt::properties::{
    CONTENT_TYPE, CORRELATION, EXPIRY, PAYLOAD_FORMAT, Properties, RESPONSE_TOPIC, correlation_words, user_name,
};
use crate::mqtt::words::Failure;
use bytes::Bytes;
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_domain::publish::OutgoingProperties;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection, and then the last acknowledgement and the last answer, are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session at work publishes, and what it waits for.
#[derive(Default)]
pub(super) struct Publishing {
    running: Vec<Running>,
    // QoS 0, until written; QoS 1 and 2, until acknowledged.
    writing: VecDeque<Arc<Job>>,
    published: HashMap<u16, Arc<Job>>,
    // Why there was no connection last.
    fallen: Option<String>,
    version: Option<MqttVersion>,
}

struct Running {
    job: Arc<Job>,
    next: Instant,
    // When it is given up, if nothing more comes.
    until: Instant,
    // Where answers come.
    answers: Option<Arc<str>>,
    // There was no room, no connection or no subscription: not again before something came.
    held: bool,
}

impl Publishing {
    pub(super) fn begin(&mut self, job: Arc<Job>, shared: &Shared) {
        let answers = job.asks();
        if let Some(topic) = &answers {
            shared.want(topic, Qos::AtLeastOnce, false);
        }
        let now = Instant::now();
        let speaks = self.version.map(|version| version == MqttVersion::V5);
        job.change(|state| state.v5 = speaks);
        self.running.push(Running { job, next: now, until: now + PATIENCE, answers, held: false });
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn jobs(&self) -> Vec<Arc<Job>> {
        self.running.iter().map(|one| one.job.clone()).collect()
    }

    /// When something is to be done although nothing comes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.running.iter().map(|one| if one.sends() && !one.held { one.next.min(one.until) } else { one.until }).min()
    }

    pub(super) fn room(&mut self) {
        for one in &mut self.running {
            one.held = false;
        }
    }

    pub(super) fn speaks(&mut self, version: MqttVersion) {
        self.version = Some(version);
        self.fallen = None;
        for one in &self.running {
            one.job.change(|state| state.v5 = Some(version == MqttVersion::V5));
        }
    }

    pub(super) fn written(&mut self, count: usize) {
        for job in self.writing.drain(..count.min(self.writing.len())) {
            job.change(|state| state.taken += 1);
        }
    }

    pub(super) fn published(&mut self, id: u16, result: Result<Taken, Untaken>) {
        let Some(job) = self.published.remove(&id) else { return };
        match result {
            Ok(taken) => job.change(|state| {
                state.taken += 1;
                state.unheard += u32::from(taken == Taken::Unheard);
            }),
            Err(why) => job.fail(format!("The broker did not take the message: {why}.")),
        }
    }

    pub(super) fn arrived(&mut self, arrived: &Arrived) {
        for one in self.running.iter().filter(|one| one.answers.as_ref() == Some(&arrived.topic)) {
            answers::take(&one.job, arrived);
        }
    }

    /// The connection fell. What was on its way is void; a refusal is the answer to everything.
    pub(super) fn fell(&mut self, failure: &Failure) {
        let flying = self.writing.drain(..).chain(self.published.drain().map(|(_, job)| job));
        for job in flying {
            job.fail(format!("The connection fell before the broker acknowledged: {}", failure.words));
        }
        for one in self.running.iter().filter(|_| failure.fatal) {
            one.job.fail(format!("{} {}", failure.words, failure.advice).trim().to_owned());
        }
        self.fallen = Some(failure.words.clone());
    }
}

impl Running {
    fn sends(&self) -> bool {
        self.job.look(|state| !state.done && state.sent < self.job.repeat.count)
    }

    /// Whether everything came that is waited for.
    fn complete(&self) -> bool {
        self.job.look(|state| {
            let answered = self.answers.is_none() || state.pairs.iter().all(|pair| pair.answer.is_some());
            state.sent == self.job.repeat.count && state.taken == state.sent && answered
        })
    }
}

impl Task {
    /// Publishes what is due, and ends what is done.
    pub(super) fn publish(&mut self) {
        let now = Instant::now();
        let mut running = std::mem::take(&mut self.publishing.running);
        for one in &mut running {
            while one.sends() && one.next <= now && !one.held {
                if self.may_send(one) {
                    self.send(one, now);
                } else {
                    one.held = true;
                }
            }
            if one.complete() {
                one.job.change(|state| state.done = true);
            } else if one.until <= now && !one.job.is_done() {
                self.give_up(one);
            }
        }
        running.retain(|one| {
            let done = one.job.is_done();
            if let (true, Some(topic)) = (done, &one.answers) {
                self.shared.give_up(topic, false);
            }
            !done
        });
        self.publishing.running = running;
    }

    /// Whether there is a connection, and answers would come.
    fn may_send(&self, one: &Running) -> bool {
        let Some(topic) = one.answers.as_ref().filter(|_| self.connected) else { return self.connected };
        let inner = self.shared.inner();
        match inner.filters.iter().find(|filter| filter.filter == *topic).map(|filter| &filter.state) {
            Some(FilterState::Granted(_)) => true,
            Some(FilterState::Refused(why)) => {
                one.job.fail(format!("Nothing was published: the broker refused the response topic: {why}."));
                false
            }
            _ => false,
        }
    }

    fn send(&mut self, one: &mut Running, now: Instant) {
        let (job, message) = (&one.job, &one.job.message);
        let correlation = one.answers.as_ref().map(|_| match &message.properties.correlation {
            Some(data) => Bytes::copy_from_slice(data),
            // Its own for each message, so that answers can be told apart.
            None => Bytes::from(format!("{:08x}", rand::random::<u32>())),
        });
        let properties = encoded(&message.properties, correlation.as_deref());
        match self.link.publish(&message.topic, &message.payload, message.qos, message.retain, &properties) {
            Ok(id) => {
                match message.qos {
                    Qos::AtMostOnce => self.publishing.writing.push_back(job.clone()),
                    Qos::AtLeastOnce | Qos::ExactlyOnce => drop(self.publishing.published.insert(id, job.clone())),
                }
                if let Some(data) = correlation.clone() {
                    job.requested(data);
                }
                job.change(|state| state.sent += 1);
                // On schedule, and without a burst after a stand-still.
                one.next = (one.next + job.repeat.every).max(now);
                one.until = one.next.max(now) + PATIENCE;
                self.record(Kind::Publish {
                    direction: Direction::Out,
                    topic: message.topic.as_str().into(),
                    payload: Bytes::copy_from_slice(&message.payload),
                    qos: message.qos,
                    retain: message.retain,
                    dup: false,
                    packet_id: (id != 0).then_some(id),
                    properties: words(&message.properties, correlation.as_deref()),
                    will: false,
                    cut_from: None,
                });
            }
            Err(Unsent::Full) => one.held = true,
            Err(Unsent::Refused(why)) => job.fail(why),
        }
    }

    /// Nothing came for too long.
    fn give_up(&self, one: &Running) {
        let (sent, taken) = one.job.look(|state| (state.sent, state.taken));
        let seconds = PATIENCE.as_secs();
        if sent == one.job.repeat.count && taken == sent {
            // Only answers are missing: the message itself went well.
            one.job.change(|state| state.done = true);
        } else if !self.connected {
            let why = self.publishing.fallen.as_deref().unwrap_or("it did not answer");
            one.job.fail(format!("There was no connection to the broker for {seconds} seconds: {why}"));
        } else if sent > taken {
            one.job.fail(format!("The broker did not acknowledge for {seconds} seconds."));
        } else {
            one.job.fail(format!("Nothing could be sent for {seconds} seconds; the response topic was not answered."));
        }
    }
}

fn encoded(properties: &OutgoingProperties, correlation: Option<&[u8]>) -> Bytes {
    let mut out = Properties::default();
    if properties.utf8 {
        out.payload_format(1);
    }
    if let Some(seconds) = properties.expiry {
        out.expiry(seconds);
    }
    if let Some(kind) = &properties.content_type {
        out.content_type(kind);
    }
    if let Some(topic) = &properties.response_topic {
        out.response_topic(topic);
    }
    if let Some(data) = correlation.or(properties.correlation.as_deref()) {
        out.correlation(data);
    }
    for one in &properties.user {
        out.user(&one.name, &one.value);
    }
    out.finish()
}

/// As the feed names them.
fn words(properties: &OutgoingProperties, correlation: Option<&[u8]>) -> Vec<(String, String)> {
    let mut out = vec![];
    let mut put = |name: &str, value: String| out.push((name.to_owned(), value));
    if properties.utf8 {
        put(PAYLOAD_FORMAT, "UTF-8 text".into());
    }
    if let Some(seconds) = properties.expiry {
        put(EXPIRY, format!("{seconds} s"));
    }
    if let Some(kind) = &properties.content_type {
        put(CONTENT_TYPE, kind.clone());
    }
    if let Some(topic) = &properties.response_topic {
        put(RESPONSE_TOPIC, topic.clone());
    }
    if let Some(data) = correlation.or(properties.correlation.as_deref()) {
        put(CORRELATION, correlation_words(data));
    }
    for one in &properties.user {
        put(&user_name(&one.name), one.value.clone());
    }
    out
}
