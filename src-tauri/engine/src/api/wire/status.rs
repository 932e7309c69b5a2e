//! What changes by itself: states, rates, ledgers.

use relayscope_domain::id::{BrokerId, RelayId};
use relayscope_domain::relay::Ledger;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a state looks: colour is never its only sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// Works.
    Ok,
    /// Waits or tries again.
    Warn,
    /// Needs a person.
    Bad,
    /// Switched off.
    Idle,
}

/// A state in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StateWords {
    /// Short, for a badge: `running`, `waiting for 14:03:00`, `paused: token refused`.
    pub words: String,
    /// Colour.
    pub tone: Tone,
    /// Since when.
    pub since: Option<i64>,
}

/// Everything that changes by itself.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StatusSnapshot {
    /// One per saved relay, in the order of the list.
    pub relays: Vec<RelayStatus>,
    /// One per saved broker.
    pub brokers: Vec<BrokerStatus>,
    /// One per saved tap.
    pub taps: Vec<super::TapStatus>,
    /// The local stand-in for TagoIO.
    pub platform: PlatformStatus,
    /// The demo: embedded broker, simulated devices and relay made by *Try it*.
    pub demo: DemoStatus,
    /// For the status bar.
    pub totals: Totals,
}

/// A relay at work.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayStatus {
    /// Which.
    pub id: RelayId,
    /// Its name.
    pub name: String,
    /// Whether it should run.
    pub enabled: bool,
    /// The whole relay.
    pub state: StateWords,
    /// Name of the source broker.
    pub broker_name: String,
    /// The session with the broker.
    pub broker: StateWords,
    /// A line about the session: `MQTT 5 · TLS`.
    pub broker_detail: String,
    /// How many filters are subscribed to.
    pub filters: u32,
    /// The destination, in words.
    pub destination_name: String,
    /// The path to the destination.
    pub destination: StateWords,
    /// A line about it: `p50 41 ms`.
    pub destination_detail: String,
    /// What became of every message.
    pub ledger: Ledger,
    /// Unaccounted messages; not zero is a bug, shown in red.
    pub ledger_difference: i64,
    /// Messages received per second, last second.
    pub rate_in: f64,
    /// Messages delivered per second, last second.
    pub rate_out: f64,
    /// Delivered per second over the last 60 seconds, oldest first.
    pub sparkline: Vec<f32>,
    /// When the oldest waiting message was received.
    pub oldest_waiting_at: Option<i64>,
    /// Bytes that wait, and how many may.
    pub queue: QueueUse,
    /// What of the plan's minute is used, when a plan or a pace is set.
    pub quota: Option<QuotaStatus>,
    /// When the backlog will be gone, while there is one.
    pub drain: Option<DrainStatus>,
    /// Requests under way.
    pub requests: u32,
    /// Requests allowed at once right now; found out by measuring.
    pub request_limit: u32,
    /// Messages that were skipped because they are larger than the settings allow.
    pub oversized: u64,
    /// Whether a person paused the delivery; messages are still taken in.
    pub paused: bool,
    /// What the broker may lose because of the version spoken, with the setting that prevents it.
    pub version_advice: Option<String>,
    /// Last error, or nothing.
    pub last_error: Option<LastError>,
    /// Address of the downlink endpoint, when it listens.
    pub downlink: Option<String>,
}

/// A relay's queue against its budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueueUse {
    /// Bytes that wait.
    pub bytes: u64,
    /// Bytes that may wait.
    pub budget: u64,
    /// Whether the budget is used up and its rule applies.
    pub full: bool,
}

/// A relay's share of the plan's clock minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QuotaStatus {
    /// Requests per minute that the plan allows.
    pub limit: u32,
    /// Requests per minute that this relay makes at most: less the reserve, and the pace.
    pub allowance: u32,
    /// Requests that it made in this minute.
    pub used: u32,
    /// Requests that other relays of the same profile made in this minute.
    pub others: u32,
    /// Relays that share the plan's minute right now, this one included.
    pub relays: u32,
    /// When the minute ends.
    pub resets_at: i64,
    /// Whether requests wait for the pace right now.
    pub pacing: bool,
    /// In words: `at this rate the limit is reached in 14 s`.
    pub words: String,
}

/// A backlog on its way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DrainStatus {
    /// How much of the backlog at its highest is gone, 0 to 1.
    pub done: f64,
    /// Seconds until it is gone at the present rate; `None` while it does not shrink.
    pub seconds: Option<f64>,
    /// In words: `backlog gone in about 12 min`.
    pub words: String,
}

/// An error in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// When.
    pub at: i64,
    /// Whether it still holds.
    pub current: bool,
}

/// A saved broker at work.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerStatus {
    /// Which.
    pub id: BrokerId,
    /// State: of the embedded broker itself, or of the relays' sessions with an external one.
    pub state: StateWords,
    /// Where clients connect to: `127.0.0.1:1883` (embedded, the real port), or the saved address.
    pub address: String,
    /// Connected clients (embedded only).
    pub clients: Option<u32>,
}

/// The local stand-in for TagoIO.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlatformStatus {
    /// Its state.
    pub state: StateWords,
    /// Base address of its API, when it runs.
    pub url: Option<String>,
    /// Values stored.
    pub stored: u64,
    /// Devices seen.
    pub devices: u32,
}

/// The demo.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DemoStatus {
    /// Whether it was set up.
    pub present: bool,
    /// Whether its devices publish.
    pub running: bool,
    /// Its relay.
    pub relay_id: Option<RelayId>,
    /// Address of its broker.
    pub address: Option<String>,
}

/// Sums for the status bar.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Received per second.
    pub rate_in: f64,
    /// Delivered per second.
    pub rate_out: f64,
    /// Waiting in queues.
    pub waiting: u64,
    /// When the oldest waiting message was received.
    pub oldest_waiting_at: Option<i64>,
    /// Dead letters.
    pub dead: u64,
    /// Bytes the feed holds.
    pub feed_bytes: u64,
    /// Budget of the feed, bytes.
    pub feed_budget: u64,
    /// Bytes of the databases on disk.
    pub disk_bytes: u64,
}
