//! What forms of listeners ask for while they are filled in: what presets hold, whether a port is free.

use relayscope_domain::broker::LimitsChoice;
use relayscope_domain::endpoint::Listen;
use relayscope_domain::id::{BrokerId, TapId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A preset and its numbers.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PresetLines {
    /// Which.
    pub choice: LimitsChoice,
    /// Its limits, line by line.
    pub lines: Vec<String>,
}

/// Asks whether a listener could have its address.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PortRequest {
    /// The saved broker it belongs to.
    pub broker_id: Option<BrokerId>,
    /// The saved tap it belongs to.
    pub tap_id: Option<TapId>,
    /// Where it listens.
    pub listen: Listen,
    /// With one address: which.
    pub address: String,
    /// The port, as typed.
    pub port: String,
}

/// Whether a listener could have its address.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PortLook {
    /// Why not, as a sentence.
    pub problem: Option<String>,
    /// With a port that is taken: the next one that is free.
    pub free: Option<u16>,
}
