//! From the session to the queue: takes whatever arrived while the last commit ran, commits it as one group, then
//! acknowledges in the order of arrival. No timer delays an idle message. When the disk refuses, nothing is acknowledged
//! and the same group is tried again.

use super::meter::{Meter, Write};
use crate::feed::event::{Event, Kind};
use crate::feed::{Feed, unix_millis};
use crate::mqtt::session::{AckToken, Backlog, Received};
use crate::queue::{Incoming, Queue};
use relayscope_domain::id::RelayId;
use relayscope_domain::topic;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

// One transaction at most; bytes are bounded by the session's backlog.
const GROUP: usize = 1_024;
const STORAGE_RETRY: Duration = Duration::from_millis(500);

pub(super) struct Uplink {
    pub(super) relay: RelayId,
    pub(super) name: Arc<str>,
    pub(super) broker: Arc<str>,
    pub(super) mappings: Vec<Arc<str>>,
    pub(super) arrivals: mpsc::Receiver<Received>,
    pub(super) acks: mpsc::Sender<Vec<AckToken>>,
    pub(super) backlog: Backlog,
    pub(super) queue: Queue,
    pub(super) feed: Feed,
    pub(super) meter: Arc<Meter>,
    pub(super) pushed: Arc<Notify>,
}

impl Uplink {
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            group.clear();
            tokio::select! {
                biased;
                count = self.arrivals.recv_many(&mut group, GROUP) => if count == 0 { return },
                // What came before the stop was taken in above; the session hands nothing on after it.
                () = stop.cancelled() => return,
            }
            if !self.store(&mut group, &stop).await {
                return;
            }
        }
    }

    /// Commits and acknowledges a group; `false` when it was stopped before the commit, which leaves it to the broker.
    async fn store(&self, group: &mut Vec<Received>, stop: &CancellationToken) -> bool {
        let bytes = group.iter().map(|received| received.payload.len() + received.topic.len()).sum();
        let tokens: Vec<AckToken> = group.iter().filter_map(|received| received.ack).collect();
        let mut stored = Vec::with_capacity(group.len());
        let mut filtered = 0;
        for received in group.drain(..).filter(|received| !received.already_stored && !received.copy) {
            if !self.mappings.iter().any(|filter| topic::matches(filter, &received.topic)) {
                filtered += 1;
                let reason = "no mapping matches; left from an earlier subscription".to_owned();
                self.record(received.message_id, Kind::Dropped { topic: received.topic, count: 1, reason });
                continue;
            }
            stored.push(Incoming {
                message_id: received.message_id,
                topic: received.topic,
                payload: received.payload,
                qos: received.qos,
                retain: received.retain,
                received_at: unix_millis(received.at),
            });
        }
        if !stored.is_empty() || filtered > 0 {
            let Some(first) = self.commit(&stored, filtered, stop).await else { return false };
            for (entry, message) in (first..).zip(&stored) {
                self.record(message.message_id, Kind::Queued { topic: message.topic.clone(), entry });
            }
            self.pushed.notify_one();
        }
        self.backlog.taken(bytes);
        // An error means that the session has ended: the broker will send these again.
        let _ = self.acks.send(tokens).await;
        true
    }

    async fn commit(&self, stored: &[Incoming], filtered: u64, stop: &CancellationToken) -> Option<i64> {
        let mut told = false;
        loop {
            match self.queue.push(self.relay, stored, filtered).await {
                Ok(first) => {
                    self.meter.pushed(stored.len() as u64, filtered);
                    if told {
                        self.note(false, "Messages are stored again.".into());
                    }
                    return Some(first);
                }
                Err(error) => {
                    let text = error.to_string();
                    self.meter.storage_failed(Write::Arrivals, &text);
                    if !told {
                        tracing::error!(relay = %self.relay, %error, "Messages can't be stored; intake waits.");
                        self.note(true, text);
                        told = true;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(STORAGE_RETRY) => {}
                () = stop.cancelled() => return None,
            }
        }
    }

    fn record(&self, id: relayscope_domain::id::MessageId, kind: Kind) {
        self.feed.record(Event::now(&self.broker, &self.name, Some(id), kind));
    }

    fn note(&self, failure: bool, text: String) {
        self.feed.record(Event::now(&self.broker, &self.name, None, Kind::Note { failure, text }));
    }
}
