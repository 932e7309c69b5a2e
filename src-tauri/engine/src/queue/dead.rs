//! Dead letters: messages that could not be delivered, kept with the last request's answer.

use super::{Incoming, Queue, QueueError, failed, message};
use relayscope_domain::id::RelayId;
use sqlx::Row;

/// A message that could not be delivered.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// The relay it belongs to.
    pub relay: RelayId,
    /// The message.
    pub message: Incoming,
    /// Unix milliseconds.
    pub died_at: i64,
    /// Attempts made.
    pub attempts: u32,
    /// Why, in words.
    pub reason: String,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The last answer.
    pub answer: String,
}

impl Queue {
    /// Dead letters of one relay or of all, newest first, and how many there are.
    pub async fn dead_letters(
        &self,
        relay: Option<RelayId>,
        from: u32,
        count: u32,
    ) -> Result<(Vec<DeadLetter>, u32), QueueError> {
        let wrap = failed("read");
        let relay = relay.map(|relay| relay.0.as_bytes().to_vec());
        let total: i64 = sqlx::query("SELECT count(*) FROM dead_letters WHERE ?1 IS NULL OR relay_id = ?1")
            .bind(relay.as_deref())
            .fetch_one(&self.readers)
            .await
            .map_err(&wrap)?
            .get(0);
        let rows = sqlx::query(
            "SELECT * FROM dead_letters WHERE ?1 IS NULL OR relay_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3",
        )
        .bind(relay.as_deref())
        .bind(count)
        .bind(from)
        .fetch_all(&self.readers)
        .await
        .map_err(&wrap)?;
        let letters = rows
            .iter()
            .map(|row| DeadLetter {
                id: row.get("id"),
                relay: RelayId(uuid::Uuid::from_slice(row.get("relay_id")).unwrap_or_default()),
                message: message(row),
                died_at: row.get("died_at"),
                attempts: row.get("attempts"),
                reason: row.get("reason"),
                status: row.get("status"),
                answer: row.get("answer"),
            })
            .collect();
        Ok((letters, total as u32))
    }
}
