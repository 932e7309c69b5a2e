//! The one task that writes: it commits whatever arrived while the last commit ran, and only then the senders answer.
//!
//! Between commits it prunes, a limited number of rows at a time, so a full bucket never makes a sender wait long.

use super::bucket::{Batch, Bucket};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Batches waiting for the writer.
const WAITING: usize = 256;
/// Rows pruned at once: more than usually come in a group, so the bucket shrinks faster than it grows.
const PRUNED_AT_ONCE: u64 = 5_000;

/// A batch and who waits for it.
pub(super) struct Job {
    pub(super) batch: Batch,
    /// Sent once by the writer; dropped when the commit failed.
    pub(super) done: oneshot::Sender<()>,
}

/// What is stored, readable at any time without SQL.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) stored: AtomicU64,
    pub(super) devices: AtomicU64,
}

/// The writer's state.
pub(super) struct Writer {
    bucket: Bucket,
    totals: Arc<Totals>,
    counts: HashMap<String, u64>,
    stored: u64,
    keep: u64,
}

impl Writer {
    pub(super) async fn new(bucket: Bucket, keep: u64) -> Result<Self, sqlx::Error> {
        let counts = bucket.counts().await?;
        let stored = counts.values().sum();
        let writer = Self { bucket, totals: Arc::default(), counts, stored, keep };
        writer.publish();
        Ok(writer)
    }

    pub(super) fn totals(&self) -> Arc<Totals> {
        self.totals.clone()
    }

    /// The channel to the writer: request handlers send, [`Writer::run`] receives; a full one makes the handlers wait, and
    /// with them the clients.
    pub(super) fn channel() -> (mpsc::Sender<Job>, mpsc::Receiver<Job>) {
        mpsc::channel(WAITING)
    }

    /// Runs until all senders are gone, or until `end`; then what was sent before is still committed.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, end: CancellationToken) {
        let mut group = Vec::with_capacity(WAITING);
        loop {
            let taken = tokio::select! {
                taken = jobs.recv_many(&mut group, WAITING) => taken,
                () = end.cancelled(), if !jobs.is_closed() => {
                    jobs.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            self.commit(&mut group).await;
            self.prune().await;
        }
    }

    async fn commit(&mut self, group: &mut Vec<Job>) {
        let (batches, waiting): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.batch, job.done)).unzip();
        if let Err(error) = self.bucket.insert(&batches).await {
            // Dropping `waiting` tells the handlers; their clients try again.
            tracing::warn!(%error, requests = batches.len(), "Values could not be stored.");
            return;
        }
        for value in batches.iter().flat_map(|batch| &batch.values) {
            match self.counts.get_mut(&value.serial) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(value.serial.clone(), 1);
                }
            }
            self.stored += 1;
        }
        self.publish();
        for done in waiting {
            // A handler that went away has lost its client.
            let _ = done.send(());
        }
    }

    async fn prune(&mut self) {
        let excess = self.stored.saturating_sub(self.keep).min(PRUNED_AT_ONCE);
        if excess == 0 {
            return;
        }
        match self.bucket.prune(excess).await {
            Ok(gone) => {
                for (serial, gone) in gone {
                    self.stored = self.stored.saturating_sub(gone);
                    if let Some(count) = self.counts.get_mut(&serial) {
                        *count = count.saturating_sub(gone);
                    }
                }
                self.counts.retain(|_, count| *count > 0);
                self.publish();
            }
            Err(error) => tracing::warn!(%error, "Old values could not be pruned."),
        }
    }

    fn publish(&self) {
        self.totals.stored.store(self.stored, Ordering::Relaxed);
        self.totals.devices.store(self.counts.len() as u64, Ordering::Relaxed);
    }
}
