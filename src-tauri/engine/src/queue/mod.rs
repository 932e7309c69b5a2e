//! The durable queue and the dead letters, in `queue.db`, with the ledger moved in the same transactions.
//!
//! A message stands here from before its acknowledgement to the broker until the destination answered, unless it was
//! delivered before it could be written. Writes are made
//! in groups by whoever calls; a group is one transaction that reaches the disk (`synchronous=FULL`) before the call
//! returns. The queue knows nothing of MQTT and HTTP.

mod dead;
mod group;
mod pages;
mod retained;
mod salvage;
mod space;
mod waiting;

pub use dead::{Chosen, DeadLetter, LetterFilter, LetterLine, LetterPage, Moved, Resent};
pub use group::{Attempted, Dead, Gone, Group};
pub use pages::Page;
pub use waiting::{From as WaitingFrom, WaitingLine};

use crate::store::open::{self, DiskTrouble, OpenError, Schema};
use bytes::Bytes;
use relayscope_domain::id::{MessageId, RelayId};
use relayscope_domain::message::Qos;
use relayscope_domain::relay::Ledger;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/queue");

/// A handle to the queue.
#[derive(Clone)]
pub struct Queue {
    // One connection writes, so that transactions never wait for each other inside SQLite.
    writer: SqlitePool,
    readers: SqlitePool,
    // The number of the next message, whichever relay's it is; and of the next that is put into the queue again.
    next: Arc<AtomicI64>,
    next_again: Arc<AtomicI64>,
}

/// A message on its way into the queue.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its identity.
    pub message_id: MessageId,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload, untouched.
    pub payload: Bytes,
    /// QoS it came with.
    pub qos: Qos,
    /// Retain flag it came with.
    pub retain: bool,
    /// Unix milliseconds.
    pub received_at: i64,
}

impl Incoming {
    /// What it counts against the queue's budget, bytes: topic, payload and what the row itself takes.
    pub fn cost(&self) -> u64 {
        (self.topic.len() + self.payload.len()) as u64 + ROW
    }
}

// Keep in step with the migration that first summed them up.
const ROW: u64 = 128;

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number: ascending in the order of arrival.
    pub id: i64,
    /// The message.
    pub message: Incoming,
    /// Attempts made so far.
    pub attempts: u32,
    /// When the first was made, Unix milliseconds.
    pub first_try_at: Option<i64>,
}

/// Why the queue could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No space is left, or the disk fails.
    #[error("{0}: messages can't be stored. Free some space or mend the disk; nothing acknowledged is lost.")]
    Disk(DiskTrouble),
    /// SQLite refused.
    #[error("failed to {0} the queue: {1}")]
    Sql(&'static str, #[source] sqlx::Error),
}

fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> QueueError {
    move |error| match open::disk_trouble(&error) {
        Some(trouble) => QueueError::Disk(trouble),
        None => QueueError::Sql(operation, error),
    }
}

impl Queue {
    /// Opens `queue.db`. A damaged file is set aside under a name with `stamp`, and what can be read of it is taken over
    /// into a new one; the notices say so.
    pub async fn open(path: &Path, stamp: &str) -> Result<(Self, Vec<String>), OpenError> {
        let schema = |connections| Schema {
            what: "queue",
            migrations: &MIGRATIONS,
            full_sync: true,
            connections,
            read_ahead: pages::PAGE as usize,
        };
        let (writer, notices) = salvage::open(path, schema(1), stamp).await?;
        let (readers, _) = open::open(path, schema(3)).await?;
        let queue = Self { writer, readers, next: Arc::default(), next_again: Arc::default() };
        queue.prepare().await.map_err(|source| OpenError::Sql {
            operation: "read",
            what: "queue",
            path: path.to_owned(),
            source,
        })?;
        Ok((queue, notices))
    }

    /// Numbers for `count` messages in the order of arrival: the first of them; the others follow without gaps.
    pub fn reserve(&self, count: usize) -> i64 {
        self.next.fetch_add(count as i64, Ordering::Relaxed)
    }

    /// Numbers for `count` messages that are put into the queue again: below zero, so that they come before all others,
    /// ascending among themselves. The first of them; the others follow without gaps.
    pub fn reserve_again(&self, count: usize) -> i64 {
        self.next_again.fetch_add(count as i64, Ordering::Relaxed)
    }

