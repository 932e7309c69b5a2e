//! Any event at all, every kind with everything it may carry.

use crate::feed::event::{Ack, ConnectionId, Direction, Event, Facts, Kind};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// What files, databases and MQTT treat differently: nothing, NUL and other controls, the marks of UTF-8 and of lines, what
/// looks like a number or a member, a long topic, the marks that the history's index has of its own.
const ODD: [&str; 8] = [
    "",
    "\0",
    "a\0b\u{1}\u{1b}\u{7f}\u{85}",
    "\u{feff}x\u{2028}\u{202e}",
    "🦀 Ü e\u{301}",
    "-0",
    "\"}\n{",
    "\u{e000}\u{e000}\u{e000}",
];

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9/ \"\\\\\n\r\t]{0,12}",
        4 => "\\PC{0,6}",
        2 => proptest::sample::select(&ODD[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-zä]{200}",
    ]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    words().prop_map(Arc::from)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..40).prop_map(Bytes::from),
        8 => words().prop_map(Bytes::from),
        // More than is shown, and more than the history's index reads.
        1 => (any::<u8>(), 0usize..40_000).prop_map(|(byte, count)| vec![byte; count].into()),
    ]
}

fn facts() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((words(), words()), 0..3)
}

fn qos() -> impl Strategy<Value = Qos> {
    (0u8..3).prop_map(|qos| Qos::try_from(qos).unwrap())
}

fn took() -> impl Strategy<Value = Duration> {
    (any::<u32>(), 0u32..1_000_000_000).prop_map(|(seconds, nanos)| Duration::new(seconds.into(), nanos))
}

fn version() -> impl Strategy<Value = Option<MqttVersion>> {
    prop_oneof![Just(None), Just(Some(MqttVersion::V311)), Just(Some(MqttVersion::V5))]
}

fn sides() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::In), Just(Direction::ToClient)]
}

