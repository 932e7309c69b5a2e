//! What clients of a listener may do, and the limits of TagoIO's plans.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Limits of a listener. `None` is no limit. What is counted by the minute is counted for all its clients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Connections at the same time.
    pub connections: Option<u32>,
    /// New connections in a minute.
    pub connects_per_minute: Option<u32>,
    /// Seconds a new connection has for its first packet, TLS and WebSocket included.
    pub first_packet_secs: u16,
    /// Messages from clients in a minute.
    pub publishes_per_minute: Option<u32>,
    /// Messages to clients in a minute.
    pub receives_per_minute: Option<u32>,
    /// Largest packet in bytes.
    pub packet_bytes: Option<u32>,
    /// Subscriptions of one client.
    pub subscriptions: Option<u32>,
    /// Bytes that may wait for a client that reads too slowly; without a limit its broker is made to wait instead.
    pub waiting_bytes: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Preset::Unlimited.limits()
    }
}

/// Sets of limits one can choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// Only the time for the first packet is limited.
    #[default]
    Unlimited,
    /// TagoIO Free.
    Free,
    /// TagoIO Starter.
    Starter,
    /// TagoIO Scale.
    Scale,
}

impl Preset {
    /// All, from the fewest rules to the most room.
    pub const ALL: [Self; 4] = [Self::Unlimited, Self::Free, Self::Starter, Self::Scale];

    /// Its limits. TagoIO states publishes, receives and connects in a minute (documentation, *Rate limits*), and nothing
    /// of connections, sizes and subscriptions.
    pub fn limits(self) -> Limits {
        let (publishes, receives, connects) = match self {
            Self::Unlimited => (None, None, None),
            Self::Free => (Some(250), Some(250), Some(20)),
            Self::Starter => (Some(5_000), Some(5_000), Some(100)),
            Self::Scale => (Some(15_000), Some(15_000), Some(200)),
        };
        Limits {
            connections: None,
            connects_per_minute: connects,
            first_packet_secs: 10,
            publishes_per_minute: publishes,
            receives_per_minute: receives,
            packet_bytes: None,
            subscriptions: None,
            waiting_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_plan_never_allows_less() {
        let most = |preset: Preset| {
            let limits = preset.limits();
            (limits.publishes_per_minute, limits.receives_per_minute, limits.connects_per_minute)
        };
        assert_eq!(most(Preset::Unlimited), (None, None, None));
        assert_eq!(most(Preset::Starter), (Some(5_000), Some(5_000), Some(100)));
        let (free, starter, scale) = (most(Preset::Free), most(Preset::Starter), most(Preset::Scale));
        assert!(free.0 < starter.0 && free.1 < starter.1 && free.2 < starter.2);
        assert!(starter.0 < scale.0 && starter.1 < scale.1 && starter.2 < scale.2);
    }
}
