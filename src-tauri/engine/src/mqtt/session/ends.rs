//! How a connection ends, and what comes after: back-off, waiting for room, the last acknowledgements and DISCONNECT.

use super::super::link::Polled;
use super::super::words::Failure;
use super::task::{ARRIVAL_BYTES, Task};
use super::{ARRIVALS, AckToken, OFFLINE, Standing, Unpublished};
use crate::feed::event::Kind;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

// For the last acknowledgements and DISCONNECT.
const GOODBYE: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_millis(900);
// After a refusal that only a person can mend: rarely, so that it heals when they mend it at the broker.
const REFUSED_RETRY: Duration = Duration::from_secs(60);

impl Task {
    /// Ends the epoch: whatever belonged to the connection is void.
    pub(super) fn end_epoch(&mut self, why: &str) {
        self.epoch += 1;
        self.connected = false;
        self.held_until = None;
        self.has_qos_0 = false;
        // What is with the uplink counts as stored: an acknowledgement of the same message that comes again goes through
        // the uplink behind it.
        for token in self.owed.drain(..).chain(self.away.drain(..)) {
            self.stored.insert(token.packet_id, token.digest);
        }
        self.in_turn.clear();
        self.copies.clear();
        self.to_subscribe.clear();
        self.subscribed.clear();
        self.to_say = None;
        let waiting = self.to_publish.drain(..).map(|publication| publication.done);
        let flying = self.writing.drain(..).chain(self.published.drain().filter_map(|(_, done)| done));
        for done in waiting.chain(flying) {
            let words = format!("The connection to the broker fell before it acknowledged: {why}");
            let _ = done.send(Err(Unpublished::Away(words)));
        }
    }

    pub(super) async fn fallen(
        &mut self,
        failure: Failure,
        acks: &mut mpsc::Receiver<Vec<AckToken>>,
        stop: &CancellationToken,
    ) {
        let was_connected = self.connected;
        self.end_epoch(&failure.words);
        if was_connected {
            self.record(Kind::Disconnected { code: None, reason: failure.words.clone(), clean: false });
        } else if self.last_failure.as_ref() != Some(&failure) {
            // The same failure again and again is one event.
            self.record(Kind::Refused { code: failure.code, reason: failure.words.clone() });
        }
        let wait = if failure.fatal {
            self.set(Standing::Refused(failure.clone()));
            REFUSED_RETRY
        } else {
            self.set(Standing::Retrying(failure.clone()));
            let wait = self.retry;
            self.retry = (self.retry * 2).min(LONGEST_RETRY);
            // Jitter, so that many relays do not come back in step.
            wait.mul_f64(rand::random_range(0.7..1.0))
        };
        self.last_failure = Some(failure);
        self.wait(wait, acks, stop).await;
    }

    /// Stays away from the broker until the uplink has taken half of what waits.
    pub(super) async fn blocked(&mut self, acks: &mut mpsc::Receiver<Vec<AckToken>>, stop: &CancellationToken) {
        self.link.cut();
        self.end_epoch("the queue is behind");
        self.record(Kind::Disconnected {
            code: None,
            reason: "by Relayscope: the queue takes no more messages for now; the broker keeps them".into(),
            clean: false,
        });
        self.set(Standing::Blocked);
        while !stop.is_cancelled()
            && (self.backlog.bytes() > ARRIVAL_BYTES / 2 || self.arrivals.capacity() < ARRIVALS / 2)
        {
            self.wait(Duration::from_millis(50), acks, stop).await;
        }
    }

    /// Waits, and takes acknowledgements meanwhile, so that the uplink never stands still.
    async fn wait(&mut self, time: Duration, acks: &mut mpsc::Receiver<Vec<AckToken>>, stop: &CancellationToken) {
        let until = tokio::time::Instant::now() + time;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = stop.cancelled() => return,
                Some(group) = acks.recv() => self.take_acks(group),
            }
        }
    }

    /// Sends the acknowledgements of what is being committed, says `offline`, then DISCONNECT; two seconds at most. The
    /// uplink closes the acknowledgement channel when it has nothing left.
    pub(super) async fn leave(&mut self, acks: &mut mpsc::Receiver<Vec<AckToken>>) {
        if !self.connected {
            return;
        }
        let mut late = pin!(tokio::time::sleep(GOODBYE));
        let mut acks_open = true;
        loop {
            self.hand_over();
            if !acks_open && self.owed.is_empty() {
                // What nobody brings back any more stays the broker's.
                if self.config.status_topic.is_some() && !self.said_offline {
                    self.said_offline = true;
                    self.to_say = Some(OFFLINE);
                    continue;
                }
                // Else the broker would send the will, or nothing: both are wrong.
                if self.to_say.is_none() && !self.published.values().any(Option::is_none) {
                    let _ = self.link.disconnect();
                }
            }
            // Nothing new is handed on from here: what the broker still sends stays its own.
            let polled = tokio::select! {
                group = acks.recv(), if acks_open => {
                    match group {
                        Some(group) => self.take_acks(group),
                        None => acks_open = false,
                    }
                    continue;
                }
                polled = self.link.poll() => polled,
                () = &mut late => break,
            };
            match polled {
                Ok(Polled::Left) | Err(_) => break,
                Ok(other) => self.other(other),
            }
        }
        self.record(Kind::Disconnected {
            code: None,
            reason: "by Relayscope: the relay was stopped".into(),
            clean: true,
        });
    }
}
