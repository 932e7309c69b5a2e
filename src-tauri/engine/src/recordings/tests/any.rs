//! Any event at all, every kind with everything it may carry.

use crate::feed::event::{Ack, ConnectionId, Direction, Event, Facts, Kind};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9/ \"\\\\\n\r\t]{0,12}", "\\PC{0,6}"]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    words().prop_map(Arc::from)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![vec(any::<u8>(), 0..40).prop_map(Bytes::from), words().prop_map(Bytes::from)]
}

fn facts() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((words(), words()), 0..3)
}

fn qos() -> impl Strategy<Value = Qos> {
    (0u8..3).prop_map(|qos| Qos::try_from(qos).unwrap())
}

fn took() -> impl Strategy<Value = Duration> {
    any::<u32>().prop_map(|micros| Duration::from_micros(micros.into()))
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
        (words(), took(), any::<[u32; 5]>()).prop_map(|(cause, lasted, [a, b, c, d, pings])| Kind::Closed {
            cause,
            lasted,
            received: (a.into(), b.into()),
            sent: (c.into(), d.into()),
            pings: pings.into()
        }),
    ]
}

fn others() -> impl Strategy<Value = Kind> {
    let ack = prop_oneof![Just(Ack::PubAck), Just(Ack::PubRec), Just(Ack::PubRel), Just(Ack::PubComp)];
    let next = any::<u32>().prop_map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds.into()));
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
        (sides(), bytes(), any::<u16>(), words()).prop_map(|(direction, bytes, size, reason)| Kind::Malformed {
            direction,
            bytes,
            size: size.into(),
            reason
        }),
        any::<(u32, u32)>().prop_map(|(limit, reached)| Kind::OverLimit {
            what: "packet size".into(),
            limit: limit.into(),
            reached: reached.into()
        }),
        (shared(), any::<i32>()).prop_map(|(topic, entry)| Kind::Queued { topic, entry: entry.into() }),
        (shared(), any::<(u16, u32)>(), took(), shared()).prop_map(|(topic, (status, attempt), took, answer)| {
            Kind::Delivered { topic, status, took, attempt, answer }
        }),
        (shared(), words()).prop_map(|(topic, request)| Kind::DryRun { topic, request }),
        (shared(), any::<(Option<u16>, u32)>(), took(), words(), next).prop_map(
            |(topic, (status, attempt), took, reason, next)| Kind::Retry { topic, status, took, attempt, reason, next }
        ),
        (shared(), any::<(Option<u16>, u32)>(), words())
            .prop_map(|(topic, (status, attempts), reason)| Kind::DeadLetter { topic, status, attempts, reason }),
        (shared(), any::<u32>(), words()).prop_map(|(topic, count, reason)| Kind::Dropped {
            topic,
            count: count.into(),
            reason
        }),
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
    (any::<u32>(), origin, shared(), shared(), ids, kind).prop_map(
        |(micros, origin, source, client, (message, connection), kind)| Event {
            seq: 0,
            at: UNIX_EPOCH + Duration::from_micros(u64::from(micros) * 400_000),
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
