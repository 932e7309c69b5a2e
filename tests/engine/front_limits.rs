//! Each limit of a front: who is over it hears so by a reason code, and the feed says by how much.

use crate::support::broker::{Mqtt, connect, options};
use crate::support::front::{FrontRig, Setup};
use crate::support::mosquitto::Mosquitto;
use crate::support::wire;
use crate::support::{eventually, resident, soon};
use relayscope_domain::listener::BrokerLimits;
use relayscope_engine::feed::event::Kind;
use relayscope_engine::front::{Listen, Policy, Turned};
use rumqttc::v5::mqttbytes::QoS;
use std::borrow::Cow;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a raw client hears until the connection ends.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![];
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    bytes
}

/// The limit that was passed: allowed and reached.
async fn over(rig: &FrontRig) -> (&'static str, u64, u64) {
    let pick = |kind: &Kind| match kind {
        Kind::OverLimit { what: Cow::Borrowed(what), limit, reached } => Some((*what, *limit, *reached)),
        _ => None,
    };
    rig.event("a limit", pick).await
}

#[tokio::test]
async fn connections_at_the_same_time() {
    let broker = Mosquitto::open();
    for (level, answer) in [(5, &[0x20, 3, 0, 0x97, 0][..]), (4, &[0x20, 2, 0, 3][..])] {
        let rig =
            FrontRig::limited(broker.port, BrokerLimits { connections: Some(1), ..BrokerLimits::UNLIMITED }).await;
        let (first, accepted) = connect(level, "first", None).send(rig.addr()).await;
        assert_eq!(accepted[3], 0);
        let (mut second, refused) = connect(level, "second", None).send(rig.addr()).await;
        assert_eq!(refused, answer);
        assert!(rest(&mut second).await.is_empty());
        assert_eq!(over(&rig).await, ("connections at the same time", 1, 2));
        // Its CONNECT was read all the same.
        rig.event("the CONNECT", |kind| {
            matches!(kind, Kind::Connect { facts, .. } if facts[0].1 == "second").then_some(())
        })
        .await;
        drop(first);
        eventually("room", async || (rig.front.connections().count() == 0).then_some(())).await;
        assert_eq!(connect(level, "third", None).send(rig.addr()).await.1[3], 0);
        rig.stop().await;
    }
}

#[tokio::test]
async fn connections_in_a_minute() {
    let broker = Mosquitto::open();
    let rig =
        FrontRig::limited(broker.port, BrokerLimits { connections_per_minute: Some(2), ..BrokerLimits::UNLIMITED })
            .await;
    for name in ["one", "two"] {
        assert_eq!(connect(5, name, None).send(rig.addr()).await.1[3], 0);
    }
    assert_eq!(connect(5, "three", None).send(rig.addr()).await.1[3], 0x9f);
    assert_eq!(over(&rig).await, ("connections in a minute", 2, 3));
    rig.stop().await;
}

#[tokio::test]
async fn messages_in_a_minute_and_sizes() {
    let broker = Mosquitto::open();
    let none = BrokerLimits::UNLIMITED;
    let cases = [
        (BrokerLimits { publishes_per_minute: Some(3), ..none }, 0x96, ("messages from clients in a minute", 3, 4)),
        (BrokerLimits { receives_per_minute: Some(3), ..none }, 0x97, ("messages to clients in a minute", 3, 4)),
        (BrokerLimits { packet_bytes: Some(100), ..none }, 0x95, ("bytes of a packet", 100, 203)),
    ];
    for (limits, code, expected) in cases {
        for level in [5, 4] {
            let rig = FrontRig::limited(broker.port, limits).await;
            let topic = format!("limits/{code}");
            let watcher = Mqtt::connect(options(([127, 0, 0, 1], broker.port).into(), "watcher", "x")).await;
            watcher.subscribe(&topic, QoS::AtMostOnce).await;
            let mut heard = vec![];
            let (mut stream, _) = connect(level, "busy", None).send(rig.addr()).await;
            if code == 0x97 {
                let mut subscribe = wire::subscribe(&topic, 0);
                if level == 5 {
                    subscribe.insert(4, 0);
                    subscribe[1] += 1;
                }
                stream.write_all(&subscribe).await.unwrap();
                heard.push(wire::read(&mut stream).await[0]);
                for _ in 0..4 {
                    watcher.client.publish(&topic, QoS::AtMostOnce, false, "x").await.unwrap();
                }
            } else {
                let mut packet = vec![0x30];
                let mut body = vec![0, topic.len() as u8];
                body.extend(topic.as_bytes());
                body.extend(vec![0; usize::from(level == 5)]);
                body.resize(if code == 0x95 { 200 } else { body.len() + 1 }, b'x');
                packet.extend(if body.len() > 127 { vec![body.len() as u8 | 128, 1] } else { vec![body.len() as u8] });
                packet.extend(body);
                let count = if code == 0x95 { 1 } else { 5 };
                stream.write_all(&packet.repeat(count)).await.unwrap();
            }
            let end = rest(&mut stream).await;
            let goodbye: &[u8] = if level == 5 { &[0xe0, 2, code, 0] } else { &[] };
            assert!(end.ends_with(goodbye) && (level == 5 || !end.ends_with(&[code, 0])), "{expected:?}: {end:02x?}");
            assert_eq!(over(&rig).await, expected);
            let reason = rig.goodbye().await;
            assert!(reason.starts_with("cut by a limit: "), "{reason}");
            if code == 0x96 {
                // What was within the limit arrived, and nothing else.
                assert_eq!(watcher.messages(3).await.len(), 3);
            }
            rig.stop().await;
        }
    }
}

