//! The tables `brokers` and `listener_keys`.

use super::{Store, StoreError, changed, malformed, now, read_error, write_error};
use relayscope_domain::broker::{Broker, BrokerSecrets};
use relayscope_domain::id::{BrokerId, ListenerId};
use relayscope_domain::secret::Secret;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

fn aad(id: BrokerId, what: &str) -> Vec<u8> {
    format!("broker/{id}/{what}").into_bytes()
}

fn listener_aad(id: BrokerId, listener: ListenerId) -> Vec<u8> {
    format!("broker/{id}/listener/{listener}").into_bytes()
}

fn broker(row: &SqliteRow) -> Result<Broker, StoreError> {
    Ok(Broker {
        id: row.get::<&str, _>("id").parse().map_err(malformed("broker"))?,
        name: row.get("name"),
        spec: serde_json::from_str(row.get("spec")).map_err(malformed("broker"))?,
    })
}

impl Store {
    /// All brokers, in the order they were made.
    pub async fn brokers(&self) -> Result<Vec<Broker>, StoreError> {
        let rows =
            sqlx::query("SELECT id, name, spec FROM brokers ORDER BY created_at, name").fetch_all(&self.pool).await;
        rows.map_err(read_error)?.iter().map(broker).collect()
    }

    /// One broker.
    pub async fn broker(&self, id: BrokerId) -> Result<Broker, StoreError> {
        let row = sqlx::query("SELECT id, name, spec FROM brokers WHERE id = ?").bind(id.to_string());
        broker(&row.fetch_one(&self.pool).await.map_err(read_error)?)
    }

    /// The secrets of a broker.
    pub async fn broker_secrets(&self, id: BrokerId) -> Result<BrokerSecrets, StoreError> {
        let row = sqlx::query("SELECT password, client_key FROM brokers WHERE id = ?").bind(id.to_string());
        let row = row.fetch_one(&self.pool).await.map_err(read_error)?;
        let unseal = |column: &str| -> Result<Option<Secret>, StoreError> {
            let sealed: Option<Vec<u8>> = row.get(column);
            Ok(match sealed {
                Some(sealed) => Some(self.vault.open_sealed(&sealed, &aad(id, column))?),
                None => None,
            })
        };
        Ok(BrokerSecrets {
            password: unseal("password")?,
            client_key: unseal("client_key")?,
            listener_keys: self.listener_keys(id).await?,
        })
    }

    async fn listener_keys(&self, id: BrokerId) -> Result<BTreeMap<ListenerId, Secret>, StoreError> {
        let rows = sqlx::query("SELECT listener_id, sealed FROM listener_keys WHERE broker_id = ?")
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(read_error)?;
        let mut keys = BTreeMap::new();
        for row in rows {
            let listener: ListenerId = row.get::<&str, _>("listener_id").parse().map_err(malformed("listener"))?;
            keys.insert(listener, self.vault.open_sealed(row.get("sealed"), &listener_aad(id, listener))?);
        }
        Ok(keys)
    }

    /// Which secrets of a broker are stored: password, client key.
    pub async fn broker_has_secrets(&self, id: BrokerId) -> Result<(bool, bool), StoreError> {
        let row = sqlx::query("SELECT password IS NOT NULL, client_key IS NOT NULL FROM brokers WHERE id = ?");
        match row.bind(id.to_string()).fetch_optional(&self.pool).await.map_err(read_error)? {
            Some(row) => Ok((row.get(0), row.get(1))),
            None => Ok((false, false)),
        }
    }

    /// Makes or replaces a broker with its secrets.
    pub async fn save_broker(&self, broker: &Broker, secrets: &BrokerSecrets) -> Result<(), StoreError> {
        let seal = |secret: &Option<Secret>, what: &str| -> Result<Option<Vec<u8>>, StoreError> {
            Ok(match secret {
                Some(secret) => Some(self.vault.seal(secret, &aad(broker.id, what))?),
                None => None,
            })
        };
        let failed = write_error(&broker.name);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO brokers (id, name, spec, password, client_key, created_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec = excluded.spec, password = excluded.password,
             client_key = excluded.client_key",
        )
        .bind(broker.id.to_string())
        .bind(&broker.name)
        .bind(serde_json::to_string(&broker.spec).map_err(malformed("broker"))?)
        .bind(seal(&secrets.password, "password")?)
        .bind(seal(&secrets.client_key, "client_key")?)
        .bind(now())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        sqlx::query("DELETE FROM listener_keys WHERE broker_id = ?")
            .bind(broker.id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        for (listener, key) in &secrets.listener_keys {
            sqlx::query("INSERT INTO listener_keys (broker_id, listener_id, sealed) VALUES (?, ?, ?)")
                .bind(broker.id.to_string())
                .bind(listener.to_string())
                .bind(self.vault.seal(key, &listener_aad(broker.id, *listener))?)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)?;
        self.announce();
        Ok(())
    }

    /// Deletes a broker that no relay uses.
    pub async fn delete_broker(&self, id: BrokerId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM brokers WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)?;
        self.announce();
        Ok(())
    }
}
