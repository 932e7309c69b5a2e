//! The table `messages`.

use super::{Store, StoreError, malformed, read_error, write_error};
use crate::api::wire::SavedMessage;
use relayscope_domain::publish::MessageDraft;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

fn message(row: &SqliteRow) -> Result<SavedMessage, StoreError> {
    Ok(SavedMessage {
        id: row.get("id"),
        folder: row.get("folder"),
        name: row.get("name"),
        message: serde_json::from_str(row.get("message")).map_err(malformed("message"))?,
    })
}

impl Store {
    /// All saved messages by folder and name.
    pub async fn messages(&self) -> Result<Vec<SavedMessage>, StoreError> {
        let rows = sqlx::query("SELECT id, folder, name, message FROM messages ORDER BY folder, name");
        rows.fetch_all(&self.pool).await.map_err(read_error)?.iter().map(message).collect()
    }

    /// Saves a message: a new one, or in the place of `id`.
    pub async fn save_message(
        &self,
        id: Option<i64>,
        folder: &str,
        name: &str,
        draft: &MessageDraft,
    ) -> Result<SavedMessage, StoreError> {
        let text = serde_json::to_string(draft).map_err(malformed("message"))?;
        let query = match id {
            Some(_) => "UPDATE messages SET folder = ?1, name = ?2, message = ?3 WHERE id = ?4 RETURNING *",
            None => "INSERT INTO messages (folder, name, message) VALUES (?1, ?2, ?3) RETURNING *",
        };
        let row = sqlx::query(query).bind(folder).bind(name).bind(text).bind(id).fetch_optional(&self.pool).await;
        row.map_err(write_error(name))?.as_ref().map_or(Err(StoreError::NotFound), message)
    }

    /// Gives a message another folder or name.
    pub async fn place_message(&self, id: i64, folder: &str, name: &str) -> Result<SavedMessage, StoreError> {
        let query = sqlx::query("UPDATE messages SET folder = ?, name = ? WHERE id = ? RETURNING *");
        let row = query.bind(folder).bind(name).bind(id).fetch_optional(&self.pool).await;
        row.map_err(write_error(name))?.as_ref().map_or(Err(StoreError::NotFound), message)
    }

    /// Gives a folder another name; that of another folder joins the two, unless a name is in both.
    pub async fn rename_folder(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE messages SET folder = ? WHERE folder = ?").bind(to).bind(from);
        done.execute(&self.pool).await.map(drop).map_err(write_error(to))
    }

    /// Forgets a saved message.
    pub async fn delete_message(&self, id: i64) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM messages WHERE id = ?").bind(id).execute(&self.pool).await;
        done.map(drop).map_err(write_error("message"))
    }
}
