//! Dead letters: messages that could not be delivered, kept with the request that failed and its answer. Listed, looked
//! at and edited here; `moves` takes them back into the queue or discards them, `filter` says which are meant.
//!
//! A discarded letter stays for a while so that it can be taken back; nothing here sees it until then.

mod filter;
mod moves;

pub use filter::{Chosen, LetterFilter};
pub use moves::{Moved, Resent};

use super::{Incoming, Queue, QueueError, failed, message};
use bytes::Bytes;
use relayscope_domain::id::{MessageId, RelayId};
use relayscope_domain::message::Qos;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

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
    /// The request that failed: method, address with masked secrets, head. Empty when none was kept.
    pub request: String,
    /// Whether a person edited it.
    pub edited: bool,
}

/// A dead letter as a list shows it: all but the whole payload, the request and the answer.
#[derive(Clone, Debug)]
pub struct LetterLine {
    /// Its number.
    pub id: i64,
    /// The relay it belongs to.
    pub relay: RelayId,
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
    /// Unix milliseconds.
    pub died_at: i64,
    /// Attempts made.
    pub attempts: u32,
    /// Why, in words.
    pub reason: String,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// Whether a person edited it.
    pub edited: bool,
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct LetterPage {
    /// How many letters the filter selects.
    pub total: u64,
    /// The highest number that the filter selects, 0 when there is none.
    pub newest: i64,
    /// How many of those have a lower number than the page's key.
    pub below: u64,
    /// HTTP status and count of the letters that relay and text select, the most frequent first.
    pub statuses: Vec<(Option<u16>, u64)>,
    /// The lines asked for.
    pub lines: Vec<LetterLine>,
}

/// Bytes of a payload that a line holds: enough for its preview.
pub(super) const HEAD: usize = 4 * 160 + 1;

impl Queue {
    /// The letters that `filter` selects, newest first: of those with a lower number than `before`, passes over `skip`
    /// and returns at most `count`.
    pub async fn letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        skip: u32,
        count: u32,
    ) -> Result<LetterPage, QueueError> {
        let wrap = failed("read");
        let before = before.unwrap_or(i64::MAX);
        let mut query = QueryBuilder::<Sqlite>::new("SELECT count(*), coalesce(max(id), 0), count(CASE WHEN id < ");
        query.push_bind(before).push(" THEN 1 END) FROM dead_letters WHERE ");
        filter.push_to(&mut query);
        let row = query.build().fetch_one(&self.readers).await.map_err(&wrap)?;
        let (total, newest, below): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));

        let mut query = QueryBuilder::<Sqlite>::new("SELECT status, count(*) FROM dead_letters WHERE ");
        LetterFilter { status: None, ..filter.clone() }.push_to(&mut query);
        query.push(" GROUP BY status ORDER BY count(*) DESC, status LIMIT 100");
        let statuses = query.build().fetch_all(&self.readers).await.map_err(&wrap)?;
        let statuses = statuses.iter().map(|row| (row.get(0), row.get::<i64, _>(1) as u64)).collect();

        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, relay_id, topic, substr(payload, 1, ");
        query.push_bind(HEAD as i64);
        query.push(
            ") AS head, length(payload) AS size, qos, retain, received_at, died_at, attempts, reason, status, edited
             FROM dead_letters WHERE ",
        );
        filter.push_to(&mut query);
        query.push(" AND id < ").push_bind(before).push(" ORDER BY id DESC LIMIT ").push_bind(count);
        query.push(" OFFSET ").push_bind(skip);
        let rows = query.build().fetch_all(&self.readers).await.map_err(&wrap)?;
        let lines = rows.iter().map(line).collect();
        Ok(LetterPage { total: total as u64, newest, below: below as u64, statuses, lines })
    }

    /// One letter; `None` when it was sent again or discarded.
    pub async fn letter(&self, id: i64) -> Result<Option<DeadLetter>, QueueError> {
        let row = sqlx::query("SELECT * FROM dead_letters WHERE id = ? AND discarded_at IS NULL")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read"))?;
        Ok(row.as_ref().map(letter))
    }

    /// The chosen letters after number `after`, oldest first, a handful: few enough to be held in memory.
    pub async fn chosen_letters(&self, chosen: &Chosen, after: i64) -> Result<Vec<DeadLetter>, QueueError> {
        // One letter may have many megabytes.
        const BYTES: i64 = 8 << 20;
        let wrap = failed("read");
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, length(payload) FROM dead_letters WHERE ");
        chosen.push_to(&mut query);
        query.push(" AND id > ").push_bind(after).push(" ORDER BY id LIMIT 256");
        let mut bytes = 0;
        let mut last = after;
        for row in query.build().fetch_all(&self.readers).await.map_err(&wrap)? {
            bytes += row.get::<i64, _>(1);
            if last > after && bytes > BYTES {
                break;
            }
            last = row.get(0);
        }
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM dead_letters WHERE ");
        chosen.push_to(&mut query);
        query.push(" AND id > ").push_bind(after).push(" AND id <= ").push_bind(last).push(" ORDER BY id");
        Ok(query.build().fetch_all(&self.readers).await.map_err(&wrap)?.iter().map(letter).collect())
    }

    /// Gives a letter another topic and, unless `None`, another payload. `false` when it is no longer there.
    pub async fn edit_letter(&self, id: i64, topic: &str, payload: Option<&Bytes>) -> Result<bool, QueueError> {
        let done = sqlx::query(
            "UPDATE dead_letters SET topic = ?, payload = coalesce(?, payload), edited = 1
             WHERE id = ? AND discarded_at IS NULL",
        )
        .bind(topic)
        .bind(payload.map(|payload| &payload[..]))
        .bind(id)
        .execute(&self.writer)
        .await
        .map_err(failed("write to"))?;
        Ok(done.rows_affected() > 0)
    }
}

pub(super) fn relay_of(row: &SqliteRow) -> RelayId {
    RelayId(uuid::Uuid::from_slice(row.get("relay_id")).unwrap_or_default())
}

pub(super) fn message_id_of(row: &SqliteRow) -> MessageId {
    MessageId(uuid::Uuid::from_slice(row.get("message_id")).unwrap_or_default())
}

fn line(row: &SqliteRow) -> LetterLine {
    LetterLine {
        id: row.get("id"),
        relay: relay_of(row),
        topic: row.get("topic"),
        head: row.get("head"),
        size: row.get::<i64, _>("size") as u64,
        qos: Qos::try_from(row.get::<u8, _>("qos")).unwrap_or_default(),
        retain: row.get("retain"),
        received_at: row.get("received_at"),
        died_at: row.get("died_at"),
        attempts: row.get("attempts"),
        reason: row.get("reason"),
        status: row.get("status"),
        edited: row.get("edited"),
    }
}

fn letter(row: &SqliteRow) -> DeadLetter {
    DeadLetter {
        id: row.get("id"),
        relay: relay_of(row),
        message: message(row),
        died_at: row.get("died_at"),
        attempts: row.get("attempts"),
        reason: row.get("reason"),
        status: row.get("status"),
        answer: row.get("answer"),
        request: row.get("request"),
        edited: row.get("edited"),
    }
}
