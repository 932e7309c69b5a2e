//! The one task that writes: whatever gathered while the last commit ran becomes the next one.

use super::{Change, MessageRow, RetainedRow, SessionRow, Writer};
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use sqlx::sqlite::Sqlite;
use sqlx::{SqlitePool, Transaction};
use std::sync::Arc;
use std::time::Duration;

/// Changes of one commit.
const GROUP: usize = 4_096;
/// Between two tries when the disk takes nothing.
const AGAIN: Duration = Duration::from_secs(1);

impl Writer {
    /// Writes until it is told to close the file, or every handle is gone.
    pub(in crate::broker) async fn run(mut self, source: Arc<str>, feed: Feed) {
        let mut group = vec![];
        let mut open = true;
        while open && self.changes.recv_many(&mut group, GROUP).await > 0 {
            let mut told = false;
            while let Err(error) = commit(&self.pool, &group).await {
                if !told {
                    tracing::error!(%error, "The embedded broker's messages can't be written.");
                    let text = format!(
                        "Messages for clients that are away can't be kept, and are not acknowledged: {error}. \
                         It is tried again every second."
                    );
                    feed.record(Event::now(&source, &"".into(), None, Kind::Note { failure: true, text }));
                    told = true;
                }
                tokio::time::sleep(AGAIN).await;
            }
            for change in group.drain(..) {
                match change {
                    Change::Synced(answer) => drop(answer.send(())),
                    Change::Close => open = false,
                    _ => {}
                }
            }
        }
        self.pool.close().await;
    }
}

async fn commit(pool: &SqlitePool, group: &[Change]) -> Result<(), sqlx::Error> {
    if group.iter().all(|change| matches!(change, Change::Synced(_) | Change::Close)) {
        return Ok(());
    }
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    for change in group {
        apply(&mut transaction, change).await?;
    }
    transaction.commit().await
}

async fn apply(transaction: &mut Transaction<'_, Sqlite>, change: &Change) -> Result<(), sqlx::Error> {
    match change {
        Change::Session(row) => session(transaction, row).await,
        Change::Away(client_id, since, expiry) => {
            let query = sqlx::query("UPDATE sessions SET away_since = ?, expiry_seconds = ? WHERE client_id = ?");
            query.bind(since).bind(expiry).bind(client_id).execute(&mut **transaction).await.map(drop)
        }
        Change::SessionGone(client_id) => {
            for query in ["DELETE FROM sessions WHERE client_id = ?", "DELETE FROM messages WHERE client_id = ?"] {
                sqlx::query(query).bind(client_id).execute(&mut **transaction).await?;
            }
            Ok(())
        }
        Change::Message(row) => message(transaction, row).await,
        Change::MessageGone(client_id, ticket) => {
            let query = sqlx::query("DELETE FROM messages WHERE client_id = ? AND ticket = ?");
            query.bind(client_id).bind(ticket).execute(&mut **transaction).await.map(drop)
        }
        Change::Retained(row) => retained(transaction, row).await,
        Change::Synced(_) | Change::Close => Ok(()),
    }
}

async fn session(transaction: &mut Transaction<'_, Sqlite>, row: &SessionRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO sessions (client_id, owner, connect, subscriptions, created_at, expiry_seconds, away_since)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&row.client_id)
    .bind(&row.owner)
    .bind(&row.connect)
    .bind(&row.subscriptions)
    .bind(row.created_at)
    .bind(row.expiry_seconds)
    .bind(row.away_since)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn message(transaction: &mut Transaction<'_, Sqlite>, row: &MessageRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO messages (client_id, ticket, message, payload, packet_id, state) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (client_id, ticket) DO UPDATE SET packet_id = excluded.packet_id, state = excluded.state",
    )
    .bind(&row.client_id)
    .bind(row.ticket)
    .bind(head(&row.head)?)
    .bind(&row.payload[..])
    .bind(row.sent.map(|(packet_id, _)| packet_id))
    .bind(row.sent.map(|(_, state)| state))
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn retained(transaction: &mut Transaction<'_, Sqlite>, row: &RetainedRow) -> Result<(), sqlx::Error> {
    match &row.message {
        None => {
            let query = sqlx::query("DELETE FROM retained WHERE space = ? AND topic = ?");
            query.bind(&row.space).bind(&row.topic).execute(&mut **transaction).await.map(drop)
        }
        Some((message, payload)) => {
            sqlx::query("INSERT OR REPLACE INTO retained (space, topic, message, payload) VALUES (?, ?, ?, ?)")
                .bind(&row.space)
                .bind(&row.topic)
                .bind(head(message)?)
                .bind(&payload[..])
                .execute(&mut **transaction)
                .await
                .map(drop)
        }
    }
}

fn head(head: &super::MessageHead) -> Result<String, sqlx::Error> {
    serde_json::to_string(head).map_err(|error| sqlx::Error::Encode(error.into()))
}
