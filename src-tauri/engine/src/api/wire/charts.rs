//! What travels about charts. Times of points are Unix microseconds.

use relayscope_domain::decode::binding::DecoderDraft;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Charts a number of a payload: of this topic, from where this message was seen.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartPick {
    /// The message's event.
    pub seq: u64,
    /// Path of the number: `$.sensors[2].temp`.
    pub path: String,
    /// The decoder that a person chose; `None` leaves it to bindings.
    pub decoder: Option<DecoderDraft>,
}

/// Charts a number of all topics that a filter selects.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartDraft {
    /// Topic, or topic filter.
    pub topic: String,
    /// Path of the number; `$` is the payload itself.
    pub path: String,
}

/// What is no longer charted.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartRemoval {
    /// The series; `None` takes all.
    pub series: Option<u32>,
    /// One of its lines; `None` takes the series.
    pub line: Option<u32>,
}

/// What part of time is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum ChartSpan {
    /// The last seconds up to now.
    Last {
        /// How many, at least 1.
        seconds: u32,
    },
    /// Everything kept, up to now.
    All,
    /// From one time to before another, Unix microseconds.
    Between {
        /// From.
        from: i64,
        /// To.
        until: i64,
    },
}

/// Asks for points.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartRequest {
    /// The part of time.
    pub span: ChartSpan,
    /// Into how many steps it is divided at most, 10 to 4,000: of each step a line has its least and its greatest value.
    pub steps: u32,
    /// What the last answer said, when its points are still there: then only newer ones are given.
    pub known: Option<ChartKnown>,
}

/// Which points a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartKnown {
    /// [`ChartPoints::revision`].
    pub revision: u64,
    /// [`ChartPoints::step`].
    pub step: i64,
    /// [`ChartPoints::settled`].
    pub settled: i64,
}

/// The lines of the chart and their points.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartPoints {
    /// Changes when points come that are older than what is settled.
    pub revision: u64,
    /// Length of a step.
    pub step: i64,
    /// Where the part of time begins.
    pub from: i64,
    /// Where it ends: now, or what was asked for.
    pub until: i64,
    /// The points given are all from here on; older ones stand as they were.
    pub since: i64,
    /// Points before do not change any more.
    pub settled: i64,
    /// What is charted, in the order in which it was asked for.
    pub series: Vec<ChartSeries>,
}

/// One number that is charted, of one topic or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartSeries {
    /// Its number.
    pub number: u32,
    /// Topic or topic filter.
    pub topic: String,
    /// Path.
    pub path: String,
    /// The relay, broker, tap or session that sees it; `None` where the first to see a topic counts.
    pub source: Option<String>,
    /// How much of what is kept was looked through, 0 to 1.
    pub read: f64,
    /// Messages that had no such number.
    pub without: u64,
    /// Why the last of them had none.
    pub why: Option<String>,
    /// Whether more topics match than there is room for lines.
    pub more: bool,
    /// Its lines.
    pub lines: Vec<ChartLine>,
}

/// The values of one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartLine {
    /// Its number, unlike all others of the chart.
    pub number: u32,
    /// Topic.
    pub topic: String,
    /// Who saw it.
    pub source: String,
    /// Values that came.
    pub count: u64,
    /// The newest value.
    pub last: f64,
    /// When it came.
    pub last_at: i64,
    /// The least and the greatest value in the part of time that is looked at.
    pub range: Option<[f64; 2]>,
    /// Lines of one number here show their movement on one scale.
    pub scale: u32,
    /// Times of points, ascending.
    pub times: Vec<i64>,
    /// Their values; `null` interrupts the line: nothing came for long.
    pub values: Vec<Option<f64>>,
}

/// Writes the values that are kept of a part of time to a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartExport {
    /// The part of time.
    pub span: ChartSpan,
}

/// Writes a picture of the chart to a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartPicture {
    /// The PNG, as Base64.
    pub png: String,
}

/// The chart got points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartFrame {
    /// How many values came since the start.
    pub count: u64,
}
