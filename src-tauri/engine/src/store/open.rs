//! Opens a database file: write-ahead log, a copy before migrating, a newer file refused untouched, a damaged one set
//! aside. Knows files and migrations, no tables.

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What kind of file it is, and how it is treated.
#[derive(Clone, Copy)]
pub struct Schema {
    /// What people call it.
    pub what: &'static str,
    /// Its migrations.
    pub migrations: &'static Migrator,
    /// Whether every commit reaches the disk before it counts.
    pub full_sync: bool,
    /// Connections at once.
    pub connections: u32,
    /// Rows that a connection reads before whoever asked takes them; beyond that the two wait for each other row by row,
    /// which costs more than the reading.
    pub read_ahead: usize,
}

/// Rows read ahead where few are asked for, or large ones.
pub const FEW_AHEAD: usize = 50;

/// Why a database could not be opened: one sentence that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later version of Relayscope wrote it.
    #[error(
        "The {what} {path} was written by a newer Relayscope (schema {found}, this one knows {known}). It was left untouched: \
         install the newer version again, or choose another folder with --data-dir."
    )]
    Newer {
        /// What people call it.
        what: &'static str,
        /// File.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest we know.
        known: i64,
    },
    /// It is no SQLite database, or a broken one.
    #[error("The {what} {path} is damaged: {detail}. It was left as it is; move it away to begin with an empty one.")]
    Damaged {
        /// What people call it.
        what: &'static str,
        /// File.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// Anything else.
    #[error("failed to {operation} the {what} {path}: {source}")]
    Sql {
        /// What was tried.
        operation: &'static str,
        /// What people call it.
        what: &'static str,
        /// File.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

/// The disk takes no writes. A part of a sentence: what follows from it is for the caller to say.
#[derive(Debug, thiserror::Error)]
pub enum DiskTrouble {
    /// SQLITE_FULL.
    #[error("The disk is full")]
    Full,
    /// A write failed, and SQLite does not know why.
    #[error("The disk is full, over a quota or failing (SQLite error {0})")]
    Refuses(i64),
}

/// What the disk has to do with a failure, if anything.
pub fn disk_trouble(error: &sqlx::Error) -> Option<DiskTrouble> {
    let code = error.as_database_error()?.code()?.parse::<i64>().ok()?;
    match (code & 0xff, code >> 8) {
        (13, _) => Some(DiskTrouble::Full),
        // SQLITE_IOERR of WRITE, FSYNC, DIR_FSYNC, TRUNCATE, SHMSIZE and SHMMAP.
        (10, 3..=6 | 19 | 21) => Some(DiskTrouble::Refuses(code)),
        _ => None,
    }
}

/// Opens `path`, brings it up to date, and returns it with what a person should know.
pub async fn open(path: &Path, schema: Schema) -> Result<(SqlitePool, Vec<String>), OpenError> {
    let mut notices = vec![];
    let existed = path.metadata().is_ok_and(|file| file.len() > 0);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(if schema.full_sync { SqliteSynchronous::Full } else { SqliteSynchronous::Normal })
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .row_buffer_size(schema.read_ahead)
        .pragma("journal_size_limit", "67108864");
    if existed {
        inspect(path, schema, &mut notices).await?;
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(schema.connections)
        .acquire_timeout(Duration::from_secs(30))
        .after_release(|connection, _| Box::pin(is_fit(connection)))
        .connect_with(options)
        .await
        .map_err(|error| failure("open", path, schema, error))?;
    schema.migrations.run(&pool).await.map_err(|error| OpenError::Sql {
        operation: "bring up to date",
        what: schema.what,
        path: path.to_owned(),
        source: sqlx::Error::Migrate(Box::new(error)),
    })?;
    Ok((pool, notices))
}

/// Whether a connection may be used again. When the disk fails, SQLite rolls back by itself; the rollback that sqlx asks
/// for then fails, and sqlx takes the transaction for open for ever. Such a connection is closed and replaced.
pub async fn is_fit(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback may be under way; the answer comes after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Looks at an existing file read-only: refuses a newer one, finds damage, and copies it when migrations are due.
async fn inspect(path: &Path, schema: Schema, notices: &mut Vec<String>) -> Result<(), OpenError> {
    let known = schema.migrations.iter().map(|migration| migration.version).max().unwrap_or(0);
    // Not read-only: a write-ahead log left by a crash has to be taken in first.
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(|error| failure("open", path, schema, error))?;
    let result = async {
        let check: String = sqlx::query("PRAGMA quick_check(1)")
            .fetch_one(&pool)
            .await
            .map_err(|error| failure("check", path, schema, error))?
            .get(0);
        if check != "ok" {
            return Err(OpenError::Damaged { what: schema.what, path: path.to_owned(), detail: check });
        }
        let has_table = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_optional(&pool)
            .await
            .map_err(|error| failure("read", path, schema, error))?
            .is_some();
        let found: i64 = if has_table {
            sqlx::query("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
                .fetch_one(&pool)
                .await
                .map_err(|error| failure("read", path, schema, error))?
                .get(0)
        } else {
            0
        };
        if found > known {
            return Err(OpenError::Newer { what: schema.what, path: path.to_owned(), found, known });
        }
        if has_table && found < known {
            let copy = path.with_extension(format!("before-{known}.db"));
            let _ = std::fs::remove_file(&copy);
            let target = copy.display().to_string().replace('\'', "''");
            sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{target}'")))
                .execute(&pool)
                .await
                .map_err(|error| failure("copy", path, schema, error))?;
            notices.push(format!("The {} was brought up to date; a copy of it is {}.", schema.what, copy.display()));
        }
        Ok(())
    }
    .await;
    pool.close().await;
    result
}

fn failure(operation: &'static str, path: &Path, schema: Schema, error: sqlx::Error) -> OpenError {
    // SQLITE_CORRUPT (11) and SQLITE_NOTADB (26).
    let damaged = error
        .as_database_error()
        .and_then(|database| database.code())
        .is_some_and(|code| code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 11 | 26)));
    if damaged {
        OpenError::Damaged { what: schema.what, path: path.to_owned(), detail: error.to_string() }
    } else {
        OpenError::Sql { operation, what: schema.what, path: path.to_owned(), source: error }
    }
}

/// As [`open`], but a damaged file is set aside under a name with `stamp`, said so, and a new one is begun, from
/// `backup` when there is one.
pub async fn open_or_set_aside(
    path: &Path,
    schema: Schema,
    stamp: &str,
    backup: Option<&Path>,
) -> Result<(SqlitePool, Vec<String>), OpenError> {
    let (what, detail) = match open(path, schema).await {
        Err(OpenError::Damaged { what, detail, .. }) => (what, detail),
        other => return other,
    };
    let aside = path.with_extension(format!("damaged-{stamp}.db"));
    for (from, to) in [(path.to_owned(), aside.clone()), (suffixed(path, "-wal"), suffixed(&aside, "-wal"))] {
        if let Err(error) = std::fs::rename(&from, &to)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(OpenError::Damaged { what, path: path.to_owned(), detail: format!("{detail}; {error}") });
        }
    }
    let _ = std::fs::remove_file(suffixed(path, "-shm"));
    let restored = backup.is_some_and(|backup| std::fs::copy(backup, path).is_ok());
    let (pool, mut notices) = open(path, schema).await?;
    notices.push(format!(
        "The {what} was damaged ({detail}). It was set aside as {} and {}.",
        aside.display(),
        if restored { "the copy of the last good start was taken" } else { "a new one was begun" }
    ));
    Ok((pool, notices))
}

/// The path with `suffix` after its whole name: where SQLite keeps a database's log.
pub(crate) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Keeps a copy of a database that just opened well.
pub async fn back_up(pool: &SqlitePool, to: &Path) -> Result<(), sqlx::Error> {
    let fresh = suffixed(to, ".new");
    let _ = std::fs::remove_file(&fresh);
    let target = fresh.display().to_string().replace('\'', "''");
    sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{target}'"))).execute(pool).await?;
    std::fs::rename(&fresh, to).map_err(sqlx::Error::Io)
}
