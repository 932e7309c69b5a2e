//! Rows out of a damaged file and into a new one. A row is taken only when every column is what it must be: garbage that
//! happens to parse is no message.

use super::unwritten;
use crate::queue::QueueError;
use relayscope_domain::message::Qos;
use relayscope_domain::topic;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

// Rows of one transaction, and of one read.
const BATCH: usize = 256;
const BYTES: usize = 8 << 20;
// Numbers that are tried one by one on either side of what can't be read; a page holds less than a hundred.
const NEAR: i64 = 8_192;

/// What was taken over.
#[derive(Default)]
pub(super) struct Tally {
    // Rows and bytes by relay.
    relays: BTreeMap<Uuid, Taken>,
    /// Messages that the ledger knew of and that could not be read.
    pub(super) lost: u64,
    /// Relays whose ledger could be read.
    pub(super) whole_relays: usize,
}

#[derive(Default)]
struct Taken {
    waiting: i64,
    bytes: i64,
    dead: i64,
}

/// A relay's ledger as the damaged file has it: received, delivered, waiting, dead, dropped, filtered.
type OldLedger = (Uuid, [i64; 6]);

impl Tally {
    pub(super) fn waiting(&self) -> u64 {
        self.relays.values().map(|taken| taken.waiting as u64).sum()
    }

    pub(super) fn dead(&self) -> u64 {
        self.relays.values().map(|taken| taken.dead as u64).sum()
    }

