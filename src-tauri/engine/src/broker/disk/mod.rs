//! What outlives the broker: sessions, the messages that wait for them, and retained messages, in a file of its own.
//!
//! Everything that is to be written goes through one channel to one [`writer`], which commits a group while the next one
//! gathers; a commit has reached the disk when it returns. Whoever must not go on before asks with [`Disk::synced`]. When
//! the disk takes nothing the writer tries again and again, and who waits, waits: a PUBACK that is withheld is the
//! publisher's cue to keep the message. This module knows rows, not rmqtt.

mod read;
mod writer;

pub(super) use read::Found;

use crate::store::open::{FEW_AHEAD, OpenError, Schema, open_or_set_aside};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Changes that may wait for the writer.
const WAITING: usize = 8_192;

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(super) struct SessionRow {
    pub(super) client_id: String,
    /// JSON of the owner, of the CONNECT, of the subscriptions.
    pub(super) owner: String,
    pub(super) connect: String,
    pub(super) subscriptions: String,
    /// Unix milliseconds.
    pub(super) created_at: i64,
    /// How long it is kept after its connection ended.
    pub(super) expiry_seconds: u32,
    /// Unix milliseconds; `None` while its client is connected.
    pub(super) away_since: Option<i64>,
}

/// A message as it is kept, without its payload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct MessageHead {
    pub(super) topic: String,
    pub(super) qos: u8,
    pub(super) retain: bool,
    /// Client id of the publisher.
    pub(super) from: String,
    /// Unix milliseconds.
    pub(super) created_at: Option<i64>,
    /// MQTT 5 properties.
    pub(super) properties: Option<rmqtt::codec::v5::PublishProperties>,
}

/// A message that waits for a session.
#[derive(Clone, Debug)]
pub(super) struct MessageRow {
    pub(super) client_id: String,
    /// Its number; a later message has a higher one.
    pub(super) ticket: i64,
    pub(super) head: MessageHead,
    pub(super) payload: Bytes,
    /// Packet id and state, once it was sent.
    pub(super) sent: Option<(u16, u8)>,
}

/// A retained message.
#[derive(Clone, Debug)]
pub(super) struct RetainedRow {
    pub(super) space: String,
    pub(super) topic: String,
    /// Nothing takes it away.
    pub(super) message: Option<(MessageHead, Bytes)>,
}

/// A change of the file.
pub(super) enum Change {
    Session(Box<SessionRow>),
    /// Connected again, or away since then.
    Away(String, Option<i64>, u32),
    /// The session and its messages go.
    SessionGone(String),
    Message(Box<MessageRow>),
    /// The receiver acknowledged, or it was given up.
    MessageGone(String, i64),
    Retained(Box<RetainedRow>),
    /// Answered when everything before is on the disk.
    Synced(oneshot::Sender<()>),
    /// The last one: the file is closed after it.
    Close,
}

/// A handle to the file.
pub(super) struct Disk {
    /// Bounded: hooks and publishers send, the writer receives. When it is full they wait for the disk.
    changes: mpsc::Sender<Change>,
    /// Which messages stand in the file, by session, so that others cost no write when they are acknowledged.
    written: Mutex<HashMap<String, HashSet<i64>>>,
}

/// What the writer of an opened file needs.
pub(super) struct Writer {
    pool: SqlitePool,
    changes: mpsc::Receiver<Change>,
}

/// An opened file: the handle, its writer, what stands in it, and what a person should know.
pub(super) struct Opened {
    pub(super) disk: Disk,
    pub(super) writer: Writer,
    pub(super) found: Found,
    pub(super) notices: Vec<String>,
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/broker");

impl Disk {
    /// Opens the file; a damaged one is set aside and a new one begun.
    pub(super) async fn open(path: &Path) -> Result<Opened, OpenError> {
        let schema = Schema {
            what: "broker's messages",
            migrations: &MIGRATIONS,
            full_sync: true,
            connections: 1,
            read_ahead: FEW_AHEAD,
        };
        let stamp = chrono::Utc::now().format("%Y%m%d-%H%M%S").to_string();
        let (pool, notices) = open_or_set_aside(path, schema, &stamp, None).await?;
        let failed = |source| OpenError::Sql { operation: "read", what: schema.what, path: path.to_owned(), source };
        let found = read::all(&pool).await.map_err(failed)?;
        let (sender, changes) = mpsc::channel(WAITING);
        let mut written: HashMap<String, HashSet<i64>> = HashMap::new();
        for message in &found.messages {
            written.entry(message.client_id.clone()).or_default().insert(message.ticket);
        }
        let disk = Disk { changes: sender, written: Mutex::new(written) };
        Ok(Opened { disk, writer: Writer { pool, changes }, found, notices })
    }

    /// Hands a change to the writer. Fails only when the broker ends.
    pub(super) async fn change(&self, change: Change) {
        let _ = self.changes.send(change).await;
    }

    /// Writes a message, unless it stands there; what changed of a sent one is written again.
    pub(super) async fn message(&self, row: MessageRow) {
        let new = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.entry(row.client_id.clone()).or_default().insert(row.ticket)
        };
        if new || row.sent.is_some() {
            self.change(Change::Message(Box::new(row))).await;
        }
    }

    /// Takes a message away, if it was written.
    pub(super) async fn message_gone(&self, client_id: &str, ticket: i64) {
        let stood = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.get_mut(client_id).is_some_and(|tickets| tickets.remove(&ticket))
        };
        if stood {
            self.change(Change::MessageGone(client_id.to_owned(), ticket)).await;
        }
    }

    /// Takes a session and its messages away.
    pub(super) async fn session_gone(&self, client_id: &str) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(client_id);
        self.change(Change::SessionGone(client_id.to_owned())).await;
    }

    /// Returns when everything before is on the disk, or the broker ends.
    pub(super) async fn synced(&self) {
        let (answer, written) = oneshot::channel();
        self.change(Change::Synced(answer)).await;
        let _ = written.await;
    }
}
