//! The table `tokens`.

use super::{Store, StoreError, changed, malformed, read_error, write_error};
use relayscope_domain::id::TokenId;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::Token;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A token with its value.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// What it is.
    pub token: Token,
    /// Its value.
    pub value: Secret,
}

const COLUMNS: &str = "SELECT id, name, kind, region, sealed, last5, serial, permission, expires_at, created_at, last_used_at FROM tokens";

fn aad(id: TokenId) -> Vec<u8> {
    format!("token/{id}").into_bytes()
}

// Enums are stored as their JSON names without quotes.
fn name_of<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(malformed("token"))?.trim_matches('"').to_owned())
}

fn from_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).map_err(malformed("token"))
}

fn token(row: &SqliteRow) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.get::<&str, _>("id").parse().map_err(malformed("token"))?,
        name: row.get("name"),
        kind: from_name(row.get("kind"))?,
        region: serde_json::from_str(row.get("region")).map_err(malformed("token"))?,
        last5: row.get("last5"),
        serial: row.get("serial"),
        permission: from_name(row.get("permission"))?,
        expires_at: row.get("expires_at"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
    })
}

impl Store {
    /// All tokens, in the order they were made.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows = sqlx::query(concat_columns(" ORDER BY created_at, name")).fetch_all(&self.pool).await;
        rows.map_err(read_error)?.iter().map(token).collect()
    }

    /// One token with its value.
    pub async fn token(&self, id: TokenId) -> Result<StoredToken, StoreError> {
        let row = sqlx::query(concat_columns(" WHERE id = ?")).bind(id.to_string()).fetch_one(&self.pool).await;
        self.unsealed(&row.map_err(read_error)?)
    }

    /// All tokens with their values, for those who must recognise them.
    pub async fn tokens_with_values(&self) -> Result<Vec<StoredToken>, StoreError> {
        let rows = sqlx::query(concat_columns(" ORDER BY created_at, name")).fetch_all(&self.pool).await;
        rows.map_err(read_error)?.iter().map(|row| self.unsealed(row)).collect()
    }

    fn unsealed(&self, row: &SqliteRow) -> Result<StoredToken, StoreError> {
        let token = token(row)?;
        let value = self.vault.open_sealed(row.get("sealed"), &aad(token.id))?;
        Ok(StoredToken { token, value })
    }

    /// Makes or replaces a token.
    pub async fn save_token(&self, token: &Token, value: &Secret) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tokens (id, name, kind, region, sealed, last5, serial, permission, expires_at, created_at,
             last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, region = excluded.region, sealed = excluded.sealed,
             last5 = excluded.last5, serial = excluded.serial, permission = excluded.permission,
             expires_at = excluded.expires_at",
        )
        .bind(token.id.to_string())
        .bind(&token.name)
        .bind(name_of(&token.kind)?)
        .bind(serde_json::to_string(&token.region).map_err(malformed("token"))?)
        .bind(self.vault.seal(value, &aad(token.id))?)
        .bind(&token.last5)
        .bind(&token.serial)
        .bind(name_of(&token.permission)?)
        .bind(token.expires_at)
        .bind(token.created_at)
        .bind(token.last_used_at)
        .execute(&self.pool)
        .await
        .map_err(write_error(&token.name))?;
        self.announce();
        Ok(())
    }

    /// Notes when tokens were last used. Announces nothing: it changes no behaviour.
    pub async fn touch_tokens(&self, used: &[(TokenId, i64)]) -> Result<(), StoreError> {
        for (id, at) in used {
            sqlx::query("UPDATE tokens SET last_used_at = ? WHERE id = ?")
                .bind(at)
                .bind(id.to_string())
                .execute(&self.pool)
                .await
                .map_err(write_error(""))?;
        }
        Ok(())
    }

    /// Deletes a token that no relay uses.
    pub async fn delete_token(&self, id: TokenId) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM tokens WHERE id = ?").bind(id.to_string()).execute(&self.pool).await;
        changed(done)?;
        self.announce();
        Ok(())
    }
}

fn concat_columns(rest: &'static str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{COLUMNS}{rest}"))
}
