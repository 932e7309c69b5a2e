//! The start of an engine, step by step: folder, lock, databases, data key, supervisor. Every failure is one sentence.

use crate::causes::chain;
use crate::feed::history::History;
use crate::feed::{Feed, unix_millis};
use crate::lock::FolderLock;
use crate::queue::Queue;
use crate::runtime::Runtime;
use crate::secrets::{KeyLocation, Vault};
use crate::store::open::{self, FEW_AHEAD, Schema};
use crate::store::{self, Store};
use crate::supervisor::Supervisor;
use crate::world::World;
use crate::{Engine, EngineConfig, destination};
use sqlx::sqlite::SqlitePool;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/app");

/// Why an engine could not start: one sentence that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

fn because<E: std::error::Error>(error: E) -> StartError {
    StartError(chain(&error))
}

pub(crate) async fn start(config: EngineConfig) -> Result<Engine, StartError> {
    let started_at = SystemTime::now();
    let EngineConfig { data_dir, keychain, idle } = config;
    let folder = data_dir.clone();
    let lock = blocking(move || FolderLock::take(&folder)).await?.map_err(because)?;
    let stamp = unix_millis(started_at).to_string();
    let (pool, mut notices) = configuration(&data_dir, &stamp).await?;
    let (store, key_location) = unlocked(&data_dir, pool, keychain).await?;
    let settings = store.settings().await.map_err(because)?;
    let (queue, queue_notices) = Queue::open(&data_dir.join("queue.db"), &stamp).await.map_err(because)?;
    notices.extend(queue_notices);
    let (frames, _) = broadcast::channel(256);
    let world = World {
        store,
        queue,
        feed: Feed::new(settings.feed_bytes()),
        history: History::new(data_dir.join("history.db")),
        http: destination::http::http_client().map_err(because)?,
        runtime: Arc::new(Runtime::default()),
        frames,
        data_dir,
    };
    world.runtime.chart.restore(world.store.charts().await.map_err(because)?);
    for notice in &notices {
        tracing::warn!("{notice}");
    }
    tracing::info!(data_dir = %world.data_dir.display(), "Started.");
    let stop = CancellationToken::new();
    // The one task that no unit owns; `Engine::shutdown` joins it.
    let supervisor = tokio::spawn(Supervisor::new(world.clone(), stop.clone(), idle).run());
    let World { data_dir, store, queue, feed, history, http, runtime, frames } = world;
    Ok(Engine {
        data_dir,
        started_at,
        key_location,
        notices,
        store,
        queue,
        feed,
        history,
        runtime,
        http,
        frames,
        tests: Mutex::default(),
        looked: Default::default(),
        stop,
        supervisor: Mutex::new(Some(supervisor)),
        _lock: lock,
    })
}

/// Opens the configuration and keeps a copy of it; the second part is what a person should know.
async fn configuration(data_dir: &Path, stamp: &str) -> Result<(SqlitePool, Vec<String>), StartError> {
    let backup = data_dir.join("app.backup.db");
    let schema = Schema {
        what: "configuration",
        migrations: &MIGRATIONS,
        full_sync: true,
        connections: 4,
        read_ahead: FEW_AHEAD,
    };
    let opened =
        open::open_or_set_aside(&data_dir.join("app.db"), schema, stamp, Some(&backup)).await.map_err(because)?;
    if let Err(error) = open::back_up(&opened.0, &backup).await {
        tracing::warn!(%error, "The configuration could not be copied.");
    }
    Ok(opened)
}

/// The store with the data key of its secrets, and where that key is kept, in words.
async fn unlocked(data_dir: &Path, pool: SqlitePool, keychain: bool) -> Result<(Store, String), StartError> {
    let recorded = store::key_location(&pool).await.map_err(because)?;
    let recorded = recorded.as_deref().and_then(KeyLocation::parse);
    let folder = data_dir.to_owned();
    let (vault, location) = blocking(move || Vault::open(&folder, keychain, recorded)).await?.map_err(because)?;
    if recorded.is_none() {
        store::record_key_location(&pool, location.as_str()).await.map_err(because)?;
    }
    let words = vault.location_words();
    Ok((Store::new(pool, Arc::new(vault)), words))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StartError> {
    tokio::task::spawn_blocking(work).await.map_err(because)
}
