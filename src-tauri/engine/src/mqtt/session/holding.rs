//! Reads nothing for a moment while too much waits for the uplink: the broker keeps it, and memory stays small. Knows
//! nothing of what the uplink does.

use super::task::{ARRIVAL_BYTES, Task};
use super::{ARRIVALS, Backlog, Received};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

// With so many waiting the broker is not read from, until only so many are left.
const HOLD_AT: usize = 8_192;
const READ_AT: usize = 2_048;
// The same in bytes of payload. What one read brings fits above it.
const HOLD_BYTES: usize = ARRIVAL_BYTES / 4 * 3;
const READ_BYTES: usize = ARRIVAL_BYTES / 4;
// Between two looks at the bytes, of which nobody tells.
const LOOK: Duration = Duration::from_millis(5);
// The broker is left waiting no longer than this; then it is left alone.
const HELD_MOST: Duration = Duration::from_secs(5);

impl Task {
    /// Stops reading for a moment when the uplink falls behind. What the broker would not keep goes on being read.
    pub(super) fn hold(&mut self) {
        if self.is_crowded() && self.held_until.is_none() {
            self.held_until = Some(Instant::now() + HELD_MOST);
            self.link.hold(true);
        }
    }

    /// Whether what comes is better left with the broker.
    pub(super) fn is_crowded(&self) -> bool {
        let crowded = ARRIVALS - self.arrivals.capacity() >= HOLD_AT || self.backlog.bytes() >= HOLD_BYTES;
        crowded && !self.arrivals.is_closed() && self.connected && !self.has_qos_0
    }
}

/// Waits until the uplink has taken most of what waits for it.
pub(super) async fn room(arrivals: &mpsc::Sender<Received>, backlog: &Backlog) {
    let _ = arrivals.reserve_many(ARRIVALS - READ_AT).await;
    while backlog.bytes() > READ_BYTES {
        tokio::time::sleep(LOOK).await;
    }
}
