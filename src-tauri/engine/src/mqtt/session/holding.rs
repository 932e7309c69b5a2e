//! Reads nothing for a moment while too much waits for the uplink: the broker keeps it, and memory stays small. Knows
//! nothing of what the uplink does.

use super::task::Task;
use super::{ARRIVALS, Received};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

// With so many waiting the broker is not read from, until only so many are left.
const HOLD_AT: usize = 8_192;
const READ_AT: usize = 2_048;
// The broker is left waiting no longer than this; then it is left alone.
const HELD_MOST: Duration = Duration::from_secs(5);

impl Task {
    /// Stops reading for a moment when the uplink falls behind. What the broker would not keep goes on being read.
    pub(super) fn hold(&mut self) {
        let crowded = ARRIVALS - self.arrivals.capacity() >= HOLD_AT && !self.arrivals.is_closed();
        if crowded && self.held_until.is_none() && self.connected && !self.has_qos_0 {
            self.held_until = Some(Instant::now() + HELD_MOST);
            self.link.hold(true);
        }
    }
}

/// Waits until the uplink has taken most of what waits for it.
pub(super) async fn room(arrivals: &mpsc::Sender<Received>) {
    let _ = arrivals.reserve_many(ARRIVALS - READ_AT).await;
}
