//! A relay: source broker, topic mappings, destination; and the ledger that must balance.

use crate::id::{BrokerId, RelayId, TokenId};
use crate::message::Qos;
use crate::problem::{Problem, Problems};
use crate::token::{self, Region};
use crate::topic;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A saved relay.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// Identity; the queue is kept under it.
    pub id: RelayId,
    /// What people call it; unique among relays.
    pub name: String,
    /// Source broker.
    pub broker_id: BrokerId,
    /// What is subscribed to.
    pub mappings: Vec<Mapping>,
    /// Where the API is.
    pub region: Region,
    /// Network token, sent as header `Authorization`.
    pub network_token_id: TokenId,
    /// Authorization, sent as `authorization_token`.
    pub authorization_id: TokenId,
    /// TCP port on 127.0.0.1 for `POST /publish` (downlink); `None` listens nowhere.
    pub downlink_port: Option<u16>,
    /// Whether it runs, now and after the next start.
    pub enabled: bool,
}

/// One topic mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    /// Topic filter.
    pub filter: String,
    /// Quality of service asked for.
    pub qos: Qos,
    /// Whether it is subscribed to.
    pub enabled: bool,
}

/// What the relay editor holds. Ids are `None` until something is chosen.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayDraft {
    /// `None` makes a new relay.
    pub id: Option<RelayId>,
    /// Name.
    pub name: String,
    /// Broker.
    pub broker_id: Option<BrokerId>,
    /// Mappings.
    pub mappings: Vec<Mapping>,
    /// Region.
    pub region: Region,
    /// Network token.
    pub network_token_id: Option<TokenId>,
    /// Authorization.
    pub authorization_id: Option<TokenId>,
    /// Downlink port as typed; empty listens nowhere.
    pub downlink_port: String,
    /// Enabled.
    pub enabled: bool,
}

/// Checks a draft against itself. That broker and tokens exist and fit is the engine's to check.
pub fn check(draft: &RelayDraft, id: RelayId) -> Result<Relay, Vec<Problem>> {
    let mut problems = Problems::default();
    let name = draft.name.trim().to_owned();
    if name.is_empty() {
        problems.add("name", "Give the relay a name.");
    } else if name.chars().count() > 80 {
        problems.add("name", "A name has at most 80 characters.");
    }
    if draft.broker_id.is_none() {
        problems.add("brokerId", "Choose the broker that messages come from.");
    }
    if draft.mappings.is_empty() {
        problems.add("mappings", "Add at least one topic filter.");
    }
    for (at, mapping) in draft.mappings.iter().enumerate() {
        if let Err(message) = topic::check_filter(&mapping.filter) {
            problems.add(format!("mappings.{at}.filter"), message);
        } else if draft.mappings[..at].iter().any(|earlier| earlier.filter == mapping.filter) {
            problems.add(format!("mappings.{at}.filter"), "This filter stands above already.");
        }
    }
    if let Err(message) = token::check_region(&draft.region) {
        problems.add("region.url", message);
    }
    if draft.network_token_id.is_none() {
        problems.add("networkTokenId", "Choose the network token.");
    }
    if draft.authorization_id.is_none() {
        problems.add("authorizationId", "Choose the authorization.");
    }
    let downlink_port = if draft.downlink_port.trim().is_empty() {
        None
    } else {
        problems.take("downlinkPort", crate::broker::number::<u16>(&draft.downlink_port, "downlink port", 1, 65_535))
    };
    match (draft.broker_id, draft.network_token_id, draft.authorization_id, problems.is_empty()) {
        (Some(broker_id), Some(network_token_id), Some(authorization_id), true) => Ok(Relay {
            id,
            name,
            broker_id,
            mappings: draft.mappings.clone(),
            region: draft.region.clone(),
            network_token_id,
            authorization_id,
            downlink_port,
            enabled: draft.enabled,
        }),
        _ => Err(problems.into_vec()),
    }
}

/// What became of every message a relay received. Always
/// `received = delivered + waiting + in_flight + dead + dropped + filtered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Messages taken from the broker.
    pub received: u64,
    /// Accepted by the destination.
    pub delivered: u64,
    /// In the queue.
    pub waiting: u64,
    /// Being sent right now.
    pub in_flight: u64,
    /// In the dead-letter box.
    pub dead: u64,
    /// Given up by a rule or by a person.
    pub dropped: u64,
    /// Left out by a rule of the mapping.
    pub filtered: u64,
}

impl Ledger {
    /// Zero when the ledger balances; else how many messages are unaccounted for (negative: too many).
    pub fn difference(&self) -> i64 {
        let known = self.delivered + self.waiting + self.in_flight + self.dead + self.dropped + self.filtered;
        self.received as i64 - known as i64
    }
}
