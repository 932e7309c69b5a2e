//! Delivery rules as a form holds them: checked as a whole, every problem at its field (`rules.…`).

use super::{Metadata, Order, Plan, Retained, Rules, WhenFull};
use crate::broker::number;
use crate::problem::Problems;
use crate::topic;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
}
