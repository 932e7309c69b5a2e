//! What the Live Inspector and the bucket show.

use relayscope_domain::filter::{Filter, FilterEdit, KindName, Mistake};
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

/// A filter's line, read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterReading {
    /// The line: as it came, or after a click as it is written.
    pub line: String,
    /// What it means, unless it has mistakes.
    pub filter: Option<Filter>,
    /// The kinds it asks for: chips that are on.
    pub kinds: Vec<KindName>,
    /// What is wrong, and where.
    pub mistakes: Vec<Mistake>,
}

/// Changes a filter by a click.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterEditRequest {
    /// The line before.
    pub line: String,
    /// The click.
    pub edit: FilterEdit,
}

/// A filter that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedFilter {
    /// Number.
    pub id: i64,
    /// Name, unlike all others.
    pub name: String,
    /// The filter's line.
    pub line: String,
}

/// Saves a filter.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterDraft {
    /// The filter to rename or change, or `None` for a new one.
    pub id: Option<i64>,
    /// Name.
    pub name: String,
    /// The filter's line.
    pub line: String,
}

/// Names a saved filter.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterRequest {
    /// Number.
    pub id: i64,
}

/// What a file of events looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FeedFormat {
    /// One JSON object an event and line.
    Ndjson,
    /// For spreadsheets: a line of column names, one row a message.
    Csv,
    /// As TagoIO's inspector writes it.
    Txt,
}

/// Writes the rows of a view to a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FeedExportRequest {
    /// The view.
    pub view: u32,
    /// What the file looks like.
    pub format: FeedFormat,
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

/// What children of a branch are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TopicOrder {
    /// Name, ascending.
    #[default]
    Name,
    /// Rate, the fastest first.
    Rate,
    /// Time of the newest row, the newest first.
    Time,
}

/// Asks for children of a branch of the topic tree.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TopicsRequest {
    /// A view that looks at topics.
    pub view: u32,
    /// The branch, as a topic; `None` for the top.
    pub branch: Option<String>,
    /// Order.
    pub order: TopicOrder,
    /// How many to pass over.
    pub from: u32,
    /// How many, at most 1,000.
    pub count: u32,
}

/// Children of a branch.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TopicRows {
    /// How many the branch has.
    pub total: u32,
    /// Those asked for.
    pub rows: Vec<TopicRow>,
}

/// One level of the topic tree.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TopicRow {
    /// The whole topic.
    pub topic: String,
    /// Its last level.
    pub name: String,
    /// Rows of this very topic.
    pub own: u32,
    /// Rows of it and everything below it.
    pub below: u32,
    /// Its children.
    pub children: u32,
    /// Rows per second of it and everything below it, over about ten seconds.
    pub rate: f64,
    /// Time of the newest row of it and everything below it.
    pub last_at: i64,
    /// The last message of this very topic, or the newest row where there is none.
    pub last: Option<Row>,
    /// Whether that message was retained.
    pub retained: bool,
}

/// Asks for lives of clients, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionsRequest {
    /// A view that looks at connections.
    pub view: u32,
    /// How many newer ones to pass over.
    pub from: u32,
    /// How many, at most 1,000.
    pub count: u32,
}

/// Lives of clients.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRows {
    /// How many there are.
    pub total: u32,
    /// Those asked for.
    pub rows: Vec<ConnectionRow>,
}

/// One client's life.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRow {
    /// Its number in the view.
    pub connection: u32,
    /// Where it was seen.
    pub source: String,
    /// Client id.
    pub client: String,
    /// How many rows it has.
    pub rows: u32,
    /// Its connect line, if that is still kept.
    pub begun: Option<Row>,
    /// Its newest row.
    pub newest: Option<Row>,
    /// Whether it ended.
    pub ended: bool,
}

/// Rows of one client's life.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TitledRows {
    /// How many it has.
    pub total: u32,
    /// Those asked for, oldest first.
    pub rows: Vec<TitledRow>,
}

/// One line of the feed with TagoIO's title.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TitledRow {
    /// `[MQTT] Device publish`.
    pub title: String,
    /// The line.
    pub row: Row,
}

/// Asks for rows of one client's life, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRowsRequest {
    /// A view that looks at connections.
    pub view: u32,
    /// The life's number.
    pub connection: u32,
    /// How many older rows to pass over.
    pub from: u32,
    /// How many, at most 1,000.
    pub count: u32,
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

/// Asks for events of the history, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRequest {
    /// The filter's line.
    pub line: String,
    /// Only events before this number: where the last answer ended.
    pub before: Option<u64>,
    /// How many, at most 1,000.
    pub count: u32,
}

/// Events of the history.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRows {
    /// Those found, newest first; their numbers are the history's.
    pub rows: Vec<Row>,
    /// From where on to go on; nothing at the end. A search may stop on its way to say how far it is.
    pub next: Option<u64>,
}

/// How the history stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryStatus {
    /// Whether events are being recorded.
    pub recording: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes allowed.
    pub budget: u64,
    /// Events kept.
    pub events: u64,
    /// When the oldest happened.
    pub oldest: Option<i64>,
    /// Events of this run that could not be written before they had to make room.
    pub missed: u64,
    /// What a person should know: a file that was set aside, why recording ended.
    pub notice: Option<String>,
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
    /// Payload of an event in the history; that of one in the feed is read by `decode.event`.
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
