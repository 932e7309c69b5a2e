//! Taps: as they are saved, as they run, their faults and findings.

use super::StateWords;
use relayscope_domain::fault::FaultDraft;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::TapId;
use relayscope_domain::tap::{Tap, TapDraft};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A saved tap and its form.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapView {
    /// As it is saved.
    pub tap: Tap,
    /// As the form begins.
    pub draft: TapDraft,
    /// Name of the broker behind it.
    pub broker_name: String,
}

/// A tap at work.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapStatus {
    /// Which.
    pub id: TapId,
    /// Its name.
    pub name: String,
    /// Whether it should run.
    pub enabled: bool,
    /// The tap itself.
    pub state: StateWords,
    /// Where clients connect.
    pub address: String,
    /// Name of the broker behind it.
    pub target_name: String,
    /// How that was found the last time a client came.
    pub target: StateWords,
    /// Clients that are connected.
    pub clients: u32,
    /// Messages from clients so far.
    pub messages_in: u64,
    /// Messages to clients so far.
    pub messages_out: u64,
    /// Messages from clients per second.
    pub rate_in: f64,
    /// Messages to clients per second.
    pub rate_out: f64,
    /// Faults that are active.
    pub faults: u32,
    /// Things that were found.
    pub findings: u32,
}

/// Asks for a tap by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapRequest {
    /// Which.
    pub id: TapId,
}

/// What to do with a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TapAction {
    /// Run it.
    Start,
    /// End it, and its clients' connections.
    Stop,
    /// End it and run it again.
    Restart,
}

/// Asks for something to be done with a tap.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapActionRequest {
    /// Which.
    pub id: TapId,
    /// What.
    pub action: TapAction,
}

/// Presses a fault.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FaultRequest {
    /// Which tap.
    pub id: TapId,
    /// What, and for whom.
    pub fault: FaultDraft,
}

/// Lifts a fault.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LiftRequest {
    /// Which tap.
    pub id: TapId,
    /// Which fault; all without a number.
    pub number: Option<u64>,
}

/// An active fault.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FaultView {
    /// Its number.
    pub number: u64,
    /// What is done.
    pub words: String,
    /// Client id; empty is every client.
    pub client: String,
    /// Since when.
    pub since: i64,
}

/// A client of a tap.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapClient {
    /// Number of its connection.
    pub id: u64,
    /// Client id.
    pub client_id: String,
    /// User name it gave.
    pub username: String,
    /// Where it comes from.
    pub address: String,
    /// `3.1`, `3.1.1` or `5`; empty before its CONNECT.
    pub version: String,
    /// Since when.
    pub since: i64,
    /// Messages from it.
    pub messages_in: u64,
    /// Messages to it.
    pub messages_out: u64,
    /// Filters it subscribed to.
    pub subscriptions: u32,
}

/// A tap as its page shows it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapLive {
    /// Whether it runs.
    pub running: bool,
    /// Its clients, oldest first, 500 at most.
    pub clients: Vec<TapClient>,
    /// Faults that are active.
    pub faults: Vec<FaultView>,
    /// Connections its limits refused since it started.
    pub refused: u64,
    /// Connections its limits cut.
    pub cut: u64,
}

/// Asks for what was found, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FindingsRequest {
    /// At an embedded broker or a tap.
    pub source: SourceKind,
    /// Its name.
    pub name: String,
}
