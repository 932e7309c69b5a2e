//! The table `filters`.

use super::{Store, StoreError, read_error, write_error};
use crate::api::wire::SavedFilter;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

fn filter(row: &SqliteRow) -> SavedFilter {
    SavedFilter { id: row.get("id"), name: row.get("name"), line: row.get("line") }
}

impl Store {
    /// All saved filters by name.
    pub async fn filters(&self) -> Result<Vec<SavedFilter>, StoreError> {
        let rows = sqlx::query("SELECT id, name, line FROM filters ORDER BY name").fetch_all(&self.pool).await;
        Ok(rows.map_err(read_error)?.iter().map(filter).collect())
    }

    /// Saves a filter under a name: a new one, or in the place of `id`.
    pub async fn save_filter(&self, id: Option<i64>, name: &str, line: &str) -> Result<SavedFilter, StoreError> {
        let query = match id {
            Some(id) => sqlx::query("UPDATE filters SET name = ?, line = ? WHERE id = ? RETURNING id, name, line")
                .bind(name)
                .bind(line)
                .bind(id),
            None => sqlx::query("INSERT INTO filters (name, line) VALUES (?, ?) RETURNING id, name, line")
                .bind(name)
                .bind(line),
        };
        let row = query.fetch_optional(&self.pool).await.map_err(write_error(name))?;
        row.as_ref().map(filter).ok_or(StoreError::NotFound)
    }

    /// Forgets a saved filter.
    pub async fn delete_filter(&self, id: i64) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM filters WHERE id = ?").bind(id).execute(&self.pool).await;
        done.map(drop).map_err(write_error("filter"))
    }
}
