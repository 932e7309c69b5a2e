//! `bucket.db`: the values the stand-in stored, and all SQL about them.
//!
//! WAL with `synchronous=NORMAL`: what was answered survives a crash of Relayscope; a power cut may take the last moments,
//! which is enough for a stand-in. Only the writer task writes. A damaged file is set aside, never deleted; a file of a
//! newer version is left alone.

use super::data::NewValue;
use crate::api::wire::{BucketDevice, BucketRow, BucketRows};
use crate::feed::unix_millis;
use crate::store::open::{FEW_AHEAD, OpenError, Schema, open_or_set_aside};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Row, Sqlite};
use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

/// Rows of one INSERT: below SQLite's limit of 32,766 parameters by far, and large enough to make the calls cheap.
const ROWS_PER_INSERT: usize = 200;
/// Characters of a value shown in lists of devices.
const LAST_VALUE_SHOWN: usize = 200;
/// Characters of a value or its metadata shown in lists of rows.
const VALUE_SHOWN: usize = 4_000;
/// Most rows a page may ask for.
const MAX_ROWS: u32 = 500;

/// The open file.
#[derive(Clone)]
pub(super) struct Bucket {
    pool: SqlitePool,
}

/// Values of one request, with what the server adds to them.
pub(super) struct Batch {
    pub(super) values: Vec<NewValue>,
    /// Group of the values that came without one.
    pub(super) group: String,
    /// Unix milliseconds.
    pub(super) stored_at: i64,
}

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/bucket");

impl Bucket {
    /// Opens or makes the file; the second part says what a person should know.
    pub(super) async fn open(path: &Path) -> Result<(Self, Vec<String>), OpenError> {
        let schema = Schema {
            what: "bucket of the local stand-in",
            migrations: &MIGRATIONS,
            full_sync: false,
            connections: 4,
            read_ahead: FEW_AHEAD,
        };
        let stamp = unix_millis(SystemTime::now()).to_string();
        let (pool, notices) = open_or_set_aside(path, schema, &stamp, None).await?;
        Ok((Self { pool }, notices))
    }

    /// Values stored by serial.
    pub(super) async fn counts(&self) -> Result<HashMap<String, u64>, sqlx::Error> {
        let rows = sqlx::query_as::<_, (String, i64)>("SELECT serial, count FROM device").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(serial, count)| (serial, count.unsigned_abs())).collect())
    }

    /// Stores a group in one transaction.
    pub(super) async fn insert(&self, group: &[Batch]) -> Result<(), sqlx::Error> {
        let all: Vec<(&Batch, &NewValue)> =
            group.iter().flat_map(|batch| batch.values.iter().map(move |value| (batch, value))).collect();
        let mut transaction = self.pool.begin().await?;
        for part in all.chunks(ROWS_PER_INSERT) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO value (id, serial, variable, value, unit, grp, time, location, metadata, stored_at) ",
            );
            insert.push_values(part, |mut row, (batch, value)| {
                row.push_bind(new_id(batch.stored_at))
                    .push_bind(&value.serial)
                    .push_bind(&value.variable)
                    .push_bind(&value.value)
                    .push_bind(&value.unit)
                    .push_bind(value.group.as_ref().unwrap_or(&batch.group))
                    .push_bind(&value.time)
                    .push_bind(&value.location)
                    .push_bind(&value.metadata)
                    .push_bind(batch.stored_at);
            });
            insert.build().execute(&mut *transaction).await?;
        }
        // The last value of each serial in the group is the newest.
        let mut devices: HashMap<&str, (i64, &Batch, &NewValue)> = HashMap::new();
        for (batch, value) in &all {
            let device = devices.entry(&value.serial).or_insert((0, batch, value));
            *device = (device.0 + 1, batch, value);
        }
        for (serial, (count, batch, value)) in devices {
            sqlx::query(
                "INSERT INTO device (serial, count, last_variable, last_value, last_at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (serial) DO UPDATE SET count = count + excluded.count, last_variable = excluded.last_variable,
                     last_value = excluded.last_value, last_at = excluded.last_at",
            )
            .bind(serial)
            .bind(count)
            .bind(&value.variable)
            .bind(shown(value.value.as_deref(), LAST_VALUE_SHOWN))
            .bind(batch.stored_at)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Deletes the oldest values, at most `count`; returns how many of which serial.
    pub(super) async fn prune(&self, count: u64) -> Result<Vec<(String, u64)>, sqlx::Error> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut transaction = self.pool.begin().await?;
        let oldest: Vec<(String, i64)> = sqlx::query_as(
            "SELECT serial, count(*) FROM (SELECT serial FROM value ORDER BY seq LIMIT ?) GROUP BY serial",
        )
        .bind(count)
        .fetch_all(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM value WHERE seq IN (SELECT seq FROM value ORDER BY seq LIMIT ?)")
            .bind(count)
            .execute(&mut *transaction)
            .await?;
        for (serial, gone) in &oldest {
            sqlx::query("UPDATE device SET count = count - ? WHERE serial = ?")
                .bind(gone)
                .bind(serial)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("DELETE FROM device WHERE count <= 0").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(oldest.into_iter().map(|(serial, gone)| (serial, gone.unsigned_abs())).collect())
    }

    /// All devices, by serial.
    pub(super) async fn devices(&self) -> Result<Vec<BucketDevice>, sqlx::Error> {
        let rows = sqlx::query("SELECT serial, count, last_variable, last_value, last_at FROM device ORDER BY serial")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(BucketDevice {
                    serial: row.try_get(0)?,
                    count: row.try_get::<i64, _>(1)?.unsigned_abs(),
                    last_variable: row.try_get(2)?,
                    last_value: row.try_get(3)?,
                    last_at: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Values of a device, newest first.
    pub(super) async fn rows(&self, serial: &str, from: u32, count: u32) -> Result<BucketRows, sqlx::Error> {
        let total: Option<i64> = sqlx::query_scalar("SELECT count FROM device WHERE serial = ?")
            .bind(serial)
            .fetch_optional(&self.pool)
            .await?;
        let rows = sqlx::query(
            "SELECT id, variable, value, unit, stored_at, metadata FROM value WHERE serial = ? ORDER BY seq DESC LIMIT ? OFFSET ?",
        )
        .bind(serial)
        .bind(count.min(MAX_ROWS))
        .bind(from)
        .fetch_all(&self.pool)
        .await?;
        let rows = rows
            .iter()
            .map(|row| {
                Ok(BucketRow {
                    id: row.try_get(0)?,
                    variable: row.try_get(1)?,
                    value: shown(row.try_get(2)?, VALUE_SHOWN),
                    unit: row.try_get(3)?,
                    at: row.try_get(4)?,
                    metadata: row.try_get::<Option<&str>, _>(5)?.map(|text| cut(text, VALUE_SHOWN)).unwrap_or_default(),
                })
            })
            .collect::<Result<_, sqlx::Error>>()?;
        Ok(BucketRows { total: total.and_then(|total| u32::try_from(total).ok()).unwrap_or(0), rows })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// An id like TagoIO's: 24 hexadecimal digits that begin with the time.
pub(super) fn new_id(unix_millis: i64) -> String {
    let seconds = u32::try_from(unix_millis / 1000).unwrap_or(0);
    format!("{seconds:08x}{:016x}", rand::random::<u64>())
}

/// A stored JSON value for people: strings without their quotes.
fn shown(json: Option<&str>, most: usize) -> String {
    let Some(json) = json else { return String::new() };
    if json.starts_with('"')
        && let Ok(text) = serde_json::from_str::<String>(json)
    {
        return cut(&text, most);
    }
    cut(json, most)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
