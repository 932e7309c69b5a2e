//! What pages ask of exports, recordings read from files, and replays.

use super::Tone;
use relayscope_domain::id::BrokerId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum CaptureOf {
    /// All rows of a view, of the feed or of a recording.
    View {
        /// The view.
        view: u32,
    },
    /// Rows of a view from one event to another, both included.
    Range {
        /// The view.
        view: u32,
        /// Number of one end.
        from: u64,
        /// Number of the other end.
        to: u64,
    },
    /// Events of the history.
    History {
        /// The filter's line.
        line: String,
    },
}

/// What a file of events looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CaptureFormat {
    /// One JSON object an event and line; can be read again.
    Ndjson,
    /// For spreadsheets: a line of column names, one row a message.
    Csv,
    /// As TagoIO's inspector writes it.
    Txt,
    /// Packets, for Wireshark.
    Pcapng,
}

/// Writes events to a file. Answered when it is written; [`CaptureFrame`]s tell how far it is.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaptureRequest {
    /// A number made by the page; frames carry it, and `capture.cancel` takes it.
    pub number: u32,
    /// Which events.
    pub of: CaptureOf,
    /// What the file looks like.
    pub format: CaptureFormat,
    /// The folder it is written to; empty for the folder for downloads.
    pub folder: String,
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaptureFrame {
    /// The page's number.
    pub number: u32,
    /// What is being done.
    pub words: String,
    /// How much of it is done.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// Where files are written.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CaptureFolder {
    /// The folder for downloads, or one beside the databases.
    pub folder: String,
}

/// Begins to read a file of events; the page sends its parts.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingDraft {
    /// The file's name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

/// The next part of a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingPart {
    /// The recording.
    pub number: u32,
    /// Bytes, in Base64.
    pub data: String,
    /// Whether nothing more comes.
    pub last: bool,
}

/// Events that were read from a file, for looking at and for replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingView {
    /// Its number.
    pub number: u32,
    /// The file's name.
    pub name: String,
    /// The file's bytes.
    pub size: u64,
    /// Bytes read.
    pub read: u64,
    /// Lines read, empty ones not counted.
    pub lines: u64,
    /// Events kept.
    pub events: u64,
    /// Events that the memory for a recording is too small for; the oldest are given up first.
    pub given_up: u64,
    /// Lines that are no events.
    pub broken: u64,
    /// The first of them.
    pub broken_lines: Vec<BrokenLine>,
    /// Whether the whole file was read.
    pub done: bool,
}

/// A line that is no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokenLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// How fast messages are published again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReplayPace {
    /// As they came.
    Once,
    /// Ten times as fast.
    Tenfold,
    /// As fast as the broker takes them.
    Most,
    /// One at a click.
    Steps,
}

/// Asks for messages to be published again, or what that would be.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplayRequest {
    /// Which events.
    pub of: CaptureOf,
    /// To which broker.
    pub broker_id: Option<BrokerId>,
    /// How fast.
    pub pace: ReplayPace,
}

/// What a replay would be. A person says yes to this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplayPlan {
    /// Messages.
    pub messages: u32,
    /// Their payloads' bytes.
    pub bytes: u64,
    /// From the first to the last as they came, milliseconds.
    pub millis: u64,
    /// What is asked: `Publish 1,204 messages to “Plant 3”?`
    pub question: String,
    /// What is left out, and why.
    pub left_out: Vec<String>,
}

/// Begins a replay that a person said yes to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplayStart {
    /// What was asked.
    pub request: ReplayRequest,
    /// How many messages the person said yes to; a view that grew since has no more of them published.
    pub messages: u32,
}

/// What a person does to a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReplayAct {
    /// Holds it.
    Pause,
    /// Lets it go on.
    Resume,
    /// Publishes the next message.
    Step,
    /// Ends it.
    Cancel,
}

/// Does something to a replay.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplayActRequest {
    /// Which.
    pub number: u32,
    /// What.
    pub act: ReplayAct,
}

/// How a replay stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplayProgress {
    /// Its number.
    pub number: u32,
    /// The broker's name.
    pub broker: String,
    /// How fast.
    pub pace: ReplayPace,
    /// Messages in all.
    pub messages: u32,
    /// Handed to the connection.
    pub sent: u32,
    /// Of these, acknowledged (QoS 1 and 2) or written (QoS 0).
    pub taken: u32,
    /// Of these, refused.
    pub refused: u32,
    /// The first refusals, in words.
    pub refusals: Vec<String>,
    /// The topic of the next message.
    pub next: Option<String>,
    /// Whether a person holds it.
    pub paused: bool,
    /// Whether nothing more happens.
    pub done: bool,
    /// How it stands, in words.
    pub words: String,
    /// How good that is.
    pub tone: Tone,
}
