//! Relayscope's headless engine: sessions, relays, queue, embedded broker, local TagoIO stand-in, feed.
//!
//! [`Engine`] owns everything asynchronous. Windows and command lines reach it through [`api::call`] and
//! [`Engine::frames`] only. The engine knows nothing of Tauri, terminals or pages.

pub mod api;
pub mod feed;

use api::wire::{ApiError, ErrorCode, Frame, Row};
use relayscope_domain::import::{Imported, ImportedRelay};
use std::path::PathBuf;
use std::time::Duration;

/// What an engine needs to know before it starts.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Folder of databases, queue, key file and logs; made when it is missing. One engine per folder.
    pub data_dir: PathBuf,
    /// Whether the data key may be kept in the operating system's keychain; otherwise in a file with mode 0600.
    pub keychain: bool,
}

/// The app's own data folder on this computer; `None` when the system names no home.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("app", "Relayscope", "relayscope").map(|dirs| dirs.data_dir().to_owned())
}

/// A running engine.
pub struct Engine {
    frames: tokio::sync::broadcast::Sender<Frame>,
    feed: tokio::sync::watch::Sender<u64>,
}

/// Why an engine could not start: one sentence that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl Engine {
    /// Opens the data folder, takes its lock, and starts what is enabled.
    pub async fn start(_config: EngineConfig) -> Result<Self, StartError> {
        Ok(Self { frames: tokio::sync::broadcast::channel(64).0, feed: tokio::sync::watch::channel(0).0 })
    }

    /// What is pushed to pages. A receiver that falls behind misses frames and gets newer ones; each is complete in itself.
    pub fn frames(&self) -> tokio::sync::broadcast::Receiver<Frame> {
        self.frames.subscribe()
    }

    /// Stops in stages: intake, commits and acknowledgements, requests in flight, databases. Past `grace` it aborts,
    /// which is safe because what is unfinished is on disk.
    pub async fn shutdown(&self, _grace: Duration) {}

    /// Makes the folder's configuration equal to the file. What carries a known name keeps its id, and with it its queue.
    pub async fn replace_configuration(&self, _imported: &Imported) -> Result<(), ApiError> {
        Err(missing("replace_configuration"))
    }

    /// Every relay with its broker and its secrets, for [`relayscope_domain::import::export`].
    pub async fn export(&self) -> Result<Vec<ImportedRelay>, ApiError> {
        Err(missing("export"))
    }

    /// At most `max` rows after number `after`, oldest first, and how many between were evicted before they were seen.
    pub fn follow(&self, _after: u64, _max: usize) -> (Vec<Row>, u64) {
        (vec![], 0)
    }

    /// The number of the newest event, each time it changes.
    pub fn feed_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.feed.subscribe()
    }
}

fn missing(name: &str) -> ApiError {
    ApiError { code: ErrorCode::Failed, message: format!("{name} is not there yet"), problems: vec![], users: vec![] }
}
