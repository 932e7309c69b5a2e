//! How a relay delivers: order, concurrency, giving up, the plan's pace, the queue's budget, what is added to a message.
//! Checked as a whole, every problem at its field (`rules.…`). Knows nothing of requests, clocks and disks.

use crate::broker::number;
use crate::problem::Problems;
use crate::topic;
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

/// [`Rules`] as a form holds them: numbers as typed; empty where a rule is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct RulesDraft {
    /// What keeps its order.
    pub order: Order,
    /// Requests at once.
    pub requests: String,
    /// Seconds.
    pub timeout_seconds: String,
    /// Messages in one request; empty or 1 is off.
    pub batch: String,
    /// Attempts; empty tries for ever.
    pub attempts: String,
    /// Hours; empty tries for ever.
    pub give_up_hours: String,
    /// Plan.
    pub plan: Plan,
    /// Requests per minute, with a plan of one's own.
    pub own_limit: String,
    /// Percent.
    pub reserve: String,
    /// Requests per minute; empty is as many as the plan allows.
    pub pace: String,
    /// Megabytes.
    pub queue_megabytes: String,
    /// When full.
    pub when_full: WhenFull,
    /// Hours; empty keeps everything.
    pub max_age_hours: String,
    /// Retained messages.
    pub retained: Retained,
    /// Extras.
    pub metadata: Metadata,
    /// Topic; empty says nothing.
    pub status_topic: String,
    /// Loop guard.
    pub loop_guard: bool,
    /// Dry run.
    pub dry_run: bool,
}

impl Default for RulesDraft {
    fn default() -> Self {
        (&Rules::default()).into()
    }
}

impl From<&Rules> for RulesDraft {
    fn from(rules: &Rules) -> Self {
        let text = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            order: rules.order,
            requests: rules.requests.to_string(),
            timeout_seconds: rules.timeout_seconds.to_string(),
            batch: rules.batch.to_string(),
            attempts: text(rules.attempts),
            give_up_hours: text(rules.give_up_hours),
            plan: rules.plan,
            own_limit: text(Some(rules.own_limit).filter(|limit| *limit > 0)),
            reserve: rules.reserve.to_string(),
            pace: text(rules.pace),
            queue_megabytes: rules.queue_megabytes.to_string(),
            when_full: rules.when_full,
            max_age_hours: text(rules.max_age_hours),
            retained: rules.retained,
            metadata: rules.metadata,
            status_topic: rules.status_topic.clone().unwrap_or_default(),
            loop_guard: rules.loop_guard,
            dry_run: rules.dry_run,
        }
    }
}