fn publish() -> impl Strategy<Value = Kind> {
    let direction = prop_oneof![sides(), Just(Direction::Out)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let rest = (any::<Option<u16>>(), facts(), any::<Option<u8>>());
    (direction, shared(), bytes(), qos(), flags, rest).prop_map(
        |(direction, topic, payload, qos, (retain, dup, will), (packet_id, properties, cut))| {
            // A will comes from a client.
            let direction = if will { Direction::In } else { direction };
            let cut_from = cut.map(|more| payload.len() + usize::from(more) + 1);
            Kind::Publish { direction, topic, payload, qos, retain, dup, packet_id, properties, will, cut_from }
        },
    )
}

fn connections() -> impl Strategy<Value = Kind> {
    let facts = || facts().prop_map(Facts::from);
    prop_oneof![
        shared().prop_map(|listener| Kind::Accepted { listener }),
        prop_oneof![facts().prop_map(Ok), words().prop_map(Err)].prop_map(|result| Kind::Secured { result }),
        (version(), facts(), shared(), proptest::option::of(bytes()))
            .prop_map(|(version, facts, detail, will)| Kind::Connect { version, facts, detail, will }),
        (version(), any::<(bool, bool)>(), words(), words(), facts()).prop_map(
            |(version, (session_present, will), token_last5, detail, facts)| Kind::Connected {
                version,
                session_present,
                will,
                token_last5,
                detail,
                facts
            }
        ),
        (any::<Option<u8>>(), words()).prop_map(|(code, reason)| Kind::Refused { code, reason }),
        (shared(), qos(), prop_oneof![qos().prop_map(Ok), words().prop_map(Err)])
            .prop_map(|(filter, requested, granted)| Kind::Subscribed { filter, requested, granted }),
        shared().prop_map(|filter| Kind::Unsubscribed { filter }),
        (any::<Option<u8>>(), words(), any::<bool>()).prop_map(|(code, reason, clean)| Kind::Disconnected {
            code,
            reason,
            clean
        }),
        (words(), took(), any::<[u64; 5]>()).prop_map(|(cause, lasted, [a, b, c, d, pings])| Kind::Closed {
            cause,
            lasted,
            received: (a, b),
            sent: (c, d),
            pings
        }),
    ]
}

fn others() -> impl Strategy<Value = Kind> {
    let ack = prop_oneof![Just(Ack::PubAck), Just(Ack::PubRec), Just(Ack::PubRel), Just(Ack::PubComp)];
    let next = took().prop_map(|since| UNIX_EPOCH + since);
    prop_oneof![
        (sides(), ack, any::<(u16, u8)>(), shared(), words(), proptest::option::of(took())).prop_map(
            |(direction, ack, (packet_id, code), topic, reason, took)| Kind::Acknowledged {
                direction,
                ack,
                packet_id,
                topic,
                code,
                reason,
                took
            }
        ),
        (any::<bool>(), proptest::option::of(took())).prop_map(|(answer, took)| Kind::Ping { answer, took }),
        (sides(), bytes(), any::<usize>(), words()).prop_map(|(direction, bytes, size, reason)| Kind::Malformed {
            direction,
            bytes,
            size,
            reason
        }),
        (words(), any::<(u64, u64)>()).prop_map(|(what, (limit, reached))| Kind::OverLimit {
            what: what.into(),
            limit,
            reached
        }),
        (shared(), any::<i64>()).prop_map(|(topic, entry)| Kind::Queued { topic, entry }),
        (shared(), any::<(u16, u32)>(), took(), shared()).prop_map(|(topic, (status, attempt), took, answer)| {
            Kind::Delivered { topic, status, took, attempt, answer }
        }),
        (shared(), words()).prop_map(|(topic, request)| Kind::DryRun { topic, request }),
        (shared(), any::<(Option<u16>, u32)>(), took(), words(), next).prop_map(
            |(topic, (status, attempt), took, reason, next)| Kind::Retry { topic, status, took, attempt, reason, next }
        ),
        (shared(), any::<(Option<u16>, u32)>(), words())
            .prop_map(|(topic, (status, attempts), reason)| Kind::DeadLetter { topic, status, attempts, reason }),
        (shared(), any::<u64>(), words()).prop_map(|(topic, count, reason)| Kind::Dropped { topic, count, reason }),
        (any::<bool>(), words()).prop_map(|(failure, text)| Kind::Note { failure, text }),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let origin = prop_oneof![
        Just(SourceKind::App),
        Just(SourceKind::Broker),
        Just(SourceKind::Tap),
        Just(SourceKind::Relay),
        Just(SourceKind::Session)
    ];
    let kind = prop_oneof![3 => publish(), 2 => connections(), 2 => others()];
    let ids = (any::<Option<u128>>(), any::<bool>());
    // Up to the year 9999, to the microsecond.
    (0u64..253_402_300_800_000_000, origin, shared(), shared(), ids, kind).prop_map(
        |(micros, origin, source, client, (message, connection), kind)| Event {
            seq: 0,
            at: UNIX_EPOCH + Duration::from_micros(micros),
            instant: Instant::now(),
            origin,
            source,
            client,
            message_id: message.map(|id| MessageId(uuid::Uuid::from_u128(id))),
            connection: connection.then(ConnectionId::next),
            kind,
        },
    )
}

/// The number of a kind. A new one has to be here, and in the strategies above.
fn number(kind: &Kind) -> usize {
    match kind {
        Kind::Accepted { .. } => 0,
        Kind::Secured { .. } => 1,
        Kind::Connect { .. } => 2,
        Kind::Connected { .. } => 3,
        Kind::Refused { .. } => 4,
        Kind::Subscribed { .. } => 5,
        Kind::Unsubscribed { .. } => 6,
        Kind::Publish { .. } => 7,
        Kind::Acknowledged { .. } => 8,
        Kind::Ping { .. } => 9,
        Kind::Malformed { .. } => 10,
        Kind::OverLimit { .. } => 11,
        Kind::Queued { .. } => 12,
        Kind::Delivered { .. } => 13,
        Kind::DryRun { .. } => 14,
        Kind::Retry { .. } => 15,
        Kind::DeadLetter { .. } => 16,
        Kind::Dropped { .. } => 17,
        Kind::Disconnected { .. } => 18,
        Kind::Closed { .. } => 19,
        Kind::Note { .. } => 20,
    }
}

#[test]
fn every_kind_and_every_oddity_is_among_them() {
    let mut runner = TestRunner::deterministic();
    let events: Vec<Event> = (0..3_000).map(|_| event().new_tree(&mut runner).unwrap().current()).collect();
    let kinds: BTreeSet<usize> = events.iter().map(|event| number(&event.kind)).collect();
    assert_eq!(kinds, (0..=20).collect());
    let publishes: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Publish { topic, payload, properties, cut_from, .. } => {
                Some((topic, payload, properties, cut_from.is_some()))
            }
            _ => None,
        })
        .collect();
    assert!(publishes.iter().any(|(_, payload, ..)| payload.is_empty()), "no payload");
    assert!(publishes.iter().any(|(_, payload, ..)| std::str::from_utf8(payload).is_err()), "no text");
    assert!(publishes.iter().any(|(topic, payload, ..)| topic.contains('\0') && payload.contains(&0)), "NUL");
    assert!(publishes.iter().any(|(topic, ..)| topic.chars().count() >= 200), "200 characters");
    assert!(publishes.iter().any(|(topic, ..)| topic.contains('🦀')), "beyond ASCII");
    assert!(publishes.iter().any(|(_, _, properties, _)| properties.len() > 1), "properties");
    assert!(publishes.iter().any(|(_, payload, _, cut)| *cut && !payload.is_empty()), "cut");
    assert!(publishes.iter().any(|(_, payload, ..)| payload.len() > 16 * 1024), "large");
}
