//! Letters on the move: back into the queue, away, and back from there. Each batch is one transaction that moves the
//! ledger with the letters, so that whoever looks in between sees a balance; batches are small, so that nobody waits long.

use super::filter::json;
use super::{Chosen, message_id_of, relay_of};
use crate::queue::{Queue, QueueError, failed};
use relayscope_domain::id::{MessageId, RelayId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashMap, HashSet};

// Letters of one transaction.
const BATCH: u32 = 512;

/// Letters of one relay that moved in one batch, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Whose.
    pub relay: RelayId,
    /// Which messages.
    pub messages: Vec<MessageId>,
    /// What they cost while they wait ([`crate::queue::Incoming::cost`]).
    pub bytes: i64,
}

/// What came of one batch to be sent again.
#[derive(Clone, Debug, Default)]
pub struct Resent {
    /// Back in the queue.
    pub moved: Vec<Moved>,
    /// Letters that stay because their relay is not there any more.
    pub orphans: u64,
    /// Letters that stay because their relay's budget is used up.
    pub full: u64,
}

impl Queue {
    /// The numbers of the next chosen letters after `after`, ascending: one batch for the functions below.
    pub async fn batch(&self, chosen: &Chosen, after: i64) -> Result<Vec<i64>, QueueError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM dead_letters WHERE ");
        chosen.push_to(&mut query);
        query.push(" AND id > ").push_bind(after).push(" ORDER BY id LIMIT ").push_bind(BATCH);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("read"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Puts a batch at the end of the queue, in the order of the letters' numbers, as never tried before. `budgets` has
    /// the relays that there are, and how many bytes may wait for each.
    pub async fn resend(&self, ids: &[i64], budgets: &HashMap<RelayId, u64>) -> Result<Resent, QueueError> {
        let wrap = failed("write to");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        let mut waiting: HashMap<RelayId, u64> = HashMap::new();
        for row in
            sqlx::query("SELECT relay_id, bytes FROM ledger").fetch_all(&mut *transaction).await.map_err(&wrap)?
        {
            waiting.insert(relay_of(&row), row.get::<i64, _>("bytes").max(0) as u64);
        }
        let (mut resent, mut picked, mut full) = (Resent::default(), vec![], HashSet::new());
        let mut groups = Groups::default();
        for row in kept(&mut transaction, ids).await.map_err(&wrap)? {
            let relay = relay_of(&row);
            let Some(budget) = budgets.get(&relay) else {
                resent.orphans += 1;
                continue;
            };
            let bytes = waiting.entry(relay).or_default();
            let cost = row.get::<i64, _>("cost");
            // A later, smaller one must not overtake.
            if full.contains(&relay) || *bytes + cost as u64 > *budget {
                full.insert(relay);
                resent.full += 1;
                continue;
            }
            *bytes += cost as u64;
            picked.push(row.get::<i64, _>("id"));
            groups.add(&row);
        }
        let first = self.reserve_again(picked.len());
        let picked = json(&picked);
        for sql in [
            "INSERT INTO queue (id, relay_id, message_id, topic, payload, qos, retain, received_at, attempts)
             SELECT ?2 + row_number() OVER (ORDER BY id) - 1, relay_id, message_id, topic, payload, qos, retain,
                    received_at, 0 FROM dead_letters
             WHERE id IN (SELECT value FROM json_each(?1))",
            "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1))",
        ] {
            sqlx::query(sql).bind(&picked).bind(first).execute(&mut *transaction).await.map_err(&wrap)?;
        }
        resent.moved = groups.finish();
        for moved in &resent.moved {
            let count = moved.messages.len() as i64;
            change_ledger(&mut transaction, moved.relay, [-count, count, 0, moved.bytes]).await.map_err(&wrap)?;
        }
        transaction.commit().await.map_err(&wrap)?;
        Ok(resent)
    }

    /// A time to discard letters at that no other discard has: it is the name of this one.
    pub async fn discard_stamp(&self, now: i64) -> Result<i64, QueueError> {
        let last: Option<i64> =
            sqlx::query("SELECT max(discarded_at) FROM dead_letters WHERE discarded_at IS NOT NULL")
                .fetch_one(&self.writer)
                .await
                .map_err(failed("read"))?
                .get(0);
        Ok(last.map_or(now, |last| now.max(last + 1)))
    }

    /// Hides a batch until it is purged or taken back; its messages count as dropped from now on.
    pub async fn discard(&self, ids: &[i64], at: i64) -> Result<Vec<Moved>, QueueError> {
        let wrap = failed("write to");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        let mut groups = Groups::default();
        kept(&mut transaction, ids).await.map_err(&wrap)?.iter().for_each(|row| groups.add(row));
        sqlx::query(
            "UPDATE dead_letters SET discarded_at = ?
             WHERE discarded_at IS NULL AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(at)
        .bind(json(ids))
        .execute(&mut *transaction)
        .await
        .map_err(&wrap)?;
        let moved = groups.finish();
        for group in &moved {
            let count = group.messages.len() as i64;
            change_ledger(&mut transaction, group.relay, [-count, 0, count, 0]).await.map_err(&wrap)?;
        }
        transaction.commit().await.map_err(&wrap)?;
        Ok(moved)
    }

    /// Takes back a batch of what was discarded at `at`; empty when nothing of it is left.
    pub async fn undo_discard(&self, at: i64) -> Result<Vec<Moved>, QueueError> {
        let wrap = failed("write to");
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(&wrap)?;
        let rows = sqlx::query(
            "SELECT id, relay_id, message_id, length(CAST(topic AS BLOB)) + length(payload) + 128 AS cost
             FROM dead_letters WHERE discarded_at = ? ORDER BY id LIMIT ?",
        )
        .bind(at)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await
        .map_err(&wrap)?;
        let mut groups = Groups::default();
        rows.iter().for_each(|row| groups.add(row));
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
        sqlx::query("UPDATE dead_letters SET discarded_at = NULL WHERE id IN (SELECT value FROM json_each(?))")
            .bind(json(&ids))
            .execute(&mut *transaction)
            .await
            .map_err(&wrap)?;
        let moved = groups.finish();
        for group in &moved {
            let count = group.messages.len() as i64;
            change_ledger(&mut transaction, group.relay, [count, 0, -count, 0]).await.map_err(&wrap)?;
        }
        transaction.commit().await.map_err(&wrap)?;
        Ok(moved)
    }

    /// Deletes letters that were discarded before `before`; they are in the ledger as dropped already.
    pub async fn purge_discarded(&self, before: i64) -> Result<u64, QueueError> {
        let mut purged = 0;
        loop {
            let done = sqlx::query(
                "DELETE FROM dead_letters WHERE id IN
                 (SELECT id FROM dead_letters WHERE discarded_at < ? LIMIT ?)",
            )
            .bind(before)
            .bind(BATCH)
            .execute(&self.writer)
            .await
            .map_err(failed("clear"))?
            .rows_affected();
            purged += done;
            if done < u64::from(BATCH) {
                return Ok(purged);
            }
        }
    }
}

async fn kept(connection: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(
        "SELECT id, relay_id, message_id, length(CAST(topic AS BLOB)) + length(payload) + 128 AS cost
         FROM dead_letters WHERE discarded_at IS NULL AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(json(ids))
    .fetch_all(connection)
    .await
}

/// Adds to dead, waiting, dropped and bytes of a relay's ledger.
async fn change_ledger(
    connection: &mut SqliteConnection,
    relay: RelayId,
    [dead, waiting, dropped, bytes]: [i64; 4],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ledger SET dead = dead + ?, waiting = waiting + ?, dropped = dropped + ?, bytes = bytes + ?
         WHERE relay_id = ?",
    )
    .bind(dead)
    .bind(waiting)
    .bind(dropped)
    .bind(bytes)
    .bind(relay.0.as_bytes().as_slice())
    .execute(connection)
    .await
    .map(|_| ())
}

/// Rows by relay.
#[derive(Default)]
struct Groups(BTreeMap<RelayId, Moved>);

impl Groups {
    fn add(&mut self, row: &SqliteRow) {
        let relay = relay_of(row);
        let moved = self.0.entry(relay).or_insert_with(|| Moved { relay, messages: vec![], bytes: 0 });
        moved.messages.push(message_id_of(row));
        moved.bytes += row.get::<i64, _>("cost");
    }

    fn finish(self) -> Vec<Moved> {
        self.0.into_values().collect()
    }
}
