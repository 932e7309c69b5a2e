//! What a person does with dead letters: edits them, has them sent again, discards them and takes that back. Joins the
//! queue, which moves letters and ledger, with the meters, the running relays and the feed, which have to know. Wording
//! of what became of them stands here; what a page sees is for `api`.

pub(crate) mod draft;
mod export;

use crate::Engine;
use crate::feed::event::{Event, Kind};
use crate::feed::unix_millis;
use crate::queue::{Chosen, Moved, QueueError};
use crate::store::StoreError;
use bytes::Bytes;
use relayscope_domain::id::RelayId;
use relayscope_domain::problem::{Problem, Problems};
use relayscope_domain::topic;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a discard can be taken back.
pub(crate) const UNDO: Duration = Duration::from_secs(600);

/// Why something could not be done with dead letters.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// The configuration can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue can't be read or written.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// What was entered is not right.
    #[error("The letter was not changed; correct what is marked.")]
    Invalid(Vec<Problem>),
    /// It was sent again or discarded meanwhile.
    #[error("This dead letter is not here any more: it was sent again or discarded.")]
    Gone,
    /// It can't be done, and nothing was.
    #[error("{0}")]
    Refused(String),
    /// The file can't be written.
    #[error("failed to write {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What became of the chosen letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many moved.
    pub(crate) count: u64,
    /// In words.
    pub(crate) words: String,
    /// Whether some stayed.
    pub(crate) some_stayed: bool,
}

/// A discard that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discard {
    /// How many.
    pub(crate) count: u64,
    /// Its name: Unix milliseconds.
    pub(crate) undo: i64,
    /// Until when it can be taken back.
    pub(crate) until: i64,
}

type Names = HashMap<RelayId, Arc<str>>;

impl Engine {
    /// Names of the relays there are.
    pub(crate) async fn relay_names(&self) -> Result<Names, StoreError> {
        Ok(self.store.relays().await?.into_iter().map(|relay| (relay.id, relay.name.into())).collect())
    }

    /// Gives a letter another topic and, unless `None`, another payload.
    pub(crate) async fn edit_letter(
        &self,
        id: i64,
        topic: &str,
        payload: Option<Result<Bytes, String>>,
    ) -> Result<(), LettersError> {
        let mut problems = Problems::default();
        problems.take("topic", topic::check_topic(topic));
        let payload = payload.and_then(|payload| problems.take("payload", payload));
        problems.finish(()).map_err(LettersError::Invalid)?;
        if !self.queue.edit_letter(id, topic, payload.as_ref()).await? {
            return Err(LettersError::Gone);
        }
        if let Some(letter) = self.queue.letter(id).await? {
            let message = letter.message.message_id;
            let moved = Moved { relay: letter.relay, messages: vec![message], bytes: 0 };
            self.tell(&self.relay_names().await?, &moved, "Edited by you");
        }
        Ok(())
    }

