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
    /// Last error, or nothing.
    pub last_error: Option<LastError>,
    /// Address of the downlink endpoint, when it listens.
    pub downlink: Option<String>,
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
