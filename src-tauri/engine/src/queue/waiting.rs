//! What waits, for people to look at: a page of a relay's queue in its order, without whole payloads. Delivering reads
//! the queue its own way and is not slowed by this.

use super::dead::HEAD;
use super::{Queue, QueueError, failed};
use relayscope_domain::id::RelayId;
use relayscope_domain::message::Qos;
use sqlx::Row;

/// A waiting message as a list shows it.
#[derive(Clone, Debug)]
pub struct WaitingLine {
    /// Its number in the queue.
    pub id: i64,
    /// Topic.
    pub topic: String,
    /// The payload's beginning, [`HEAD`] bytes at most.
    pub head: Vec<u8>,
    /// Bytes of the whole payload.
    pub size: u64,
    /// QoS it came with.
    pub qos: Qos,
    /// Retain flag it came with.
    pub retain: bool,
    /// Unix milliseconds.
    pub received_at: i64,
    /// Attempts made so far.
    pub attempts: u32,
}

/// Where a page of the queue begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// After this number, towards the newer ones; the least number begins with the oldest.
    After(i64),
    /// Before this number: the page that ends there.
    Before(i64),
}

impl Queue {
    /// At most `count` waiting messages of a relay, oldest first.
    pub async fn waiting(&self, relay: RelayId, from: From, count: u32) -> Result<Vec<WaitingLine>, QueueError> {
        const AFTER: &str = "SELECT id, topic, substr(payload, 1, ?3) AS head, length(payload) AS size, qos, retain,
             received_at, attempts FROM queue WHERE relay_id = ?1 AND id > ?2 ORDER BY id LIMIT ?4";
        const BEFORE: &str = "SELECT id, topic, substr(payload, 1, ?3) AS head, length(payload) AS size, qos, retain,
             received_at, attempts FROM queue WHERE relay_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?4";
        let (sql, key) = match from {
            From::After(id) => (AFTER, id),
            From::Before(id) => (BEFORE, id),
        };
        let rows = sqlx::query(sql)
            .bind(relay.0.as_bytes().as_slice())
            .bind(key)
            .bind(HEAD as i64)
            .bind(count)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read"))?;
        let mut lines: Vec<WaitingLine> = rows
            .iter()
            .map(|row| WaitingLine {
                id: row.get("id"),
                topic: row.get("topic"),
                head: row.get("head"),
                size: row.get::<i64, _>("size") as u64,
                qos: Qos::try_from(row.get::<u8, _>("qos")).unwrap_or_default(),
                retain: row.get("retain"),
                received_at: row.get("received_at"),
                attempts: row.get("attempts"),
            })
            .collect();
        if matches!(from, From::Before(_)) {
            lines.reverse();
        }
        Ok(lines)
    }
}
