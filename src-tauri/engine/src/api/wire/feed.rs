//! What the Live Inspector and the bucket show.

use relayscope_domain::id::MessageId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Kinds of events, as chips select them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum KindGroup {
    /// Connected, refused.
    Connect,
    /// Disconnected.
    Disconnect,
    /// Subscribe and its answer.
    Subscribe,
    /// Unsubscribe.
    Unsubscribe,
    /// Publish received, downlink publish, will.
    Publish,
    /// POST delivered, retry, dead letter.
    Delivery,
    /// Failures, losses, state changes of relays.
    Error,
}

/// What a view selects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewFilter {
    /// Kinds to show; empty shows all.
    pub kinds: Vec<KindGroup>,
    /// Text that topic, client, source, preview or text payload must contain; case does not matter. Empty shows all.
    pub text: String,
}

/// Opens a view.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewRequest {
    /// The view to replace the filter of, or `None` for a new one.
    pub view: Option<u32>,
    /// The filter.
    pub filter: ViewFilter,
}

/// Pauses or resumes a view.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PauseRequest {
    /// The view.
    pub view: u32,
    /// Whether it is frozen.
    pub paused: bool,
}

/// Asks for rows of a view, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RowsRequest {
    /// The view.
    pub view: u32,
    /// How many newer rows to pass over.
    pub from: u32,
    /// How many rows, at most 1,000.
    pub count: u32,
}

/// Rows of a view.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// How many rows the view has.
    pub total: u32,
    /// Those asked for, newest first.
    pub rows: Vec<Row>,
}

/// A view changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewFrame {
    /// The view.
    pub view: u32,
    /// How many rows it has.
    pub total: u32,
    /// While paused: how many rows came since.
    pub waiting: u32,
    /// Whether it is paused.
    pub paused: bool,
    /// Events recorded since the start, all views and none.
    pub recorded: u64,
    /// Events no longer kept: budget.
    pub evicted: u64,
    /// Events per second, all.
    pub rate: f64,
}

/// One line of the feed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Number of the event, ascending without gaps.
    pub seq: u64,
    /// Time.
    pub at: i64,
    /// One word: `connected`, `refused`, `subscribe`, `publish`, `delivered`, `retry`, `dead letter`, `disconnected` …
    pub kind: String,
    /// Its chip.
    pub group: KindGroup,
    /// Colour.
    pub tone: RowTone,
    /// Where it was seen: the relay's or broker's name.
    pub source: String,
    /// Who: client id, or the relay's name.
    pub client: String,
    /// Topic or filter, when there is one.
    pub topic: String,
    /// One-line preview.
    pub preview: String,
    /// Payload size, when there is a payload.
    pub size: Option<u32>,
    /// QoS, when there is one.
    pub qos: Option<u8>,
    /// Retain flag.
    pub retain: bool,
    /// Message it belongs to.
    pub message_id: Option<MessageId>,
}

/// Colour of a row's dot, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RowTone {
    /// Connected.
    Connect,
    /// Disconnected, notes.
    Quiet,
    /// Subscribe, unsubscribe.
    Subscribe,
    /// Publish.
    Publish,
    /// Delivered.
    Delivered,
    /// Retry.
    Warn,
    /// Refused, dead letter, failure.
    Bad,
}

/// Everything about one event.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EventDetail {
    /// Its line.
    pub row: Row,
    /// TagoIO's title: `[MQTT] Device publish`.
    pub title: String,
    /// Packet details, label and value.
    pub fields: Vec<Field>,
    /// Payload, when there is one (also one of zero bytes).
    pub payload: Option<PayloadView>,
    /// Other events of the same message, oldest first.
    pub journey: Vec<JourneyStep>,
}

/// A label and a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Label.
    pub label: String,
    /// Value.
    pub value: String,
}

/// A payload, decoded in the engine.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PayloadView {
    /// Whole size.
    pub size: u64,
    /// Bytes shown below; less than `size` when it was cut.
    pub shown: u64,
    /// As text, when it is UTF-8.
    pub text: Option<String>,
    /// As indented JSON, when it is JSON.
    pub json: Option<String>,
    /// Offset, hexadecimal and ASCII columns.
    pub hex: String,
}

/// One step of a message's journey.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JourneyStep {
    /// The event.
    pub seq: u64,
    /// Microseconds since the first step.
    pub after_micros: u64,
    /// `received`, `queued`, `POST 1`…
    pub words: String,
    /// What is to be said of it.
    pub detail: String,
    /// Colour.
    pub tone: RowTone,
}

/// Devices of the local stand-in.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BucketDevice {
    /// Serial: last topic segment.
    pub serial: String,
    /// Values stored.
    pub count: u64,
    /// Last variable.
    pub last_variable: String,
    /// Last value.
    pub last_value: String,
    /// When it came.
    pub last_at: i64,
}

/// Pages through the stored values of a device, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BucketRequest {
    /// The device.
    pub serial: String,
    /// Rows to pass over.
    pub from: u32,
    /// Rows to return, at most 500.
    pub count: u32,
}

/// Values of a device.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BucketRows {
    /// How many there are.
    pub total: u32,
    /// Those asked for.
    pub rows: Vec<BucketRow>,
}

/// A stored value (TagoIO's data format).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BucketRow {
    /// 24 hexadecimal digits.
    pub id: String,
    /// Variable.
    pub variable: String,
    /// Value as text.
    pub value: String,
    /// Unit, when given.
    pub unit: Option<String>,
    /// When it was stored.
    pub at: i64,
    /// Metadata as JSON.
    pub metadata: String,
}
