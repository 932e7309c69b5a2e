//! Filter lines: read, edited by clicks, saved.

use relayscope_domain::filter::{Filter, FilterEdit, KindName, Mistake, Muted};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
    /// What it leaves out: chips that can be taken away.
    pub muted: Vec<Muted>,
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