    /// What became of a relay's messages; `in_flight` is for the caller to split off `waiting`.
    pub async fn ledger(&self, relay: RelayId) -> Result<Ledger, QueueError> {
        let row =
            sqlx::query("SELECT received, delivered, waiting, dead, dropped, filtered FROM ledger WHERE relay_id = ?")
                .bind(relay.0.as_bytes().as_slice())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("read"))?;
        let Some(row) = row else { return Ok(Ledger::default()) };
        let count = |at: usize| row.get::<i64, _>(at).max(0) as u64;
        Ok(Ledger {
            received: count(0),
            delivered: count(1),
            waiting: count(2),
            in_flight: 0,
            dead: count(3),
            dropped: count(4),
            filtered: count(5),
        })
    }

    /// Bytes of a relay that wait, as counted against its budget.
    pub async fn bytes(&self, relay: RelayId) -> Result<u64, QueueError> {
        let row = sqlx::query("SELECT bytes FROM ledger WHERE relay_id = ?")
            .bind(relay.0.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read"))?;
        Ok(row.map_or(0, |row| row.get::<i64, _>(0).max(0) as u64))
    }

    /// The oldest waiting entries of a relay below number `below` whose costs reach `bytes`, passing over those in `busy`.
    pub async fn oldest_worth(
        &self,
        relay: RelayId,
        bytes: u64,
        below: i64,
        busy: &HashSet<i64>,
    ) -> Result<Vec<Gone>, QueueError> {
        let rows = sqlx::query(
            "SELECT id, length(CAST(topic AS BLOB)) + length(payload) AS size FROM queue
             WHERE relay_id = ? AND id < ? ORDER BY id LIMIT 4096",
        )
        .bind(relay.0.as_bytes().as_slice())
        .bind(below)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read"))?;
        let mut sum = 0;
        let mut oldest = vec![];
        for row in rows {
            let gone = Gone { id: row.get("id"), cost: row.get::<i64, _>("size") as u64 + ROW };
            if sum >= bytes {
                break;
            }
            if !busy.contains(&gone.id) {
                sum += gone.cost;
                oldest.push(gone);
            }
        }
        Ok(oldest)
    }

    /// Counts the rows themselves: waiting and dead. The ledger must say the same.
    pub async fn count(&self, relay: RelayId) -> Result<(u64, u64), QueueError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM queue WHERE relay_id = ?1), (SELECT count(*) FROM dead_letters
             WHERE relay_id = ?1 AND discarded_at IS NULL)",
        )
        .bind(relay.0.as_bytes().as_slice())
        .fetch_one(&self.readers)
        .await
        .map_err(failed("read"))?;
        Ok((row.get::<i64, _>(0) as u64, row.get::<i64, _>(1) as u64))
    }

    /// By how much the ledger and the rows differ, waiting and dead together; zero is right.
    pub async fn difference(&self, relay: RelayId) -> Result<i64, QueueError> {
        // One statement sees one state of the database.
        let row = sqlx::query(
            "SELECT abs(coalesce((SELECT waiting FROM ledger WHERE relay_id = ?1), 0)
                        - (SELECT count(*) FROM queue WHERE relay_id = ?1))
                  + abs(coalesce((SELECT dead FROM ledger WHERE relay_id = ?1), 0)
                        - (SELECT count(*) FROM dead_letters WHERE relay_id = ?1 AND discarded_at IS NULL))",
        )
        .bind(relay.0.as_bytes().as_slice())
        .fetch_one(&self.readers)
        .await
        .map_err(failed("read"))?;
        Ok(row.get(0))
    }

    /// When the oldest waiting message of a relay was received, Unix milliseconds.
    pub async fn oldest(&self, relay: RelayId) -> Result<Option<i64>, QueueError> {
        let row = sqlx::query("SELECT received_at FROM queue WHERE relay_id = ? ORDER BY id LIMIT 1")
            .bind(relay.0.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read"))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Forgets everything of a relay that was deleted.
    pub async fn forget(&self, relay: RelayId) -> Result<(), QueueError> {
        let wrap = failed("clear");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        for sql in [
            "DELETE FROM queue WHERE relay_id = ?",
            "DELETE FROM dead_letters WHERE relay_id = ?",
            "DELETE FROM ledger WHERE relay_id = ?",
            "DELETE FROM retained WHERE relay_id = ?",
        ] {
            sqlx::query(sql).bind(relay.0.as_bytes().as_slice()).execute(&mut *transaction).await.map_err(&wrap)?;
        }
        transaction.commit().await.map_err(&wrap)
    }

    /// Closes the database; what was committed stays.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn message(row: &SqliteRow) -> Incoming {
    let id = uuid::Uuid::from_slice(row.get("message_id")).unwrap_or_default();
    Incoming {
        message_id: MessageId(id),
        topic: row.get::<&str, _>("topic").into(),
        payload: Bytes::from(row.get::<Vec<u8>, _>("payload")),
        qos: Qos::try_from(row.get::<u8, _>("qos")).unwrap_or_default(),
        retain: row.get("retain"),
        received_at: row.get("received_at"),
    }
}
