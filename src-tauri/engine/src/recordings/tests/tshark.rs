//! Packets as tshark reads them.

use super::super::packets::Streams;
use super::super::pcapng;
use crate::feed::event::samples::message;
use crate::feed::event::{Ack, ConnectionId, Direction, Event, Facts, Kind, samples};
use relayscope_domain::filter::SourceKind;
use relayscope_domain::message::{MqttVersion, Qos};
use std::process::Command;
use std::time::{Duration, Instant, UNIX_EPOCH};

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

/// A message of a client through a tap with properties of MQTT 5.
fn with_properties() -> Kind {
    let mut kind = message(Direction::In, "plant/1", b"{\"t\":21}", Qos::AtLeastOnce, Some(7));
    if let Kind::Publish { properties, .. } = &mut kind {
        properties.push(("Content type".into(), "application/json".into()));
        properties.push(("User property line".into(), "2".into()));
    }
    kind
}

/// A message of which only the beginning is kept.
fn cut() -> Kind {
    let mut kind = message(Direction::In, "cut", b"beginning", Qos::AtMostOnce, None);
    if let Kind::Publish { cut_from, .. } = &mut kind {
        *cut_from = Some(1 << 20);
    }
    kind
}

fn connect() -> Kind {
    let facts = [("client id", "pump 1"), ("user name", "Token"), ("clean start", "yes"), ("keep-alive", "30 s")];
    let facts: Facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Kind::Connect { version: Some(MqttVersion::V5), facts, detail: "".into(), will: None }
}

fn connected() -> Kind {
    let mut kind = samples::connected();
    if let Kind::Connected { version, .. } = &mut kind {
        *version = Some(MqttVersion::V5);
    }
    kind
}

fn acknowledged(packet_id: u16) -> Kind {
    Kind::Acknowledged {
        direction: Direction::ToClient,
        ack: Ack::PubAck,
        packet_id,
        topic: "".into(),
        code: 0,
        reason: String::new(),
        took: None,
    }
}

/// A client through a tap, and between its packets a session of ours; some have no packet to show.
fn events() -> Vec<Event> {
    let socket = Some(ConnectionId::next());
    let tap = |after, kind| seen(socket, SourceKind::Tap, "pump 1", after, kind);
    let ours = |after, kind| seen(None, SourceKind::Session, "look-1", after, kind);
    let subscribed =
        Kind::Subscribed { filter: "cmd/#".into(), requested: Qos::AtLeastOnce, granted: Ok(Qos::AtMostOnce) };
    let closed =
        Kind::Closed { cause: String::new(), lasted: Duration::ZERO, received: (0, 0), sent: (0, 0), pings: 1 };
    vec![
        seen(socket, SourceKind::Tap, "127.0.0.1:50123", 0, Kind::Accepted { listener: "TCP".into() }),
        tap(1, connect()),
        tap(2, connected()),
        tap(3, subscribed),
        tap(4, with_properties()),
        tap(5, acknowledged(7)),
        tap(6, cut()),
        ours(7, message(Direction::In, "a/b", b"\x00\xff", Qos::AtMostOnce, None)),
        tap(8, message(Direction::In, "plant/large", &[0xa5; 200_000], Qos::ExactlyOnce, Some(8))),
        tap(9, Kind::Ping { answer: false, took: None }),
        tap(10, Kind::Ping { answer: true, took: None }),
        tap(11, message(Direction::ToClient, "cmd/on", b"", Qos::AtMostOnce, None)),
        tap(12, Kind::Queued { topic: "a".into(), entry: 1 }),
        tap(13, Kind::Disconnected { code: None, reason: String::new(), clean: true }),
        tap(14, closed),
        ours(15, message(Direction::Out, "out", b"x", Qos::AtLeastOnce, None)),
    ]
}

#[test]
fn tshark_shows_the_same_packets() {
    let (file, count) = written(&events());
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
