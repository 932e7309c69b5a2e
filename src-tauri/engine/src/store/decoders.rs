//! The tables `schemas` and `bindings`. Changes are announced to nobody: no unit runs otherwise because of them.

use super::{Store, StoreError, changed, malformed, read_error, write_error};
use relayscope_domain::decode::binding::Binding;
use relayscope_domain::decode::schema::Schema;
use relayscope_domain::id::{BindingId, SchemaId};
use sqlx::Row;

impl Store {
    /// All schemas, by name.
    pub async fn schemas(&self) -> Result<Vec<Schema>, StoreError> {
        let rows = sqlx::query("SELECT id, name, source FROM schemas ORDER BY name").fetch_all(&self.pool).await;
        rows.map_err(read_error)?
            .iter()
            .map(|row| {
                Ok(Schema {
                    id: row.get::<&str, _>("id").parse().map_err(malformed("schema"))?,
                    name: row.get("name"),
                    source: serde_json::from_str(row.get("source")).map_err(malformed("schema"))?,
                })
            })
            .collect()
    }

    /// Makes or replaces a schema.
    pub async fn save_schema(&self, schema: &Schema) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO schemas (id, name, source) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, source = excluded.source",
        )
        .bind(schema.id.to_string())
        .bind(&schema.name)
        .bind(serde_json::to_string(&schema.source).map_err(malformed("schema"))?)
        .execute(&self.pool)
        .await
        .map_err(write_error(&schema.name))?;
        Ok(())
    }

    /// Deletes a schema.
    pub async fn delete_schema(&self, id: SchemaId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM schemas WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)
    }

    /// All bindings, by filter.
    pub async fn bindings(&self) -> Result<Vec<Binding>, StoreError> {
        let rows = sqlx::query("SELECT id, filter, decoder FROM bindings ORDER BY filter").fetch_all(&self.pool).await;
        rows.map_err(read_error)?
            .iter()
            .map(|row| {
                Ok(Binding {
                    id: row.get::<&str, _>("id").parse().map_err(malformed("binding"))?,
                    filter: row.get("filter"),
                    decoder: serde_json::from_str(row.get("decoder")).map_err(malformed("binding"))?,
                })
            })
            .collect()
    }

    /// Makes or replaces a binding.
    pub async fn save_binding(&self, binding: &Binding) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO bindings (id, filter, decoder) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET filter = excluded.filter, decoder = excluded.decoder",
        )
        .bind(binding.id.to_string())
        .bind(&binding.filter)
        .bind(serde_json::to_string(&binding.decoder).map_err(malformed("binding"))?)
        .execute(&self.pool)
        .await
        .map_err(write_error(&binding.filter))?;
        Ok(())
    }

    /// Deletes a binding.
    pub async fn delete_binding(&self, id: BindingId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM bindings WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)
    }
}
