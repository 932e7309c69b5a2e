//! A relay: source broker, topic mappings, destination; and the ledger that must balance.

use crate::delivery::{self, Rules, RulesDraft};
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
    /// How it delivers.
    pub rules: Rules,
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
    /// How it delivers.
    #[serde(default)]
    pub rules: RulesDraft,
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
    let rules = delivery::check(&draft.rules, &mut problems);
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
            rules,
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

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn mapping(filter: &str) -> Mapping {
        Mapping { filter: filter.to_owned(), qos: Qos::AtLeastOnce, enabled: true }
    }

    fn draft() -> RelayDraft {
        RelayDraft {
            id: None,
            name: " Plant ".into(),
            broker_id: Some(BrokerId(Uuid::from_u128(1))),
            mappings: vec![mapping("plant/#"), mapping("$share/g/line/+/temp")],
            region: Region::EuW1,
            network_token_id: Some(TokenId(Uuid::from_u128(2))),
            authorization_id: Some(TokenId(Uuid::from_u128(3))),
            downlink_port: " 3001 ".into(),
            rules: RulesDraft::default(),
            enabled: true,
        }
    }

    fn fields(draft: &RelayDraft) -> Vec<String> {
        check(draft, RelayId(Uuid::nil())).err().unwrap_or_default().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn a_good_draft_becomes_the_relay_it_says() {
        let relay = check(&draft(), RelayId(Uuid::from_u128(9))).expect("the draft is good");
        assert_eq!((relay.id.0.as_u128(), relay.name.as_str(), relay.downlink_port), (9, "Plant", Some(3001)));
        assert_eq!(relay.mappings, draft().mappings);
        let without = check(&RelayDraft { downlink_port: " ".into(), ..draft() }, relay.id);
        assert_eq!(without.map(|relay| relay.downlink_port), Ok(None));
    }

    #[test]
    fn every_problem_is_shown_at_its_field() {
        let bad = RelayDraft {
            id: None,
            name: String::new(),
            broker_id: None,
            mappings: vec![],
            region: Region::Own { url: "nowhere".into() },
            network_token_id: None,
            authorization_id: None,
            downlink_port: "70000".into(),
            rules: RulesDraft::default(),
            enabled: false,
        };
        let all = ["name", "brokerId", "mappings", "region.url", "networkTokenId", "authorizationId", "downlinkPort"];
        assert_eq!(fields(&bad), all);
    }

    #[test]
    fn filters_are_checked_one_by_one() {
        let mappings = vec![mapping("a/#"), mapping("a/#/b"), mapping("a/#"), mapping("")];
        assert_eq!(
            fields(&RelayDraft { mappings, ..draft() }),
            ["mappings.1.filter", "mappings.2.filter", "mappings.3.filter"]
        );
    }

    #[test]
    fn ledgers_tell_what_is_missing_and_what_is_too_much() {
        let mut ledger =
            Ledger { received: 21, delivered: 1, waiting: 2, in_flight: 3, dead: 4, dropped: 5, filtered: 6 };
        assert_eq!(ledger.difference(), 0);
        ledger.delivered = 0;
        assert_eq!(ledger.difference(), 1);
        ledger.delivered = 4;
        assert_eq!(ledger.difference(), -3);
    }
}
