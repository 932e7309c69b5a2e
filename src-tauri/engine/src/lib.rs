//! Relayscope's headless engine: sessions, relays, queue, embedded broker, local TagoIO stand-in, feed.
//!
//! [`Engine`] owns everything asynchronous. Pages reach it through [`api::call`] and [`Engine::frames`] only; who starts and
//! ends it, and prints its feed, through its own few functions. The engine knows nothing of Tauri, terminals or pages.

mod alarm;
pub mod api;
mod bind;
pub mod broker;
mod causes;
mod chart;
pub mod configuration;
pub mod destination;
mod embedded;
pub mod endpoint;
mod exports;
pub mod feed;
pub mod findings;
pub mod fingerprint;
pub mod front;
pub mod inspect;
mod letters;
pub mod lock;
pub mod mqtt;
mod payloads;
pub mod platform;
pub mod queue;
pub mod recordings;
pub mod relay;
pub mod runtime;
pub mod secrets;
pub mod simulator;
pub mod status;
pub mod store;
pub mod supervisor;
pub mod tap;
pub mod telemetry;
mod websocket;
mod world;

mod startup;

pub use startup::StartError;

use api::wire::{Frame, Row};
use feed::Feed;
use feed::history::History;
use queue::Queue;
use runtime::Runtime;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use store::Store;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use world::World;

/// What an engine needs to know before it starts.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Folder of databases, queue, key file and logs; made when it is missing. One engine per folder.
    pub data_dir: PathBuf,
    /// Whether the data key may be kept in the operating system's keychain; otherwise in a file with mode 0600.
    pub keychain: bool,
    /// Whether nothing configured is run: only the configuration is to be read or changed.
    pub idle: bool,
}

/// A running engine.
pub struct Engine {
    data_dir: PathBuf,
    started_at: SystemTime,
    key_location: String,
    notices: Vec<String>,
    store: Store,
    queue: Queue,
    feed: Feed,
    history: History,
    runtime: Arc<Runtime>,
    http: reqwest::Client,
    // Senders: the janitor and running connection tests. Receivers: pages. One that falls behind misses frames and gets
    // newer ones; each is complete in itself.
    frames: broadcast::Sender<Frame>,
    // Running connection tests by the page's number.
    tests: Mutex<std::collections::HashMap<u32, CancellationToken>>,
    looked: payloads::LastLooked,
    stop: CancellationToken,
    supervisor: Mutex<Option<JoinHandle<()>>>,
    _lock: lock::FolderLock,
}

impl Engine {
    /// Opens the data folder, takes its lock, and starts what is enabled.
    pub async fn start(config: EngineConfig) -> Result<Self, StartError> {
        startup::start(config).await
    }

    /// What is pushed to pages.
    pub fn frames(&self) -> broadcast::Receiver<Frame> {
        self.runtime.chart.wake();
        self.frames.subscribe()
    }

    /// The number of the feed's newest event, as it changes.
    pub fn feed_changes(&self) -> watch::Receiver<u64> {
        self.feed.changes()
    }

    /// Up to `max` rows of the feed after number `after_seq`, oldest first, and how many in between are no longer kept.
    pub fn follow(&self, after_seq: u64, max: usize) -> (Vec<Row>, u64) {
        self.feed.follow(after_seq, max)
    }

    /// Changes the feed's budget for this run, whatever the settings say.
    pub fn keep_events(&self, bytes: usize) {
        self.feed.set_budget(bytes);
    }

    /// The folder the engine keeps its things in.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What a person should know of the start: a file that was set aside, a copy that was made.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    fn world(&self) -> World {
        World {
            data_dir: self.data_dir.clone(),
            store: self.store.clone(),
            queue: self.queue.clone(),
            feed: self.feed.clone(),
            history: self.history.clone(),
            http: self.http.clone(),
            runtime: self.runtime.clone(),
            frames: self.frames.clone(),
        }
    }

    /// Stops in stages: intake, commits and acknowledgements, requests in flight, databases. Past `grace` it aborts,
    /// which is safe because what is unfinished is on disk.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut supervisor) = supervisor else { return };
        if tokio::time::timeout(grace, &mut supervisor).await.is_err() {
            tracing::warn!("Not everything ended in time; what is unfinished is on disk.");
            supervisor.abort();
        }
        self.history.close().await;
        self.queue.close().await;
        self.store.close().await;
        tracing::info!("Stopped.");
    }
}

/// The platform's folder for Relayscope's data, when the platform names one.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "relayscope").map(|dirs| dirs.data_dir().to_owned())
}
