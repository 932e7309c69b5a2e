//! What a relay's rules come to, told while they are edited. Asks the same functions that deliver; saves nothing.

use super::wire::{ApiError, RelayPreview};
use crate::Engine;
use crate::feed::{iso, unix_millis};
use crate::status::grouped;
use relayscope_domain::delivery::{self, Metadata, Rules};
use relayscope_domain::id::MessageId;
use relayscope_domain::mapping::{self, Sample};
use relayscope_domain::message::Qos;
use relayscope_domain::problem::Problems;
use relayscope_domain::relay::RelayDraft;
use relayscope_domain::token::Region;
use serde_json::Value;
use std::time::SystemTime;

/// A reading such as devices send; the topic is made up.
const TOPIC: &str = "plant/3/telemetry/press-03";
const PAYLOAD: &[u8] = br#"{"temperature":71.4}"#;

pub(super) async fn relay(_engine: &Engine, draft: RelayDraft) -> Result<RelayPreview, ApiError> {
    let mut problems = Problems::default();
    let rules = delivery::check(&draft.rules, &mut problems);
    let paced = ["rules.ownLimit", "rules.reserve", "rules.pace"];
    let unclear = problems.into_vec().iter().any(|problem| paced.contains(&problem.field.as_str()));
    Ok(RelayPreview {
        pace: (!unclear).then(|| pace(&rules)),
        plan_advice: plan_advice(&rules, &draft.region),
        example: example(rules.metadata, draft.name.trim()),
    })
}

fn pace(rules: &Rules) -> String {
    let Some(allowance) = rules.allowance() else {
        return "As many requests as the destination takes; how many at once is found out by measuring.".into();
    };
    let most = format!("At most {} requests a minute", grouped(allowance.into()));
    match (rules.limit(), rules.pace) {
        (_, Some(pace)) if pace == allowance => format!("{most}: the pace."),
        (Some(limit), _) if rules.reserve > 0 => {
            format!("{most}: the plan's {}, less {} % that are left to others.", grouped(limit.into()), rules.reserve)
        }
        _ => format!("{most}: all of the plan."),
    }
}

fn plan_advice(rules: &Rules, region: &Region) -> Option<String> {
    let cloud = matches!(region, Region::UsE1 | Region::EuW1 | Region::Classic);
    (cloud && rules.limit().is_none() && rules.pace.is_none()).then(|| {
        "TagoIO counts requests per minute and profile. Choose the plan of the profile, and the relay stays below its \
         limit by itself; otherwise an answer 429 is the first to tell."
            .into()
    })
}

fn example(extras: Metadata, relay: &str) -> String {
    let received_at = iso(unix_millis(SystemTime::now()));
    let message_id = MessageId(uuid::Uuid::now_v7()).to_string();
    let (qos, retain) = (Qos::AtLeastOnce, false);
    let sample = Sample {
        topic: TOPIC,
        payload: PAYLOAD,
        qos,
        retain,
        received_at: &received_at,
        message_id: &message_id,
        relay,
    };
    let mut body = vec![];
    mapping::tagoio_body([sample], extras, &mut body);
    let indented = serde_json::from_slice(&body).and_then(|json: Value| serde_json::to_string_pretty(&json));
    indented.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use relayscope_domain::delivery::Plan;

    #[test]
    fn a_pace_is_told_with_its_reason() {
        let check = |plan, reserve, own: Option<u32>, expected: &str| {
            assert_eq!(pace(&Rules { plan, reserve, pace: own, ..Rules::default() }), expected);
        };
        check(
            Plan::Unlimited,
            10,
            None,
            "As many requests as the destination takes; how many at once is found out by measuring.",
        );
        check(
            Plan::Scale,
            10,
            None,
            "At most 13,500 requests a minute: the plan's 15,000, less 10 % that are left to others.",
        );
        check(Plan::Free, 0, None, "At most 250 requests a minute: all of the plan.");
        check(Plan::Scale, 10, Some(60), "At most 60 requests a minute: the pace.");
    }

    #[test]
    fn the_example_has_what_was_chosen() {
        let metadata = |extras| {
            let body: Value = serde_json::from_str(&example(extras, "Plant")).unwrap_or_default();
            body[0]["metadata"].clone()
        };
        let plain = metadata(Metadata::default());
        assert_eq!(plain, serde_json::json!({ "topic": TOPIC, "qos": 1 }));
        let more = metadata(Metadata { relay: true, encoding: true, ..Metadata::default() });
        assert_eq!((more["relay"].as_str(), more["encoding"].as_str()), (Some("Plant"), Some("text")));
    }

    #[test]
    fn only_the_cloud_without_a_limit_is_advised() {
        let advised = |plan, region| plan_advice(&Rules { plan, ..Rules::default() }, &region).is_some();
        assert!(advised(Plan::Unlimited, Region::EuW1));
        assert!(!advised(Plan::Free, Region::EuW1));
        assert!(!advised(Plan::Unlimited, Region::Local));
    }
}
