//! How a relay delivers: order, concurrency, giving up, the plan's pace, the queue's budget, what is added to a message.
//! Knows nothing of requests, clocks and disks. `draft` is what a form holds, and how it is checked.

mod draft;

pub use draft::{RulesDraft, check};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Delivery rules of a relay.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// What keeps its order.
    pub order: Order,
    /// Requests under way at once, at most (1 to 2,000). How many there are is found out by measuring.
    pub requests: u16,
    /// Seconds until a request without an answer is given up (1 to 120).
    pub timeout_seconds: u16,
    /// Messages of one ordering key in one request, at most (1 to 100); 1 is off.
    pub batch: u16,
    /// Attempts after which a message becomes a dead letter; `None` tries for ever.
    pub attempts: Option<u32>,
    /// Hours after its first attempt after which a message becomes a dead letter; `None` tries for ever.
    pub give_up_hours: Option<u32>,
    /// TagoIO plan of the profile.
    pub plan: Plan,
    /// Requests per minute with [`Plan::Own`].
    pub own_limit: u32,
    /// Percent of the plan's limit that is left to others (0 to 90).
    pub reserve: u8,
    /// Requests per minute that this relay makes at most; `None` is as many as the plan allows.
    pub pace: Option<u32>,
    /// Megabytes (10⁶ bytes) that may wait on disk.
    pub queue_megabytes: u32,
    /// What happens when they are full.
    pub when_full: WhenFull,
    /// Hours after which a waiting message is dropped; `None` keeps it.
    pub max_age_hours: Option<u32>,
    /// What is done with retained messages that the broker sends upon subscribing.
    pub retained: Retained,
    /// What is told besides topic and QoS.
    pub metadata: Metadata,
    /// Topic on which the relay says `online` and, by its will, `offline`.
    pub status_topic: Option<String>,
    /// Whether a downlink that comes back as an uplink is stopped.
    pub loop_guard: bool,
    /// Whether everything is done but the request, which is shown instead.
    pub dry_run: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            order: Order::Topic,
            requests: 768,
            timeout_seconds: 10,
            batch: 1,
            attempts: None,
            give_up_hours: None,
            plan: Plan::Unlimited,
            own_limit: 0,
            reserve: 10,
            pace: None,
            queue_megabytes: 2_000,
            when_full: WhenFull::Stop,
            max_age_hours: None,
            retained: Retained::Forward,
            metadata: Metadata::default(),
            status_topic: None,
            loop_guard: true,
            dry_run: false,
        }
    }
}

impl Rules {
    /// Requests per minute that the plan allows, others included.
    pub fn limit(&self) -> Option<u32> {
        match self.plan {
            Plan::Own => Some(self.own_limit),
            plan => plan.limit(),
        }
    }

    /// Requests per minute that relays may make of the plan: its limit less the reserve.
    pub fn share(&self) -> Option<u32> {
        self.limit().map(|limit| (u64::from(limit) * u64::from(100 - self.reserve.min(100)) / 100).max(1) as u32)
    }

    /// Requests per minute that this relay may make: its plan's share, and the pace.
    pub fn allowance(&self) -> Option<u32> {
        match (self.share(), self.pace) {
            (Some(share), Some(pace)) => Some(share.min(pace)),
            (share, pace) => share.or(pace),
        }
    }
}

/// What keeps its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Messages of one topic, one request at a time.
    #[default]
    Topic,
    /// Nothing: every message goes as soon as it can.
    None,
}

/// A TagoIO plan: what a profile may request per clock minute.
///
/// Figures for `POST /data` of TagoIO's page “Rate limits and hard limits”; the network route has no row of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Plan {
    /// No limit is known.
    #[default]
    Unlimited,
    /// Free: 250 a minute.
    Free,
    /// Starter: 5,000 a minute.
    Starter,
    /// Scale: 15,000 a minute.
    Scale,
    /// A number of one's own.
    Own,
}

impl Plan {
    /// Requests per minute, where the plan's name says it.
    pub fn limit(self) -> Option<u32> {
        match self {
            Self::Unlimited | Self::Own => None,
            Self::Free => Some(250),
            Self::Starter => Some(5_000),
            Self::Scale => Some(15_000),
        }
    }
}

/// What happens when the queue's budget is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum WhenFull {
    /// Nothing more is acknowledged: the broker keeps it.
    #[default]
    Stop,
    /// The oldest waiting messages are dropped and counted.
    DropOldest,
    /// What arrives is dropped and counted.
    DropNewest,
}

/// What is done with retained messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Retained {
    /// Forwarded each time the broker sends them.
    #[default]
    Forward,
    /// Left out.
    Skip,
    /// Forwarded unless it is the one that was last seen on its topic.
    Newer,
}

/// What is told besides topic and QoS, as TagoIO metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// `received_at`: when it came, ISO 8601 UTC.
    pub received_at: bool,
    /// `message_id`: its identity here.
    pub message_id: bool,
    /// `encoding`: `text` or `hex`.
    pub encoding: bool,
    /// `retain`: the flag.
    pub retain: bool,
    /// `relay`: this relay's name.
    pub relay: bool,
}

impl Metadata {
    /// Whether anything is added.
    pub fn any(self) -> bool {
        self.received_at || self.message_id || self.encoding || self.retain || self.relay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_is_the_smaller_of_share_and_pace() {
        let rules = Rules { plan: Plan::Starter, ..Rules::default() };
        assert_eq!((rules.limit(), rules.allowance()), (Some(5_000), Some(4_500)));
        assert_eq!(Rules { pace: Some(60), ..rules.clone() }.allowance(), Some(60));
        assert_eq!(Rules { plan: Plan::Unlimited, ..rules }.allowance(), None);
    }
}
