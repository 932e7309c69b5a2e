//! Relayscope's headless engine: sessions, relays, queue, embedded broker, local TagoIO stand-in, feed.
//!
//! [`Engine`] owns everything asynchronous. Windows and command lines reach it through [`api::call`] and
//! [`Engine::frames`] only. The engine knows nothing of Tauri, terminals or pages.

pub mod api;
pub mod destination;
pub mod feed;
pub mod lock;
pub mod mqtt;
pub mod secrets;
pub mod telemetry;

use api::wire::Frame;
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

/// A running engine.
pub struct Engine {
    frames: tokio::sync::broadcast::Sender<Frame>,
}

/// Why an engine could not start: one sentence that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl Engine {
    /// Opens the data folder, takes its lock, and starts what is enabled.
    pub async fn start(_config: EngineConfig) -> Result<Self, StartError> {
        Ok(Self { frames: tokio::sync::broadcast::channel(64).0 })
    }

    /// What is pushed to pages. A receiver that falls behind misses frames and gets newer ones; each is complete in itself.
    pub fn frames(&self) -> tokio::sync::broadcast::Receiver<Frame> {
        self.frames.subscribe()
    }

    /// Stops in stages: intake, commits and acknowledgements, requests in flight, databases. Past `grace` it aborts,
    /// which is safe because what is unfinished is on disk.
    pub async fn shutdown(&self, _grace: Duration) {}
}

/// The platform's folder for Relayscope's data, when the platform names one.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "relayscope").map(|dirs| dirs.data_dir().to_owned())
}
