//! What travels about decoders: an event's payload read, schemas, bindings.

use relayscope_domain::decode::DecodeError;
use relayscope_domain::decode::binding::{Choice, DecoderDraft};
use relayscope_domain::decode::path::NumberAt;
use relayscope_domain::decode::tree::Node;
use relayscope_domain::id::{BindingId, SchemaId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An event whose payload is to be read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecodeRequest {
    /// Its number.
    pub seq: u64,
    /// The decoder that a person chose for this look; `None` leaves it to bindings.
    pub decoder: Option<DecoderDraft>,
    /// Whether the number is one of the history, not of the feed.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub history: bool,
}

/// A payload that was read, or why it could not be.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecodedEvent {
    /// The decoder, and why it is this one.
    pub choice: Choice,
    /// What it gave; `None` with `error`.
    pub decoded: Option<DecodedView>,
    /// Why it gave nothing.
    pub error: Option<DecodeError>,
    /// The first numbers in it with their paths, for charts.
    pub numbers: Vec<NumberAt>,
    /// The message before it of the same topic, seen at the same place, if it is kept.
    pub previous: Option<u64>,
    /// When only the beginning of the payload was kept: how many bytes.
    pub kept: Option<u64>,
}

/// What a decoder gave; its text is asked for by lines.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecodedView {
    /// What gave the tree: the innermost decoder.
    pub decoder: String,
    /// The wrappers that were opened, outermost first, in words.
    pub layers: Vec<String>,
    /// The tree.
    pub root: Node,
    /// Nodes in the tree.
    pub shown: u64,
    /// Nodes in the payload.
    pub total: u64,
    /// What was cut, and what is odd.
    pub notes: Vec<String>,
}

/// What lines are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LinesForm {
    /// The readable text that the decoder gave.
    Pretty,
    /// Offset, bytes in hexadecimal and ASCII, of the payload as it came.
    Hex,
}

/// Asks for lines of a payload.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PayloadLinesRequest {
    /// The event's number.
    pub seq: u64,
    /// The decoder that a person chose.
    pub decoder: Option<DecoderDraft>,
    /// What lines.
    pub form: LinesForm,
    /// Characters that a line has room for, 20 to 2,000.
    pub columns: u32,
    /// How many to pass over.
    pub from: u32,
    /// How many, at most 1,000.
    pub count: u32,
    /// Whether the number is one of the history, not of the feed.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub history: bool,
}

/// Lines of a payload.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PayloadLines {
    /// How many there are.
    pub total: u32,
    /// Those asked for.
    pub lines: Vec<String>,
}

/// What of a payload is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CopyForm {
    /// The readable text that the decoder gave.
    Shown,
    /// The payload, when it is UTF-8.
    Text,
    /// The payload as hexadecimal digits.
    Hex,
    /// The payload as Base64.
    Base64,
    /// A command that publishes it again.
    MosquittoPub,
}

/// Asks for a text to copy.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CopyRequest {
    /// The event's number.
    pub seq: u64,
    /// The decoder that a person chose.
    pub decoder: Option<DecoderDraft>,
    /// What is copied.
    pub form: CopyForm,
    /// Whether the number is one of the history, not of the feed.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub history: bool,
}

/// A text to copy.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// The text.
    pub text: String,
    /// What it is, in words.
    pub words: String,
}

/// A message that was seen: to be saved as a file, or to be published again.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PayloadRequest {
    /// Its number.
    pub seq: u64,
    /// Whether the number is one of the history, not of the feed.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub history: bool,
}

/// Two events whose payloads are to be compared.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiffRequest {
    /// The earlier.
    pub left: u64,
    /// The later.
    pub right: u64,
    /// The decoder that a person chose for both; `None` leaves it to bindings.
    pub decoder: Option<DecoderDraft>,
    /// Whether the numbers are those of the history, not of the feed.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub history: bool,
}

/// A binding.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BindingRequest {
    /// Which.
    pub id: BindingId,
}

/// A schema.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SchemaRequest {
    /// Which.
    pub id: SchemaId,
}

/// A schema as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SchemaView {
    /// Identity.
    pub id: SchemaId,
    /// Name.
    pub name: String,
    /// Message types to choose from.
    pub messages: Vec<String>,
}
