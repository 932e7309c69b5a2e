//! The configuration, in `app.db`: one file per table, and all of its SQL.
//!
//! The store keeps what it is given; what is valid is `domain`'s to say, what runs is the supervisor's. Secrets come in
//! and go out through the vault only and are never kept in clear.

pub mod open;

mod brokers;
mod charts;
mod decoders;
mod endpoint;
mod filters;
mod messages;
mod meta;
mod relays;
mod taps;
mod tokens;

pub use endpoint::EndpointRecord;
pub use meta::{key_location, record_key_location};
pub use tokens::StoredToken;

use crate::secrets::{SecretError, Vault};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteQueryResult;
use std::sync::Arc;
use tokio::sync::watch;

/// A handle to the configuration.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    vault: Arc<Vault>,
    // Written by every change, read by the supervisor; the value is a count of changes.
    changed: Arc<watch::Sender<u64>>,
}

/// Why the configuration could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another row has the name.
    #[error("The name “{0}” is taken; choose another.")]
    NameTaken(String),
    /// The row is referred to.
    #[error("It is in use.")]
    InUse,
    /// The row is not there.
    #[error("It was deleted meanwhile.")]
    NotFound,
    /// A stored value can't be read.
    #[error("failed to read the stored {0}")]
    Malformed(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A secret can't be sealed or unsealed.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// No space is left, or the disk fails.
    #[error("{0}: the change was not kept. Free some space or mend the disk, and try again.")]
    Disk(open::DiskTrouble),
    /// SQLite refused.
    #[error("failed to {0} the configuration: {1}")]
    Sql(&'static str, #[source] sqlx::Error),
}

impl Store {
    /// Wraps an open database.
    pub fn new(pool: SqlitePool, vault: Arc<Vault>) -> Self {
        Self { pool, vault, changed: Arc::new(watch::Sender::new(0)) }
    }

    /// Tells of changes; the value has no meaning of its own.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Has everybody look again at what is configured.
    pub fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn malformed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(what: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Malformed(what, error.into())
}

/// Turns a failed write into what a person can act on.
fn write_error(name: &str) -> impl Fn(sqlx::Error) -> StoreError + '_ {
    move |error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::NameTaken(name.to_owned()),
        Some(database) if database.is_foreign_key_violation() => StoreError::InUse,
        _ => match open::disk_trouble(&error) {
            Some(trouble) => StoreError::Disk(trouble),
            None => StoreError::Sql("change", error),
        },
    }
}

/// A change of a row that has to be there.
fn changed(done: Result<SqliteQueryResult, sqlx::Error>) -> Result<(), StoreError> {
    match done.map_err(write_error(""))?.rows_affected() {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

fn read_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::RowNotFound => StoreError::NotFound,
        other => StoreError::Sql("read", other),
    }
}

/// Unix milliseconds of now.
fn now() -> i64 {
    crate::feed::unix_millis(std::time::SystemTime::now())
}
