//! Single values: settings, what the demo made, where the data key lies.

use super::{Store, StoreError, malformed, read_error, write_error};
use relayscope_domain::settings::Settings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row, SqlitePool};

/// Where the data key lies, as recorded; needed before there is a vault, and so before there is a store.
pub async fn key_location(pool: &SqlitePool) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE key = 'key_location'").fetch_optional(pool).await;
    Ok(row.map_err(read_error)?.map(|row| row.get(0)))
}

/// Records where the data key lies, once.
pub async fn record_key_location(pool: &SqlitePool, location: &str) -> Result<(), StoreError> {
    let done =
        sqlx::query("INSERT INTO meta (key, value) VALUES ('key_location', ?)").bind(location).execute(pool).await;
    done.map(drop).map_err(write_error("key_location"))
}

impl Store {
    /// The settings, or their defaults.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        Ok(self.value("settings").await?.unwrap_or_default())
    }

    /// Saves the settings.
    pub async fn save_settings(&self, settings: &Settings) -> Result<(), StoreError> {
        self.set_value("settings", Some(settings)).await
    }

    /// A single value by its key.
    pub async fn value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let row = sqlx::query("SELECT value FROM meta WHERE key = ?").bind(key).fetch_optional(&self.pool).await;
        match row.map_err(read_error)? {
            Some(row) => serde_json::from_str(row.get(0)).map(Some).map_err(malformed("value")),
            None => Ok(None),
        }
    }

    /// Replaces a single value that nobody has to be told of.
    pub async fn set_value_quietly<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value).map_err(malformed("value"))?;
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(text)
        .execute(&self.pool)
        .await
        .map_err(write_error(key))?;
        Ok(())
    }

    /// Replaces or removes a single value.
    pub async fn set_value<T: Serialize>(&self, key: &str, value: Option<&T>) -> Result<(), StoreError> {
        match value {
            Some(value) => self.set_value_quietly(key, value).await?,
            None => {
                let done = sqlx::query("DELETE FROM meta WHERE key = ?").bind(key).execute(&self.pool).await;
                done.map_err(write_error(key))?;
            }
        }
        self.announce();
        Ok(())
    }
}
