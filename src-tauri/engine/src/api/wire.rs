//! What travels between the engine and a page, in the page's spelling. Only data: no rule lives here.
//!
//! Times are Unix milliseconds, durations milliseconds, sizes bytes, rates per second, unless a field says otherwise.

use relayscope_domain::broker::{Broker, BrokerDraft};
use relayscope_domain::id::{BrokerId, MessageId, RelayId, TokenId};
use relayscope_domain::message::Qos;
use relayscope_domain::problem::Problem;
use relayscope_domain::relay::{Ledger, Relay, RelayDraft};
use relayscope_domain::settings::Settings;
use relayscope_domain::token::{Region, Token, TokenDraft};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Nothing, as an answer or a question: JSON `null`.
pub type Nothing = ();

/// Why a call failed, in words that can be shown.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What the page does with it.
    pub code: ErrorCode,
    /// What happened, why, and what to do.
    pub message: String,
    /// With [`ErrorCode::Invalid`]: every problem at its field.
    pub problems: Vec<Problem>,
    /// With [`ErrorCode::InUse`]: the names of what uses it.
    pub users: Vec<String>,
}

/// Kinds of failure that the page treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// Show the problems at their fields.
    Invalid,
    /// It was deleted meanwhile: go back to the list.
    NotFound,
    /// Show the list of users.
    InUse,
    /// Show the message.
    Failed,
}

/// Pushed through `subscribe`; at most about 10 a second of each kind.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Frame {
    /// State, rates and ledgers of everything.
    Status(Box<StatusSnapshot>),
    /// An open view grew, shrank or was paused.
    View(ViewFrame),
    /// A step of a running connection test ended.
    TestStep(TestStepFrame),
    /// Saved configuration changed: read the lists again.
    Config,
}

/// What the app is and where it keeps its things.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// Version of Relayscope.
    pub version: String,
    /// Data folder.
    pub data_dir: String,
    /// Log folder.
    pub log_dir: String,
    /// Where the data key lies, in words.
    pub key_location: String,
    /// Nothing was configured and the doors were not passed yet.
    pub first_run: bool,
    /// Notices from opening the data (a damaged file that was set aside, a copy made before a migration).
    pub notices: Vec<String>,
}

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

/// A broker as the list and the form need it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerView {
    /// Saved values, without secrets.
    pub broker: Broker,
    /// A draft with the same values, for the form.
    pub draft: BrokerDraft,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Whether a client key is stored.
    pub has_client_key: bool,
    /// Certificates of the stored PEM texts in words, such as `Plant Root CA · until 2031-04-02`.
    pub ca_summary: Option<String>,
    /// The same for the client certificate.
    pub client_cert_summary: Option<String>,
    /// Names of the relays that use it.
    pub users: Vec<String>,
}

/// Asks for a connection test of what the form holds.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestRequest {
    /// The form.
    pub draft: BrokerDraft,
    /// A number made by the page; [`Frame::TestStep`] carries it, and `brokers.testCancel` takes it.
    pub test_id: u32,
}

/// Steps of a connection test, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TestStepName {
    /// Name lookup.
    Name,
    /// TCP connection.
    Tcp,
    /// TLS handshake, chain and expiry.
    Tls,
    /// CONNECT and CONNACK.
    Connack,
    /// SUBSCRIBE and SUBACK.
    Suback,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TestOutcome {
    /// Passed.
    Ok,
    /// Passed with a warning.
    Warning,
    /// Failed; later steps were not reached.
    Failed,
    /// Not part of this transport.
    Skipped,
    /// A step before failed.
    NotReached,
    /// The person cancelled.
    Cancelled,
}

/// One step of a connection test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// Which.
    pub name: TestStepName,
    /// How it ended.
    pub outcome: TestOutcome,
    /// How long it took.
    pub millis: u32,
    /// What was found: addresses, certificates, the broker's limits.
    pub detail: Vec<String>,
    /// For a failure: what to do.
    pub advice: String,
}

/// All steps of a test.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// All five, in order.
    pub steps: Vec<TestStep>,
    /// Whether the broker can be used as it is.
    pub passed: bool,
}

/// A step that just ended.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestStepFrame {
    /// The test.
    pub test_id: u32,
    /// The step.
    pub step: TestStep,
}

