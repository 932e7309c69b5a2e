//! The table `charts`. Changes are announced to nobody: no unit runs otherwise because of them.

use super::{Store, StoreError, malformed, read_error, write_error};
use crate::chart::Charted;
use sqlx::Row;

impl Store {
    /// What is charted, in its order. What an older or newer version wrote otherwise is passed over.
    pub(crate) async fn charts(&self) -> Result<Vec<Charted>, StoreError> {
        let rows = sqlx::query("SELECT charted FROM charts ORDER BY position").fetch_all(&self.pool).await;
        let read = |row| serde_json::from_str(Row::get(row, "charted"));
        Ok(rows.map_err(read_error)?.iter().filter_map(|row| read(row).ok()).collect())
    }

    /// Keeps what is charted, in place of what was. `charts` is asked once nobody else writes: the last one is right.
    pub(crate) async fn save_charts(&self, charts: impl FnOnce() -> Vec<Charted>) -> Result<(), StoreError> {
        let failed = write_error("chart");
        let mut all = self.pool.begin().await.map_err(&failed)?;
        sqlx::query("DELETE FROM charts").execute(&mut *all).await.map_err(&failed)?;
        for charted in charts() {
            sqlx::query("INSERT INTO charts (charted) VALUES (?)")
                .bind(serde_json::to_string(&charted).map_err(malformed("chart"))?)
                .execute(&mut *all)
                .await
                .map_err(&failed)?;
        }
        all.commit().await.map_err(failed)
    }
}
