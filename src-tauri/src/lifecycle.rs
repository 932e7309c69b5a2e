//! One engine from the first moment to the last: started beside the window, shut down once before the process ends.
//!
//! Closing the window, a quit from the system and SIGTERM or SIGINT all come through [`Lifecycle::on_event`]: the exit
//! is held back while the engine stops in its stages, and asked for again afterwards.

use relayscope_engine::api::wire::{ApiError, ErrorCode};
use relayscope_engine::{Engine, EngineConfig};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tauri::{AppHandle, RunEvent};
use tokio::sync::watch;

/// How long the engine may take to stop; past it, what is unfinished is on disk.
const GRACE: Duration = Duration::from_secs(5);

/// What became of the engine's start.
type Started = Result<Arc<Engine>, String>;

/// A handle to the engine and to where its life stands. Clones share both.
#[derive(Clone)]
pub(crate) struct Lifecycle {
    /// Sent once by the starting task; every call of the page and the shutdown read it. `None` while it starts.
    started: watch::Receiver<Option<Started>>,
    stage: Arc<AtomicU8>,
}

/// Stages of the end, in order.
const RUNNING: u8 = 0;
const STOPPING: u8 = 1;
const STOPPED: u8 = 2;

impl Lifecycle {
    /// Starts the engine in the background.
    pub(crate) fn begin(config: EngineConfig) -> Self {
        let (tell, started) = watch::channel(None);
        tauri::async_runtime::spawn(async move {
            let outcome = Engine::start(config).await.map(Arc::new).map_err(|error| error.to_string());
            if let Err(error) = &outcome {
                tracing::error!(%error, "The engine could not start.");
            }
            // Without receivers the app has ended meanwhile, and the engine is dropped with the value.
            let _ = tell.send(Some(outcome));
        });
        Self { started, stage: Arc::new(AtomicU8::new(RUNNING)) }
    }

    /// The engine, as soon as it runs; its own words when it could not start.
    pub(crate) async fn engine(&self) -> Result<Arc<Engine>, ApiError> {
        let failed = |message: String| ApiError { code: ErrorCode::Failed, message, problems: vec![], users: vec![] };
        let mut started = self.started.clone();
        match started.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(engine))) => Ok(Arc::clone(engine)),
            Ok(Some(Err(message))) => Err(failed(message.clone())),
            // The starting task ended without a word: it panicked, which is in the log.
            Ok(None) | Err(_) => Err(failed("The engine ended while it was starting; its log says why.".into())),
        }
    }

    /// Holds an exit back until the engine is shut down.
    pub(crate) fn on_event(&self, app: &AppHandle, event: &RunEvent) {
        let RunEvent::ExitRequested { api, .. } = event else { return };
        match self.stage.compare_exchange(RUNNING, STOPPING, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => {
                api.prevent_exit();
                let (life, app) = (self.clone(), app.clone());
                tauri::async_runtime::spawn(async move {
                    life.shut_down().await;
                    life.stage.store(STOPPED, Ordering::SeqCst);
                    app.exit(0);
                });
            }
            Err(STOPPED) => {}
            Err(_) => api.prevent_exit(),
        }
    }

    /// Also waits for an engine that is still starting, so that it is not torn down half-way.
    async fn shut_down(&self) {
        match tokio::time::timeout(GRACE, self.engine()).await {
            Ok(Ok(engine)) => engine.shutdown(GRACE).await,
            Ok(Err(_)) => {}
            Err(_) => tracing::warn!("The engine was still starting at the end; it is left as it stands."),
        }
    }
}

/// Lets SIGTERM and SIGINT take the same way out as closing the window.
pub(crate) fn end_on_signals(app: &AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
                (Ok(mut terminate), Ok(mut interrupt)) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                    app.exit(0);
                }
                (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "Signals are not handled."),
            }
        });
    }
    #[cfg(not(unix))]
    let _ = app;
}

/// Whether a window can be opened at all: GTK ends the process without one.
pub(crate) fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Ends before a window exists, with a reason for the terminal.
pub(crate) fn refuse(reason: &str) -> ExitCode {
    tracing::error!(reason, "Relayscope could not open its window.");
    let _ = writeln!(std::io::stderr(), "relayscope: {reason}.");
    ExitCode::FAILURE
}
