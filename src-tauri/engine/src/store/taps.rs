//! The table `taps`.

use super::{Store, StoreError, changed, malformed, now, read_error, write_error};
use relayscope_domain::id::TapId;
use relayscope_domain::secret::Secret;
use relayscope_domain::tap::Tap;
use sqlx::Row;

fn aad(id: TapId) -> Vec<u8> {
    format!("tap/{id}/listener").into_bytes()
}

impl Store {
    /// All taps, in the order they were made.
    pub async fn taps(&self) -> Result<Vec<Tap>, StoreError> {
        let rows = sqlx::query("SELECT spec FROM taps ORDER BY created_at, name").fetch_all(&self.pool).await;
        let tap = |row: &sqlx::sqlite::SqliteRow| serde_json::from_str(row.get("spec")).map_err(malformed("tap"));
        rows.map_err(read_error)?.iter().map(tap).collect()
    }

    /// One tap.
    pub async fn tap(&self, id: TapId) -> Result<Tap, StoreError> {
        let row = sqlx::query("SELECT spec FROM taps WHERE id = ?").bind(id.to_string()).fetch_one(&self.pool).await;
        serde_json::from_str(row.map_err(read_error)?.get("spec")).map_err(malformed("tap"))
    }

    /// The private key of its listener.
    pub async fn tap_key(&self, id: TapId) -> Result<Option<Secret>, StoreError> {
        let row = sqlx::query("SELECT listener_key FROM taps WHERE id = ?").bind(id.to_string());
        let row = row.fetch_one(&self.pool).await.map_err(read_error)?;
        let sealed: Option<Vec<u8>> = row.get("listener_key");
        Ok(sealed.map(|sealed| self.vault.open_sealed(&sealed, &aad(id))).transpose()?)
    }

    /// Makes or replaces a tap with the private key of its listener.
    pub async fn save_tap(&self, tap: &Tap, key: Option<&Secret>) -> Result<(), StoreError> {
        let sealed = key.map(|key| self.vault.seal(key, &aad(tap.id))).transpose()?;
        sqlx::query(
            "INSERT INTO taps (id, name, broker_id, spec, listener_key, created_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, broker_id = excluded.broker_id, spec = excluded.spec,
             listener_key = excluded.listener_key",
        )
        .bind(tap.id.to_string())
        .bind(&tap.name)
        .bind(tap.broker_id.to_string())
        .bind(serde_json::to_string(tap).map_err(malformed("tap"))?)
        .bind(sealed)
        .bind(now())
        .execute(&self.pool)
        .await
        .map_err(write_error(&tap.name))?;
        self.announce();
        Ok(())
    }

    /// Starts or stops one.
    pub async fn enable_tap(&self, id: TapId, enabled: bool) -> Result<(), StoreError> {
        let tap = Tap { enabled, ..self.tap(id).await? };
        let spec = serde_json::to_string(&tap).map_err(malformed("tap"))?;
        let done = sqlx::query("UPDATE taps SET spec = ? WHERE id = ?").bind(spec).bind(id.to_string());
        done.execute(&self.pool).await.map_err(write_error(&tap.name))?;
        self.announce();
        Ok(())
    }

    /// Deletes one.
    pub async fn delete_tap(&self, id: TapId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM taps WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)?;
        self.announce();
        Ok(())
    }
}
