//! One transaction: what arrived, what became of what waited, and the ledger, all or nothing. Whoever calls collects a
//! group while the one before is written. A message that was delivered before its group began is only counted.

use super::{Entry, Incoming, Queue, QueueError, failed};
use relayscope_domain::id::RelayId;
use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Transaction};
use std::sync::Arc;

/// Changes of one relay's queue, committed together.
#[derive(Debug, Default)]
pub struct Group {
    /// To be stored under these numbers, ascending.
    pub arrived: Vec<(i64, Incoming)>,
    /// Messages that were delivered without having been stored. With `filtered` and `dropped` these are counts of what is
    /// gone; no row shows them.
    pub passed: u64,
    /// Messages left out by a rule.
    pub filtered: u64,
    /// Messages given up before they were stored.
    pub dropped: u64,
    /// Stored and delivered: they go.
    pub delivered: Vec<Gone>,
    /// Stored and left out by a rule since: they go.
    pub left_out: Vec<Gone>,
    /// Stored and given up by a rule: they go.
    pub expired: Vec<Gone>,
    /// Stored, with one attempt more.
    pub attempted: Vec<Attempted>,
    /// They become dead letters.
    pub dead: Vec<Dead>,
    /// Digests of retained messages by topic.
    pub retained: Vec<(Arc<str>, u64)>,
}

/// A stored entry that leaves.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// Its number.
    pub id: i64,
    /// What it counted against the budget, bytes.
    pub cost: u64,
}

/// A stored entry after a failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempted {
    /// Its number.
    pub id: i64,
    /// Attempts made.
    pub attempts: u32,
    /// When the first was made, Unix milliseconds.
    pub first_try_at: i64,
}

/// A message that is given up and kept.
#[derive(Debug)]
pub struct Dead {
    /// The whole entry.
    pub entry: Entry,
    /// Whether it stands in the queue.
    pub stored: bool,
    /// Why, in words.
    pub reason: String,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The last answer.
    pub answer: String,
    /// The last request, without secrets.
    pub request: String,
    /// Unix milliseconds.
    pub died_at: i64,
}

impl Group {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.retained.is_empty() && !self.is_settling() && self.counted() == 0
    }

    /// Whether rows change that stand there already, or dead letters come.
    pub fn is_settling(&self) -> bool {
        !(self.delivered.is_empty()
            && self.left_out.is_empty()
            && self.expired.is_empty()
            && self.attempted.is_empty()
            && self.dead.is_empty())
    }

    /// Messages that are only counted.
    pub fn counted(&self) -> u64 {
        self.passed + self.filtered + self.dropped
    }

    /// How the number of stored entries changes.
    pub fn waiting_delta(&self) -> i64 {
        let dead = self.dead.iter().filter(|dead| dead.stored).count();
        let gone = self.delivered.len() + self.left_out.len() + self.expired.len() + dead;
        self.arrived.len() as i64 - gone as i64
    }

    /// How the bytes that wait change.
    pub fn bytes_delta(&self) -> i64 {
        let gone = self.delivered.iter().chain(&self.left_out).chain(&self.expired).map(|gone| gone.cost);
        let dead = self.dead.iter().filter(|dead| dead.stored).map(|dead| dead.entry.message.cost());
        let arrived: u64 = self.arrived.iter().map(|(_, message)| message.cost()).sum();
        arrived as i64 - gone.chain(dead).sum::<u64>() as i64
    }
}

impl Queue {
    /// Commits a group; it reaches the disk before this returns.
    pub async fn commit(&self, relay: RelayId, group: &Group) -> Result<(), QueueError> {
        let wrap = failed("write to");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        insert(&mut transaction, relay, &group.arrived).await.map_err(&wrap)?;
        for gone in [&group.delivered, &group.left_out, &group.expired] {
            delete(&mut transaction, relay, gone.iter().map(|gone| gone.id)).await.map_err(&wrap)?;
        }
        for attempted in &group.attempted {
            sqlx::query("UPDATE queue SET attempts = ?, first_try_at = coalesce(first_try_at, ?) WHERE id = ?")
                .bind(attempted.attempts)
                .bind(attempted.first_try_at)
                .bind(attempted.id)
                .execute(&mut *transaction)
                .await
                .map_err(&wrap)?;
        }
        for dead in &group.dead {
            bury(&mut transaction, relay, dead).await.map_err(&wrap)?;
        }
        delete(&mut transaction, relay, group.dead.iter().filter(|dead| dead.stored).map(|dead| dead.entry.id))
            .await
            .map_err(&wrap)?;
        for (topic, digest) in &group.retained {
            sqlx::query("INSERT OR REPLACE INTO retained (relay_id, topic, digest) VALUES (?, ?, ?)")
                .bind(relay.0.as_bytes().as_slice())
                .bind(&**topic)
                .bind(digest.to_be_bytes().as_slice())
                .execute(&mut *transaction)
                .await
                .map_err(&wrap)?;
        }
        count(&mut transaction, relay, group).await.map_err(&wrap)?;
        transaction.commit().await.map_err(&wrap)
    }
}

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    relay: RelayId,
    arrived: &[(i64, Incoming)],
) -> Result<(), sqlx::Error> {
    let mut rest = arrived;
    // Few sizes, so that the prepared statements stay in the cache.
    while !rest.is_empty() {
        let size = [512, 64, 8, 1].into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
        let (chunk, tail) = rest.split_at(size);
        let mut query = sqlx::query(AssertSqlSafe(insert_sql(size)));
        for (id, message) in chunk {
            query = query
                .bind(relay.0.as_bytes().as_slice())
                .bind(id)
                .bind(message.message_id.0.as_bytes().as_slice())
                .bind(&*message.topic)
                .bind(&message.payload[..])
                .bind(u8::from(message.qos))
                .bind(message.retain)
                .bind(message.received_at);
        }
        query.execute(&mut **transaction).await?;
        rest = tail;
    }
    Ok(())
}

