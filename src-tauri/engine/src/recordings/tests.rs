//! Events to a file and back; packets as tshark reads them.
#![allow(clippy::unwrap_used)]

use super::packets::Streams;
use super::{Recording, Recordings, pcapng};
use crate::api::wire::{BrokenLine, Look};
use crate::feed::event::{Ack, ConnectionId, Direction, Event, Facts, Kind};
use crate::feed::line;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use relayscope_domain::filter::{Filter, SourceKind};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use std::process::Command;
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

fn event() -> impl Strategy<Value = Event> {
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

fn same(one: &Event, other: &Event) -> bool {
    one.at == other.at
        && one.origin == other.origin
        && one.source == other.source
        && one.client == other.client
        && one.message_id == other.message_id
        && one.connection == other.connection
        && one.kind == other.kind
}

fn opened(recordings: &Recordings) -> Arc<Recording> {
    recordings.begin("events.ndjson", 0, 64 << 20).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_again(events in vec(event(), 1..20), part in 1usize..200) {
        let mut file = String::new();
        for event in &events {
            file += &line::write(event).unwrap();
            file.push('\n');
        }
        let recording = opened(&Recordings::default());
        for bytes in file.as_bytes().chunks(part) {
            recording.add(bytes, false);
        }
        recording.add(b"", true);
        let view = recording.view();
        prop_assert_eq!((view.broken, view.events, &view.broken_lines[..]), (0, events.len() as u64, &[][..]));
        let read = recording.feed().events();
        for (written, read) in events.iter().zip(&read) {
            prop_assert!(same(written, read), "{:?}\n{:?}", written, read);
        }
    }

    #[test]
    fn any_bytes_are_read_or_named(lines in vec(vec(any::<u8>(), 0..60), 0..10)) {
        let recording = opened(&Recordings::default());
        recording.add(&lines.join(&b'\n'), true);
        let view = recording.view();
        prop_assert_eq!(view.events + view.broken, view.lines);
    }
}

#[test]
fn broken_lines_are_named_and_the_others_taken() {
    let recordings = Recordings::default();
    let recording = opened(&recordings);
    let text = "\u{feff}{\"at\":\"2026-11-21T14:03:00Z\",\"kind\":\"publish\",\"topic\":\"a\",\"payload\":\"1\"}\r\n\
                \n\
                {\"at\":\"2026-11-21T14:03:00Z\"\n\
                {\"at\":\"2026-11-21T14:03:01.5Z\",\"kind\":\"publish\",\"topic\":\"b\",\"payload\":\"/w==\",\"encoding\":\"base64\",\"qos\":2}\n\
                {\"at\":\"soon\",\"kind\":\"publish\",\"topic\":\"b\",\"payload\":\"\"}\n\
                {\"at\":\"2026-11-21T14:03:02Z\",\"kind\":\"delivered\",\"topic\":\"b\"}\n\
                {\"at\":\"2026-11-21T14:03:02Z\",\"kind\":\"publish\",\"topic\":\"c\"}";
    recording.add(text.as_bytes(), true);
    let view = recording.view();
    let named: Vec<(u64, &str)> =
        view.broken_lines.iter().map(|BrokenLine { line, why }| (*line, why.as_str())).collect();
    let expected = [
        (3, "it is not JSON: EOF while parsing an object (column 28)"),
        (5, "at is “soon”, and not a time as 2026-11-21T14:03:00Z"),
        (6, "the member event is missing, which says what “delivered” is"),
        (7, "the member payload is missing"),
    ];
    assert_eq!(named, expected);
    assert_eq!((view.events, view.lines, view.broken, view.done), (2, 6, 4, true));
    let events = recording.feed().events();
    assert_eq!(events[1].instant - events[0].instant, Duration::from_millis(1_500));
    // Its numbers are its own, of events and of views.
    let shown = recording.feed().open(None, &Filter::default(), Look::Feed).view;
    assert!(recording.feed().look_behind(shown, None));
    assert_eq!(recording.feed().numbers(shown).unwrap().len(), 2);
    assert_eq!(crate::feed::recording_of_view(shown), recording.number);
    assert!(events.iter().all(|event| crate::feed::recording_of_event(event.seq) == recording.number));
    // The next one takes its place.
    let next = opened(&recordings);
    assert!(recordings.feed(recording.number).is_none() && recordings.feed(next.number).is_some());
}

fn seen(connection: Option<ConnectionId>, origin: SourceKind, client: &str, after: u64, kind: Kind) -> Event {
    Event {
        seq: 0,
        at: UNIX_EPOCH + Duration::from_micros(1_763_733_600_000_000 + after),
        instant: Instant::now(),
        origin,
        source: "plant".into(),
        client: client.into(),
        message_id: None,
        connection,
        kind,
    }
}

fn message(direction: Direction, topic: &str, payload: &[u8], qos: Qos, packet_id: Option<u16>) -> Kind {
    Kind::Publish {
        direction,
        topic: topic.into(),
        payload: Bytes::copy_from_slice(payload),
        qos,
        retain: false,
        dup: false,
        packet_id,
        properties: vec![],
        will: false,
        cut_from: None,
    }
}

fn written(events: &[Event]) -> (Vec<u8>, u64) {
    let mut streams = Streams::default();
    events.iter().for_each(|event| streams.learn(event));
    let mut writer = pcapng::Writer::new(vec![], streams).unwrap();
    for event in events {
        writer.write(event).unwrap();
    }
    let (count, _, _, out) = writer.finish();
    (out, count)
}

/// A file's fields as tshark reads them, one row a packet.
fn tshark(file: &[u8], fields: &[&str]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.pcapng");
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args(["-Y", "mqtt", "-T", "fields", "-E", "separator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn tshark_shows_the_same_packets() {
    let socket = Some(ConnectionId::next());
    let facts = [("client id", "pump 1"), ("user name", "Token"), ("clean start", "yes"), ("keep-alive", "30 s")];
    let facts: Facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let tap = |after, client: &str, kind| seen(socket, SourceKind::Tap, client, after, kind);
    let ours = |after, kind| seen(None, SourceKind::Session, "look-1", after, kind);
    let connected = |version| Kind::Connected {
        version: Some(version),
        session_present: false,
        will: false,
        token_last5: String::new(),
        detail: String::new(),
        facts: Box::default(),
    };
    let mut with_properties = message(Direction::In, "plant/1", b"{\"t\":21}", Qos::AtLeastOnce, Some(7));
    if let Kind::Publish { properties, .. } = &mut with_properties {
        properties.push(("Content type".into(), "application/json".into()));
        properties.push(("User property line".into(), "2".into()));
    }
    let large = vec![0xa5; 200_000];
    let mut cut = message(Direction::In, "cut", b"beginning", Qos::AtMostOnce, None);
    if let Kind::Publish { cut_from, .. } = &mut cut {
        *cut_from = Some(1 << 20);
    }
    let taken = |direction, ack, packet_id| Kind::Acknowledged {
        direction,
        ack,
        packet_id,
        topic: "".into(),
        code: 0,
        reason: String::new(),
        took: None,
    };
    let events = [
        tap(0, "127.0.0.1:50123", Kind::Accepted { listener: "TCP".into() }),
        tap(1, "pump 1", Kind::Connect { version: Some(MqttVersion::V5), facts, detail: "".into(), will: None }),
        tap(2, "pump 1", connected(MqttVersion::V5)),
        tap(
            3,
            "pump 1",
            Kind::Subscribed { filter: "cmd/#".into(), requested: Qos::AtLeastOnce, granted: Ok(Qos::AtMostOnce) },
        ),
        tap(4, "pump 1", with_properties),
        tap(5, "pump 1", taken(Direction::ToClient, Ack::PubAck, 7)),
        tap(6, "pump 1", cut),
        ours(7, message(Direction::In, "a/b", b"\x00\xff", Qos::AtMostOnce, None)),
        tap(8, "pump 1", message(Direction::In, "plant/large", &large, Qos::ExactlyOnce, Some(8))),
        tap(9, "pump 1", Kind::Ping { answer: false, took: None }),
        tap(10, "pump 1", Kind::Ping { answer: true, took: None }),
        tap(11, "pump 1", message(Direction::ToClient, "cmd/on", b"", Qos::AtMostOnce, None)),
        tap(12, "pump 1", Kind::Queued { topic: "a".into(), entry: 1 }),
        tap(13, "pump 1", Kind::Disconnected { code: None, reason: String::new(), clean: true }),
        tap(
            14,
            "pump 1",
            Kind::Closed { cause: String::new(), lasted: Duration::ZERO, received: (0, 0), sent: (0, 0), pings: 1 },
        ),
        ours(15, message(Direction::Out, "out", b"x", Qos::AtLeastOnce, None)),
    ];
    let (file, count) = written(&events);
    let fields =
        ["tcp.stream", "mqtt.msgtype", "mqtt.clientid", "mqtt.ver", "mqtt.topic", "mqtt.msgid", "mqtt.msg", "mqtt.qos"];
    let rows = tshark(&file, &fields);
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            if row[6].len() > 40 {
                row[6] = format!("{} bytes", row[6].len() / 2);
            }
            row.join(" ").trim_end().to_owned()
        })
        .collect();
    let expected = [
        "0 1 pump 1 5",
        "0 2",
        "0 8   cmd/# 1",
        "0 9    1",
        "0 3   plant/1 7 7b2274223a32317d 1",
        "0 4    7",
        "1 1 look-1 4",
        "1 2",
        "1 3   a/b  00ff 0",
        "0 3   plant/large 8 200000 bytes 2",
        "0 12",
        "0 13",
        "0 3   cmd/on  <MISSING> 0",
        "0 14",
        "1 3   out 1 78 1",
    ];
    assert_eq!(shown, expected);
    assert_eq!(count, expected.len() as u64);
    let fields =
        ["frame.time_epoch", "ip.src", "tcp.dstport", "frame.comment", "mqtt.prop_key", "mqtt.property.content_type"];
    let rows = tshark(&file, &fields);
    assert_eq!(rows[0][..3], ["1763733600.000001000", "127.0.0.1", "1883"]);
    assert_eq!(rows[5][1..3], ["192.0.2.1", "50123"]);
    assert_eq!((rows[4][4].as_str(), rows[4][5].as_str()), ("line", "application/json"));
    assert_eq!(rows[6][1], "198.18.0.1");
    assert!(rows[6][3].contains("is made") && rows[3][3].contains("is made") && rows[4][3].is_empty());
}
