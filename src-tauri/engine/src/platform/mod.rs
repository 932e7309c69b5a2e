//! The local stand-in for TagoIO: enough of its HTTP interface for a relay to deliver to, storing what it gets.
//!
//! It listens on 127.0.0.1 only. [`http`] answers, [`data`] reads bodies, [`writer`] groups commits, [`bucket`] holds the
//! file and its SQL. It knows nothing of MQTT, relays or where tokens are saved. An answer of success is given only after
//! the values are committed.

mod bucket;
mod data;
mod http;
mod tokens;
mod writer;

pub use tokens::{PlatformToken, PlatformTokens};

use crate::api::wire::{BucketDevice, BucketRows};
use crate::store::open::OpenError;
use axum::serve::ListenerExt;
use bucket::Bucket;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writer::{Totals, Writer};

/// Values kept unless told otherwise.
pub const KEEP: u64 = 1_000_000;
/// How long requests at work get to end.
const GRACE: Duration = Duration::from_secs(3);

/// What the stand-in needs to know before it starts.
pub struct PlatformConfig {
    /// Port on 127.0.0.1; 0 takes any.
    pub port: u16,
    /// Tokens it takes.
    pub tokens: PlatformTokens,
    /// Its file.
    pub db_path: PathBuf,
    /// Newest values kept, usually [`KEEP`].
    pub keep: u64,
}

/// Why the stand-in could not start or answer.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The port can't be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Stored values can't be read.
    #[error("failed to read the stored values")]
    Read(#[source] sqlx::Error),
}

/// A running stand-in.
pub struct Platform {
    addr: SocketAddr,
    bucket: Bucket,
    totals: Arc<Totals>,
    notices: Vec<String>,
    /// Cancelled to stop accepting; connections close after the request they are at.
    stop: CancellationToken,
    /// Cancelled to end the writer, after the requests or the grace ended.
    end: CancellationToken,
    finished: CancellationToken,
    server: JoinSet<()>,
    writer: JoinSet<()>,
}

impl Platform {
    /// Opens the file and starts to listen.
    pub async fn start(config: PlatformConfig) -> Result<Self, PlatformError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
        let refused = |source| PlatformError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let (bucket, notices) = Bucket::open(&config.db_path).await?;
        for notice in &notices {
            tracing::warn!("{notice}");
        }
        let writer = Writer::new(bucket.clone(), config.keep).await.map_err(PlatformError::Read)?;
        let totals = writer.totals();
        let (jobs, received) = Writer::channel();
        let (stop, end, finished) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

        let mut writing = JoinSet::new();
        writing.spawn(writer.run(received, end.clone()));
        let mut server = JoinSet::new();
        let (routes, stopped, guard) = (http::routes(config.tokens, jobs), stop.clone(), finished.clone().drop_guard());
        server.spawn(async move {
            // Cancels `finished` however this task ends.
            let _guard = guard;
            // Without it small answers would wait for the client's delayed acknowledgement.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "The local stand-in ended.");
            }
        });
        Ok(Self { addr, bucket, totals, notices, stop, end, finished, server, writer: writing })
    }

    /// Base address of its interface, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What people should know of the opening: that a damaged file was set aside.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Values stored.
    pub fn stored(&self) -> u64 {
        self.totals.stored.load(Ordering::Relaxed)
    }

    /// Devices with values.
    pub fn device_count(&self) -> u32 {
        u32::try_from(self.totals.devices.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    /// Devices with values, by serial.
    pub async fn devices(&self) -> Result<Vec<BucketDevice>, PlatformError> {
        self.bucket.devices().await.map_err(PlatformError::Read)
    }

    /// Values of a device, newest first; at most 500.
    pub async fn rows(&self, serial: &str, from: u32, count: u32) -> Result<BucketRows, PlatformError> {
        self.bucket.rows(serial, from, count).await.map_err(PlatformError::Read)
    }

    /// Ends when the stand-in no longer accepts requests, whether it was stopped or died.
    pub fn finished(&self) -> impl Future<Output = ()> + Send + use<> {
        self.finished.clone().cancelled_owned()
    }

    /// Stops accepting, lets the requests at work end, commits what they sent, and closes the file.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(GRACE, self.server.join_next()).await;
        self.server.shutdown().await;
        self.end.cancel();
        while self.writer.join_next().await.is_some() {}
        self.bucket.close().await;
    }
}
