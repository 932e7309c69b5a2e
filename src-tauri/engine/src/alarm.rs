//! Waits for a moment that may not be set. What is due then is its owner's.

use std::time::Instant;

/// Waits until then; for ever without a moment. Can be dropped and called again.
pub(crate) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
