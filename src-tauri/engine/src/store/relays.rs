//! The tables `relays` and `mappings`.

use super::{Store, StoreError, changed, malformed, now, read_error, write_error};
use relayscope_domain::id::RelayId;
use relayscope_domain::message::Qos;
use relayscope_domain::relay::{Mapping, Relay};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use sqlx::sqlite::SqliteRow;

impl Store {
    /// All relays, in the order they were made.
    pub async fn relays(&self) -> Result<Vec<Relay>, StoreError> {
        let rows = sqlx::query("SELECT * FROM relays ORDER BY created_at, name").fetch_all(&self.pool).await;
        let mut relays = vec![];
        for row in rows.map_err(read_error)? {
            relays.push(self.relay_of(&row).await?);
        }
        Ok(relays)
    }

    /// One relay.
    pub async fn relay(&self, id: RelayId) -> Result<Relay, StoreError> {
        let row = sqlx::query("SELECT * FROM relays WHERE id = ?").bind(id.to_string()).fetch_one(&self.pool).await;
        self.relay_of(&row.map_err(read_error)?).await
    }

    async fn relay_of(&self, row: &SqliteRow) -> Result<Relay, StoreError> {
        let id: RelayId = row.get::<&str, _>("id").parse().map_err(malformed("relay"))?;
        let rows = sqlx::query("SELECT filter, qos, enabled FROM mappings WHERE relay_id = ? ORDER BY position");
        let mut mappings = vec![];
        for row in rows.bind(id.to_string()).fetch_all(&self.pool).await.map_err(read_error)? {
            let qos = Qos::try_from(row.get::<u8, _>("qos")).map_err(malformed("mapping"))?;
            mappings.push(Mapping { filter: row.get("filter"), qos, enabled: row.get("enabled") });
        }
        let parse = |column: &str| row.get::<&str, _>(column).to_owned();
        Ok(Relay {
            id,
            name: row.get("name"),
            broker_id: parse("broker_id").parse().map_err(malformed("relay"))?,
            mappings,
            region: serde_json::from_str(row.get("region")).map_err(malformed("relay"))?,
            network_token_id: parse("network_token_id").parse().map_err(malformed("relay"))?,
            authorization_id: parse("authorization_id").parse().map_err(malformed("relay"))?,
            downlink_port: row.get("downlink_port"),
            rules: serde_json::from_str(row.get("rules")).map_err(malformed("relay"))?,
            enabled: row.get("enabled"),
        })
    }

    /// Makes or replaces a relay with its mappings.
    pub async fn save_relay(&self, relay: &Relay) -> Result<(), StoreError> {
        let failed = write_error(&relay.name);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let suffix = suffix(relay, &mut transaction).await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO relays (id, name, broker_id, region, network_token_id, authorization_id, downlink_port, rules,
             enabled, client_suffix, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, broker_id = excluded.broker_id, region = excluded.region,
             network_token_id = excluded.network_token_id, authorization_id = excluded.authorization_id,
             downlink_port = excluded.downlink_port, rules = excluded.rules, enabled = excluded.enabled,
             client_suffix = excluded.client_suffix",
        )
        .bind(relay.id.to_string())
        .bind(&relay.name)
        .bind(relay.broker_id.to_string())
        .bind(serde_json::to_string(&relay.region).map_err(malformed("relay"))?)
        .bind(relay.network_token_id.to_string())
        .bind(relay.authorization_id.to_string())
        .bind(relay.downlink_port)
        .bind(serde_json::to_string(&relay.rules).map_err(malformed("relay"))?)
        .bind(relay.enabled)
        .bind(suffix)
        .bind(now())
        .execute(&mut *transaction)
        .await
        .map_err(|error| match error.as_database_error() {
            // Broker or token vanished between the check and the write.
            Some(database) if database.is_foreign_key_violation() => StoreError::NotFound,
            _ => failed(error),
        })?;
        sqlx::query("DELETE FROM mappings WHERE relay_id = ?")
            .bind(relay.id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        for (position, mapping) in relay.mappings.iter().enumerate() {
            sqlx::query("INSERT INTO mappings (relay_id, position, filter, qos, enabled) VALUES (?, ?, ?, ?, ?)")
                .bind(relay.id.to_string())
                .bind(position as i64)
                .bind(&mapping.filter)
                .bind(u8::from(mapping.qos))
                .bind(mapping.enabled)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)?;
        self.announce();
        Ok(())
    }

    /// What is appended to the broker's client id for this relay.
    pub async fn client_suffix(&self, id: RelayId) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT client_suffix FROM relays WHERE id = ?").bind(id.to_string());
        Ok(row.fetch_one(&self.pool).await.map_err(read_error)?.get(0))
    }

    /// Switches a relay on or off.
    pub async fn enable_relay(&self, id: RelayId, enabled: bool) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE relays SET enabled = ? WHERE id = ?")
            .bind(enabled)
            .bind(id.to_string())
            .execute(&self.pool)
            .await;
        changed(done)?;
        self.announce();
        Ok(())
    }

    /// Deletes a relay with its mappings.
    pub async fn delete_relay(&self, id: RelayId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM relays WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)?;
        self.announce();
        Ok(())
    }
}

/// What is appended to the broker's client id for a relay: nothing for its broker's first. Once given it stays while the
/// broker stays, because the broker keeps a session under it.
async fn suffix(relay: &Relay, connection: &mut SqliteConnection) -> Result<String, sqlx::Error> {
    let kept = sqlx::query("SELECT client_suffix FROM relays WHERE id = ? AND broker_id = ?")
        .bind(relay.id.to_string())
        .bind(relay.broker_id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = kept {
        return Ok(row.get(0));
    }
    let taken = sqlx::query("SELECT 1 FROM relays WHERE broker_id = ? AND client_suffix = '' AND id <> ?")
        .bind(relay.broker_id.to_string())
        .bind(relay.id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    Ok(if taken.is_some() { format!("-{}", &relay.id.to_string()[..8]) } else { String::new() })
}
