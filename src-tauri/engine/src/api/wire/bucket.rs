//! What the local stand-in for TagoIO has stored.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
