//! What holds for the whole app.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Settings a person can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Colours.
    pub theme: Theme,
    /// Memory budget of the feed, in megabytes (16 to 4096).
    pub feed_megabytes: u32,
    /// Largest MQTT packet taken, in megabytes (1 to 256); larger ones are skipped and counted.
    pub packet_megabytes: u32,
    /// What is recorded on disk.
    pub history: HistorySettings,
    /// Whether the first-run doors were passed.
    pub welcomed: bool,
    /// Whether the rail of places shows icons only.
    pub rail_folded: bool,
    /// What the inspector's column of times shows.
    pub time_column: TimeColumn,
}

impl Settings {
    /// The memory budget of the feed in bytes.
    pub fn feed_bytes(&self) -> usize {
        self.feed_megabytes as usize * 1_000_000
    }

    /// The largest MQTT packet taken, in bytes.
    pub fn packet_bytes(&self) -> u32 {
        self.packet_megabytes * 1_000_000
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            feed_megabytes: 256,
            packet_megabytes: 16,
            history: HistorySettings::default(),
            welcomed: false,
            rail_folded: false,
            time_column: TimeColumn::Clock,
        }
    }
}

/// The feed's history on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct HistorySettings {
    /// Whether events are recorded.
    pub enabled: bool,
    /// Budget on disk, in megabytes (10 to 1,000,000).
    pub megabytes: u32,
    /// How many days are kept (1 to 3,650).
    pub days: u32,
}

impl HistorySettings {
    /// The budget on disk in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.megabytes) * 1_000_000
    }
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { enabled: false, megabytes: 1_000, days: 7 }
    }
}

/// What stands in the inspector's column of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TimeColumn {
    /// The time of day.
    #[default]
    Clock,
    /// Since the event before it in the list.
    Previous,
    /// Since the app was started.
    Start,
}

/// Colours of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}
