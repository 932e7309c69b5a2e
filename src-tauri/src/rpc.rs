//! The page's two ways to the engine: `rpc` asks, `subscribe` listens. Bodies and answers are the engine's own wire
//! types and pass through unread.

use crate::lifecycle::Lifecycle;
use relayscope_engine::api;
use relayscope_engine::api::wire::{ApiError, Frame};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tauri::State;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tokio::sync::broadcast::error::RecvError;

/// Calls the engine's command `name`. Waits for the engine while it starts, and fails with its words when it could not.
#[tauri::command]
pub(crate) async fn rpc(life: State<'_, Lifecycle>, name: String, body: Value) -> Result<Value, ApiError> {
    let engine = life.engine().await?;
    api::call(&engine, &name, body).await
}

/// Forwards what the engine pushes to `channel` until the page is gone or subscribes anew. Listens from before it
/// returns, so that a page that subscribes first and asks second misses nothing.
#[tauri::command]
pub(crate) async fn subscribe(
    life: State<'_, Lifecycle>,
    current: State<'_, Subscription>,
    channel: Channel<Frame>,
) -> Result<(), ApiError> {
    let mut frames = life.engine().await?.frames();
    current.replace(tauri::async_runtime::spawn(async move {
        loop {
            match frames.recv().await {
                Ok(frame) => {
                    if channel.send(frame).is_err() {
                        break;
                    }
                }
                // Each frame is complete in itself: what was missed is of no use any more.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
    }));
    Ok(())
}

/// The forwarding task of the window; a reloaded page replaces it.
#[derive(Default)]
pub(crate) struct Subscription(Mutex<Option<JoinHandle<()>>>);

impl Subscription {
    fn replace(&self, task: JoinHandle<()>) {
        let earlier = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(earlier) = earlier {
            earlier.abort();
        }
    }
}
