//! What stands in the file when the broker starts. A row that can't be read is left out and said so, not the whole file.

use super::{MessageHead, MessageRow, RetainedRow, SessionRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

/// Everything that was kept.
#[derive(Default)]
pub(in crate::broker) struct Found {
    pub(in crate::broker) sessions: Vec<SessionRow>,
    /// In the order they are to be delivered.
    pub(in crate::broker) messages: Vec<MessageRow>,
    pub(in crate::broker) retained: Vec<RetainedRow>,
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Found, sqlx::Error> {
    let sessions = sqlx::query("SELECT * FROM sessions").fetch_all(pool).await?;
    let messages = sqlx::query("SELECT * FROM messages ORDER BY client_id, ticket").fetch_all(pool).await?;
    let retained = sqlx::query("SELECT * FROM retained").fetch_all(pool).await?;
    Ok(Found {
        sessions: sessions.iter().map(session).collect(),
        messages: messages.iter().filter_map(message).collect(),
        retained: retained.iter().filter_map(retained_row).collect(),
    })
}

fn session(row: &SqliteRow) -> SessionRow {
    SessionRow {
        client_id: row.get("client_id"),
        owner: row.get("owner"),
        connect: row.get("connect"),
        subscriptions: row.get("subscriptions"),
        created_at: row.get("created_at"),
        expiry_seconds: row.get("expiry_seconds"),
        away_since: row.get("away_since"),
    }
}

fn head(row: &SqliteRow) -> Option<MessageHead> {
    let head = serde_json::from_str(row.get("message"));
    head.inspect_err(|error| tracing::error!(%error, "A kept message can't be read; it is left out.")).ok()
}

fn message(row: &SqliteRow) -> Option<MessageRow> {
    let packet_id: Option<u16> = row.get("packet_id");
    let state: Option<u8> = row.get("state");
    Some(MessageRow {
        client_id: row.get("client_id"),
        ticket: row.get("ticket"),
        head: head(row)?,
        payload: row.get::<Vec<u8>, _>("payload").into(),
        sent: packet_id.zip(state),
    })
}

fn retained_row(row: &SqliteRow) -> Option<RetainedRow> {
    let payload = row.get::<Vec<u8>, _>("payload").into();
    Some(RetainedRow { space: row.get("space"), topic: row.get("topic"), message: Some((head(row)?, payload)) })
}
