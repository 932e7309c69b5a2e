//! How many messages a second each relay takes in and delivers: differences between snapshots. Knows no units and no words.

use super::taps::TapRates;
use relayscope_domain::id::RelayId;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

const SPARK: usize = 60;

/// Rates, from one snapshot to the next.
#[derive(Default)]
pub(crate) struct Rates {
    pub(super) relays: HashMap<RelayId, RelayRate>,
    pub(super) taps: TapRates,
}

pub(super) struct RelayRate {
    at: Instant,
    received: u64,
    delivered: u64,
    /// Messages per second from the broker.
    pub(super) rate_in: f64,
    /// Messages per second to the destination.
    pub(super) rate_out: f64,
    /// Deliveries of each second, the oldest first.
    pub(super) spark: VecDeque<f32>,
    spark_at: Instant,
    spark_delivered: u64,
    /// The most that waited since there last was no backlog.
    pub(super) highest: u64,
}

impl Rates {
    /// Takes in how far a relay has come.
    pub(super) fn update(&mut self, id: RelayId, received: u64, delivered: u64, waiting: u64) -> &RelayRate {
        let now = Instant::now();
        let rate = self.relays.entry(id).or_insert_with(|| RelayRate {
            at: now,
            received,
            delivered,
            rate_in: 0.0,
            rate_out: 0.0,
            spark: VecDeque::from(vec![0.0; SPARK]),
            spark_at: now,
            spark_delivered: delivered,
            highest: 0,
        });
        rate.highest = if waiting == 0 { 0 } else { rate.highest.max(waiting) };
        let seconds = now.duration_since(rate.at).as_secs_f64();
        // A second's worth at least, so that a rate of one message a second does not flicker.
        if seconds >= 0.95 {
            rate.rate_in = received.saturating_sub(rate.received) as f64 / seconds;
            rate.rate_out = delivered.saturating_sub(rate.delivered) as f64 / seconds;
            (rate.at, rate.received, rate.delivered) = (now, received, delivered);
        }
        let since = now.duration_since(rate.spark_at).as_secs_f64();
        if since >= 0.95 {
            rate.spark.pop_front();
            rate.spark.push_back((delivered.saturating_sub(rate.spark_delivered) as f64 / since) as f32);
            (rate.spark_at, rate.spark_delivered) = (now, delivered);
        }
        rate
    }
}
