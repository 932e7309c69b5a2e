//! From the worker to the queue: commits the ends of attempts in groups, whatever came while the last commit ran.
//! Settling may lag behind delivering: after a crash that costs duplicates, never losses.

use super::meter::{Meter, Write};
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::queue::{Queue, Settlement};
use relayscope_domain::id::RelayId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

// Sender: the worker. Receiver: `run`. Full: the worker waits, which bounds what a crash repeats.
pub(super) const CAPACITY: usize = 2_048;
const RETRY: Duration = Duration::from_millis(500);
// A stopping relay does not wait for a full disk for ever; what is not settled is delivered again.
const TRIES_WHEN_CLOSED: u32 = 4;

/// Runs until the worker has gone and everything is committed.
pub(super) async fn run(
    relay: RelayId,
    queue: Queue,
    meter: Arc<Meter>,
    feed: Feed,
    path: Arc<str>,
    mut settlements: mpsc::Receiver<Settlement>,
) {
    let mut group = Vec::with_capacity(CAPACITY);
    while settlements.recv_many(&mut group, CAPACITY).await > 0 {
        let mut tries = 0;
        while let Err(error) = queue.settle(relay, &group).await {
            let text = error.to_string();
            meter.storage_failed(Write::Settlements, &text);
            if tries == 0 {
                tracing::error!(%relay, %error, "Deliveries can't be settled; they are kept in memory.");
                feed.record(Event::now(&path, &path, None, Kind::Note { failure: true, text }));
            }
            tries += 1;
            if settlements.is_closed() && tries >= TRIES_WHEN_CLOSED {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
        let count =
            |wanted: fn(&Settlement) -> bool| group.iter().filter(|settlement| wanted(settlement)).count() as u64;
        meter.settled(
            count(|settlement| matches!(settlement, Settlement::Delivered { .. })),
            count(|settlement| matches!(settlement, Settlement::Dead { .. })),
        );
        group.clear();
    }
}