#[tokio::test]
async fn subscriptions_of_a_client() {
    let broker = Mosquitto::open();
    let rig = FrontRig::limited(broker.port, BrokerLimits { subscriptions: Some(2), ..BrokerLimits::UNLIMITED }).await;
    let client = Mqtt::connect(options(rig.addr(), "curious", "x")).await;
    for filter in ["a", "b", "b"] {
        client.subscribe(filter, QoS::AtMostOnce).await;
    }
    client.client.subscribe("c", QoS::AtMostOnce).await.unwrap();
    client.end().await;
    assert_eq!(over(&rig).await, ("subscriptions of a client", 2, 3));
    assert_eq!(rig.front.turns().read(), Turned { refused: 0, cut: 1 });
    rig.stop().await;
}

#[tokio::test]
async fn a_first_packet_has_its_time() {
    let broker = Mosquitto::open();
    let limits = BrokerLimits { first_packet_seconds: 1, ..BrokerLimits::UNLIMITED };
    for start in [&b""[..], b"\x10", b"\x10\x20\x00\x04MQTT"] {
        let rig = FrontRig::limited(broker.port, limits).await;
        let mut stream = TcpStream::connect(rig.addr()).await.unwrap();
        stream.write_all(start).await.unwrap();
        assert!(rest(&mut stream).await.is_empty());
        assert_eq!(rig.closed().await, "closed by Relayscope: no packet came within 1 s");
        assert_eq!(rig.front.turns().read(), Turned { refused: 1, cut: 0 });
        rig.stop().await;
    }
    // A handshake counts as well, and a decent client beside is not disturbed.
    let certificate = crate::support::certs::self_signed(&["localhost"]);
    let key = relayscope_domain::secret::Secret::new(certificate.key);
    let tls = relayscope_engine::front::server_config(
        &certificate.cert,
        &key,
        &relayscope_engine::front::ClientCertificates::Off,
    );
    let setup = Setup { listen: Listen::tcp(Some(tls.unwrap())), limits, policy: Policy::default() };
    let rig = FrontRig::start(broker.port, setup).await;
    let mut stream = TcpStream::connect(rig.addr()).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    assert_eq!(rig.closed().await, "closed by Relayscope: no packet came within 1 s");
    rig.stop().await;
}

#[tokio::test]
async fn a_reader_that_does_not_read() {
    const COUNT: usize = 3_000;
    let broker = Mosquitto::open();
    let limits = BrokerLimits { slow_reader_bytes: Some(1 << 20), ..BrokerLimits::UNLIMITED };
    let rig = FrontRig::limited(broker.port, limits).await;
    let (mut slow, _) = connect(4, "slow", None).send(rig.addr()).await;
    slow.write_all(&wire::subscribe("flood", 0)).await.unwrap();
    wire::read(&mut slow).await;
    let before = resident();
    let (mut flood, _) = connect(4, "flood", None).send(rig.addr()).await;
    let packet = wire::publish("flood", &[7; 16_384]);
    for _ in 0..COUNT {
        flood.write_all(&packet).await.unwrap();
    }
    flood.write_all(&[0xc0, 0]).await.unwrap();
    assert_eq!(soon("the answer to the ping", wire::read(&mut flood)).await, [0xd0, 0]);
    let (what, limit, reached) = over(&rig).await;
    assert_eq!((what, limit), ("bytes that wait for a client that does not read", 1 << 20));
    assert!(reached < (1 << 20) + (64 << 10) + 1, "{reached}");
    let grown = resident().saturating_sub(before);
    eprintln!("{grown} bytes more");
    // The feed keeps the messages, 49 MB of them twice.
    assert!(grown < 220 << 20, "{grown} bytes more");
    rig.stop().await;
}

/// Without a limit the broker is made to wait, and the reader gets everything that its broker kept for it.
#[tokio::test]
async fn a_slow_reader_holds_its_broker_back() {
    const COUNT: usize = 2_000;
    let broker = Mosquitto::start(&crate::support::mosquitto::Setup {
        extra: "max_queued_messages 0\n".to_owned(),
        ..Default::default()
    });
    let rig = FrontRig::before(broker.port).await;
    let (mut slow, _) = connect(4, "slow", None).send(rig.addr()).await;
    slow.write_all(&wire::subscribe("flood", 0)).await.unwrap();
    wire::read(&mut slow).await;
    let (mut flood, _) = connect(4, "flood", None).send(rig.addr()).await;
    let packet = wire::publish("flood", &[7; 16_384]);
    for _ in 0..COUNT {
        flood.write_all(&packet).await.unwrap();
    }
    for _ in 0..COUNT {
        assert_eq!(soon("a message", wire::read(&mut slow)).await, packet);
    }
    let received = |event: &relayscope_engine::feed::event::Event| {
        matches!(event.kind, Kind::Publish { direction: relayscope_engine::feed::event::Direction::ToClient, .. })
            .then_some(())
    };
    eventually("all events", async || (rig.all(received).len() == COUNT).then_some(())).await;
    soon("the end", tokio::time::timeout(Duration::from_secs(20), rig.stop())).await.unwrap();
}
