//! The history on disk: how it stands and what a search finds.

use super::Row;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
    /// How much of the history has been looked through, 0 to 1.
    pub looked: f64,
    /// When the oldest event that was looked at happened.
    pub reached: Option<i64>,
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
    /// When the newest happened.
    pub newest: Option<i64>,
    /// Events of this run that could not be written before they had to make room.
    pub missed: u64,
    /// What a person should know: a file that was set aside, why recording ended.
    pub notice: Option<String>,
}
