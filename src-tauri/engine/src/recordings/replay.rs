//! What of chosen events can be published again. Copies that a broker sent on to its clients are left out, so that each
//! message is published once; so are those of which only the beginning was kept.

use super::{Chosen, ChosenError};
use crate::Engine;
use crate::api::wire::{CaptureOf, ReplayPlan, ReplayProgress, ReplayStart};
use crate::configuration::ChangeError;
use crate::feed::event::{Direction, Event, Kind};
use crate::inspect::{Replayed, SessionError};
use crate::status::grouped;
use relayscope_domain::id::BrokerId;
use std::time::{Duration, SystemTime};

/// Messages of one replay: they are held in memory, their payloads shared with the feed.
const MOST: u64 = 1_000_000;

/// Why nothing is published.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The events can't be read.
    #[error(transparent)]
    Chosen(#[from] ChosenError),
    /// There is no message among them.
    #[error("There is no message to publish among these events.")]
    Nothing,
    /// More messages than are held.
    #[error(
        "These are {} messages, and a replay has at most {}: choose fewer with the filter, or mark some rows.",
        grouped(*.messages),
        grouped(*.most)
    )]
    TooMany {
        /// How many there are.
        messages: u64,
        /// How many are held.
        most: u64,
    },
    /// More payload than is held, in bytes.
    #[error(
        "Their payloads have {} MB, and a replay has at most {}, the memory budget (Settings): choose fewer with the \
         filter, or mark some rows.",
        grouped(.bytes.div_ceil(1_000_000)),
        grouped(.most / 1_000_000)
    )]
    TooLarge {
        /// How much there is.
        bytes: u64,
        /// How much is held.
        most: u64,
    },
    /// The session can't be opened.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// The most that one replay holds.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) messages: u64,
    /// Of their payloads.
    pub(super) bytes: u64,
}

/// The messages among chosen events, and how many events of which kind are left out.
#[derive(Debug, Default)]
pub(crate) struct Replayable {
    // None any more once there are too many.
    messages: Vec<Replayed>,
    count: u64,
    // Of all payloads.
    bytes: u64,
    first: Option<SystemTime>,
    last: Duration,
    // Other events; copies to clients; cut ones; those without a topic.
    others: u64,
    copies: u64,
    cut: u64,
    nameless: u64,
}

impl Replayable {
    async fn find(engine: &Engine, of: &CaptureOf) -> Result<Self, ReplayError> {
        let chosen = Chosen::find(engine, of, |_| !engine.stop.is_cancelled()).await?;
        // What a feed has is never more.
        let bytes = engine.feed.usage().budget;
        Self::read(&chosen, Limits { messages: MOST, bytes }).await
    }

    /// Reads all, so that a refusal says how many there are; holds no more than the limits and a page.
    pub(super) async fn read(chosen: &Chosen, most: Limits) -> Result<Self, ReplayError> {
        let (mut found, mut from) = (Self::default(), 0);
        while let Some(page) = chosen.page(from).await? {
            from = page.next;
            page.events.into_iter().for_each(|event| found.take(event));
            if found.count > most.messages || found.bytes > most.bytes {
                found.messages = vec![];
            }
        }
        match found {
            Self { count, .. } if count > most.messages => {
                Err(ReplayError::TooMany { messages: count, most: most.messages })
            }
            Self { bytes, .. } if bytes > most.bytes => Err(ReplayError::TooLarge { bytes, most: most.bytes }),
            Self { count: 0, .. } => Err(ReplayError::Nothing),
            found => Ok(found),
        }
    }

    fn take(&mut self, event: Event) {
        let Kind::Publish { direction, topic, payload, qos, retain, properties, cut_from, .. } = event.kind else {
            return self.others += 1;
        };
        match (direction, cut_from) {
            (Direction::ToClient, _) => return self.copies += 1,
            (_, Some(_)) => return self.cut += 1,
            _ if topic.is_empty() => return self.nameless += 1,
            _ => {}
        }
        let first = *self.first.get_or_insert(event.at);
        // Never before the one before it.
        self.last = self.last.max(event.at.duration_since(first).unwrap_or_default());
        self.count += 1;
        self.bytes += payload.len() as u64;
        self.messages.push(Replayed { after: self.last, topic, payload, qos, retain, properties });
    }

    fn left_out(&self) -> Vec<String> {
        let kinds = [
            (self.copies, "copies that a broker sent on to its clients: each message is published once"),
            (self.cut, "messages of which only the beginning was kept"),
            (self.nameless, "messages whose topic was only given as an alias"),
            (self.others, "events that are no messages"),
        ];
        kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(*count)))
            .collect()
    }
}

impl Engine {
    /// What a replay would be.
    pub(crate) async fn plan_replay(
        &self,
        of: &CaptureOf,
        broker: Option<BrokerId>,
    ) -> Result<ReplayPlan, ReplayError> {
        let broker = self.replay_broker(broker).await?;
        let found = Replayable::find(self, of).await?;
        let messages = found.messages.len();
        let what = if messages == 1 { "1 message".to_owned() } else { format!("{} messages", grouped(found.count)) };
        Ok(ReplayPlan {
            messages: messages as u32,
            bytes: found.bytes,
            millis: found.last.as_millis() as u64,
            question: format!("Publish {what} to “{}”?", broker.1),
            left_out: found.left_out(),
        })
    }

    /// Begins the replay that a person said yes to.
    pub(crate) async fn start_replay(&self, asked: &ReplayStart) -> Result<ReplayProgress, ReplayError> {
        let (broker_id, name) = self.replay_broker(asked.request.broker_id).await?;
        let mut found = Replayable::find(self, &asked.request.of).await?;
        found.messages.truncate(asked.messages as usize);
        Ok(self.replay(broker_id, name, asked.request.pace, found.messages.into())?)
    }

    async fn replay_broker(&self, id: Option<BrokerId>) -> Result<(BrokerId, String), ReplayError> {
        let missing = || SessionError::from(ChangeError::at("brokerId", "Choose a broker."));
        let id = id.ok_or_else(missing)?;
        let broker = self.store.broker(id).await.map_err(SessionError::from)?;
        self.check_runs(&broker)?;
        Ok((id, broker.name))
    }
}
