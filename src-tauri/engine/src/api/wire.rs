//! What travels between the engine and a page, in the page's spelling. Only data: no rule lives here.
//!
//! Times are Unix milliseconds, durations milliseconds, sizes bytes, rates per second, unless a field says otherwise.

mod bucket;
mod charts;
mod decoders;
mod embedded;
mod endpoint;
mod feed;
mod filters;
mod forms;
mod history;
mod letters;
mod listeners;
mod looks;
mod recordings;
mod sessions;
mod status;
mod taps;

pub use bucket::*;
pub use charts::*;
pub use decoders::*;
pub use embedded::*;
pub use endpoint::*;
pub use feed::*;
pub use filters::*;
pub use forms::*;
pub use history::*;
pub use letters::*;
pub use listeners::*;
pub use looks::*;
pub use recordings::*;
pub use sessions::*;
pub use status::*;
pub use taps::*;

use relayscope_domain::broker::BrokerDraft;
use relayscope_domain::id::{BrokerId, RelayId, TokenId};
use relayscope_domain::problem::Problem;
use relayscope_domain::relay::RelayDraft;
use relayscope_domain::settings::Settings;
use relayscope_domain::tap::TapDraft;
use relayscope_domain::token::{Region, TokenDraft};
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
    /// The chart of the inspector got values.
    Chart(ChartFrame),
    /// The inspector's sessions, as something about them changed.
    Sessions(SessionsFrame),
    /// A publication went on.
    Publish(PublishProgress),
    /// An export went on.
    Capture(CaptureFrame),
    /// A replay went on.
    Replay(ReplayProgress),
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
    /// When this run of the app began.
    pub started_at: i64,
    /// Nothing was configured and the doors were not passed yet.
    pub first_run: bool,
    /// Notices from opening the data (a damaged file that was set aside, a copy made before a migration).
    pub notices: Vec<String>,
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
    /// A new tap.
    pub tap: TapDraft,
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