    /// Puts the chosen letters at the end of their relays' queues, in the order of their numbers.
    pub(crate) async fn resend_letters(&self, chosen: &Chosen) -> Result<Outcome, LettersError> {
        let relays = self.store.relays().await?;
        let budgets: HashMap<RelayId, u64> =
            relays.iter().map(|relay| (relay.id, u64::from(relay.rules.queue_megabytes) * 1_000_000)).collect();
        let names: Names = relays.iter().map(|relay| (relay.id, relay.name.as_str().into())).collect();
        let (mut count, mut orphans, mut full, mut after) = (0, 0, 0, 0);
        let mut idle: Vec<&str> = vec![];
        loop {
            let batch = self.queue.batch(chosen, after).await?;
            let Some(last) = batch.last() else { break };
            after = *last;
            let resent = self.queue.resend(&batch, &budgets).await?;
            orphans += resent.orphans;
            full += resent.full;
            for moved in &resent.moved {
                let letters = moved.messages.len() as i64;
                count += letters as u64;
                self.moved(moved.relay, [-letters, letters, 0, moved.bytes]);
                self.tell(&names, moved, "Sent again by you");
                match self.runtime.relay(moved.relay) {
                    Some(at) => at.handles.requeued.notify_one(),
                    None => {
                        idle.extend(names.get(&moved.relay).map(|name| &**name).filter(|name| !idle.contains(name)));
                    }
                }
            }
        }
        let mut words = match count {
            0 => String::new(),
            1 => "1 message is sent again.".to_owned(),
            more => format!("{more} messages are sent again, in their order."),
        };
        if !idle.is_empty() {
            words.push_str(&format!(" They wait until {} runs.", idle.join(", ")));
        }
        let mut stays = |letters: u64, why: &str| {
            if letters > 0 {
                let start = if words.is_empty() { "" } else { " " };
                let stay = if letters == 1 { "1 letter stays".to_owned() } else { format!("{letters} letters stay") };
                words.push_str(&format!("{start}{stay} here: {why}"));
            }
        };
        stays(orphans, "the relay was deleted, so there is nowhere to send to. Export or discard them.");
        stays(full, "the relay's budget for waiting messages is used up. Let it drain, or raise the budget.");
        match count {
            0 if words.is_empty() => Err(LettersError::Gone),
            0 => Err(LettersError::Refused(words)),
            count => Ok(Outcome { count, words, some_stayed: orphans + full > 0 }),
        }
    }

    /// Discards the chosen letters; for ten minutes they can be taken back.
    pub(crate) async fn discard_letters(&self, chosen: &Chosen) -> Result<Discard, LettersError> {
        let names = self.relay_names().await?;
        let at = self.queue.discard_stamp(unix_millis(SystemTime::now())).await?;
        let (mut count, mut after) = (0, 0);
        loop {
            let batch = self.queue.batch(chosen, after).await?;
            let Some(last) = batch.last() else { break };
            after = *last;
            for moved in self.queue.discard(&batch, at).await? {
                let letters = moved.messages.len() as i64;
                count += letters as u64;
                self.moved(moved.relay, [-letters, 0, letters, 0]);
                self.tell(&names, &moved, "Discarded by you");
            }
        }
        if count == 0 {
            return Err(LettersError::Gone);
        }
        Ok(Discard { count, undo: at, until: at + UNDO.as_millis() as i64 })
    }

    /// Takes a discard back; returns how many letters that were.
    pub(crate) async fn undo_discard(&self, undo: i64) -> Result<u64, LettersError> {
        let too_late = || LettersError::Refused("A discard can be taken back for ten minutes; these are gone.".into());
        if unix_millis(SystemTime::now()) - undo > UNDO.as_millis() as i64 {
            return Err(too_late());
        }
        let names = self.relay_names().await?;
        let mut count = 0;
        loop {
            let batch = self.queue.undo_discard(undo).await?;
            if batch.is_empty() {
                break;
            }
            for moved in batch {
                let letters = moved.messages.len() as i64;
                count += letters as u64;
                self.moved(moved.relay, [letters, 0, -letters, 0]);
                self.tell(&names, &moved, "Discard taken back by you");
            }
        }
        if count == 0 { Err(too_late()) } else { Ok(count) }
    }

    /// A meter that was not loaded yet reads the numbers from the ledger when it is.
    fn moved(&self, relay: RelayId, [dead, waiting, dropped, bytes]: [i64; 4]) {
        let meter = self.runtime.meter(relay);
        if meter.is_loaded() {
            meter.moved(dead, waiting, dropped, bytes);
        }
    }

    fn tell(&self, names: &Names, moved: &Moved, text: &str) {
        let source = names.get(&moved.relay).cloned().unwrap_or_else(|| NO_RELAY.into());
        for message in &moved.messages {
            let kind = Kind::Note { failure: false, text: text.to_owned() };
            self.feed.record(Event::now(&source, &source, Some(*message), kind));
        }
    }
}

/// What stands for the name of a relay that is not there any more.
pub(crate) const NO_RELAY: &str = "(deleted relay)";
