//! Limits in a form: a preset of TagoIO's plans or numbers of one's own, and how they are checked.

use super::number;
use crate::listener::{BrokerLimits, LimitPreset};
use crate::problem::Problems;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which limits are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LimitsChoice {
    /// None but those that keep a broken client from harming others.
    #[default]
    None,
    /// TagoIO's Free plan.
    Free,
    /// TagoIO's Starter plan.
    Starter,
    /// TagoIO's Scale plan.
    Scale,
    /// The numbers of the form.
    Own,
}

/// The limits in the form; an empty text is no limit. Only [`LimitsChoice::Own`] reads them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LimitsDraft {
    /// Which.
    pub choice: LimitsChoice,
    /// Connections at the same time.
    pub connections: String,
    /// New connections per minute.
    pub connections_per_minute: String,
    /// Seconds to the first packet.
    pub first_packet_seconds: String,
    /// Publishes taken per minute.
    pub publishes_per_minute: String,
    /// Publishes delivered per minute.
    pub receives_per_minute: String,
    /// Largest packet, bytes.
    pub packet_bytes: String,
    /// Subscriptions of one client.
    pub subscriptions: String,
    /// Bytes waiting for one client that does not read.
    pub slow_reader_bytes: String,
}

impl LimitsChoice {
    /// The choice of a preset.
    pub fn of(preset: LimitPreset) -> Self {
        match preset {
            LimitPreset::None => Self::None,
            LimitPreset::Free => Self::Free,
            LimitPreset::Starter => Self::Starter,
            LimitPreset::Scale => Self::Scale,
        }
    }

    /// The preset that is chosen; nothing with numbers of one's own.
    pub fn preset(self) -> Option<LimitPreset> {
        LimitPreset::ALL.into_iter().find(|preset| Self::of(*preset) == self)
    }
}

impl LimitsDraft {
    /// The form of what is saved.
    pub fn of(limits: &BrokerLimits) -> Self {
        let text = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            choice: LimitPreset::of(limits).map_or(LimitsChoice::Own, LimitsChoice::of),
            connections: text(limits.connections),
            connections_per_minute: text(limits.connections_per_minute),
            first_packet_seconds: limits.first_packet_seconds.to_string(),
            publishes_per_minute: text(limits.publishes_per_minute),
            receives_per_minute: text(limits.receives_per_minute),
            packet_bytes: text(limits.packet_bytes),
            subscriptions: text(limits.subscriptions),
            slow_reader_bytes: text(limits.slow_reader_bytes),
        }
    }
}

/// Checks limits; `path` is where their fields lie in the draft.
pub(crate) fn check_limits(draft: &LimitsDraft, path: &str, problems: &mut Problems) -> BrokerLimits {
    match draft.choice.preset() {
        Some(preset) => preset.limits(),
        None => own_limits(draft, path, problems),
    }
}

fn own_limits(draft: &LimitsDraft, path: &str, problems: &mut Problems) -> BrokerLimits {
    let mut optional = |field: &str, text: &str, what: &str, (min, max): (u64, u64)| {
        let number = if text.trim().is_empty() { Ok(None) } else { number::<u32>(text, what, min, max).map(Some) };
        problems.take(&format!("{path}.{field}"), number).flatten()
    };
    let connections = optional("connections", &draft.connections, "number of connections", (1, 100_000));
    let connections_per_minute =
        optional("connectionsPerMinute", &draft.connections_per_minute, "number of connections", (1, 1_000_000));
    let publishes_per_minute =
        optional("publishesPerMinute", &draft.publishes_per_minute, "number of publishes", (1, 100_000_000));
    let receives_per_minute =
        optional("receivesPerMinute", &draft.receives_per_minute, "number of messages", (1, 100_000_000));
    let subscriptions = optional("subscriptions", &draft.subscriptions, "number of subscriptions", (1, 100_000));
    let slow_reader_bytes = optional("slowReaderBytes", &draft.slow_reader_bytes, "number of bytes", (65_536, 1 << 30));
    let mut needed = |field: &str, text: &str, what: &str, min: u64, max: u64| {
        problems.take(&format!("{path}.{field}"), number::<u32>(text, what, min, max)).unwrap_or_default()
    };
    BrokerLimits {
        connections,
        connections_per_minute,
        first_packet_seconds: needed("firstPacketSeconds", &draft.first_packet_seconds, "time limit", 1, 300),
        publishes_per_minute,
        receives_per_minute,
        // 268,435,460: the longest packet there is (MQTT 5.0 section 2.1.4).
        packet_bytes: Some(needed("packetBytes", &draft.packet_bytes, "packet size", 128, 268_435_460)),
        subscriptions,
        slow_reader_bytes,
    }
}
