//! `history.db`, and all SQL about it. One task writes; searches read beside it.

use super::HistoryError;
use super::stored::{self, CUT, Stored, Told};
use crate::feed::event::Event;
use crate::store::open::{self, FEW_AHEAD, Schema};
use relayscope_domain::filter::{Filter, KindSet, Moment, Subject, Test};
use relayscope_domain::id::MessageId;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};
use std::path::Path;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/history");

/// Events that one statement deletes.
const PRUNED_AT_ONCE: i64 = 2_000;
/// Trigrams of a text that are looked up; the rest is left to the filter.
const LOOKED_UP: usize = 16;

/// The open file.
#[derive(Clone)]
pub(super) struct Table {
    pool: SqlitePool,
}

/// What the table holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) bytes: u64,
    pub(super) events: u64,
    pub(super) oldest: Option<i64>,
    pub(super) newest: Option<i64>,
}

/// An event that can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: i64,
    /// Bytes of its payload.
    pub(super) bytes: u64,
}

impl Table {
    /// Opens or makes the file; a damaged one is set aside under a name with `stamp`, and said so.
    pub(super) async fn open(path: &Path, stamp: &str) -> Result<(Self, Vec<String>), HistoryError> {
        let schema = Schema {
            what: "history",
            migrations: &MIGRATIONS,
            full_sync: false,
            connections: 3,
            read_ahead: FEW_AHEAD,
        };
        let (pool, notices) = open::open_or_set_aside(path, schema, stamp, None).await?;
        let table = Self { pool };
        let (pages, free): (i64, i64) =
            (table.pragma("PRAGMA page_count").await?, table.pragma("PRAGMA freelist_count").await?);
        if free > pages / 2 && pages > 1_000 {
            // After a smaller budget the room is given back.
            sqlx::query("VACUUM").execute(&table.pool).await.map_err(HistoryError::write)?;
        }
        Ok((table, notices))
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn pragma(&self, text: &'static str) -> Result<i64, HistoryError> {
        sqlx::query_scalar(text).fetch_one(&self.pool).await.map_err(HistoryError::Read)
    }

    /// Writes events in one transaction.
    pub(super) async fn write(&self, events: &[Event]) -> Result<(), HistoryError> {
        let mut transaction = self.pool.begin().await.map_err(HistoryError::write)?;
        for event in events {
            let told = serde_json::to_string(&Told::of(event)).map_err(HistoryError::Told)?;
            let id = sqlx::query("INSERT INTO event (at, kinds, message, payload, told) VALUES (?, ?, ?, ?, ?)")
                .bind(stored::at(event))
                .bind(Subject::kinds(event).bits().cast_signed())
                .bind(event.message_id.map(|id| id.0.as_bytes().to_vec()))
                .bind(event.payload())
                .bind(told)
                .execute(&mut *transaction)
                .await
                .map_err(HistoryError::write)?
                .last_insert_rowid();
            sqlx::query("INSERT INTO event_text (rowid, text) VALUES (?, ?)")
                .bind(id)
                .bind(stored::text(event))
                .execute(&mut *transaction)
                .await
                .map_err(HistoryError::write)?;
        }
        transaction.commit().await.map_err(HistoryError::write)
    }

    /// How much is held.
    pub(super) async fn extent(&self) -> Result<Extent, HistoryError> {
        let used = self.pragma("PRAGMA page_count").await? - self.pragma("PRAGMA freelist_count").await?;
        let size = self.pragma("PRAGMA page_size").await?;
        let (first, last) = self.ids().await?;
        // Ids follow each other: events are taken away at the old end only.
        let events = if first == 0 { 0 } else { (last - first + 1).unsigned_abs() };
        let (oldest, newest) = (self.at(first).await?, self.at(last).await?);
        Ok(Extent { bytes: (used * size).unsigned_abs(), events, oldest, newest })
    }

    /// The lowest id and the highest; zeros when nothing is kept.
    pub(super) async fn ids(&self) -> Result<(i64, i64), HistoryError> {
        sqlx::query_as("SELECT coalesce((SELECT min(id) FROM event), 0), coalesce((SELECT max(id) FROM event), 0)")
            .fetch_one(&self.pool)
            .await
            .map_err(HistoryError::Read)
    }

    async fn at(&self, id: i64) -> Result<Option<i64>, HistoryError> {
        let at = sqlx::query_scalar("SELECT at FROM event WHERE id = ?").bind(id).fetch_optional(&self.pool);
        at.await.map_err(HistoryError::Read)
    }

    /// Deletes the oldest events, a part of them at once: those before `before` and, while the file uses more than
    /// `budget` bytes, others. Whether there may be more to delete.
    pub(super) async fn prune(&self, budget: u64, before: i64) -> Result<bool, HistoryError> {
        let extent = self.extent().await?;
        let old = extent.oldest.is_some_and(|oldest| oldest < before);
        if extent.bytes <= budget && !old {
            return Ok(false);
        }
        let mut transaction = self.pool.begin().await.map_err(HistoryError::write)?;
        let last: Option<i64> = if extent.bytes > budget {
            sqlx::query_scalar("SELECT min(id) + ? FROM event")
                .bind(PRUNED_AT_ONCE - 1)
                .fetch_one(&mut *transaction)
                .await
        } else {
            sqlx::query_scalar("SELECT max(id) FROM (SELECT id, at FROM event ORDER BY id LIMIT ?) WHERE at < ?")
                .bind(PRUNED_AT_ONCE)
                .bind(before)
                .fetch_one(&mut *transaction)
                .await
        }
        .map_err(HistoryError::Read)?;
        let Some(last) = last else { return Ok(false) };
        let texts = "DELETE FROM event_text WHERE rowid IN (SELECT id FROM event WHERE id <= ?)";
        for statement in [texts, "DELETE FROM event WHERE id <= ?"] {
            sqlx::query(statement).bind(last).execute(&mut *transaction).await.map_err(HistoryError::write)?;
        }
        transaction.commit().await.map_err(HistoryError::write)?;
        Ok(true)
    }

    /// Up to `count` events before id `before`, newest first, that a filter may select: what it says of kinds, times and
    /// text narrows them down, the filter itself decides.
    pub(super) async fn candidates(
        &self,
        filter: &Filter,
        instant: impl Fn(Moment) -> i64,
        before: i64,
        count: usize,
    ) -> Result<Vec<Found>, HistoryError> {
        // SQLite knows the length of a payload without reading it.
        let mut query = QueryBuilder::<Sqlite>::new("SELECT e.id, coalesce(length(e.payload), 0) AS bytes FROM ");
        match lookup(filter) {
            Some(lookup) => {
                query
                    .push("event_text JOIN event e ON e.id = event_text.rowid WHERE event_text MATCH ")
                    .push_bind(lookup);
                query.push(" AND event_text.rowid < ").push_bind(before);
            }
            None => drop(query.push("event e WHERE e.id < ").push_bind(before)),
        }
        for term in filter.terms.iter().filter(|term| !term.not) {
            match &term.test {
                Test::Kind(kinds) => {
                    let bits = KindSet::of(kinds).bits().cast_signed();
                    query.push(" AND (e.kinds & ").push_bind(bits).push(") <> 0");
                }
                Test::Since(moment) => drop(query.push(" AND e.at >= ").push_bind(instant(*moment))),
                Test::Until(moment) => drop(query.push(" AND e.at < ").push_bind(instant(*moment))),
                Test::Message(ids) => {
                    query.push(" AND e.message IN (");
                    let mut list = query.separated(", ");
                    for id in ids {
                        list.push_bind(id.0.as_bytes().to_vec());
                    }
                    query.push(")");
                }
                _ => {}
            }
        }
        query.push(if lookup(filter).is_some() {
            " ORDER BY event_text.rowid DESC LIMIT "
        } else {
            " ORDER BY e.id DESC LIMIT "
        });
        query.push_bind(i64::try_from(count).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.pool).await.map_err(HistoryError::Read)?;
        Ok(rows.iter().map(found_of).collect())
    }

    /// What is known of events by their ids without reading them, as far as they are there.
    pub(super) async fn sizes(&self, ids: &[i64]) -> Result<Vec<Found>, HistoryError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, coalesce(length(payload), 0) AS bytes FROM event");
        push_ids(&mut query, ids);
        let rows = query.build().fetch_all(&self.pool).await.map_err(HistoryError::Read)?;
        Ok(rows.iter().map(found_of).collect())
    }