    /// Writes the ledgers so that they balance with the rows: what is missing counts as dropped.
    pub(super) async fn settle(&mut self, ledgers: Vec<OldLedger>, into: &SqlitePool) -> Result<(), QueueError> {
        let mut ledgers: BTreeMap<Uuid, [i64; 6]> = ledgers.into_iter().collect();
        self.whole_relays = ledgers.len();
        for (relay, taken) in &self.relays {
            ledgers.entry(*relay).or_insert([taken.waiting + taken.dead, 0, taken.waiting, taken.dead, 0, 0]);
        }
        for (relay, [_, delivered, waiting, dead, dropped, filtered]) in ledgers {
            let none = Taken::default();
            let taken = self.relays.get(&relay).unwrap_or(&none);
            let lost = (waiting + dead - taken.waiting - taken.dead).max(0);
            self.lost += lost as u64;
            let dropped = dropped + lost;
            sqlx::query(
                "INSERT OR REPLACE INTO ledger (relay_id, received, delivered, waiting, dead, dropped, filtered, bytes)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(relay.as_bytes().as_slice())
            .bind(delivered + taken.waiting + taken.dead + dropped + filtered)
            .bind(delivered)
            .bind(taken.waiting)
            .bind(taken.dead)
            .bind(dropped)
            .bind(filtered)
            .bind(taken.bytes)
            .execute(into)
            .await
            .map_err(unwritten)?;
        }
        Ok(())
    }
}

/// The damaged file, opened to be read and never written.
pub(super) struct DamagedFile(SqliteConnection);

impl DamagedFile {
    /// `None` when not even its header can be read.
    pub(super) async fn open(path: &Path) -> Option<Self> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).pragma("cell_size_check", "ON");
        let mut connection = options.connect().await.ok()?;
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await.ok()?;
        Some(Self(connection))
    }

    pub(super) async fn close(self) {
        // Nothing was written; there is nothing that could be lost.
        let _ = self.0.close().await;
    }

    /// Every ledger that can be read.
    pub(super) async fn ledgers(&mut self) -> Vec<OldLedger> {
        let sql = "SELECT relay_id, received, delivered, waiting, dead, dropped, filtered FROM ledger";
        let mut found = vec![];
        for row in self.readable(sql).await {
            let counts: Option<Vec<i64>> =
                (1..7).map(|at| row.try_get::<i64, _>(at).ok().filter(|count| *count >= 0)).collect();
            let counts = counts.and_then(|counts| <[i64; 6]>::try_from(counts).ok());
            found.extend(uuid(&row, "relay_id").zip(counts));
        }
        found
    }

    /// What was last seen as retained, as far as it can be read; an older file has none.
    pub(super) async fn retained(&mut self, into: &SqlitePool) -> Result<(), QueueError> {
        for row in self.readable("SELECT relay_id, topic, digest FROM retained").await {
            let (Some(relay), Ok(topic), Ok(digest)) =
                (uuid(&row, "relay_id"), row.try_get::<String, _>("topic"), row.try_get::<Vec<u8>, _>("digest"))
            else {
                continue;
            };
            sqlx::query("INSERT OR IGNORE INTO retained (relay_id, topic, digest) VALUES (?, ?, ?)")
                .bind(relay.as_bytes().as_slice())
                .bind(topic)
                .bind(digest)
                .execute(into)
                .await
                .map_err(unwritten)?;
        }
        Ok(())
    }

    /// Rows up to the first that can't be read.
    async fn readable(&mut self, sql: &'static str) -> Vec<SqliteRow> {
        use futures_util::StreamExt;
        let mut rows = sqlx::query(sql).fetch(&mut self.0);
        let mut found = vec![];
        while let Some(Ok(row)) = rows.next().await {
            found.push(row);
        }
        found
    }

    pub(super) async fn queue(&mut self, into: &SqlitePool, tally: &mut Tally) -> Result<(), QueueError> {
        let mut walk = self.walk("queue").await;
        while let Some(rows) = self.next(&mut walk).await {
            let mut transaction = into.begin().await.map_err(unwritten)?;
            for row in &rows {
                let Some(message) = Message::of(row) else { continue };
                let attempts: i64 = row.try_get("attempts").unwrap_or_default();
                let done = sqlx::query(
                    "INSERT OR IGNORE INTO queue (id, relay_id, message_id, topic, payload, qos, retain, received_at,
                     attempts, first_try_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                );
                let done = message
                    .bind_to(done)
                    .bind(attempts.max(0))
                    .bind(row.try_get::<Option<i64>, _>("first_try_at").unwrap_or_default());
                if done.execute(&mut *transaction).await.map_err(unwritten)?.rows_affected() > 0 {
                    let taken = tally.relays.entry(message.relay).or_default();
                    taken.waiting += 1;
                    taken.bytes += (message.topic.len() + message.payload.len() + 128) as i64;
                }
            }
            transaction.commit().await.map_err(unwritten)?;
        }
        Ok(())
    }

    pub(super) async fn dead_letters(&mut self, into: &SqlitePool, tally: &mut Tally) -> Result<(), QueueError> {
        let mut walk = self.walk("dead_letters").await;
        while let Some(rows) = self.next(&mut walk).await {
            let mut transaction = into.begin().await.map_err(unwritten)?;
            for row in &rows {
                let Some(message) = Message::of(row) else { continue };
                let (Ok(died_at), Ok(reason)) = (row.try_get::<i64, _>("died_at"), row.try_get::<String, _>("reason"))
                else {
                    continue;
                };
                let discarded_at: Option<i64> = row.try_get("discarded_at").unwrap_or_default();
                let done = sqlx::query(
                    "INSERT OR IGNORE INTO dead_letters (id, relay_id, message_id, topic, payload, qos, retain, received_at,
                     died_at, attempts, reason, status, answer, request, edited, discarded_at)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                );
                let done = message
                    .bind_to(done)
                    .bind(died_at)
                    .bind(row.try_get::<i64, _>("attempts").unwrap_or_default().max(0))
                    .bind(reason)
                    .bind(row.try_get::<Option<u16>, _>("status").unwrap_or_default())
                    .bind(row.try_get::<String, _>("answer").unwrap_or_default())
                    .bind(row.try_get::<String, _>("request").unwrap_or_default())
                    .bind(row.try_get::<bool, _>("edited").unwrap_or_default())
                    .bind(discarded_at);
                let done = done.execute(&mut *transaction).await.map_err(unwritten)?;
                if done.rows_affected() > 0 && discarded_at.is_none() {
                    tally.relays.entry(message.relay).or_default().dead += 1;
                }
            }
            transaction.commit().await.map_err(unwritten)?;
        }
        Ok(())
    }

    /// A walk over a table's numbers, up to the highest that was ever given.
    async fn walk(&mut self, table: &'static str) -> Walk {
        let highest = self.number(format!("SELECT max(id) FROM {table}")).await;
        let given = self.number(format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'")).await;
        // Neither is readable: the last pages are gone, and the search ends when nothing more is found.
        let highest = highest.max(given).unwrap_or(i64::MAX / 2);
        Walk { table, next: 1, highest }
    }

    async fn number(&mut self, sql: String) -> Option<i64> {
        sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut self.0).await.ok()??.try_get(0).ok()?
    }

    /// The next readable rows; `None` at the end.
    async fn next(&mut self, walk: &mut Walk) -> Option<Vec<SqliteRow>> {
        while walk.next <= walk.highest {
            let (rows, whole) = self.read(walk.table, walk.next, walk.highest).await;
            let last = rows.last().and_then(|row| row.try_get::<i64, _>("id").ok());
            walk.next = match last {
                // Rows that go back would be read for ever.
                Some(last) if last >= walk.next => last + 1,
                _ if whole => walk.highest.saturating_add(1),
                _ => self.readable_again(walk).await,
            };
            if !rows.is_empty() {
                return Some(rows);
            }
        }
        None
    }

    /// Rows from a number on until there are enough, or to the first that can't be read. Whether none failed.
    async fn read(&mut self, table: &'static str, from: i64, to: i64) -> (Vec<SqliteRow>, bool) {
        use futures_util::StreamExt;
        let sql = format!("SELECT * FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id");
        let mut rows = sqlx::query(AssertSqlSafe(sql)).bind(from).bind(to).fetch(&mut self.0);
        let (mut found, mut bytes) = (vec![], 0);
        while found.len() < BATCH && bytes < BYTES {
            match rows.next().await {
                Some(Ok(row)) => {
                    bytes += row.try_get::<&[u8], _>("payload").map_or(0, <[u8]>::len);
                    found.push(row);
                }
                Some(Err(_)) => return (found, false),
                None => return (found, true),
            }
        }
        (found, true)
    }

    /// The lowest number behind an unreadable one from which reading works: one by one as far as many pages reach, then in
    /// doubled steps and halving back to an edge, and from there one by one again: the steps may have passed over others.
    async fn readable_again(&mut self, walk: &Walk) -> i64 {
        let near = walk.next.saturating_add(NEAR).min(walk.highest);
        for at in walk.next + 1..=near {
            if self.works(walk, at).await {
                return at;
            }
        }
        let (mut fails, mut step) = (near, 1);
        let mut works = loop {
            let at = fails.saturating_add(step);
            if at > walk.highest {
                break walk.highest.saturating_add(1);
            }
            if self.works(walk, at).await {
                break at;
            }
            fails = at;
            step = step.saturating_mul(2);
        };
        while works - fails > 1 {
            let middle = fails + (works - fails) / 2;
            if self.works(walk, middle).await { works = middle } else { fails = middle }
        }
        for at in (near + 1).max(works - NEAR)..works {
            if self.works(walk, at).await {
                return at;
            }
        }
        works
    }

    async fn works(&mut self, walk: &Walk, at: i64) -> bool {
        let sql = format!("SELECT * FROM {} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1", walk.table);
        let row = sqlx::query(AssertSqlSafe(sql)).bind(at).bind(walk.highest).fetch_optional(&mut self.0).await;
        row.is_ok()
    }
}