/// A token as the list needs it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    /// Saved values, without the secret.
    pub token: Token,
    /// The region in words.
    pub region_words: String,
    /// Names of the relays that use it.
    pub users: Vec<String>,
}

/// What `GET /info` said of a token.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Which of the cases it is.
    pub outcome: VerifyOutcome,
    /// In words, with what to do.
    pub message: String,
    /// HTTP status, when one came.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u32,
}

/// Cases of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum VerifyOutcome {
    /// Valid, and of the kind it says.
    Ok,
    /// Valid in another region.
    WrongRegion,
    /// Valid, but of another kind.
    WrongKind,
    /// Refused by the API.
    Refused,
    /// No answer.
    Unreachable,
    /// The API has no way to ask about this kind alone (an authorization).
    NotCheckable,
}

/// A relay as the list and the editor need it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayView {
    /// Saved values.
    pub relay: Relay,
    /// A draft with the same values, for the editor.
    pub draft: RelayDraft,
    /// Each filter with what the broker last answered, in words: `granted QoS 1`, `refused: not authorized`.
    pub grants: Vec<Grant>,
}

/// What the broker answered to one filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The filter.
    pub filter: String,
    /// In words.
    pub words: String,
    /// Colour.
    pub tone: Tone,
}

/// What is done to a relay by a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RelayAction {
    /// Enables it.
    Start,
    /// Disables it.
    Stop,
    /// Stops and starts it.
    Restart,
}

/// Asks for an action on a relay.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayActionRequest {
    /// Which relay.
    pub id: RelayId,
    /// What.
    pub action: RelayAction,
}

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

/// Pages through dead letters, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterRequest {
    /// Of one relay, or of all.
    pub relay_id: Option<RelayId>,
    /// Rows to pass over.
    pub from: u32,
    /// Rows to return, at most 500.
    pub count: u32,
}

/// Dead letters.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// How many there are.
    pub total: u32,
    /// Those asked for.
    pub letters: Vec<DeadLetterView>,
}

/// A message that could not be delivered, kept.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterView {
    /// Its number.
    pub id: i64,
    /// Relay's name.
    pub relay: String,
    /// Topic.
    pub topic: String,
    /// QoS it came with.
    pub qos: Qos,
    /// When it was received.
    pub received_at: i64,
    /// When it was given up.
    pub died_at: i64,
    /// Why, in words.
    pub reason: String,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The last answer, cut at 2,000 characters.
    pub answer: String,
    /// Attempts made.
    pub attempts: u32,
    /// The payload.
    pub payload: PayloadView,
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

/// A file to import.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportRequest {
    /// Name, for messages.
    pub file_name: String,
    /// Contents.
    pub text: String,
}

/// What an import would create.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportPreview {
    /// One line each: `Broker “mqtt.plant.example” · TLS · port 8883`. Secrets as last five characters.
    pub creates: Vec<String>,
    /// What the file says that is taken otherwise, and why.
    pub notes: Vec<String>,
}

/// Settings and what depends on them.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    /// Values.
    pub settings: Settings,
    /// About.
    pub info: AppInfo,
}

/// A starting point for a form.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Blank {
    /// A new broker.
    pub broker: BrokerDraft,
    /// A new relay.
    pub relay: RelayDraft,
    /// A new token.
    pub token: TokenDraft,
}

/// A region with its words, for choosers.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RegionChoice {
    /// The region.
    pub region: Region,
    /// In words.
    pub words: String,
    /// Its address, when it has a fixed one.
    pub url: Option<String>,
}

/// A secret shown on demand.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Revealed {
    /// The value.
    pub value: String,
}

/// Asks for a token by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// Which.
    pub id: TokenId,
}

/// Asks for a broker by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerRequest {
    /// Which.
    pub id: BrokerId,
}

/// Asks for a relay by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayRequest {
    /// Which.
    pub id: RelayId,
}

/// One event by its number.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EventRequest {
    /// Number.
    pub seq: u64,
}

/// A number of a view or a test.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NumberRequest {
    /// Which.
    pub number: u32,
}

/// A text to check.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TextRequest {
    /// The text.
    pub text: String,
}

/// A PEM text in words.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PemSummary {
    /// In words: `Plant Root CA · until 2031-04-02`.
    pub words: String,
    /// What is wrong with it.
    pub problem: Option<String>,
}
