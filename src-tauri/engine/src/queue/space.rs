//! Room on the disk: the file gives back what a drained backlog took, in small steps that a relay does not feel.

use super::{Queue, QueueError, failed};
use sqlx::Row;
use std::sync::atomic::Ordering;

// Pages in one step; a page has 4 KiB.
const STEP: i64 = 2_048;
// Free pages that are kept for the next messages.
const KEPT: i64 = 4_096;
// A file this small is rebuilt in a moment when it has to learn to give room back.
const SMALL: i64 = 16_384;

// Far below zero: so many can be put into the queue again.
const FIRST_AGAIN: i64 = -(1 << 50);

impl Queue {
    /// After opening: the next number, and a file that can give room back.
    pub(super) async fn prepare(&self) -> Result<(), sqlx::Error> {
        let last: i64 = sqlx::query(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'queue'), 0),
                        coalesce((SELECT max(id) FROM queue), 0))",
        )
        .fetch_one(&self.readers)
        .await?
        .get(0);
        self.next.store(last + 1, Ordering::Relaxed);
        let again: Option<i64> =
            sqlx::query("SELECT max(id) FROM queue WHERE id < 0").fetch_one(&self.readers).await?.get(0);
        self.next_again.store(again.map_or(FIRST_AGAIN, |last| last + 1), Ordering::Relaxed);
        let mode: i64 = sqlx::query("PRAGMA auto_vacuum").fetch_one(&self.writer).await?.get(0);
        let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(&self.writer).await?.get(0);
        if mode == 0 && pages < SMALL {
            // Takes effect with the rebuild; on the one writing connection.
            sqlx::query("PRAGMA auto_vacuum = INCREMENTAL").execute(&self.writer).await?;
            sqlx::query("VACUUM").execute(&self.writer).await?;
        }
        Ok(())
    }

    /// Gives one step of free room back; `true` when there is more to give.
    pub async fn give_back(&self) -> Result<bool, QueueError> {
        let wrap = failed("shrink");
        let free: i64 = sqlx::query("PRAGMA freelist_count").fetch_one(&self.readers).await.map_err(&wrap)?.get(0);
        if free <= KEPT {
            return Ok(false);
        }
        let pages = STEP.min(free - KEPT);
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA incremental_vacuum({pages})")))
            .fetch_all(&self.writer)
            .await
            .map_err(&wrap)?;
        if free - pages <= KEPT {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&self.writer).await.map_err(&wrap)?;
        }
        Ok(free - pages > KEPT)
    }
}