struct Walk {
    table: &'static str,
    next: i64,
    highest: i64,
}

/// The columns that both tables have.
struct Message {
    id: i64,
    relay: Uuid,
    message_id: Uuid,
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    retain: bool,
    received_at: i64,
}

impl Message {
    fn of(row: &SqliteRow) -> Option<Self> {
        let topic: String = row.try_get("topic").ok()?;
        topic::check_topic(&topic).ok()?;
        let qos: u8 = row.try_get("qos").ok()?;
        Qos::try_from(qos).ok()?;
        Some(Self {
            id: row.try_get("id").ok()?,
            relay: uuid(row, "relay_id")?,
            message_id: uuid(row, "message_id")?,
            topic,
            payload: row.try_get("payload").ok()?,
            qos,
            retain: row.try_get("retain").ok()?,
            received_at: row.try_get("received_at").ok()?,
        })
    }

    fn bind_to<'q>(
        &'q self,
        query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
        query
            .bind(self.id)
            .bind(self.relay.as_bytes().as_slice())
            .bind(self.message_id.as_bytes().as_slice())
            .bind(&self.topic)
            .bind(&self.payload)
            .bind(self.qos)
            .bind(self.retain)
            .bind(self.received_at)
    }
}

fn uuid(row: &SqliteRow, column: &str) -> Option<Uuid> {
    Uuid::from_slice(row.try_get(column).ok()?).ok()
}