    /// One event.
    pub(super) async fn event(&self, id: i64) -> Result<Option<Stored>, HistoryError> {
        let row =
            sqlx::query("SELECT id, kinds, payload, told FROM event WHERE id = ?").bind(id).fetch_optional(&self.pool);
        row.await.map_err(HistoryError::Read)?.as_ref().map(stored_of).transpose()
    }

    /// Events by their ids, oldest first, as far as they are there.
    pub(super) async fn events(&self, ids: &[i64]) -> Result<Vec<Stored>, HistoryError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, kinds, payload, told FROM event");
        push_ids(&mut query, ids);
        query.push(" ORDER BY id");
        let rows = query.build().fetch_all(&self.pool).await.map_err(HistoryError::Read)?;
        rows.iter().map(stored_of).collect()
    }

    /// All events of a message, oldest first.
    pub(super) async fn journey(&self, id: MessageId) -> Result<Vec<Stored>, HistoryError> {
        let rows = sqlx::query("SELECT id, kinds, NULL AS payload, told FROM event WHERE message = ? ORDER BY id")
            .bind(id.0.as_bytes().to_vec())
            .fetch_all(&self.pool);
        rows.await.map_err(HistoryError::Read)?.iter().map(stored_of).collect()
    }
}

fn push_ids(query: &mut QueryBuilder<Sqlite>, ids: &[i64]) {
    query.push(" WHERE id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
}

fn found_of(row: &SqliteRow) -> Found {
    Found { id: row.get("id"), bytes: row.get::<i64, _>("bytes").unsigned_abs() }
}

fn stored_of(row: &SqliteRow) -> Result<Stored, HistoryError> {
    Ok(Stored {
        id: row.get("id"),
        kinds: KindSet::from_bits(row.get::<i64, _>("kinds").cast_unsigned()),
        payload: row.get("payload"),
        told: serde_json::from_str(row.get("told")).map_err(HistoryError::Told)?,
    })
}

/// What the index is asked: every sequence of three characters of every text that must be there. Letters beyond ASCII are
/// left to the filter: the index and MQTT payloads may differ in what they take for the same letter.
fn lookup(filter: &Filter) -> Option<String> {
    let mut parts = vec![];
    for term in filter.terms.iter().filter(|term| !term.not) {
        let texts: Vec<&str> = match &term.test {
            Test::Text(text) | Test::Word(text) => vec![text],
            // Of a topic, its last levels say most.
            Test::Topic(topics) if topics.len() == 1 => topics[0].rsplit('/').collect(),
            _ => vec![],
        };
        for text in texts.into_iter().filter(|text| text.is_ascii()) {
            let windows = text.as_bytes().windows(3).filter_map(|three| std::str::from_utf8(three).ok());
            parts.extend(windows.map(|three| format!("\"{}\"", three.replace('"', "\"\""))));
        }
    }
    parts.truncate(LOOKED_UP);
    (!parts.is_empty()).then(|| format!("({}) OR \"{CUT}\"", parts.join(" AND ")))
}
