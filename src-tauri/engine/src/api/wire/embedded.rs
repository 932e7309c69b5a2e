//! What the pages of a running embedded broker show: its listeners, clients, retained messages and counters.

use super::{PayloadView, Row};
use relayscope_domain::broker::ListenerDraft;
use relayscope_domain::id::{BrokerId, ListenerId, TokenId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An embedded broker at work.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedLive {
    /// Whether it runs; everything below is empty otherwise.
    pub running: bool,
    /// Where it listens.
    pub listeners: Vec<ListenerLine>,
    /// Connected clients.
    pub clients: u32,
    /// Sessions kept for clients that are away.
    pub away: u32,
    /// Retained messages.
    pub retained: u32,
    /// Publishes taken since it started.
    pub messages_in: u64,
    /// Their payload bytes.
    pub bytes_in: u64,
    /// Publishes delivered.
    pub messages_out: u64,
    /// Their payload bytes.
    pub bytes_out: u64,
    /// Taken per second, since the last look.
    pub rate_in: f64,
    /// Delivered per second.
    pub rate_out: f64,
    /// Connections let in.
    pub connects: u64,
    /// Connections refused for their token.
    pub refusals: u64,
    /// Connections refused by a limit.
    pub limit_refusals: u64,
    /// Connections cut by a limit.
    pub limit_cuts: u64,
    /// Messages lost on the way to a client.
    pub dropped: u64,
    /// What was there again at the start, in words; empty when nothing was.
    pub restored: String,
}

/// One place where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ListenerLine {
    /// The saved listener; the plain port is none.
    pub id: Option<ListenerId>,
    /// `TCP`, `TLS`, `WebSocket`, `Secure WebSocket`.
    pub transport: String,
    /// To copy: `192.168.1.20:8883`.
    pub address: String,
    /// Who reaches it: `this computer only`, `other computers too`.
    pub reach: String,
    /// Why it does not listen, or what is wrong with its certificate.
    pub problem: Option<String>,
    /// With a port that is taken: the next one that is free.
    pub free: Option<u16>,
    /// Connections its limits refused since the broker started.
    pub refused: u64,
    /// Connections its limits cut.
    pub cut: u64,
}

/// Asks for a page of the connected clients, by client id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientsRequest {
    /// The broker.
    pub id: BrokerId,
    /// What client id, token or address must contain; case does not matter. Empty selects all.
    pub text: String,
    /// How many to pass over.
    pub from: u32,
    /// How many at most.
    pub count: u32,
}

/// A page of the connected clients.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Clients {
    /// How many there are with that text.
    pub total: u32,
    /// The page.
    pub rows: Vec<ClientRow>,
}

/// A connected client.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientRow {
    /// Client id.
    pub client_id: String,
    /// Name of its device token.
    pub token: String,
    /// Where it connects from.
    pub address: String,
    /// `MQTT 5`.
    pub version: String,
    /// When it connected.
    pub since: i64,
    /// Publishes from it.
    pub messages_in: u64,
    /// Their payload bytes.
    pub bytes_in: u64,
    /// Publishes to it.
    pub messages_out: u64,
    /// Their payload bytes.
    pub bytes_out: u64,
    /// Filters.
    pub subscriptions: u32,
    /// Sent and not acknowledged.
    pub inflight: u32,
    /// Waiting for it.
    pub queue: u32,
    /// Seconds; 0 is none.
    pub keep_alive: u32,
    /// Its last will in words.
    pub will: Option<String>,
    /// Whether its session stays when it goes.
    pub kept: bool,
}

/// Names one client.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientRequest {
    /// The broker.
    pub id: BrokerId,
    /// The client.
    pub client_id: String,
}

/// A client's page.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientDetail {
    /// The client; nothing when it is not connected any more.
    pub client: Option<ClientRow>,
    /// Its subscriptions.
    pub subscriptions: Vec<ClientSubscription>,
    /// Its newest events, newest first.
    pub events: Vec<Row>,
}

/// A subscription of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientSubscription {
    /// Filter.
    pub filter: String,
    /// QoS granted.
    pub qos: u8,
}

/// Asks for command lines that reach a broker.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LinesRequest {
    /// The broker.
    pub id: BrokerId,
    /// A device token; nothing leaves a gap for one.
    pub token_id: Option<TokenId>,
    /// Whether the token stands in them in the clear: a person asked to see or copy it.
    pub reveal: bool,
}

/// A line for a terminal or another program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommandLine {
    /// What it does: `Publish with mosquitto_pub`.
    pub label: String,
    /// The line.
    pub text: String,
}

/// Asks for a page of the retained messages, by topic.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetainedRequest {
    /// The broker.
    pub id: BrokerId,
    /// A topic filter; empty is all.
    pub filter: String,
    /// How many to pass over.
    pub from: u32,
    /// How many at most.
    pub count: u32,
}

/// A page of the retained messages.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetainedPage {
    /// How many match.
    pub total: u32,
    /// What is wrong with the filter.
    pub problem: Option<String>,
    /// The page.
    pub rows: Vec<RetainedLine>,
}

/// A retained message as a line.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetainedLine {
    /// With a topic scope per device: whose, opaque.
    pub space: String,
    /// Topic.
    pub topic: String,
    /// One line of the payload.
    pub preview: String,
    /// Payload bytes.
    pub size: u64,
    /// QoS.
    pub qos: u8,
    /// Client id of the publisher.
    pub from: String,
    /// When it was published.
    pub at: i64,
}

/// Names one retained message.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetainedChoice {
    /// The broker.
    pub id: BrokerId,
    /// Its space.
    pub space: String,
    /// Its topic.
    pub topic: String,
}

/// A retained message to look at; nothing when it is gone.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetainedLook {
    /// The payload.
    pub payload: Option<PayloadView>,
}

/// Takes retained messages away: one, or all that match a filter.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClearRequest {
    /// The broker.
    pub id: BrokerId,
    /// A topic, or a filter.
    pub filter: String,
    /// Only the one of this space.
    pub space: Option<String>,
}

/// What was taken away.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Cleared {
    /// How many.
    pub count: u32,
    /// In words.
    pub words: String,
    /// The file that brings them back, by its name.
    pub undo: String,
    /// Where it lies.
    pub path: String,
}

/// Brings back what was taken away.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UndoClearRequest {
    /// The broker.
    pub id: BrokerId,
    /// The file's name.
    pub undo: String,
}

/// A new listener's form.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BlankListener {
    /// The form.
    pub listener: ListenerDraft,
}

/// What comes of an embedded broker's form while it is edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedPreview {
    /// What saving does to those who are connected: `Saving restarts the broker: 3 clients are disconnected.`
    pub consequence: Option<String>,
}