// Nameless parameters: SQLite looks up the name of a numbered one by going through all of them.
fn insert_sql(rows: usize) -> String {
    let mut sql =
        String::from("INSERT INTO queue (relay_id, id, message_id, topic, payload, qos, retain, received_at) VALUES ");
    for at in 0..rows {
        sql.push_str(if at == 0 { "(?,?,?,?,?,?,?,?)" } else { ",(?,?,?,?,?,?,?,?)" });
    }
    sql
}

async fn delete(
    transaction: &mut Transaction<'_, Sqlite>,
    relay: RelayId,
    ids: impl Iterator<Item = i64>,
) -> Result<(), sqlx::Error> {
    let mut ids: Vec<i64> = ids.collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    let (first, last) = (ids[0], ids[ids.len() - 1]);
    if last - first + 1 == ids.len() as i64 {
        sqlx::query("DELETE FROM queue WHERE id BETWEEN ? AND ? AND relay_id = ?")
            .bind(first)
            .bind(last)
            .bind(relay.0.as_bytes().as_slice())
            .execute(&mut **transaction)
            .await?;
        return Ok(());
    }
    // One statement whatever their number: each further one would cross to the connection's thread and back.
    let list: Vec<String> = ids.iter().map(i64::to_string).collect();
    sqlx::query("DELETE FROM queue WHERE id IN (SELECT value FROM json_each(?)) AND relay_id = ?")
        .bind(format!("[{}]", list.join(",")))
        .bind(relay.0.as_bytes().as_slice())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn bury(transaction: &mut Transaction<'_, Sqlite>, relay: RelayId, dead: &Dead) -> Result<(), sqlx::Error> {
    let message = &dead.entry.message;
    sqlx::query(
        "INSERT INTO dead_letters (relay_id, message_id, topic, payload, qos, retain, received_at, died_at, attempts,
         reason, status, answer, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(relay.0.as_bytes().as_slice())
    .bind(message.message_id.0.as_bytes().as_slice())
    .bind(&*message.topic)
    .bind(&message.payload[..])
    .bind(u8::from(message.qos))
    .bind(message.retain)
    .bind(message.received_at)
    .bind(dead.died_at)
    .bind(dead.entry.attempts)
    .bind(&dead.reason)
    .bind(dead.status)
    .bind(&dead.answer)
    .bind(&dead.request)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Moves the ledger as the rows moved: what came in is what all other columns gain together, whatever the group has. The
/// ledger therefore balances with every commit, and after a process was killed. What that takes with it, the counts since
/// the last commit, are of messages that were delivered or left out before they were stored: they are missing on both
/// sides.
async fn count(transaction: &mut Transaction<'_, Sqlite>, relay: RelayId, group: &Group) -> Result<(), sqlx::Error> {
    let unstored_dead = group.dead.iter().filter(|dead| !dead.stored).count() as u64;
    let received = group.arrived.len() as u64 + group.counted() + unstored_dead;
    sqlx::query(
        "INSERT INTO ledger (relay_id, received, delivered, waiting, dead, dropped, filtered, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (relay_id) DO UPDATE SET received = received + excluded.received,
         delivered = delivered + excluded.delivered, waiting = waiting + excluded.waiting, dead = dead + excluded.dead,
         dropped = dropped + excluded.dropped, filtered = filtered + excluded.filtered, bytes = bytes + excluded.bytes",
    )
    .bind(relay.0.as_bytes().as_slice())
    .bind(received as i64)
    .bind((group.passed + group.delivered.len() as u64) as i64)
    .bind(group.waiting_delta())
    .bind(group.dead.len() as i64)
    .bind((group.dropped + group.expired.len() as u64) as i64)
    .bind((group.filtered + group.left_out.len() as u64) as i64)
    .bind(group.bytes_delta())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
