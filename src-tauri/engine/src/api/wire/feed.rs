//! What the Live Inspector's list shows: views of the feed, their rows, and everything about one event.

use super::FilterReading;
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

/// How the rows of a view are arranged, besides as a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Look {
    /// Not at all.
    #[default]
    Feed,
    /// By topic: `feed.topics`.
    Topics,
    /// By connection: `feed.connections`.
    Connections,
}

/// Opens a view.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewRequest {
    /// The view to replace the filter of, or `None` for a new one.
    pub view: Option<u32>,
    /// The filter, as it is typed.
    pub line: String,
    /// How the rows are arranged.
    pub look: Look,
    /// For a new view: of this recording, or of the live feed.
    #[serde(default)]
    #[ts(optional)]
    pub recording: Option<u32>,
}

/// A view with a new filter; with a mistake in the line, an open view keeps its old one.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ViewOpened {
    /// The view, unless the line has a mistake.
    pub frame: Option<ViewFrame>,
    /// What was read.
    pub reading: FilterReading,
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
    /// How many newer rows to pass over; of a list that stands still, how many of its own.
    pub from: u32,
    /// How many rows, at most 1,000.
    pub count: u32,
    /// What a list that stands still is held at.
    #[ts(optional)]
    pub anchor: Option<Anchor>,
}

/// An event that keeps its place in a list while others come and go. When it is no longer kept, the next older one has its
/// place.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Anchor {
    /// The event.
    pub seq: u64,
    /// Its place in the list, from 0.
    pub index: u32,
}

/// Asks for the row that a key leads to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepRequest {
    /// The view.
    pub view: u32,
    /// The row that the keyboard is on; without one it leads to the first.
    pub seq: Option<u64>,
    /// How many rows further down, or up when it is negative.
    pub step: i32,
    /// How many rows the list has at most.
    pub most: u32,
    /// What a list that stands still is held at.
    #[ts(optional)]
    pub anchor: Option<Anchor>,
}

/// Where a key led.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stepped {
    /// The event.
    pub seq: u64,
    /// Its place in the list, from 0.
    pub index: u32,
}

/// Rows of a view.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// How many rows the view has.
    pub total: u32,
    /// Of these, how many are newer than a list that stands still.
    pub newer: u32,
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
    /// How many events were looked at of those recorded before it was opened.
    pub looked: u64,
    /// How many there were; the view is complete once both are equal.
    pub to_look: u64,
    /// Rows it had that are no longer kept.
    pub gone: u64,
    /// Events recorded since the start, all views and none.
    pub recorded: u64,
    /// Events no longer kept: budget.
    pub evicted: u64,
    /// Events that were too large for the budget and never kept.
    pub not_taken: u64,
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

/// Asks how many rows a view has in each of the last spans of time, whatever time its filter asks for.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RateRequest {
    /// The view.
    pub view: u32,
    /// Seconds of a span, at least 1; `None` for as many as it takes to show everything kept.
    pub seconds: Option<u32>,
    /// How many spans up to now, at most 3,600.
    pub buckets: u32,
}

/// Rows over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RateChart {
    /// When the first span begins.
    pub from: i64,
    /// Seconds of a span.
    pub seconds: u32,
    /// Rows in each span, oldest first.
    pub counts: Vec<u32>,
    /// Of these, what went wrong: refused, failed, lost, tried again.
    pub failed: Vec<u32>,
    /// From when on the view's filter selects rows, if it says so.
    pub since: Option<i64>,
    /// Before when.
    pub until: Option<i64>,
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
    /// Bytes that an event carries without having published them; what was published is read by `decode.event`.
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
    /// Where the specification says what it is: `MQTT 5.0 §3.3.1.2`.
    #[serde(default)]
    pub section: Option<String>,
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
