//! Answers to requests: which message on a response topic belongs to which request (MQTT 5.0 section 4.10).

use super::job::{Answered, Job};
use crate::mqtt::link::Arrived;
use std::time::Instant;

/// Takes a message that came on the job's response topic. With correlation data it belongs to the request that carried
/// the same; without any, to the oldest request that has no answer.
pub(super) fn take(job: &Job, arrived: &Arrived) {
    let now = Instant::now();
    job.change(|state| {
        let open = state.pairs.iter_mut().filter(|pair| pair.answer.is_none());
        let fits = match &arrived.correlation {
            Some(data) => open.into_iter().find(|pair| pair.correlation == *data),
            None => open.into_iter().next(),
        };
        match fits {
            Some(pair) => {
                pair.answer = Some(Answered {
                    took: now.duration_since(pair.instant),
                    payload: arrived.payload.clone(),
                    correlated: arrived.correlation.is_some(),
                });
            }
            None => state.strays += 1,
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use relayscope_domain::message::Qos;
    use relayscope_domain::publish::{MessageDraft, Repeat, check};
    use std::time::Duration;

    fn arrived(payload: &'static str, correlation: Option<&'static str>) -> Arrived {
        Arrived {
            topic: "answers".into(),
            payload: payload.into(),
            qos: Qos::AtMostOnce,
            retain: false,
            dup: false,
            packet_id: 0,
            properties: vec![],
            correlation: correlation.map(Into::into),
            subscriptions: vec![],
        }
    }

    #[test]
    fn answers_find_their_requests_in_any_order() {
        let message = check(&MessageDraft { topic: "ask".into(), ..MessageDraft::default() }).unwrap();
        let job = Job::new(1, "b".into(), message, Repeat { count: 3, every: Duration::ZERO });
        for data in ["1", "2", "3"] {
            job.requested(Bytes::from(data));
        }
        for (payload, data) in [("two", Some("2")), ("none", None), ("?", Some("9")), ("again", Some("2"))] {
            take(&job, &arrived(payload, data));
        }
        let state = job.state();
        let answers: Vec<_> = state.pairs.iter().map(|pair| pair.answer.as_ref().map(|one| &one.payload[..])).collect();
        assert_eq!(answers, [Some(&b"none"[..]), Some(b"two"), None]);
        assert_eq!(state.strays, 2);
    }
}
