//! What becomes of entries after an attempt, committed in groups with the ledger.

use super::{Entry, Queue, QueueError, failed};
use relayscope_domain::id::RelayId;

/// The end of an attempt, as the queue keeps it.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// The destination took it: the entry goes.
    Delivered {
        /// Which.
        id: i64,
    },
    /// It stays, with one attempt more.
    Attempted {
        /// Which.
        id: i64,
        /// Attempts made.
        attempts: u32,
    },
    /// It becomes a dead letter.
    Dead {
        /// The whole entry.
        entry: Box<Entry>,
        /// Why, in words.
        reason: String,
        /// HTTP status of the last answer.
        status: Option<u16>,
        /// The last answer.
        answer: String,
        /// Unix milliseconds.
        died_at: i64,
    },
}

impl Queue {
    /// Commits the ends of attempts of one relay, all or none.
    pub async fn settle(&self, relay: RelayId, group: &[Settlement]) -> Result<(), QueueError> {
        let wrap = failed("settle");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        let mut delivered: Vec<i64> = vec![];
        let mut dead = 0i64;
        for settlement in group {
            match settlement {
                Settlement::Delivered { id } => delivered.push(*id),
                Settlement::Attempted { id, attempts } => {
                    sqlx::query("UPDATE queue SET attempts = ? WHERE id = ?")
                        .bind(attempts)
                        .bind(id)
                        .execute(&mut *transaction)
                        .await
                        .map_err(&wrap)?;
                }
                Settlement::Dead { entry, reason, status, answer, died_at } => {
                    let message = &entry.message;
                    sqlx::query(
                        "INSERT INTO dead_letters (relay_id, message_id, topic, payload, qos, retain, received_at, died_at,
                         attempts, reason, status, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    )
                    .bind(relay.0.as_bytes().as_slice())
                    .bind(message.message_id.0.as_bytes().as_slice())
                    .bind(&*message.topic)
                    .bind(&message.payload[..])
                    .bind(u8::from(message.qos))
                    .bind(message.retain)
                    .bind(message.received_at)
                    .bind(died_at)
                    .bind(entry.attempts)
                    .bind(reason)
                    .bind(status)
                    .bind(answer)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&wrap)?;
                    sqlx::query("DELETE FROM queue WHERE id = ?")
                        .bind(entry.id)
                        .execute(&mut *transaction)
                        .await
                        .map_err(&wrap)?;
                    dead += 1;
                }
            }
        }
        // Neighbours go in one statement: with lanes in parallel most of a group is a few runs of numbers.
        delivered.sort_unstable();
        let mut runs = delivered.iter().copied().peekable();
        while let Some(first) = runs.next() {
            let mut last = first;
            while runs.peek() == Some(&(last + 1)) {
                last += 1;
                runs.next();
            }
            sqlx::query("DELETE FROM queue WHERE id BETWEEN ? AND ? AND relay_id = ?")
                .bind(first)
                .bind(last)
                .bind(relay.0.as_bytes().as_slice())
                .execute(&mut *transaction)
                .await
                .map_err(&wrap)?;
        }
        sqlx::query(
            "UPDATE ledger SET delivered = delivered + ?1, dead = dead + ?2, waiting = waiting - ?1 - ?2 WHERE relay_id = ?3",
        )
        .bind(delivered.len() as i64)
        .bind(dead)
        .bind(relay.0.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(&wrap)?;
        transaction.commit().await.map_err(&wrap)
    }
}
