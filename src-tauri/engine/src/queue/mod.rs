//! The durable queue and the dead letters, in `queue.db`, with the ledger moved in the same transactions.
//!
//! A message stands here from before its acknowledgement to the broker until the destination answered. Writes are made
//! in groups by whoever calls; a group is one transaction that reaches the disk (`synchronous=FULL`) before the call
//! returns. The queue knows nothing of MQTT and HTTP.

mod dead;
mod salvage;
mod settle;
mod waiting;

pub use dead::{Chosen, DeadLetter, LetterFilter, LetterLine, LetterPage, Moved, Resent};
pub use settle::Settlement;
pub use waiting::{From as WaitingFrom, WaitingLine};

use crate::store::open::{self, DiskTrouble, OpenError, Schema};
use bytes::Bytes;
use relayscope_domain::id::{MessageId, RelayId};
use relayscope_domain::message::Qos;
use relayscope_domain::relay::Ledger;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use std::path::Path;
use std::sync::Arc;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/queue");

/// A handle to the queue.
#[derive(Clone)]
pub struct Queue {
    // One connection writes, so that transactions never wait for each other inside SQLite.
    writer: SqlitePool,
    readers: SqlitePool,
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
    /// What a message costs of the queue's budget while it waits: its bytes, and 128 for what stands beside them.
    pub fn cost(&self) -> u64 {
        (self.topic.len() + self.payload.len() + 128) as u64
    }
}

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number: ascending in the order of arrival.
    pub id: i64,
    /// The message.
    pub message: Incoming,
    /// Attempts made so far.
    pub attempts: u32,
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
        let schema = |connections| Schema { what: "queue", migrations: &MIGRATIONS, full_sync: true, connections };
        let (writer, notices) = salvage::open(path, schema(1), stamp).await?;
        let (readers, _) = open::open(path, schema(3)).await?;
        Ok((Self { writer, readers }, notices))
    }

    /// Commits a group in the order given and returns the number of its first entry; the others follow without gaps.
    /// `filtered` messages were received besides and left out by a rule.
    pub async fn push(&self, relay: RelayId, group: &[Incoming], filtered: u64) -> Result<i64, QueueError> {
        let wrap = failed("write to");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        let mut last = 0;
        let mut rest = group;
        // Few sizes, so that the prepared statements stay in the cache.
        while !rest.is_empty() {
            let size = [128, 16, 1].into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
            let (chunk, tail) = rest.split_at(size);
            let mut query = sqlx::query(AssertSqlSafe(insert_sql(size)));
            for message in chunk {
                query = query
                    .bind(relay.0.as_bytes().as_slice())
                    .bind(message.message_id.0.as_bytes().as_slice())
                    .bind(&*message.topic)
                    .bind(&message.payload[..])
                    .bind(u8::from(message.qos))
                    .bind(message.retain)
                    .bind(message.received_at);
            }
            last = query.execute(&mut *transaction).await.map_err(&wrap)?.last_insert_rowid();
            rest = tail;
        }
        let count = group.len() as i64;
        sqlx::query(
            "INSERT INTO ledger (relay_id, received, waiting, filtered) VALUES (?, ?, ?, ?)
             ON CONFLICT (relay_id) DO UPDATE SET received = received + excluded.received,
             waiting = waiting + excluded.waiting, filtered = filtered + excluded.filtered",
        )
        .bind(relay.0.as_bytes().as_slice())
        .bind(count + filtered as i64)
        .bind(count)
        .bind(filtered as i64)
        .execute(&mut *transaction)
        .await
        .map_err(&wrap)?;
        transaction.commit().await.map_err(&wrap)?;
        Ok(last - count + 1)
    }

    /// Entries of a relay after number `after`, in order, at most `limit`.
    pub async fn entries_after(&self, relay: RelayId, after: i64, limit: u32) -> Result<Vec<Entry>, QueueError> {
        let rows = sqlx::query(
            "SELECT id, message_id, topic, payload, qos, retain, received_at, attempts FROM queue
             WHERE relay_id = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(relay.0.as_bytes().as_slice())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read"))?;
        Ok(rows.iter().map(entry).collect())
    }

    /// Entries of one topic of a relay after number `after` up to `upto`, in order, at most `limit`.
    pub async fn lane(
        &self,
        relay: RelayId,
        topic: &str,
        after: i64,
        upto: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, QueueError> {
        let rows = sqlx::query(
            "SELECT id, message_id, topic, payload, qos, retain, received_at, attempts FROM queue
             WHERE relay_id = ? AND id > ? AND id <= ? AND topic = ? ORDER BY id LIMIT ?",
        )
        .bind(relay.0.as_bytes().as_slice())
        .bind(after)
        .bind(upto)
        .bind(topic)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read"))?;
        Ok(rows.iter().map(entry).collect())
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

fn insert_sql(rows: usize) -> String {
    let mut sql =
        String::from("INSERT INTO queue (relay_id, message_id, topic, payload, qos, retain, received_at) VALUES ");
    for at in 0..rows {
        sql.push_str(if at == 0 { "(?,?,?,?,?,?,?)" } else { ",(?,?,?,?,?,?,?)" });
    }
    sql
}

fn entry(row: &SqliteRow) -> Entry {
    Entry { id: row.get("id"), message: message(row), attempts: row.get("attempts") }
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
