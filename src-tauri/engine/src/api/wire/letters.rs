//! Dead letters and what waits, as pages see them.

pub use relayscope_domain::decode::encode::Form as PayloadForm;

use super::PayloadView;
use relayscope_domain::id::{MessageId, RelayId};
use relayscope_domain::message::Qos;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Selects dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LettersFilter {
    /// Of one relay, or of all.
    pub relay_id: Option<RelayId>,
    /// What topic, reason, answer or text payload must contain; case does not matter. Empty selects all.
    pub text: String,
    /// What was answered; `None` selects all.
    pub status: Option<LetterStatus>,
}

/// The last answer's HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum LetterStatus {
    /// This status.
    Code {
        /// `400`.
        code: u16,
    },
    /// No answer came.
    NoAnswer,
}

/// Asks for dead letters, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LettersRequest {
    /// Which.
    pub filter: LettersFilter,
    /// Only those with a lower number: what came later moves no rows. `None` begins with the newest.
    pub before: Option<i64>,
    /// How many of those to pass over.
    pub skip: u32,
    /// How many to return, at most 500.
    pub count: u32,
}

/// Dead letters.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Letters {
    /// How many the filter selects.
    pub total: u64,
    /// How many of those have a lower number than `before`: as long is the list that it begins.
    pub length: u64,
    /// The highest number that the filter selects, 0 when there is none.
    pub newest: i64,
    /// What was answered to the letters of this relay and text, the most frequent first.
    pub statuses: Vec<StatusCount>,
    /// Those asked for.
    pub letters: Vec<LetterRow>,
}

/// How many letters got an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StatusCount {
    /// The answer.
    pub status: LetterStatus,
    /// How many.
    pub count: u64,
}

/// A message that could not be delivered, in one line.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LetterRow {
    /// Its number.
    pub id: i64,
    /// Relay's name.
    pub relay: String,
    /// Topic.
    pub topic: String,
    /// QoS it came with.
    pub qos: Qos,
    /// Retain flag it came with.
    pub retain: bool,
    /// Bytes of the payload.
    pub size: u64,
    /// When it was received.
    pub received_at: i64,
    /// When it was given up.
    pub died_at: i64,
    /// Why, in words.
    pub reason: String,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// Attempts made.
    pub attempts: u32,
    /// Whether a person edited it.
    pub edited: bool,
    /// The payload in one line.
    pub preview: String,
}

/// A dead letter by its number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LetterRequest {
    /// Which.
    pub id: i64,
}

/// Everything about one dead letter.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LetterDetail {
    /// Its line.
    pub row: LetterRow,
    /// The message, as its events name it.
    pub message_id: MessageId,
    /// Whether its relay is still there: only then it can be sent again.
    pub relay_exists: bool,
    /// The request that failed: method, address with masked secrets, head. Empty when none was kept.
    pub request: String,
    /// The last answer.
    pub answer: String,
    /// The payload.
    pub payload: PayloadView,
    /// A form to edit it.
    pub draft: LetterDraft,
}

/// A dead letter's form.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LetterDraft {
    /// Which.
    pub id: i64,
    /// Topic.
    pub topic: String,
    /// Payload; `None` leaves it as it is, as for one that is too large for a form.
    pub payload: Option<PayloadDraft>,
}

/// A payload as it is written in a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PayloadDraft {
    /// How it is written.
    pub form: PayloadForm,
    /// What is written.
    pub text: String,
}

/// A payload to be written another way.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RewriteRequest {
    /// As it is written.
    pub payload: PayloadDraft,
    /// As it is to be written.
    pub form: PayloadForm,
}

/// Letters that something is to be done with.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LetterChoice {
    /// These.
    These {
        /// Their numbers.
        ids: Vec<i64>,
    },
    /// All that a filter selects.
    Matching {
        /// The filter.
        filter: LettersFilter,
        /// But none with a higher number than this: nothing that came after a person looked.
        upto: i64,
        /// And not these.
        except: Vec<i64>,
    },
}

/// What became of letters.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LettersMoved {
    /// How many.
    pub count: u64,
    /// In words, what stayed included.
    pub words: String,
    /// Whether some stayed.
    pub tone: super::Tone,
}

/// Letters that were discarded.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Discarded {
    /// How many.
    pub count: u64,
    /// In words.
    pub words: String,
    /// Names this discard when it is to be taken back.
    pub undo: i64,
    /// Until when it can be.
    pub until: i64,
}

/// Takes a discard back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UndoRequest {
    /// Which.
    pub undo: i64,
}

/// Writes letters into a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportRequest {
    /// Which.
    pub choice: LetterChoice,
    /// How.
    pub format: ExportFormat,
}

/// What a file of letters looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// One JSON object a line; holds everything exactly.
    Ndjson,
    /// For spreadsheets, with a line of column names.
    Csv,
}

/// A file of letters.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Where it lies.
    pub path: String,
    /// How many letters it has.
    pub count: u64,
    /// In words.
    pub words: String,
}

/// Pages through what waits for a relay, oldest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRequest {
    /// Which relay.
    pub relay_id: RelayId,
    /// Entries after this number.
    pub after: Option<i64>,
    /// Or those before this number, the nearest.
    pub before: Option<i64>,
    /// How many, at most 500.
    pub count: u32,
}

/// What waits.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// How many wait, those under way included.
    pub total: u64,
    /// Those asked for, oldest first.
    pub entries: Vec<WaitingRow>,
}

/// A waiting message in one line.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRow {
    /// Its number in the queue.
    pub id: i64,
    /// Topic.
    pub topic: String,
    /// QoS it came with.
    pub qos: Qos,
    /// Retain flag it came with.
    pub retain: bool,
    /// Bytes of the payload.
    pub size: u64,
    /// When it was received.
    pub received_at: i64,
    /// Attempts made so far.
    pub attempts: u32,
    /// The payload in one line.
    pub preview: String,
}
