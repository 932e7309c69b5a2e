//! What waits, for delivering: entries in the order of their numbers, a page at a time. A page is bounded in entries and in
//! bytes, however large the messages are.

use super::{Entry, Queue, QueueError, failed, message};
use relayscope_domain::id::RelayId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Entries in a page at most.
pub(super) const PAGE: u32 = 1_024;
/// Payload bytes in a page at most, unless its first entry alone has more.
const PAGE_BYTES: i64 = 2 * 1024 * 1024;

// With `?5` payload bytes at most: the sum is asked for first, as it nearly always fits and the running one costs more.
const BETWEEN: &str = "
    WITH page AS (SELECT id, length(payload) AS size FROM queue
                  WHERE relay_id = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4)
    SELECT id, message_id, topic, payload, qos, retain, received_at, attempts, first_try_at FROM queue
    WHERE relay_id = ?1 AND id > ?2 AND id <= CASE
        WHEN (SELECT coalesce(sum(size), 0) FROM page) <= ?5 THEN ?3
        ELSE (SELECT max(id) FROM (
            SELECT id, sum(size) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM page)
            WHERE coalesce(before, 0) < ?5)
        END
    ORDER BY id LIMIT ?4";
const OF_TOPIC: &str = "
    WITH page AS (SELECT id, length(payload) AS size FROM queue
                  WHERE relay_id = ?1 AND id > ?2 AND id <= ?3 AND topic = ?6 ORDER BY id LIMIT ?4)
    SELECT id, message_id, topic, payload, qos, retain, received_at, attempts, first_try_at FROM queue
    WHERE relay_id = ?1 AND id > ?2 AND topic = ?6 AND id <= (SELECT max(id) FROM (
        SELECT id, sum(size) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM page)
        WHERE coalesce(before, 0) < ?5)
    ORDER BY id";

/// Entries of a range, from its beginning.
#[derive(Debug, Default)]
pub struct Page {
    /// In the order of their numbers.
    pub entries: Vec<Entry>,
    /// Whether these are all of the range.
    pub whole: bool,
}

impl Queue {
    /// Entries of a relay after number `after` up to `upto`.
    pub async fn entries_between(&self, relay: RelayId, after: i64, upto: i64) -> Result<Page, QueueError> {
        self.page(BETWEEN, relay, after, upto, None).await
    }

    /// Entries of one topic of a relay after number `after` up to `upto`.
    pub async fn lane(&self, relay: RelayId, topic: &str, after: i64, upto: i64) -> Result<Page, QueueError> {
        self.page(OF_TOPIC, relay, after, upto, Some(topic)).await
    }

    async fn page(
        &self,
        sql: &'static str,
        relay: RelayId,
        after: i64,
        upto: i64,
        topic: Option<&str>,
    ) -> Result<Page, QueueError> {
        let query =
            sqlx::query(sql).bind(relay.0.as_bytes().as_slice()).bind(after).bind(upto).bind(PAGE).bind(PAGE_BYTES);
        let query = if let Some(topic) = topic { query.bind(topic) } else { query };
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        let entries: Vec<Entry> = rows.iter().map(entry).collect();
        let bytes: usize = entries.iter().map(|entry| entry.message.payload.len()).sum();
        let whole = entries.len() < PAGE as usize && (bytes as i64) < PAGE_BYTES;
        Ok(Page { entries, whole })
    }
}

fn entry(row: &SqliteRow) -> Entry {
    Entry {
        id: row.get("id"),
        message: message(row),
        attempts: row.get("attempts"),
        first_try_at: row.get("first_try_at"),
    }
}
