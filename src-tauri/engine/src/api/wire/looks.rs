//! Rows of a view arranged otherwise than as a list: by topic and by connection.

use super::Row;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