/// Checks a draft; what could not be read keeps its default, and its problem says so.
pub fn check(draft: &RulesDraft, problems: &mut Problems) -> Rules {
    let rules = Rules::default();
    let own_limit = match draft.plan {
        Plan::Own => problems.take("rules.ownLimit", number(&draft.own_limit, "requests per minute", 1, 10_000_000)),
        _ => None,
    };
    let mut optional = |field: &str, text: &str, what: &str, least: u64, most: u64| -> Option<u32> {
        if text.trim().is_empty() { None } else { problems.take(field, number(text, what, least, most)) }
    };
    let batch = optional("rules.batch", &draft.batch, "messages in one request", 1, 100);
    let attempts = optional("rules.attempts", &draft.attempts, "attempts", 1, 1_000_000);
    let give_up_hours = optional("rules.giveUpHours", &draft.give_up_hours, "hours", 1, 8_760);
    let max_age_hours = optional("rules.maxAgeHours", &draft.max_age_hours, "hours", 1, 87_600);
    let pace = optional("rules.pace", &draft.pace, "requests per minute", 1, 10_000_000);
    let mut checked = Rules {
        order: draft.order,
        requests: problems
            .take("rules.requests", number(&draft.requests, "requests at once", 1, 2_000))
            .unwrap_or(rules.requests),
        timeout_seconds: problems
            .take("rules.timeoutSeconds", number(&draft.timeout_seconds, "time-out in seconds", 1, 120))
            .unwrap_or(rules.timeout_seconds),
        batch: batch.map_or(1, |batch| batch as u16),
        attempts,
        give_up_hours,
        plan: draft.plan,
        own_limit: own_limit.unwrap_or(0),
        reserve: problems
            .take("rules.reserve", number(&draft.reserve, "reserve in percent", 0, 90))
            .unwrap_or(rules.reserve),
        pace,
        queue_megabytes: problems
            .take("rules.queueMegabytes", number(&draft.queue_megabytes, "queue's budget in megabytes", 1, 1_000_000))
            .unwrap_or(rules.queue_megabytes),
        when_full: draft.when_full,
        max_age_hours,
        retained: draft.retained,
        metadata: draft.metadata,
        status_topic: None,
        loop_guard: draft.loop_guard,
        dry_run: draft.dry_run,
    };
    if let (Some(pace), Some(limit)) = (checked.pace, checked.limit().filter(|limit| *limit > 0))
        && pace > limit
    {
        problems
            .add("rules.pace", format!("The plan allows {limit} requests a minute; a pace above it can't be kept."));
    }
    let topic = draft.status_topic.trim();
    if !topic.is_empty() {
        match topic::check_topic(topic) {
            Ok(()) => checked.status_topic = Some(topic.to_owned()),
            Err(message) => problems.add("rules.statusTopic", message),
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(draft: &RulesDraft) -> Vec<String> {
        let mut problems = Problems::default();
        check(draft, &mut problems);
        problems.into_vec().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn defaults_are_good_and_come_back_as_they_were() {
        let mut found = Problems::default();
        assert_eq!(check(&RulesDraft::default(), &mut found), Rules::default());
        assert!(found.is_empty());
        let rules = Rules {
            order: Order::None,
            batch: 20,
            attempts: Some(5),
            give_up_hours: Some(12),
            plan: Plan::Own,
            own_limit: 700,
            pace: Some(600),
            max_age_hours: Some(48),
            retained: Retained::Newer,
            status_topic: Some("relay/status".into()),
            ..Rules::default()
        };
        assert_eq!(check(&(&rules).into(), &mut found), rules);
    }

    #[test]
    fn impossible_rules_are_refused_at_their_fields() {
        let draft = RulesDraft {
            requests: "0".into(),
            timeout_seconds: "x".into(),
            batch: "101".into(),
            attempts: "0".into(),
            give_up_hours: "-1".into(),
            plan: Plan::Own,
            own_limit: String::new(),
            reserve: "91".into(),
            queue_megabytes: "0".into(),
            max_age_hours: "1.5".into(),
            status_topic: "a/#".into(),
            ..RulesDraft::default()
        };
        let mut found = problems(&draft);
        found.sort();
        let mut all = [
            "requests",
            "timeoutSeconds",
            "batch",
            "attempts",
            "giveUpHours",
            "ownLimit",
            "reserve",
            "queueMegabytes",
            "maxAgeHours",
            "statusTopic",
        ]
        .map(|field| format!("rules.{field}"));
        all.sort();
        assert_eq!(found, all);
        let above = RulesDraft { plan: Plan::Free, pace: "251".into(), ..RulesDraft::default() };
        assert_eq!(problems(&above), ["rules.pace"]);
        assert!(problems(&RulesDraft { pace: "250".into(), ..above }).is_empty());
    }

    #[test]
    fn the_allowance_is_the_smaller_of_share_and_pace() {
        let rules = Rules { plan: Plan::Starter, ..Rules::default() };
        assert_eq!((rules.limit(), rules.allowance()), (Some(5_000), Some(4_500)));
        assert_eq!(Rules { pace: Some(60), ..rules.clone() }.allowance(), Some(60));
        assert_eq!(Rules { plan: Plan::Unlimited, ..rules }.allowance(), None);
    }
}
