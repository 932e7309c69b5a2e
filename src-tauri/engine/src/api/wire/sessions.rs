//! The inspector's sessions, and messages that a person publishes.

use super::{StateWords, Tone};
use relayscope_domain::decode::encode::Mistake;
use relayscope_domain::id::BrokerId;
use relayscope_domain::message::Qos;
use relayscope_domain::problem::Problem;
use relayscope_domain::publish::{MessageDraft, RepeatDraft};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A filter and the QoS asked for.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionFilterDraft {
    /// Filter.
    pub filter: String,
    /// QoS.
    pub qos: Qos,
}

/// A session to be opened.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionDraft {
    /// At which broker.
    pub broker_id: Option<BrokerId>,
    /// What to subscribe to; at least one.
    pub filters: Vec<SessionFilterDraft>,
    /// Filters like `#` are meant as they stand.
    pub everything: bool,
}

/// A filter for an open session. One that is there takes the new QoS.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionFilterRequest {
    /// The session.
    pub number: u32,
    /// Filter.
    pub filter: String,
    /// QoS.
    pub qos: Qos,
    /// Filters like `#` are meant as they stand.
    pub everything: bool,
}

/// A filter that a session gives up.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionFilterRemoval {
    /// The session.
    pub number: u32,
    /// Filter.
    pub filter: String,
}

/// All open sessions, by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionsFrame {
    /// Those a person opened.
    pub sessions: Vec<SessionView>,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its number.
    pub number: u32,
    /// At which broker.
    pub broker_id: BrokerId,
    /// That broker's name.
    pub broker: String,
    /// Its own client id; empty before it was first started.
    pub client_id: String,
    /// How it stands.
    pub state: StateWords,
    /// What to do about it; empty when nothing.
    pub advice: String,
    /// Filters, in the order they were added.
    pub filters: Vec<SessionFilterView>,
    /// Messages that came.
    pub received: u64,
    /// Messages that came and are not in the feed: too large.
    pub lost: u64,
}

/// A filter of an open session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionFilterView {
    /// Filter.
    pub filter: String,
    /// QoS asked for.
    pub qos: Qos,
    /// How it stands: `granted QoS 1`, `refused: …`.
    pub words: String,
    /// Whether that is good.
    pub tone: Tone,
}

/// What the publish form says while it is typed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MessageCheck {
    /// Every problem at its field.
    pub problems: Vec<Problem>,
    /// Where the payload's mistake stands.
    pub mistake: Option<Mistake>,
    /// Bytes of the payload, when it is one.
    pub size: Option<u64>,
}

/// A message to be published.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublishRequest {
    /// At which broker.
    pub broker_id: Option<BrokerId>,
    /// Through an open session of that broker; else over a connection of its own, for this only.
    pub session: Option<u32>,
    /// The message.
    pub message: MessageDraft,
    /// More than once.
    pub repeat: Option<RepeatDraft>,
}

/// How a publication stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublishProgress {
    /// Its number.
    pub number: u32,
    /// The broker's name.
    pub broker: String,
    /// Topic.
    pub topic: String,
    /// Messages to be sent.
    pub count: u32,
    /// Messages sent so far.
    pub sent: u32,
    /// Of these, written or acknowledged.
    pub taken: u32,
    /// Whether nothing more will happen.
    pub done: bool,
    /// What came of it, in words.
    pub words: String,
    /// Whether that is good.
    pub tone: Tone,
    /// Where answers are looked for.
    pub response_topic: Option<String>,
    /// Requests and their answers, oldest first.
    pub pairs: Vec<PublishPair>,
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublishPair {
    /// Correlation data: text, or hexadecimal when it is none.
    pub correlation: String,
    /// When the request went out.
    pub at: i64,
    /// Milliseconds from there to the answer.
    pub took: Option<f64>,
    /// Beginning of the answer's payload.
    pub answer: Option<String>,
    /// Bytes of it.
    pub size: Option<u64>,
    /// Whether the answer carried the correlation data; else it was taken for the oldest request.
    pub correlated: bool,
}

/// A message that was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedMessage {
    /// Its number.
    pub id: i64,
    /// Its folder; empty outside of any.
    pub folder: String,
    /// Its name, once in a folder.
    pub name: String,
    /// The form.
    pub message: MessageDraft,
}

/// A message to be kept.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedMessageDraft {
    /// In the place of this one; `None` for a new one.
    pub id: Option<i64>,
    /// Folder.
    pub folder: String,
    /// Name.
    pub name: String,
    /// The form; need not be valid yet.
    pub message: MessageDraft,
}

/// Another folder or name for a message.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MessagePlace {
    /// Which.
    pub id: i64,
    /// Folder.
    pub folder: String,
    /// Name.
    pub name: String,
}

/// Another name for a folder.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FolderRename {
    /// Its name.
    pub from: String,
    /// Its new name.
    pub to: String,
}

/// Asks for a saved message.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MessageRequest {
    /// Which.
    pub id: i64,
}
